"""The limits of Planner (facts 9.4): each has a code of its own, answered with 403, and a switch with its number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .planner_items import Item
from .planner_open_types import limit_exceeded
from .planner_rules import DONE

if TYPE_CHECKING:
    from .planner_groups import Group
    from .planner_store import Planner


def check_plan(planner: Planner, group: Group, maker_id: str) -> None:
    """One more plan of that group, shared with its maker. Raises `Refusal` (403)."""
    options = planner.world.options
    if len(planner.plans_of(group)) >= options.planner_max_plans:
        raise limit_exceeded(options.planner_max_plans_code)
    if len(planner.shared_with(maker_id)) >= options.planner_max_shared_plans:
        raise limit_exceeded("MaximumProjectsSharedWithUser")


def check_sharing(planner: Planner, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """A plan's details before and after: people may have come. Raises `Refusal` (403)."""
    for account_id in new["sharedWith"]:
        if account_id not in old["sharedWith"] and \
                len(planner.shared_with(account_id)) >= planner.world.options.planner_max_shared_plans:
            raise limit_exceeded("MaximumProjectsSharedWithUser")


def check_bucket(planner: Planner, plan: Item) -> None:
    """One more bucket in that plan. Raises `Refusal` (403)."""
    if len(planner.buckets_of(plan)) >= planner.world.options.planner_max_buckets:
        raise limit_exceeded("MaximumBucketsInProject")


def check_task(planner: Planner, plan: Item, old: Mapping[str, Any], new: Mapping[str, Any],
               maker_id: str | None) -> None:
    """A task before and after. `maker_id`: None when it stays in its plan, "" when it only comes into this one.

    Raises `Refusal` (403).
    """
    options = planner.world.options
    tasks = planner.tasks_of(plan)
    is_active = new["percentComplete"] != DONE
    comes = maker_id is not None
    if comes and len(tasks) >= options.planner_max_tasks:
        raise limit_exceeded("MaximumTasksInProject")
    if is_active and (comes or old["percentComplete"] == DONE):
        active = sum(task.values["percentComplete"] != DONE for task in tasks)
        if active >= options.planner_max_active_tasks:
            raise limit_exceeded("MaximumActiveTasksInProject")
    if maker_id and planner.created_by(maker_id) >= options.planner_max_created_tasks:
        raise limit_exceeded("MaximumTasksCreatedByUser")
    for account_id in new["assignments"]:
        if account_id not in old["assignments"] and \
                len(planner.assigned_to(account_id)) >= options.planner_max_assigned_tasks:
            raise limit_exceeded("MaximumTasksAssignedToUser")
