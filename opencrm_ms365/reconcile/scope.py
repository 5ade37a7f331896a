"""What happens to a linked record that is no longer among those that the user syncs (CON-07 to CON-11).

Removal from Microsoft happens only where the *record* changed. Whether it did is seen by asking twice: is it outside
today's limits, and was it outside the limits that the last cycle applied? What only today's limits leave out was left
out by a setting, and a setting empties nobody's address book.
"""

from __future__ import annotations

from collections.abc import Collection

from .decide import Decision, Delete, Let, Release
from .policy import Policy, Side

REASONS = {
    "not_visible": "this user may no longer see it in the CRM",
    "not_mine": "it is assigned to somebody else now",
    "flag_off": "its sync tick box was cleared",
    "other_folder": "it left the synced folders of the CRM",
}


def is_left_out(categories: object, chosen: Collection[str]) -> bool:
    """Whether a contact bears one of the categories that the organisation leaves out (ORG-17).

    `chosen` are names in the form of `str.casefold`, for Outlook compares them without case.
    """
    return isinstance(categories, tuple) and any(name.casefold() in chosen for name in categories)


def fallen_out(policy: Policy, *, by_record: bool, why: str) -> Decision:
    """The record left the user's limits. `by_record`: it is outside the limits of the last cycle too.

    `why` is one of `REASONS`.
    """
    if not by_record or not policy.may_write(Side.MICROSOFT):
        return Let(Release.NARROWED)
    return Delete(Side.MICROSOFT, REASONS.get(why, "it left the user's limits"))
