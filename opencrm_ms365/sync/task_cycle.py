"""One cycle of tasks: the plans that are this link's to read, compared with the CRM (TASK).

    take the plans      whichever link comes first, for all (TASK-11)
    list them           one request for twenty plans: etags tell what moved (TASK-05)
    compare             linked tasks that moved on either side, and what is new in Planner
    send                what is new in the CRM
    let go              what is gone on one side

The plan comes in chunks, each carried out before the next one is made; a preview makes the same plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from ..conf import settings
from ..errors import GraphError
from ..graph.planner_items import TaskItem
from ..models import CrmTouch, MappingState, RecordMapping
from ..reconcile.decide import Delete, Forget, gone_in_crm
from ..reconcile.plan import Action
from ..reconcile.planner_scope import Absence, absence, gone_in_planner
from ..reconcile.policy import Side
from . import apply_crm, held
from .deletions import missing_in_crm, settle
from .folders import Cursors
from .merging import build_pair
from .outgoing import OVERLAP
from .plans import refresh_lists, take_plans
from .report import Report
from .steps import Step
from .task_desk import Desk
from .task_kind import TaskWork
from .task_reading import Planned, read_plans, with_what_is_known
from .task_recovery import recover_tasks
from .task_steps import arriving_steps, leaving_step, linked_steps
from .task_writing import send
from .work import chunks


def sync_tasks(work: TaskWork, report: Report, *, full: bool) -> None:
    """The cycle as a story. Raises what stops the whole link."""
    started = timezone.now()
    refresh_lists(work, now=full)
    work.plans = take_plans(work)
    link_lease, work.lease = work.lease, work.plans  # type: ignore[assignment]  # plans keep the leases of tasks
    try:
        if not work.plans.plans or _crm_has_vanished(work, report):
            return
        work.full = full or any(_is_full_pass_due(work, plan.full_at) for plan in work.plans.plans)
        planned = read_plans(work, report)
        desk = Desk(work)
        _apply(work, report, desk, planned, recover_tasks(work, desk, planned))
        for steps in plan_tasks(work, report, desk, planned):
            _apply(work, report, desk, planned, steps)
        work.plans.done(work.link, started, full=work.full)
        if planned.trouble is not None:
            raise planned.trouble
    finally:
        work.plans.drop(work.plans.ids)
        work.lease = link_lease


def preview_tasks(work: TaskWork, report: Report) -> Iterator[list[Step]]:
    """What a cycle would do, as far as it can be said before anything is done. Reserves no plan, writes nothing."""
    refresh_lists(work)
    work.plans = take_plans(work)
    yield from plan_tasks(work, report, Desk(work), read_plans(work, report))


def plan_tasks(work: TaskWork, report: Report, desk: Desk, planned: Planned) -> Iterator[list[Step]]:
    """Chunks of steps: what a cycle does, and a preview shows."""
    gone = _gone(work, planned)
    yield from _compared(work, desk, planned)
    for adapter in work.adapters:
        yield from _leaving(work, desk, adapter)
    yield from _deletions(work, report, desk, planned, gone)


def _apply(work: TaskWork, report: Report, desk: Desk, planned: Planned, steps: list[Step]) -> None:
    cursors = Cursors.of(work.link, work.kind)
    for start in range(0, len(steps), 50):
        part = [step for step in steps[start : start + 50] if step.action is not Action.SKIP]
        sending = apply_crm.write(work, report, cursors, part)
        stale = send(work, report, desk, sending, planned.items)
        if stale:  # changed meanwhile: read again, decide again, once
            again = _read_again(work, desk, planned, stale)
            send(work, report, desk, apply_crm.write(work, report, cursors, again), planned.items)
    work.progress("writing", len(steps))
    work.check_time()


def _read_again(work: TaskWork, desk: Desk, planned: Planned, keys: set[int]) -> list[Step]:
    rows = list(work.mappings().filter(pk__in=keys))
    found = work.store.get([row.graph_id for row in rows])
    planned.items.update({key: item for key, item in found.items() if isinstance(item, TaskItem)})
    items = [planned.items[row.graph_id] for row in rows if isinstance(found.get(row.graph_id), TaskItem)]
    by_id = {row.graph_id: row for row in rows}
    return linked_steps(work, desk, rows, with_what_is_known(work, desk, items, by_id))


def _is_full_pass_due(work: TaskWork, last: datetime | None) -> bool:
    return last is None or work.now - last >= timedelta(hours=settings.FULL_PASS_HOURS)


def _crm_has_vanished(work: TaskWork, report: Report) -> bool:
    missing = linked = 0
    for adapter in work.adapters:
        gone, known = missing_in_crm(work, adapter)
        missing, linked = missing + gone, linked + known
    return held.vanished_stops(work, report, missing, linked)


# --- what is on both sides, or new in Planner


def _compared(work: TaskWork, desk: Desk, planned: Planned) -> Iterator[list[Step]]:
    edited = _edited(work)
    for items in chunks(iter(list(planned.items.values())), work.chunk):
        rows = list(work.mappings().filter(graph_id__in=[item.graph_id for item in items]))
        known = {row.graph_id: row for row in rows}
        linked = [row for row in rows if row.state == MappingState.LINKED and _is_looked_at(work, row, planned, edited)]
        new = [step.item for step in arriving_steps(work, desk, [
            item for item in items if item.graph_id not in known])]
        wanted = [planned.items[row.graph_id] for row in linked] + [item for item in new if item is not None]
        read = with_what_is_known(work, desk, wanted, known)
        work.counts.pulled += len(new) + sum(row.etag != planned.items[row.graph_id].etag for row in linked)
        steps = linked_steps(work, desk, linked, read)
        steps += arriving_steps(work, desk, [read[item.graph_id] for item in new if item is not None])
        if steps:
            yield steps


def _is_looked_at(work: TaskWork, row: RecordMapping, planned: Planned, edited: set[int] | None) -> bool:
    if row.etag != planned.items[row.graph_id or ""].etag or edited is None or row.pk in edited:
        return True
    return row.details_at is not None and work.now - row.details_at >= timedelta(days=1)


def _edited(work: TaskWork) -> set[int] | None:
    """The mappings whose CRM record may have changed since these plans were last read; None: look at all."""
    marks = [plan.watermark for plan in work.plans.plans]
    if work.full or not marks or None in marks:
        return None
    since = min(mark for mark in marks if mark is not None) - OVERLAP
    found: set[int] = set()
    for adapter in work.adapters:
        rows = work.mappings().filter(adapter=adapter.name, state=MappingState.LINKED, folder__in=work.plans.ids)
        touched = CrmTouch.objects.filter(adapter=adapter.name, at__gte=since).values("object_id")
        news = Q(object_id__in=touched) | Q(next_try_at__lte=work.now) | Q(pending__isnull=False)
        stamped = adapter.modified_since(adapter.existing(work.ctx), since)
        if stamped is None:
            found |= set(rows.values_list("pk", flat=True))
            continue
        news |= Q(object_id__in=stamped.annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id"))
        found |= set(rows.filter(news).values_list("pk", flat=True))
    return found


# --- what is new in the CRM


def _leaving(work: TaskWork, desk: Desk, adapter: Any) -> Iterator[list[Step]]:
    """The CRM's tasks that no mapping knows, by one anti-join; whether they go out is for the rules to say."""
    mapped = work.mappings().filter(adapter=adapter.name).values("object_id")
    rows = adapter.existing(work.ctx).annotate(ms365_id=adapter.id_text()).exclude(ms365_id__in=mapped).order_by("pk")
    last: Any = None
    while True:
        part = rows if last is None else rows.filter(pk__gt=last)
        ids = list(part.values_list("pk", "ms365_id")[: work.chunk])
        if not ids:
            return
        last = ids[-1][0]
        objects = adapter.by_ids([object_id for _pk, object_id in ids], work.ctx)
        found = [leaving_step(work, desk, Step(action=Action.CREATE, adapter=adapter, object_id=key, obj=obj))
                 for key, obj in objects.items()]
        steps = [step for step in found if step is not None and step.action is not Action.SKIP]
        if steps:
            yield steps


# --- what is gone


def _gone(work: TaskWork, planned: Planned) -> list[RecordMapping]:
    """Linked tasks that their plan's complete listing does not hold: deleted there, or moved to another plan."""
    rows = work.mappings().filter(folder__in=work.plans.ids, state=MappingState.LINKED)
    return [row for row in rows if row.graph_id not in planned.items]


def _deletions(
    work: TaskWork, report: Report, desk: Desk, planned: Planned, missing: list[RecordMapping]
) -> Iterator[list[Step]]:
    answers = work.store.get([row.graph_id for row in missing]) if missing else {}
    steps: list[Step] = []
    moved: list[RecordMapping] = []
    for row in missing:
        answer = answers.get(row.graph_id or "")
        status = answer.status if isinstance(answer, GraphError) else None
        what = absence(listed=True, found=isinstance(answer, TaskItem), status=status)
        if isinstance(answer, TaskItem):
            planned.items[answer.graph_id] = answer
            moved.append(row)
        elif what is Absence.DELETED:
            steps += _gone_in_planner(work, desk, row)
    if moved:
        items = [planned.items[row.graph_id or ""] for row in moved]
        known = {row.graph_id or "": row for row in moved}
        yield linked_steps(work, desk, moved, with_what_is_known(work, desk, items, known))
    steps += _gone_in_crm(work, {row.pk for row in missing})
    yield from _guarded(work, report, steps)


def _gone_in_planner(work: TaskWork, desk: Desk, row: RecordMapping) -> list[Step]:
    adapter = work.adapter(row.adapter)
    if adapter is None:
        return []
    obj = adapter.by_ids([row.object_id], work.ctx).get(row.object_id)
    step = Step(action=Action.DELETE, adapter=adapter, mapping=row, object_id=row.object_id, obj=obj)
    if obj is None:
        step.decision = Forget("deleted on both sides")
        settle(step)
        return [step]
    pair = build_pair(work, step)
    step.people = desk.people(step, (), row)
    policy = desk.policy(step.people.owner)
    if policy is None:
        return []
    step.decision = gone_in_planner(
        pair, step.people, policy, work.digest,
        recoverable=adapter.recoverable and adapter.can_delete(obj, work.ctx))
    settle(step)
    return [step]


def _gone_in_crm(work: TaskWork, done: set[int]) -> list[Step]:
    """One anti-join: every kind of deletion is seen (DEL-01, TASK-12)."""
    steps = []
    for adapter in work.adapters:
        existing = adapter.existing(work.ctx).annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id")
        rows = work.mappings().filter(adapter=adapter.name, folder__in=work.plans.ids)
        rows = rows.exclude(state=MappingState.INTENDED).exclude(object_id__in=existing).exclude(pk__in=done)
        for row in rows.order_by("pk"):
            step = Step(action=Action.DELETE, adapter=adapter, mapping=row, object_id=row.object_id)
            linked = row.state == MappingState.LINKED
            step.decision = gone_in_crm(work.policy) if linked else Forget("deleted in the CRM, and not synced")
            settle(step)
            steps.append(step)
    return steps


def _guarded(work: TaskWork, report: Report, steps: list[Step]) -> Iterator[list[Step]]:
    """All deletions are counted before the first one is made (ORG-13)."""
    linked = work.mappings().filter(state=MappingState.LINKED).count()
    stopped = set()
    for side in (Side.MICROSOFT, Side.CRM):
        count = sum(isinstance(step.decision, Delete) and step.decision.side is side for step in steps)
        if held.guard_stops(work, report, side, count, linked):
            stopped.add(side)
    kept = [step for step in steps if not (isinstance(step.decision, Delete) and step.decision.side in stopped)]
    yield from chunks(iter(kept), work.chunk)
