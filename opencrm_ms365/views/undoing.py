"""Deletions for people: what was deleted in the CRM because it was deleted in Microsoft, and undoing it (ORG-12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from ..access.decisions import wake
from ..access.refused import Refused
from ..errors import SyncError
from ..models import DecryptionFailed, DeletedRecord, decrypt
from ..sync.undo import undo
from .fieldnames import field_name, shown_value
from .seen import adapter_named, context_for

#: Enough to know a record by; the rest comes back with it.
SHOWN_FIELDS = ("company_name", "emails", "mobile_phone", "business_phones")


def described_deletions(viewer: Any, tenant: str, rows: Sequence[DeletedRecord]) -> list[dict[str, Any]]:
    """What may be shown of each: names only to those who could see the record, deleted as it is (PRIV-03)."""
    ids_by_adapter: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        ids_by_adapter[row.adapter].append(row.object_id)
    ctx = context_for(viewer, tenant)
    seen, back = set(), set()
    for name, ids in ids_by_adapter.items():
        adapter = adapter_named(name)
        if adapter is not None:
            seen |= {(name, object_id) for object_id in _visible(adapter, ids, ctx)}
            back |= {(name, object_id) for object_id in adapter.by_ids(ids, ctx)}
    keys = [row.pk for row in rows]
    undoable = set(DeletedRecord.objects.undoable().filter(pk__in=keys).values_list("pk", flat=True))
    return [_described(row, (row.adapter, row.object_id) in seen, (row.adapter, row.object_id) in back,
                       row.pk in undoable) for row in rows]


def _visible(adapter: Any, ids: Sequence[str], ctx: Any) -> dict[str, Any]:
    """Records, deleted or not, that the person may see, by id."""
    rows = adapter.in_sight(adapter.with_deleted(ctx).filter(pk__in=adapter.keys(ids)), ctx)
    return {adapter.object_id(obj): obj for obj in adapter.in_full(rows, ctx)}


def _described(row: DeletedRecord, is_seen: bool, is_back: bool, is_undoable: bool) -> dict[str, Any]:
    contents = _contents(row) if is_seen else {}
    values = contents.get("values", {})
    return {
        "row": row, "is_seen": is_seen, "label": contents.get("label", ""), "is_back": is_back,
        "details": [(field_name(name), shown_value(values[name])) for name in SHOWN_FIELDS if values.get(name)],
        "may_undo": is_seen and is_undoable and not is_back,
    }


def _contents(row: DeletedRecord) -> dict[str, Any]:
    try:
        contents: dict[str, Any] = decrypt(row.contents)
    except DecryptionFailed:
        return {}
    return contents


def undo_deletion(row: DeletedRecord, by: Any) -> None:
    """Undo it. Raises `Refused` with a sentence: too late, back already, or not allowed in the CRM."""
    adapter = adapter_named(row.adapter)
    ctx = context_for(by, row.tenant)
    obj = _visible(adapter, [row.object_id], ctx).get(row.object_id) if adapter is not None else None
    if obj is None:
        raise Refused(_("This record is gone for good, or you may not see it."))
    if not adapter.can_delete(obj, ctx):
        raise Refused(_("You may not bring this record back into the CRM."))
    try:
        undo(row, by)
    except SyncError as error:
        raise Refused(str(error)) from error
    wake(row.link)
