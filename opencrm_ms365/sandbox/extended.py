"""Extended properties: named values on an item, unseen unless asked for by name (facts 7)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from .refusal import Refusal

# `{type} {guid} Name {name}`, `{type} {guid} Id 0x8012`, `{type} 0x{proptag}`
_NAMED = re.compile(r"(?P<type>\w+)\s+\{(?P<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}\s+"
                    r"(?P<kind>Name|Id)\s+(?P<name>.+)", re.IGNORECASE | re.DOTALL)
_TAGGED = re.compile(r"(?P<type>\w+)\s+0x(?P<tag>[0-9a-f]{1,8})", re.IGNORECASE)
_TYPES = {kind.lower(): kind for kind in ("String", "Integer", "Boolean", "Double", "SystemTime", "CLSID", "Binary",
                                          "Long", "Float", "Currency", "Short")}


def canonical_id(text: str) -> str:
    """The id as answers write it: the GUID in lower case; a name's case counts. Raises `Refusal` (400)."""
    match = _NAMED.fullmatch(text.strip()) or _TAGGED.fullmatch(text.strip())
    kind = _TYPES.get(match["type"].lower()) if match else None
    if match is None or kind is None:
        raise Refusal(400, "ErrorInvalidProperty", "The extended property ID is malformed.")
    parts = match.groupdict()
    if "tag" in parts:
        return f"{kind} 0x{parts['tag'].lower()}"
    how = "Name" if parts["kind"].lower() == "name" else "Id"
    name = parts["name"] if how == "Name" else parts["name"].lower()
    return f"{kind} {{{parts['guid'].lower()}}} {how} {name}"


def written(old: Mapping[str, str], sent: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The properties after a write: those sent are set, null takes one away, the others stay. Raises `Refusal`."""
    properties = dict(old)
    for entry in sent:
        if not isinstance(entry.get("id"), str):
            raise Refusal(400, "ErrorInvalidProperty", "An extended property needs an id.")
        name = canonical_id(entry["id"])
        if entry.get("value") is None:
            properties.pop(name, None)
        else:
            properties[name] = entry["value"]
    return properties


def shown(properties: Mapping[str, str], asked: Iterable[str]) -> list[dict[str, str]]:
    """The members of an answer's `singleValueExtendedProperties`; empty: the array is left out."""
    return [{"id": name, "value": properties[name]} for name in asked if name in properties]
