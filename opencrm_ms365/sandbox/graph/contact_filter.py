"""What contacts can be filtered and sorted by (facts 5.4, 7): far less than OData knows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .. import contact_rules
from ..clock import timestamp
from ..contact_store import Contact
from ..refusal import Refusal
from . import filters
from .any_filters import TEXT_OPERATORS, any_category, any_extended
from .call import Call
from .query import order_properties, unknown_property

INSTANTS = ("createdDateTime", "lastModifiedDateTime", "birthday")
SORTABLE = (*contact_rules.TEXTS, *INSTANTS, "id", "parentFolderId", "changeKey")


def filtered(call: Call, contacts: list[Contact]) -> list[Contact]:
    """The contacts that meet `$filter`. Raises `Refusal` (400)."""
    text = call.query.get("$filter")
    if text is None:
        return contacts
    node = filters.parse(text)
    _check_order(call, node)
    meets = filters.compiled(node, _leaf)
    options = call.sandbox.options
    if options.filter_delay_s:
        newest = call.sandbox.clock.now() - timedelta(seconds=options.filter_delay_s)
        contacts = [contact for contact in contacts if contact.created_at <= newest]
    return [contact for contact in contacts if meets(contact)]


def value(contact: Contact, name: str) -> Any:
    """A property's value for comparing and sorting."""
    match name:
        case "createdDateTime":
            return timestamp(contact.created_at)
        case "lastModifiedDateTime":
            return timestamp(contact.changed_at)
        case "id":
            return contact.immutable_id
        case "parentFolderId":
            return contact.folder_id
        case "changeKey":
            return contact.change_key
    return contact.values[name]


def _check_order(call: Call, node: filters.Node) -> None:
    """Exchange refuses `$filter` and `$orderby` on different leading properties (unconfirmed for contacts)."""
    order = order_properties(call)
    if order and call.sandbox.options.filter_with_orderby == "refused":
        leading = filters.properties(node)[0]
        if leading.lower() != order[0].lower():
            raise Refusal(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.")


def _leaf(node: filters.Compare | filters.AnyOf) -> filters.Predicate:
    if isinstance(node, filters.AnyOf):
        return _any(node)
    by_lower = {name.lower(): name for name in SORTABLE}
    name = by_lower.get(node.path[0].lower())
    if name is None or len(node.path) > 1:
        if node.path[0] in contact_rules.EMPTY or len(node.path) > 1:
            raise filters.invalid_filter("/".join(node.path))
        raise unknown_property("/".join(node.path), "contact")
    if name not in INSTANTS and node.operator not in TEXT_OPERATORS:
        raise filters.invalid_filter(node.operator)
    return lambda contact: filters.holds(node.operator, value(contact, name), node.value)


def _any(node: filters.AnyOf) -> filters.Predicate:
    match node.path[0].lower():
        case "emailaddresses":
            return _any_email(node)
        case "singlevalueextendedproperties":
            return any_extended(node)
        case "categories":
            return any_category(node, lambda contact: contact.values["categories"])
    raise filters.invalid_filter("/".join(node.path))


def _any_email(node: filters.AnyOf) -> filters.Predicate:
    """Only `emailAddresses/any(a:a/address eq 'x')`: no startswith, no name."""
    condition = node.condition
    if (not isinstance(condition, filters.Compare) or condition.operator != "eq"
            or [part.lower() for part in condition.path] != [node.variable.lower(), "address"]):
        raise filters.invalid_filter("emailAddresses")
    wanted = str(condition.value).lower()
    return lambda contact: any((entry.get("address") or "").lower() == wanted
                               for entry in contact.values["emailAddresses"])
