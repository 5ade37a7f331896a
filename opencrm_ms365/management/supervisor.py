"""The parent of a Django-Q cluster: starts it, watches it, and starts the whole of it again when it ends or hangs."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import FrameType

from django.db import DatabaseError, connections
from django.utils import timezone

from ..models import Heartbeat
from ..sync import process
from .cluster import SIGNALS, adopt_orphans, run_cluster

TURN_S = 0.2
#: How long killed processes may take to vanish.
VANISH_S = 10.0
#: The newest signs of life that are looked at to find one of the own cluster's.
SIGNS = 200


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds. `workers_may_be_silent`: where tasks have no time-out, silent workers may
    be busy ones, and prove nothing.

    A cluster that lived for `steady_s` is started again after `back_off_s`; otherwise the wait doubles each time.
    """

    beat_s: float = 20.0
    silence_s: float = 180.0
    workers_may_be_silent: bool = False
    grace_s: float = 30.0
    back_off_s: float = 1.0
    back_off_most_s: float = 60.0
    steady_s: float = 60.0


class Supervisor:
    """Runs until it gets one of `SIGNALS`. The cluster is its child, in a session and process group of its own."""

    def __init__(self, patience: Patience, say: Callable[[str], None]) -> None:
        self.patience, self.say = patience, say
        self.child = 0
        self.ended: int | None = None       # the child's exit code
        self.asked = 0                      # how often this process was asked to end

    def run(self) -> int:
        """Returns the exit code: 0 when asked to end."""
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        adopt_orphans()
        wait_s = self.patience.back_off_s
        while not self.asked:
            started = time.monotonic()
            self._start()
            why = self._watch()
            self._end()
            if self.asked:
                break
            if time.monotonic() - started >= self.patience.steady_s:
                wait_s = self.patience.back_off_s
            self.say(f"Background work has stopped: {why}. It is started again in {wait_s:g} seconds.")
            self._wait(lambda: bool(self.asked), wait_s)
            wait_s = min(2 * wait_s, self.patience.back_off_most_s)
        self.say("Background work has ended.")
        return 0

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1

    def _start(self) -> None:
        connections.close_all()
        sys.stdout.flush()
        sys.stderr.flush()
        self.ended = None
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        supervisor = os.getpid()
        self.child = os.fork()
        if self.child == 0:
            _be_the_child(self.patience, supervisor)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        self.say(f"Background work has started (process {self.child}).")

    def _watch(self) -> str:
        """Wait until the cluster ends or hangs, or this process is asked to end. Returns why, in words."""
        silence = _Silence(self.child, self.patience)
        while not self.asked:
            if self._has_ended():
                return f"the cluster ended with code {self.ended}"
            if silence.too_long():
                return f"no worker has given a sign of life for {self.patience.silence_s:g} seconds"
            time.sleep(TURN_S)
        return "asked to end"

    def _end(self) -> None:
        """Leave no process of the cluster behind: gently when asked to end, until `grace_s` or a second request."""
        if self.asked and not self._has_ended():
            self._signal(os.kill, signal.SIGTERM)
            asked = self.asked
            if not self._wait(lambda: self._has_ended() or self.asked > asked, self.patience.grace_s):
                self.say("Background work does not end by itself; it is killed. Nothing is lost: it goes on next time.")
        self._wait(lambda: not self._signal(os.killpg, signal.SIGKILL), VANISH_S)
        self._has_ended()

    def _signal(self, send: Callable[[int, int], None], number: int) -> bool:
        """False if there is nobody left to send it to."""
        self._has_ended()
        try:
            send(self.child, number)
        except (ProcessLookupError, PermissionError):      # macOS says so of a group of zombies
            return False
        return True

    def _has_ended(self) -> bool:
        """Take note of children and adopted orphans that ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if pid == self.child:
                self.ended = os.waitstatus_to_exitcode(status)
        return self.ended is not None

    @staticmethod
    def _wait(until: Callable[[], bool], most_s: float) -> bool:
        end = time.monotonic() + most_s
        while not (done := until()) and time.monotonic() < end:
            time.sleep(min(TURN_S, max(0.0, end - time.monotonic())))
        return done


class _Silence:
    """For how long no worker of one cluster has shown that it lives. A database that does not answer proves nothing."""

    def __init__(self, child: int, patience: Patience) -> None:
        self.child, self.most_s, self.proves_nothing = child, patience.silence_s, patience.workers_may_be_silent
        self.last = timezone.now()
        self.noticed = time.monotonic()     # which, unlike the other clock, stands still while the machine sleeps
        self.next_look = 0.0

    def too_long(self) -> bool:
        if self.proves_nothing or time.monotonic() < self.next_look:
            return False
        self.next_look = time.monotonic() + min(5.0, self.most_s / 5)
        try:
            sign = self._last_sign()
        except DatabaseError:
            sign = self.last
        finally:
            connections.close_all()
        if sign is not None:
            self.last, self.noticed = sign, time.monotonic()
        return time.monotonic() - self.noticed > self.most_s

    def _last_sign(self) -> datetime | None:
        machine = process.machine() + process.SEPARATOR
        signs = Heartbeat.objects.filter(name__startswith=machine, at__gt=self.last).order_by("-at")
        for name, at in signs.values_list("name", "at")[:SIGNS]:
            if self._is_ours(name):
                return at
        return None

    def _is_ours(self, name: str) -> bool:
        pid = process.pid_of(name)
        if pid is None:             # processes cannot be told apart here: any of this machine's will do
            return True
        try:
            return os.getsid(pid) == self.child
        except OSError:
            return False


def _be_the_child(patience: Patience, supervisor: int) -> None:
    """Never returns: what stands above in this copy of the process is the parent's business."""
    code = 1
    try:
        os.setsid()
        code = run_cluster(supervisor, patience.beat_s, patience.silence_s)
    except BaseException as error:
        traceback.print_exception(error)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
