"""How a series recurs: Microsoft's `patternedRecurrence` as our value and back. Pure.

Outlook has one occurrence in each month or year, and moves a day that a month does not have to its last one. What it
cannot say is `Inexpressible`: a series is never made into another one. Source: facts 6.6.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from ...errors import RecordError
from ...records.base import UNSET, Unset
from ...records.event import EventData
from ...records.recurrence import LAST, LONGEST_MONTH, SHORTEST_MONTH, SUNDAY, Frequency, Recurrence
from ...records.recurrence_text import parse, text_of
from . import zones
from .values import Unreadable

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = {1: "first", 2: "second", 3: "third", 4: "fourth", LAST: "last"}
MAX_INTERVAL = 999
#: One without a 29 February.
COMMON_YEAR = 2025
#: Frequency and whether a day of the week is counted out, by Microsoft's type.
TYPES = {
    "daily": (Frequency.DAILY, False), "weekly": (Frequency.WEEKLY, False),
    "absoluteMonthly": (Frequency.MONTHLY, False), "relativeMonthly": (Frequency.MONTHLY, True),
    "absoluteYearly": (Frequency.YEARLY, False), "relativeYearly": (Frequency.YEARLY, True),
}


class Inexpressible(RecordError):
    """One side has no words for this recurrence, or says it in a way that is not understood here."""


def rule_of(item: Mapping[str, Any], data: EventData) -> str | Unset | None:
    """The RRULE of an event that was read: None for no series, UNSET where it cannot be told.

    data    what was read of its time; the start of the first occurrence.
    """
    recurrence = item.get("recurrence")
    if recurrence is None:
        return None
    if not isinstance(recurrence, Mapping):
        raise Unreadable("recurrence")
    span = recurrence.get("range")
    named = span.get("recurrenceTimeZone") if isinstance(span, Mapping) else None
    zone = zones.to_iana(named if isinstance(named, str) else None) or data.time_zone
    if not isinstance(data.start, date):
        return UNSET
    try:
        return text_of(to_recurrence(recurrence), _local(data.start, zone if isinstance(zone, str) else ""))
    except Inexpressible:
        return UNSET


def rule_json(rule: str | None, when: Mapping[str, Any]) -> dict[str, Any] | None:
    """What to send for an RRULE, with the members `start` and `isAllDay` that go out beside it. None ends a series.

    Raises `Inexpressible`.
    """
    if not rule:
        return None
    if "start" not in when:
        raise Inexpressible("The series has no start.")
    wall, name = datetime.fromisoformat(when["start"]["dateTime"]), when["start"]["timeZone"]
    start = wall.date() if when["isAllDay"] else wall.replace(tzinfo=zones.zone(zones.to_iana(name) or "") or UTC)
    try:
        return to_json(parse(rule, start), wall.date())
    except RecordError as error:
        raise Inexpressible(error.reason) from error


def to_recurrence(recurrence: Mapping[str, Any]) -> Recurrence:
    """The value of what a master has. Its `until` is a day in the zone of the series. Raises `Inexpressible`.

    The values that Microsoft fills in where they are not used (`month: 0`) are not looked at.
    """
    pattern, span = recurrence.get("pattern"), recurrence.get("range")
    if not isinstance(pattern, Mapping) or not isinstance(span, Mapping):
        raise Inexpressible("Microsoft does not say how this series recurs.")
    found = TYPES.get(str(pattern.get("type")))
    if found is None:
        raise Inexpressible("Microsoft describes this series in a way that is not known here.")
    frequency, is_counted = found
    parts: dict[str, Any] = {"interval": _number(pattern, "interval")} | _end(span)
    if frequency is Frequency.WEEKLY:
        parts |= {"weekdays": _weekdays(pattern), "week_start": _week_start(pattern)}
    elif is_counted:
        parts |= _counted(pattern)
    elif frequency is not Frequency.DAILY:
        parts |= {"day": _number(pattern, "dayOfMonth", LONGEST_MONTH), "clamps": True}
    if frequency is Frequency.YEARLY:
        parts["month"] = _number(pattern, "month", 12)
    try:
        return Recurrence(frequency=frequency, **parts)
    except RecordError as error:
        raise Inexpressible(error.reason) from error


def to_json(rule: Recurrence, start: date) -> dict[str, Any]:
    """What to send for a series that starts on that day in its own zone. Raises `Inexpressible`.

    Only what the pattern needs: ignored values are validated all the same.
    """
    if rule.interval > MAX_INTERVAL:
        raise Inexpressible("The recurrence has longer intervals than Outlook knows.")
    span: dict[str, Any] = {"type": "noEnd", "startDate": start.isoformat()}
    if rule.count is not None:
        span |= {"type": "numbered", "numberOfOccurrences": rule.count}
    elif rule.until is not None:
        if rule.until < start:
            raise Inexpressible("The recurrence ends before it starts.")
        span |= {"type": "endDate", "endDate": rule.until.isoformat()}
    return {"pattern": {"interval": rule.interval, **_pattern(rule)}, "range": span}


def check_zone(when: Mapping[str, Any], time_zone: str | None) -> None:
    """Raises `Inexpressible` where a series would be written in UTC: daylight saving would move it (facts 6.3).

    when        the members `start` and `isAllDay` as they go out, `{}` if they do not.
    time_zone   the zone that is meant.
    """
    is_utc = bool(when) and not when["isAllDay"] and when["start"]["timeZone"] == zones.UTC_NAME
    if is_utc and not zones.same_zone(time_zone, zones.UTC_NAME):
        raise Inexpressible("Outlook cannot hold this series: it has no time zone that Outlook knows, or begins in an "
                            "hour that the clocks show twice.")


def _local(start: date, zone: str) -> date:
    """The start as the rule counts it: an instant in the zone of the series, or the day."""
    return start.astimezone(zones.zone(zone) or UTC) if isinstance(start, datetime) else start


def _pattern(rule: Recurrence) -> dict[str, Any]:
    names = [DAYS[day] for day in rule.weekdays]
    if rule.frequency is Frequency.DAILY:
        return {"type": "daily"}
    if rule.frequency is Frequency.WEEKLY:
        return {"type": "weekly", "daysOfWeek": names, "firstDayOfWeek": DAYS[rule.week_start]}
    period = "Monthly" if rule.frequency is Frequency.MONTHLY else "Yearly"
    month = {} if rule.month is None else {"month": rule.month}
    if rule.position is not None:
        return {"type": f"relative{period}", "daysOfWeek": names, "index": INDEXES[rule.position], **month}
    if rule.day == LONGEST_MONTH and rule.clamps:  # documented, other than what becomes of a 31 in a shorter month
        return {"type": f"relative{period}", "daysOfWeek": list(DAYS), "index": INDEXES[LAST], **month}
    if rule.day is not None and not rule.clamps and rule.day > _surely(rule.month):
        raise Inexpressible("Not every month has the day of this recurrence: Outlook takes the last day instead, and "
                            "the rule takes none.")
    return {"type": f"absolute{period}", "dayOfMonth": rule.day, **month}


def _surely(month: int | None) -> int:
    """So many days the month of a yearly series has in any year; each month, where it is in all of them."""
    return SHORTEST_MONTH if month is None else monthrange(COMMON_YEAR, month)[1]


def _counted(pattern: Mapping[str, Any]) -> dict[str, Any]:
    """The first of any day is the first of the month, the last of any day its last one."""
    weekdays, index = _weekdays(pattern), str(pattern.get("index") or "first")
    position = next((number for number, name in INDEXES.items() if name == index.lower()), None)
    if position is None:
        raise Inexpressible("Microsoft describes this series in a way that is not known here.")
    if len(weekdays) < len(DAYS):
        return {"weekdays": weekdays, "position": position}
    return {"day": LONGEST_MONTH if position == LAST else position, "clamps": True}


def _weekdays(pattern: Mapping[str, Any]) -> tuple[int, ...]:
    named = pattern.get("daysOfWeek")
    names = [str(name).lower() for name in named] if isinstance(named, list) else []
    if not names or not set(names) <= set(DAYS):
        raise Inexpressible("Microsoft does not say on which days of the week this series takes place.")
    return tuple(map(DAYS.index, names))


def _week_start(pattern: Mapping[str, Any]) -> int:
    name = str(pattern.get("firstDayOfWeek") or DAYS[SUNDAY]).lower()
    return DAYS.index(name) if name in DAYS else SUNDAY


def _end(span: Mapping[str, Any]) -> dict[str, Any]:
    kind = span.get("type")
    if kind == "noEnd":
        return {}
    if kind == "numbered":
        return {"count": _number(span, "numberOfOccurrences")}
    try:
        if kind == "endDate":
            return {"until": date.fromisoformat(str(span.get("endDate")))}
    except ValueError:
        pass
    raise Inexpressible("Microsoft does not say how long this series goes on.")


def _number(values: Mapping[str, Any], name: str, highest: int | None = None) -> int:
    number = values.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or number < 1 or (highest and number > highest):
        raise Inexpressible(f"Microsoft's description of this series has no usable {name}.")
    return number
