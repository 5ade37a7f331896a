"""The inbox: what Microsoft reported, encrypted, until it is worked through (see `models.inbox`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from ..graph.contacts import ContactItem
from ..graph.items import Kept
from ..models import InboxItem, InboxKey, InboxState, RecordMapping, decrypt, encrypt
from ..reconcile import matching
from ..records import CONTACT_FIELDS, UNSET, ContactData, PostalAddress, is_set
from .work import Work


def waiting(work: Work) -> QuerySet[InboxItem]:
    """What has to be looked at now: new items, and held ones whose next try is due."""
    rows = InboxItem.objects.filter(link=work.link, kind=work.kind, preview=work.preview)
    return rows.filter(state=InboxState.WAITING).order_by("pk")


def stage(work: Work, items: Iterable[ContactItem], known: Mapping[str | None, RecordMapping]) -> None:
    """Store items, replacing older versions of the same ones. Those without a mapping get their matching keys."""
    items = list(items)
    if not items:
        return
    ids = [item.graph_id for item in items]
    InboxItem.objects.filter(link=work.link, kind=work.kind, preview=work.preview, graph_id__in=ids).delete()
    rows = InboxItem.objects.bulk_create([_row(work, item) for item in items])
    InboxKey.objects.bulk_create(
        [
            InboxKey(item=row, rule=rule, key=work.digest(f"{rule}:{key}"))
            for row, item in zip(rows, items, strict=True)
            if item.graph_id not in known
            for rule in work.rules
            for key in matching.keys(item.data, rule, work.region)
        ]
    )


def _row(work: Work, item: ContactItem) -> InboxItem:
    return InboxItem(
        link=work.link,
        kind=work.kind,
        preview=work.preview,
        graph_id=item.graph_id,
        folder=item.folder,
        etag=item.etag,
        marker=item.marker,
        payload=encrypt({"data": _to_json(item.data), "kept": dataclasses.asdict(item.kept)}),
        created_in_microsoft=item.created_at,
        changed_in_microsoft=item.changed_at,
        pulled_at=work.now,
    )


def open_item(row: InboxItem) -> ContactItem | None:
    """The item back; None when nothing of its contents is kept any more."""
    if row.payload is None:
        return None
    payload = decrypt(row.payload)
    return ContactItem(
        graph_id=row.graph_id,
        folder=row.folder,
        etag=row.etag,
        data=_from_json(payload["data"]),
        kept=Kept(**payload["kept"]),
        created_at=row.created_in_microsoft,
        changed_at=row.changed_in_microsoft,
        marker=row.marker,
    )


def keep_without_contents(rows: Iterable[InboxItem], state: str, reason: str) -> None:
    """What stays in Microsoft only, or waits for a person: its keys are kept, its contents are not."""
    for row in rows:
        row.state, row.reason, row.payload = state, reason, None
    InboxItem.objects.bulk_update(list(rows), ["state", "reason", "payload"])


def _to_json(data: ContactData) -> dict[str, Any]:
    # Under an empty name: what Microsoft holds but a record cannot say, such as a birthday without its year.
    plain: dict[str, Any] = {"": [name for name in CONTACT_FIELDS if not is_set(getattr(data, name))]}
    for name, value in data.values().items():
        if isinstance(value, PostalAddress):
            value = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
        elif isinstance(value, (date, datetime)):
            value = value.isoformat()
        if value not in (None, ()):
            plain[name] = value
    return plain


def _from_json(plain: Mapping[str, Any]) -> ContactData:
    values: dict[str, Any] = {**dict.fromkeys(CONTACT_FIELDS), **dict.fromkeys(plain.get("", ()), UNSET)}
    for name, value in plain.items():
        if not name:
            continue
        if name.endswith("_address"):
            value = PostalAddress(**value)
        elif name == "birthday":
            value = date.fromisoformat(value)
        values[name] = value
    return ContactData(**values)
