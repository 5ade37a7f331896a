"""Each minute: pick up what was missed. Each hour: throw away what is too old.

The broker may lose a task, a worker may vanish, two machines may make the same schedule: all that is put right here.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..models import (
    AccessKey,
    Conflict,
    CrmTouch,
    DeletedRecord,
    Heartbeat,
    HeldDecision,
    InboxItem,
    RunState,
    SignInAttempt,
    SignInFlow,
    SyncProblem,
    SyncRun,
    Trigger,
)
from . import doorbell, heartbeat
from .abandoned import fail_stuck_runs, free_abandoned_leases
from .attempt import fail_runs
from .eligible import eligible_links, why_not
from .schedule import mark_due, number_waiting

log = logging.getLogger("opencrm_ms365.sync")

#: So many rows are deleted in one statement, so that nobody waits long for the database.
CHUNK = 500
HEARTBEATS_KEPT = timedelta(days=1)


def sweep(now: datetime | None = None) -> dict[str, int]:
    """Put right what was missed. Returns what was done, as numbers; all zero in the normal case."""
    now = now or timezone.now()
    heartbeat.beat()
    done = {
        "schedules": doorbell.ensure_schedules(),
        "leases": free_abandoned_leases(now),
        "runs": fail_stuck_runs() + fail_hopeless_requests(),
        "requests": remember_requests(now) + mark_overdue(now),
    }
    done["rung"] = doorbell.ring(number_waiting(now))
    if any(done.values()):
        log.info("Sweep: %s", ", ".join(f"{name} {number}" for name, number in done.items() if number))
    return done


def remember_requests(now: datetime) -> int:
    """Links for which somebody asked for a sync, and that are not due: the request was lost half way."""
    asked = SyncRun.objects.filter(state=RunState.QUEUED).exclude(trigger=Trigger.PREVIEW).values("link")
    return eligible_links().filter(due_at__isnull=True, pk__in=asked).update(due_at=now)


def fail_hopeless_requests() -> int:
    """Requests whose link may not sync any more say so, instead of waiting for ever."""
    asked = SyncRun.objects.filter(state=RunState.QUEUED).exclude(trigger=Trigger.PREVIEW).exclude(
        link__in=eligible_links().values("pk")).select_related("link", "link__user")
    return sum(fail_runs(SyncRun.objects.filter(pk=run.pk), reason)
               for run in asked[:CHUNK] if (reason := why_not(run.link)))


def mark_overdue(now: datetime) -> int:
    """If the ten-minute schedule does not come (lost, switched off by hand), links are marked due all the same."""
    late = now - timedelta(minutes=2 * settings.CYCLE_MINUTES)
    missed = eligible_links().filter(due_at__isnull=True).filter(
        Q(next_run_at__lt=late) | Q(next_run_at__isnull=True, last_run_at__lt=late))
    return mark_due(now) if missed.exists() else 0


# Cleaning up


def prune(now: datetime | None = None) -> dict[str, int]:
    """Delete what is older than `RETENTION_DAYS`: ended runs, solved problems, conflicts, decisions taken, failures of
    our own tasks in Django-Q (it keeps those for ever), and sign-ins that were never ended. Returns numbers by kind."""
    now = now or timezone.now()
    old = now - timedelta(days=settings.RETENTION_DAYS)
    decided = (HeldDecision.State.DISMISSED, HeldDecision.State.DONE)
    rubbish: dict[str, QuerySet[Any]] = {
        "runs": SyncRun.objects.filter(queued_at__lt=old).exclude(state__in=(RunState.QUEUED, RunState.RUNNING)),
        "problems": SyncProblem.objects.filter(resolved_at__lt=old),
        "conflicts": Conflict.objects.filter(at__lt=old),
        "deletions": DeletedRecord.objects.filter(at__lt=old),
        "decisions": HeldDecision.objects.filter(state__in=decided, at__lt=old),
        "touches": CrmTouch.objects.filter(at__lt=old),
        "sign_ins": SignInFlow.objects.filter(expires_at__lt=now),
        "access_keys": AccessKey.objects.filter(expires_at__lt=now),
        "sign_in_attempts": SignInAttempt.objects.filter(at__lt=now - timedelta(days=1)),
        "preview_items": InboxItem.objects.exclude(preview="").filter(pulled_at__lt=now - timedelta(days=1)),
        "heartbeats": Heartbeat.objects.filter(at__lt=now - HEARTBEATS_KEPT),
    }
    if apps.is_installed("django_q"):
        from django_q.models import Task

        rubbish["task_failures"] = Task.objects.filter(
            success=False, stopped__lt=old, func__startswith=f"{doorbell.TASKS}.")
    return {name: _delete(rows) for name, rows in rubbish.items()}


def _delete(rows: QuerySet[Any]) -> int:
    deleted = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:CHUNK]):
        deleted += rows.model._default_manager.filter(pk__in=keys).delete()[0]
    return deleted
