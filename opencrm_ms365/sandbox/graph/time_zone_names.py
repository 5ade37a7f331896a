"""Which time zones a mailbox accepts: `/me/outlook/supportedTimeZones` (facts 6.3)."""

from __future__ import annotations

from datetime import datetime

from .. import zones
from .call import Call, Reply
from .routing import Routes
from .users import READ_OWN

routes = Routes()

_FUNCTION = "{{user}}/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'{}')"
_SHORT = "{{user}}/outlook/supportedTimeZones(TimeZoneStandard='{}')"


@routes.add("GET", "{user}/outlook/supportedTimeZones", scopes=READ_OWN, outlook=True)
@routes.add("GET", _FUNCTION.format("Windows"), scopes=READ_OWN, outlook=True)
@routes.add("GET", _SHORT.format("Windows"), scopes=READ_OWN, outlook=True)
def windows_names(call: Call) -> Reply:
    """Windows names."""
    return _listing(call, "windows")


@routes.add("GET", _FUNCTION.format("Iana"), scopes=READ_OWN, outlook=True)
@routes.add("GET", _SHORT.format("Iana"), scopes=READ_OWN, outlook=True)
def iana_names(call: Call) -> Reply:
    """The IANA names that the calendar lists; not the whole tz database."""
    return _listing(call, "iana")


def _listing(call: Call, standard: str) -> Reply:
    year = call.sandbox.clock.now().year
    value = []
    for name in zones.supported(standard):
        offset = datetime(year, 1, 1, tzinfo=zones.rules(zones.windows_name(name))).strftime("%z")
        value.append({"alias": name, "displayName": f"(UTC{offset[:3]}:{offset[3:]}) {name}"})
    return Reply(200, {"@odata.context": call.context("Collection(microsoft.graph.timeZoneInformation)"),
                       "value": value})
