"""What a request about calendars means, in plain words: "Moved Kick-off to another time"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..event_store import EventStore
from ..refusal import Refusal
from ..requestlog import LoggedRequest

if TYPE_CHECKING:
    from ..simulator import Sandbox

#: Properties as people call them; what is not in it is called by its own name.
PROPERTIES = {
    "subject": "the subject", "body": "the notes", "start": "the time", "end": "the time", "isAllDay": "the time",
    "location": "the place", "locations": "the place", "attendees": "the guests", "showAs": "how it is shown",
    "sensitivity": "how private it is", "isReminderOn": "the reminder", "reminderMinutesBeforeStart": "the reminder",
    "categories": "the categories", "recurrence": "when it repeats", "importance": "the importance",
    "singleValueExtendedProperties": "the CRM’s own mark",
}
_CALENDAR = r"(/calendars/(?P<calendar>[^/]+)|/calendar)?"
_EVENT = rf"{_CALENDAR}/events/(?P<event>[^/]+)"
#: Method, path below the mailbox, and the words; `{event}` and `{calendar}` are names, `{changes}` what was sent.
_RULES: tuple[tuple[str, str, str], ...] = (
    ("GET", rf"{_CALENDAR}/calendarView/delta", "{delta} in {calendar}"),
    ("GET", rf"{_CALENDAR}/calendarView", "Looked at some weeks of {calendar}"),
    ("GET", rf"{_EVENT}/instances", "Listed the dates of {event}"),
    ("POST", rf"{_EVENT}/accept", "Accepted {event}"),
    ("POST", rf"{_EVENT}/tentativelyAccept", "Accepted {event}, perhaps"),
    ("POST", rf"{_EVENT}/decline", "Declined {event}"),
    ("POST", rf"{_EVENT}/cancel", "Cancelled {event}"),
    ("GET", _EVENT, "Read {event}"),
    ("PATCH", _EVENT, "Changed {changes} of {event}"),
    ("DELETE", _EVENT, "Deleted {event}"),
    ("POST", rf"{_EVENT}/permanentDelete", "Deleted {event} for good"),
    ("GET", rf"{_CALENDAR}/events", "Listed the events of {calendar}"),
    ("POST", rf"{_CALENDAR}/events", "{added} to {calendar}"),
    ("GET", r"/calendars", "Listed the calendars"),
    ("POST", r"/calendars", "Added a calendar"),
    ("GET", r"/calendar(s/(?P<calendar>[^/]+))?", "Looked at {calendar}"),
    ("PATCH", r"/calendar(s/(?P<calendar>[^/]+))?", "Changed {calendar}"),
    ("DELETE", r"/calendars/(?P<calendar>[^/]+)", "Deleted a calendar"),
    ("GET", r"/outlook/supportedTimeZones.*", "Asked which time zones there are"),
)


def words_for(sandbox: Sandbox, entry: LoggedRequest) -> str:
    """One sentence without a full stop; "" for a request about something else."""
    path = re.sub(r"^/v1\.0/(me|users/[^/]+)(?=/)", "", entry.path, flags=re.IGNORECASE)
    for method, pattern, words in _RULES:
        found = re.fullmatch(pattern, path, re.IGNORECASE) if method == entry.method else None
        if found is not None:
            ids = found.groupdict()
            return words.format(event=_event(sandbox, entry, ids.get("event")), delta=_delta(entry),
                                calendar=_calendar(sandbox, entry, ids.get("calendar")), changes=_changes(entry),
                                added=_added(entry))
    return ""


def _delta(entry: LoggedRequest) -> str:
    query = unquote(entry.query).lower()
    if "$deltatoken" in query:
        return "Asked what has changed"
    return "Read on" if "$skiptoken" in query else "Read everything of some months"


def _changes(entry: LoggedRequest) -> str:
    names = list(dict.fromkeys(PROPERTIES.get(name, name) for name in _body(entry)))
    if not names:
        return "something"
    if len(names) > 4:
        return f"{len(names)} things"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _added(entry: LoggedRequest) -> str:
    body = _body(entry)
    guests = len(body.get("attendees") or ())
    name = f"“{body['subject']}”" if body.get("subject") else "an event"
    return f"Added {name}" + (f" with {guests} guest{'' if guests == 1 else 's'}" if guests else "")


def _body(entry: LoggedRequest) -> dict[str, Any]:
    return entry.body if isinstance(entry.body, dict) else {}


def _event(sandbox: Sandbox, entry: LoggedRequest, event_id: str | None) -> str:
    account = sandbox.world.account(entry.account) if entry.account else None
    if account is None or not event_id:
        return "an event"
    try:
        found = sandbox.world.mailbox(account).part(EventStore).event(event_id, deleted_too=True)
    except Refusal:
        return "an event that is gone"
    return f"“{found.values['subject']}”" if found.values["subject"] else "an event"


def _calendar(sandbox: Sandbox, entry: LoggedRequest, calendar_id: str | None) -> str:
    account = sandbox.world.account(entry.account) if entry.account else None
    if account is None or not calendar_id:
        return "the calendar"
    found = sandbox.world.mailbox(account).part(EventStore).calendars.get(calendar_id)
    if found is None:
        return "a calendar that is gone"
    return "the calendar" if found.is_default else f"the calendar “{found.name}”"
