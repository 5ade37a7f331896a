"""Query options: `$select`, `$top`, `$skip`, `$orderby`, `$count`, `$expand`, and pages of lists (facts 5.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from ..refusal import Refusal
from .call import Call, Reply

KNOWN = frozenset({"$select", "$top", "$skip", "$orderby", "$count", "$expand", "$filter", "$search", "$skiptoken",
                   "$deltatoken", "$format"})


def parse_query(text: str) -> dict[str, str]:
    """The query options of a URL. Raises `Refusal` (400) for one that OData does not know or that comes twice."""
    options: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        if name.startswith("$"):
            name = name.lower()
            if name not in KNOWN:
                raise invalid_query(f"The query parameter '{name}' is not supported.")
            if name in options:
                raise invalid_query(f"Query option '{name}' was specified more than once, but it must be specified at "
                                    "most once.")
        options[name] = value
    return options


def allow(call: Call, *names: str) -> None:
    """Refuse (400, or 501 for `$search`) the `$` options that this path does not take."""
    for name in call.query:
        if name.startswith("$") and name not in (*names, "$format"):
            if name == "$search":
                raise Refusal(501, "NotImplemented", "The sandbox does not simulate $search.")
            raise invalid_query(f"The query parameter '{name}' is not supported for this request.")


def selected(call: Call, known: Collection[str], type_name: str) -> frozenset[str] | None:
    """The properties of `$select`; None: all. Raises `Refusal` (400) for an unknown one."""
    text = call.query.get("$select", "").strip()
    if not text or text == "*":
        return None
    names = {name.strip() for name in text.split(",") if name.strip()}
    by_lower = {name.lower(): name for name in known}
    for name in names:
        if name.lower() not in by_lower:
            raise unknown_property(name, type_name)
    return frozenset(by_lower[name.lower()] for name in names)


def whole_number(call: Call, name: str, default: int, highest: int | None = None) -> int:
    """`$top` or `$skip`. Raises `Refusal` (400)."""
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise invalid_query(f"Invalid value '{text}' for {name} query option found. The {name} query option requires a "
                            "non-negative integer value.")
    if highest is not None and int(text) > highest:
        raise invalid_query(f"The limit of '{highest}' for {name[1:].capitalize()} query has been exceeded. The value "
                            f"from the incoming request is '{text}'.")
    return int(text)


def page(call: Call, items: Sequence[Any], render: Callable[[Any], dict[str, Any]], context: str, *,
         default_size: int | None = None) -> Reply:
    """One page of a list, with a nextLink when there is more. Outlook's lists page with `$skip`."""
    options = call.sandbox.options
    size = whole_number(call, "$top", call.max_page_size or default_size or options.page_size, options.max_page_size)
    skip = whole_number(call, "$skip", 0)
    body: dict[str, Any] = {"@odata.context": call.context(context)}
    if call.query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(items)
    body["value"] = [render(item) for item in items[skip:skip + size]]
    if size and skip + size < len(items):
        rest = {**call.query, "$skip": str(skip + size)}
        body["@odata.nextLink"] = f"{call.url(quote(call.path))}?{urlencode(rest, safe='$,()/', quote_via=quote)}"
    return Reply(200, body)


def order(call: Call, items: list[Any], value: Callable[[Any, str], Any], known: Collection[str],
          type_name: str) -> list[Any]:
    """Sort by `$orderby`; empty values come first. Raises `Refusal` (400)."""
    by_lower = {name.lower(): name for name in known}
    for term in reversed([term.strip() for term in call.query.get("$orderby", "").split(",") if term.strip()]):
        match = re.fullmatch(r"([\w/]+)(?:\s+(asc|desc))?", term, re.IGNORECASE)
        if match is None or match[1].lower() not in by_lower:
            raise unknown_property(term, type_name)
        name = by_lower[match[1].lower()]
        items = sorted(items, key=lambda item: str(value(item, name) or "").lower(),
                       reverse=(match[2] or "").lower() == "desc")
    return items


def order_properties(call: Call) -> list[str]:
    """The names in `$orderby`, first one first."""
    return [term.split()[0] for term in call.query.get("$orderby", "").split(",") if term.strip()]


def invalid_query(message: str) -> Refusal:
    """400 for a query option."""
    return Refusal(400, "ErrorInvalidUrlQuery", message)


def unknown_property(name: str, type_name: str) -> Refusal:
    """400 for a property name in a query option."""
    return Refusal(400, "RequestBroker--ParseUri",
                   f"Could not find a property named '{name}' on type 'microsoft.graph.{type_name}'.")
