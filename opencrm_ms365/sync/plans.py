"""Which task lists each link reaches, and which of the plans one link reads in this cycle (TASK-01, TASK-11).

A plan is read once in each cycle for the whole organisation. The link that read it last goes on reading it; another one
takes over when that link cannot sync any more, could not read the plan, or did not come round in time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from ..conf import settings
from ..errors import LeaseLost
from ..graph.planner_items import Lists
from ..models import PlanCursor, TaskList, UserLink
from ..records.task import planner_ids
from .eligible import eligible_links
from .lease import Lease
from .work import Work

LISTS_GOOD_FOR = timedelta(hours=1)
#: Another link takes over when the reader has not come round for so many cycles.
PATIENCE = 2


def refresh_lists(work: Work, *, now: bool = False) -> None:
    """Note which lists the link can reach, once an hour or `now`. Raises what `Planner.lists` raises."""
    read_at = (work.link.progress.get(work.kind) or {}).get("lists_at")
    fresh = read_at is not None and work.now - datetime.fromisoformat(read_at) < LISTS_GOOD_FOR
    if fresh and not now:
        return
    found = work.store.lists()
    with transaction.atomic():
        save_lists(work.link, found)
        progress = {**(work.link.progress.get(work.kind) or {}), "lists_at": work.now.isoformat()}
        work.save_link(progress={**work.link.progress, work.kind: progress})


def save_lists(link: UserLink, found: Lists) -> None:
    """Make the rows say what the link reaches. Lists that nobody reaches any more are not offered, and go."""
    names = {key: found.names.get(key, "") for key in found.keys}
    order = {key: place for place, key in enumerate(found.names)}
    plans = {key: ids[0] for key in names if (ids := planner_ids(key)) is not None}
    TaskList.objects.bulk_create(
        [TaskList(tenant=link.tenant, key=key, plan_id=plans[key], name=names[key], position=order.get(key, 0))
         for key in sorted(plans)],
        update_conflicts=True, unique_fields=["tenant", "key"], update_fields=["name", "position"], batch_size=200)
    reached = set(TaskList.objects.filter(tenant=link.tenant, key__in=plans).values_list("pk", flat=True))
    link.reachable_lists.set(reached)
    TaskList.objects.filter(tenant=link.tenant, links__isnull=True).delete()
    PlanCursor.objects.bulk_create(
        [PlanCursor(tenant=link.tenant, plan_id=plan_id) for plan_id in sorted(set(plans.values()))],
        ignore_conflicts=True)


def take_plans(work: Work) -> PlanLease:
    """Reserve the plans that are this link's to read now; in a preview none is reserved, and all are looked at."""
    reached = work.link.reachable_lists.order_by().values("plan_id")
    rows = PlanCursor.objects.filter(tenant=work.link.tenant, plan_id__in=reached)
    if work.preview:
        return PlanLease(work.lease, "", list(rows.order_by("pk")))
    now = timezone.now()
    readers = eligible_links().filter(pk=OuterRef("reader_id"), sync_tasks=True)
    mine = rows.filter(Q(reader=work.link) | Q(due_at__isnull=True) | Q(due_at__lte=now) | ~Exists(readers))
    free = mine.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
    owner = work.lease.owner if work.lease is not None else f"link {work.link.pk}"
    wanted = sorted(free.values_list("pk", flat=True))
    PlanCursor.objects.filter(pk__in=wanted).filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now)).update(
        lease_owner=owner, lease_until=now + timedelta(seconds=settings.LEASE_S))
    taken = PlanCursor.objects.filter(pk__in=wanted, lease_owner=owner, lease_until__gt=now)
    return PlanLease(work.lease, owner, list(taken.order_by("pk")))


@dataclass
class PlanLease:
    """The plans that one link holds, together with the link's own lease: both are renewed as one."""

    link_lease: Lease | None
    owner: str
    plans: list[PlanCursor]

    @property
    def ids(self) -> list[str]:
        """Planner's ids of the plans."""
        return [plan.plan_id for plan in self.plans]

    def renew(self, now: datetime | None = None) -> None:
        """Raises `LeaseLost` when another worker has taken one of the plans, or the link."""
        if self.link_lease is not None:
            self.link_lease.renew(now)
        until = (now or timezone.now()) + timedelta(seconds=settings.LEASE_S)
        held = PlanCursor.objects.filter(pk__in=[plan.pk for plan in self.plans], lease_owner=self.owner)
        if self.owner and held.update(lease_until=until) < len(self.plans):
            raise LeaseLost("Another link has taken over one of the plans.")

    def ensure(self) -> None:
        if self.link_lease is not None:
            self.link_lease.ensure()
        self.renew()

    def drop(self, plan_ids: Iterable[str], **values: Any) -> None:
        """Give these plans free, with `values` on their rows."""
        ids = set(plan_ids)
        gone = [plan.pk for plan in self.plans if plan.plan_id in ids]
        self.plans = [plan for plan in self.plans if plan.plan_id not in ids]
        if self.owner:
            PlanCursor.objects.filter(pk__in=gone, lease_owner=self.owner).update(
                lease_owner="", lease_until=None, **values)

    def done(self, link: UserLink, started: datetime, *, full: bool) -> None:
        """All that was new up to `started` has been carried out on both sides."""
        due = started + PATIENCE * timedelta(minutes=int(settings.CYCLE_MINUTES))
        values = {"reader": link, "read_at": started, "watermark": started, "due_at": due, "lost_since": None}
        self.drop(self.ids, **values, **({"full_at": started} if full else {}))
