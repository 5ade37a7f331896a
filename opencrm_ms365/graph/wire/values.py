"""Reads single values of Microsoft's JSON: strict about types, tolerant of what is missing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:[T ].*)?")
_FRACTION = re.compile(r"\.(\d+)")


class Unreadable(ValueError):
    """An item that is not as Microsoft describes it. The text names the member, never what is in it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Microsoft's answer has an unexpected kind of value in {name}.")


def text(item: Mapping[str, Any], name: str) -> str | None:
    """A text; None when it is missing or null."""
    value = item.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise Unreadable(name)
    return storable(value)


def storable(value: str) -> str:
    """The text without what neither side's database stores: NUL and halves of surrogate pairs."""
    return _UNSTORABLE.sub("", value)


def texts(item: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts, without nulls; `()` when it is missing or null."""
    value = item.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(entry is None or isinstance(entry, str) for entry in value):
        raise Unreadable(name)
    return tuple(storable(entry) for entry in value if entry is not None)


def instant(item: Mapping[str, Any], name: str) -> datetime | None:
    """An instant in UTC; None when it is missing or makes no sense (it is only informative)."""
    value = item.get(name)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(_FRACTION.sub(lambda match: f".{match[1][:6]:0<6}", value))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def day(item: Mapping[str, Any], name: str) -> date | None:
    """The day of a date or of an instant, as it is written: time and zone are no part of it."""
    value = item.get(name)
    if value is None or value == "":
        return None
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Unreadable(name)
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise Unreadable(name) from None
