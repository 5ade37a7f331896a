"""Who sees what of a private activity (PRIV-02, ORG-11).

Private means private: only the *assigned to* user and the activity's users see what it is about. Nobody has a special
right, superusers and staff neither. What the others get is the organisation's choice: nothing, or a block of time.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from enum import StrEnum


class Sight(StrEnum):
    """How much of an activity a person sees.

    `BLOCK` is the time and the word *Private*: it can be neither opened nor changed. Of `HIDDEN` the person must not
    even learn that it exists: its page answers as if it were not there.
    """

    FULL = "full"
    BLOCK = "block"
    HIDDEN = "hidden"


class PrivateDisplay(StrEnum):
    """What the organisation shows of others' private activities. The values are those of its settings."""

    HIDDEN = "hidden"
    BUSY = "busy"


def sight(viewer: Hashable, *, is_private: bool, participants: Collection[Hashable], display: PrivateDisplay) -> Sight:
    """How much `viewer` sees of an activity that the CRM lets them see at all.

    `participants` are the *assigned to* user and the activity's users, in the same kind of key as `viewer`.
    """
    if not is_private or viewer in participants:
        return Sight.FULL
    return Sight.BLOCK if display is PrivateDisplay.BUSY else Sight.HIDDEN


def strictest(displays: Iterable[PrivateDisplay]) -> PrivateDisplay:
    """For a person of several organisations, where nobody said which is meant; of none at all, everything is hidden."""
    return PrivateDisplay.BUSY if set(displays) == {PrivateDisplay.BUSY} else PrivateDisplay.HIDDEN
