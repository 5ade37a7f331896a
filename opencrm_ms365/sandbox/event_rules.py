"""What Exchange does to an event's properties when they are written (facts 6.2); where that is not known, a switch.

Pure: takes the stored values and what was sent, gives the new values. Bodies have been checked before. Who else is
told of a change is not decided here but in `meetings`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from . import event_bodies, event_times, recurrence
from .refusal import Refusal

#: What all who take part see the same; a change of one is mailed to the attendees.
SHARED = ("subject", "body", "start", "end", "isAllDay", "location", "locations", "attendees", "importance",
          "recurrence", "responseRequested", "allowNewTimeProposals", "hideAttendees", "isOnlineMeeting",
          "onlineMeetingProvider", "onlineMeeting")
#: What each has for himself on his copy.
PRIVATE = ("categories", "showAs", "isReminderOn", "reminderMinutesBeforeStart", "sensitivity")
MAX_ATTENDEES = 500
REMINDER_MINUTES = 15
ALL_DAY_REMINDER_MINUTES = 1080
NEVER = "0001-01-01T00:00:00Z"
NO_ANSWER: dict[str, Any] = {"response": "none", "time": NEVER}

_DEFAULTS: dict[str, Any] = {
    "subject": "", "body": "", "isAllDay": False, "location": {}, "locations": [], "attendees": [],
    "importance": "normal", "recurrence": None, "responseRequested": True, "allowNewTimeProposals": True,
    "hideAttendees": False, "isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "onlineMeeting": None,
    "categories": [], "showAs": "busy", "isReminderOn": True, "reminderMinutesBeforeStart": REMINDER_MINUTES,
    "sensitivity": "normal",
}
_PLAIN = ("subject", "isAllDay", "importance", "responseRequested", "allowNewTimeProposals", "hideAttendees",
          "categories", "showAs", "isReminderOn", "reminderMinutesBeforeStart", "sensitivity")
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")

NameOf = Callable[[str], str]


def created(sent: Mapping[str, Any], name_of: NameOf, join_url: Callable[[], str]) -> dict[str, Any]:
    """The values of a new event. `name_of` knows an address's display name. Raises `Refusal` (400)."""
    for name in ("start", "end"):
        if not sent.get(name):
            raise Refusal(400, "ErrorPropertyValidationFailure", f"The required property '{name}' is missing.")
    values = copy.deepcopy(_DEFAULTS)
    if sent.get("isAllDay"):
        values["reminderMinutesBeforeStart"] = ALL_DAY_REMINDER_MINUTES
    return _merged(values, sent, name_of, join_url)


def updated(old: Mapping[str, Any], sent: Mapping[str, Any], name_of: NameOf,
            join_url: Callable[[], str]) -> dict[str, Any]:
    """The values after a PATCH: what is not sent stays; attendees are replaced as a whole. Raises `Refusal` (400)."""
    return _merged(copy.deepcopy(dict(old)), sent, name_of, join_url)


def shown_location(values: Mapping[str, Any]) -> dict[str, Any]:
    """`location` and `locations` as answers show them."""
    return {"location": {"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {},
                         "coordinates": {}, **values["location"]},
            "locations": copy.deepcopy(values["locations"])}


def address_of(person: Mapping[str, Any]) -> str:
    """The address of an attendee or organiser, in lower case."""
    return str((person.get("emailAddress") or {}).get("address") or "").lower()


def _merged(values: dict[str, Any], sent: Mapping[str, Any], name_of: NameOf,
            join_url: Callable[[], str]) -> dict[str, Any]:
    for name in _PLAIN:
        if name in sent:
            values[name] = _DEFAULTS[name] if sent[name] is None else copy.copy(sent[name])
    for name in ("start", "end"):
        if name in sent:
            values[name] = event_times.stored(name, sent[name])
    event_times.check_span(values["start"], values["end"], is_all_day=values["isAllDay"])
    _merge_location(values, sent)
    if "attendees" in sent:
        values["attendees"] = _attendees(values["attendees"], sent["attendees"] or [], name_of)
    _merge_recurrence(values, sent)
    _merge_body(values, sent, join_url)
    return values


def _merge_recurrence(values: dict[str, Any], sent: Mapping[str, Any]) -> None:
    """A series begins with its first occurrence, which may be later than the start that was sent (facts 6.6)."""
    if "recurrence" in sent:
        values["recurrence"] = recurrence.stored(sent["recurrence"], values["start"]) if sent["recurrence"] else None
    elif values["recurrence"] and "start" in sent:
        values["recurrence"]["range"]["startDate"] = values["start"]["dateTime"][:10]
    if values["recurrence"] and ("recurrence" in sent or "start" in sent):
        first = recurrence.first(values["recurrence"])
        later = first - event_times.wall(values["start"]).date()
        for name in ("start", "end"):
            moved = event_times.wall(values[name]) + later
            values[name] = event_times.of_wall(moved, values[name]["timeZone"])
        values["recurrence"]["range"]["startDate"] = first.isoformat()


def _merge_location(values: dict[str, Any], sent: Mapping[str, Any]) -> None:
    """The two are kept in step: writing `location` replaces `locations`."""
    if "location" in sent:
        place = {key: part for key, part in (sent["location"] or {}).items() if part not in (None, "")}
        values["location"] = place
        values["locations"] = [_service_set(place)] if place else []
    elif "locations" in sent:
        places = [_service_set(place) for place in sent["locations"] or []]
        values["locations"] = places
        names = "; ".join(place["displayName"] for place in places if place.get("displayName"))
        values["location"] = places[0] if len(places) == 1 else {"displayName": names} if names else {}


def _service_set(place: Mapping[str, Any]) -> dict[str, Any]:
    return {**place, "locationType": "default", "uniqueId": place.get("displayName", ""), "uniqueIdType": "private"}


def _attendees(old: list[dict[str, Any]], sent: list[dict[str, Any]], name_of: NameOf) -> list[dict[str, Any]]:
    """The whole list: who was there keeps his answer, whatever `status` was sent (facts 6.5)."""
    if len(sent) > MAX_ATTENDEES:
        raise Refusal(400, "ErrorInvalidRequest", f"A meeting has at most {MAX_ATTENDEES} attendees.")
    before = {address_of(person): person for person in old}
    kept: dict[str, dict[str, Any]] = {}
    for person in sent:
        given = person.get("emailAddress") or {}
        address = str(given.get("address") or "").strip()
        if not _ADDRESS.fullmatch(address):
            raise Refusal(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
        known = before.get(address.lower(), {})
        entry = {"type": person.get("type") or "required", "status": dict(known.get("status") or NO_ANSWER),
                 "emailAddress": {"name": given.get("name") or name_of(address) or address, "address": address}}
        if known.get("proposedNewTime"):
            entry["proposedNewTime"] = known["proposedNewTime"]
        kept.setdefault(address.lower(), entry)
    return list(kept.values())


def _merge_body(values: dict[str, Any], sent: Mapping[str, Any], join_url: Callable[[], str]) -> None:
    if "body" in sent:
        content = (sent["body"] or {}).get("content") or ""
        is_html = ((sent["body"] or {}).get("contentType") or "text") == "html"
        wrapped = event_bodies.from_html(content) if is_html else event_bodies.from_text(content)
        values["body"] = wrapped if content else ""
    if values["isOnlineMeeting"]:
        # Once made it cannot be undone by a property, only by taking the join block away (facts 6.5).
        if "body" in sent and not event_bodies.has_join_block(values["body"]):
            values |= {"isOnlineMeeting": False, "onlineMeetingProvider": "unknown", "onlineMeeting": None}
    elif sent.get("isOnlineMeeting"):
        url = join_url()
        provider = sent.get("onlineMeetingProvider") or "teamsForBusiness"
        body = event_bodies.with_join_block(values["body"] or event_bodies.from_html(""), url)
        values |= {"isOnlineMeeting": True, "onlineMeetingProvider": provider, "onlineMeeting": {"joinUrl": url},
                   "body": body}
