"""Names of time zones: Microsoft's (Windows) on one side, ours (IANA) on the other. Pure.

Microsoft accepts Windows names, `UTC` and about 110 IANA names, and answers with Windows names (facts 6.3). The table
is CLDR's, as the package tzlocal carries it. Many zones share a Windows name: `Europe/Vienna` is written as
`W. Europe Standard Time` and read as `Europe/Berlin`. They mean the same (`same_zone`): no change to be written.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import tz_win, win_tz

UTC_NAME = "UTC"
_IANA_BY_WINDOWS = {name.casefold(): iana for name, iana in win_tz.items()} | {
    "utc": UTC_NAME, "tzone://microsoft/utc": UTC_NAME,
}
#: Files of the database that name no place: they mean what the machine is set to, or nothing.
_NO_ZONES = frozenset({"localtime", "Factory", "posixrules"})


def to_iana(name: str | None) -> str | None:
    """Our name for a zone as Microsoft writes it, whether Windows or IANA.

    None for what must never be written back: nothing, a custom zone (`tzone://Microsoft/Custom`, `Customized Time
    Zone`) or an unknown name.
    """
    text = (name or "").strip()
    known = _IANA_BY_WINDOWS.get(text.casefold())
    if known:
        return known
    return text if zone(text) else None


def to_windows(iana: str | None) -> str | None:
    """Microsoft's name for one of our zones, `UTC` included; None where there is none (`Antarctica/Troll`)."""
    return tz_win.get(iana) if iana else None  # the table has an entry for "" as well


def same_zone(one: str | None, other: str | None) -> bool:
    """True where two names, of either kind, are one zone to Microsoft. Two unknown ones are equal as texts only."""
    if one == other:
        return True
    first, second = to_iana(one), to_iana(other)
    if first is None or second is None:
        return False
    return first == second or (to_windows(first) is not None and to_windows(first) == to_windows(second))


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name; None if there is no such zone."""
    if not name or name in _NO_ZONES:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def wall_clock(at: datetime, name: str) -> datetime | None:
    """What clocks show at an instant where Microsoft's zone `name` (Windows or IANA) is: without a zone.

    None where that reading would not lead back to the instant: an hour that the clocks show twice (Microsoft's
    answers and requests cannot tell which), or an unknown zone. Such an instant is written in UTC.
    """
    there = zone(to_iana(name) or "")
    if there is None:
        return None
    wall = at.astimezone(there).replace(tzinfo=None, fold=0)
    first, second = (wall.replace(tzinfo=there, fold=fold).utcoffset() for fold in (0, 1))
    return wall if first == second else None


def written_zone(iana: str | None, *instants: datetime) -> str:
    """The name under which to write these instants so that they survive: a Windows name if that is possible, else UTC.

    CLDR maps some zones to a Windows zone whose clocks go otherwise (`Antarctica/Vostok`): not usable there.
    """
    name = to_windows(iana) or UTC_NAME
    ours, theirs = zone(iana or ""), zone(to_iana(name) or "")
    if ours is None or theirs is None:
        return UTC_NAME
    fits = all(at.astimezone(ours).utcoffset() == at.astimezone(theirs).utcoffset() and wall_clock(at, name) is not None
               for at in instants)
    return name if fits else UTC_NAME
