"""Microsoft's limits for each app and mailbox: requests in a time, and requests at the same time (facts 11)."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .injection import retry_after_text
from .refusal import Refusal

if TYPE_CHECKING:
    from .simulator import Sandbox

Key = tuple[str, str]       # client id, account id


class Throttle:
    """The counters of all apps and mailboxes. They live as long as the process: no state file keeps them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrivals: dict[Key, deque[float]] = {}
        self._running: dict[Key, int] = {}
        self.highest_concurrency: dict[Key, int] = {}

    def arrive(self, sandbox: Sandbox, key: Key) -> None:
        """Count a request, refused ones too. Raises `Refusal` (429) beyond the rate."""
        options = sandbox.options
        now = sandbox.clock.now().timestamp()
        with self._lock:
            arrivals = self._arrivals.setdefault(key, deque())
            while arrivals and arrivals[0] <= now - options.rate_window_s:
                arrivals.popleft()
            arrivals.append(now)
            is_over = options.throttling and len(arrivals) > options.rate_limit
            wait_s = arrivals[len(arrivals) - options.rate_limit - 1] + options.rate_window_s - now if is_over else 0.0
        if is_over:
            raise too_many_requests(sandbox, max(1.0, round(wait_s + 0.5)))

    @contextmanager
    def slots(self, sandbox: Sandbox, key: Key, wanted: int) -> Iterator[int]:
        """Hold up to `wanted` of the mailbox's concurrent requests; yields how many there were to have."""
        with self._lock:
            running = self._running.get(key, 0)
            limit = sandbox.options.concurrency_limit if sandbox.options.throttling else running + wanted
            got = max(0, min(wanted, limit - running))
            self._running[key] = running + got
            self.highest_concurrency[key] = max(self.highest_concurrency.get(key, 0), running + got)
        try:
            yield got
        finally:
            with self._lock:
                self._running[key] -= got

    def reset(self) -> None:
        """Forget the arrivals, not the requests that are running."""
        with self._lock:
            self._arrivals.clear()
            self.highest_concurrency.clear()


def too_many_requests(sandbox: Sandbox, seconds: float) -> Refusal:
    """429 as Graph's front end says it."""
    return Refusal(429, "TooManyRequests", "Please retry again later.", headers=_retry_after(sandbox, seconds),
                   inner={"code": "429", "message": "Please retry after", "status": "429"})


def over_concurrency(sandbox: Sandbox) -> Refusal:
    """429 as Exchange says it."""
    return Refusal(429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.",
                   headers=_retry_after(sandbox, sandbox.options.retry_after_s))


def _retry_after(sandbox: Sandbox, seconds: float) -> dict[str, str]:
    if sandbox.options.retry_after_form == "absent":
        return {}
    return {"Retry-After": retry_after_text(sandbox, seconds)}
