"""How often an event takes place: the patterns that both sides can mean, as one value (REC-02).

The CRM writes an RFC 5545 RRULE, Outlook a pattern and a range. Outlook's six patterns are less than an RRULE can say,
so a rule is read into the value or refused with a reason; one value has one text. Days only: an occurrence has the time
of day of the series. `recurrence_text` reads and writes the RRULE.
"""

from __future__ import annotations

import enum
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from itertools import islice

from ..errors import RecordError

LAST = -1
#: The days of a month that Outlook can count to: the first to the fourth, and the last.
POSITIONS = (1, 2, 3, 4, LAST)
MONDAY, SUNDAY = 0, 6
LONGEST_MONTH = 31
#: Every month has so many days.
SHORTEST_MONTH = 28
FEBRUARY, LEAP_YEAR = 2, 2024


class Frequency(enum.StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A pattern and where it ends. Weekdays count from Monday, 0, to Sunday, 6.

    interval    every so many days, weeks, months or years.
    weekdays    in order. Weekly: on which days. With `position`: of which days one is counted out in the month.
    position    1 to 4, or `LAST`: the first such day of the month ... the last one. None: not a counted day.
    day         of the month, for monthly and yearly rules without weekdays. `clamps`: in a shorter month it is the last
                day, as Outlook means it; else that month is left out, as an RRULE means it.
    month       1 to 12, for yearly rules.
    week_start  where weeks begin; it matters for every second week, and is `MONDAY` where it does not.
    until       the last day on which an occurrence may begin, in the series' zone. count: so many occurrences.
                Neither: without end.

    Raises `RecordError` for what makes no rule.
    """

    frequency: Frequency
    interval: int = 1
    weekdays: tuple[int, ...] = ()
    position: int | None = None
    day: int | None = None
    clamps: bool = False
    month: int | None = None
    week_start: int = MONDAY
    until: date | None = None
    count: int | None = None

    def __post_init__(self) -> None:
        _set(self, "weekdays", tuple(sorted(set(self.weekdays))))
        if len(self.weekdays) == SUNDAY + 1 and self.position in POSITIONS and self.day is None:  # of any day: a date
            day, clamps = (LONGEST_MONTH, True) if self.position == LAST else (self.position, False)
            for name, value in {"weekdays": (), "position": None, "day": day, "clamps": clamps}.items():
                _set(self, name, value)
        if self.day is not None and self.clamps:
            _set(self, "day", min(self.day, self._longest()))
            _set(self, "clamps", self.day > self._shortest())
        if self.frequency is not Frequency.WEEKLY or self.interval == 1:
            _set(self, "week_start", MONDAY)
        if reason := self._fault():
            raise RecordError(reason)

    def _shortest(self) -> int:
        """The length of the shortest month in which the day may be wanted."""
        return SHORTEST_MONTH if self.month in (None, FEBRUARY) else self._longest()

    def _longest(self) -> int:
        return monthrange(LEAP_YEAR, self.month)[1] if self.month and 1 <= self.month <= 12 else LONGEST_MONTH

    def _fault(self) -> str:
        if self.interval < 1 or (self.count is not None and self.count < 1):
            return "The recurrence has an interval or a number of occurrences below one."
        if self.until is not None and self.count is not None:
            return "The recurrence ends both on a date and after a number of occurrences."
        if not all(MONDAY <= day <= SUNDAY for day in (*self.weekdays, self.week_start)):
            return "The recurrence names a day of the week that there is not."
        if not self._has_its_parts():
            return "The recurrence does not say on which days it takes place."
        if self.day is not None and not 1 <= self.day <= self._longest():
            return "The recurrence names a day that its month does not have."
        return ""

    def _has_its_parts(self) -> bool:
        """Exactly the parts that the frequency needs."""
        counted = bool(self.weekdays) and self.position in POSITIONS and self.day is None
        dated = not self.weekdays and self.position is None and self.day is not None
        match self.frequency:
            case Frequency.DAILY:
                return not self.weekdays and self.position is self.day is self.month is None
            case Frequency.WEEKLY:
                return bool(self.weekdays) and self.position is self.day is self.month is None
            case Frequency.MONTHLY:
                return (counted or dated) and self.month is None
            case _:
                return (counted or dated) and self.month is not None and 1 <= self.month <= 12

    @property
    def is_endless(self) -> bool:
        return self.until is None and self.count is None

    def days(self, start: date) -> Iterator[date]:
        """The days of the occurrences, earliest first; `start` is the first possible one.

        Without end for an endless rule, up to the last year that there is.
        """
        found = (day for day in self._candidates(start) if day >= start)
        for day in islice(found, self.count):
            if self.until is not None and day > self.until:
                return
            yield day

    def _candidates(self, start: date) -> Iterator[date]:
        match self.frequency:
            case Frequency.DAILY:
                yield from _every(start, timedelta(days=self.interval))
            case Frequency.WEEKLY:
                yield from self._weekly(start)
            case _:
                for year, month in self._months(start):
                    if (day := self._day_in(year, month)) is not None:
                        yield day

    def _weekly(self, start: date) -> Iterator[date]:
        places = sorted((day - self.week_start) % 7 for day in self.weekdays)
        try:
            begin = start - timedelta(days=(start.weekday() - self.week_start) % 7)
        except OverflowError:
            begin = start  # in the very first week of all
        for week in _every(begin, timedelta(weeks=self.interval)):
            for place in places:
                if week.toordinal() + place > date.max.toordinal():
                    return
                yield week + timedelta(days=place)

    def _months(self, start: date) -> Iterator[tuple[int, int]]:
        if self.frequency is Frequency.YEARLY:
            for year in range(start.year, MAXYEAR + 1, self.interval):
                yield year, self.month or 1
            return
        for number in range(start.year * 12 + start.month - 1, (MAXYEAR + 1) * 12, self.interval):
            yield number // 12, number % 12 + 1

    def _day_in(self, year: int, month: int) -> date | None:
        first, length = monthrange(year, month)
        if self.day is not None:
            if self.day > length and not self.clamps:
                return None
            return date(year, month, min(self.day, length))
        fitting = [day for day in range(1, length + 1) if (first + day - 1) % 7 in self.weekdays]
        position = self.position or 1
        return date(year, month, fitting[LAST if position == LAST else position - 1])


def _every(first: date, step: timedelta) -> Iterator[date]:
    day = first
    while True:
        yield day
        try:
            day += step
        except OverflowError:
            return


def _set(rule: Recurrence, name: str, value: object) -> None:
    object.__setattr__(rule, name, value)
