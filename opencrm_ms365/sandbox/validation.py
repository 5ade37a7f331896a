"""Checks request bodies against Microsoft's own schema: unknown properties and wrong types are answered with 400.

The schema is an extract of the official CSDL (`data/*_schema.json`). What a service does with a valid body is
not decided here.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from .options import Options
from .refusal import Refusal

SCHEMAS = ("graph_schema.json", "planner_schema.json")
READ_ONLY = frozenset({"id", "changeKey", "createdDateTime", "lastModifiedDateTime"})    # of every Outlook item
READ_ONLY_OF = {        # of one type, besides
    "event": frozenset({
        "bodyPreview", "hasAttachments", "iCalUId", "isCancelled", "isDraft", "isOrganizer", "onlineMeeting",
        "onlineMeetingUrl", "organizer", "originalEndTimeZone", "originalStart", "originalStartTimeZone",
        "responseStatus", "seriesMasterId", "type", "webLink", "cancelledOccurrences"}),
    "calendar": frozenset({
        "allowedOnlineMeetingProviders", "canEdit", "canShare", "canViewPrivateItems", "defaultOnlineMeetingProvider",
        "hexColor", "isRemovable", "isTallyingResponses", "owner"}),
}
WRITABLE_NAVIGATION = frozenset({"singleValueExtendedProperties"})
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?")


@cache
def schema() -> dict[str, Any]:
    """The extract of the CSDL: `types` and `enums`, of all services together."""
    joined: dict[str, Any] = {"types": {}, "enums": {}}
    for name in SCHEMAS:
        found = json.loads(files(__package__).joinpath("data", name).read_text("utf-8"))
        joined["types"] |= found["types"]
        joined["enums"] |= found["enums"]
    return joined


@cache
def properties(type_name: str) -> dict[str, dict[str, Any]]:
    """All properties of a type with those of its bases."""
    found = schema()["types"][type_name]
    inherited = properties(found["base"]) if found["base"] in schema()["types"] else {}
    return {**inherited, **found["properties"]}


def check_body(type_name: str, body: Any, options: Options) -> dict[str, Any]:
    """The properties that may be written, of a body of that type; raises `Refusal` (400).

    Control information (`@odata...`) and read-only properties are left out.
    """
    if not isinstance(body, dict):
        raise _unreadable("Empty Payload. JSON content expected." if body is None else
                          "Entity only allows writes with a JSON Content-Type header and an object.")
    known = properties(type_name)
    cleaned = {}
    for name, value in body.items():
        if "@odata." in name or name.startswith("@"):
            _check_annotation(type_name, name, value)
            continue
        found = known.get(name)
        if found is None:
            if options.unknown_properties == "refused":
                raise _unreadable(f"The property '{name}' does not exist on type 'microsoft.graph.{type_name}'. Make "
                                  "sure to only use property names that are defined by the type.")
            continue
        if found.get("navigation") and name not in WRITABLE_NAVIGATION:
            raise Refusal(400, "ErrorInvalidProperty", f"The property '{name}' cannot be written with this request.")
        if name in READ_ONLY or name in READ_ONLY_OF.get(type_name, ()):
            if options.read_only_properties == "refused":
                raise Refusal(400, "ErrorInvalidPropertySet", f"The property '{name}' is read-only and can't be set.")
            continue
        cleaned[name] = _checked(name, value, found["type"], found["collection"], options)
    return cleaned


def parse_instant(text: str) -> datetime | None:
    """A DateTimeOffset, or a plain date (midnight UTC); None when it is neither. Seconds' fractions are cut off."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, _, zone = match.groups()
    try:
        plain = f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}"
        return datetime.fromisoformat(plain + ("+00:00" if zone in (None, "Z") else zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _checked(name: str, value: Any, kind: str, is_collection: bool, options: Options) -> Any:
    if is_collection:
        if value is None:
            return []
        if not isinstance(value, list):
            raise _unreadable(f"When trying to read a null collection or an array for property '{name}', a value of "
                              "another kind was found. An array was expected.")
        return [_checked(name, entry, kind, False, options) for entry in value if entry is not None]
    if value is None:
        return None
    if kind == "Edm.String":
        if not isinstance(value, str):
            raise _wrong_type(name, "Edm.String")
        return value
    if kind == "Edm.DateTimeOffset":
        if not isinstance(value, str) or parse_instant(value) is None:
            raise _wrong_type(name, "Edm.DateTimeOffset")
        return value
    if kind == "Edm.Date":
        if not isinstance(value, str) or not _DATE.fullmatch(value) or parse_instant(value) is None:
            raise _wrong_type(name, "Edm.Date")
        return value
    if kind == "Edm.Boolean" and isinstance(value, bool):
        return value
    if kind == "Edm.Boolean" and value in ("true", "false"):        # a public client (python-o365) sends such text
        return value == "true"
    if kind == "Edm.Int32" and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind == "Edm.Double" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    if kind in schema()["enums"] and isinstance(value, str):
        by_lower = {member.lower(): member for member in schema()["enums"][kind]["members"]}
        if value.lower() in by_lower:       # `Required`, `HTML`: the documentation's own samples (facts 6.2)
            return by_lower[value.lower()]
    if kind in schema()["types"] and isinstance(value, dict):
        return _checked_object(kind, value, options)
    raise _wrong_type(name, kind)


def _checked_object(kind: str, value: dict[str, Any], options: Options) -> dict[str, Any]:
    known = properties(kind)
    cleaned = {}
    for name, part in value.items():
        if "@odata." in name:
            continue
        if name not in known:
            if options.unknown_properties == "refused":
                raise _unreadable(f"The property '{name}' does not exist on type 'microsoft.graph.{kind}'. Make sure "
                                  "to only use property names that are defined by the type.")
            continue
        cleaned[name] = _checked(name, part, known[name]["type"], known[name]["collection"], options)
    return cleaned


def _check_annotation(type_name: str, name: str, value: Any) -> None:
    if name == "@odata.type" and str(value).lstrip("#").lower() != f"microsoft.graph.{type_name}".lower():
        raise _unreadable(f"A type named '{value}' could not be resolved by the model, or is not assignable to "
                          f"'microsoft.graph.{type_name}'.")


def _wrong_type(name: str, kind: str) -> Refusal:
    return _unreadable(f"Cannot convert the value of property '{name}' to the expected type '{kind}'.")


def _unreadable(message: str) -> Refusal:
    return Refusal(400, "RequestBodyRead", message)
