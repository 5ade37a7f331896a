"""What a sign-in asks for: the least that does the work of the adapters that this CRM has."""

from __future__ import annotations

from .. import adapters

#: For each kind of record, the purposes of `graph.clouds.SCOPES` that its sync needs.
NEEDED = {"contacts": ("contacts",), "events": ("calendar", "colleagues"), "tasks": ("tasks", "groups")}


def purposes() -> tuple[str, ...]:
    """The purposes to ask permissions for. A CRM without an adapter for a kind is not asked for its permissions."""
    found = ["profile"]
    for kind, names in NEEDED.items():
        if adapters.site.adapters(kind):
            found += names
    return tuple(dict.fromkeys(found))
