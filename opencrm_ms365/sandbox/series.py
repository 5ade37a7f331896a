"""What a series consists of: its occurrences, its exceptions, the days that were cancelled (facts 6.6).

Occurrences are made up when they are asked for. Their ids are derived from the master's and the original day, so a
series that is rescheduled has other occurrences; nothing tells of those that vanished. An occurrence that is changed
becomes an exception and is kept by its master.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from . import event_times, recurrence
from .refusal import Refusal, item_not_found

if TYPE_CHECKING:
    from .event_store import Event, EventStore

_MARK = "FRAAg"
_OCCURRENCE = re.compile(rf"(.+){_MARK}([A-Za-z0-9_-]{{14}})=")
_TIMES = frozenset({"start", "end"})


def instances(event: Event, window: tuple[datetime, datetime]) -> list[Event]:
    """What of an event takes place in the window: itself, or the occurrences and exceptions of a series."""
    if event.kind != "seriesMaster":
        return [event] if event_times.meets(event.start_at, event.end_at, window) else []
    found = [exception(event, day) for day in event.exceptions]
    length = event.end_at - event.start_at
    for day in recurrence.days(event.values["recurrence"]):
        if _day_start(event, day) >= window[1]:
            break
        if _day_start(event, day) + length + timedelta(days=1) < window[0] or day.isoformat() in event.exceptions:
            continue
        if day.isoformat() not in event.cancelled_days:
            found.append(occurrence(event, day))
    met = [part for part in found if event_times.meets(part.start_at, part.end_at, window)]
    return sorted(met, key=lambda part: part.start_at)


def occurrence(master: Event, day: date) -> Event:
    """The occurrence of a day, as the master makes it."""
    start, end = event_times.wall(master.values["start"]), event_times.wall(master.values["end"])
    begin = datetime.combine(day, start.time())
    values = {**master.values, "recurrence": None,
              "start": event_times.of_wall(begin, master.values["start"]["timeZone"]),
              "end": event_times.of_wall(begin + (end - start), master.values["end"]["timeZone"])}
    text = day.isoformat()
    return type(master)(
        occurrence_id(master.immutable_id, text), occurrence_id(master.default_id, text), master.calendar_id, values,
        master.change_key, master.created_at, master.changed_at, master.ical_uid, master.organizer_name,
        master.organizer_address, master.is_organizer, master.answer, master.answered_at, master.is_cancelled,
        extended=dict(master.extended), intended_show_as=master.intended_show_as, kind="occurrence", master=master,
        original_day=text, original_start=_day_start(master, day))


def exception(master: Event, day: str) -> Event:
    """The exception that a master keeps for a day, with the ids that go with its present ones."""
    found = master.exceptions[day]
    found.default_id, found.calendar_id = occurrence_id(master.default_id, day), master.calendar_id
    return found


def find(store: EventStore, key: str) -> Event | None:
    """The occurrence or exception with that id; None when it is no such id. Raises `Refusal` (404): not any more."""
    match = _OCCURRENCE.fullmatch(key)
    if match is None:
        return None
    master = store.root_by_id(match[1] + "=")
    if master is None or master.kind != "seriesMaster":
        raise item_not_found()
    day = base64.urlsafe_b64decode(match[2] + "==").decode("latin-1")
    if day in master.exceptions:
        return exception(master, day)
    if day in master.cancelled_days or day not in _days_up_to(master, day):
        raise item_not_found()
    return occurrence(master, date.fromisoformat(day))


def occurrence_id(master_id: str, day: str) -> str:
    """The id of an occurrence, of the same kind as the master's."""
    return f"{master_id.rstrip('=')}{_MARK}{base64.urlsafe_b64encode(day.encode()).decode().rstrip('=')}="


def listed_id(master_id: str, day: str) -> str:
    """An id of `cancelledOccurrences`."""
    return f"OID.{master_id}.{day}"


def check_exception(event: Event, sent: Mapping[str, Any]) -> None:
    """Raises `Refusal` (400): a part of a series has no recurrence of its own."""
    if sent.get("recurrence") is not None:
        raise Refusal(400, "ErrorInvalidRequest", "The recurrence of an occurrence or exception can't be set.")


def check_boundary(event: Event, values: Mapping[str, Any]) -> None:
    """Raises `Refusal` (400) when a part of a series would stand on or beyond the day of a neighbour."""
    master = event.master
    if master is None:
        return
    wanted = event_times.wall(values["start"]).date()
    own = date.fromisoformat(event.original_day)
    before: date | None = None
    for day in recurrence.days(master.values["recurrence"]):
        if day.isoformat() in master.cancelled_days or day == own:
            continue
        stands = day if day.isoformat() not in master.exceptions else event_times.wall(
            master.exceptions[day.isoformat()].values["start"]).date()
        if day > own:
            if wanted >= stands:
                raise _crossing()
            break
        before = stands
    if before is not None and wanted <= before:
        raise _crossing()


def keep(event: Event, changed: Iterable[str]) -> None:
    """A changed occurrence becomes an exception."""
    master = event.master
    assert master is not None
    event.kind = "exception"
    event.overrides |= set(changed)
    master.exceptions[event.original_day] = event


def drop(event: Event) -> None:
    """Take an occurrence or exception out of its series."""
    master = event.master
    assert master is not None
    master.exceptions.pop(event.original_day, None)
    master.cancelled_days.append(event.original_day)


def follow(store: EventStore, master: Event, changed: set[str]) -> None:
    """After a change of the master: exceptions follow in what is not their own, or are forgotten (switch)."""
    drops = store.world.options.series_changes_drop_exceptions
    if master.kind != "seriesMaster" or (drops and changed & {"recurrence", "start"}):
        master.exceptions, master.cancelled_days = {}, []
    for part in master.exceptions.values():
        for name in changed - part.overrides - _TIMES - {"recurrence"}:
            part.values[name] = master.values[name]


def _day_start(master: Event, day: date) -> datetime:
    begin = datetime.combine(day, event_times.wall(master.values["start"]).time())
    return event_times.instant(event_times.of_wall(begin, master.values["start"]["timeZone"]))


def _days_up_to(master: Event, last: str) -> set[str]:
    found = set()
    for day in recurrence.days(master.values["recurrence"]):
        if day.isoformat() > last:
            break
        found.add(day.isoformat())
    return found


def _crossing() -> Refusal:
    return Refusal(400, "ErrorOccurrenceCrossingBoundary", "Cannot modify the occurrence: it would be on the same day "
                   "as, or beyond, an adjacent occurrence.")
