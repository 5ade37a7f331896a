"""Calendars: list, get, make, change, delete (facts 6.1)."""

from __future__ import annotations

from typing import Any

from .. import extended
from ..event_store import Calendar, EventStore
from ..validation import check_body
from . import filters
from .call import Call, Reply
from .expand import asked_properties
from .query import allow, order, page, selected, unknown_property
from .routing import Routes

routes = Routes()

READ = ("Calendars.Read", "Calendars.ReadWrite", "Calendars.Read.Shared", "Calendars.ReadWrite.Shared")
WRITE = ("Calendars.ReadWrite", "Calendars.ReadWrite.Shared")
KNOWN = ("id", "name", "color", "hexColor", "isDefaultCalendar", "changeKey", "canShare", "canViewPrivateItems",
         "canEdit", "allowedOnlineMeetingProviders", "defaultOnlineMeetingProvider", "isTallyingResponses",
         "isRemovable", "owner")
_COLOURS = {"auto": "", "lightBlue": "#0078D4", "lightGreen": "#498205", "lightOrange": "#DA3B01",
            "lightGray": "#69797E", "lightYellow": "#EAA300", "lightTeal": "#038387", "lightPink": "#E3008C",
            "lightBrown": "#8E562E", "lightRed": "#A4262C", "maxColor": ""}


@routes.add("GET", "{user}/calendars", scopes=READ, outlook=True)
def list_calendars(call: Call) -> Reply:
    """All calendars of the mailbox, the default one first."""
    allow(call, "$select", "$top", "$skip", "$orderby", "$count", "$filter", "$expand")
    found = list(call.mailbox.part(EventStore).calendars.values())
    if call.query.get("$filter"):
        meets = filters.compiled(filters.parse(call.query["$filter"]), _condition)
        found = [calendar for calendar in found if meets(calendar)]
    found = order(call, found, lambda calendar, name: shown(calendar)[name], KNOWN, "calendar")
    return page(call, found, lambda calendar: _render(call, calendar), f"users('{call.account.id}')/calendars")


@routes.add("POST", "{user}/calendars", scopes=WRITE, outlook=True)
def create_calendar(call: Call) -> Reply:
    """A new calendar of the owner's."""
    sent = check_body("calendar", call.json(), call.sandbox.options)
    made = call.mailbox.part(EventStore).add_calendar(sent.get("name") or "", color=sent.get("color") or "auto")
    made.extended = extended.written({}, sent.get("singleValueExtendedProperties", ()))
    return _single(call, made, 201)


@routes.add("GET", "{user}/calendar", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendars/{calendar}", scopes=READ, outlook=True)
def get_calendar(call: Call, calendar: str = "") -> Reply:
    """One calendar; `/me/calendar` is the default one."""
    allow(call, "$select", "$expand")
    return _single(call, find(call, calendar), 200)


@routes.add("PATCH", "{user}/calendar", scopes=WRITE, outlook=True)
@routes.add("PATCH", "{user}/calendars/{calendar}", scopes=WRITE, outlook=True)
def update_calendar(call: Call, calendar: str = "") -> Reply:
    """Rename or colour."""
    store, found = call.mailbox.part(EventStore), find(call, calendar)
    store.check_writable(found)
    sent = check_body("calendar", call.json(), call.sandbox.options)
    properties = extended.written(found.extended, sent.get("singleValueExtendedProperties", ()))
    store.update_calendar(found, sent.get("name"), sent.get("color"))
    found.extended = properties
    return _single(call, found, 200)


@routes.add("DELETE", "{user}/calendars/{calendar}", scopes=WRITE, outlook=True)
def delete_calendar(call: Call, calendar: str) -> Reply:
    """The calendar goes, its events go to Deleted Items."""
    call.mailbox.part(EventStore).delete_calendar(find(call, calendar))
    return Reply(204)


def find(call: Call, calendar: str = "") -> Calendar:
    """The calendar of the path, or the default one. Raises `Refusal` (400, 404)."""
    store = call.mailbox.part(EventStore)
    return store.calendar(calendar) if calendar else store.default_calendar


def shown(calendar: Calendar) -> dict[str, Any]:
    """A calendar as answers show it."""
    return {
        "id": calendar.id, "name": calendar.name, "color": calendar.color, "hexColor": _COLOURS[calendar.color],
        "isDefaultCalendar": calendar.is_default, "changeKey": calendar.change_key, "canShare": calendar.can_edit,
        "canViewPrivateItems": True, "canEdit": calendar.can_edit,
        "allowedOnlineMeetingProviders": ["teamsForBusiness"] if calendar.can_edit else [],
        "defaultOnlineMeetingProvider": "teamsForBusiness" if calendar.can_edit else "unknown",
        "isTallyingResponses": calendar.is_default, "isRemovable": not calendar.is_default,
        "owner": {"name": calendar.owner_name, "address": calendar.owner_address},
    }


def _single(call: Call, calendar: Calendar, status: int) -> Reply:
    context = {"@odata.context": call.context(f"users('{call.account.id}')/calendars/$entity")}
    return Reply(status, context | _render(call, calendar))


def _render(call: Call, calendar: Calendar) -> dict[str, Any]:
    names = selected(call, KNOWN, "calendar")
    body = {name: value for name, value in shown(calendar).items() if names is None or name in names or name == "id"}
    properties = extended.shown(calendar.extended, asked_properties(call)) if call.method == "GET" else []
    return body | ({"singleValueExtendedProperties": properties} if properties else {})


def _condition(node: filters.Compare | filters.AnyOf) -> filters.Predicate:
    by_lower = {name.lower(): name for name in ("id", "name", "isDefaultCalendar", "canEdit")}
    if isinstance(node, filters.AnyOf) or len(node.path) > 1 or node.path[0].lower() not in by_lower:
        raise unknown_property("/".join(node.path), "calendar")
    name = by_lower[node.path[0].lower()]
    return lambda calendar: filters.holds(node.operator, shown(calendar)[name], node.value)
