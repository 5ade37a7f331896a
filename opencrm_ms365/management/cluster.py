"""The child of `ms365_worker`: a Django-Q cluster that would rather end than hang.

A cluster one of whose processes is killed may hang for good with all others alive, because the dead one takes the
lock of a queue with it. So ours ends at the first unexpected death, with `DIED`, and its supervisor starts it again.
Besides, it has its workers beat: the pusher slips a small task in among those that it takes from the broker, so that
only a cluster that really takes tasks and runs them shows signs of life.

Django-Q's `Sentinel` is no public API: `check_django_q` says so when a release has changed what is relied on here.
"""

from __future__ import annotations

import ctypes
import inspect
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.sharedctypes import RawValue
from typing import Any

from django.db import DatabaseError
from django.utils import timezone
from django_q import cluster
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.pusher import pusher
from django_q.signals import post_spawn
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from ..sync import doorbell, heartbeat, schedule

log = logging.getLogger("opencrm_ms365.worker")

#: Exit code of a cluster that ended itself because one of its processes died.
DIED = 70
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36        # prctl(2)
RELIED_ON = {
    "__init__": ("self", "stop_event", "start_event", "cluster_id", "broker", "timeout", "start"),
    "reincarnate": ("self", "process"),
    "spawn_pusher": ("self",),
    "spawn_process": ("self", "target", "args"),
}


def check_django_q() -> str:
    """What keeps this version of Django-Q from being supervised, as a sentence; empty if nothing does."""
    for name, parameters in RELIED_ON.items():
        method = getattr(cluster.Sentinel, name, None)
        if method is None or tuple(inspect.signature(method).parameters) != parameters:
            return (f"This version of django-q2 cannot be supervised: its Sentinel.{name} is not as expected. Install "
                    "django-q2 1.11, or run `manage.py qcluster` under a service manager that restarts it.")
    return ""


class Beating:
    """A broker that now and then hands out, besides what it has, a task that does nothing but show life."""

    def __init__(self, broker: Any, beat_s: float) -> None:
        self._broker, self._beat_s, self._next = broker, beat_s, 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    def dequeue(self) -> Any:
        tasks = self._broker.dequeue()
        if time.monotonic() < self._next:
            return tasks
        self._next = time.monotonic() + self._beat_s
        return [*(tasks or ()), (None, _beat_task())]


def _beat_task() -> str:
    name, number = uuid()
    return str(SignedPackage.dumps({
        "id": number, "name": name, "func": f"{doorbell.TASKS}.beat", "args": (), "kwargs": {}, "save": False,
        "started": timezone.now()}))


class StopEvent:
    """The event that asks a sentinel to stop; each wait for it is one turn of the sentinel's loop."""

    def __init__(self, event: Any, each_turn: Callable[[], None]) -> None:
        self._event, self._each_turn = event, each_turn

    def is_set(self) -> bool:
        return bool(self._event.is_set())

    def wait(self, timeout: float | None = None) -> bool:
        self._each_turn()
        return bool(self._event.wait(timeout))


class WatchfulSentinel(cluster.Sentinel):
    """Ends the whole cluster when one of its processes dies, or its own parent.

    `pulse` is shared with the process above, which sees there when this one last turned: it hangs for ever when a
    worker is killed just while it holds its timer's lock, and the other workers go on beating.
    """

    beat_s = 20.0
    pulse: Any = None

    def __init__(self, stop_event: Any, start_event: Any, *args: Any, **kwargs: Any) -> None:
        self._next_beat = 0.0
        schedule.stopping = stop_event.is_set       # the workers are forked from here: between two links they look
        super().__init__(StopEvent(stop_event, self.each_turn), start_event, *args, **kwargs)

    def reincarnate(self, process: Any) -> None:
        """Replace what ended as it should (recycled, timed out, broker lost); for anything else end the cluster."""
        if process.exitcode not in (None, 0):
            self.end(f"the process {process.pid} died ({process.exitcode})")
        super().reincarnate(process)

    def spawn_pusher(self) -> Any:
        return self.spawn_process(pusher, self.task_queue, self.event_out, Beating(self.broker, self.beat_s))

    def each_turn(self) -> None:
        self.pulse.value = time.monotonic()
        if os.getppid() != self.parent_pid:
            self.end("the process above it died")
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + self.beat_s
            if all(worker.timer.value > 0 for worker in self.pool):
                self._beat_for_busy_workers()

    def _beat_for_busy_workers(self) -> None:
        """Nobody is free to beat, and each task's time-out is watched: that is no hanging."""
        try:
            heartbeat.stamp("busy")
        except DatabaseError as error:
            log.warning("The heartbeat could not be written: %s", type(error).__name__)

    def end(self, why: str) -> None:
        log.critical("The cluster ends, because %s", why)
        for process in [*self.pool, self.monitor, self.pusher]:
            if process is not None:
                process.kill()
        os._exit(DIED)


def run_cluster(supervisor: int, beat_s: float, silence_s: float) -> int:
    """Run a cluster in this process, a child of `supervisor` and the leader of a session. Returns the exit code.

    `silence_s` is how long its sentinel may stand still. The signals of `SIGNALS` are blocked on entry; one that
    arrives during the start is obeyed right after it.
    """
    die_with_parent(supervisor)
    descendants_die_with_parents()
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    doorbell.ensure_schedules()
    async_task(f"{doorbell.TASKS}.sweep", **doorbell.UNSAVED)       # at once, not in half a minute
    WatchfulSentinel.beat_s, WatchfulSentinel.pulse = beat_s, RawValue("d", time.monotonic())
    cluster.Sentinel = WatchfulSentinel
    running = cluster.Cluster()
    running.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    while running.sentinel.is_alive():
        if os.getppid() != supervisor:
            os.killpg(0, signal.SIGKILL)
        if time.monotonic() - WatchfulSentinel.pulse.value > silence_s:
            log.critical("The cluster ends, because its sentinel has stood still for %g seconds", silence_s)
            return DIED
        time.sleep(Conf.GUARD_CYCLE)
    code = running.sentinel.exitcode
    return int(code) if code is not None and code >= 0 else DIED


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

# Processes that end with their parents, and parents that adopt


def _prctl(option: int, value: int) -> None:
    """Ask the kernel; elsewhere than on Linux the loops above watch the parents instead."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, and end now if it has ended already."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(DIED)


def adopt_orphans() -> None:
    """Have orphans among the descendants become children of this process, so that it can wait for their end."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


_forking = {"parent": 0, "armed": False}


def descendants_die_with_parents() -> None:
    """From now on every fork ends with its parent; but not what a worker's own tasks fork."""
    _forking["armed"] = True
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
    post_spawn.connect(_disarm, weak=False)


def _before_fork() -> None:
    _forking["parent"] = os.getpid()


def _after_fork() -> None:
    if _forking["armed"]:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        die_with_parent(_forking["parent"])


def _disarm(**kwargs: Any) -> None:
    """In a worker: the kernel counts the death of the forking thread as the parent's, and tasks may use threads."""
    _forking["armed"] = False
