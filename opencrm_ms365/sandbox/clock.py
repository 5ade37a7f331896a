"""The simulator's clock: real time plus a shift, or standing still.

Everything in the sandbox that has a date or a lifetime asks this clock, so a test can move it without sleeping.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta


class Clock:
    """Says what time it is in the simulated Microsoft 365. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shift = timedelta(0)
        self._frozen_at: datetime | None = None

    def now(self) -> datetime:
        """The instant, aware and in UTC."""
        with self._lock:
            return self._frozen_at if self._frozen_at is not None else datetime.now(UTC) + self._shift

    def set(self, instant: datetime) -> None:
        """Jump to an instant (aware). A frozen clock stays frozen there, a running one runs on from there."""
        if instant.tzinfo is None:
            raise ValueError("The clock needs an instant with a time zone.")
        instant = instant.astimezone(UTC)
        with self._lock:
            if self._frozen_at is not None:
                self._frozen_at = instant
            else:
                self._shift = instant - datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        """Move forward; a negative number of seconds moves back."""
        with self._lock:
            if self._frozen_at is not None:
                self._frozen_at += timedelta(seconds=seconds)
            else:
                self._shift += timedelta(seconds=seconds)

    def freeze(self, instant: datetime | None = None) -> None:
        """Stand still, now or at the given instant."""
        now = self.now()
        with self._lock:
            self._frozen_at = instant.astimezone(UTC) if instant is not None else now

    def resume(self) -> None:
        """Run again, from where the clock stands."""
        with self._lock:
            if self._frozen_at is not None:
                self._shift = self._frozen_at - datetime.now(UTC)
                self._frozen_at = None


def timestamp(instant: datetime) -> str:
    """An instant as Graph writes a DateTimeOffset of Outlook items: whole seconds, UTC, `Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
