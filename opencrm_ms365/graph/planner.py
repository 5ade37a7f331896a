"""Planner as one account sees it: its plans and buckets, the tasks of a plan, and writing to them.

Planner belongs to groups, not to mailboxes. It has no delta, no notifications and no modification times: what is new is
found by listing a plan and comparing etags, one request for about 400 tasks (facts 9.2). Query options are ignored by
the service, so none is sent. Translation is in `wire.task`, writing in `planner_writing`. Nothing here decides what
should happen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from ..errors import (
    AccessLost,
    ClientRefused,
    ConsentRequired,
    GraphError,
    NotFound,
    ProtocolError,
    Rejected,
    SignInRequired,
)
from ..records.base import clean_text
from ..records.task import planner_ids, planner_list
from . import batch, pages
from .answers import Answer
from .batch import Inner
from .client import GraphClient
from .items import BrokenItem
from .origin import segment
from .planner_items import (
    BucketInfo,
    Lists,
    Partial,
    PlanInfo,
    Reach,
    TaskItem,
    TaskListing,
    TaskWrite,
    Unreached,
    Written,
    read_bucket,
    read_plan,
    read_task,
    with_details,
)
from .planner_refusals import of_a_plan
from .planner_writing import Writing, details_path, target_of, task_path
from .refusals import access_denied
from .wire.task import copy_details_json, copy_json
from .wire.values import Unreadable

__all__ = [
    "BucketInfo",
    "Lists",
    "Partial",
    "PlanInfo",
    "Planner",
    "Reach",
    "TaskItem",
    "TaskListing",
    "TaskWrite",
    "Unreached",
    "Written",
]

GROUPS = "/memberOf/microsoft.graph.group?$select=id,displayName,groupTypes"
UNIFIED = "Unified"
#: How far the clocks of Microsoft and this machine may be apart when a lost creation is looked for.
CLOCK_SKEW = timedelta(minutes=5)
#: Errors that concern the whole account: they are raised, and never stand in one plan's place.
OF_THE_ACCOUNT = (SignInRequired, ConsentRequired, ClientRefused)


class Planner:
    """Planner, seen with one account's token. `mailbox` is that account's base path: `/me`, or `/users/{id}`."""

    def __init__(self, client: GraphClient, mailbox: str = "/me") -> None:
        self.client = client
        self.base = mailbox.rstrip("/")

    # Plans and buckets

    def plans(self) -> Reach:
        """The plans that the account can read: those of the groups it is a member of, and those shared with it.

        A group whose plans are closed to it is passed over with a reason. What may pass (`Throttled`, `Unavailable`)
        is raised, for an incomplete answer would look like plans that went away. `ConsentRequired`: neither groups
        nor plans may be read at all.
        """
        outcomes = batch.run(self.client, [
            Inner("groups", "GET", f"{self.base}{GROUPS}"), Inner("shared", "GET", f"{self.base}/planner/plans")])
        if all(isinstance(outcome, GraphError) and access_denied(outcome) for outcome in outcomes.values()):
            raise ConsentRequired("The permission to read Planner is missing: an administrator must authorise the app "
                                  "again.", status=403)
        skipped: list[Unreached] = []
        found: dict[str, PlanInfo] = {}
        groups = self._groups(self._listed(outcomes["groups"], "groups", "The account's groups", skipped))
        listings = batch.run(self.client, [
            Inner(group_id, "GET", f"/groups/{segment(group_id)}/planner/plans") for group_id in groups])
        for group_id, outcome in listings.items():
            for entry in self._listed(outcome, group_id, "The plans of a group", skipped):
                if plan := read_plan(entry, groups[group_id]):
                    found.setdefault(plan.id, plan)
        for entry in self._listed(outcomes["shared"], "shared", "The plans shared with the account", skipped):
            if plan := read_plan(entry):
                found.setdefault(plan.id, plan)
        ordered = sorted(found.values(), key=lambda plan: (plan.title.casefold(), plan.id))
        return Reach(tuple(ordered), tuple(skipped))

    def buckets(self, plan_ids: Iterable[str]) -> dict[str, tuple[BucketInfo, ...] | GraphError]:
        """The buckets of these plans in Planner's order, by plan; `AccessLost` in the place of a closed one."""
        found: dict[str, tuple[BucketInfo, ...] | GraphError] = {}
        for plan_id, outcome in self._of_plans(plan_ids, "buckets").items():
            if isinstance(outcome, GraphError):
                found[plan_id] = outcome
                continue
            buckets = [bucket for entry in outcome if (bucket := read_bucket(entry, plan_id))]
            found[plan_id] = tuple(sorted(buckets, key=lambda bucket: (bucket.hint, bucket.id)))
        return found

    def lists(self) -> Lists:
        """The task lists that the account can reach. Raises as `plans` does."""
        reach = self.plans()
        found = self.buckets(plan.id for plan in reach.plans)
        names: dict[str, str] = {}
        keys: set[str] = set()
        skipped = list(reach.skipped)
        for plan in reach.plans:
            buckets = found[plan.id]
            if isinstance(buckets, AccessLost):
                skipped.append(Unreached(plan.id, str(buckets)))
            elif isinstance(buckets, GraphError):
                raise buckets
            else:
                names |= {planner_list(plan.id, bucket.id): f"{plan.title} / {bucket.name}" for bucket in buckets}
                keys.add(planner_list(plan.id, ""))
        return Lists(names, frozenset(keys | set(names)), tuple(skipped))

    # Tasks

    def tasks(self, plan_id: str) -> TaskListing:
        """All tasks of a plan, without their details. Raises `AccessLost`, and what a request raises."""
        outcome = self.listings([plan_id])[plan_id]
        if isinstance(outcome, GraphError):
            raise outcome
        return outcome

    def listings(self, plan_ids: Iterable[str]) -> dict[str, TaskListing | GraphError]:
        """All tasks of these plans, without their details: twenty plans of up to 400 tasks cost one request.

        A plan's own trouble stands in its place (`AccessLost`, `Throttled`...); there is never a part of a listing.
        """
        found: dict[str, TaskListing | GraphError] = {}
        for plan_id, outcome in self._of_plans(plan_ids, "tasks").items():
            found[plan_id] = outcome if isinstance(outcome, GraphError) else _listing(plan_id, outcome)
        return found

    def get(self, graph_ids: Iterable[str], *, with_details: bool = False) -> dict[str, TaskItem | GraphError]:
        """Single tasks by id, in whichever plan they are now.

        `NotFound` says that the task is not there *for this account*: it was deleted if the plan it was in can still
        be listed. 403 says that it is in a plan that is closed to the account.
        """
        wanted = list(dict.fromkeys(graph_ids))
        outcomes = batch.run(self.client, [Inner(graph_id, "GET", task_path(graph_id)) for graph_id in wanted])
        items = {graph_id: _as_task(outcome) for graph_id, outcome in outcomes.items()}
        if not with_details:
            return items
        return {**items, **self.details(item for item in items.values() if isinstance(item, TaskItem))}

    def details(self, items: Iterable[TaskItem]) -> dict[str, TaskItem | GraphError]:
        """The same tasks with their details, by id: twenty cost one request."""
        wanted = {item.graph_id: item for item in items}
        outcomes = batch.run(self.client, [Inner(graph_id, "GET", details_path(graph_id)) for graph_id in wanted])
        found: dict[str, TaskItem | GraphError] = {}
        for graph_id, outcome in outcomes.items():
            if isinstance(outcome, GraphError):
                found[graph_id] = outcome
                continue
            read = with_details(wanted[graph_id], outcome.body)
            found[graph_id] = _broken(read, outcome) if isinstance(read, BrokenItem) else read
        return found

    # Writing

    def write(self, writes: Sequence[TaskWrite]) -> dict[str, Written]:
        """Send these changes in batches; the outcome of each by its key. None: it is deleted.

        A task, then its details, then the task again for its new etag: details have an etag of their own and move the
        task's (facts 9.2). What is already deleted counts as deleted. `OutcomeUnknown` for a creation: `find_created`;
        for a change: read it again. `Stale`: changed since it was read, and nothing of this write was carried out.
        `Partial`: a part of it was.
        """
        return Writing(self.client, writes).run()

    def move(self, item: TaskItem, list_key: str) -> TaskItem:
        """Move a task to another list, of another plan too, or raise `Rejected` and change nothing.

        That a change of `planId` moves it is unconfirmed (facts 9.3); only the answer is believed.
        """
        if planner_ids(list_key) is None:
            raise ValueError("This is no list of Planner's.")
        done = self.write([TaskWrite("move", "update", graph_id=item.graph_id, current=item,
                                     values={"task_list": list_key})])["move"]
        if isinstance(done, Partial):
            raise done.refused["task_list"]
        if isinstance(done, GraphError):
            raise done
        assert done is not None
        return done

    def copy(self, item: TaskItem, list_key: str) -> Written:
        """Make the task again in another list: the way to another plan where `move` is refused (TASK-02).

        The copy has all of the task that can be written, its checklist with the ticks and its attachments too; it lacks
        comments, labels and history. The old task stays: delete it once the copy is mapped. The outcome is that of a
        creation (`write`); a lost one is found by `find_created` with the old title. Raises what reading raises.
        """
        task = self.client.get(task_path(item.graph_id))
        details = self.client.get(details_path(item.graph_id))
        try:
            if not isinstance(task.body, Mapping) or not isinstance(details.body, Mapping):
                raise Unreadable("details")
            members, more = copy_json(task.body), copy_details_json(details.body)
        except Unreadable as error:
            raise ProtocolError(str(error), status=details.status, request_id=details.request_id) from error
        return self.write([TaskWrite("copy", "create", values={"task_list": list_key}, assign=item.assignees,
                                     copied=members, copied_details=more)])["copy"]

    def find_created(
        self, write: TaskWrite, *, creator: str, sent_at: datetime, known: Collection[str] = ()
    ) -> tuple[TaskItem, ...]:
        """The tasks that a creation whose answer was lost can have made, the oldest first.

        Planner takes no key of ours (facts 9.3): compared are creator, title, bucket and time of creation. `creator`
        is the directory id of the account that sent it, `sent_at` the UTC instant of sending, `known` are the ids that
        are mapped already. A new task may not be in the list for a moment: look again before repeating (I-1).
        Raises what `tasks` raises.
        """
        plan_id, bucket_id = target_of(write)
        title = clean_text(write.values.get("subject"))
        found = [item for item in self.tasks(plan_id).items
                 if item.graph_id not in known and item.created_by == creator and item.data.subject == title
                 and item.bucket_id == bucket_id and item.created_at is not None
                 and item.created_at >= sent_at - CLOCK_SKEW]
        return tuple(sorted(found, key=lambda item: (item.created_at or sent_at, item.graph_id)))

    # Parts

    def _groups(self, entries: Iterable[object]) -> dict[str, str]:
        """The names of the Microsoft 365 groups by id: other kinds of groups have no plans."""
        found: dict[str, str] = {}
        for entry in entries:
            if not isinstance(entry, Mapping) or not isinstance(entry.get("id"), str):
                continue
            types, name = entry.get("groupTypes"), entry.get("displayName")
            if not isinstance(types, list) or UNIFIED in types:
                found[entry["id"]] = name if isinstance(name, str) else ""
        return found

    def _listed(self, outcome: Answer | GraphError, what: str, name: str, skipped: list[Unreached]) -> list[object]:
        """All entries of a listing; none, and a reason, for one that is closed to the account."""
        try:
            if isinstance(outcome, GraphError):
                raise outcome
            return list(pages.following(self.client, outcome))
        except (Rejected, NotFound) as error:
            skipped.append(Unreached(what, f"{name} cannot be read. {error}"))
            return []

    def _of_plans(self, plan_ids: Iterable[str], part: str) -> dict[str, list[object] | GraphError]:
        wanted = list(dict.fromkeys(plan_ids))
        outcomes = batch.run(self.client, [
            Inner(plan_id, "GET", f"/planner/plans/{segment(plan_id)}/{part}") for plan_id in wanted])
        return {plan_id: self._all_pages(outcome) for plan_id, outcome in outcomes.items()}

    def _all_pages(self, outcome: Answer | GraphError) -> list[object] | GraphError:
        try:
            if isinstance(outcome, GraphError):
                raise outcome
            return list(pages.following(self.client, outcome))
        except OF_THE_ACCOUNT:
            raise
        except GraphError as error:
            return of_a_plan(error)


def _listing(plan_id: str, entries: Iterable[object]) -> TaskListing:
    """The last word on an id counts: a task can be listed twice when it moves between two pages."""
    found = {item.graph_id or f"#{number}": item for number, item in enumerate(map(read_task, entries))}
    return TaskListing(
        plan_id,
        tuple(item for item in found.values() if isinstance(item, TaskItem)),
        tuple(item for item in found.values() if isinstance(item, BrokenItem)),
    )


def _as_task(outcome: Answer | GraphError) -> TaskItem | GraphError:
    if isinstance(outcome, GraphError):
        return outcome
    item = read_task(outcome.body)
    return _broken(item, outcome) if isinstance(item, BrokenItem) else item


def _broken(item: BrokenItem, answer: Answer) -> ProtocolError:
    return ProtocolError(item.reason, status=answer.status, request_id=answer.request_id)
