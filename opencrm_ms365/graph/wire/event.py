"""An event: Microsoft's JSON to our record and back. Pure.

Members that we do not know are ignored. A known member that is missing is *not mapped* (UNSET), because delta gives
some events in part; one of the wrong type is `Unreadable`. Attendees travel beside the record (`attendees`), and so
does the zone an event was made in.
Source of all facts: the v1.0 metadata and facts 6.2, 6.3, 6.8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from ...records import UNSET, is_set
from ...records.event import EventData
from ...records.task import Status
from . import html, moments, recurrence
from .values import Unreadable, storable, text, texts

#: What is asked for of a single event: the members of the record, and what stands beside it. Delta takes no choice.
SELECT = (
    "id", "changeKey", "createdDateTime", "lastModifiedDateTime", "subject", "body", "start", "end", "isAllDay",
    "originalStartTimeZone", "originalEndTimeZone", "originalStart", "location", "sensitivity", "showAs",
    "isReminderOn", "reminderMinutesBeforeStart", "categories", "attendees", "organizer", "isOrganizer",
    "responseStatus", "isCancelled", "isDraft", "type", "seriesMasterId", "recurrence", "iCalUId", "transactionId",
    "isOnlineMeeting", "onlineMeeting", "onlineMeetingUrl",
)
PREFER_UTC = 'outlook.timezone="UTC"'
PREFER_HTML = 'outlook.body-content-type="html"'

#: `personal` counts as private: Outlook shows it as a grade of privacy, and taking it for public would be the worse
#: mistake (PRIV-01). We only ever write `private` and `normal`.
PRIVATE = frozenset({"private", "personal", "confidential"})
SHOW_AS = {name.casefold(): name for name in ("free", "tentative", "busy", "oof", "workingElsewhere")}
NO_SHOW_AS = "unknown"

Kind = Literal["single", "occurrence", "exception", "master"]
Reply = Literal["none", "accepted", "tentative", "declined", "organizer"]
AttendeeKind = Literal["required", "optional", "resource"]
KINDS: Mapping[str, Kind] = {
    "singleinstance": "single", "occurrence": "occurrence", "exception": "exception", "seriesmaster": "master",
}
ANSWERS: Mapping[str, Reply] = {
    "accepted": "accepted", "tentativelyaccepted": "tentative", "declined": "declined", "organizer": "organizer",
}
ATTENDEE_KINDS: Mapping[str, AttendeeKind] = {
    "required": "required", "optional": "optional", "resource": "resource",
}
#: Fields of the record that are not written by way of `values`: attendees go beside them, and nothing else of these
#: can be set (a CRM's status sends no mail and deletes nothing, CAL-05).
NOT_WRITTEN = frozenset({"attendees", "external_attendees", "status", "series_key"})


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody invited. `address` is in lower case; `answer` is what Outlook knows, and is never written."""

    address: str = ""
    name: str = ""
    kind: AttendeeKind = "required"
    answer: Reply = "none"

    def __repr__(self) -> str:
        return f"<Attendee {self.kind}, {self.answer}>"


def to_record(item: Mapping[str, Any]) -> EventData:
    """The record of what the item tells; raises `Unreadable`. Start and end must have been asked for in UTC."""
    fields = moments.read(item)
    if "subject" in item:
        fields["subject"] = text(item, "subject")
    if "body" in item:
        fields["body"] = _body_text(item)
    if "location" in item:
        fields["location"] = _inner_text(item, "location", "displayName")
    if "categories" in item:
        fields["categories"] = texts(item, "categories")
    if "sensitivity" in item:
        fields["private"] = (text(item, "sensitivity") or "").casefold() in PRIVATE
    if "showAs" in item:
        fields["show_as"] = SHOW_AS.get((text(item, "showAs") or "").casefold())
    if "isReminderOn" in item:
        fields["reminder_minutes"] = _reminder(item)
    if moments.flag(item, "isCancelled") is True:
        fields["status"] = Status.CANCELLED
    data = EventData(**fields)
    if kind_of(item) == "master":
        data = replace(data, recurrence=recurrence.rule_of(item, data))
    return data


def body_html(item: Mapping[str, Any]) -> str | None:
    """The whole body as it came; None when it was not there."""
    body = item.get("body")
    if not isinstance(body, Mapping):
        return None
    return _content(body)


def kind_of(item: Mapping[str, Any]) -> Kind:
    """What part of a series it is, if any."""
    known = KINDS.get((text(item, "type") or "").casefold())
    if known:
        return known
    if item.get("recurrence"):
        return "master"
    return "occurrence" if item.get("seriesMasterId") else "single"


def answer_of(status: object) -> Reply:
    """What a `responseStatus` says; not to have answered is `none`."""
    said = status.get("response") if isinstance(status, Mapping) else None
    return ANSWERS.get(said.casefold(), "none") if isinstance(said, str) else "none"


def person(entry: object) -> tuple[str, str]:
    """Address in lower case and name of a `recipient`; `""` for what is missing."""
    mail = entry.get("emailAddress") if isinstance(entry, Mapping) else None
    if not isinstance(mail, Mapping):
        return "", ""
    address, name = mail.get("address"), mail.get("name")
    return (storable(address).strip().lower() if isinstance(address, str) else "",
            storable(name).strip() if isinstance(name, str) else "")


def attendees(item: Mapping[str, Any]) -> tuple[Attendee, ...]:
    """Who is invited, in order. Raises `Unreadable` for what is no list: taken for nobody, it would disinvite all."""
    entries = item.get("attendees")
    if entries is None:
        return ()
    if not isinstance(entries, list):
        raise Unreadable("attendees")
    found = []
    for entry in entries:
        if isinstance(entry, Mapping):
            address, name = person(entry)
            kind = entry.get("type")
            found.append(Attendee(address, name, ATTENDEE_KINDS.get(kind.casefold() if isinstance(kind, str) else "",
                                                                    "required"), answer_of(entry.get("status"))))
    return tuple(found)


def attendees_json(people: Iterable[Attendee]) -> list[dict[str, Any]]:
    """The list to send: it replaces the one that is there (facts 14.19). Nobody without an address can be invited."""
    once = {guest.address.casefold(): guest for guest in people if guest.address}
    return [{"type": guest.kind, "emailAddress": _mail(guest)}
            for guest in once.values()]


def _mail(guest: Attendee) -> dict[str, str]:
    return {"address": guest.address, "name": guest.name} if guest.name else {"address": guest.address}


def to_json(
    values: Mapping[str, Any], current: EventData | None = None, *, zone_names: tuple[str, str] = ("", ""),
    html_now: str | None = None, keeps_body: bool = False,
) -> dict[str, Any]:
    """The members to send for these fields: None and `()` erase, fields that are absent or UNSET are not touched.

    current     what Microsoft holds now. It completes a change of the time, and spares a write that changes nothing
                but could: a `confidential` event that is private already stays confidential.
    zone_names  the zones as Microsoft named them.
    html_now    the body as it is there: the same text is not sent again.
    keeps_body  the body must not be written: it holds what joins an online meeting.

    Raises `Inexpressible` for a recurrence that Outlook does not know.
    """
    repeats = values.get("recurrence", UNSET)
    if is_set(repeats) and not is_set(values.get("start", UNSET)) and current is not None:
        values = {**values, "start": current.start}  # the range of a series must begin with its start
    body = moments.to_json(values, current, zone_names)
    if is_set(repeats):
        body["recurrence"] = recurrence.rule_json(repeats, body)
    if repeats or (current is not None and current.recurrence):
        recurrence.check_zone(body if "start" in body else {}, _meant_zone(values, current))
    for field, value in values.items():
        if not is_set(value) or field in moments.FIELDS or field in NOT_WRITTEN or field == "recurrence":
            continue
        if field == "subject":
            body["subject"] = storable(value or "")
        elif field == "body":
            if not keeps_body and (html_now is None or html.to_text(html_now) != html.tidy(value)):
                body["body"] = {"contentType": "html", "content": html.from_text(storable(value or ""))}
        elif field == "location":
            body["location"] = {"displayName": storable(value or "")}
        elif field == "categories":
            body["categories"] = [storable(entry) for entry in value or ()]
        elif field == "private":
            if current is None or current.private is not bool(value):
                body["sensitivity"] = "private" if value else "normal"
        elif field == "show_as":
            body["showAs"] = SHOW_AS.get((value or "").casefold(), NO_SHOW_AS)
        elif field == "reminder_minutes":
            body |= _reminder_json(value)
        else:
            raise KeyError(f"An event has no field {field!r}.")
    return body


def _meant_zone(values: Mapping[str, Any], current: EventData | None) -> str | None:
    found = values.get("time_zone") or (current.time_zone if current is not None else None)
    return found if isinstance(found, str) else None


def to_new_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The body that creates an event: empty members are left out, but for the reminder, which is on if not said."""
    return to_json({field: value for field, value in values.items()
                    if is_set(value) and (field == "reminder_minutes" or value not in (None, "", ()))})


def _body_text(item: Mapping[str, Any]) -> str | None:
    body = item.get("body")
    if body is None:
        return None
    if not isinstance(body, Mapping):
        raise Unreadable("body")
    content = _content(body)
    kind = body.get("contentType")
    if isinstance(kind, str) and kind.casefold() == "text":
        return html.tidy(content)
    return html.to_text(content)


def _content(body: Mapping[str, Any]) -> str:
    content = body.get("content")
    if content is None:
        return ""
    if not isinstance(content, str):
        raise Unreadable("body")
    return storable(content)


def _inner_text(item: Mapping[str, Any], member: str, name: str) -> str | None:
    value = item.get(member)
    inner = value.get(name) if isinstance(value, Mapping) else value
    if inner is not None and (inner is value or not isinstance(inner, str)):
        raise Unreadable(member)
    return None if inner is None else storable(inner)


def _reminder(item: Mapping[str, Any]) -> int | None:
    if moments.flag(item, "isReminderOn") is not True:
        return None
    minutes = item.get("reminderMinutesBeforeStart")
    if minutes is None:
        return 0
    if not isinstance(minutes, int) or isinstance(minutes, bool):
        raise Unreadable("reminderMinutesBeforeStart")
    return max(0, minutes)


def _reminder_json(minutes: int | None) -> dict[str, Any]:
    if minutes is None:
        return {"isReminderOn": False}
    return {"isReminderOn": True, "reminderMinutesBeforeStart": max(0, minutes)}
