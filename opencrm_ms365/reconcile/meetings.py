"""One meeting in many mailboxes: who makes its event, who waits for an invitation, whom a write makes Microsoft mail.

Microsoft keeps a copy of a meeting in each participant's calendar and mails the participants about most changes of the
organiser's copy. So everything here is decided from values alone, and what a write mails is part of its plan (ATT,
DEL-02, ORG-15).
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass
from datetime import datetime

from .decide import Cancel, Decision, Delete, Let, Recreate, Release, within_direction
from .policy import AfterDeletion, Policy, Side


class Role(enum.StrEnum):
    """What a link's event is to the activity: the organiser's event, an invited person's copy, or an event of one's own
    for somebody else's activity (ATT-02)."""

    ORGANISER = "organiser"
    ATTENDEE = "attendee"
    COPY = "copy"


class Mode(enum.StrEnum):
    """How the users of an activity come by it: by invitation, or each by an event of their own. Once decided it stays
    (ATT-01)."""

    UNDECIDED = ""
    MEETING = "meeting"
    OWN = "own"


class Part(enum.StrEnum):
    """What a linked user's cycle does about an activity that their mailbox does not have yet."""

    ORGANISE = "organise"
    COPY = "copy"
    WAIT = "wait"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Attending:
    """Whether CRM users become attendees, for meetings that are over and for the others (ORG-10)."""

    historic: bool
    future: bool

    def invites(self, end: datetime, now: datetime, mode: Mode) -> bool:
        """Whether attendees are added to a meeting that ends at `end`. What was made as own events stays so."""
        if mode is Mode.OWN:
            return False
        return self.historic if end <= now else self.future


def part_of(*, is_owner: bool, owner_linked: bool, is_organiser: bool, organiser_linked: bool, is_invited: bool,
            mode: Mode, invites: bool) -> Part:
    """What the cycle of one participant does (ATT-01 to ATT-03).

    `owner_linked`: the *assigned to* user's calendar is synced; `organiser_linked`: so is that of the meeting's
    organiser in Microsoft; `is_organiser`: that is this participant, whose event was lost on its way or is to be
    restored; `is_invited`: Microsoft has the user among the attendees.
    """
    if mode is Mode.MEETING:
        if is_organiser:
            return Part.ORGANISE
        if is_invited:
            return Part.WAIT
        if not organiser_linked:
            return Part.NOTHING
        return Part.WAIT if invites else Part.COPY
    if is_owner:
        return Part.ORGANISE
    return Part.WAIT if owner_linked and invites else Part.COPY


#: A change of these is mailed to everybody who is invited; a change of the others is private to the copy (facts 6.5).
SHARED_FIELDS = frozenset({"subject", "body", "start", "end", "all_day", "time_zone", "location", "recurrence"})


def written_to(action: str, *, fields: Collection[str] = (), before: Iterable[str] = (),
               after: Iterable[str] | None = None) -> tuple[str, ...]:
    """The addresses to which a write to the organiser's event makes Microsoft write, in order (facts 6.4, 6.5).

    `action` is `create`, `update`, `cancel` or `delete`; `before` are the attendees that the event has, `after` those
    that the write gives it (None: it does not touch them).
    """
    had = _ordered(before)
    gets = had if after is None else _ordered(after)
    if action == "create":
        return gets
    if action in ("cancel", "delete"):
        return had
    if SHARED_FIELDS & set(fields):
        return _ordered((*gets, *had))
    return tuple(item for item in _ordered((*gets, *had)) if (item in gets) != (item in had))


def _ordered(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.casefold() for item in addresses if item))


def merged(base: Set[str] | None, crm: Set[str], microsoft: Set[str]) -> frozenset[str]:
    """A set that both sides edit: what either added, without what either took away. Without a base: the union."""
    if base is None:
        return frozenset(crm | microsoft)
    return frozenset((base | crm | microsoft) - (base - crm) - (base - microsoft))


def gone_in_crm(role: Role, policy: Policy, *, has_attendees: bool, is_over: bool) -> Decision:
    """The activity was deleted in the CRM (DEL-02). Only the organiser's event is cancelled; a meeting that is over
    mails nobody and stays."""
    if role is Role.ATTENDEE or (has_attendees and is_over):
        return Let(Release.CRM_DELETED)
    return within_direction(Delete(Side.MICROSOFT, "deleted in the CRM"), policy)


#: What a restoration never sends: internal notes (ORG-12).
NOT_RESTORED = frozenset({"body"})


def gone_in_microsoft(role: Role, policy: Policy, *, has_attendees: bool, edited_in_crm: bool,
                      recoverable: bool, is_own: bool) -> Decision:
    """The event is gone from this mailbox, and that is confirmed (ORG-12, ATT-10).

    An invited person who deletes or declines only leaves. A meeting with attendees is never made again, for that would
    mail them. `is_own`: the activity is assigned to the user whose mailbox it was in.
    """
    if role is Role.ATTENDEE:
        return Let(Release.DECLINED)
    if policy.takes_in_only:
        return Let(Release.UNLINKED)
    deletes = policy.after_deletion is AfterDeletion.DELETE and recoverable and role is Role.ORGANISER and is_own
    if has_attendees:
        if deletes:
            return within_direction(Delete(Side.CRM, "deleted in Microsoft"), policy)
        return cancelled(policy)
    if edited_in_crm and policy.may_write(Side.MICROSOFT):
        return Recreate("edited in the CRM after it was deleted in Microsoft", NOT_RESTORED)
    if policy.after_deletion is AfterDeletion.RESTORE:
        return within_direction(Recreate("restored in Microsoft", NOT_RESTORED), policy)
    if deletes:
        return within_direction(Delete(Side.CRM, "deleted in Microsoft"), policy)
    return Let(Release.UNLINKED)


def cancelled(policy: Policy) -> Decision:
    """The organiser called the meeting off: the activity stays, says so where it can, and is let go (CAL-05)."""
    return Cancel() if policy.may_write(Side.CRM) else Let(Release.UNLINKED)
