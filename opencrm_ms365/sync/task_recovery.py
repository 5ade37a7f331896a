"""Before tasks are compared: creations whose answer was lost (I-1).

Planner takes no key of ours, so a lost task is looked for by who made it, title, list and time (facts 9.3). A new task
may not be in the list for a moment: it is looked for again before it is made again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from ..graph.planner import CLOCK_SKEW
from ..graph.planner_items import TaskItem
from ..models import MappingState, RecordMapping
from ..reconcile.plan import Action
from ..reconcile.planner_words import said_by_crm
from .apply_crm import save_mappings
from .steps import Step
from .task_desk import Desk
from .task_kind import TaskWork
from .task_reading import Planned
from .task_steps import leaving_step

LOOKS = 3
PAUSE_S = 1.0


def recover_tasks(
    work: TaskWork, desk: Desk, planned: Planned, sleep: Callable[[float], None] = time.sleep
) -> list[Step]:
    """Adopt what was created. Returns the steps of what was not, to be sent again."""
    rows = list(work.mappings().filter(state=MappingState.INTENDED, folder__in=work.plans.ids).order_by("pk"))
    steps = {row.pk: step for row in rows if (step := _step(work, row)) is not None}
    lost = [row for row in rows if row.intended_at is not None]
    for look in range(LOOKS):
        lost = _adopt(work, desk, planned, lost, steps)
        if not lost:
            break
        if look < LOOKS - 1:
            sleep(PAUSE_S)
            for listing in work.store.listings({row.folder for row in lost}).values():
                planned.items |= getattr(listing, "by_id", dict)()
            work.check_lease()
    open_rows = [row for row in rows if row.state == MappingState.INTENDED]
    for row in open_rows:
        if row.pk not in steps:
            row.delete()  # it was never made, and the CRM's task is gone
    waiting = [row for row in open_rows if row.next_try_at is None or row.next_try_at <= work.now]
    found = [leaving_step(work, desk, steps[row.pk]) for row in waiting if row.pk in steps]
    return [step for step in found if step is not None and step.action is not Action.SKIP]


def _step(work: TaskWork, row: RecordMapping) -> Step | None:
    adapter = work.adapter(row.adapter)
    obj = adapter.by_ids([row.object_id], work.ctx).get(row.object_id) if adapter is not None else None
    if adapter is None or obj is None:
        return None
    return Step(action=Action.CREATE, adapter=adapter, mapping=row, object_id=row.object_id, obj=obj,
                crm=adapter.read(obj, work.ctx))


def _adopt(
    work: TaskWork, desk: Desk, planned: Planned, lost: list[RecordMapping], steps: dict[int, Step]
) -> list[RecordMapping]:
    known = set(work.mappings().filter(graph_id__in=list(planned.items)).values_list("graph_id", flat=True))
    adopted = []
    for row in lost:
        step = steps.get(row.pk)
        found = [item for item in planned.items.values()
                 if item.graph_id not in known and _is_it(desk, row, step, item)]
        if found:
            first = min(found, key=lambda item: (item.created_at or work.now, item.graph_id))
            row.graph_id, row.state, row.folder = first.graph_id, MappingState.LINKED, first.plan_id
            row.intended_at, row.linked_at = None, work.now
            known.add(first.graph_id)
            adopted.append(row)
    save_mappings(adopted)
    return [row for row in lost if row.state == MappingState.INTENDED]


def _is_it(desk: Desk, row: RecordMapping, step: Step | None, item: TaskItem) -> bool:
    sent_at = row.intended_at
    if sent_at is None or item.created_at is None or item.created_at < sent_at - CLOCK_SKEW:
        return False
    if step is None or step.crm is None or item.created_by != row.marker or item.plan_id != row.folder:
        return False
    terms = desk.terms(None)
    return bool(item.data.subject == said_by_crm("subject", step.crm.subject, terms)
                and item.data.task_list == step.crm.task_list)
