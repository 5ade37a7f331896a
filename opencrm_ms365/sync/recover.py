"""Before a cycle: creations whose answer was lost, and contacts about which a person has decided (I-1, ORG-08).

A creation is looked for by the identity that it carries. A look-up right after a lost answer may not see the new record
yet: it is looked for again before it is sent again, and a twin that appears later is removed.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.db import transaction

from ..models import CrmTouch, HeldDecision, InboxItem, MappingState, RecordMapping, decrypt
from ..reconcile.plan import Action
from ..reconcile.policy import Side
from . import apply_microsoft, inbox
from .apply_crm import save_mappings
from .folders import Cursors
from .items import ITEMS, Item
from .limits import scope_ids
from .merging import build_pair, crm_folder
from .outgoing import OVERLAP, watermark
from .report import Report
from .steps import Step
from .work import Work

#: More lost creations than this are looked for in a listing of their folder instead of one by one.
ONE_BY_ONE = 5
LOOKS = 3
REASONS = (HeldDecision.Reason.AMBIGUOUS, HeldDecision.Reason.DELETION_GUARD, HeldDecision.Reason.VANISHED)
PAUSE_S = 1.0
#: So many unclear matches are looked at again in one cycle; the daily pass looks at all.
MOST_UNCLEAR = 20


def recover(work: Work, report: Report, cursors: Cursors, sleep: Callable[[float], None] = time.sleep) -> None:
    """Adopt what was created, repeat what was not."""
    lost = list(work.mappings().filter(state=MappingState.INTENDED, intended_at__isnull=False))
    for look in range(LOOKS):
        if not lost:
            break
        if look:
            sleep(PAUSE_S)
        lost = _adopt(work, cursors, lost)
        work.check_lease()
    due = list(
        work.mappings().filter(state=MappingState.INTENDED, intended_at__isnull=True).exclude(next_try_at__gt=work.now)
    )
    _create_again(work, report, cursors, lost, repeated=True)
    _create_again(work, report, cursors, due, repeated=False)


def _adopt(work: Work, cursors: Cursors, lost: list[RecordMapping]) -> list[RecordMapping]:
    """Link what is found in Microsoft. Returns what is not there (yet)."""
    found: dict[str, str] = {}
    wanted = {apply_microsoft.marker_text(work, row, row.marker): row for row in lost}
    folders = {row.folder for row in lost if row.folder} or {cursors.default}
    if len(lost) > ONE_BY_ONE:
        for folder_id in folders:
            found |= {text: graph_id for graph_id, text in work.store.markers(folder_id) if text in wanted}
    else:
        for text, row in wanted.items():
            items = work.store.find_marker([row.folder or cursors.default], text)
            if items:
                found[text] = items[0].graph_id
    if found:
        answers = work.store.get(list(found.values()))
        adopted = [
            _linked(work, wanted[text], answers[graph_id])
            for text, graph_id in found.items()
            if isinstance(answers.get(graph_id), ITEMS)
        ]
        work.how.prepare(work, adopted)
        with transaction.atomic():
            work.how.linked(work, adopted)
            save_mappings(step.mapping for step in adopted if step.mapping is not None)
            rows = InboxItem.objects.filter(link=work.link, kind=work.kind, preview="")
            rows.filter(graph_id__in=[step.graph_id for step in adopted]).delete()
        for step in adopted:
            step.note(Action.CREATE, Side.MICROSOFT, recipients=work.how.invited(step))
            work.counts.add(step.operations)
    return [row for row in lost if row.state == MappingState.INTENDED]


def _linked(work: Work, mapping: RecordMapping, item: Item) -> Step:
    names = frozenset(mapping.crm_digests)
    mapping.graph_id, mapping.folder, mapping.etag = item.graph_id, item.folder or mapping.folder, item.etag
    mapping.microsoft_digests = {**work.digests(item.data, names), **work.how.digests(work, item)}
    mapping.state, mapping.intended_at, mapping.marked = MappingState.LINKED, None, True
    mapping.linked_at = mapping.synced_at = work.now
    adapter = work.adapter(mapping.adapter)
    return Step(action=Action.CREATE, adapter=adapter, mapping=mapping, object_id=mapping.object_id, item=item)


def _create_again(
    work: Work, report: Report, cursors: Cursors, mappings: list[RecordMapping], *, repeated: bool
) -> None:
    """Send creations again that certainly, or as far as can be seen, did not happen."""
    for adapter in work.adapters:
        own = [row for row in mappings if row.adapter == adapter.name]
        if not own:
            continue
        objects = adapter.by_ids([row.object_id for row in own], work.ctx)
        inside = scope_ids(work, adapter, [row.object_id for row in own])
        steps = []
        for mapping in own:
            obj = objects.get(mapping.object_id)
            step = Step(action=Action.CREATE, adapter=adapter, mapping=mapping, object_id=mapping.object_id, obj=obj)
            if obj is None or mapping.object_id not in inside:  # gone meanwhile, or no longer sent out (CON-02)
                if not repeated:
                    mapping.delete()
                    continue
                mapping.intended_at = None
                save_mappings([mapping])
                continue
            if not work.policy.may_write(Side.MICROSOFT) or build_pair(work, step) is None:
                continue
            step.folder_to_microsoft = crm_folder(work, step)
            step.note(Action.CREATE, Side.MICROSOFT, tuple(step.crm.set_fields()) if step.crm else ())
            steps.append(step)
        steps = work.how.add_to_creations(work, steps)
        apply_microsoft.write(work, report, cursors, steps, repeated=repeated)


def reopen_decided(work: Work) -> None:
    """Contacts whose unclear match a person has decided go through the inbox again, with the decision. What a guard was
    told to let go holds until this cycle is through, whether it is needed or not."""
    for decision in HeldDecision.objects.filter(
        link=work.link, kind=work.kind, reason__in=REASONS, state=HeldDecision.State.CONFIRMED
    ):
        work.decided.add(decision.pk)
        if decision.reason != HeldDecision.Reason.AMBIGUOUS:
            continue
        graph_id = str(decrypt(decision.details)["graph_id"]) if decision.details else ""
        work.choices[graph_id] = decision.choice or "new"
        answers = work.store.get([graph_id])
        item = answers.get(graph_id)
        if isinstance(item, ITEMS):
            inbox.stage(work, [item], {})


def look_again_at_unclear(work: Work) -> None:
    """Unclear matches that wait for a person go through the inbox once more when something about them has changed: one
    of the CRM's records that they match, or anything in the mailbox, such as the other one of two. Where none waits
    that is one query.
    """
    rows = HeldDecision.objects.filter(
        link=work.link,
        kind=work.kind,
        reason=HeldDecision.Reason.AMBIGUOUS,
        state=HeldDecision.State.OPEN,
        details__isnull=False,
    ).order_by("pk")[:MOST_UNCLEAR]
    waiting = {}
    for row in rows if not work.preview else ():
        details = decrypt(row.details or b"")
        waiting[str(details["graph_id"])] = {(name, object_id) for name, object_id in details["candidates"]}
    if not waiting:
        return
    changed = _changed_since_last_time(work, set().union(*waiting.values()))
    wanted = [key for key, refs in waiting.items() if work.counts.pulled or refs & changed]
    answers = work.store.get(wanted) if wanted else {}
    known = set(work.mappings().filter(graph_id__in=wanted).values_list("graph_id", flat=True))
    inbox.stage(work, [item for key, item in answers.items() if isinstance(item, ITEMS) and key not in known], {})


def _changed_since_last_time(work: Work, refs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the CRM's records that are gone, or changed since the last whole cycle."""
    since = watermark(work)
    if since is None:
        return refs
    found: set[tuple[str, str]] = set()
    for adapter in work.adapters:
        ids = {object_id for name, object_id in refs if name == adapter.name}
        if not ids:
            continue
        present = adapter.existing(work.ctx).annotate(ms365_id=adapter.id_text()).filter(ms365_id__in=ids)
        changed = ids - set(present.order_by().values_list("ms365_id", flat=True))
        changed |= set(
            CrmTouch.objects.filter(
                adapter=adapter.name, object_id__in=ids, at__gte=since - OVERLAP
            ).values_list("object_id", flat=True)
        )
        modified = adapter.modified_since(present, since - OVERLAP)
        if modified is not None:
            changed |= set(modified.order_by().values_list("ms365_id", flat=True))
        found |= {(adapter.name, object_id) for object_id in changed}
    return found


def retry_held(work: Work) -> None:
    """Contacts that the CRM did not take are tried again when their time has come (SYNC-03)."""
    InboxItem.objects.filter(
        link=work.link,
        kind=work.kind,
        preview="",
        state="held",
        reason="failed",
        next_try_at__lte=work.now,
    ).update(state="waiting")
