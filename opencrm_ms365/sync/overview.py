"""How the sync of all organisations is doing, in numbers, and what of it needs a person's attention.

It names users and states, never records or what is in them (PRIV-03).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .. import conf
from ..access import activation
from ..access.standstill import standstill
from ..conf import settings
from ..models import HeldDecision, LinkStatus, RunState, SyncProblem, SyncRun, SyncSettings, UserLink
from . import doorbell, heartbeat
from .eligible import eligible_links

RUNS_SHOWN = 5
#: A link that is due for so many cycles is overdue: there are too few workers, or none.
OVERDUE_CYCLES = 2


def overview(now: datetime | None = None) -> dict[str, Any]:
    """Everything as plain values, ready for JSON. `attention` lists sentences; empty when all is well."""
    now = now or timezone.now()
    found: dict[str, Any] = {
        "worker": _worker(now),
        "organisations": list(SyncSettings.objects.order_by("tenant").values("tenant", "enabled", "paused")),
        "links": dict(UserLink.objects.order_by("status").values_list("status").annotate(Count("pk"))),
        "due": _due(now),
        "problems": {
            "records": SyncProblem.objects.filter(resolved_at=None, ignored=False, is_warning=False).count(),
            "held": HeldDecision.objects.filter(state=HeldDecision.State.OPEN).count()},
        "schedules": _schedules(),
        "runs": _last_runs(),
    }
    found["attention"] = list(_attention(found))
    return found


def _worker(now: datetime) -> dict[str, Any]:
    seen = heartbeat.last_seen()
    return {"alive": heartbeat.alive(now), "workers": heartbeat.workers(now),
            "last_seen": seen.isoformat() if seen else None, "sentence": heartbeat.sentence(now)}


def _due(now: datetime) -> dict[str, int]:
    due = eligible_links().due(now)
    longest = due.values_list("due_at", flat=True).first()
    return {
        "now": due.count(),
        "longest_s": int((now - longest).total_seconds()) if longest else 0,
        "under_way": UserLink.objects.filter(lease_until__gte=now).count(),
        "failing": eligible_links().filter(attempts__gt=0, due_at__gt=now).count(),
    }


def _schedules() -> list[dict[str, Any]]:
    if not apps.is_installed("django_q"):
        return []
    from django_q.models import Schedule

    names = [timetable.name for timetable in doorbell.timetables()]
    rows = Schedule.objects.filter(name__in=names).exclude(repeats=0).order_by("name")
    return [{"name": row.name, "minutes": row.minutes, "next_run": row.next_run.isoformat() if row.next_run else None}
            for row in rows]


def _last_runs() -> list[dict[str, Any]]:
    runs = SyncRun.objects.filter(finished_at__isnull=False).select_related("link__user").order_by("-finished_at")
    return [{"user": run.link.user.get_username(), "at": run.finished_at.isoformat() if run.finished_at else None,
             "trigger": run.trigger, "state": run.state, "message": run.message} for run in runs[:RUNS_SHOWN]]


def _attention(found: dict[str, Any]) -> Any:
    for fault in conf.faults():
        yield fault.message
    yield from _of_the_organisations()
    if any(item["enabled"] for item in found["organisations"]) and not found["worker"]["alive"]:
        yield found["worker"]["sentence"]
    missing = {timetable.name for timetable in doorbell.timetables()} - {item["name"] for item in found["schedules"]}
    if missing:
        yield _("Schedules are missing: %(names)s. The background worker makes them when it starts.") % {
            "names": ", ".join(sorted(missing))}
    if found["due"]["longest_s"] > timedelta(minutes=OVERDUE_CYCLES * settings.CYCLE_MINUTES).total_seconds():
        yield _("Links have been waiting for %(minutes)d minutes: there are too few workers, or none.") % {
            "minutes": found["due"]["longest_s"] // 60}
    yield from _of_the_links(found)
    if failing := found["due"]["failing"]:
        yield ngettext("The last sync of %(n)d link failed; it is tried again by itself.",
                       "The last syncs of %(n)d links failed; they are tried again by themselves.", failing) % {
                           "n": failing}
    if records := found["problems"]["records"]:
        yield ngettext("%(n)d record cannot be synced.", "%(n)d records cannot be synced.", records) % {"n": records}
    if held := found["problems"]["held"]:
        yield ngettext("%(n)d decision waits for a person.", "%(n)d decisions wait for a person.", held) % {"n": held}
    if any(run["state"] == RunState.FAILED for run in found["runs"][:1]) and not failing:
        yield _("The last run failed: %(message)s") % {"message": found["runs"][0]["message"]}


def _of_the_organisations() -> Any:
    """Why an organisation that is switched on stands still, or soon will."""
    for row in SyncSettings.objects.filter(enabled=True).order_by("tenant"):
        stands_still = standstill(row)
        if told := stands_still.sentence if stands_still else activation.warning(row):
            yield f"{row.tenant}: {told}" if row.tenant else told


def _of_the_links(found: dict[str, Any]) -> Any:
    if number := found["links"].get(LinkStatus.SIGN_IN_AGAIN):
        yield ngettext("%(n)d user must sign in with Microsoft again.",
                       "%(n)d users must sign in with Microsoft again.", number) % {"n": number}
    if number := found["links"].get(LinkStatus.NO_MAILBOX):
        yield ngettext("%(n)d Microsoft account has no mailbox.", "%(n)d Microsoft accounts have no mailbox.",
                       number) % {"n": number}
