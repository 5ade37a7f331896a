"""Conflicts for people: the two values side by side, and taking the one that lost (ORG-09)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from ..access.refused import Refused
from ..errors import SyncError
from ..models import Conflict, DecryptionFailed, decrypt
from ..sync.conflicts import take_other
from .fieldnames import field_name, shown_value
from .seen import adapter_named, context_for, shown_records, visible_keys


def described_conflicts(viewer: Any, tenant: str, rows: Sequence[Conflict]) -> list[dict[str, Any]]:
    """What may be shown of each: the values only to those who may see the record, and only while they are kept."""
    shown = shown_records(viewer, tenant, [(row.adapter, row.object_id) for row in rows])
    return [_described(row, shown.get((row.adapter, row.object_id))) for row in rows]


def _described(row: Conflict, record: Any) -> dict[str, Any]:
    values = _values(row) if record is not None else None
    return {
        "row": row, "record": record, "field": field_name(row.field), "values": values,
        "crm": shown_value((values or {}).get("crm")), "microsoft": shown_value((values or {}).get("microsoft")),
        "may_take": values is not None and row.taken_other_at is None,
        "loser": "microsoft" if row.winner == "crm" else "crm",
    }


def _values(row: Conflict) -> dict[str, Any] | None:
    if not row.values:
        return None
    try:
        values: dict[str, Any] = decrypt(row.values)
    except DecryptionFailed:
        return None
    return values


def take_the_other(conflict: Conflict, by: Any) -> None:
    """Take the value that lost. Raises `Refused` with a sentence: gone, done already, or not allowed in the CRM."""
    if conflict.taken_other_at is not None:
        raise Refused(_("The other value has been taken already."))
    ctx = context_for(by, conflict.tenant)
    adapter = adapter_named(conflict.adapter)
    found = adapter.by_ids([conflict.object_id], ctx) if adapter else {}
    obj = found.get(conflict.object_id)
    if obj is None or not visible_keys(adapter, [obj.pk], ctx):
        raise Refused(_("This record is no longer there, or you may not see it."))
    if not adapter.can_change(obj, ctx):
        raise Refused(_("You may not change this record in the CRM."))
    if not conflict.values:
        raise Refused(_("The other value is no longer kept."))
    try:
        take_other(conflict, by)
    except SyncError as error:
        raise Refused(str(error)) from error


