"""How a series recurs: Microsoft's `patternedRecurrence` to an RFC 5545 RRULE and back. Pure.

The two do not say the same things. Outlook has one occurrence in each month or year and moves a day that a month
does not have to its last one; an RRULE leaves such a month out. What only one of them can say is `Inexpressible`:
a series is never made into another one. Source: facts 6.6, RFC 5545 3.3.10.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

DAYS = {"MO": "monday", "TU": "tuesday", "WE": "wednesday", "TH": "thursday", "FR": "friday", "SA": "saturday",
        "SU": "sunday"}
CODES = {name: code for code, name in DAYS.items()}
INDEXES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
POSITIONS = {name: number for number, name in INDEXES.items()}
#: A year that has no 29 February, and the shortest month of all.
COMMON_YEAR, SHORTEST = 2025, 28
MAX_INTERVAL = 999
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"})


class Inexpressible(ValueError):
    """The other side has no words for this recurrence. `reason` is a full sentence for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def to_rrule(recurrence: Mapping[str, Any], zone: tzinfo | None) -> str:
    """The RRULE, without its name, for a series whose DTSTART is the start of its master. Raises `Inexpressible`.

    zone    of the series, which decides at which instant its last day ends; None for a series of whole days.
    """
    pattern, span = recurrence.get("pattern"), recurrence.get("range")
    if not isinstance(pattern, Mapping) or not isinstance(span, Mapping):
        raise Inexpressible("Microsoft does not say how this series recurs.")
    rule = _pattern_rule(pattern)
    interval = _number(pattern, "interval")
    if interval != 1:
        rule.insert(1, f"INTERVAL={interval}")
    return ";".join([*rule, *_range_rule(span, zone)])


def to_json(rule: str, start: datetime | date) -> dict[str, Any]:
    """Microsoft's recurrence for an RRULE. Raises `Inexpressible`.

    start   of the series: an aware datetime in the zone of the series, or the day for a series of whole days.
    """
    parts = _parts(rule)
    day = start.date() if isinstance(start, datetime) else start
    kind = parts.text("FREQ")
    if kind == "DAILY":
        pattern = _daily(parts)
    elif kind == "WEEKLY":
        pattern = _weekly(parts, day)
    elif kind == "MONTHLY":
        pattern = _monthly(parts, day)
    elif kind == "YEARLY":
        pattern = _yearly(parts, day)
    else:
        raise Inexpressible("Outlook's series recur by days, weeks, months or years only.")
    return {"pattern": {**pattern, "interval": parts.interval}, "range": _range(parts, start, day)}


# From Microsoft

def _pattern_rule(pattern: Mapping[str, Any]) -> list[str]:
    kind = pattern.get("type")
    if kind == "daily":
        return ["FREQ=DAILY"]
    if kind == "weekly":
        first = CODES.get(str(pattern.get("firstDayOfWeek") or "sunday").lower(), "SU")
        return ["FREQ=WEEKLY", f"BYDAY={','.join(_codes(pattern))}", f"WKST={first}"]
    if kind == "absoluteMonthly":
        return ["FREQ=MONTHLY", *_by_month_day(_number(pattern, "dayOfMonth", 31), SHORTEST)]
    if kind == "relativeMonthly":
        return ["FREQ=MONTHLY", *_by_week_day(pattern)]
    if kind == "absoluteYearly":
        month = _number(pattern, "month", 12)
        surely = monthrange(COMMON_YEAR, month)[1]
        return ["FREQ=YEARLY", f"BYMONTH={month}", *_by_month_day(_number(pattern, "dayOfMonth", 31), surely)]
    if kind == "relativeYearly":
        return ["FREQ=YEARLY", f"BYMONTH={_number(pattern, 'month', 12)}", *_by_week_day(pattern)]
    raise Inexpressible("Microsoft describes this series in a way that is not known here.")


def _by_month_day(day: int, surely: int) -> list[str]:
    """A day of the month, the last day where a month is shorter. `surely`: so many days it has in any year."""
    if day <= surely:
        return [f"BYMONTHDAY={day}"]
    return [f"BYMONTHDAY={','.join(map(str, range(surely, day + 1)))}", "BYSETPOS=-1"]


def _by_week_day(pattern: Mapping[str, Any]) -> list[str]:
    """One day in the month: the first, second, third, fourth or last of those that fit."""
    position = POSITIONS.get(str(pattern.get("index") or "first").lower())
    if position is None:
        raise Inexpressible("Microsoft describes this series in a way that is not known here.")
    codes = _codes(pattern)
    if len(codes) == len(DAYS):
        return [f"BYMONTHDAY={position}"]
    if len(codes) == 1:
        return [f"BYDAY={position}{codes[0]}"]
    return [f"BYDAY={','.join(codes)}", f"BYSETPOS={position}"]


def _codes(pattern: Mapping[str, Any]) -> list[str]:
    named = pattern.get("daysOfWeek")
    names = {str(name).lower() for name in named} if isinstance(named, list) else set()
    if not names or not names <= set(CODES):
        raise Inexpressible("Microsoft does not say on which days of the week this series takes place.")
    return [code for code, name in DAYS.items() if name in names]


def _range_rule(span: Mapping[str, Any], zone: tzinfo | None) -> list[str]:
    kind = span.get("type")
    if kind == "noEnd":
        return []
    if kind == "numbered":
        return [f"COUNT={_number(span, 'numberOfOccurrences')}"]
    if kind != "endDate":
        raise Inexpressible("Microsoft does not say how long this series goes on.")
    try:
        last = date.fromisoformat(str(span.get("endDate")))
        if zone is None:
            return [f"UNTIL={last:%Y%m%d}"]
        end = datetime.combine(last, time(23, 59, 59), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Inexpressible("Microsoft does not say how long this series goes on.") from None
    return [f"UNTIL={end:%Y%m%dT%H%M%SZ}"]


def _number(values: Mapping[str, Any], name: str, highest: int = 100_000) -> int:
    number = values.get(name)
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= highest:
        raise Inexpressible(f"Microsoft's description of this series has no usable {name}.")
    return number


# To Microsoft

@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts of an RRULE, read."""

    texts: Mapping[str, str]
    interval: int
    days: tuple[tuple[int, str], ...]      # ordinal (0: none) and code
    month_days: tuple[int, ...]
    months: tuple[int, ...]
    positions: tuple[int, ...]

    def text(self, name: str) -> str:
        return self.texts.get(name, "")


def _parts(rule: str) -> _Parts:
    texts: dict[str, str] = {}
    for part in rule.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in texts:
            raise Inexpressible("This recurrence rule cannot be read.")
        texts[name] = value
    strange = sorted(set(texts) - _KNOWN)
    if strange:
        raise Inexpressible(f"Outlook's series do not know {strange[0]}." if re.fullmatch(r"BY[A-Z]{1,12}", strange[0])
                            else "This recurrence rule cannot be read.")
    interval = _integers(texts, "INTERVAL", 1, MAX_INTERVAL) or (1,)
    days = []
    for entry in texts["BYDAY"].split(",") if "BYDAY" in texts else ():
        found = _BYDAY.fullmatch(entry)
        if found is None or (found[1] and not int(found[1])):
            raise Inexpressible("This recurrence rule cannot be read.")
        days.append((int(found[1] or 0), found[2]))
    return _Parts(texts, interval[0], tuple(dict.fromkeys(days)), _integers(texts, "BYMONTHDAY", -31, 31),
                  _integers(texts, "BYMONTH", 1, 12), _integers(texts, "BYSETPOS", -366, 366))


def _integers(texts: Mapping[str, str], name: str, lowest: int, highest: int) -> tuple[int, ...]:
    if name not in texts:
        return ()
    try:
        numbers = tuple(sorted({int(entry) for entry in texts[name].split(",")}))
    except ValueError:
        raise Inexpressible("This recurrence rule cannot be read.") from None
    if any(not number or not lowest <= number <= highest for number in numbers):
        raise Inexpressible(f"Outlook's series cannot have this {name}.")
    return numbers


def _daily(parts: _Parts) -> dict[str, Any]:
    if parts.month_days or parts.months or parts.positions:
        raise Inexpressible("Outlook's daily series cannot be limited to some months or days of the month.")
    if not parts.days:
        return {"type": "daily"}
    if parts.interval != 1:
        raise Inexpressible("Outlook's series cannot skip days and be limited to some days of the week at once.")
    return {"type": "weekly", "daysOfWeek": _names(parts), "firstDayOfWeek": "monday"}


def _weekly(parts: _Parts, start: date) -> dict[str, Any]:
    if parts.month_days or parts.months or parts.positions:
        raise Inexpressible("Outlook's weekly series cannot be limited to some months or days of the month.")
    first = parts.text("WKST") or "MO"
    if first not in DAYS:
        raise Inexpressible("This recurrence rule cannot be read.")
    names = _names(parts) if parts.days else [list(DAYS.values())[start.weekday()]]
    return {"type": "weekly", "daysOfWeek": names, "firstDayOfWeek": DAYS[first]}


def _names(parts: _Parts) -> list[str]:
    if any(ordinal for ordinal, _code in parts.days):
        raise Inexpressible("A weekly series cannot have numbered days of the week.")
    return [name for code, name in DAYS.items() if (0, code) in parts.days]


def _monthly(parts: _Parts, start: date) -> dict[str, Any]:
    if parts.months:
        if len(parts.months) == 1 and parts.interval == 1:
            return _yearly(parts, start)
        raise Inexpressible("Outlook's series take place in every month or in one month of the year.")
    return _in_month(parts, start, "Monthly", SHORTEST)


def _yearly(parts: _Parts, start: date) -> dict[str, Any]:
    if len(parts.months) > 1:
        raise Inexpressible("Outlook's yearly series take place in one month of the year.")
    if not parts.months and (parts.days or parts.month_days):
        raise Inexpressible("Outlook's yearly series need the month in which they take place.")
    month = parts.months[0] if parts.months else start.month
    return {**_in_month(parts, start, "Yearly", monthrange(COMMON_YEAR, month)[1]), "month": month}


def _in_month(parts: _Parts, start: date, period: str, surely: int) -> dict[str, Any]:
    """The one day in a month. `surely`: so many days that month has in any year."""
    if parts.days and parts.month_days:
        raise Inexpressible("Outlook's series cannot look at the day of the week and of the month at once.")
    if parts.days:
        return _on_week_day(parts, period)
    if parts.positions:
        days = parts.month_days
        if parts.positions == (-1,) and days and days == tuple(range(surely, days[-1] + 1)):
            return {"type": f"absolute{period}", "dayOfMonth": days[-1]}
        raise Inexpressible("Outlook's series cannot count the days of the month in this way.")
    days = parts.month_days or (start.day,)
    if len(days) > 1:
        raise Inexpressible("Outlook's series take place on one day of the month.")
    if days[0] == -1:
        return {"type": f"relative{period}", "daysOfWeek": list(DAYS.values()), "index": "last"}
    if days[0] < 0:
        raise Inexpressible("Outlook's series cannot count days from the end of the month.")
    if days[0] > surely:
        raise Inexpressible("Not every month has this day: Outlook takes the last day instead, and the CRM takes none.")
    return {"type": f"absolute{period}", "dayOfMonth": days[0]}


def _on_week_day(parts: _Parts, period: str) -> dict[str, Any]:
    ordinals = {ordinal for ordinal, _code in parts.days}
    if len(parts.days) == 1 and not parts.positions:
        position = next(iter(ordinals))
    elif ordinals == {0} and len(parts.positions) == 1:
        position = parts.positions[0]
    else:
        raise Inexpressible("Outlook's series take place on one day of the month.")
    if position not in INDEXES:
        raise Inexpressible("Outlook's series know the first four and the last such day of a month.")
    named = {code for _ordinal, code in parts.days}
    return {"type": f"relative{period}", "index": INDEXES[position],
            "daysOfWeek": [name for code, name in DAYS.items() if code in named]}


def _range(parts: _Parts, start: datetime | date, day: date) -> dict[str, Any]:
    count, until = parts.text("COUNT"), parts.text("UNTIL")
    if count and until:
        raise Inexpressible("This recurrence rule cannot be read.")
    if count:
        numbers = _integers(parts.texts, "COUNT", 1, MAX_INTERVAL)
        return {"type": "numbered", "startDate": day.isoformat(), "numberOfOccurrences": numbers[0]}
    if not until:
        return {"type": "noEnd", "startDate": day.isoformat()}
    last = _last_day(until, start)
    if last < day:
        raise Inexpressible("This series ends before it starts.")
    return {"type": "endDate", "startDate": day.isoformat(), "endDate": last.isoformat()}


def _last_day(until: str, start: datetime | date) -> date:
    """The last day on which an occurrence can begin. An UNTIL without a zone is in that of the series."""
    try:
        if len(until) == len("20260101"):
            return datetime.strptime(until, "%Y%m%d").date()
        at = datetime.strptime(until.removesuffix("Z"), "%Y%m%dT%H%M%S")
        if not isinstance(start, datetime):
            return at.date()
        if until.endswith("Z"):
            at = at.replace(tzinfo=UTC).astimezone(start.tzinfo).replace(tzinfo=None)
        return at.date() if at.time() >= start.time() else at.date() - timedelta(days=1)
    except (ValueError, OverflowError):
        raise Inexpressible("This recurrence rule cannot be read.") from None
