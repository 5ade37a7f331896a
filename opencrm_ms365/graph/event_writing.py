"""How one change of an event is asked for, and what its answer means. No requests are made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from ..errors import GraphError, NotFound, OutcomeUnknown, ProtocolError, Rejected, Stale
from ..records import is_set
from .answers import Answer
from .event_items import BrokenItem, EventItem, EventWrite, KeptEvent, RemovedItem, read_event
from .items import IDENTITY_PROPERTY
from .wire import moments
from .wire.event import attendees_json, to_json, to_new_json
from .wire.zones import UTC_NAME

ZONE_UNKNOWN = "timezonenotsupportedexception"


def needs_reading(write: EventWrite) -> bool:
    """True for an update that could destroy what it does not know: the notes, or the other end of the time."""
    if write.action != "update":
        return False
    changed = {name for name, value in write.values.items() if is_set(value)}
    return ("body" in changed and write.kept is None) or (bool(changed & moments.FIELDS) and write.current is None)


def knowing(write: EventWrite, item: EventItem) -> EventWrite:
    """The same write with what was just read; its etag stays, so that a change in between is still noticed."""
    return replace(write, current=write.current or item.data, kept=write.kept or item.kept)


def body(write: EventWrite) -> dict[str, Any]:
    """The body of a creation or update; `{}` where nothing is to be written."""
    if write.action == "create":
        made = to_new_json(write.values)
        if write.transaction_id:
            made["transactionId"] = write.transaction_id
    else:
        kept = write.kept or KeptEvent()
        made = to_json(_lasting(write), write.current, zone_names=(kept.start_zone, kept.end_zone), html_now=kept.html,
                       keeps_body=kept.holds_join_block)
    if write.attendees is not None and (write.attendees or write.action == "update"):
        made["attendees"] = attendees_json(write.attendees)
    if write.marker:
        made["singleValueExtendedProperties"] = [{"id": IDENTITY_PROPERTY, "value": write.marker}]
    return made


def _lasting(write: EventWrite) -> Mapping[str, Any]:
    """The values of an update; where only the start moves, the event goes on to last as long as it did."""
    start, end, now = write.values.get("start"), write.values.get("end"), write.current
    if now is None or not isinstance(start, date) or is_set(end) or "end" in write.values:
        return write.values
    if type(start) is not type(now.start) or not isinstance(now.start, date) or not isinstance(now.end, date):
        return write.values
    return {**write.values, "end": start + (now.end - now.start)}


def second_try(write: EventWrite, outcome: Answer | GraphError) -> EventWrite | None:
    """What to send instead, once, after a refusal that says nothing about the change itself; None: take it as it is.

    Microsoft answers 412 without any `If-Match` while it works on the item itself (facts 6.5). A mailbox server may
    not know a zone that is newer than it: the instants stay the same in UTC, but not those of a series.
    """
    if isinstance(outcome, Stale) and outcome.status == 412 and not write.etag and write.action != "create":
        return write
    recurs = write.values.get("recurrence") or (write.current is not None and write.current.recurrence)
    if isinstance(outcome, Rejected) and outcome.code.lower() == ZONE_UNKNOWN and not recurs:
        kept = replace(write.kept, start_zone="", end_zone="") if write.kept else None
        return replace(write, values={**write.values, "time_zone": UTC_NAME}, kept=kept)
    return None


def written(write: EventWrite, outcome: Answer | GraphError) -> EventItem | GraphError | None:
    """The outcome of one write; None for an update whose answer tells nothing: it has to be read."""
    if write.action in ("delete", "cancel"):
        return outcome if isinstance(outcome, GraphError) and not is_gone(outcome) else None
    if isinstance(outcome, GraphError):
        return outcome
    item = read_event(outcome.body, folder=write.folder, marker=write.marker)
    if isinstance(item, EventItem):
        return item
    if write.action == "update":
        return None
    return OutcomeUnknown("Microsoft created an event but did not say which.", status=outcome.status,
                          request_id=outcome.request_id)


def is_gone(error: GraphError) -> bool:
    """True for what was deleted before: 404 and 410 on a deletion are as good as done (facts 6.5)."""
    return isinstance(error, NotFound) or error.status == 410


def as_event(outcome: Answer | GraphError) -> EventItem | GraphError:
    """The event that was asked for by its id, or the error in its place."""
    if isinstance(outcome, GraphError):
        return outcome
    item = read_event(outcome.body)
    if isinstance(item, EventItem):
        return item
    if isinstance(item, RemovedItem):
        return NotFound(status=outcome.status, request_id=outcome.request_id)
    reason = item.reason if isinstance(item, BrokenItem) else "Microsoft sent an occurrence without its contents."
    return ProtocolError(reason, status=outcome.status, request_id=outcome.request_id)
