"""Whose turn it is: marking links due, drawing them by lease, working through a time slice, and requests of people.

A cycle is not one queued task for each link (I-2): one UPDATE marks links due, and each worker's task draws due links
until its slice ends. What is unfinished is due again at once, behind all that waited longer, so no link starves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ..conf import settings
from ..models import LinkStatus, RunState, SyncRun, Trigger, UserLink
from . import doorbell
from . import lease as leases
from .abandoned import fail_abandoned_runs, free_abandoned_leases
from .attempt import Result, attempt, attempt_preview, delay_after, fail_runs
from .eligible import eligible_links, why_not
from .lease import Lease

#: How many due links are looked at in one query while drawing.
LOOK_AHEAD = 20
#: Even a link drawn at the end of a slice gets this part of a slice.
LEAST_SHARE = 1 / 4
PREVIEWED = (LinkStatus.AWAITING_SETTINGS, LinkStatus.CONNECTED)

#: Says whether this process is asked to end; the supervised worker sets it before it forks its workers.
stopping: Callable[[], bool] = bool


def mark_due(now: datetime | None = None) -> int:
    """Mark every link due that may sync and waits for nothing yet, in one UPDATE. Returns how many.

    Links that are worked on, wait after a failure or were asked for have a time already and keep it.
    """
    now = now or timezone.now()
    following = now + timedelta(minutes=settings.CYCLE_MINUTES)
    return eligible_links().filter(due_at__isnull=True).update(due_at=now, next_run_at=following)


def draw(now: datetime | None = None, *, but_not: set[int] | None = None) -> Lease | None:
    """Lease the link that has been due longest; None if no link is due that nobody works on.

    The attempt is counted in the same UPDATE, before the work: a link that kills its worker again and again comes back
    with growing delay, though nobody is left to say that it failed. The first two times it comes back at once, because
    links are also killed together with others, and with machines.
    """
    now = now or timezone.now()
    due = eligible_links().due(now).exclude(pk__in=but_not or ())
    while candidates := list(due.values_list("pk", "attempts")[:LOOK_AHEAD]):
        for pk, attempts in candidates:
            again = now + delay_after(attempts - 1)
            lease = leases.acquire(pk, now, among=due.filter(attempts=attempts), attempts=F("attempts") + 1,
                                   due_at=again)
            if lease is not None:
                if lease.taken_over_from:
                    fail_abandoned_runs(pk)
                return lease
        if len(candidates) < LOOK_AHEAD:
            break
    return None


def work(slice_s: float | None = None) -> int:
    """Work on what is due until the slice ends, then have the next task queued if something is left.

    Returns how many links and previews were worked on. Raises only what stops all links alike.
    """
    length = float(settings.SLICE_S if slice_s is None else slice_s)
    end = time.monotonic() + length
    free_abandoned_leases()
    unfinished: set[int] = set()
    worked = 0
    try:
        while time.monotonic() < end and not stopping():
            if _work_on_a_preview():
                worked += 1
                continue
            lease = draw(but_not=unfinished)
            if lease is None:
                break
            worked += 1
            result = _work_on(lease, deadline=max(end, time.monotonic() + length * LEAST_SHARE))
            if not result.finished:
                unfinished.add(lease.link_id)
    finally:
        if number_waiting():
            doorbell.ring()
    return worked


def _work_on(lease: Lease, deadline: float) -> Result:
    run = _run_to_go_on_with(lease.link_id)
    trigger = run.trigger if run else Trigger.SCHEDULE
    return attempt(lease, run=run, trigger=trigger, deadline=deadline)


def _run_to_go_on_with(link_id: int) -> SyncRun | None:
    """The run that an earlier slice left unfinished, else the one that somebody asked for, marked as running."""
    run = SyncRun.objects.filter(link=link_id, state=RunState.QUEUED).exclude(trigger=Trigger.PREVIEW).order_by(
        F("started_at").asc(nulls_last=True), "queued_at").first()
    if run is not None:
        run.state, run.started_at = RunState.RUNNING, run.started_at or timezone.now()
        run.save(update_fields=["state", "started_at"])
    return run


def number_waiting(now: datetime | None = None) -> int:
    """How many links and previews a worker that is free now would find to work on."""
    now = now or timezone.now()
    return eligible_links().due(now).count() + _waiting_previews(now).count()


# Requests of people


def request_sync(link: UserLink, by: Any = None, trigger: str = Trigger.MANUAL) -> SyncRun:
    """Ask for a sync of this link as soon as a worker is free. Never waits for anything (SYNC-07).

    A request that already waits is returned again. A link that may not sync gets a failed run that says why.
    """
    now = timezone.now()
    with transaction.atomic():
        link = UserLink.objects.select_for_update().select_related("user").get(pk=link.pk)
        reason = why_not(link)
        if reason:
            return _new_run(link, by, trigger, state=RunState.FAILED, finished_at=now, message=reason)
        waiting = SyncRun.objects.filter(link=link, state=RunState.QUEUED).exclude(trigger=Trigger.PREVIEW).first()
        run = waiting or _new_run(link, by, trigger)
        UserLink.objects.filter(pk=link.pk).update(due_at=now)
        doorbell.ring_soon()
    return run


def request_preview(link: UserLink, by: Any = None) -> SyncRun:
    """Ask for a preview (USER-07). A request that already waits is returned again."""
    with transaction.atomic():
        link = UserLink.objects.select_for_update().get(pk=link.pk)
        waiting = SyncRun.objects.filter(link=link, state=RunState.QUEUED, trigger=Trigger.PREVIEW).first()
        run = waiting or _new_run(link, by, Trigger.PREVIEW)
        doorbell.ring_for_preview(run.pk)
    return run


def _new_run(link: UserLink, by: Any, trigger: str, **values: Any) -> SyncRun:
    return SyncRun.objects.create(
        link=link, tenant=link.tenant, trigger=trigger, requested_by=by, queued_at=timezone.now(), **values)


def preview(run_id: int) -> bool:
    """Work out one preview. False if it does not wait (any more), or the link is being worked on.

    In the second case it waits on: whoever works on links looks for previews before each link, and so does the sweep.
    """
    run = SyncRun.objects.filter(pk=run_id, state=RunState.QUEUED, trigger=Trigger.PREVIEW).first()
    if run is None:
        return False
    if not UserLink.objects.filter(pk=run.link_id, status__in=PREVIEWED).exists():
        fail_runs(SyncRun.objects.filter(pk=run_id),
                  _("No preview is possible, because the Microsoft account is not connected."))
        return False
    lease = leases.acquire(run.link_id)
    if lease is None:
        return False
    if lease.taken_over_from:
        fail_abandoned_runs(run.link_id)
    if not SyncRun.objects.filter(pk=run_id, state=RunState.QUEUED).update(
            state=RunState.RUNNING, started_at=timezone.now()):
        lease.release()
        return False
    attempt_preview(lease, run_id)
    return True


def _work_on_a_preview() -> bool:
    return any(preview(run_id) for run_id in list(_waiting_previews(timezone.now()).values_list("pk", flat=True)[:5]))


def _waiting_previews(now: datetime) -> QuerySet[SyncRun]:
    """Previews that somebody asked for and whose link nobody works on, the oldest first."""
    return SyncRun.objects.filter(state=RunState.QUEUED, trigger=Trigger.PREVIEW).filter(
        Q(link__lease_until__isnull=True) | Q(link__lease_until__lt=now)).order_by("queued_at")
