"""`$expand=singleValueExtendedProperties($filter=id eq '...')`: the only expansion that is simulated (facts 7)."""

from __future__ import annotations

import re

from ..extended import canonical_id
from ..refusal import Refusal, not_simulated
from . import filters
from .call import Call

_EXPANSION = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.DOTALL)
_FILTER = re.compile(r"\s*\$filter\s*=\s*(.*)", re.DOTALL | re.IGNORECASE)


def asked_properties(call: Call) -> list[str]:
    """The ids of the extended properties that the request asks for. Raises `Refusal` (400, 501)."""
    text = call.query.get("$expand", "").strip()
    if not text:
        return []
    match = _EXPANSION.fullmatch(text)
    if match is None:
        raise _bad("Found an unbalanced bracket expression or an unknown expansion.")
    if match[1].lower() in ("extensions", "photo", "multivalueextendedproperties"):
        raise not_simulated(f"$expand={match[1]}")
    if match[1].lower() != "singlevalueextendedproperties":
        raise _bad(f"Could not find a property named '{match[1]}'.")
    condition = _FILTER.fullmatch(match[2] or "")
    if condition is None:
        raise Refusal(400, "ErrorInvalidUrlQueryFilter", "Expanding extended properties requires a $filter with their "
                      "ids.")
    return [canonical_id(name) for name in _ids(filters.parse(condition[1]))]


def _ids(node: filters.Node) -> list[str]:
    if isinstance(node, filters.Both) and node.operator == "or":
        return _ids(node.left) + _ids(node.right)
    if (isinstance(node, filters.Compare) and node.operator == "eq" and [part.lower() for part in node.path][-1] == "id"
            and isinstance(node.value, str)):
        return [node.value]
    raise filters.invalid_filter()


def _bad(message: str) -> Refusal:
    return Refusal(400, "RequestBroker--ParseUri", message)
