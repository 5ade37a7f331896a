"""A recurrence as the CRM writes it: the RRULE of RFC 5545, section 3.3.10, read and written.

What an RRULE leaves to the start of the event (*weekly*, and nothing else) is filled in when it is read, so the value
says everything. What Outlook cannot do is refused in words that a person understands. Parts that repeat what the start
says (`BYHOUR=9` of an event at nine) do no harm.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import NoReturn

from ..errors import RecordError
from .recurrence import LAST, LONGEST_MONTH, MONDAY, POSITIONS, SHORTEST_MONTH, Frequency, Recurrence

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z?))?")
_KNOWN = frozenset({
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYHOUR", "BYMINUTE",
    "BYSECOND",
})


def parse(text: str, start: date | datetime) -> Recurrence:
    """The value of an RRULE. `start` is the event's: a date, or an aware instant in the zone of the series.

    Raises `RecordError` with a reason for people.
    """
    if isinstance(start, datetime) and start.tzinfo is None:
        raise ValueError("The start must say its zone.")
    parts = _parts(text)
    frequency = _frequency(parts)
    _check_time(parts, start)
    counted = _counted(parts)
    common = {"interval": _number(parts, "INTERVAL", 1), "count": _number(parts, "COUNT"),
              "until": _until(parts, start)}
    match frequency:
        case Frequency.DAILY:
            return _daily(parts, counted, common)
        case Frequency.WEEKLY:
            return _weekly(parts, counted, common, start)
        case _:
            return _monthly(parts, counted, common, start, frequency)


def text_of(rule: Recurrence, start: date | datetime) -> str:
    """The RRULE of a value; the same value has the same text. `start` as in `parse`: `UNTIL` takes its form."""
    parts = [f"FREQ={rule.frequency.name}"]
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    if rule.month is not None:
        parts.append(f"BYMONTH={rule.month}")
    if rule.day is not None:
        parts.append(_monthday_text(rule))
    if rule.weekdays:
        parts.append(_weekday_text(rule))
    if rule.week_start != MONDAY:
        parts.append(f"WKST={WEEKDAYS[rule.week_start]}")
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    if rule.until is not None:
        parts.append(f"UNTIL={_until_text(rule.until, start)}")
    return ";".join(parts)


# Writing

def _monthday_text(rule: Recurrence) -> str:
    if not rule.clamps or rule.day is None:
        return f"BYMONTHDAY={rule.day}"
    if rule.day == LONGEST_MONTH:
        return f"BYMONTHDAY={LAST}"
    days = ",".join(map(str, range(SHORTEST_MONTH, rule.day + 1)))  # the last of those that the month has
    return f"BYMONTHDAY={days};BYSETPOS={LAST}"


def _weekday_text(rule: Recurrence) -> str:
    names = [WEEKDAYS[day] for day in rule.weekdays]
    if rule.position is None:
        return f"BYDAY={','.join(names)}"
    if len(names) == 1:
        return f"BYDAY={rule.position}{names[0]}"
    return f"BYDAY={','.join(names)};BYSETPOS={rule.position}"


def _until_text(until: date, start: date | datetime) -> str:
    if not isinstance(start, datetime):
        return until.strftime("%Y%m%d")
    last = datetime.combine(until, start.timetz().replace(tzinfo=None, microsecond=0), start.tzinfo)
    return last.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


# Reading

def _parts(text: str) -> dict[str, str]:
    line = text.strip().upper()
    if "\n" in line or ":" in line.removeprefix("RRULE:"):
        _refuse("has more than one line: single dates cannot be added to a rule or taken from it")
    found: dict[str, str] = {}
    for part in line.removeprefix("RRULE:").strip(";").split(";"):
        name, equals, value = part.strip().partition("=")
        if not equals or not value or name in found:
            _refuse("is no RRULE")
        found[name] = value.strip()
    for name in found.keys() - _KNOWN:
        _refuse(f"uses {name}, which Outlook does not know" if re.fullmatch("[A-Z-]{1,20}", name) else "is no RRULE")
    return found


def _frequency(parts: Mapping[str, str]) -> Frequency:
    try:
        return Frequency[parts.get("FREQ", "")]
    except KeyError:
        _refuse("is neither daily, weekly, monthly nor yearly")


def _check_time(parts: Mapping[str, str], start: date | datetime) -> None:
    at = start.timetz() if isinstance(start, datetime) else time()
    for name, value in (("BYHOUR", at.hour), ("BYMINUTE", at.minute), ("BYSECOND", at.second)):
        if name in parts and _numbers(parts, name) != [value]:
            _refuse("takes place at other times than the event, which Outlook cannot do")


def _daily(parts: Mapping[str, str], counted: _Counted, common: Mapping[str, object]) -> Recurrence:
    if parts.keys() & {"BYMONTH", "BYMONTHDAY", "BYSETPOS"} or counted.position is not None:
        _refuse("restricts a daily rule to a part of the year, which Outlook cannot do")
    if counted.weekdays and common["interval"] == 1:  # every working day, say
        # Members of Recurrence by name.
        return Recurrence(frequency=Frequency.WEEKLY, weekdays=counted.weekdays, **common)  # type: ignore[arg-type]
    if counted.weekdays:
        _refuse("restricts every so many days to some days of the week, which Outlook cannot do")
    return Recurrence(frequency=Frequency.DAILY, **common)  # type: ignore[arg-type]  # members of Recurrence by name


def _weekly(parts: Mapping[str, str], counted: _Counted, common: Mapping[str, object], start: date) -> Recurrence:
    if parts.keys() & {"BYMONTH", "BYMONTHDAY", "BYSETPOS"} or counted.position is not None:
        _refuse("counts days within a week, or restricts weeks to a part of the year, which Outlook cannot do")
    week_start = parts.get("WKST", WEEKDAYS[MONDAY])
    if week_start not in WEEKDAYS:
        _refuse("names a day of the week that there is not")
    return Recurrence(frequency=Frequency.WEEKLY, weekdays=counted.weekdays or (start.weekday(),),
                      # Members of Recurrence by name.
                      week_start=WEEKDAYS.index(week_start), **common)  # type: ignore[arg-type]


def _monthly(parts: Mapping[str, str], counted: _Counted, common: Mapping[str, object], start: date,
             frequency: Frequency) -> Recurrence:
    month = _month(parts, start, frequency, counted)
    if month is not None and frequency is Frequency.MONTHLY:
        if common["interval"] != 1:
            _refuse("restricts every so many months to one of them, which Outlook cannot do")
        frequency = Frequency.YEARLY
    if counted.weekdays:
        if "BYMONTHDAY" in parts:
            _refuse("wants a day of the week and a day of the month at once, which Outlook cannot do")
        if counted.position is None:
            return _every_week(counted, common, frequency)
        return Recurrence(frequency=frequency, weekdays=counted.weekdays, position=counted.position, month=month,
                          **common)  # type: ignore[arg-type]  # members of Recurrence by name
    day, clamps = _day(parts, start)
    # Members of Recurrence by name.
    return Recurrence(frequency=frequency, day=day, clamps=clamps, month=month, **common)  # type: ignore[arg-type]


def _every_week(counted: _Counted, common: Mapping[str, object], frequency: Frequency) -> Recurrence:
    """Every Monday of each month is every Monday."""
    if frequency is not Frequency.MONTHLY or common["interval"] != 1:
        _refuse("has several days in a month, which Outlook cannot do")
    # Members of Recurrence by name.
    return Recurrence(frequency=Frequency.WEEKLY, weekdays=counted.weekdays, **common)  # type: ignore[arg-type]


def _month(parts: Mapping[str, str], start: date, frequency: Frequency, counted: _Counted) -> int | None:
    months = _numbers(parts, "BYMONTH")
    if len(months) > 1:
        _refuse("takes place in several months of a year, which Outlook cannot do")
    if months:
        return months[0]
    if frequency is Frequency.MONTHLY:
        return None
    if counted.weekdays or "BYMONTHDAY" in parts:
        _refuse("does not say in which month it takes place, which Outlook needs")
    return start.month


def _day(parts: Mapping[str, str], start: date) -> tuple[int, bool]:
    """The day of the month, and whether it is the last one of a shorter month."""
    days, positions = _numbers(parts, "BYMONTHDAY"), _numbers(parts, "BYSETPOS")
    if positions and not days:
        _refuse("is no RRULE")
    if days == [LAST] and positions in ([], [1], [LAST]):
        return LONGEST_MONTH, True
    if not positions and len(days) <= 1:
        day = days[0] if days else start.day
        if day < 0:
            _refuse("counts days from the end of the month, of which Outlook knows the last one only")
        return day, False
    if len(days) == 1 and positions in ([1], [LAST]):
        return days[0], False
    if positions == [LAST] and days[0] <= SHORTEST_MONTH and days == list(range(days[0], days[-1] + 1)):
        return days[-1], True
    _refuse("has several days in a month, which Outlook cannot do")


class _Counted:
    """`BYDAY`, with its numbers or those of `BYSETPOS`: which weekdays, and the how-manieth of them (None: all)."""

    def __init__(self, weekdays: tuple[int, ...], position: int | None) -> None:
        self.weekdays, self.position = weekdays, position


def _counted(parts: Mapping[str, str]) -> _Counted:
    if "BYDAY" not in parts:
        return _Counted((), None)
    found = [_BYDAY.fullmatch(item.strip()) for item in parts["BYDAY"].split(",")]
    if not all(found):
        _refuse("names a day of the week that there is not")
    weekdays = tuple(WEEKDAYS.index(match[2]) for match in found if match)
    numbers = {int(match[1]) if match[1] else None for match in found if match}
    positions = _numbers(parts, "BYSETPOS")
    if len(numbers) > 1 or len(positions) > 1 or (numbers != {None} and (positions or len(weekdays) > 1)):
        _refuse("has several days in a month, which Outlook cannot do")
    position = positions[0] if positions else next(iter(numbers))
    if position is not None and position not in POSITIONS:
        _refuse("counts days of the week further than Outlook, which knows the first four and the last")
    return _Counted(weekdays, position)


def _until(parts: Mapping[str, str], start: date | datetime) -> date | None:
    """The last day on which an occurrence can begin, in the zone of the start."""
    if "UNTIL" not in parts:
        return None
    match = _UNTIL.fullmatch(parts["UNTIL"])
    try:
        day = datetime.strptime(match[1], "%Y%m%d").date() if match else None
        if match and day and match[2] and isinstance(start, datetime):
            last = datetime.strptime(match[1] + match[2], "%Y%m%d%H%M%S")
            local = last.replace(tzinfo=UTC).astimezone(start.tzinfo) if match[3] else last
            begins = start.replace(microsecond=0).time()
            return local.date() if local.time() >= begins else date.fromordinal(local.toordinal() - 1)
    except (ValueError, OverflowError):
        day = None
    if day is None:
        _refuse("ends on a date that there is not")
    return day


def _number(parts: Mapping[str, str], name: str, missing: int | None = None) -> int | None:
    found = _numbers(parts, name)
    if len(found) > 1:
        _refuse("is no RRULE")
    return found[0] if found else missing


def _numbers(parts: Mapping[str, str], name: str) -> list[int]:
    if name not in parts:
        return []
    items = [item.strip() for item in parts[name].split(",")]
    if not all(re.fullmatch(r"[+-]?\d{1,6}", item) for item in items):
        _refuse("is no RRULE")
    return [int(item) for item in items]


def _refuse(why: str) -> NoReturn:
    raise RecordError(f"The recurrence {why}.")
