"""Who is assigned to a Planner task, and who works on the CRM's (TASK-10).

The CRM's people are its *assigned to* user and its users, by any key that the caller chooses; Planner's are directory
ids. Only people who are linked have both. Everybody else stays as they are, on either side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .policy import Policy, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleBase:
    """The people when both sides last agreed: the CRM's, Planner's assignees, and who of the CRM's was linked then.

    `assignees` and `linked` are directory ids. Nothing in it says more about a person than an id.
    """

    owner: str | None = None
    users: frozenset[str] = frozenset()
    assignees: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people of one task on both sides, as read in this cycle.

    owner      the *assigned to* user; None: nobody.
    users      the others; None: the CRM has no place for them.
    assignees  directory ids in Planner, whoever was first assigned first.
    accounts   directory id of each linked user of the organisation, by the CRM's key.
    """

    owner: str | None = None
    users: frozenset[str] | None = None
    assignees: tuple[str, ...] = ()
    accounts: Mapping[str, str] = field(default_factory=dict)
    base: PeopleBase | None = None

    @property
    def in_crm(self) -> frozenset[str]:
        """Everybody who works on it in the CRM."""
        return (self.users or frozenset()) | ({self.owner} if self.owner is not None else frozenset())

    @property
    def targets(self) -> frozenset[str]:
        """The directory ids of those of them who are linked."""
        return frozenset(self.accounts[person] for person in self.in_crm if person in self.accounts)

    @property
    def by_account(self) -> dict[str, str]:
        """The CRM's key of each directory id."""
        return {account: person for person, account in self.accounts.items()}

    @property
    def moved_in_crm(self) -> bool:
        """Whether the CRM's people are others than when both sides last agreed."""
        base = self.base
        return base is not None and (self.owner != base.owner or (self.users or frozenset()) != base.users)

    def as_base(self, assignees: Iterable[str]) -> PeopleBase:
        """What to remember once both sides agree; `assignees` are Planner's after the writes."""
        return PeopleBase(owner=self.owner, users=self.users or frozenset(), assignees=frozenset(assignees),
                          linked=self.targets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigning:
    """What the people need: directory ids to assign and to release in Planner, users to add and to take off in the CRM.

    `overruled` says that Planner's people had changed too, and the CRM's stand.
    """

    assign: tuple[str, ...] = ()
    unassign: tuple[str, ...] = ()
    add_users: tuple[str, ...] = ()
    remove_users: tuple[str, ...] = ()
    overruled: bool = False

    def __bool__(self) -> bool:
        return bool(self.assign or self.unassign or self.add_users or self.remove_users)


def settle_people(people: People, policy: Policy, *, crm_wins: bool, takes_in: bool = True) -> Assigning:
    """What both sides need for the people to agree.

    crm_wins   the CRM's record changed since the last sync: its people stand (TASK-06).
    takes_in   False: nothing of Planner's is taken in this time (TASK-08).
    """
    outwards = _outwards(people, crm_wins) if policy.may_write(Side.MICROSOFT) else Assigning()
    may_take_in = takes_in and policy.may_write(Side.CRM) and people.users is not None
    inwards = _inwards(people, crm_wins and policy.may_write(Side.MICROSOFT)) if may_take_in else Assigning()
    return Assigning(assign=outwards.assign, unassign=outwards.unassign, add_users=inwards.add_users,
                     remove_users=inwards.remove_users, overruled=bool(outwards.unassign) and _moved(people))


def _outwards(people: People, crm_wins: bool) -> Assigning:
    base, targets = people.base or PeopleBase(), people.targets
    missing = [account for account in sorted(targets) if account not in people.assignees]
    if not crm_wins:
        # Only who was linked since: whom somebody took off in Planner, or Planner refused, is not put back.
        return Assigning(assign=tuple(account for account in missing if account not in base.linked))
    return Assigning(assign=tuple(missing), unassign=tuple(sorted(_dismissed(people))))


def _dismissed(people: People) -> set[str]:
    """The linked assignees whom the CRM's people leave out: taken off here, or put on there, since the last sync.

    Without a base nobody knows which, and one who was an assignee all the time was just not linked: they come in.
    """
    if people.base is None:
        return set()
    base, known = people.base, people.by_account
    before = base.users | ({base.owner} if base.owner is not None else set())
    others = {account for account in people.assignees if account in known} - people.targets
    return {account for account in others if known[account] in before or account not in base.assignees}


def _inwards(people: People, crm_wins: bool) -> Assigning:
    known, base = people.by_account, people.base
    dismissed = _dismissed(people) if crm_wins else set()
    added = [known[account] for account in people.assignees
             if account in known and known[account] not in people.in_crm and account not in dismissed]
    if crm_wins or base is None:
        return Assigning(add_users=tuple(added))
    gone = base.assignees - set(people.assignees)
    removed = [user for user in sorted(people.users or ()) if people.accounts.get(user) in gone]
    return Assigning(add_users=tuple(added), remove_users=tuple(removed))


def _moved(people: People) -> bool:
    return people.base is not None and frozenset(people.assignees) != people.base.assignees


def first_owner(assignees: Iterable[str], creator: str, reader: str, accounts: Mapping[str, str]) -> str:
    """To whom a task from Planner is assigned at first (TASK-10): the first linked assignee, else its creator if
    linked, else the linked user through whose lists it came. `accounts` as in `People`; `reader` is the CRM's key."""
    known = {account: person for person, account in accounts.items()}
    return next((known[account] for account in (*assignees, creator) if account in known), reader)
