"""Whose tasks they are: the linked users of the organisation, their settings, and the lists that they sync."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Any

from ..models import HOLDS_ACCOUNT, RecordMapping, TaskList, UserLink
from ..reconcile.planner_people import People
from ..reconcile.planner_scope import Window
from ..reconcile.planner_words import Terms
from ..reconcile.policy import Policy
from ..records.task import PLANNER_LIST, planner_ids
from .steps import Step
from .task_kind import TaskWork, from_plain
from .work import context_of, policy_of


class Desk:
    """What deciding about tasks needs to know of people. A user's key is the CRM's primary key as text."""

    def __init__(self, work: TaskWork) -> None:
        self.work = work
        links = UserLink.objects.filter(tenant=work.link.tenant, status__in=HOLDS_ACCOUNT).exclude(microsoft_user_id="")
        self.links = {str(link.user_id): link for link in links.select_related("user").order_by("pk")}
        self.accounts = {key: link.microsoft_user_id for key, link in self.links.items()}
        self.own_key = str(work.link.user_id)
        self._terms: dict[str, Terms] = {}

    def user(self, key: str) -> Any:
        """The user with this key; only linked ones are known."""
        return self.links[key].user

    def terms(self, key: str | None) -> Terms:
        """The settings of a user; those of the reader where the user is not linked, without a default list then."""
        known = key if key in self.links else ""
        if known not in self._terms:
            link = self.links.get(known, self.work.link)
            self._terms[known] = Terms(
                zone=context_of(link, self.work.now).tz, now=self.work.now, start_time=link.task_start_time,
                default_list=full_key(link.default_task_list) if known and link.sync_tasks else None)
        return self._terms[known]

    def policy(self, key: str | None) -> Policy | None:
        """What may be written where for this user's tasks; None: nothing at all."""
        link = self.links.get(key or "", self.work.link)
        direction = self.work.how.direction(self.work.organisation, link)
        return policy_of(link, self.work.organisation, direction) if direction else None

    @cached_property
    def window(self) -> Window:
        """The days that are synced (SYNC-02)."""
        first, last = self.work.window
        return Window(first.date(), last.date())

    @cached_property
    def reachable(self) -> frozenset[str]:
        """The lists of the plans that are read now."""
        return frozenset(self.work.link.reachable_lists.filter(plan_id__in=self.work.plans.ids).values_list(
            "key", flat=True))

    @cached_property
    def _readers(self) -> dict[str, list[UserLink]]:
        by_pk = {link.pk: link for link in self.links.values()}
        found: dict[str, dict[int, UserLink]] = defaultdict(dict)
        rows = TaskList.objects.filter(tenant=self.work.link.tenant, plan_id__in=self.work.plans.ids)
        for plan_id, pk in rows.order_by("links").values_list("plan_id", "links").distinct():
            if pk in by_pk and by_pk[pk].sync_tasks:
                found[plan_id][pk] = by_pk[pk]
        return {plan_id: list(links.values()) for plan_id, links in found.items()}

    def brought_by(self, list_key: str) -> str | None:
        """The key of the user through whose lists a task comes in; None: nobody syncs this list (USER-05)."""
        ids = planner_ids(list_key)
        chosen = [str(link.user_id) for link in self._readers.get(ids[0] if ids else "", ())
                  if link.task_lists is None or list_key in map(full_key, link.task_lists)]
        return self.own_key if self.own_key in chosen else next(iter(chosen), None)

    def people(self, step: Step, assignees: tuple[str, ...], mapping: RecordMapping | None = None) -> People:
        """The people of a task on both sides."""
        adapter, ctx = step.adapter, self.work.ctx
        owner = adapter.owner_of(step.obj, ctx)
        has_users = "users" in adapter.role_specs
        return People(
            owner=str(owner.pk) if owner is not None else None, assignees=assignees, accounts=self.accounts,
            users=frozenset(str(user.pk) for user in adapter.users_of(step.obj, ctx)) if has_users else None,
            base=from_plain(mapping.people) if mapping is not None else None)


def full_key(key: str | None) -> str | None:
    """A list's key as tasks hold it; the settings and the API leave the prefix out."""
    return key if not key or key.startswith(PLANNER_LIST) else f"{PLANNER_LIST}{key}"
