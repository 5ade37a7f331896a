"""Stories with tasks: the CRM's adapter for them, a group with a plan in Planner, and tasks on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Q

from demo_crm.crm.models import Activity
from opencrm_ms365 import adapters as ms
from opencrm_ms365.sync import hints


class TaskAdapter(ms.TaskAdapter):
    base_filter = Q(kind="task")
    fields = dict(  # noqa: C408 - reads like a table
        subject="subject", body="notes", start="start", priority="priority", task_list="task_list", private="private",
        status=ms.Choice("status", {
            "not_started": ms.NOT_STARTED, "in_progress": ms.IN_PROGRESS, "waiting": ms.IN_PROGRESS,
            "on_hold": ms.ON_HOLD, "done": ms.DONE, "cancelled": ms.CANCELLED}),
    )
    owner = ms.Users("assigned_to")
    users = ms.Users("users")
    soft_delete = Q(deleted_at__isnull=False)
    modified_field = "updated_at"

    def create_defaults(self, data: Any, ctx: Any) -> dict[str, Any]:
        return {"kind": "task"}


@contextmanager
def adapter() -> Iterator[None]:
    """The demo CRM with an adapter for its tasks."""
    made = ms.site.register(TaskAdapter, Activity, name="tasks")
    hints.connect_adapter(made)
    try:
        yield
    finally:
        hints.disconnect_adapter(made)
        ms.site.unregister("tasks")


class Board:
    """A group of these people with one plan, in which are the buckets *To do* and *Later*."""

    def __init__(self, world: Any, *people: str) -> None:
        self.world = world
        self.planner = world.planner(people[0])
        self.group = self.planner.add_group("Joinery", members=[world.account(name).upn for name in people[1:]])
        self.plan = self.planner.add_plan(self.group, "Workshop")
        self.todo = self.planner.add_bucket(self.plan, "To do")
        self.later = self.planner.add_bucket(self.plan, "Later")

    def key(self, bucket: Any = None) -> str:
        """The key of a list, as the CRM's tasks hold it."""
        return f"planner:{self.plan['id']}/{(bucket or self.todo)['id']}"

    def add(self, title: str, **values: Any) -> Any:
        """A task in *To do*."""
        return self.planner.add_task(self.plan, self.todo, title=title, **values)

    def tasks(self) -> list[Any]:
        return self.planner.tasks(self.plan)


def crm_task(world: Any, *, owner: str = "ada", users: tuple[str, ...] = (), **values: Any) -> Any:
    """A task of the CRM's, assigned to `owner`."""
    made = Activity.objects.create(kind="task", assigned_to=world.user(owner), **{"subject": "Order oak", **values})
    made.users.set([world.user(name) for name in users])
    return made


def crm_tasks() -> Any:
    return Activity.objects.filter(kind="task", deleted_at=None).order_by("pk")
