"""The occurrences of a series: when they are, by what they are known, and where one may be moved (REC-01 to REC-05).

An occurrence is known by its series and its original start, as a day in the zone of the series: a series has at most
one on a day. So the key outlives moves, new ids and another time of day. Over daylight saving the time of day stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import islice, takewhile

from ..records.recurrence import Recurrence

Moment = datetime | date
CROSSING = (
    "This occurrence cannot be moved to {day}: it would fall on the day of its neighbour, or past it, which Outlook "
    "refuses. Move the neighbour first, or delete this occurrence and make a single meeting."
)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence at its original place. `start` is a UTC instant, or the day in a series of whole days."""

    key: str
    start: Moment


@dataclass(frozen=True, slots=True)
class Series:
    """A rule and its first possible start: an aware instant in the zone of the series, or a day.

    Raises `ValueError` for an instant without a zone.
    """

    rule: Recurrence
    start: Moment

    def __post_init__(self) -> None:
        if isinstance(self.start, datetime) and self.start.tzinfo is None:
            raise ValueError("A series must say its zone.")

    @property
    def zone(self) -> tzinfo | None:
        """The zone in which the days of the rule are; None for whole days."""
        return self.start.tzinfo if isinstance(self.start, datetime) else None

    def key_of(self, original: Moment) -> str:
        """By what an occurrence is known, from its original start in whatever zone."""
        return _day(original, self.zone).isoformat()

    def occurrences(self) -> Iterator[Occurrence]:
        """All of them, earliest first; without end for an endless rule."""
        for day in self.rule.days(_day(self.start, self.zone)):
            yield Occurrence(day.isoformat(), self._at(day))

    def between(self, first: Moment, last: Moment) -> tuple[Occurrence, ...]:
        """Those that originally start from `first` to `last`, both included (SYNC-02)."""
        found = []
        for occurrence in self.occurrences():
            if _is_after(occurrence.start, last):
                break
            if not _is_after(first, occurrence.start):
                found.append(occurrence)
        return tuple(found)

    def nth(self, number: int) -> Occurrence | None:
        """The first (1), second ... occurrence; None if there are not so many."""
        return next(islice(self.occurrences(), number - 1, None), None) if number > 0 else None

    def has(self, key: str) -> bool:
        """Whether the rule has an occurrence with this key, removed or not."""
        for occurrence in self.occurrences():
            if occurrence.key >= key:
                return occurrence.key == key
        return False

    def neighbours(self, key: str, removed: Collection[str] = ()) -> tuple[Occurrence | None, Occurrence | None]:
        """The occurrences before and after this one, without the removed ones. The key need not be one itself."""
        before = None
        for occurrence in self.occurrences():
            if occurrence.key in removed or occurrence.key == key:
                continue
            if occurrence.key > key:
                return before, occurrence
            before = occurrence
        return before, None

    def _at(self, day: date) -> Moment:
        if not isinstance(self.start, datetime):
            return day
        # A wall-clock time that a day skips is an hour later, as in Outlook: `fold` 0 has the offset from before.
        return datetime.combine(day, self.start.time(), self.start.tzinfo).astimezone(UTC)


def crossing(
    series: Series, key: str, to: Moment, *, moved: Mapping[str, Moment] | None = None, removed: Collection[str] = ()
) -> str:
    """REC-05: why an occurrence may not start at `to`, as a sentence for people; `""` if it may.

    moved    the present starts of occurrences that were moved before, by key. A neighbour counts where it is now.
    removed  the keys of those that are no more: they are nobody's neighbours.
    """
    day = _day(to, series.zone)
    before, after = (_day((moved or {}).get(item.key, item.start), series.zone) if item else None
                     for item in series.neighbours(key, removed))
    is_free = (before is None or day > before) and (after is None or day < after)
    return "" if is_free else CROSSING.format(day=day.isoformat())


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the activities of a series need, in one window (REC-01, REC-02).

    make     occurrences without an activity.
    surplus  keys of activities that the rule no longer has, or that were removed. Those outside the window are left
             alone (SYNC-02).
    """

    make: tuple[Occurrence, ...]
    surplus: tuple[str, ...]


def expand(
    series: Series, first: Moment, last: Moment, *, existing: Collection[str], removed: Collection[str] = ()
) -> Expansion:
    """Compare a series with the activities that exist for it, by key. `removed`: occurrences that were taken out."""
    low, high = series.key_of(first), series.key_of(last)
    ruled = {item.key: item for item in takewhile(lambda item: item.key <= high, series.occurrences())
             if item.key not in removed}
    make = tuple(item for key, item in ruled.items() if key not in existing
                 and not _is_after(first, item.start) and not _is_after(item.start, last))
    return Expansion(make, tuple(sorted(key for key in existing if low <= key <= high and key not in ruled)))


def rekeyed(before: Series, after: Series, keys: Collection[str]) -> dict[str, str]:
    """Which occurrence of the changed series each occurrence of the old one is now, by key (REC-06).

    As long as some of the old days are days of the new rule too, an occurrence keeps its day: a day more in the week
    leaves the others alone. When all of them are others (from Mondays to Tuesdays) the first becomes the first, the
    second the second, so that what hangs on the activities stays with them. Keys without a counterpart are left out.
    """
    last = max(keys, default="")
    old = [item.key for item in takewhile(lambda item: item.key <= last, before.occurrences())]
    known = [key for key in old if key in keys]
    new = {item.key for item in takewhile(lambda item: item.key <= last, after.occurrences())}
    if new & set(known):
        return {key: key for key in known if key in new}
    counterparts = [item.key for item in islice(after.occurrences(), len(old))]
    return {key: now for key, now in zip(old, counterparts, strict=False) if key in keys}


def _day(moment: Moment, zone: tzinfo | None) -> date:
    if not isinstance(moment, datetime):
        return moment
    return (moment.astimezone(zone) if zone else moment).date()


def _is_after(left: Moment, right: Moment) -> bool:
    """Instants compare as such; with a day on one side, days do."""
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left > right
    days = [side.date() if isinstance(side, datetime) else side for side in (left, right)]
    return days[0] > days[1]
