"""The time zones that the calendar knows: Windows names, and the IANA names that Microsoft lists (facts 6.3).

The table (`data/time_zones.json`) is the simulator's own. A mailbox knows no other IANA names: "Europe/Vienna" is
refused although the tz database has it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from .refusal import Refusal


@cache
def windows_name(name: str) -> str:
    """The Windows name of a zone that is named either way, without case. Raises `Refusal` (400)."""
    found = _by_lower().get(name.lower())
    if found is None:
        raise Refusal(400, "TimeZoneNotSupportedException", "A valid TimeZone value must be specified. The following "
                      f"TimeZone value is not supported: '{name}'.")
    return found


def supported(standard: str) -> list[str]:
    """All names of `windows` or `iana`."""
    return list(_table()[standard])


@cache
def rules(windows: str) -> ZoneInfo:
    """The offsets of a zone by its Windows name."""
    return ZoneInfo(_table()["windows"][windows])


def to_utc(wall: datetime, windows: str) -> datetime:
    """The instant of a wall-clock time. One that daylight saving skips is moved on, of one that comes twice: first."""
    return wall.replace(tzinfo=rules(windows)).astimezone(UTC)


def to_wall(instant: datetime, name: str) -> datetime:
    """The wall-clock time of an instant in a zone that is named either way. Raises `Refusal` (400)."""
    return instant.astimezone(rules(windows_name(name))).replace(tzinfo=None)


@cache
def _table() -> dict[str, Any]:
    return json.loads(files(__package__).joinpath("data", "time_zones.json").read_text("utf-8"))


@cache
def _by_lower() -> dict[str, str]:
    table = _table()
    return {name.lower(): windows for name, windows in table["iana"].items()} | {
        name.lower(): name for name in table["windows"]}
