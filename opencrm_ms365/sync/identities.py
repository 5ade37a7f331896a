"""The identities of ours that Microsoft's items bear, and the CRM records that they name (SYNC-09)."""

from __future__ import annotations

from typing import Any

from ..models import InboxItem
from . import inbox
from .items import Item
from .markers import Marker, read_marker
from .reading import read_items
from .work import Work, chunks

Ref = tuple[str, str]
#: So many requests make one batch.
BATCH = 20


def is_siblings(work: Work, text: str) -> bool:
    """Whether another organisation of this CRM has the item already: one mailbox does not carry records across."""
    marker = read_marker(text)
    return (
        marker is not None
        and marker.installation != work.installation
        and marker.installation in work.sibling_installations
    )


def with_markers(
    work: Work, found: list[tuple[InboxItem, Item]], texts: dict[str, str]
) -> list[tuple[InboxItem, Item, Marker | None, Any, Any]]:
    """Each item with the identity it bears and the CRM record that this names, if that still exists."""
    markers = {
        key: marker
        for key, text in texts.items()
        if (marker := read_marker(text)) and marker.installation == work.installation
    }
    objects: dict[Ref, Any] = {}
    for adapter in work.adapters:
        ids = {marker.object_id for marker in markers.values() if marker.adapter == adapter.name}
        if ids:
            objects |= {(adapter.name, key): obj for key, obj in adapter.by_ids(ids, work.ctx).items()}
    result = []
    claimed: set[Ref] = set()
    for row, item in sorted(found, key=lambda entry: (entry[1].created_at is None, entry[1].created_at or work.now)):
        marker = markers.get(item.graph_id)
        ref = (marker.adapter, marker.object_id) if marker else None
        obj = objects.get(ref) if ref and ref not in claimed else None
        if ref and obj is not None:
            claimed.add(ref)  # of two that bear the same identity the older one is the original, the other a copy
        result.append((row, item, marker, obj, work.adapter(marker.adapter) if marker else None))
    return result


def read_markers(work: Work, items: list[Item]) -> dict[str, str]:
    """The identities that items bear. A folder is listed at most once a cycle, however many chunks its items fill."""
    known = {item.graph_id: item.marker for item in items if item.marker}
    unread = {item.graph_id: item.folder for item in items if not item.marker and item.folder not in work.listed}
    for folder_id in set(unread.values()):
        missing = [key for key, folder in unread.items() if folder == folder_id]
        if _is_worth_listing(work, folder_id):
            known |= _list_markers(work, folder_id, frozenset(missing))
        else:
            answers = read_items(work, missing, with_marker=True)
            known |= {key: item.marker for key, item in answers.items() if item.marker}
    return known


def _is_worth_listing(work: Work, folder_id: str) -> bool:
    """Whether listing the folder takes fewer requests than asking for each of its new items in batches."""
    new = inbox.waiting(work).filter(folder=folder_id).count()
    held = work.mappings().filter(folder=folder_id).count()
    return new > BATCH and new / BATCH > (new + held) / work.store.page_size


def _list_markers(work: Work, folder_id: str, missing: frozenset[str]) -> dict[str, str]:
    """Note the identities of a whole folder in the inbox; returns those of `missing`."""
    found: dict[str, str] = {}
    rows = InboxItem.objects.filter(link=work.link, kind=work.kind, preview=work.preview, folder=folder_id)
    for part in chunks(work.store.markers(folder_id), work.chunk):
        listed = dict(part)
        found |= {key: text for key, text in listed.items() if key in missing}
        noted = list(rows.filter(graph_id__in=listed).only("graph_id", "marker"))
        for row in noted:
            row.marker = listed[row.graph_id]
        InboxItem.objects.bulk_update(noted, ["marker"], batch_size=100)
        work.check_lease()
    work.listed.add(folder_id)
    return found
