"""Planner's plans, buckets and tasks: who may reach them, what a write changes, and the limits of the service.

A part of the world: plans belong to groups, not to mailboxes. Callers hold the world's lock. Nothing is kept of what
was deleted, and there is no log of changes: Planner has neither a recycle bin for the API nor delta (facts 9.2).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from . import planner_limits as limits
from . import planner_rules as rules
from .ids import is_planner_id
from .planner_groups import Group, Groups
from .planner_items import Actor, Item, Kind, Version, differences
from .planner_open_types import OPEN, Writing, invalid
from .refusal import Refusal
from .world import World


class Planner:
    """All plans of all groups. `actor` is who asks or writes; without membership nothing is shown."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.groups = world.part(Groups)
        self.number = 0
        self.items: dict[str, dict[str, Item]] = {kind.value: {} for kind in Kind}
        self.premium: set[str] = set()      # plans that were upgraded: Planner's API does not reach them any more

    # Reading

    def find(self, kind: Kind, key: str, actor: Actor) -> Item:
        """A resource by id (case matters). Raises `Refusal`: 400 malformed, 404 not there, 403 or 404 no access."""
        if not is_planner_id(key):
            raise invalid(f"Schema validation has failed. Validation for field 'Id', on entity '{kind.value}' has "
                          "failed: the value is not a valid identifier.")
        found = self.items[kind].get(key)
        if found is None or (kind is Kind.TASK_DETAILS and self._is_late(found, "planner_details_delay_s")):
            raise not_found()
        self._admit(found, actor)
        return found

    def is_open_to(self, item: Item, actor: Actor) -> bool:
        """Whether that person may see it."""
        is_basic = actor.is_in_planner or self.plan_of(item).id not in self.premium
        return is_basic and self.group_of(item).has_member(actor.account_id)

    def plan_of(self, item: Item) -> Item:
        """The plan that something belongs to."""
        match item.kind:
            case Kind.BUCKET | Kind.TASK:
                return self.items[Kind.PLAN][item.values["planId"]]
            case Kind.TASK_DETAILS:
                return self.plan_of(self.items[Kind.TASK][item.id])
        return self.items[Kind.PLAN][item.id]

    def group_of(self, item: Item) -> Group:
        return self.groups.by_id[self.plan_of(item).values["owner"]]

    def plans_of(self, group: Group) -> list[Item]:
        return [plan for plan in self.items[Kind.PLAN].values() if plan.values["owner"] == group.id]

    def buckets_of(self, plan: Item) -> list[Item]:
        return [bucket for bucket in self.items[Kind.BUCKET].values() if bucket.values["planId"] == plan.id]

    def tasks_of(self, plan: Item) -> list[Item]:
        """All tasks of a plan, also those that no list shows yet."""
        return [task for task in self.items[Kind.TASK].values() if task.values["planId"] == plan.id]

    def listed(self, tasks: list[Item]) -> list[Item]:
        """The tasks that lists show already (switch `planner_list_delay_s`)."""
        return [task for task in tasks if not self._is_late(task, "planner_list_delay_s")]

    def assigned_to(self, account_id: str) -> list[Item]:
        """All tasks of all plans that are assigned to that account."""
        return [task for task in self.items[Kind.TASK].values() if account_id in task.values["assignments"]]

    def created_by(self, account_id: str) -> int:
        """How many tasks of all plans that account has created."""
        return sum(task.values["createdBy"]["user"]["id"] == account_id for task in self.items[Kind.TASK].values())

    def shared_with(self, account_id: str) -> list[Item]:
        """The plans that name the account in `sharedWith`."""
        details = self.items[Kind.PLAN_DETAILS].values()
        return [self.items[Kind.PLAN][item.id] for item in details if account_id in item.values["sharedWith"]]

    # Creating

    def create_plan(self, actor: Actor, group: Group, sent: Mapping[str, Any], url: str) -> Item:
        """A new plan of a group, shared with its maker. `url` is the group's. Raises `Refusal` (400, 403)."""
        if not group.has_member(actor.account_id) or not group.is_unified:
            raise self.no_access()
        limits.check_plan(self, group, actor.account_id)
        writing = self._begin(actor)
        values = rules.written_plan({
            "createdDateTime": writing.now_text, "owner": group.id, "title": None, "createdBy": actor.identity(),
            "container": {"containerId": group.id, "type": "group", "url": url}}, {"title": sent.get("title")})
        details = copy.deepcopy(rules.EMPTY_PLAN_DETAILS) | {"sharedWith": {actor.account_id: True}}
        plan = self._add(Kind.PLAN, self.world.ids.planner(), values, writing)
        self._add(Kind.PLAN_DETAILS, plan.id, details, self._begin(actor))
        return plan

    def create_bucket(self, actor: Actor, sent: Mapping[str, Any]) -> Item:
        """A new bucket of the plan named in `planId`. Raises `Refusal` (400, 403, 404)."""
        plan = self._plan_named(sent, actor)
        limits.check_bucket(self, plan)
        writing = self._begin(actor)
        empty = {"name": None, "planId": plan.id, "orderHint": ""}
        hints = [bucket.values["orderHint"] for bucket in self.buckets_of(plan)]
        values = rules.written_bucket(empty, sent, writing, hints)
        return self._add(Kind.BUCKET, self.world.ids.planner(), values, writing)

    def create_task(self, actor: Actor, sent: Mapping[str, Any]) -> Item:
        """A new task of the plan named in `planId`, with its details. Raises `Refusal` (400, 403, 404)."""
        plan = self._plan_named(sent, actor)
        writing = self._begin(actor)
        empty = copy.deepcopy(rules.EMPTY_TASK) | {
            "planId": plan.id, "createdDateTime": writing.now_text, "createdBy": actor.identity()}
        values = rules.written_task(empty, sent, writing, self._hints(plan))
        self._check_bucket(values, actor)
        limits.check_task(self, plan, empty, values, actor.account_id)
        self._check_assignees(empty, values)
        task = self._add(Kind.TASK, self.world.ids.planner(), values, writing)
        self._add(Kind.TASK_DETAILS, task.id, copy.deepcopy(rules.EMPTY_DETAILS), self._begin(actor))
        return task

    # Changing

    def update(self, actor: Actor, item: Item, sent: Mapping[str, Any], etag: str = "") -> None:
        """Write checked properties; all or nothing. `etag` is the version meant, "" the present one.

        Raises `Refusal`: 400, 403, 404, 409 when a stale version conflicts, 412 for an etag of something else.
        """
        writing = self._begin(actor)
        new = self._written(item, sent, writing)
        changed = differences(item.values, new, OPEN.get(Kind(item.kind).type_name, ()))
        if etag and item.changed_since(etag, self.world.options) & set(changed):
            raise rules.conflict()
        if item.kind == Kind.TASK:
            self._check_task(actor, item, new)
        if not changed and self.world.options.planner_patch_without_change == "quiet":
            return
        item.values = new
        item.versions.append(Version(writing.number, changed))
        if item.kind == Kind.TASK_DETAILS:
            self._note_details(item, changed, actor)

    def touch(self, actor: Actor, item: Item) -> None:
        """A new version in which nothing is new."""
        item.versions.append(Version(self._begin(actor).number))

    def delete(self, item: Item, etag: str = "") -> None:
        """A task with its details, a bucket with its tasks, a plan with everything. Raises `Refusal` (409, 412).

        Unlike a change, a deletion conflicts with every newer version (facts 9.2: also with a change of the details).
        """
        if etag:
            item.changed_since(etag, self.world.options)
            if not item.is_current(etag):
                raise rules.conflict()
        match item.kind:
            case Kind.PLAN:
                for part in (*self.tasks_of(item), *self.buckets_of(item)):
                    self.delete(part)
                del self.items[Kind.PLAN_DETAILS][item.id]
            case Kind.BUCKET:
                for task in self.tasks_of(self.plan_of(item)):
                    if task.values["bucketId"] == item.id:
                        self.delete(task)
            case Kind.TASK:
                del self.items[Kind.TASK_DETAILS][item.id]
        del self.items[item.kind][item.id]

    # Within

    def _written(self, item: Item, sent: Mapping[str, Any], writing: Writing) -> dict[str, Any]:
        match item.kind:
            case Kind.PLAN:
                return rules.written_plan(item.values, sent)
            case Kind.PLAN_DETAILS:
                new = rules.written_plan_details(item.values, sent, writing)
                limits.check_sharing(self, item.values, new)
                return new
            case Kind.BUCKET:
                siblings = self.buckets_of(self.plan_of(item))
                hints = [bucket.values["orderHint"] for bucket in siblings if bucket is not item]
                return rules.written_bucket(item.values, sent, writing, hints)
            case Kind.TASK_DETAILS:
                return rules.written_details(item.values, sent, writing)
        if self.world.options.planner_patch_plan == "ignored" and not writing.actor.is_in_planner and \
                sent.get("planId", item.values["planId"]) != item.values["planId"]:
            sent = {name: value for name, value in sent.items() if name not in ("planId", "bucketId")}
        plan = self._target(item, sent, writing.actor)
        moved = {"bucketId": None} if plan.id != item.values["planId"] else {}
        return rules.written_task(item.values, {**moved, **sent}, writing, self._hints(plan, item))

    def _target(self, task: Item, sent: Mapping[str, Any], actor: Actor) -> Item:
        """The plan that a task is in after the write."""
        wanted = sent.get("planId", task.values["planId"])
        if wanted == task.values["planId"]:
            return self.plan_of(task)
        if not actor.is_in_planner and self.world.options.planner_patch_plan == "refused":
            raise invalid("the plan of a task cannot be changed.")
        return self._plan_named(sent, actor)

    def _check_task(self, actor: Actor, task: Item, new: Mapping[str, Any]) -> None:
        self._check_bucket(new, actor)
        plan = self.items[Kind.PLAN][new["planId"]]
        limits.check_task(self, plan, task.values, new, None if plan is self.plan_of(task) else "")
        self._check_assignees(task.values, new)

    def _check_bucket(self, values: Mapping[str, Any], actor: Actor) -> None:
        if values["bucketId"] is not None:
            bucket = self.find(Kind.BUCKET, values["bucketId"], actor)
            if bucket.values["planId"] != values["planId"]:
                raise invalid("the bucket is not in the plan of the task.")

    def _check_assignees(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """People must be in the directory; what about those outside the group is switchable."""
        group = self.groups.by_id[self.items[Kind.PLAN][new["planId"]].values["owner"]]
        added = [user_id for user_id in new["assignments"] if user_id not in old["assignments"]]
        for user_id in added:
            account = self.world.accounts.get(user_id)
            if account is None or account.tenant_id != group.tenant_id:
                raise invalid(f"the user '{user_id}' in 'assignments' does not exist.")
        outside = [user_id for user_id in added if not group.has_member(user_id)]
        match self.world.options.planner_outside_assignee if outside else "accepted":
            case "refused_400":
                raise invalid("a user in 'assignments' is not a member of the group.")
            case "refused_403":
                raise self.no_access()
            case "added":
                for user_id in outside:
                    self.groups.join(group, user_id)

    def _note_details(self, details: Item, changed: tuple[str, ...], actor: Actor) -> None:
        """A write to the details is one to the task as well: its counters follow, its etag moves."""
        task = self.items[Kind.TASK][details.id]
        new = task.values | rules.counters(details.values)
        told = differences(task.values, new, ())
        if changed == ("description",) and not told and self.world.options.planner_description_edit == "quiet":
            return
        task.values = new
        task.versions.append(Version(self._begin(actor).number, told))

    def _hints(self, plan: Item, besides: Item | None = None) -> Iterator[str]:
        return (task.values["orderHint"] for task in self.items[Kind.TASK].values()
                if task.values["planId"] == plan.id and task is not besides)

    def _plan_named(self, sent: Mapping[str, Any], actor: Actor) -> Item:
        if not isinstance(sent.get("planId"), str):
            raise invalid("Schema validation has failed. Validation for field 'PlanId' has failed: A null value was "
                          "specified for a non-nullable field.")
        return self.find(Kind.PLAN, sent["planId"], actor)

    def _admit(self, item: Item, actor: Actor) -> None:
        if self.group_of(item).is_deleted:
            raise not_found()
        if not self.is_open_to(item, actor):
            raise self.no_access()

    def no_access(self) -> Refusal:
        """403, or 404 as if it were not there (switchable)."""
        if self.world.options.planner_no_access == 404:
            return not_found()
        return Refusal(403, "", "You do not have the required permissions to access this item.")

    def _is_late(self, item: Item, switch: str) -> bool:
        delay_s = getattr(self.world.options, switch)
        return delay_s > 0 and self.world.clock.now() < item.created_at + timedelta(seconds=delay_s)

    def _begin(self, actor: Actor) -> Writing:
        self.number += 1
        return Writing(actor, self.world.clock.now(), self.number, self.world.options)

    def _add(self, kind: Kind, key: str, values: dict[str, Any], writing: Writing) -> Item:
        item = Item(kind.value, key, values, writing.now, [Version(writing.number)])
        self.items[kind][key] = item
        return item


def not_found() -> Refusal:
    """404 with Planner's words."""
    return Refusal(404, "", "The requested item is not found.")
