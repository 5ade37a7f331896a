"""The edge to Django-Q: schedules that start the work, and queued tasks that say `there is work now`.

A task is a doorbell only. What is due, attempted and waiting stands in our own rows; a task that is lost, late or run
twice changes nothing. Tasks carry ids only, because Django-Q shows their arguments in its admin.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import connections, router, transaction
from django.utils import timezone

from ..conf import settings
from . import heartbeat

log = logging.getLogger("opencrm_ms365.sync")

TASKS = "opencrm_ms365.tasks"
#: Ours come each minute; kept, their successes would push the project's own out of Django-Q's list.
UNSAVED = {"save": False}


@dataclass(frozen=True, slots=True)
class Timetable:
    """One of our schedules: its name, the task, and how often it runs, in minutes."""

    name: str
    task: str
    minutes: int


def timetables() -> tuple[Timetable, ...]:
    return (
        Timetable("Microsoft 365: cycle", f"{TASKS}.cycle", int(settings.CYCLE_MINUTES)),
        Timetable("Microsoft 365: sweep", f"{TASKS}.sweep", 1),
        Timetable("Microsoft 365: clean up", f"{TASKS}.prune", 60),
    )


def ensure_schedules() -> int:
    """Make our schedules stand in the database as they should, once each. Returns how many rows were put right.

    Two machines may do it at the same moment and both insert: names are not unique in Django-Q. The surplus goes the
    next time, and a task too many harms nothing.
    """
    from django_q.models import Schedule

    mended, now = 0, timezone.now()
    for timetable in timetables():
        wanted: dict[str, Any] = {
            "func": timetable.task, "schedule_type": Schedule.MINUTES, "minutes": timetable.minutes, "repeats": -1,
            "args": None, "kwargs": f"q_options={UNSAVED!r}", "hook": None}
        rows = list(Schedule.objects.filter(name=timetable.name).order_by("pk"))
        if not rows:
            Schedule.objects.create(name=timetable.name, next_run=now, **wanted)
            mended += 1
            continue
        first, surplus = rows[0], rows[1:]
        if surplus:
            mended += Schedule.objects.filter(pk__in=[row.pk for row in surplus]).delete()[0]
        latest = now + timedelta(minutes=timetable.minutes)
        if first.next_run is None or first.next_run > latest:
            wanted["next_run"] = latest
        if any(getattr(first, field) != value for field, value in wanted.items()):
            mended += Schedule.objects.filter(pk=first.pk).update(**wanted)
    return mended


def ensure_schedules_after_migrate(sender: Any = None, using: str = "default", **kwargs: Any) -> None:
    """Receiver of `post_migrate`; does nothing where Django-Q's tables are in another database or not there yet."""
    if not apps.is_installed("django_q"):
        return
    from django_q.models import Schedule

    if router.db_for_write(Schedule) != using:
        return
    with connections[using].cursor() as cursor:
        if Schedule._meta.db_table not in connections[using].introspection.table_names(cursor):
            return
    ensure_schedules()


def ring(wanted: int = 1) -> int:
    """Queue up to `wanted` tasks that work on what is due. Returns how many were queued.

    No more than one for each worker waits in the queue: each of them takes whatever is due when its turn comes.
    Not for use while a page is served: `ring_soon`.
    """
    from django_q.brokers import get_broker
    from django_q.conf import Conf
    from django_q.tasks import async_task

    most = max(int(Conf.WORKERS), heartbeat.workers())
    waiting = 0 if Conf.SYNC else int(get_broker().queue_size() or 0)
    number = max(0, min(wanted, most - waiting))
    for _turn in range(number):
        async_task(f"{TASKS}.work", **UNSAVED)
    return number


def ring_soon() -> None:
    """Ring when the current transaction has committed. A broker that is down stops nobody: the sweep comes anyway."""
    transaction.on_commit(ring, robust=True)


def ring_for_preview(run_id: int) -> None:
    """Queue the task of one preview when the current transaction has committed."""
    from django_q.tasks import async_task

    def ring_now() -> None:
        async_task(f"{TASKS}.preview", run_id, **UNSAVED)

    transaction.on_commit(ring_now, robust=True)
