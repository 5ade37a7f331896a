"""What an event is (CAL): a meeting or a call with a beginning and an end."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import date, datetime

from .base import UNSET, Record, Unset
from .contact import Text, Texts
from .task import Number, Status, clean

When = datetime | date | None | Unset
YesNo = bool | None | Unset


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EventData(Record):
    """An event as both sides can mean it; every field defaults to `UNSET` (not mapped).

    `start` and `end` are UTC instants; of an all-day event they are days, `end` the last day itself (one day: both the
    same). `time_zone` is the event's own zone, an IANA name. `recurrence` is an RFC 5545 RRULE, `series_key` ties the
    occurrences of a series. `attendees` are e-mail addresses of the CRM's users, `external_attendees` of other people.
    """

    subject: Text = UNSET
    body: Text = UNSET
    start: When = UNSET
    end: When = UNSET
    all_day: YesNo = UNSET
    time_zone: Text = UNSET
    location: Text = UNSET
    private: YesNo = UNSET
    show_as: Text = UNSET
    status: Status | Unset | None = UNSET
    attendees: Texts = UNSET
    external_attendees: Texts = UNSET
    recurrence: Text = UNSET
    series_key: Text = UNSET
    reminder_minutes: Number = UNSET
    categories: Texts = UNSET

    def __post_init__(self) -> None:
        clean(self, texts=("subject", "body", "time_zone", "location", "show_as", "recurrence", "series_key"),
              lists=(), sets=("attendees", "external_attendees", "categories"))

    def label(self) -> str:
        """What people call the event; empty without a subject."""
        return self.subject if isinstance(self.subject, str) else ""


EVENT_FIELDS: tuple[str, ...] = tuple(item.name for item in dataclasses.fields(EventData))
