"""Whether background workers live: each stamps a row while it works, and an idle one when it is asked to.

A cluster can hang with all its processes alive, so only a task that really ran counts as a sign of life.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..conf import settings
from ..models import Heartbeat
from . import process

IDLE = "idle"
SYNCING = "syncing"


def stamp(doing: str, now: datetime | None = None) -> None:
    """Note that this process lives. One statement, which is safe in a transaction and from several threads."""
    now = now or timezone.now()
    row = Heartbeat(name=process.identity(), at=now, doing=doing)
    Heartbeat.objects.bulk_create([row], update_conflicts=True, unique_fields=["name"], update_fields=["at", "doing"])


def beat() -> None:
    """The sign of life of a worker that has nothing to do."""
    stamp(IDLE)


def last_seen() -> datetime | None:
    """The newest sign of life of any worker, None if there never was one."""
    newest = Heartbeat.objects.order_by("-at").values_list("at", flat=True).first()
    return newest


def workers(now: datetime | None = None) -> int:
    """How many worker processes gave a sign of life within `HEARTBEAT_S`, those left out that are known to be dead."""
    since = (now or timezone.now()) - timedelta(seconds=settings.HEARTBEAT_S)
    names = Heartbeat.objects.filter(at__gte=since).values_list("name", flat=True)
    return sum(not process.is_dead(name) for name in names)


def alive(now: datetime | None = None) -> bool:
    """Whether some worker gave a sign of life within `HEARTBEAT_S`, and is not known to be dead."""
    return workers(now) > 0


def sentence(now: datetime | None = None) -> str:
    """For people: whether background work is being done, and what to do if it is not."""
    now, seen = now or timezone.now(), last_seen()
    if seen is None:
        return _("The background worker has never run. Start it with: manage.py ms365_worker")
    since = _ago(now - seen)
    if alive(now):
        return _("The background worker is running; it was last seen %(time)s ago.") % {"time": since}
    return _("The background worker has stopped: it was last seen %(time)s ago, and nothing is synced. "
             "Start it with: manage.py ms365_worker") % {"time": since}


def _ago(past: timedelta) -> str:
    seconds = max(0, int(past.total_seconds()))
    if seconds < 120:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = seconds // 60
    if minutes < 120:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 48:
        return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
    return ngettext("%(n)d day", "%(n)d days", hours // 24) % {"n": hours // 24}
