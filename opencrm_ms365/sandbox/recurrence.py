"""Recurrence: what may be asked for, and on which days a series takes place (facts 6.6). Days only, no times.

The rules are Outlook's: a day of the month past its end falls on the last day, and a relative pattern has one
occurrence in each period. Unused values are filled in as answers show them.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from itertools import islice
from typing import Any

from . import zones
from .refusal import Refusal

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = ("first", "second", "third", "fourth", "last")
NEEDED = {
    "daily": (), "weekly": ("daysOfWeek",), "absoluteMonthly": ("dayOfMonth",), "relativeMonthly": ("daysOfWeek",),
    "absoluteYearly": ("dayOfMonth", "month"), "relativeYearly": ("daysOfWeek", "month"),
}
NO_DATE = "0001-01-01"
_MOST_PERIODS = 20_000      # a pattern without any day must come to an end, too


def stored(sent: Mapping[str, Any], start: Mapping[str, str]) -> dict[str, Any]:
    """A recurrence as it is kept, unused values filled. `start`: of the event. Raises `Refusal` (400)."""
    pattern, span = sent.get("pattern") or {}, sent.get("range") or {}
    if not pattern or not span:
        raise _bad("A recurrence needs a pattern and a range.")
    kept = {"pattern": _pattern(pattern), "range": _range(span, start)}
    first(kept)
    return kept


def first(recurrence: Mapping[str, Any]) -> date:
    """The day of the first occurrence. Raises `Refusal` (400) when there is none at all."""
    found = next(days(recurrence), None)
    if found is None:
        raise Refusal(400, "ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrences in its range.")
    return found


def days(recurrence: Mapping[str, Any]) -> Iterator[date]:
    """The days of the occurrences, earliest first; without end for a series that has none (up to the year 9999)."""
    span = recurrence["range"]
    begin = date.fromisoformat(span["startDate"])
    last = date.fromisoformat(span["endDate"]) if span["type"] == "endDate" else date.max
    found: Iterator[date] = (day for day in _candidates(recurrence["pattern"], begin) if day >= begin)
    if span["type"] == "numbered":
        found = islice(found, span["numberOfOccurrences"])
    for day in found:
        if day > last:
            return
        yield day


def _candidates(pattern: Mapping[str, Any], begin: date) -> Iterator[date]:
    try:
        for number in range(_MOST_PERIODS):
            yield from _period(pattern, begin, number * pattern["interval"])
    except (ValueError, OverflowError):
        return      # the calendar ends with the year 9999


def _period(pattern: Mapping[str, Any], begin: date, step: int) -> list[date]:
    """The days of one period, `step` days, weeks, months or years after that of the begin."""
    kind = pattern["type"]
    if kind == "daily":
        return [begin + timedelta(days=step)]
    if kind == "weekly":
        week = begin - timedelta(days=(begin.weekday() - DAYS.index(pattern["firstDayOfWeek"])) % 7)
        week += timedelta(weeks=step)
        return [day for day in (week + timedelta(days=n) for n in range(7)) if DAYS[day.weekday()]
                in pattern["daysOfWeek"]]
    if kind.endswith("Monthly"):
        months = begin.year * 12 + begin.month - 1 + step
        year, month = divmod(months, 12)
        month += 1
    else:
        year, month = begin.year + step, pattern["month"]
    return [_in_month(pattern, year, month)]


def _in_month(pattern: Mapping[str, Any], year: int, month: int) -> date:
    length = monthrange(year, month)[1]
    if pattern["type"].startswith("absolute"):
        return date(year, month, min(pattern["dayOfMonth"], length))
    found = [day for day in (date(year, month, n) for n in range(1, length + 1))
             if DAYS[day.weekday()] in pattern["daysOfWeek"]]
    return found[-1] if pattern["index"] == "last" else found[INDEXES.index(pattern["index"])]


def _pattern(sent: Mapping[str, Any]) -> dict[str, Any]:
    kind = sent.get("type")
    if kind not in NEEDED:
        raise _bad("The type of the recurrence pattern is missing.")
    missing = [name for name in NEEDED[kind] if not sent.get(name)]
    if missing:
        raise _bad(f"The recurrence pattern '{kind}' needs '{missing[0]}'.")
    limits = {"interval": (1, 999, 1), "dayOfMonth": (0, 31, 0), "month": (0, 12, 0)}
    numbers = {}
    for name, (lowest, highest, default) in limits.items():
        numbers[name] = sent[name] if sent.get(name) is not None else default
        if not lowest <= numbers[name] <= highest:      # ignored ones are validated all the same
            raise _bad(f"The value {numbers[name]} of '{name}' in the recurrence pattern is out of range.")
    if "interval" not in sent:
        raise _bad("The recurrence pattern needs 'interval'.")
    return {"type": kind, "interval": numbers["interval"], "month": numbers["month"],
            "dayOfMonth": numbers["dayOfMonth"], "daysOfWeek": list(sent.get("daysOfWeek") or ()),
            "firstDayOfWeek": sent.get("firstDayOfWeek") or "sunday", "index": sent.get("index") or "first"}


def _range(sent: Mapping[str, Any], start: Mapping[str, str]) -> dict[str, Any]:
    kind, begin = sent.get("type"), sent.get("startDate")
    if kind is None or begin is None:
        raise _bad("A recurrence range needs 'type' and 'startDate'.")
    if begin != start["dateTime"][:10]:
        raise _bad("The start date of the recurrence range must be the date of the event's start.")
    count, end = sent.get("numberOfOccurrences") or 0, sent.get("endDate") or NO_DATE
    if kind == "numbered" and count < 1:
        raise _bad("A numbered recurrence range needs 'numberOfOccurrences' above 0.")
    if kind == "endDate" and end < begin:
        raise _bad("The end date of the recurrence range is missing or before its start date.")
    zone = zones.windows_name(sent.get("recurrenceTimeZone") or start["timeZone"])
    return {"type": kind, "startDate": begin, "endDate": end if kind == "endDate" else NO_DATE,
            "recurrenceTimeZone": zone, "numberOfOccurrences": count if kind == "numbered" else 0}


def _bad(message: str) -> Refusal:
    return Refusal(400, "ErrorPropertyValidationFailure", message)
