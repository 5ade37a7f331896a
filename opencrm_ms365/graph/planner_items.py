"""What reading Planner yields: plans, buckets, tasks, listings; and what writing takes and gives back.

Where a value can hold contents of a record, its `repr` shows nothing of it (I-5).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..errors import GraphError
from ..records.task import TaskData
from .items import BrokenItem
from .wire.task import CheckItem, assignees, checklist, to_record, user_id
from .wire.values import Unreadable, instant, text


@dataclass(frozen=True, slots=True)
class PlanInfo:
    """A plan. `container_id` is the group (or roster) it belongs to, `""` where Microsoft names none."""

    id: str
    title: str = field(repr=False)
    container_id: str
    group_name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class BucketInfo:
    """A bucket of a plan. Buckets are shown in the order of `hint`."""

    id: str
    plan_id: str
    name: str = field(repr=False)
    hint: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Unreached:
    """A group or plan that could not be read. `what` is its id; `reason` is a sentence for people."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reach:
    """The plans that an account can read, by title, and what was passed over."""

    plans: tuple[PlanInfo, ...]
    skipped: tuple[Unreached, ...] = ()


@dataclass(frozen=True, slots=True)
class Lists:
    """The task lists that an account can reach (TASK-01).

    names    what to offer: the list's key to `plan / bucket`, in the order of plans and buckets.
    keys     all keys in which tasks can be: those, and of each plan the tasks that are in no bucket.
    skipped  what was passed over.
    """

    names: Mapping[str, str] = field(repr=False)
    keys: frozenset[str]
    skipped: tuple[Unreached, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskItem:
    """A task as Planner holds it.

    data             `body` and `checklist` are UNSET as long as the details were not read; `due` and `start` are
                     Planner's own, `task_list` is made of plan and bucket.
    bucket_id        `""`: in no bucket.
    details_etag     the version of the details, another one than `etag`; `""`: not read.
    created_by       the directory id of the creator; `""` when it was no user.
    completed_at     when it was completed (UTC); None: it is not.
    assignees        the directory ids of those it is assigned to, whoever was first assigned first.
    has_description  None where Microsoft does not say; so with `checklist_count` and `unchecked_count`.
    lines            the lines of the checklist as they are; needed to change them.
    """

    graph_id: str
    plan_id: str
    bucket_id: str
    etag: str
    data: TaskData
    details_etag: str = ""
    created_by: str = ""
    created_at: datetime | None = None
    completed_at: datetime | None = None
    assignees: tuple[str, ...] = ()
    has_description: bool | None = None
    checklist_count: int | None = None
    unchecked_count: int | None = None
    lines: tuple[CheckItem, ...] = field(default=(), repr=False, compare=False)

    @property
    def folder(self) -> str:
        """The plan: what a folder is to a contact."""
        return self.plan_id

    @property
    def changed_at(self) -> datetime | None:
        """Planner does not tell when a task was changed (facts 9.2)."""
        return None

    @property
    def has_details(self) -> bool:
        """Whether the details were read."""
        return bool(self.details_etag)


@dataclass(frozen=True, slots=True)
class TaskListing:
    """All tasks of a plan: it exists only when every page was read, so what is missing in it is not in the plan.

    A task that is not in it was deleted, or moved to another plan: ask for it by id before anything is concluded.
    """

    plan_id: str
    items: tuple[TaskItem, ...]
    broken: tuple[BrokenItem, ...] = ()

    def by_id(self) -> dict[str, TaskItem]:
        """The tasks by their ids."""
        return {item.graph_id: item for item in self.items}


@dataclass(frozen=True, slots=True)
class TaskWrite:
    """One change to send.

    key        the caller's name for it; the result comes under it.
    values     of TaskData's fields `subject`, `due`, `percent`, `priority`, `task_list`, `body`, `checklist` those that
               change; None and `()` erase. A creation needs `task_list`, or `plan_id` and `bucket_id`.
    current    the task as it was read, when it was: its etags, lines and dates are used.
    etag       of the task; `current`'s when empty. Without either the task is read first.
    assign     directory ids of people to assign; `unassign` of those to release. Nobody else is touched.
    copied     further members of a creation, as Planner's JSON, and `copied_details` of its details (`Planner.copy`).
    """

    key: str
    action: Literal["create", "update", "delete"]
    plan_id: str = ""
    bucket_id: str = ""
    graph_id: str = ""
    etag: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    current: TaskItem | None = None
    assign: tuple[str, ...] = ()
    unassign: tuple[str, ...] = ()
    copied: Mapping[str, Any] = field(default_factory=dict, repr=False)
    copied_details: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Partial:
    """A write of which a part was carried out. `item` is the task as it is now, with the part that was.

    `refused` maps what is not there to why: a field's name, `assignees`, or `details` of a copy. `Stale` there means
    that it was changed meanwhile: read it and decide again.
    """

    item: TaskItem
    refused: Mapping[str, GraphError]


#: The outcome of a write: the task as it is now, or a part of it; None for a deletion.
Written = TaskItem | Partial | GraphError | None


def read_task(item: object, details: object = None) -> TaskItem | BrokenItem:
    """One task of a listing or an answer; with its details, if they are given."""
    graph_id = item.get("id") if isinstance(item, Mapping) else None
    if not isinstance(item, Mapping) or not isinstance(graph_id, str) or not graph_id:
        return BrokenItem("", "Microsoft sent a task without an id.")
    try:
        plan_id = text(item, "planId")
        if not plan_id:
            raise Unreadable("planId")
        found = TaskItem(
            graph_id=graph_id,
            plan_id=plan_id,
            bucket_id=text(item, "bucketId") or "",
            etag=etag_of(item),
            data=to_record(item),
            created_by=user_id(item, "createdBy"),
            created_at=instant(item, "createdDateTime"),
            completed_at=instant(item, "completedDateTime"),
            assignees=assignees(item),
            has_description=_known(item, "hasDescription", bool),
            checklist_count=_known(item, "checklistItemCount", int),
            unchecked_count=_known(item, "activeChecklistItemCount", int),
        )
        return found if details is None else _detailed(found, details)
    except Unreadable as error:
        return BrokenItem(graph_id, str(error))


def with_details(item: TaskItem, details: object) -> TaskItem | BrokenItem:
    """The task with what its details say."""
    try:
        return _detailed(item, details)
    except Unreadable as error:
        return BrokenItem(item.graph_id, str(error))


def with_details_of(item: TaskItem, other: TaskItem | None) -> TaskItem:
    """The task with the details that were read with `other`, if any."""
    if other is None or not other.has_details:
        return item
    data = dataclasses.replace(item.data, body=other.data.body, checklist=other.data.checklist)
    return dataclasses.replace(item, data=data, details_etag=other.details_etag, lines=other.lines)


def read_plan(item: object, group_name: str = "") -> PlanInfo | None:
    """A plan; None for what is none. The container is read first, the deprecated owner after it (facts 9.1)."""
    if not isinstance(item, Mapping) or not isinstance(item.get("id"), str) or not item["id"]:
        return None
    container = item.get("container")
    container_id = container.get("containerId") if isinstance(container, Mapping) else None
    found = container_id or item.get("owner")
    title = item.get("title")
    return PlanInfo(item["id"], title if isinstance(title, str) else "", found if isinstance(found, str) else "",
                    group_name)


def read_bucket(item: object, plan_id: str) -> BucketInfo | None:
    """A bucket; None for what is none."""
    if not isinstance(item, Mapping) or not isinstance(item.get("id"), str) or not item["id"]:
        return None
    name, hint = item.get("name"), item.get("orderHint")
    return BucketInfo(item["id"], plan_id, name if isinstance(name, str) else "", hint if isinstance(hint, str) else "")


def etag_of(item: object) -> str:
    """The etag of a task or of its details; `""` if there is none."""
    etag = item.get("@odata.etag") if isinstance(item, Mapping) else None
    return etag if isinstance(etag, str) else ""


def _detailed(item: TaskItem, details: object) -> TaskItem:
    if not isinstance(details, Mapping):
        raise Unreadable("details")
    lines = checklist(details)
    data = dataclasses.replace(item.data, body=text(details, "description"), checklist=tuple(
        line.title for line in lines))
    return dataclasses.replace(item, data=data, details_etag=etag_of(details), lines=lines)


def _known(item: Mapping[str, Any], member: str, kind: type) -> Any:
    value = item.get(member)
    return value if type(value) is kind else None
