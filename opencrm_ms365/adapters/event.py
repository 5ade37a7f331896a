"""The adapter for meetings and calls."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..records.event import EVENT_FIELDS, EventData
from .context import Scope, SyncContext
from .conversion import Shape
from .fields import Col, FieldSpec, Stored
from .outcome import SkipRecord
from .privacy import PrivateRecords
from .scoping import DELETED

_SHAPES = dict.fromkeys(EVENT_FIELDS, Shape.TEXT) | {
    "start": Shape.INSTANT, "end": Shape.INSTANT, "all_day": Shape.FLAG, "private": Shape.FLAG, "status": Shape.STATUS,
    "attendees": Shape.TEXTS, "external_attendees": Shape.TEXTS, "categories": Shape.TEXTS,
    "reminder_minutes": Shape.NUMBER,
}


NOT_TAKING_PART = "not_taking_part"


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

    # -- who takes part ----------------------------------------------------------------------------

    def taking_part(self, queryset: QuerySet, ctx: SyncContext) -> QuerySet:
        """Those of the activities that are assigned to the user or have them among their users.

        All of them where the adapter declares neither.
        """
        roles: list[Any] = [spec for name in ("owner", "users") if (spec := self.role_specs.get(name)) is not None]
        if not roles:
            return queryset
        found = Q()
        for spec in roles:
            found |= spec.holding(ctx)
        return queryset.filter(found)

    def in_sight(self, queryset: QuerySet, ctx: SyncContext) -> QuerySet:
        """What the user sees: whoever takes part in an activity sees it, whatever `visible_to` says."""
        visible = self.visible_to(queryset, ctx).order_by().values("pk")
        if not {"owner", "users"} & set(self.role_specs):
            return queryset.filter(pk__in=visible)
        part = self.taking_part(queryset, ctx).order_by().values("pk")
        return queryset.filter(Q(pk__in=visible) | Q(pk__in=part))

    def in_scope(self, ctx: SyncContext, scope: Scope, among: Iterable[str] | None = None) -> QuerySet:
        """The activities that belong into the user's calendar: those in which the user takes part."""
        present = self.existing(ctx) if among is None else self.existing(ctx).filter(pk__in=self.keys(among))
        part = self.taking_part(present, ctx)
        if not {"owner", "users"} & set(self.role_specs):
            part = self.visible_to(part, ctx)
        return self.existing(ctx).filter(pk__in=part.order_by().values("pk"))

    def explain_scopes(self, ids: Iterable[str], ctx: SyncContext, scope: Scope) -> dict[str, str]:
        """Why each of these is out of the user's calendar, `""` for in it."""
        ids = list(dict.fromkeys(ids))
        present = {str(key) for key in self.existing(ctx).filter(pk__in=self.keys(ids)).values_list("pk", flat=True)}
        inside = {str(key) for key in self.in_scope(ctx, scope, ids).order_by().values_list("pk", flat=True)}
        return {item: DELETED if item not in present else "" if item in inside else NOT_TAKING_PART for item in ids}

    def starting_between(self, queryset: QuerySet, first: datetime.datetime, last: datetime.datetime) -> QuerySet:
        """Those that start in the window, bounds included, as far as the database can tell; the others are read and
        judged one by one."""
        spec = self.specs.get("start")
        column = self.column(spec.path) if isinstance(spec, Col) else None
        if column is None:
            return queryset
        if isinstance(column, models.DateTimeField):
            bounds: tuple[Any, ...] = (first, last) if self.uses_time_zones else tuple(
                timezone.make_naive(item, timezone.get_default_timezone()) for item in (first, last))
        elif isinstance(column, models.DateField):
            bounds = (first.date(), last.date())
        else:
            return queryset
        return queryset.filter(**{f"{column.name}__range": bounds})

    # -- values ------------------------------------------------------------------------------------

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
