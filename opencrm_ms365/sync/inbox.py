"""The inbox: what Microsoft reported, encrypted, until it is worked through (see `models.inbox`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import QuerySet

from ..models import InboxItem, InboxKey, InboxState, RecordMapping, decrypt, encrypt
from .items import Item
from .work import Work


def waiting(work: Work) -> QuerySet[InboxItem]:
    """What has to be looked at now: new items, and held ones whose next try is due."""
    rows = InboxItem.objects.filter(link=work.link, kind=work.kind, preview=work.preview)
    return rows.filter(state=InboxState.WAITING).order_by("pk")


def stage(work: Work, items: Iterable[Item], known: Mapping[str | None, RecordMapping]) -> None:
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
            for rule, key in work.how.keys(work, item)
        ]
    )


def _row(work: Work, item: Item) -> InboxItem:
    return InboxItem(
        link=work.link,
        kind=work.kind,
        preview=work.preview,
        graph_id=item.graph_id,
        folder=item.folder,
        etag=item.etag,
        marker=item.marker,
        payload=encrypt(work.how.payload(item)),
        created_in_microsoft=item.created_at,
        changed_in_microsoft=item.changed_at,
        pulled_at=work.now,
    )


def open_item(work: Work, row: InboxItem) -> Item | None:
    """The item back; None when nothing of its contents is kept any more."""
    return None if row.payload is None else work.how.item(row, decrypt(row.payload))


def keep_without_contents(rows: Iterable[InboxItem], state: str, reason: str) -> None:
    """What stays in Microsoft only, or waits for a person: its keys are kept, its contents are not."""
    for row in rows:
        row.state, row.reason, row.payload = state, reason, None
    InboxItem.objects.bulk_update(list(rows), ["state", "reason", "payload"])
