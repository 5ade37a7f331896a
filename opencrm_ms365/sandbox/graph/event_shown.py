"""An event as answers show it: in the zone and the form of body that the request prefers (facts 6.2, 6.3, 6.8)."""

from __future__ import annotations

import copy
from typing import Any

from .. import event_bodies, event_times, extended, zones
from ..clock import timestamp
from ..event_rules import NEVER, NO_ANSWER, shown_location
from ..event_store import Event
from .call import Call

KNOWN = (
    "id", "createdDateTime", "lastModifiedDateTime", "changeKey", "categories", "transactionId",
    "originalStartTimeZone", "originalEndTimeZone", "iCalUId", "reminderMinutesBeforeStart", "isReminderOn",
    "hasAttachments", "subject", "bodyPreview", "importance", "sensitivity", "isAllDay", "isCancelled", "isOrganizer",
    "responseRequested", "seriesMasterId", "showAs", "type", "webLink", "onlineMeetingUrl", "isOnlineMeeting",
    "onlineMeetingProvider", "allowNewTimeProposals", "isDraft", "hideAttendees", "originalStart", "responseStatus",
    "body", "start", "end", "location", "locations", "recurrence", "attendees", "organizer", "onlineMeeting",
)
#: Only on request, on GET of a master.
SELECT_ONLY = ("cancelledOccurrences", "exceptionOccurrences")
#: `$select` on calendarView does not give them.
NOT_IN_VIEWS = frozenset({"createdDateTime", "lastModifiedDateTime"})
REDUCED = ("id", "seriesMasterId", "type", "start", "end")


def zone_of(call: Call) -> str:
    """The zone in which start and end are answered. Raises `Refusal` (400) for an unknown one."""
    name = call.prefer.get("outlook.timezone") or "UTC"
    zones.windows_name(name)
    return name


def shown(call: Call, event: Event, names: frozenset[str] | None = None,
          asked: list[str] | None = None) -> dict[str, Any]:
    """An event with the properties of `$select` (None: all) and the extended properties that were asked for."""
    everything = _everything(call, event, names)
    body: dict[str, Any] = {"@odata.etag": event.etag}
    body |= everything if names is None else {
        name: value for name, value in everything.items() if name in names or name == "id"}
    properties = extended.shown(event.extended, asked or ())
    return body | ({"singleValueExtendedProperties": properties} if properties else {})


def event_id(call: Call, event: Event) -> str:
    """The id of the kind that the request prefers."""
    return event.immutable_id if call.wants_immutable_ids else event.default_id


def reduced(call: Call, event: Event) -> dict[str, Any]:
    """An occurrence as delta tells it: nothing that its master says already (facts 8.3)."""
    return shown(call, event, frozenset(REDUCED))


def note_preferences(call: Call) -> None:
    """Confirm the form of body in `Preference-Applied`; the zone is confirmed for all of Outlook."""
    kind = call.prefer.get("outlook.body-content-type", "").lower()
    if kind in ("text", "html"):
        call.applied.append(f'outlook.body-content-type="{kind}"')


def _everything(call: Call, event: Event, names: frozenset[str] | None) -> dict[str, Any]:
    values, zone = event.values, zone_of(call)
    is_all_day = values["isAllDay"]
    answer: dict[str, Any] = {
        "id": event_id(call, event), "createdDateTime": timestamp(event.created_at),
        "lastModifiedDateTime": timestamp(event.changed_at), "changeKey": event.change_key,
        "transactionId": event.transaction_id, "iCalUId": _uid(call, event),
        "originalStartTimeZone": event.original_zone("start"), "originalEndTimeZone": event.original_zone("end"),
        "hasAttachments": False, "isCancelled": event.is_cancelled, "isOrganizer": event.is_organizer,
        "isDraft": event.is_draft, "type": event.kind, "onlineMeetingUrl": None,
        "seriesMasterId": event_id(call, event.master) if event.master else None,
        "webLink": call.url(f"/outlook/item?itemid={event_id(call, event)}&path=/calendar/item").replace("/v1.0", ""),
        "originalStart": timestamp(event.original_start) if event.original_start else None,
        "responseStatus": {"response": event.answer,
                           "time": timestamp(event.answered_at) if event.answered_at else NEVER},
        "organizer": {"emailAddress": {"name": event.organizer_name, "address": event.organizer_address}},
        "start": event_times.shown(values["start"], zone, is_all_day=is_all_day),
        "end": event_times.shown(values["end"], zone, is_all_day=is_all_day),
        "attendees": [_attendee(person, zone) for person in values["attendees"]],
        **shown_location(values),
    }
    if event.transaction_id is None:
        del answer["transactionId"]     # returned only if it was set
    if event.original_start is None:
        del answer["originalStart"]
    if names is None or "body" in names or "bodyPreview" in names:
        answer |= _body(call, event)
    for name in KNOWN:
        if name in values and name not in answer and name not in ("body", "attendees"):
            answer[name] = copy.deepcopy(values[name])
    return {name: answer[name] for name in KNOWN if name in answer}


def _body(call: Call, event: Event) -> dict[str, Any]:
    html = event.values["body"]
    if "outlook.allow-unsafe-html" not in call.prefer:
        html = event_bodies.safe(html)
    kind = "text" if call.prefer.get("outlook.body-content-type", "").lower() == "text" else "html"
    content = event_bodies.to_text(html) if kind == "text" else html
    return {"bodyPreview": event_bodies.preview(html), "body": {"contentType": kind, "content": content}}


def _attendee(person: dict[str, Any], zone: str) -> dict[str, Any]:
    answer = {"type": person["type"], "status": dict(person.get("status") or NO_ANSWER),
              "emailAddress": dict(person["emailAddress"])}
    proposed = person.get("proposedNewTime")
    if proposed:
        answer["proposedNewTime"] = {name: event_times.shown(event_times.stored(name, proposed[name]), zone,
                                                             is_all_day=False) for name in ("start", "end")}
    return answer


def _uid(call: Call, event: Event) -> str:
    """Whether the parts of a series have one of their own is not certain (facts 6.2): a switch."""
    if event.master is not None and call.sandbox.options.occurrence_uid == "own":
        return f"{event.ical_uid[:32]}{event.original_day.replace('-', '')}{event.ical_uid[40:]}"
    return event.ical_uid
