"""What reading a calendar yields: events, occurrences, calendars; and what writing takes.

Where a value can hold contents of a record, its `repr` shows nothing of it (I-5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..records.event import EventData
from .items import IDENTITY_PROPERTY, BrokenItem, DeltaPage, RemovedItem, etag_of, marker_of
from .wire import event as wire
from .wire.event import Attendee
from .wire.moments import flag, instant, zone_names
from .wire.values import Unreadable, text
from .wire.values import instant as plain_instant

__all__ = [
    "IDENTITY_PROPERTY",
    "Attendee",
    "BrokenItem",
    "Calendar",
    "DeltaPage",
    "EventItem",
    "EventWrite",
    "KeptEvent",
    "OccurrenceItem",
    "RemovedItem",
    "read_event",
]

#: Addresses by which people join a meeting: who overwrites a body that holds one leaves the others outside.
_JOINS = re.compile(
    r"teams\.microsoft\.(?:com|us)/(?:l/meetup-join|meet)|teams\.live\.com/meet|dod\.teams\.microsoft\.us"
    r"|[\w.-]*zoom(?:gov)?\.(?:us|com)/[jsw]/|[\w-]+\.webex\.com|meet\.google\.com/|meet\.goto\.com/|gotomeeting\.com/join"
    r"|join\.skype\.com/|meet\.lync\.com/", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class KeptEvent:
    """What Outlook holds beside the record and a write could destroy. Hand it from the item to the write.

    html        the whole body as it came; None where it was not read.
    is_online   an online meeting hangs on the event.
    start_zone, end_zone    the zones as Microsoft named them, `""` for none.
    """

    html: str | None = None
    is_online: bool = False
    start_zone: str = ""
    end_zone: str = ""

    @property
    def holds_join_block(self) -> bool:
        """True when the body tells people how to join: it is never overwritten (facts 6.5, Teams meetings).

        Replacing only the rest of it would need to know where Microsoft's block begins, in each of its languages and
        versions; a wrong guess disables the meeting. So notes from the CRM do not get into such a body.
        """
        return self.is_online or bool(self.html and _JOINS.search(self.html))


@dataclass(frozen=True, slots=True)
class EventItem:
    """An event as Microsoft holds it, in one person's calendar.

    folder          the calendar's id; `""` when the event was read without one.
    ical_uid        shared by all copies of a meeting; of occurrences it may be the series' or their own (facts 6.2).
    is_organizer    False where Microsoft does not say: shared fields are written by the organiser only.
    organizer       address in lower case, `""` if unknown.
    answer          what the calendar's owner answered.
    original_start  UTC, of occurrences and exceptions only.
    """

    graph_id: str
    folder: str
    etag: str
    data: EventData
    created_at: datetime | None
    changed_at: datetime | None
    marker: str = ""
    ical_uid: str = ""
    is_organizer: bool = False
    organizer: str = field(default="", repr=False)
    organizer_name: str = field(default="", repr=False)
    attendees: tuple[Attendee, ...] = ()
    answer: wire.Reply = "none"
    is_cancelled: bool = False
    is_draft: bool = False
    kind: wire.Kind = "single"
    master_id: str = ""
    original_start: datetime | None = None
    transaction_id: str = ""
    kept: KeptEvent = field(default_factory=KeptEvent, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class OccurrenceItem:
    """An occurrence as delta tells it: everything else is its master's (facts 8.3).

    `start` and `end` are UTC instants; of an all-day series (its master says so) the midnights of the days, `end`
    exclusive.
    """

    graph_id: str
    master_id: str
    start: datetime | None
    end: datetime | None
    kind: wire.Kind = "occurrence"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar of the mailbox. Events are written only where `can_edit`."""

    id: str
    name: str = field(repr=False)
    is_default: bool
    can_edit: bool


@dataclass(frozen=True, slots=True)
class EventWrite:
    """One change to send.

    key             the caller's name for it; the result comes under it.
    action          `cancel` is for the organiser of a meeting: its attendees get `comment`, and the event goes.
    folder          the calendar to create in; `""` for the default one.
    values          record field to canonical value; None and `()` erase, absent fields are not touched. Attendees and
                    status in here are passed over.
    current         what Microsoft holds now, when known: a change of the time needs the other end of it.
    marker          written as `IDENTITY_PROPERTY` when not empty.
    transaction_id  new for each creation that is meant, the same for each repetition of it (facts 6.4).
    attendees       the whole new list; None leaves it untouched. Microsoft mails whoever is concerned.
    kept            of the item that `current` comes from. None: the notes of an existing event are read before they
                    are overwritten.
    """

    key: str
    action: Literal["create", "update", "delete", "cancel"]
    folder: str = ""
    graph_id: str = ""
    etag: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    current: EventData | None = None
    marker: str = ""
    transaction_id: str = ""
    attendees: tuple[Attendee, ...] | None = None
    comment: str = field(default="", repr=False)
    kept: KeptEvent | None = field(default=None, repr=False)


def read_event(
    item: object, *, folder: str = "", marker: str = ""
) -> EventItem | OccurrenceItem | RemovedItem | BrokenItem:
    """One entry of a listing or an answer. `folder` and `marker` are what the caller knows of it."""
    graph_id = item.get("id") if isinstance(item, Mapping) else None
    if not isinstance(item, Mapping) or not isinstance(graph_id, str) or not graph_id:
        return BrokenItem("", "Microsoft sent an entry without an id.")
    if "@removed" in item:
        return RemovedItem(graph_id)
    try:
        master_id = text(item, "seriesMasterId") or ""
        if master_id and "subject" not in item:
            return OccurrenceItem(graph_id, master_id, instant(item, "start"), instant(item, "end"), wire.kind_of(item))
        return _event(item, graph_id, master_id, folder, marker)
    except Unreadable as error:
        return BrokenItem(graph_id, str(error))


def _event(item: Mapping[str, Any], graph_id: str, master_id: str, folder: str, marker: str) -> EventItem:
    start_zone, end_zone = zone_names(item)
    organizer, organizer_name = wire.person(item.get("organizer"))
    own = wire.answer_of(item.get("responseStatus"))
    is_organizer = flag(item, "isOrganizer")
    return EventItem(
        graph_id=graph_id,
        folder=folder,
        etag=etag_of(item),
        data=wire.to_record(item),
        created_at=plain_instant(item, "createdDateTime"),
        changed_at=plain_instant(item, "lastModifiedDateTime"),
        marker=marker_of(item) or marker,
        ical_uid=text(item, "iCalUId") or "",
        is_organizer=is_organizer if isinstance(is_organizer, bool) else own == "organizer",
        organizer=organizer,
        organizer_name=organizer_name,
        attendees=wire.attendees(item),
        answer=own,
        is_cancelled=flag(item, "isCancelled") is True,
        is_draft=flag(item, "isDraft") is True,
        kind=wire.kind_of(item),
        master_id=master_id,
        original_start=plain_instant(item, "originalStart"),
        transaction_id=text(item, "transactionId") or "",
        kept=KeptEvent(wire.body_html(item), _is_online(item), start_zone, end_zone),
    )


def _is_online(item: Mapping[str, Any]) -> bool:
    return item.get("isOnlineMeeting") is True or any(item.get(name) for name in ("onlineMeeting", "onlineMeetingUrl"))
