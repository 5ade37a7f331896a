"""A linked task in a small world without a sync: both sides' values, and what is remembered of them.

`cycle` does to the two values what a cycle does to two records: it writes what the decision asks for, as far as each
side can hold it, and notes the new base. Planner answers as facts 9.3 say: a completed task has a completion time.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from opencrm_ms365.reconcile.decide import Nothing, Update
from opencrm_ms365.reconcile.merge import Base, Pair
from opencrm_ms365.reconcile.planner import TaskMerge, agreed, decide_task, merge_task
from opencrm_ms365.reconcile.planner_people import People
from opencrm_ms365.reconcile.planner_words import Terms, fitted
from opencrm_ms365.reconcile.policy import Policy
from opencrm_ms365.records import Limits
from opencrm_ms365.records.task import MICROSOFT_TASK_LIMITS, TASK_FIELDS, Priority, Status, TaskData
from tests.unit.builders import NO_LIMITS, digest

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONDON, TERMS = ZoneInfo("Europe/London"), Terms(zone=ZoneInfo("Europe/London"), now=NOW)
LIST, OTHER_LIST = "planner:P1/B1", "planner:P1/B2"
ACCOUNTS = {"ada": "id-ada", "bob": "id-bob", "cat": "id-cat"}


def at(day: int, hour: int = 9, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def crm_task(**values: Any) -> TaskData:
    """A task as the demo's columns hold it."""
    return TaskData(**{"subject": "Call Ada", "body": None, "start": at(1), "status": Status.NOT_STARTED,
                       "priority": Priority.MEDIUM, "task_list": LIST, **values})


def planner_task(**values: Any) -> TaskData:
    """A task as Graph gives it, with its details."""
    return TaskData(**{"subject": "Call Ada", "body": None, "start": None, "due": at(1, 10), "percent": 0,
                       "priority": Priority.MEDIUM, "task_list": LIST, "completed_at": None, "checklist": (),
                       **values})


def unread(planner: TaskData) -> TaskData:
    """The same task when its details were not read."""
    return planner.only(frozenset(TASK_FIELDS) - {"body", "checklist"})


@dataclass
class Linked:
    """Both sides of one task. A new one has just been synced, unless `agreeing` says something else."""

    crm: TaskData = field(default_factory=crm_task)
    planner: TaskData = field(default_factory=planner_task)
    people: People = field(default_factory=lambda: People(owner="ada", users=frozenset(), assignees=("id-ada",),
                                                          accounts=ACCOUNTS))
    policy: Policy = field(default_factory=Policy)
    terms: Terms = TERMS
    writable: frozenset[str] = frozenset(TASK_FIELDS)
    crm_limits: Limits = NO_LIMITS
    base: Base | None = None
    agreeing: bool = True

    def __post_init__(self) -> None:
        if self.agreeing:
            self.base = Base(**dict(zip(("crm", "microsoft"), agreed(self.crm, self.planner, digest), strict=True)))
            self.people = dataclasses.replace(self.people, base=self.people.as_base(self.people.assignees))

    def edit_crm(self, **values: Any) -> Linked:
        self.crm = dataclasses.replace(self.crm, **values)
        return self

    def edit_planner(self, **values: Any) -> Linked:
        """What a person does in Planner: completion times follow the percentage."""
        if "percent" in values and "completed_at" not in values:
            values["completed_at"] = self.terms.now if values["percent"] == 100 else None
        self.planner = dataclasses.replace(self.planner, **values)
        return self

    def staff(self, **values: Any) -> Linked:
        """Other people on either side."""
        self.people = dataclasses.replace(self.people, **values)
        return self

    @property
    def pair(self) -> Pair:
        return Pair(crm=self.crm, microsoft=self.planner, base=self.base, writable=self.writable,
                    crm_limits=self.crm_limits, microsoft_limits=MICROSOFT_TASK_LIMITS)

    def decide(self) -> Any:
        return decide_task(self.pair, self.people, self.terms, self.policy, digest)

    def merge(self) -> TaskMerge:
        return merge_task(self.pair, self.people, self.terms, self.policy, digest)

    def later(self, **delta: float) -> Linked:
        self.terms = dataclasses.replace(self.terms, now=self.terms.now + timedelta(**delta))
        return self

    def cycle(self) -> TaskMerge | None:
        """Decide, write, and note on what both sides agree now; None for a task that leaves Planner."""
        decision = self.decide()
        if isinstance(decision, Nothing):
            return TaskMerge()
        if not isinstance(decision, Update):
            return None
        merge = decision.merge
        assert isinstance(merge, TaskMerge)
        self.crm = dataclasses.replace(self.crm, **{
            name: fitted(name, value, self.crm_limits) for name, value in merge.to_crm.items()})
        if sent := merge.writes_to_planner(self.terms):
            if sent.get("percent", self.planner.percent) != self.planner.percent:
                sent["completed_at"] = self.terms.now if sent["percent"] == 100 else None
            self.planner = dataclasses.replace(self.planner, **sent)
        self._staffed(merge)
        mine, theirs = agreed(self.crm, self.planner, digest, merge.settled)
        before = self.base or Base()
        self.base = Base(crm={**before.crm, **mine}, microsoft={**before.microsoft, **theirs})
        return merge

    def _staffed(self, merge: TaskMerge) -> None:
        people, asked = self.people, merge.people
        users = people.users
        if users is not None:
            users = (users | set(asked.add_users)) - set(asked.remove_users)
        assignees = (*(item for item in people.assignees if item not in asked.unassign), *asked.assign)
        self.people = dataclasses.replace(people, users=users, assignees=assignees)
        self.people = dataclasses.replace(self.people, base=self.people.as_base(assignees))
