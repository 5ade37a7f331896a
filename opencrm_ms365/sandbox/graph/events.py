"""Events: lists, single items, writing, deleting (facts 6.1-6.7). Views are in `calendar_view`."""

from __future__ import annotations

from typing import Any

from .. import meetings, series
from ..event_store import Calendar, Event, EventStore
from ..refusal import Refusal
from ..validation import check_body
from . import event_filter
from .calendars import READ, WRITE
from .calendars import find as find_calendar
from .call import Call, Reply
from .contacts import check_etag
from .event_shown import KNOWN, SELECT_ONLY, event_id, note_preferences, shown, zone_of
from .expand import asked_properties, is_expanded
from .query import allow, order, page, selected
from .routing import Routes

routes = Routes()

LIST_OPTIONS = ("$select", "$top", "$skip", "$orderby", "$filter", "$count", "$expand")
IN_CALENDAR = "{user}/calendars/{calendar}/events"
EXPANSIONS = frozenset({"exceptionOccurrences"})


@routes.add("GET", "{user}/events", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendar/events", scopes=READ, outlook=True)
@routes.add("GET", IN_CALENDAR, scopes=READ, outlook=True)
def list_events(call: Call, calendar: str = "") -> Reply:
    """The single events and series masters of one calendar; series are not expanded."""
    allow(call, *LIST_OPTIONS)
    store = call.mailbox.part(EventStore)
    return listing(call, list(store.members(find_calendar(call, calendar).id)), "events")


@routes.add("POST", "{user}/events", scopes=WRITE, outlook=True)
@routes.add("POST", "{user}/calendar/events", scopes=WRITE, outlook=True)
@routes.add("POST", IN_CALENDAR, scopes=WRITE, outlook=True)
def create_event(call: Call, calendar: str = "") -> Reply:
    """A new event; with attendees the invitations go out at once. A known `transactionId` makes no second one."""
    zone_of(call)       # an unknown one is refused before anything is made
    store, target = call.mailbox.part(EventStore), find_calendar(call, calendar)
    sent = check_body("event", call.json(), call.sandbox.options)
    transaction = sent.get("transactionId")
    if transaction and transaction in store.transactions:
        return _repeated(call, store, store.transactions[transaction])
    event = meetings.create(store, target, sent)
    reply = _created(call, event, 201)
    if call.sandbox.options.etag_moves_after_create:
        store.touch(event)
    return reply


@routes.add("GET", "{user}/events/{event}", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendar/events/{event}", scopes=READ, outlook=True)
@routes.add("GET", f"{IN_CALENDAR}/{{event}}", scopes=READ, outlook=True)
def get_event(call: Call, event: str, calendar: str = "") -> Reply:
    """One event by either id, whatever calendar it is in; of a master also what was cancelled and changed."""
    allow(call, "$select", "$expand")
    found = find(call, event, calendar)
    note_preferences(call)
    names = selected(call, (*KNOWN, *SELECT_ONLY), "event")
    asked = asked_properties(call, others=EXPANSIONS)
    body = shown(call, found, names, asked)
    if names is not None and "cancelledOccurrences" in names and found.kind == "seriesMaster":
        body["cancelledOccurrences"] = [series.listed_id(event_id(call, found), day)
                                        for day in sorted(found.cancelled_days)]
    if is_expanded(call, "exceptionOccurrences") and found.kind == "seriesMaster":
        body["exceptionOccurrences"] = [shown(call, series.exception(found, day), names)
                                        for day in sorted(found.exceptions)]
    return Reply(200, _context(call) | body)


@routes.add("PATCH", "{user}/events/{event}", scopes=WRITE, outlook=True)
@routes.add("PATCH", "{user}/calendar/events/{event}", scopes=WRITE, outlook=True)
@routes.add("PATCH", f"{IN_CALENDAR}/{{event}}", scopes=WRITE, outlook=True)
def update_event(call: Call, event: str, calendar: str = "") -> Reply:
    """Change what is sent. Without `If-Match` the last write wins; the organiser's changes are mailed."""
    zone_of(call)
    store, found = call.mailbox.part(EventStore), find(call, event, calendar)
    check_etag(call, found)
    store.check_writable(store.calendars.get(found.calendar_id))
    sent = check_body("event", call.json(), call.sandbox.options)
    is_other = sent.pop("transactionId", found.transaction_id) != found.transaction_id
    if is_other and call.sandbox.options.read_only_properties == "refused":
        raise Refusal(400, "ErrorInvalidPropertySet", "The property 'transactionId' can only be set on creation.")
    meetings.update(store, found, sent)
    return _single(call, found)


@routes.add("DELETE", "{user}/events/{event}", scopes=WRITE, outlook=True)
@routes.add("DELETE", "{user}/calendar/events/{event}", scopes=WRITE, outlook=True)
@routes.add("DELETE", f"{IN_CALENDAR}/{{event}}", scopes=WRITE, outlook=True)
def delete_event(call: Call, event: str, calendar: str = "") -> Reply:
    """To Deleted Items. The organiser's deletion of a meeting is mailed, an attendee's is not."""
    store, found = call.mailbox.part(EventStore), find(call, event, calendar)
    check_etag(call, found)
    store.check_writable(store.calendars.get(found.calendar_id))
    meetings.delete(store, found)
    return Reply(204)


@routes.add("POST", "{user}/events/{event}/permanentDelete", scopes=WRITE, outlook=True)
@routes.add("POST", f"{IN_CALENDAR}/{{event}}/permanentDelete", scopes=WRITE, outlook=True)
def purge_event(call: Call, event: str, calendar: str = "") -> Reply:
    """For good; otherwise as DELETE."""
    store, found = call.mailbox.part(EventStore), find(call, event, calendar)
    store.check_writable(store.calendars.get(found.calendar_id))
    meetings.delete(store, found)
    if found.master is None:
        store.purge(found)
    return Reply(204)


def find(call: Call, event: str, calendar: str = "") -> Event:
    """The event of the path. Raises `Refusal` (400, 404)."""
    store = call.mailbox.part(EventStore)
    target: Calendar | None = store.calendar(calendar) if calendar else None
    return store.event(event, target)


def listing(call: Call, events: list[Event], what: str, *, leaves_out: frozenset[str] = frozenset()) -> Reply:
    """A list of events by the query options; `leaves_out`: properties that `$select` does not give here."""
    note_preferences(call)
    names, asked = selected(call, KNOWN, "event"), asked_properties(call)
    if names is not None:
        names -= leaves_out
    zone_of(call)
    events = event_filter.filtered(call, events)
    events = order(call, events, event_filter.value, event_filter.SORTABLE, "event")
    context = f"users('{call.account.id}')/{what}" + (f"({','.join(sorted(names))})" if names else "")
    return page(call, events, lambda event: shown(call, event, names, asked), context)


def _repeated(call: Call, store: EventStore, made_id: str) -> Reply:
    """The answer to a `transactionId` that was used before (facts 6.4); one whose event is gone is refused."""
    existing, options = store.by_immutable_id(made_id), call.sandbox.options
    if existing is not None and existing.calendar_id not in store.calendars:
        existing = None
    if existing is not None and options.repeated_transaction in ("created", "found"):
        return _created(call, existing, 201 if options.repeated_transaction == "created" else 200)
    tells = existing is not None and options.repeated_transaction_tells_id
    members: dict[str, Any] = {"@event.existingEventId": event_id(call, existing)} if existing and tells else {}
    raise Refusal(400 if options.repeated_transaction == "bad_request" else 409, "ErrorDuplicateTransactionId",
                  "The TransactionId specified in the request has already been used to create a different event.",
                  members=members)


def _created(call: Call, event: Event, status: int) -> Reply:
    reply = _single(call, event, status)
    if status == 201:
        reply.headers["Location"] = call.url(f"/users('{call.account.id}')/events('{event_id(call, event)}')")
    return reply


def _single(call: Call, event: Event, status: int = 200) -> Reply:
    note_preferences(call)
    return Reply(status, _context(call) | shown(call, event, selected(call, KNOWN, "event")))


def _context(call: Call) -> dict[str, Any]:
    return {"@odata.context": call.context(f"users('{call.account.id}')/events/$entity")}
