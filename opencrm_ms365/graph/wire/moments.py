"""When an event is: `start`, `end`, `isAllDay` and its zone, from Microsoft's JSON and back. Pure.

Instants are asked for in UTC and written in the event's own zone. Days are midnights whatever the zone, the end
exclusive, and are never converted through UTC (facts 6.3).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from ...records import UNSET, is_set
from ...records.event import EventData
from . import zones
from .values import Unreadable

#: What moves an event; these always go out together.
FIELDS = frozenset({"start", "end", "all_day", "time_zone"})
_FRACTION = re.compile(r"\.(\d+)")
_DAY = timedelta(days=1)


def read(item: Mapping[str, Any]) -> dict[str, Any]:
    """The record's fields that the item tells: `start`, `end`, `all_day`, `time_zone`. Raises `Unreadable`."""
    all_day = flag(item, "isAllDay")
    fields: dict[str, Any] = {"all_day": all_day}
    if "originalStartTimeZone" in item:
        fields["time_zone"] = zones.to_iana(_name(item, "originalStartTimeZone"))
    if all_day is True:
        start, end = _day(item, "start"), _day(item, "end", is_end=True)
        if start is not None:
            fields |= {"start": start, "end": max(start, end or start)}
        return fields
    return fields | {name: at for name in ("start", "end") if (at := instant(item, name)) is not None}


def instant(item: Mapping[str, Any], name: str) -> datetime | None:
    """The UTC instant of a `dateTimeTimeZone`; None when it is missing. Raises `Unreadable`."""
    found = _parts(item, name)
    if found is None:
        return None
    at, zone_name = found
    try:
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        there = zones.zone(zones.to_iana(zone_name) or "") if zone_name else UTC
        if there is None:
            raise Unreadable(name)
        return at.replace(tzinfo=there).astimezone(UTC)
    except OverflowError:
        raise Unreadable(name) from None


def flag(item: Mapping[str, Any], name: str) -> Any:
    """Yes or no; UNSET when it is missing or null. Raises `Unreadable`."""
    value = item.get(name)
    if value is None:
        return UNSET
    if not isinstance(value, bool):
        raise Unreadable(name)
    return value


def zone_names(item: Mapping[str, Any]) -> tuple[str, str]:
    """The zones that the event was made in, as received: of its start and of its end."""
    return _name(item, "originalStartTimeZone") or "", _name(item, "originalEndTimeZone") or ""


def _day(item: Mapping[str, Any], name: str, *, is_end: bool = False) -> date | None:
    """The day as it is written; of an exclusive end at midnight, the day before."""
    found = _parts(item, name)
    if found is None:
        return None
    at = found[0]
    return at.date() - _DAY if is_end and at.time() == time() and at.date() > date.min else at.date()


def _parts(item: Mapping[str, Any], name: str) -> tuple[datetime, str] | None:
    value = item.get(name)
    if value is None:
        return None
    text = value.get("dateTime") if isinstance(value, Mapping) else None
    zone_name = value.get("timeZone") if isinstance(value, Mapping) else None
    if not isinstance(text, str) or not (zone_name is None or isinstance(zone_name, str)):
        raise Unreadable(name)
    try:
        at = datetime.fromisoformat(_FRACTION.sub(lambda match: f".{match[1][:6]:0<6}", text.strip()))
    except ValueError:
        raise Unreadable(name) from None
    return at, zone_name or ""


def _name(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) else None


@dataclass(frozen=True, slots=True)
class _When:
    """An event's time with all its parts: days of an all-day event (`end` the last one), else instants."""

    start: Any
    end: Any
    all_day: bool
    time_zone: str | None


def to_json(
    values: Mapping[str, Any], current: EventData | None = None, names: tuple[str, str] = ("", "")
) -> dict[str, Any]:
    """The members that place the event where `values` says, all of them; `{}` if nothing in there moves it.

    current     what Microsoft holds now; it fills what `values` leave out.
    names       the zones as Microsoft named them (`zone_names`): kept where they still fit.
    """
    before = current.values() if current is not None else {}
    given = {name: value for name, value in values.items() if name in FIELDS and is_set(value)}
    if given.get("time_zone", UNSET) is None or (
            "time_zone" in given and zones.same_zone(given["time_zone"], before.get("time_zone"))):
        del given["time_zone"]  # to have no zone of one's own, or to call the same zone otherwise, moves nothing
    if not given:
        return {}
    when = _merged(given, before)
    if when.start is None:
        return {}
    keeps_zone = "time_zone" not in given
    if when.all_day:
        name = _zone_name(when.time_zone, names[0] if keeps_zone else "")
        return {"start": _json(datetime.combine(when.start, time()), name),
                "end": _json(datetime.combine(when.end + _DAY, time()), name), "isAllDay": True}
    start_name = _zone_name(when.time_zone, names[0] if keeps_zone else "", when.start)
    end_name = _zone_name(zones.to_iana(names[1]) or when.time_zone if keeps_zone else when.time_zone,
                          names[1] if keeps_zone else "", when.end)
    if zones.UTC_NAME in (start_name, end_name):
        start_name = end_name = zones.UTC_NAME
    return {"start": _json(_wall(when.start, start_name), start_name),
            "end": _json(_wall(when.end, end_name), end_name), "isAllDay": False}


def _merged(given: Mapping[str, Any], before: Mapping[str, Any]) -> _When:
    both = {**before, **given}
    time_zone = both.get("time_zone")
    start, end = both.get("start"), both.get("end")
    all_day = bool(both.get("all_day")) if "all_day" in both else _is_day(start)
    there = zones.zone(time_zone or "") or UTC
    start, end = (_as_day(value, there) if all_day else _as_instant(value, there) for value in (start, end))
    if start is None:
        return _When(None, None, all_day, time_zone)
    if end is None or end < start:
        end = start + _length(before) if "end" not in given else start
    return _When(start, end, all_day, time_zone)


def _length(before: Mapping[str, Any]) -> timedelta:
    """How long the event was: it stays so when only its start moves past its end."""
    start, end = before.get("start"), before.get("end")
    if start is None or end is None or _is_day(start) != _is_day(end):
        return timedelta()
    length: timedelta = end - start
    return max(timedelta(), length)


def _is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _as_day(value: Any, there: Any) -> Any:
    return value.astimezone(there).date() if isinstance(value, datetime) else value


def _as_instant(value: Any, there: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time(), there).astimezone(UTC)


def _zone_name(time_zone: str | None, kept: str, *instants: datetime) -> str:
    """The name to write: the one that Microsoft used, where it means this zone and can say these instants."""
    name = zones.written_zone(time_zone, *instants)
    return kept if name != zones.UTC_NAME and kept and zones.same_zone(kept, name) else name


def _wall(at: datetime, name: str) -> datetime:
    wall = zones.wall_clock(at, name)
    return at.astimezone(UTC).replace(tzinfo=None) if wall is None else wall


def _json(wall: datetime, name: str) -> dict[str, str]:
    return {"dateTime": wall.isoformat(timespec="microseconds"), "timeZone": name}
