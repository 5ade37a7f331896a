"""What Planner holds now of the plans that are this link's to read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..errors import AccessLost, GraphError
from ..graph.planner_items import TaskItem
from ..models import PlanCursor, RecordMapping
from ..reconcile.planner_scope import LastReading, details_to_read, without_details
from ..reconcile.planner_words import in_crm_words
from .report import Report
from .task_desk import Desk
from .task_kind import TaskWork


@dataclass
class Planned:
    """The tasks of the plans that could be listed to the end, by id, without their details. `trouble` is the first
    error that is no plan's own; it is raised when the other plans are done."""

    items: dict[str, TaskItem] = field(default_factory=dict)
    trouble: GraphError | None = None


def read_plans(work: TaskWork, report: Report) -> Planned:
    """List the plans. One that the account cannot read is left to another link, and says nothing of its tasks."""
    planned = Planned()
    for plan_id, listing in work.store.listings(work.plans.ids).items():
        if isinstance(listing, AccessLost):
            _lost(work, report, plan_id)
        elif isinstance(listing, GraphError):
            planned.trouble = planned.trouble or listing
            work.plans.drop([plan_id])
        else:
            planned.items |= listing.by_id()
            for broken in listing.broken:
                report.problem(code="unreadable", graph_id=broken.graph_id,
                               reason=f"Microsoft sent a task that cannot be read: {broken.reason}")
    return planned


def _lost(work: TaskWork, report: Report, plan_id: str) -> None:
    """The plan is closed to this account: another link may read it at once. No task is touched (facts 9.4)."""
    if not work.preview:
        work.link.reachable_lists.through.objects.filter(
            userlink=work.link, tasklist__plan_id=plan_id).delete()
    row = PlanCursor.objects.filter(tenant=work.link.tenant, plan_id=plan_id).first()
    since = row.lost_since if row is not None and row.lost_since else work.now
    work.plans.drop([plan_id], reader=None, due_at=None, lost_since=since)
    report.problem(
        code="plan_lost", detail=plan_id, warning=True,
        reason="A plan in Planner can no longer be read with this account. Its tasks stay in the CRM as they are.")


def with_what_is_known(
    work: TaskWork, desk: Desk, items: Iterable[TaskItem], mappings: Mapping[str, RecordMapping]
) -> dict[str, TaskItem]:
    """The same tasks, in the CRM's words, with those details that this cycle has to know (TASK-09)."""
    items = list(items)
    mapped = {name for adapter in work.adapters for name in adapter.mapped}
    last = {key: LastReading(row.etag, row.details_at) for key, row in mappings.items()}
    terms = desk.terms(desk.own_key)
    starts = {key: row.starts_at.astimezone(terms.zone).date() if row.starts_at else None
              for key, row in mappings.items()}
    wanted = set(details_to_read(items, last, mapped, terms, starts))
    detailed = read_details(work, [item for item in items if item.graph_id in wanted])
    return {item.graph_id: detailed.get(item.graph_id) or dataclasses.replace(
        item, data=in_crm_words(without_details(item, terms, starts))) for item in items}


def read_details(work: TaskWork, items: Iterable[TaskItem]) -> dict[str, TaskItem]:
    """Tasks in the CRM's words with their details. One whose details do not come keeps without them."""
    found = work.store.details(items)
    return {key: dataclasses.replace(item, data=in_crm_words(item.data))
            for key, item in found.items() if isinstance(item, TaskItem)}
