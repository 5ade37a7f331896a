"""What people do with meetings: answer, cancel; and the reminders (facts 6.5)."""

from __future__ import annotations

from typing import Any

from .. import event_times, meetings
from ..event_store import EventStore
from ..meetings import Answer
from ..refusal import Refusal, not_simulated
from .calendars import WRITE
from .call import NOTHING, Call, Reply
from .events import find
from .routing import Routes

routes = Routes()

ANSWERS: dict[str, Answer] = {
    "accept": "accepted", "tentativelyAccept": "tentativelyAccepted", "decline": "declined"}


@routes.add("POST", "{user}/events/{event}/accept", scopes=WRITE, outlook=True)
@routes.add("POST", "{user}/calendars/{calendar}/events/{event}/accept", scopes=WRITE, outlook=True)
def accept(call: Call, event: str, calendar: str = "") -> Reply:
    """The owner comes."""
    return _answered(call, "accept", event, calendar)


@routes.add("POST", "{user}/events/{event}/tentativelyAccept", scopes=WRITE, outlook=True)
@routes.add("POST", "{user}/calendars/{calendar}/events/{event}/tentativelyAccept", scopes=WRITE, outlook=True)
def tentatively_accept(call: Call, event: str, calendar: str = "") -> Reply:
    """The owner may come."""
    return _answered(call, "tentativelyAccept", event, calendar)


@routes.add("POST", "{user}/events/{event}/decline", scopes=WRITE, outlook=True)
@routes.add("POST", "{user}/calendars/{calendar}/events/{event}/decline", scopes=WRITE, outlook=True)
def decline(call: Call, event: str, calendar: str = "") -> Reply:
    """The owner does not come; the event leaves the calendar (switch)."""
    return _answered(call, "decline", event, calendar)


@routes.add("POST", "{user}/events/{event}/cancel", scopes=WRITE, outlook=True)
@routes.add("POST", "{user}/calendars/{calendar}/events/{event}/cancel", scopes=WRITE, outlook=True)
def cancel(call: Call, event: str, calendar: str = "") -> Reply:
    """The organiser calls the meeting, or one occurrence of it, off."""
    sent = _parameters(call)
    meetings.cancel(call.mailbox.part(EventStore), find(call, event, calendar), _text(sent, "comment"))
    return Reply(202)


@routes.add("POST", "{user}/events/{event}/dismissReminder", scopes=WRITE, outlook=True)
@routes.add("POST", "{user}/events/{event}/snoozeReminder", scopes=WRITE, outlook=True)
@routes.add("POST", "{user}/events/{event}/forward", scopes=WRITE, outlook=True)
def other_actions(call: Call, event: str) -> Reply:
    """Graph has them, the sandbox does not."""
    raise not_simulated("reminders and forwarding")


def _answered(call: Call, action: str, event: str, calendar: str) -> Reply:
    sent, options = _parameters(call), call.sandbox.options
    proposed = sent.get("proposednewtime")
    sends = sent.get("sendresponse")
    if proposed is not None:
        if action == "accept" or not isinstance(proposed, dict):
            raise Refusal(400, "ErrorInvalidRequest", "A new time cannot be proposed like this.")
        if sends is False:
            raise Refusal(400, "ErrorInvalidRequest", "A new time can only be proposed with a response.")
        proposed = {name: event_times.stored(name, proposed.get(name)) for name in ("start", "end")}
    meetings.answer(call.mailbox.part(EventStore), find(call, event, calendar), ANSWERS[action],
                    sends=sends is not False, comment=_text(sent, "comment"), proposed=proposed,
                    drop_declined=options.declined_events == "removed")
    return Reply(202)


def _parameters(call: Call) -> dict[str, Any]:
    """The action's parameters, names in lower case; no body is none. Raises `Refusal` (400)."""
    if not call.raw and call.content is NOTHING:
        return {}
    body = call.json()
    if not isinstance(body, dict):
        raise Refusal(400, "BadRequest", "Empty Payload. JSON content expected.")
    known = {"comment", "sendresponse", "proposednewtime"}
    if unknown := [name for name in body if name.lower() not in known and "@odata." not in name]:
        raise Refusal(400, "BadRequest", f"The parameter '{unknown[0]}' is not valid for this action.")
    return {name.lower(): value for name, value in body.items()}


def _text(sent: dict[str, Any], name: str) -> str:
    return sent[name] if isinstance(sent.get(name), str) else ""
