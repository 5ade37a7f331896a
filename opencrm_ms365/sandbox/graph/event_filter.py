"""What events can be filtered and sorted by (facts 6.7, 7): far less than OData knows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ..clock import timestamp
from ..event_store import Event
from ..event_times import parse_bound
from ..refusal import Refusal
from . import filters
from .any_filters import TEXT_OPERATORS, any_category, any_extended
from .call import Call
from .event_shown import KNOWN
from .query import order_properties, unknown_property

TIMES = ("start/dateTime", "end/dateTime", "createdDateTime", "lastModifiedDateTime")
TEXTS = ("subject", "iCalUId", "importance", "sensitivity", "showAs", "type", "id", "seriesMasterId")
FLAGS = ("isAllDay", "isCancelled", "isOrganizer", "isOnlineMeeting", "hasAttachments", "isDraft", "responseRequested")
SORTABLE = (*TIMES, *TEXTS, *FLAGS)
_BY_LOWER = {name.lower(): name for name in SORTABLE}


def filtered(call: Call, events: list[Event]) -> list[Event]:
    """The events that meet `$filter`. Raises `Refusal` (400)."""
    text = call.query.get("$filter")
    if text is None:
        return events
    node = filters.parse(text)
    order = order_properties(call)
    if (order and call.sandbox.options.filter_with_orderby == "refused"
            and _leading(node).lower() not in (order[0].lower(), order[0].split("/")[0].lower())):
        raise Refusal(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")
    meets = filters.compiled(node, _leaf)
    options = call.sandbox.options
    if options.filter_delay_s:
        newest = call.sandbox.clock.now() - timedelta(seconds=options.filter_delay_s)
        events = [event for event in events if event.created_at <= newest]
    return [event for event in events if meets(event)]


def value(event: Event, name: str) -> Any:
    """A property's value for comparing and sorting; times in UTC."""
    match name:
        case "start/dateTime":
            return timestamp(event.start_at)
        case "end/dateTime":
            return timestamp(event.end_at)
        case "createdDateTime":
            return timestamp(event.created_at)
        case "lastModifiedDateTime":
            return timestamp(event.changed_at)
    others = {"iCalUId": event.ical_uid, "type": event.kind, "id": event.immutable_id,
              "seriesMasterId": event.master.immutable_id if event.master else None, "isCancelled": event.is_cancelled,
              "isOrganizer": event.is_organizer, "isDraft": event.is_draft, "hasAttachments": False}
    return others[name] if name in others else event.values[name]


def _leading(node: filters.Node) -> str:
    return filters.properties(node)[0]


def _leaf(node: filters.Compare | filters.AnyOf) -> filters.Predicate:
    if isinstance(node, filters.AnyOf):
        match node.path[0].lower():
            case "singlevalueextendedproperties":
                return any_extended(node)
            case "categories":
                return any_category(node, lambda event: event.values["categories"])
        raise filters.invalid_filter("/".join(node.path))
    path = "/".join(node.path)
    name = _BY_LOWER.get(path.lower())
    if name is None:
        if node.path[0].lower() in {known.lower() for known in KNOWN}:
            raise filters.invalid_filter(path)      # transactionId, for one, is not filterable (facts 6.4)
        raise unknown_property(path, "event")
    if name in TIMES:
        wanted = timestamp(parse_bound(str(node.value)))
        return lambda event: filters.holds(node.operator, value(event, name), wanted)
    if node.operator not in (TEXT_OPERATORS if name in TEXTS else ("eq", "ne")):
        raise filters.invalid_filter(node.operator)
    return lambda event: filters.holds(node.operator, value(event, name), node.value)
