"""A mailbox's calendars as their owner uses them in Outlook: makes, moves, answers and cancels meetings.

Events are given and returned as Graph's JSON under their immutable ids, times in UTC; both kinds of id are understood,
also those of occurrences. Calendars are named by id or by their name; none means the default one where something is
put, and all where something is shown.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from . import event_bodies, event_times, meetings, series
from .clock import timestamp
from .event_rules import NEVER, shown_location
from .event_store import Calendar, Event, EventStore
from .extended import canonical_id, written
from .meetings import ANSWER_WORDS, Answer
from .validation import check_body

if TYPE_CHECKING:
    from threading import RLock

    from .simulator import Sandbox
    from .world import Mailbox


class CalendarOwner:
    """What the owner of a mailbox sees of and does with meetings. Raises `Refusal` where Exchange would refuse."""

    _sandbox: Sandbox
    _mailbox: Mailbox
    _lock: RLock

    # Looking

    def calendars(self) -> list[dict[str, Any]]:
        """All calendars: `id`, `name`, `isDefaultCalendar`, `canEdit`, `count`; the default one first."""
        with self._lock:
            return [self._shown_calendar(calendar) for calendar in self._events.calendars.values()]

    def events(self, calendar: str | None = None) -> list[dict[str, Any]]:
        """The single events and series masters of one calendar, or all that are not in Deleted Items."""
        with self._lock:
            found = (self._events.all_events() if calendar is None
                     else self._events.members(self._calendar(calendar).id))
            return [self._shown_event(event) for event in found]

    def event(self, event_id: str) -> dict[str, Any]:
        """One event, also from Deleted Items."""
        with self._lock:
            return self._shown_event(self._event(event_id))

    def find_events(self, **values: Any) -> list[dict[str, Any]]:
        """The events with exactly these members (`find_events(subject="Kick-off")`)."""
        return [event for event in self.events() if all(event.get(k) == v for k, v in values.items())]

    def occurrences(self, start: str, end: str, calendar: str | None = None) -> list[dict[str, Any]]:
        """What takes place between two instants (ISO 8601), series expanded, by start."""
        with self._lock:
            window = event_times.parse_bound(start), event_times.parse_bound(end)
            events = (self._events.all_events() if calendar is None
                      else self._events.members(self._calendar(calendar).id))
            parts = [part for event in events for part in series.instances(event, window)]
            return [self._shown_event(part) for part in sorted(parts, key=lambda part: part.start_at)]

    def deleted_events(self) -> list[dict[str, Any]]:
        """The events in Deleted Items."""
        with self._lock:
            return [self._shown_event(event) for event in self._events.members(self._mailbox.deleted_items_id)]

    def event_properties(self, event_id: str) -> dict[str, str]:
        """The extended properties of an event by id."""
        with self._lock:
            return dict(self._event(event_id).extended)

    @property
    def default_calendar_id(self) -> str:
        return self._events.default_calendar.id

    # Working with events

    def add_event(self, calendar: str | None = None, /, **values: Any) -> dict[str, Any]:
        """A new event, by default in the default calendar. With attendees the invitations go out."""
        with self._lock:
            target = self._calendar(values.pop("calendar", calendar))
            return self._shown_event(meetings.create(self._events, target, self._checked_event(values)))

    def add_draft(self, calendar: str | None = None, /, **values: Any) -> dict[str, Any]:
        """A meeting that is written, but not sent: `isDraft`, and nobody is invited before `send_draft`."""
        with self._lock:
            target = self._calendar(values.pop("calendar", calendar))
            return self._shown_event(meetings.draft(self._events, target, self._checked_event(values)))

    def send_draft(self, event_id: str) -> None:
        """Send the invitations of a draft."""
        with self._lock:
            meetings.send(self._events, self._event(event_id))

    def receive_event(self, organizer: str, name: str = "", **values: Any) -> dict[str, Any]:
        """An invitation from somebody outside, by his address, arrives in the default calendar."""
        with self._lock:
            return self._shown_event(meetings.receive(self._events, self._checked_event(values), (name or organizer,
                                                                                            organizer)))

    def change_received(self, event_id: str, /, **values: Any) -> dict[str, Any]:
        """An update from the organiser outside arrives."""
        with self._lock:
            event = self._received(event_id)
            self._events.update(event, self._checked_event(values))
            return self._shown_event(event)

    def cancel_received(self, event_id: str) -> None:
        """A cancellation from the organiser outside arrives."""
        with self._lock:
            meetings.mark_cancelled(self._events, self._received(event_id))

    def edit_event(self, event_id: str, /, **values: Any) -> dict[str, Any]:
        """Change these properties; the attendees of a meeting hear of it when the owner is the organiser."""
        with self._lock:
            event = self._event(event_id)
            meetings.update(self._events, event, self._checked_event(values))
            return self._shown_event(event)

    def touch_event(self, event_id: str) -> dict[str, Any]:
        """A new change key and date without any change, as the service makes by itself at times."""
        with self._lock:
            event = self._event(event_id)
            self._events.touch(event)
            return self._shown_event(event)

    def set_custom_zone(self, event_id: str, is_custom: bool = True) -> None:
        """Let the event's original zones be shown as `tzone://Microsoft/Custom`, as those of old programs are."""
        with self._lock:
            event = self._event(event_id).root
            event.has_custom_zone = is_custom
            self._events.touch(event)

    def move_event(self, event_id: str, calendar: str) -> dict[str, Any]:
        """To another calendar; from Deleted Items it comes back."""
        with self._lock:
            event = self._event(event_id)
            self._events.move(event, self._calendar(calendar).id)
            return self._shown_event(event)

    def answer(self, event_id: str, response: Answer, drop_declined: bool = True, sends: bool = True,
               comment: str = "") -> None:
        """Answer an invitation; `drop_declined`: a declined one leaves the calendar; `sends`: the organiser hears."""
        if response not in ANSWER_WORDS:
            raise ValueError(f"An answer is one of {', '.join(ANSWER_WORDS)}, not {response!r}.")
        with self._lock:
            meetings.answer(self._events, self._event(event_id), response, sends=sends, comment=comment,
                            drop_declined=drop_declined)

    def cancel_event(self, event_id: str, comment: str = "") -> None:
        """Call a meeting off: the attendees are told."""
        with self._lock:
            meetings.cancel(self._events, self._event(event_id), comment)

    def delete_event(self, event_id: str) -> None:
        """To Deleted Items. The owner's own meetings are cancelled by that."""
        with self._lock:
            meetings.delete(self._events, self._event(event_id))

    def purge_event(self, event_id: str) -> None:
        """For good, from wherever it is, without telling anybody."""
        with self._lock:
            self._events.purge(self._event(event_id).root)

    def set_event_property(self, event_id: str, name: str, value: str | None) -> None:
        """Set or take away an extended property as another program would: the change key moves."""
        with self._lock:
            event = self._event(event_id)
            event.extended = written(event.extended, [{"id": canonical_id(name), "value": value}])
            self._events.touch(event)

    # Working with calendars

    def add_calendar(self, name: str, can_edit: bool = True, owner: str = "") -> dict[str, Any]:
        """A new calendar; one with an `owner` (address) is shared by somebody else."""
        with self._lock:
            shared_by = (self._events.name_of(owner) or owner, owner) if owner else None
            return self._shown_calendar(self._events.add_calendar(name, can_edit=can_edit, owner=shared_by))

    def rename_calendar(self, calendar: str, name: str) -> dict[str, Any]:
        with self._lock:
            found = self._calendar(calendar)
            self._events.update_calendar(found, name, None)
            return self._shown_calendar(found)

    def delete_calendar(self, calendar: str) -> None:
        """The calendar goes, its events go to Deleted Items."""
        with self._lock:
            self._events.delete_calendar(self._calendar(calendar))

    # Within

    @property
    def _events(self) -> EventStore:
        return self._mailbox.part(EventStore)

    def _event(self, event_id: str) -> Event:
        return self._events.event(event_id, deleted_too=True)

    def _received(self, event_id: str) -> Event:
        event = self._event(event_id)
        if event.is_organizer:
            raise ValueError("The owner of this mailbox organises the meeting himself.")
        return event

    def _calendar(self, key: str | None) -> Calendar:
        if key is None or key.lower() == "calendar":
            return self._events.default_calendar
        by_name = [calendar for calendar in self._events.calendars.values() if calendar.name == key]
        return by_name[0] if by_name else self._events.calendar(key)

    def _checked_event(self, values: dict[str, Any]) -> dict[str, Any]:
        return check_body("event", values, self._sandbox.options)

    def _shown_event(self, event: Event) -> dict[str, Any]:
        values = event.values
        return {
            **values, **shown_location(values), "@odata.etag": event.etag, "id": event.immutable_id,
            "changeKey": event.change_key, "calendarId": event.calendar_id,
            "createdDateTime": timestamp(event.created_at), "lastModifiedDateTime": timestamp(event.changed_at),
            "start": event_times.shown(values["start"], "UTC", is_all_day=values["isAllDay"]),
            "end": event_times.shown(values["end"], "UTC", is_all_day=values["isAllDay"]),
            "originalStartTimeZone": event.original_zone("start"), "originalEndTimeZone": event.original_zone("end"),
            "body": {"contentType": "html", "content": values["body"]},
            "bodyPreview": event_bodies.preview(values["body"]), "iCalUId": event.ical_uid, "type": event.kind,
            "isOrganizer": event.is_organizer, "isCancelled": event.is_cancelled, "isDraft": event.is_draft,
            "organizer": {"emailAddress": {"name": event.organizer_name, "address": event.organizer_address}},
            "responseStatus": {"response": event.answer, "time": _time(event.answered_at)},
            "attendees": [{**person, "status": dict(person["status"])} for person in values["attendees"]],
            "seriesMasterId": event.master.immutable_id if event.master else None,
            "transactionId": event.transaction_id,
        }

    def _shown_calendar(self, calendar: Calendar) -> dict[str, Any]:
        count = len(list(self._events.members(calendar.id)))
        return {"id": calendar.id, "name": calendar.name, "isDefaultCalendar": calendar.is_default,
                "canEdit": calendar.can_edit, "count": count,
                "owner": {"name": calendar.owner_name, "address": calendar.owner_address}}


def _time(instant: datetime | None) -> str:
    return timestamp(instant) if instant is not None else NEVER
