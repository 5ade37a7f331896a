"""Microsoft's changes into the inbox: page by page, each page together with the cursor behind it.

A page that was stored is never asked for again, a page that was not stored is; whatever instant the cycle dies at.
A removal is only noted (`gone_since`): it may be a move, and is confirmed before anything follows from it (SYNC-08).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator

from django.db import transaction

from ..errors import DeltaExpired, GraphError, NotFound
from ..graph.contacts import BrokenItem, DeltaPage, RemovedItem
from ..models import InboxItem, MappingState, RecordMapping
from ..reconcile.decide import Release
from . import inbox
from .folders import Cursors
from .items import ITEMS, Item
from .report import Report, close_ambiguous
from .work import Work

log = logging.getLogger("opencrm_ms365.sync")


def pull(work: Work, report: Report) -> Cursors:
    """Read all chosen folders up to now. Raises what the client raises; what was stored until then stays stored."""
    cursors = Cursors.of(work.link, work.kind)
    before = set(cursors.names)
    pages = work.how.poll(work, cursors) if cursors.links else {}
    if not cursors.links:
        cursors.note(work.how.folders(work))
    chosen = work.how.chosen(work, cursors)
    _drop_others(work, cursors, chosen, has_lost_some=not before <= set(cursors.names))
    for folder_id in chosen:
        _pull_folder(work, report, cursors, folder_id, pages.get(folder_id))
    _finish(work, cursors)
    return cursors


def _drop_others(work: Work, cursors: Cursors, chosen: Iterable[str], *, has_lost_some: bool) -> None:
    """Folders that vanished or are no longer chosen: their contacts are looked for, or let go (CON-11).

    `has_lost_some`: a folder is gone that was known, if never read: one that the last cycle made, say.
    """
    keep = set(chosen)
    dropped = [key for key in cursors.links if key not in keep]
    is_new_round = not cursors.links  # a full pass forgot which folders were read before
    for folder_id in dropped:
        cursors.links.pop(folder_id)
        cursors.rounds.pop(folder_id, None)
    if work.preview or not (dropped or is_new_round or has_lost_some):
        return
    rows = work.mappings().filter(state=MappingState.LINKED).exclude(folder__in=["", *keep])
    rows.filter(folder__in=list(cursors.names)).update(state=MappingState.RELEASED, released_by=Release.MOVED_AWAY)
    rows.filter(gone_since__isnull=True).exclude(folder__in=list(cursors.names)).update(gone_since=work.now)


def _pull_folder(
    work: Work, report: Report, cursors: Cursors, folder_id: str, first: DeltaPage | GraphError | None
) -> None:
    try:
        for page in _pages(work, cursors, folder_id, first):
            _store(work, report, cursors, folder_id, page)
            if page.items:  # however short the slice, something of the work is done in it
                work.check_time()
    except NotFound:
        cursors.links.pop(folder_id, None)
        cursors.rounds.pop(folder_id, None)
        cursors.names.pop(folder_id, None)
        if not work.preview:
            work.mappings().filter(folder=folder_id, gone_since__isnull=True).update(gone_since=work.now)


def _pages(work: Work, cursors: Cursors, folder_id: str, first: DeltaPage | GraphError | None) -> Iterator[DeltaPage]:
    """The pages of one folder from where it stands; an expired link starts an initial round (facts 8.4)."""
    page: DeltaPage | None = None
    if isinstance(first, DeltaExpired):
        cursors.links.pop(folder_id, None)
    elif isinstance(first, GraphError):
        raise first
    else:
        page = first
    restarted = False
    while True:
        if page is None:
            link = cursors.links.get(folder_id, "")
            if not link:
                cursors.rounds[folder_id] = secrets.token_hex(8)
            try:
                page = work.how.page(work, cursors, folder_id, link)
            except DeltaExpired:
                if restarted:
                    raise
                restarted = True
                cursors.links.pop(folder_id, None)
                continue
        yield page
        if page.delta_link:
            return
        page = None


def _store(work: Work, report: Report, cursors: Cursors, folder_id: str, page: DeltaPage) -> None:
    items = {item.graph_id: item for item in page.items if isinstance(item, ITEMS)}
    removed = [item.graph_id for item in page.items if isinstance(item, RemovedItem) and item.graph_id not in items]
    broken = [item for item in page.items if isinstance(item, BrokenItem)]
    work.counts.pulled += len(items) + len(removed)
    cursors.links[folder_id] = page.next_link or page.delta_link
    if not page.items and page.delta_link and folder_id not in cursors.rounds:
        return  # nothing new: the link is saved with those of the other folders
    ended = cursors.rounds.get(folder_id) if page.delta_link else None
    with transaction.atomic():
        _note_items(work, list(items.values()), cursors.rounds.get(folder_id, ""))
        for item in broken:
            report.problem(
                code="unreadable",
                reason=f"Microsoft sent {work.how.a_noun} that cannot be read: {item.reason}",
                graph_id=item.graph_id,
            )
        _note_removed(work, folder_id, removed)
        if ended:
            _note_missing(work, folder_id, ended)
            cursors.rounds.pop(folder_id, None)
        if not work.preview:
            work.save_link(cursors={**work.link.cursors, work.kind: cursors.as_dict()})
    work.progress("reading", work.counts.pulled)


def _note_items(work: Work, items: list[Item], round_id: str) -> None:
    """Put into the inbox what is new or differs from what Microsoft held when both sides last agreed."""
    known = {row.graph_id: row for row in work.mappings().filter(graph_id__in=[item.graph_id for item in items])}
    fresh = [item for item in items if not _is_echo(work, item, known.get(item.graph_id))]
    inbox.stage(work, fresh, known)
    _note_etags(work, items, known)
    if work.preview:
        work.suspects -= {item.graph_id for item in items}
        return
    if known:
        if round_id:
            work.mappings().filter(graph_id__in=list(known)).update(seen_round=round_id, gone_since=None)
        else:
            revived = [row.pk for row in known.values() if row.gone_since]
            if revived:
                RecordMapping.objects.filter(pk__in=revived).update(gone_since=None)


def _is_echo(work: Work, item: Item, mapping: RecordMapping | None) -> bool:
    """Whether the item is as it was when both sides last agreed: our own write coming back (I-3)."""
    if mapping is None or mapping.state != MappingState.LINKED or mapping.pending or mapping.folder != item.folder:
        return False
    if mapping.next_try_at or work.how.is_left_out(work, None, item):
        return False
    adapter = work.adapter(mapping.adapter)
    held = mapping.microsoft_digests
    if adapter is None or not (names := work.how.digested(adapter.mapped, linked=True)) <= held.keys():
        return False
    now = {**work.digests(item.data, names), **work.how.digests(work, item)}
    return all(held.get(name) == value for name, value in now.items())


def _note_etags(work: Work, items: list[Item], known: dict[str | None, RecordMapping]) -> None:
    """What nobody needs to look at has a newer etag all the same: the next write shall not be refused for it."""
    if work.preview:
        return
    moved = []
    for item in items:
        mapping = known.get(item.graph_id)
        if mapping is not None and mapping.etag != item.etag and _is_echo(work, item, mapping):
            mapping.etag = item.etag
            moved.append(mapping)
    RecordMapping.objects.bulk_update(moved, ["etag"], batch_size=500)


def _note_removed(work: Work, folder_id: str, graph_ids: list[str]) -> None:
    if not graph_ids:
        return
    InboxItem.objects.filter(
        link=work.link, kind=work.kind, preview=work.preview, graph_id__in=graph_ids, folder=folder_id
    ).delete()
    rows = work.mappings().filter(graph_id__in=graph_ids, folder=folder_id)
    if work.preview:
        work.suspects |= set(rows.values_list("graph_id", flat=True))
        return
    rows.filter(gone_since__isnull=True).update(gone_since=work.now)
    close_ambiguous(work.link, work.kind, graph_ids)


def _note_missing(work: Work, folder_id: str, round_id: str) -> None:
    """The end of a complete listing: what it did not show may be gone (I-4)."""
    missing = (
        work.mappings()
        .filter(folder=folder_id, state=MappingState.LINKED, gone_since__isnull=True)
        .exclude(seen_round=round_id)
    )
    if not work.preview:
        missing.update(gone_since=work.now)


def _finish(work: Work, cursors: Cursors) -> None:
    known = cursors.as_dict()
    if not work.preview and work.link.cursors.get(work.kind) != known:
        work.save_link(cursors={**work.link.cursors, work.kind: known})
