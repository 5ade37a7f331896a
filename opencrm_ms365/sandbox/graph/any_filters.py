"""The `any(...)` conditions of `$filter` that contacts and events have in common (facts 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..extended import canonical_id
from . import filters

TEXT_OPERATORS = ("eq", "ne", "startswith", "contains")


def any_category(node: filters.AnyOf, categories: Callable[[Any], list[str]]) -> filters.Predicate:
    """`categories/any(c:c eq 'x')`, without case. Raises `Refusal` (400) for another condition."""
    condition = node.condition
    if not isinstance(condition, filters.Compare) or condition.path != (node.variable,) or condition.operator != "eq":
        raise filters.invalid_filter("categories")
    wanted = str(condition.value).lower()
    return lambda item: any(name.lower() == wanted for name in categories(item))


def any_extended(node: filters.AnyOf) -> filters.Predicate:
    """`Any(ep: ep/id eq '...' and ep/value eq '...')`, ne, contains, startswith; of items that bear the property.

    The items have `extended`. Raises `Refusal` (400).
    """
    both = node.condition
    if not isinstance(both, filters.Both) or both.operator != "and":
        raise filters.invalid_filter("singleValueExtendedProperties")
    parts: dict[str, filters.Compare] = {}
    for side in (both.left, both.right):
        if not isinstance(side, filters.Compare) or len(side.path) != 2 or side.path[0] != node.variable:
            raise filters.invalid_filter("singleValueExtendedProperties")
        parts[side.path[1].lower()] = side
    if set(parts) != {"id", "value"} or parts["id"].operator != "eq" or parts["value"].operator not in TEXT_OPERATORS:
        raise filters.invalid_filter("singleValueExtendedProperties")
    name, wanted = canonical_id(str(parts["id"].value)), parts["value"]
    return lambda item: name in item.extended and filters.holds(
        wanted.operator, item.extended[name], wanted.value)
