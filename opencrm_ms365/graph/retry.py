"""Whether to repeat a request and how long to wait first: pure functions of status, headers and attempt.

What may be repeated differs from what may be waited for. A read may always be repeated. A write may be repeated only
when Microsoft has certainly not carried it out: it said 429, or the request never left. Otherwise its outcome is
unknown and the caller must look first.
Source: Graph docs, "best practices" and "throttling" (facts 11): obey `Retry-After`, else back off exponentially.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Microsoft has refused the request for the sake of load, without carrying it out.
NOT_CARRIED_OUT = frozenset({429, 509})
#: It may work in a moment.
TRANSIENT = frozenset({408, 423, 424, 425, 429, 500, 502, 503, 504, 509})
#: Methods that have the same effect when they are sent twice.
REPEATABLE = frozenset({"GET", "HEAD", "DELETE"})

MAX_ATTEMPTS = 5
MAX_ATTEMPTS_WITHOUT_ANSWER = 4
FIRST_WAIT_S = 1.0
#: A longer `Retry-After` is taken for a mistake: nobody's link stands still for longer than this.
LONGEST_RETRY_AFTER_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait so many seconds, then send the same request again."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not repeat it now. `retry_after_s` is what Microsoft asked for; None if it asked for nothing."""

    retry_after_s: float | None = None


def decide(
    method: str,
    status: int | None,
    headers: Mapping[str, str],
    attempt: int,
    *,
    waited_s: float = 0.0,
    max_wait_s: float = 20.0,
    now: datetime,
    safe: bool | None = None,
    spread: float = 0.5,
) -> Wait | GiveUp:
    """What to do after an answer that was not a success.

    status      None: there was no answer though the request was sent. Use `0` for a request that never left.
    attempt     how many times it was sent by now, from 1.
    waited_s    what the earlier attempts and waits have cost already; all together stays within `max_wait_s`.
    safe        True: repeating does no harm whatever the method says (a batch of reads); None: the method decides.
    spread      between 0 and 1, a random number: keeps many workers from coming back in the same instant.
    """
    asked = retry_after(headers, now)
    repeatable = (method in REPEATABLE) if safe is None else safe
    certain = status == 0 or status in NOT_CARRIED_OUT
    if not (repeatable or certain) or not (not status or status in TRANSIENT):
        return GiveUp(asked)
    if attempt >= (MAX_ATTEMPTS if status else MAX_ATTEMPTS_WITHOUT_ANSWER):
        return GiveUp(asked)
    seconds = asked if asked is not None else back_off(attempt, spread)
    if waited_s + seconds > max_wait_s:
        return GiveUp(asked)
    return Wait(seconds)


def back_off(attempt: int, spread: float = 0.5) -> float:
    """Seconds to wait when Microsoft names no time: doubling, spread by a quarter to both sides."""
    return float(FIRST_WAIT_S * 2 ** (min(attempt, 8) - 1) * (0.75 + 0.5 * spread))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds from a `Retry-After` header; None if there is none or it makes no sense.

    Seen: integers, fractions (`2.128`) and HTTP dates (facts 11). A date is counted from the answer's own `Date`, so
    that a wrong clock on this side does not matter.
    """
    text = _header(headers, "Retry-After")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        at = _date(text)
        if at is None:
            return None
        seconds = (at - (_date(_header(headers, "Date")) or now)).total_seconds()
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def _header(headers: Mapping[str, str], name: str) -> str:
    for key, value in headers.items():
        if key.lower() == name.lower():
            return value.strip()
    return ""


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
