"""From a task on both sides to a decided step: asks the pure rules, and notes what they mean (TASK-03 to TASK-10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..graph.planner_items import TaskItem
from ..models import RecordMapping
from ..reconcile.decide import Delete, Let, Release, Update
from ..reconcile.plan import Action
from ..reconcile.planner import TaskMerge, decide_task, needs_details
from ..reconcile.planner_people import People
from ..reconcile.planner_scope import Arrives, Leaves, comes_in, goes_out, is_frozen
from ..reconcile.policy import Side
from .deletions import settle
from .merging import build_pair, policy_for
from .steps import Step
from .task_desk import Desk
from .task_kind import TaskWork
from .task_reading import read_details

ARRIVED = ("subject", "body", "start", "status", "priority", "task_list", "checklist")


def linked_steps(
    work: TaskWork, desk: Desk, mappings: Sequence[RecordMapping], items: Mapping[str, TaskItem]
) -> list[Step]:
    """Steps for linked tasks of which `items` holds Planner's side, in the CRM's words."""
    steps = []
    for adapter in work.adapters:
        own = [row for row in mappings if row.adapter == adapter.name]
        objects = adapter.by_ids([row.object_id for row in own], work.ctx) if own else {}
        steps += [Step(action=Action.UPDATE, adapter=adapter, mapping=row, object_id=row.object_id,
                       obj=objects[row.object_id], item=items[row.graph_id or ""]) for row in own
                  if row.object_id in objects and row.graph_id in items]
    for step in steps:
        _prepare(work, desk, step)
    unread = [step for step in steps if step.pair is not None and needs_details(step.pair, step.people, work.digest)]
    details = read_details(work, [step.item for step in unread if step.item is not None])
    for step in unread:
        step.item = details.get(step.graph_id, step.item)
        _prepare(work, desk, step)
    return [step for step in steps if _decide(work, desk, step)]


def _prepare(work: TaskWork, desk: Desk, step: Step) -> None:
    assert step.item is not None
    step.pair = build_pair(work, step)
    step.people = desk.people(step, step.item.assignees, step.mapping)


def _decide(work: TaskWork, desk: Desk, step: Step) -> bool:
    """Whether anything follows from it, if only for our own notes."""
    if step.pair is None:
        step.action = Action.SKIP
        return True
    assert step.item is not None and step.mapping is not None
    policy = desk.policy(step.people.owner)
    if policy is None:
        return False
    step.policy = policy.but(crm_refuses=policy_for(work, step).crm_refuses)
    if desk.brought_by(step.item.data.task_list) is None:
        step.decision = Let(Release.MOVED_AWAY)
        settle(step)
        return True
    terms = desk.terms(step.people.owner)
    frozen = is_frozen(step.pair.crm, step.item.data, desk.window, terms)  # type: ignore[arg-type]  # a pair of tasks
    step.decision = decide_task(step.pair, step.people, terms, step.policy, work.digest, is_frozen=frozen)
    if isinstance(step.decision, Delete):
        settle(step)
        return True
    merge = step.decision.merge if isinstance(step.decision, Update) else TaskMerge()
    assert isinstance(merge, TaskMerge)
    _note_people(desk, step, merge)
    if merge.to_crm or step.users is not None:
        step.note(Action.UPDATE, Side.CRM, (*merge.to_crm, *(("users",) if step.users is not None else ())))
    if merge.sends:
        people = bool(merge.people.assign or merge.people.unassign)
        step.note(Action.UPDATE, Side.MICROSOFT, (*merge.to_microsoft, *(("users",) if people else ())))
    return True


def _note_people(desk: Desk, step: Step, merge: TaskMerge) -> None:
    asked, people = merge.people, step.people
    if asked.add_users or asked.remove_users:
        current = step.adapter.users_of(step.obj, desk.work.ctx)
        kept = [user for user in current if str(user.pk) not in asked.remove_users]
        step.users = (*kept, *(desk.user(key) for key in asked.add_users if key != people.owner))


def arriving_steps(work: TaskWork, desk: Desk, items: Iterable[TaskItem]) -> list[Step]:
    """Steps for tasks that no mapping knows, and that come in (TASK-10)."""
    steps = []
    for item in items:
        arrives = _arrival(work, desk, item)
        if arrives is not None and work.creator is not None:
            step = Step(action=Action.CREATE, adapter=work.creator, item=item, task=arrives,
                        users=tuple(desk.user(key) for key in (arrives.owner, *arrives.users)))
            step.people = People(owner=arrives.owner, users=frozenset(arrives.users), assignees=item.assignees,
                                 accounts=desk.accounts)
            step.note(Action.CREATE, Side.CRM, ARRIVED)
            steps.append(step)
    return steps


def _arrival(work: TaskWork, desk: Desk, item: TaskItem) -> Arrives | None:
    reader = desk.brought_by(str(item.data.task_list))
    if reader is None:
        return None
    policy = desk.policy(reader)
    terms = desk.terms(reader)
    if policy is None:
        return None
    found = comes_in(item, reader=reader, accounts=desk.accounts, chosen=None, window=desk.window, terms=terms,
                     policy=policy)
    return found if isinstance(found, Arrives) else None


def leaving_step(work: TaskWork, desk: Desk, step: Step) -> Step | None:
    """A step for a task of the CRM's that is not in Planner; None for one that stays (TASK-02)."""
    if build_pair(work, step) is None:
        step.action = Action.SKIP
        return step
    step.people = desk.people(step, ())
    policy = desk.policy(step.people.owner)
    if policy is None:
        return None
    found = goes_out(step.crm, step.people, reachable=desk.reachable, chosen=None, window=desk.window,
                     terms=desk.terms(step.people.owner), policy=policy,
                     is_private=step.adapter.is_private(step.obj, work.ctx))
    if not isinstance(found, Leaves) or desk.brought_by(found.list_key) is None:
        return None
    step.task, step.policy = found, policy
    step.note(Action.CREATE, Side.MICROSOFT, tuple(found.values))
    return step

