"""The table: what one linked pair needs, from what happened to it on either side.

                      Microsoft: there        Microsoft: gone
    CRM: there        merge                   the CRM was edited: create it again; else as the administrator says
    CRM: gone         delete in Microsoft     forget the link

The direction has its say in one place only, `within_direction`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

from .merge import Digest, Merge, Pair, changed_in_crm, merge
from .policy import AfterDeletion, Policy, Side


class Release(enum.StrEnum):
    """Why a mapping is kept but no longer synced, and so what may revive it."""

    UNLINKED = "unlinked"  # deleted in Microsoft, the administrator chose to keep the CRM record (ORG-12)
    CRM_DELETED = "crm_deleted"  # deleted in the CRM, must not be brought in again (ORG-06, to the CRM)
    NARROWED = "narrowed"  # the user's own settings leave it out now (CON-11)
    MOVED_AWAY = "moved_away"  # moved in Outlook to a folder that is not synced (CON-11)
    LEFT_OUT = "left_out"  # left out by choice: private, category (ORG-17)
    DECLINED = "declined"  # an invited person left: their copy is not made again (ATT-10)
    CALLED_OFF = "called_off"  # the organiser cancelled it (CAL-05)


@dataclass(frozen=True, slots=True)
class Nothing:
    """Both sides stay as they are."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop the mapping: the record is gone on both sides."""

    reason: str


@dataclass(frozen=True, slots=True)
class Let:
    """Keep both records and stop syncing them (`Release` says what may revive the mapping)."""

    because: Release


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the record on one side."""

    side: Side
    reason: str


@dataclass(frozen=True, slots=True)
class Recreate:
    """Create the record in Microsoft again. `without` are fields that are not sent (ORG-12: notes)."""

    reason: str
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Update:
    """Write the merged fields."""

    merge: Merge = field(default_factory=Merge)


@dataclass(frozen=True, slots=True)
class Cancel:
    """The organiser called an event off: the CRM's record says so where it can, and is no longer synced (CAL-05)."""


Merging = Callable[[Pair, Policy, Digest], Merge]
Decision = Nothing | Forget | Let | Delete | Recreate | Update | Cancel


def decide(pair: Pair, policy: Policy, digest: Digest, merging: Merging = merge) -> Update | Nothing:
    """Both records are there: merge them, by the rules of their kind."""
    result = merging(pair, policy, digest)
    if result.is_quiet and not result.conflicts and not result.settled:
        return Nothing()
    return Update(result)


def gone_in_crm(policy: Policy, *, gone_in_microsoft: bool = False) -> Decision:
    """The CRM record was deleted (DEL-01). A deletion in the CRM beats an edit in Microsoft (ORG-09)."""
    if gone_in_microsoft:
        return Forget("deleted on both sides")
    return within_direction(Delete(Side.MICROSOFT, "deleted in the CRM"), policy)


def gone_in_microsoft(pair: Pair | None, policy: Policy, digest: Digest, *, recoverable: bool) -> Decision:
    """The Microsoft record was deleted and that is confirmed (SYNC-08).

    `pair` is None when the CRM's record is out of the user's limits: it is not created again then. `recoverable` says
    whether the CRM can undo a deletion.
    """
    if policy.takes_in_only or pair is None:
        return Let(Release.UNLINKED)
    edited = pair.base is not None and any(name in pair.base.crm for name in changed_in_crm(pair, digest))
    if edited and policy.may_write(Side.MICROSOFT):
        return Recreate("edited in the CRM after it was deleted in Microsoft")
    if policy.after_deletion is AfterDeletion.RESTORE:
        return within_direction(Recreate("restored in Microsoft", frozenset({"notes"})), policy)
    if policy.after_deletion is AfterDeletion.DELETE and recoverable:
        return within_direction(Delete(Side.CRM, "deleted in Microsoft"), policy)
    return Let(Release.UNLINKED)


def fallen_out_of_calendar(policy: Policy) -> Decision:
    """The user takes part in an activity no longer, or it is somebody else's now (ATT-13)."""
    if not policy.may_write(Side.MICROSOFT):
        return Let(Release.NARROWED)
    return Delete(Side.MICROSOFT, "this user no longer takes part in it")


def within_direction(decision: Decision, policy: Policy) -> Decision:
    """ORG-06: what a one-way direction makes of a deletion or restoration. The source is never written."""
    match decision:
        case Delete(side=Side.MICROSOFT) if not policy.may_write(Side.MICROSOFT):
            return Let(Release.CRM_DELETED)
        case Delete(side=Side.CRM) if not policy.may_write(Side.CRM):
            return Let(Release.UNLINKED)
        case Recreate() if not policy.may_write(Side.MICROSOFT):
            return Let(Release.UNLINKED)
    return decision
