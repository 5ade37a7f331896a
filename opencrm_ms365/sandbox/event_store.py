"""The calendars of one mailbox: events, and the log of what changed where. Knows nothing of other mailboxes.

An event is in exactly one calendar; Deleted Items is one, too, which no listing shows. Items are known by two ids, as
contacts are (facts 4). Who else hears of a change is the business of `meetings`, what a series consists of that of
`series`. Callers hold the world's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from . import event_rules, event_times, extended, series
from .changelog import ChangeLog, Entry
from .ids import is_well_formed
from .refusal import Refusal, access_denied, item_not_found, malformed_id
from .world import Change, Mailbox

FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(slots=True)
class Calendar:
    """A calendar. `owner` differs from the mailbox's for one that somebody shares."""

    id: str
    name: str
    change_key: str
    owner_name: str
    owner_address: str
    is_default: bool = False
    can_edit: bool = True
    color: str = "auto"
    extended: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Event:
    """A stored event. `values` are the writable properties under Graph's names, times in their original zone.

    `kind` is Graph's `type`; an exception has a `master`, a day of which it takes the place and the instant at which
    it would have begun. A master keeps its exceptions and the cancelled days.
    """

    immutable_id: str
    default_id: str
    calendar_id: str
    values: dict[str, Any]
    change_key: str
    created_at: datetime
    changed_at: datetime
    ical_uid: str
    organizer_name: str
    organizer_address: str
    is_organizer: bool = True
    answer: str = "organizer"                       # own; Graph's responseType
    answered_at: datetime | None = None
    is_cancelled: bool = False
    is_draft: bool = False
    has_custom_zone: bool = False                   # from an old calendar program: its zone has no name
    transaction_id: str | None = None
    extended: dict[str, str] = field(default_factory=dict)
    intended_show_as: str = "busy"                  # of a copy: what it shows once it is accepted
    spans: list[tuple[int, datetime, datetime]] = field(default_factory=list)   # where it stood, since which number
    kind: str = "singleInstance"
    master: Event | None = None
    original_day: str = ""
    original_start: datetime | None = None
    exceptions: dict[str, Event] = field(default_factory=dict)      # by original day
    cancelled_days: list[str] = field(default_factory=list)
    overrides: set[str] = field(default_factory=set)                # of an exception: what is its own

    @property
    def etag(self) -> str:
        return f'W/"{self.change_key}"'

    @property
    def start_at(self) -> datetime:
        """The instant; of an all-day event, midnight in the zone in which it was made."""
        return event_times.instant(self.values["start"])

    @property
    def end_at(self) -> datetime:
        return event_times.instant(self.values["end"])

    @property
    def root(self) -> Event:
        """What the store keeps by itself: the master of an occurrence or exception, else the event."""
        return self.master or self

    @property
    def is_meeting(self) -> bool:
        return bool(self.values["attendees"])

    def original_zone(self, end: str) -> str:
        """The zone in which "start" or "end" was written, as answers name it."""
        return event_times.CUSTOM_ZONE if self.root.has_custom_zone else self.values[end]["timeZone"]

    def span(self) -> tuple[datetime, datetime]:
        """From its begin to its end; a series has none for this purpose."""
        return self.start_at, FOR_EVER if self.kind == "seriesMaster" else self.end_at


class EventStore:
    """One mailbox's calendars. Lookups by id take either kind."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.world = mailbox.world
        self.seq = 0
        self.calendars: dict[str, Calendar] = {}
        self.logs: dict[str, ChangeLog] = {}
        self.transactions: dict[str, str] = {}      # transactionId: immutable id of what it made
        self._members: dict[str, dict[str, Event]] = {mailbox.deleted_items_id: {}}
        self._events: dict[str, Event] = {}
        self._by_default_id: dict[str, Event] = {}
        self._by_uid: dict[str, list[str]] = {}
        self.default_calendar = self.add_calendar(self.world.options.default_calendar_name, is_default=True)

    @property
    def address(self) -> str:
        """The address with which the owner organises and answers."""
        return self.mailbox.account.mail or self.mailbox.account.upn

    # Reading

    def calendar(self, key: str) -> Calendar:
        """A calendar by id. Raises `Refusal` (400, 404)."""
        if key in self.calendars:
            return self.calendars[key]
        raise item_not_found() if is_well_formed(key) else malformed_id()

    def event(self, key: str, calendar: Calendar | None = None, *, deleted_too: bool = False) -> Event:
        """An event by either id, in that calendar when one is given; an occurrence's id is understood, too.

        Raises `Refusal` (400, 404).
        """
        found = self._events.get(key) or self._by_default_id.get(key) or series.find(self, key)
        if found is None and not is_well_formed(key):
            raise malformed_id()
        if found is None or (calendar is not None and found.calendar_id != calendar.id):
            raise item_not_found()
        if found.calendar_id == self.mailbox.deleted_items_id and not deleted_too:
            raise item_not_found()
        return found

    def root_by_id(self, key: str) -> Event | None:
        """A single event or master by either id, also from Deleted Items; None when there is none."""
        return self._events.get(key) or self._by_default_id.get(key)

    def by_immutable_id(self, key: str) -> Event | None:
        return self._events.get(key)

    def by_uid(self, ical_uid: str) -> Event | None:
        """The event of a meeting in this mailbox, outside Deleted Items; None when there is none."""
        found = (self._events.get(key) for key in self._by_uid.get(ical_uid, ()))
        return next((e for e in found if e is not None and e.calendar_id in self.calendars), None)

    def members(self, calendar_id: str) -> Iterable[Event]:
        """The single events and masters of a calendar, in the order in which they came."""
        return self._members.get(calendar_id, {}).values()

    def all_events(self) -> Iterator[Event]:
        """All outside Deleted Items, calendar by calendar."""
        for calendar_id in self.calendars:
            yield from self.members(calendar_id)

    def change_logs(self, collection: str = "") -> list[ChangeLog]:
        """The logs whose tokens can expire: all, or that of the calendar with this id or name."""
        if not collection:
            return list(self.logs.values())
        wanted = {calendar.id for calendar in self.calendars.values()
                  if collection in (calendar.id, calendar.name) or (calendar.is_default and collection == "calendar")}
        return [log for calendar_id, log in self.logs.items() if calendar_id in wanted]

    # Events

    def create(self, calendar: Calendar, sent: Mapping[str, Any], ical_uid: str = "") -> Event:
        """A new event of checked properties, organised by the owner. Raises `Refusal` (400, 403)."""
        self.check_writable(calendar)
        values = event_rules.created(sent, self.name_of, self._join_url)
        properties = extended.written({}, sent.get("singleValueExtendedProperties", ()))
        event = self._made(values, ical_uid or self._new_uid(), self.mailbox.account.display_name, self.address)
        event.extended = properties
        event.transaction_id = sent.get("transactionId")
        if event.transaction_id:
            self.transactions[event.transaction_id] = event.immutable_id
        self._add(event, calendar.id)
        return event

    def add_copy(self, values: dict[str, Any], ical_uid: str, organizer_name: str, organizer_address: str) -> Event:
        """An attendee's copy of a meeting, in the default calendar: tentative until it is answered."""
        event = self._made(values, ical_uid, organizer_name, organizer_address)
        event.is_organizer, event.answer = False, "notResponded"
        self._add(event, self.default_calendar.id)
        return event

    def update(self, event: Event, sent: Mapping[str, Any]) -> set[str]:
        """Write checked properties; the names of those that changed. Raises `Refusal`, then nothing is changed."""
        if event.master is not None:
            series.check_exception(event, sent)
        values = event_rules.updated(event.values, sent, self.name_of, self._join_url)
        if event.master is not None:
            series.check_boundary(event, values)
        properties = extended.written(event.extended, sent.get("singleValueExtendedProperties", ()))
        changed = {name for name in values if values[name] != event.values[name]}
        if not changed and properties == event.extended and self.world.options.patch_without_change == "quiet":
            return changed
        event.values, event.extended = values, properties
        if event.master is None:
            event.kind = "seriesMaster" if values["recurrence"] else "singleInstance"
            series.follow(self, event, changed)
        else:
            series.keep(event, changed)
        self.touch(event)
        return changed

    def touch(self, event: Event) -> None:
        """A new change key and date, also without any change (the service does that, too)."""
        for part in {id(part): part for part in (event, event.root)}.values():
            part.change_key = self.world.ids.change_key()
            part.changed_at = self.world.clock.now()
        self.note(event)
        self._announce("updated", event.root)

    def note(self, event: Event) -> None:
        """The log tells of it: of the whole series when it belongs to one."""
        self._note(event.root, is_present=True)

    def move(self, event: Event, calendar_id: str) -> None:
        """To another calendar: a new default id, the same immutable id; the old calendar's log says removed."""
        if calendar_id == event.calendar_id:
            return
        self._leave(event)
        event.change_key = self.world.ids.change_key()
        event.changed_at = self.world.clock.now()
        event.default_id = self.world.ids.item()
        self._enter(event, calendar_id)
        self._announce("deleted" if calendar_id == self.mailbox.deleted_items_id else "updated", event)

    def delete(self, event: Event) -> None:
        """To Deleted Items; an occurrence leaves no trace but a cancelled day of its series."""
        if event.master is not None:
            series.drop(event)
            self.touch(event.master)
        else:
            self.move(event, self.mailbox.deleted_items_id)

    def purge(self, event: Event) -> None:
        """For good."""
        self._leave(event)
        del self._events[event.immutable_id]
        self._announce("deleted", event)

    def check_writable(self, calendar: Calendar | None) -> None:
        """Raises `Refusal` (403) for a calendar that the owner of the mailbox may only read."""
        if calendar is not None and not calendar.can_edit:
            raise access_denied()

    # Calendars

    def add_calendar(self, name: str, *, is_default: bool = False, can_edit: bool = True, color: str = "auto",
                     owner: tuple[str, str] | None = None) -> Calendar:
        """A new calendar; `owner`: name and address. Raises `Refusal` (400, 409)."""
        self._check_name(name)
        account = self.mailbox.account
        owner_name, owner_address = owner or (account.display_name, self.address)
        ids = self.world.ids
        calendar = Calendar(ids.folder(), name, ids.change_key(), owner_name, owner_address, is_default, can_edit,
                            color)
        self.calendars[calendar.id] = calendar
        self._members[calendar.id] = {}
        self.logs[calendar.id] = ChangeLog()
        return calendar

    def update_calendar(self, calendar: Calendar, name: str | None, color: str | None) -> None:
        """Rename or colour; None: as it is. Raises `Refusal` (409)."""
        if name is not None and name.lower() != calendar.name.lower():
            self._check_name(name)
        calendar.name, calendar.color = name or calendar.name, color or calendar.color
        calendar.change_key = self.world.ids.change_key()

    def delete_calendar(self, calendar: Calendar) -> None:
        """Its events go to Deleted Items. The default one stays (`Refusal`)."""
        if calendar.is_default:
            raise Refusal(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
        for event in list(self.members(calendar.id)):
            self.delete(event)
        del self.calendars[calendar.id], self._members[calendar.id]
        self.logs[calendar.id].is_deleted = True      # kept: a delta link of it is answered in its own way

    def name_of(self, address: str) -> str:
        """The display name that the directory of the owner's organisation has for an address, or ""."""
        account, own = self.world.account(address), self.mailbox.account
        return account.display_name if account is not None and account.tenant_id == own.tenant_id else ""

    # Within

    def _made(self, values: dict[str, Any], ical_uid: str, organizer_name: str, organizer_address: str) -> Event:
        now, ids = self.world.clock.now(), self.world.ids
        return Event(ids.immutable(), ids.item(), "", values, ids.change_key(), now, now, ical_uid, organizer_name,
                     organizer_address, kind="seriesMaster" if values["recurrence"] else "singleInstance")

    def _add(self, event: Event, calendar_id: str) -> None:
        self._events[event.immutable_id] = event
        self._by_uid.setdefault(event.ical_uid, []).append(event.immutable_id)
        self._enter(event, calendar_id)
        self._announce("created", event)

    def _enter(self, event: Event, calendar_id: str) -> None:
        event.calendar_id = calendar_id
        self._members[calendar_id][event.immutable_id] = event
        self._by_default_id[event.default_id] = event
        self._note(event, is_present=True)

    def _leave(self, event: Event) -> None:
        self._note(event, is_present=False)
        del self._members[event.calendar_id][event.immutable_id], self._by_default_id[event.default_id]

    def _note(self, event: Event, *, is_present: bool) -> None:
        self.seq += 1
        if not event.spans or event.spans[-1][1:] != event.span():
            event.spans.append((self.seq, *event.span()))
        log = self.logs.get(event.calendar_id)      # Deleted Items has none
        if log is not None:
            log.note(Entry(event.immutable_id, self.seq, is_present, self.world.clock.now(), event.default_id))

    def _check_name(self, name: str) -> None:
        if not name.strip():
            raise Refusal(400, "ErrorInvalidProperty", "The calendar's name is missing.")
        if self.world.options.duplicate_folder == "refused" and any(
                other.name.lower() == name.lower() for other in self.calendars.values()):
            raise Refusal(409, "ErrorFolderExists", "A folder with the specified name already exists.")

    def _new_uid(self) -> str:
        return "040000008200E00074C5B7101A82E008" + self.world.ids.random.randbytes(36).hex().upper()

    def _join_url(self) -> str:
        meeting = quote(f"19:meeting_{self.world.ids.secret(24)}@thread.v2", safe="")
        return f"https://teams.microsoft.com/l/meetup-join/{meeting}/0"

    def _announce(self, kind: str, event: Event) -> None:
        self.world.announce(Change(self.mailbox.account.id, "events", kind, event.immutable_id, event.etag))
