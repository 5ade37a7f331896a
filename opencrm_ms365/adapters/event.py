"""The adapter for meetings and calls."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..records.event import EVENT_FIELDS, EventData
from .context import SyncContext
from .conversion import Shape
from .fields import FieldSpec, Stored
from .outcome import SkipRecord
from .privacy import PrivateRecords

_SHAPES = dict.fromkeys(EVENT_FIELDS, Shape.TEXT) | {
    "start": Shape.INSTANT, "end": Shape.INSTANT, "all_day": Shape.FLAG, "private": Shape.FLAG, "status": Shape.STATUS,
    "attendees": Shape.TEXTS, "external_attendees": Shape.TEXTS, "categories": Shape.TEXTS,
    "reminder_minutes": Shape.NUMBER,
}


class EventAdapter(PrivateRecords):
    """Meetings and calls. What is private is kept in this app's own table where the CRM has no column for it."""

    kind = "events"
    record_type = EventData
    shapes = _SHAPES
    body_field = "body"
    default_fields: ClassVar[Mapping[str, FieldSpec]] = {"private": Stored(default=False)}

    #: How long an event lasts of which the CRM keeps no end, in minutes.
    default_minutes: int = 30
    #: True where the CRM itself makes the activities of a series; the sync then adopts them.
    expands_series: bool = False

    def window(self, obj: Any, ctx: SyncContext) -> datetime.datetime | None:
        """The instant that decides whether an event is in the sync's window (SYNC-02); None: it has none."""
        value = self.specs["start"].read(obj, ctx) if "start" in self.specs else None
        return value if isinstance(value, datetime.datetime) else None

    def values(self, obj: Any, ctx: SyncContext) -> dict[str, Any]:
        """The record's values. An event without a start is skipped; one without an end lasts `default_minutes`."""
        values = super().values(obj, ctx)
        start, end = values.get("start"), values.get("end")
        if not isinstance(start, datetime.datetime):
            raise SkipRecord("It has no start, so it cannot be in a calendar.")
        if values.get("all_day"):
            zone = self.zone(values.get("time_zone"), ctx)
            first = start.astimezone(zone).date()
            last = end.astimezone(zone).date() if isinstance(end, datetime.datetime) else first
            return {**values, "start": first, "end": max(first, last)}
        if not isinstance(end, datetime.datetime):
            values["end"] = start + datetime.timedelta(minutes=self.default_minutes)
        return values

    def column_value(self, name: str, data: Any, ctx: SyncContext) -> Any:
        """The days of an all-day event are midnights of its own zone in columns with a time."""
        value = super().column_value(name, data, ctx)
        if name in ("start", "end") and isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
            zone = self.zone(data.time_zone, ctx)
            return datetime.datetime.combine(value, datetime.time(), zone).astimezone(datetime.UTC)
        return value

    @staticmethod
    def zone(name: Any, ctx: SyncContext) -> datetime.tzinfo:
        """The zone with an IANA name; the user's where there is none, or an unknown one."""
        try:
            return ZoneInfo(name) if isinstance(name, str) else ctx.tz
        except (ZoneInfoNotFoundError, ValueError):
            return ctx.tz
