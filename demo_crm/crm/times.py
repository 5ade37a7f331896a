"""Time zones and wall clocks: between what stands on a page and instants."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

ZONE_COOKIE = "time_zone"


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo | None:
    """The zone with an IANA name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):        # a folder's name, or a very long one, is an OSError
        return None


@lru_cache(maxsize=1)
def all_zones() -> tuple[str, ...]:
    """The zones that people choose from: places, without the aliases for machines."""
    aliases = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    places = (name for name in available_timezones() if "/" in name and not name.startswith(aliases))
    return (*sorted(places), "UTC")


class LocalTime:
    """Shows each page in the zone of the person's browser, which `crm.js` tells by a cookie; else in the project's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = zone_named(request.COOKIES.get(ZONE_COOKIE, ""))
        if zone is None:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)


def exists(moment: datetime.datetime) -> bool:
    """Whether an aware wall clock time is one that clocks show: not in the hour that they leap over in spring."""
    return moment.astimezone(datetime.UTC).astimezone(moment.tzinfo) == moment


def at(day: datetime.date, clock: datetime.time, zone: datetime.tzinfo) -> datetime.datetime:
    """The instant of a wall clock time. Where clocks show it twice, the first; where they leap over it, the one after.
    """
    return datetime.datetime.combine(day, clock, zone).astimezone(datetime.UTC)


def midnight(day: datetime.date, zone: datetime.tzinfo) -> datetime.datetime:
    """The instant at which a day begins somewhere, as all-day activities keep it."""
    return at(day, datetime.time(), zone)


def next_hour(now: datetime.datetime) -> datetime.datetime:
    """The next full hour."""
    return now.replace(minute=0, second=0, microsecond=0) + datetime.timedelta(hours=1)


def span(start: datetime.datetime, end: datetime.datetime | None) -> str:
    """Two local times in words: `Mon 23 Nov 2026, 09:00–10:00`."""
    first = f"{day(start.date())}, {start:%H:%M}"
    if end is None or end == start:
        return first
    if end.date() == start.date():
        return f"{first}–{end:%H:%M}"
    return f"{first} – {day(end.date())}, {end:%H:%M}"


def days(first: datetime.date, last: datetime.date) -> str:
    """Whole days in words: `Mon 23 Nov 2026`, `Mon 23 Nov – Wed 25 Nov 2026`."""
    if first == last:
        return day(first)
    short = f"{first:%a} {first.day} {first:%b}"
    return f"{short if first.year == last.year else day(first)} – {day(last)}"


def day(date: datetime.date) -> str:
    return f"{date:%a} {date.day} {date:%b} {date.year}"
