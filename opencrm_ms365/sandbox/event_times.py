"""The times of an event: kept as wall-clock time in the zone in which they were written (facts 6.3).

A stored time is `{"dateTime": "2026-11-22T10:00:00.0000000", "timeZone": "W. Europe Standard Time"}`, always with the
Windows name and seven digits. All-day events are midnight to midnight and are never converted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from . import zones
from .refusal import Refusal

_WALL = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,7})\d*)?)?)?(Z?)")
CUSTOM_ZONE = "tzone://Microsoft/Custom"       # in answers only (facts 6.2): no write takes it


def stored(name: str, sent: Mapping[str, Any] | None) -> dict[str, str]:
    """A time as it is kept. Raises `Refusal` (400) for what is none, and for an unknown zone."""
    text = (sent or {}).get("dateTime") or ""
    match = _WALL.fullmatch(text)
    zone = zones.windows_name((sent or {}).get("timeZone") or "UTC")
    try:
        if match is None or (match[5] and zone != "UTC"):
            raise ValueError
        day, minute, second, fraction = match[1], match[2] or "00:00", match[3] or "00", match[4] or ""
        datetime.fromisoformat(f"{day}T{minute}:{second}")
    except ValueError:
        # An offset inside dateTime is an error of the caller: the zone says it.
        raise Refusal(400, "ErrorPropertyValidationFailure",
                      f"The value of '{name}.dateTime' is not a valid date and time.") from None
    return {"dateTime": f"{day}T{minute}:{second}.{fraction:0<7}", "timeZone": zone}


def wall(time: Mapping[str, str]) -> datetime:
    """The wall-clock time, without zone and to the second."""
    return datetime.fromisoformat(time["dateTime"][:19])


def instant(time: Mapping[str, str]) -> datetime:
    """The instant in UTC; of an all-day event, midnight in the zone in which it was made."""
    return zones.to_utc(wall(time), time["timeZone"])


def of_wall(moment: datetime, zone: str) -> dict[str, str]:
    """A stored time of a wall-clock time."""
    return {"dateTime": moment.strftime("%Y-%m-%dT%H:%M:%S.0000000"), "timeZone": zone}


def shown(time: Mapping[str, str], zone: str, *, is_all_day: bool) -> dict[str, str]:
    """A time as answers show it, in the zone of the preference; an all-day date stays what it is."""
    if is_all_day:
        return {"dateTime": time["dateTime"], "timeZone": zone}
    moment = zones.to_wall(instant(time), zone)
    return {"dateTime": moment.strftime("%Y-%m-%dT%H:%M:%S") + time["dateTime"][19:], "timeZone": zone}


def check_span(start: Mapping[str, str], end: Mapping[str, str], *, is_all_day: bool) -> None:
    """Raises `Refusal` (400): the end before the start, an all-day event that is not midnight to midnight."""
    if is_all_day:
        for name, time in (("Start", start), ("End", end)):
            if time["dateTime"][11:] != "00:00:00.0000000":
                raise Refusal(400, "ErrorInvalidRequest",
                              f"The Event.{name} property for an all-day event needs to be set to midnight.")
        if start["timeZone"] != end["timeZone"]:
            raise Refusal(400, "ErrorInvalidRequest", "The Event.Start and Event.End properties of an all-day event "
                          "need to be in the same time zone.")
        if wall(end) - wall(start) < timedelta(days=1):
            raise Refusal(400, "ErrorInvalidRequest", "The duration of an all-day event must be at least 24 hours.")
    elif instant(end) < instant(start):
        raise Refusal(400, "ErrorCalendarEndDateIsEarlierThanStartDate",
                      "The end date of the event is earlier than its start date.")


def parse_bound(text: str) -> datetime:
    """`startDateTime` or `endDateTime` of a query: ISO with an offset, or UTC. Raises `Refusal` (400)."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))     # an offset's plus sign that was not encoded
    except ValueError:
        raise Refusal(400, "ErrorInvalidParameter", f"The date and time '{text}' of the time window is not valid."
                      ) from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def meets(start_at: datetime, end_at: datetime, window: tuple[datetime, datetime]) -> bool:
    """Whether a span of time is in the window at least with a part; a moment counts when it is in it."""
    first, last = window
    return start_at < last and (end_at > first or start_at == end_at == first)
