"""What of a value one side can hold, and what is left over (CON-10).

full value  --fit-->  held part          what the side can store
            --rest->  the remainder      kept by the other side, never taken for a deletion
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..records import LIST_FIELDS, Limits, PostalAddress, is_set
from ..records.contact import canonical

#: Texts of many lines, of which one may edit the beginning and not mean the rest.
LONG_TEXTS = frozenset({"notes", "body"})
PARTS = tuple(item.name for item in dataclasses.fields(PostalAddress))


def fit(name: str, value: Any, limits: Limits) -> Any:
    """The part of `value` that a side with these limits can hold."""
    if value is None:
        return None
    if isinstance(value, PostalAddress):
        return _fit_address(name, value, limits)
    if name in LIST_FIELDS:
        return _fit_list(name, value, limits)
    longest = limits.characters.get(name)
    if isinstance(value, str) and longest is not None and len(value) > longest:
        return value[:longest].rstrip() or None
    return value


def _fit_list(name: str, values: tuple[str, ...], limits: Limits) -> tuple[str, ...]:
    longest = limits.characters.get(name)
    whole = [item for item in values if longest is None or len(item) <= longest]
    if limits.addresses_only and name == "emails":
        whole = [item for item in whole if is_address(item)]
    return tuple(whole[: limits.items.get(name, len(whole))])


def _fit_address(name: str, value: PostalAddress, limits: Limits) -> PostalAddress | None:
    return address({part: fit(f"{name}.{part}", getattr(value, part), limits) for part in PARTS})


def address(parts: Mapping[str, Any]) -> PostalAddress | None:
    """The address made of these parts in its canonical form: None when all of them are empty."""
    made = PostalAddress(**parts)
    return made if made or made.is_partial else None


def is_address(text: str) -> bool:
    """Whether Outlook keeps this as an e-mail address. It stores other text only as a name (graph facts 5.2)."""
    local, at, domain = text.rpartition("@")
    return bool(at and local and domain) and not any(character.isspace() for character in text)


def combine(name: str, new: Any, replaced: Any, limits: Limits) -> Any:
    """The whole value when `new` comes from a side with `limits` and replaces `replaced` on the other side.

    What the writing side could never hold is carried over: it was not deleted there, it was never there. But who
    replaces a short text replaces all of it: nobody wants half of the old job title behind the new one.
    """
    if new == fit(name, replaced, limits):
        return replaced
    if name in LIST_FIELDS:
        held = {canonical(name, (item,)) for item in fit(name, replaced or (), limits)}
        kept = [item for item in replaced or () if canonical(name, (item,)) not in held]
        known = {canonical(name, (item,)) for item in new or ()}
        return (*(new or ()), *(item for item in kept if canonical(name, (item,)) not in known))
    if isinstance(replaced, PostalAddress) and isinstance(new, PostalAddress):
        return address({part: _combine_part(name, part, new, replaced, limits) for part in PARTS})
    if name in LONG_TEXTS and isinstance(replaced, str) and isinstance(new, str):
        longest = limits.characters.get(name)
        if longest is not None and len(replaced) > longest:
            return new + replaced[len(replaced[:longest].rstrip()) :]
    return new


def _combine_part(name: str, part: str, new: PostalAddress, replaced: PostalAddress, limits: Limits) -> Any:
    """A part is replaced as a whole, too, unless it is just what the writing side can hold of the old one."""
    old = getattr(replaced, part)
    return old if fit(f"{name}.{part}", old, limits) == getattr(new, part) else getattr(new, part)


def same(name: str, left: Any, right: Any) -> bool:
    """Whether two values of one field mean the same. Parts of an address that a side does not map are not compared."""
    if isinstance(left, PostalAddress) or isinstance(right, PostalAddress):
        return _same_address(*(side if isinstance(side, PostalAddress) else PostalAddress() for side in (left, right)))
    return bool(canonical(name, left) == canonical(name, right))


def _same_address(left: PostalAddress, right: PostalAddress) -> bool:
    pairs = ((getattr(left, part), getattr(right, part)) for part in PARTS)
    return all(mine == theirs for mine, theirs in pairs if is_set(mine) and is_set(theirs))


def agree(name: str, crm: Any, microsoft: Any, crm_limits: Limits, microsoft_limits: Limits) -> bool:
    """Whether both sides hold the same as far as each of them can hold it."""
    return (
        same(name, crm, microsoft)
        or same(name, fit(name, crm, microsoft_limits), microsoft)
        or same(name, crm, fit(name, microsoft, crm_limits))
    )
