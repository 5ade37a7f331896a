"""Views with a window of time: calendarView and the instances of one series (facts 6.1, 6.7)."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..event_store import EventStore
from ..event_times import parse_bound
from ..refusal import Refusal
from ..series import instances
from .calendars import READ, find
from .call import Call, Reply
from .event_shown import NOT_IN_VIEWS
from .events import LIST_OPTIONS, listing
from .events import find as find_event
from .query import allow
from .routing import Routes

routes = Routes()


@routes.add("GET", "{user}/calendarView", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendar/calendarView", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendars/{calendar}/calendarView", scopes=READ, outlook=True)
def calendar_view(call: Call, calendar: str = "") -> Reply:
    """What takes place in the window, series expanded, by start."""
    allow(call, *LIST_OPTIONS)
    found, span = find(call, calendar), window(call)
    parts = [part for event in call.mailbox.part(EventStore).members(found.id) for part in instances(event, span)]
    parts.sort(key=lambda part: part.start_at)
    return listing(call, parts, "calendarView", leaves_out=NOT_IN_VIEWS)


@routes.add("GET", "{user}/events/{event}/instances", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendars/{calendar}/events/{event}/instances", scopes=READ, outlook=True)
def list_instances(call: Call, event: str, calendar: str = "") -> Reply:
    """The occurrences and exceptions of a series in the window; cancelled ones are not shown."""
    allow(call, *LIST_OPTIONS)
    master = find_event(call, event, calendar)
    if master.kind != "seriesMaster":
        raise Refusal(400, "ErrorInvalidRequest", "The event is not a series master.")
    return listing(call, instances(master, window(call)), "instances")


def window(call: Call) -> tuple[datetime, datetime]:
    """`startDateTime` and `endDateTime` of the request, in UTC. Raises `Refusal` (400)."""
    given = {name.lower(): value for name, value in call.query.items()}
    first, last = given.get("startdatetime"), given.get("enddatetime")
    if not first or not last:
        raise Refusal(400, "ErrorInvalidParameter", "This request requires a time window specified by the query string "
                      "parameters StartDateTime and EndDateTime.")
    span = parse_bound(first), parse_bound(last)
    most = call.sandbox.options.calendar_view_max_days
    if span[1] < span[0]:
        raise Refusal(400, "ErrorInvalidParameter", "The end of the time window is before its start.")
    if most and span[1] - span[0] > timedelta(days=most):
        raise Refusal(400, "ErrorCalendarViewRangeTooBig", f"The specified time window exceeds the maximum of {most} "
                      "days.")
    return span
