"""Planner as somebody uses it on its web page: groups, plans, buckets and tasks. For tests, the control API and pages.

Who acts matters: `createdBy` and `completedBy` name them, and they see the plans of their own groups only. Everything
is given and returned as Graph's JSON. A group, plan or bucket is named by its id, its name, or the JSON of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import planner_rules as rules
from .planner_groups import Group, Groups
from .planner_items import PLANNER_APP, Actor, Item, Kind
from .planner_store import Planner, not_found
from .world import Account

if TYPE_CHECKING:
    from .simulator import Sandbox

Key = str | Mapping[str, Any]
#: The time of day, in UTC, that Planner's page gives to a date (facts 9.3, unconfirmed).
TIME_OF_DAY = "T10:00:00Z"
_DETAILS = ("description", "previewType", "checklist", "references")


class PlannerUser:
    """What a person sees and does in Planner. Raises `Refusal` where Planner would refuse.

    Dates may be plain ("2026-12-01"): they get the time of day that the page writes.
    """

    def __init__(self, sandbox: Sandbox, account: Account) -> None:
        self._sandbox = sandbox
        self._lock = sandbox.lock
        self._actor = Actor(account.id, PLANNER_APP)
        self.account = account
        with self._lock:
            self._planner = sandbox.world.part(Planner)
            self._groups = sandbox.world.part(Groups)

    # Groups

    def groups(self) -> list[dict[str, Any]]:
        """The groups that the person is a member of: `id`, `displayName`, `members` and `owners` by account id."""
        with self._lock:
            return [_shown_group(group) for group in self._groups.of_member(self.account)]

    def add_group(self, name: str, members: Iterable[str] = (), owners: Iterable[str] = (), *,
                  is_unified: bool = True) -> dict[str, Any]:
        """A new group. Who makes it is its owner and a member; `members` and `owners` are accounts by id or address.

        `is_unified=False`: a security group, which has no plans.
        """
        with self._lock:
            member_ids = [self._account_id(key) for key in members]
            owner_ids = [self._account_id(key) for key in owners]
            group = self._groups.add(self.account.tenant_id, name, is_unified=is_unified)
            group.owners = list(dict.fromkeys([self.account.id, *owner_ids]))
            group.members = list(dict.fromkeys([self.account.id, *member_ids]))
            return _shown_group(group)

    def add_member(self, group: Key, account: str) -> dict[str, Any]:
        """Let somebody in: they see all plans of the group from now on."""
        with self._lock:
            found = self._group(group)
            self._groups.join(found, self._account_id(account))
            return _shown_group(found)

    def remove_member(self, group: Key, account: str) -> dict[str, Any]:
        """Put somebody out, also oneself: they see the plans no longer, but stay assigned to tasks."""
        with self._lock:
            found = self._group(group)
            self._groups.leave(found, self._account_id(account))
            return _shown_group(found)

    def delete_group(self, group: Key) -> None:
        """The group goes and nobody sees its plans, until it is restored."""
        with self._lock:
            self._group(group).is_deleted = True

    def restore_group(self, group: Key) -> dict[str, Any]:
        """A deleted group comes back with its plans."""
        with self._lock:
            found = self._group(group)
            found.is_deleted = False
            return _shown_group(found)

    # Plans and buckets

    def plans(self, group: Key | None = None) -> list[dict[str, Any]]:
        """The plans of one group, or of all of the person's groups."""
        with self._lock:
            groups = self._groups.of_member(self.account) if group is None else [self._group(group)]
            plans = [plan for found in groups for plan in self._planner.plans_of(found)]
            return [_shown(plan) for plan in plans if self._planner.is_open_to(plan, self._actor)]

    def plan(self, plan: Key) -> dict[str, Any]:
        """One plan."""
        with self._lock:
            return _shown(self._plan(plan))

    def add_plan(self, group: Key, title: str) -> dict[str, Any]:
        """A new plan of a group, without buckets."""
        with self._lock:
            found = self._group(group)
            url = f"https://graph.microsoft.com/v1.0/groups/{found.id}"
            return _shown(self._planner.create_plan(self._actor, found, {"title": title}, url))

    def rename_plan(self, plan: Key, title: str) -> dict[str, Any]:
        """Another title."""
        with self._lock:
            return self._changed(self._plan(plan), {"title": title})

    def delete_plan(self, plan: Key) -> None:
        """With all that is in it."""
        with self._lock:
            self._planner.delete(self._plan(plan))

    def upgrade_plan(self, plan: Key) -> None:
        """Make it a premium plan: people go on in Planner, the API reaches it no more (facts 9.1)."""
        with self._lock:
            self._planner.premium.add(self._plan(plan).id)

    def share_plan(self, plan: Key, account: str) -> dict[str, Any]:
        """Name somebody in `sharedWith`, which is what `/me/planner/plans` goes by; returns the plan's details."""
        with self._lock:
            details = self._planner.items[Kind.PLAN_DETAILS][self._plan(plan).id]
            return self._changed(details, {"sharedWith": {self._account_id(account): True}})

    def name_labels(self, plan: Key, **names: str | None) -> dict[str, Any]:
        """Name the coloured labels, `category1="Urgent"`; returns the plan's details."""
        with self._lock:
            details = self._planner.items[Kind.PLAN_DETAILS][self._plan(plan).id]
            return self._changed(details, {"categoryDescriptions": names})

    def plan_details(self, plan: Key) -> dict[str, Any]:
        """The names of the labels, and the people that a plan is shared with."""
        with self._lock:
            return _shown(self._planner.items[Kind.PLAN_DETAILS][self._plan(plan).id])

    def buckets(self, plan: Key) -> list[dict[str, Any]]:
        """The buckets of a plan from left to right."""
        with self._lock:
            return [_shown(bucket) for bucket in _in_order(self._planner.buckets_of(self._plan(plan)))]

    def add_bucket(self, plan: Key, name: str) -> dict[str, Any]:
        """A new bucket, to the right of the others."""
        with self._lock:
            found = self._plan(plan)
            others = _in_order(self._planner.buckets_of(found))
            hint = f"{others[-1].values['orderHint'] if others else ''} !"
            sent = {"planId": found.id, "name": name, "orderHint": hint}
            return _shown(self._planner.create_bucket(self._actor, sent))

    def rename_bucket(self, bucket_id: str, name: str) -> dict[str, Any]:
        """Another name."""
        with self._lock:
            return self._changed(self._find(Kind.BUCKET, bucket_id), {"name": name})

    def delete_bucket(self, bucket_id: str) -> None:
        """With its tasks."""
        with self._lock:
            self._planner.delete(self._find(Kind.BUCKET, bucket_id))

    # Tasks

    def tasks(self, plan: Key | None = None, bucket: Key | None = None) -> list[dict[str, Any]]:
        """The tasks of a plan (of one of its buckets), or of all plans that the person sees; from top to bottom."""
        with self._lock:
            plans = [self._plan(one) for one in ([plan] if plan is not None else self.plans())]
            tasks = [task for one in plans for task in _in_order(self._planner.tasks_of(one))]
            if bucket is not None:
                wanted = self._bucket(plans[0], bucket).id
                tasks = [task for task in tasks if task.values["bucketId"] == wanted]
            return [_shown(task) for task in tasks]

    def find_tasks(self, **members: Any) -> list[dict[str, Any]]:
        """The tasks with exactly these values (`find_tasks(title="Order oak")`)."""
        return [task for task in self.tasks() if all(task.get(name) == value for name, value in members.items())]

    def task(self, task_id: str) -> dict[str, Any]:
        """One task."""
        with self._lock:
            return _shown(self._find(Kind.TASK, task_id))

    def details(self, task_id: str) -> dict[str, Any]:
        """Its description, checklist and references, with their own etag."""
        with self._lock:
            return _shown(self._details(task_id))

    def add_task(self, plan: Key, bucket: Key | None = None, assignees: Iterable[str] = (),
                 **values: Any) -> dict[str, Any]:
        """A new task: `title`, and whatever else Graph has, also of its details (`description="..."`).

        `assignees`: accounts by id or address. Without a bucket it is in none.
        """
        with self._lock:
            found = self._plan(plan)
            details = {name: values.pop(name) for name in _DETAILS if name in values}
            sent = {"planId": found.id, "bucketId": self._bucket(found, bucket).id if bucket is not None else None,
                    **_dated(values)}
            task = self._planner.create_task(self._actor, rules.checked(Kind.TASK, sent, self._sandbox.options))
            if details:
                self._changed(self._details(task.id), details)
            if keys := list(assignees):
                self.assign(task.id, *keys)
            return _shown(task)

    def edit_task(self, task_id: str, /, **values: Any) -> dict[str, Any]:
        """Change these properties; None empties one. `percentComplete=100` completes the task."""
        with self._lock:
            return self._changed(self._find(Kind.TASK, task_id), _dated(values))

    def touch_task(self, task_id: str) -> dict[str, Any]:
        """A new etag without any change, as the service may make by itself."""
        with self._lock:
            task = self._find(Kind.TASK, task_id)
            self._planner.touch(self._actor, task)
            return _shown(task)

    def edit_details(self, task_id: str, /, **values: Any) -> dict[str, Any]:
        """Change `description`, `checklist`, `references` or `previewType`; returns the details."""
        with self._lock:
            return self._changed(self._details(task_id), values)

    def move_task(self, task_id: str, bucket: Key | None = None, plan: Key | None = None) -> dict[str, Any]:
        """To another bucket (None: into none), also of another plan. The task keeps its id."""
        with self._lock:
            task = self._find(Kind.TASK, task_id)
            target = self._plan(plan) if plan is not None else self._planner.plan_of(task)
            bucket_id = self._bucket(target, bucket).id if bucket is not None else None
            return self._changed(task, {"planId": target.id, "bucketId": bucket_id})

    def delete_task(self, task_id: str) -> None:
        """For good."""
        with self._lock:
            self._planner.delete(self._find(Kind.TASK, task_id))

    def assign(self, task_id: str, *accounts: str) -> dict[str, Any]:
        """Assign people; those outside the group become members of it, as Planner's page does."""
        with self._lock:
            task = self._find(Kind.TASK, task_id)
            ids = [self._account_id(key) for key in accounts]
            for account_id in ids:
                self._groups.join(self._planner.group_of(task), account_id)
            entry = {"@odata.type": "#microsoft.graph.plannerAssignment", "orderHint": " !"}
            return self._changed(task, {"assignments": {account_id: dict(entry) for account_id in ids}})

    def unassign(self, task_id: str, *accounts: str) -> dict[str, Any]:
        """Take people off a task."""
        with self._lock:
            ids = [self._account_id(key) for key in accounts]
            return self._changed(self._find(Kind.TASK, task_id), {"assignments": dict.fromkeys(ids)})

    def add_checklist_item(self, task_id: str, title: str, *, is_checked: bool = False) -> str:
        """A new line at the end of the checklist; returns its key."""
        with self._lock:
            key = str(uuid.UUID(int=self._sandbox.world.ids.random.getrandbits(128), version=4))
            hints = [entry["orderHint"] for entry in self._details(task_id).values["checklist"].values()]
            self._tick(task_id, key, {"title": title, "isChecked": is_checked,
                                      "orderHint": f"{max(hints, default='')} !"})
            return key

    def tick(self, task_id: str, key: str, is_checked: bool = True) -> dict[str, Any]:
        """Tick a line of the checklist off, or not; returns the details."""
        with self._lock:
            if key not in self._details(task_id).values["checklist"]:
                raise not_found()
            return self._tick(task_id, key, {"isChecked": is_checked})

    def remove_checklist_item(self, task_id: str, key: str) -> dict[str, Any]:
        """Take a line away; returns the details."""
        return self.edit_details(task_id, checklist={key: None})

    # Within

    def _find(self, kind: Kind, key: str) -> Item:
        return self._planner.find(kind, key, self._actor)

    def _details(self, task_id: str) -> Item:
        """Never late, as they are for the API."""
        return self._planner.items[Kind.TASK_DETAILS][self._find(Kind.TASK, task_id).id]

    def _group(self, key: Key) -> Group:
        """Any group of the tenant: its owners administer it without being members; also a deleted one."""
        text = _text(key)
        groups = [group for group in self._groups.by_id.values() if group.tenant_id == self.account.tenant_id]
        for group in groups:
            if text in (group.id, group.name):
                return group
        raise not_found()

    def _plan(self, key: Key) -> Item:
        text = _text(key)
        by_title = [plan for plan in self._planner.items[Kind.PLAN].values()
                    if plan.values["title"] == text and self._planner.is_open_to(plan, self._actor)]
        return by_title[0] if by_title else self._find(Kind.PLAN, text)

    def _bucket(self, plan: Item, key: Key) -> Item:
        text = _text(key)
        by_name = [bucket for bucket in self._planner.buckets_of(plan) if bucket.values["name"] == text]
        return by_name[0] if by_name else self._find(Kind.BUCKET, text)

    def _account_id(self, key: str) -> str:
        return self._sandbox.account(key).id

    def _changed(self, item: Item, values: Mapping[str, Any]) -> dict[str, Any]:
        sent = rules.checked(Kind(item.kind), dict(values), self._sandbox.options)
        self._planner.update(self._actor, item, sent)
        return _shown(item)

    def _tick(self, task_id: str, key: str, entry: dict[str, Any]) -> dict[str, Any]:
        entry = {"@odata.type": "#microsoft.graph.plannerChecklistItem", **entry}
        return self._changed(self._details(task_id), {"checklist": {key: entry}})


def _text(key: Key) -> str:
    return key if isinstance(key, str) else str(key["id"])


def _dated(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value + TIME_OF_DAY if name.endswith("DateTime") and value and "T" not in value else value
            for name, value in values.items()}


def _in_order(items: Iterable[Item]) -> list[Item]:
    return sorted(items, key=lambda item: item.values["orderHint"])


def _shown(item: Item) -> dict[str, Any]:
    return {"@odata.etag": item.etag, **item.values, "id": item.id}


def _shown_group(group: Group) -> dict[str, Any]:
    return {"id": group.id, "displayName": group.name, "members": list(group.members), "owners": list(group.owners),
            "isUnified": group.is_unified, "isDeleted": group.is_deleted}
