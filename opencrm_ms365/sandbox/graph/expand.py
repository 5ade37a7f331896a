"""`$expand`: extended properties (`singleValueExtendedProperties($filter=id eq '...')`, facts 7), and what else a path
takes by name, such as `exceptionOccurrences`. Other expansions are not simulated.
"""

from __future__ import annotations

import re

from ..extended import canonical_id
from ..refusal import Refusal, not_simulated
from . import filters
from .call import Call

_EXPANSION = re.compile(r"(\w+)\s*(?:\((.*)\))?", re.DOTALL)
_FILTER = re.compile(r"\s*\$filter\s*=\s*(.*)", re.DOTALL | re.IGNORECASE)


def asked_properties(call: Call, *, others: frozenset[str] = frozenset()) -> list[str]:
    """The ids of the extended properties that the request asks for; `others`: further expansions that the path takes.

    Raises `Refusal` (400, 501).
    """
    asked: list[str] = []
    for text in _parts(call.query.get("$expand", "")):
        if text.split("(")[0].strip().lower() not in {name.lower() for name in others}:
            asked += _properties(text)
    return asked


def is_expanded(call: Call, name: str) -> bool:
    """Whether `$expand` names it."""
    return name.lower() in [text.split("(")[0].strip().lower() for text in _parts(call.query.get("$expand", ""))]


def _parts(text: str) -> list[str]:
    """The expansions of a list with commas, which may stand inside parentheses as well."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _properties(text: str) -> list[str]:
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
