"""Faults on command: what goes wrong with the next requests that match (facts 15.39).

A fault applies to Graph and login requests alike, and to the requests inside a `$batch`. What can happen: a status
instead of the work or after it, waiting, the connection cut before or after the effect, an answer cut in the middle.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


class ConnectionCut(ConnectionResetError):
    """The server lets the connection drop: the client gets no answer."""


@dataclass(slots=True)
class Fault:
    """One fault. `times` counts down; None: for ever. The first `skip` matching requests pass unharmed."""

    method: str = ""
    path: str = ""                                   # regular expression, searched in path and query, without case
    account: str = ""                                # user principal name; empty: anyone's
    status: int | None = None
    code: str = ""                                   # of the error body; empty: the usual one of the status
    body: Any = None                                 # the whole answer body (JSON) instead of the usual error
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: float | str | None = None           # seconds, or the header's text as it is
    after_effect: bool = False                       # the status is answered although the work was done
    cut: Literal["before", "after"] | None = None    # the connection, before or after the effect
    truncate: Literal["json", "length"] | None = None    # half the JSON; "length": less than Content-Length says
    latency_s: float = 0.0
    inner: bool | None = None                        # True: only inside $batch, False: only outside
    times: int | None = 1
    skip: int = 0
    number: int = 0
    hits: int = 0

    @property
    def is_latency_only(self) -> bool:
        return self.status is None and self.cut is None and self.truncate is None

    def matches(self, method: str, target: str, account: str, inner: bool) -> bool:
        """Whether the fault is meant for such a request; `target` is path and query."""
        return ((not self.method or self.method.upper() == method)
                and (not self.account or self.account.lower() == account.lower())
                and (self.inner is None or self.inner == inner)
                and re.search(self.path, target, re.IGNORECASE) is not None)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        done = [f"latency {self.latency_s} s"] if self.latency_s else []
        done += [f"status {self.status}" + (" after the effect" if self.after_effect else "")] if self.status else []
        done += [f"cut {self.cut}"] if self.cut else []
        done += [f"truncated ({self.truncate})"] if self.truncate else []
        return ", ".join(done)


class Faults:
    """The faults that wait. All matching latencies apply, and the first other fault that matches."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._count = 0
        self._sleep = sleep

    def add(self, **what: Any) -> Fault:
        """Add a fault, see `Fault`'s fields; raises `ValueError` for a bad one."""
        try:
            fault = Fault(**what)
            re.compile(fault.path)
        except (TypeError, re.error) as error:
            raise ValueError(f"This is no fault: {error}") from error
        if fault.is_latency_only and not fault.latency_s:
            raise ValueError("A fault needs a status, a cut, a truncation or a latency.")
        with self._lock:
            self._count += 1
            fault.number = self._count
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def remove(self, number: int) -> bool:
        """Take one away; False when it is not there (any more)."""
        with self._lock:
            kept = [fault for fault in self._faults if fault.number != number]
            gone = len(kept) < len(self._faults)
            self._faults = kept
            return gone

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._faults)

    def draw(self, method: str, target: str, account: str = "", *, inner: bool = False) -> list[Fault]:
        """The faults that hit this request, used up by it."""
        drawn: list[Fault] = []
        with self._lock:
            for fault in list(self._faults):
                blow_taken = any(not other.is_latency_only for other in drawn)
                if (not fault.is_latency_only and blow_taken) or not fault.matches(method, target, account, inner):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                drawn.append(fault)
                fault.hits += 1
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
        return drawn

    def wait(self, drawn: list[Fault]) -> None:
        """Sleep for the latencies among them (real time); call it without holding the world's lock."""
        delay_s = sum(fault.latency_s for fault in drawn)
        if delay_s > 0:
            self._sleep(delay_s)
