"""Tasks: one set of them for the organisation, whichever link reads them (TASK, design section 9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..graph.planner import Planner
from ..models import RecordMapping, SyncSettings, UserLink
from ..reconcile.decide import Update
from ..reconcile.planner import TaskMerge
from ..reconcile.planner_people import People, PeopleBase
from ..reconcile.planner_words import date_field
from ..reconcile.policy import Direction
from ..records import Record, digest
from ..records.contact import canonical
from ..records.task import MICROSOFT_TASK_LIMITS, TaskData
from .kind import Kind
from .plans import PlanLease
from .steps import Step
from .work import Work


@dataclass(kw_only=True)
class TaskWork(Work):
    """As `Work`. Mappings and digests are the organisation's; `plans` are those that this link reads now."""

    plans: PlanLease = field(default_factory=lambda: PlanLease(None, "", []))

    @property
    def owner_of_mappings(self) -> UserLink | None:
        return None

    def mappings(self) -> Any:
        return RecordMapping.objects.filter(link=None, tenant=self.link.tenant, kind=self.kind)

    def digest(self, value: object) -> str:
        return digest(value, bytes(self.organisation.digest_key))

    def digests(self, record: Record, names: frozenset[str]) -> dict[str, str]:
        """As in `Work`; what of Planner's was not read has no digest, so that an older one stays."""
        known = names & frozenset(record.set_fields())
        return {name: self.digest(canonical(name, getattr(record, name))) for name in sorted(known)}


class TaskKind(Kind):
    """A task of the CRM's and one of Planner's."""

    name = "tasks"
    noun = "task"
    nouns = "tasks"
    limits = MICROSOFT_TASK_LIMITS
    is_shared = True
    work_type = TaskWork

    def is_on(self, organisation: SyncSettings, link: UserLink) -> bool:
        return organisation.sync_activities and link.sync_tasks

    def direction(self, organisation: SyncSettings, link: UserLink) -> Direction | None:
        wish = Direction(link.activity_direction) if link.activity_direction else None
        return Direction(organisation.activity_direction).narrowed(wish)

    def open_store(self, client: Any) -> Planner:
        return Planner(client)

    def digested(self, names: Iterable[str], *, linked: bool) -> frozenset[str]:
        return frozenset(names) - {"categories"}

    def create_in_crm(self, work: Work, step: Step) -> Any:
        assert step.users
        owner, *users = step.users
        return step.adapter.create(step.task.data, work.ctx, owner=owner, users=users)

    def agreed(self, work: Work, step: Step, mapping: RecordMapping) -> None:
        """Note when the task starts and, once both sides agree on them, the people."""
        if isinstance(step.crm, TaskData):
            name = date_field(step.crm)
            mapping.starts_at = getattr(step.crm, name) if name else None
        if step.item is not None and step.item.has_details:
            mapping.details_at = work.now
        if step.people is not None and not step.sends:
            mapping.people = as_plain(people_after(step))


def people_after(step: Step) -> PeopleBase:
    """The people of both sides once the step is carried out."""
    people: People = step.people
    users = people.users
    if isinstance(step.decision, Update) and isinstance(step.decision.merge, TaskMerge) and users is not None:
        asked = step.decision.merge.people
        users = (users | set(asked.add_users)) - set(asked.remove_users)
    after = People(owner=people.owner, users=users, accounts=people.accounts)
    return after.as_base(step.item.assignees if step.item is not None else people.assignees)


def as_plain(base: PeopleBase) -> dict[str, Any]:
    """As a mapping keeps the people."""
    return {"owner": base.owner, "users": sorted(base.users), "assignees": sorted(base.assignees),
            "linked": sorted(base.linked)}


def from_plain(kept: Mapping[str, Any] | None) -> PeopleBase | None:
    """The people back from `as_plain`; None where both sides never agreed."""
    if not kept:
        return None
    return PeopleBase(owner=kept["owner"], users=frozenset(kept["users"]), assignees=frozenset(kept["assignees"]),
                      linked=frozenset(kept["linked"]))
