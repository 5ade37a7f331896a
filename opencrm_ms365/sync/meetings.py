"""What is known of the meetings behind some activities, and of the people who take part in them (ATT).

Everything is fetched for a chunk of steps at once; what one cycle learned about people it does not ask again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models.functions import Lower

from .. import adapters
from ..graph.event_items import Attendee
from ..graph.people import find_users
from ..models import LinkStatus, MappingState, Meeting, RecordMapping, SharedRecord, UserLink
from ..reconcile.meetings import Mode, Role
from ..reconcile.policy import Side
from .claims import digest_of
from .items import Item
from .steps import Step
from .work import Work

Ref = tuple[str, str]
#: A link in one of these states has an account that takes part in the sync, if not at this moment.
TAKING_PART = (LinkStatus.CONNECTED, LinkStatus.SIGN_IN_AGAIN)


@dataclass
class MeetingPlan:
    """What is particular to the event of one step.

    `row` is the meeting as the database has it, None for a new one. `attendees` is the list that the event gets, None
    where it is not touched; `recipients` are the addresses that Microsoft writes to when the step is carried out.
    `owner` is the user whom a new activity is assigned to, `users` are those that it gets. `users` in `people` are the
    keys of the CRM users whom both sides had when they last agreed, None before that.
    """

    role: Role
    row: Meeting | None = None
    people: dict[str, Any] = field(default_factory=lambda: {"organiser": ["", ""], "attendees": [], "users": None})
    mode: Mode = Mode.UNDECIDED
    organiser_id: int | None = None
    source_id: int | None = None
    attendees: tuple[Attendee, ...] | None = None
    recipients: tuple[str, ...] = ()
    owner: Any = None
    users: tuple[Any, ...] | None = None
    cancels: bool = False

    @property
    def changes_attendees(self) -> bool:
        return self.attendees is not None

    @property
    def addresses(self) -> tuple[str, ...]:
        """The attendees that the event is known to have."""
        return tuple(entry[0] for entry in self.people["attendees"])

    def read_by(self, link: UserLink) -> bool:
        """Whether this link's copy is the one whose changes count (ATT-06, ATT-11)."""
        if self.role is not Role.ATTENDEE:
            return True
        return self.organiser_id is None and self.source_id in (None, link.pk)


def load(work: Work, refs: Iterable[Ref]) -> dict[Ref, Meeting]:
    """The rows of some activities, by adapter and key."""
    ids = {object_id for _name, object_id in refs}
    rows = Meeting.objects.filter(tenant=work.link.tenant, object_id__in=ids).select_related(
        "organiser", "source") if ids else ()
    return {(row.adapter, row.object_id): row for row in rows}


def attach(work: Work, steps: Sequence[Step]) -> None:
    """Give each step its meeting, in two queries."""
    wanted = [step for step in steps if step.adapter is not None and step.object_id and step.meeting is None]
    rows = load(work, {(step.adapter.name, step.object_id) for step in wanted})
    for step in wanted:
        role = Role(step.mapping.role) if step.mapping is not None and step.mapping.role else Role.ORGANISER
        step.meeting = plan_for(work, rows.get((step.adapter.name, step.object_id)), role)
    people = People.of(work)
    people.know_addresses(address for step in wanted for address in (*step.meeting.addresses, *people_of(step.item)))


def plan_for(work: Work, row: Meeting | None, role: Role) -> MeetingPlan:
    """What is known, as it counts today: an organiser or a reader who takes no part in the sync now is none."""
    if row is None:
        return MeetingPlan(role)
    people = People.of(work)
    organiser, source = (link.pk if link is not None and people.takes_part(link) else None
                         for link in (row.organiser, row.source))
    return MeetingPlan(role, row, row.opened(), Mode(row.mode), organiser, source)


def people_of(item: Item | None) -> tuple[str, ...]:
    """The addresses of an event's organiser and attendees."""
    return (item.organizer, *(who.address for who in item.attendees)) if item is not None else ()


def note_people(plan: MeetingPlan, item: Item) -> None:
    """Remember who is invited and what they answered, as the copy that counts has it (ATT-09, ATT-10)."""
    plan.people = {
        **plan.people,
        "organiser": [item.organizer, item.organizer_name],
        "attendees": [[who.address, who.name, who.kind, who.answer] for who in item.attendees],
    }
    if item.attendees:
        plan.mode = plan.mode if plan.mode is Mode.OWN else Mode.MEETING


def save(work: Work, steps: Sequence[Step]) -> None:
    """Write the meetings of these steps, and claim the identities of their events, in a constant number of queries.

    The caller holds the transaction that saves their mappings.
    """
    plans = {(step.adapter.name, step.object_id): step for step in steps if step.meeting is not None and step.object_id}
    if not plans:
        return
    known = load(work, plans)
    fresh: list[Meeting] = []
    changed: list[Meeting] = []
    for ref, step in plans.items():
        plan = step.meeting
        row = known.get(ref) or Meeting(tenant=work.link.tenant, adapter=ref[0], object_id=ref[1])
        before = (row.mode, row.organiser_id, row.source_id, row.is_cancelled, row.opened() if row.pk else None)
        row.mode = row.mode or str(plan.mode)
        row.organiser_id = row.organiser_id or plan.organiser_id
        row.source_id = plan.source_id or row.source_id
        row.is_cancelled = row.is_cancelled or bool(step.item is not None and step.item.is_cancelled)
        if before != (row.mode, row.organiser_id, row.source_id, row.is_cancelled, plan.people):
            row.close(plan.people)
            (changed if row.pk else fresh).append(row)
    Meeting.objects.bulk_create(fresh, ignore_conflicts=True)
    Meeting.objects.bulk_update(
        changed, ["mode", "organiser", "source", "is_cancelled", "people"], batch_size=100)
    claim(work, [step for step in plans.values() if step.item is not None])


def claim(work: Work, steps: Sequence[Step]) -> None:
    """An event's identity leads to its activity from now on, whoever meets it next (ATT-11)."""
    SharedRecord.objects.bulk_create([
        SharedRecord(tenant=work.link.tenant, kind=work.kind, identity=digest_of(work.link.tenant, step.item.ical_uid),
                     adapter=step.adapter.name, object_id=step.object_id, claimed_by=work.link, claimed_at=work.now)
        for step in steps if step.item is not None and step.item.ical_uid
    ], ignore_conflicts=True)


def known_by_identity(work: Work, uids: Iterable[str]) -> dict[str, Ref]:
    """The activities behind some events' identities."""
    by_digest = {digest_of(work.link.tenant, uid): uid for uid in uids if uid}
    rows = SharedRecord.objects.filter(
        tenant=work.link.tenant, kind=work.kind, identity__in=by_digest).exclude(object_id="")
    return {by_digest[row.identity]: (row.adapter, row.object_id) for row in rows}


# --- people ----------------------------------------------------------------------------------------------------------


class People:
    """The CRM's users and their links, asked for once a cycle."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.tenant = work.link.tenant
        self.directory = adapters.site.directory
        self._links: dict[Any, UserLink | None] = {}
        self._users: dict[str, Any] = {}
        self._in_microsoft: dict[str, bool] = {}

    @classmethod
    def of(cls, work: Work) -> People:
        if work.people is None:
            work.people = cls(work)
        found: People = work.people
        return found

    def know(self, users: Iterable[Any]) -> None:
        """Fetch the links of these users, in one query."""
        keys = {user.pk for user in users if user is not None} - set(self._links)
        if not keys:
            return
        self._links |= dict.fromkeys(keys)
        for link in UserLink.objects.filter(tenant=self.tenant, user__in=keys).select_related("user"):
            self._links[link.user_id] = link

    def link_of(self, user: Any) -> UserLink | None:
        """The user's link, if their calendar takes part in the sync; else None."""
        if user is None:
            return None
        self.know([user])
        link = self._links[user.pk]
        return link if link is not None and self.takes_part(link) else None

    def takes_part(self, link: UserLink) -> bool:
        """Whether the calendar of this link is synced, if not at this moment."""
        organisation = self.work.organisation
        return (link.status in TAKING_PART and link.enabled and link.settings_saved_at is not None
                and self.work.how.is_on(organisation, link))

    def organises(self, user: Any) -> bool:
        """Whether events can be made in the user's own calendar."""
        link = self.link_of(user)
        if link is None:
            return False
        direction = self.work.how.direction(self.work.organisation, link)
        return direction is not None and str(direction) != "to_crm"

    def know_addresses(self, addresses: Iterable[str]) -> None:
        """Find out whose these addresses are: accounts of links in one query, the others by the CRM's directory."""
        unknown = {item.casefold() for item in addresses if item} - set(self._users)
        if not unknown:
            return
        for address, link in links_by_account(self.tenant, unknown).items():
            self._links.setdefault(link.user_id, link)
            self._users[address] = link.user
        others = unknown - set(self._users)
        self._users |= dict.fromkeys(others) | self.directory.find_users(others, self.tenant)
        self.know(self._users[address] for address in unknown)

    def user_at(self, address: str) -> Any | None:
        """The CRM's user with this address, linked or not; None if it is nobody's, or not clearly somebody's."""
        self.know_addresses([address])
        return self._users.get(address.casefold())

    def address_of(self, user: Any) -> str:
        """The primary address under which a user is invited, `""` if they have none."""
        found = self.directory.emails(user)
        return found[0].casefold() if found else ""

    def check(self, users: Iterable[Any]) -> None:
        """Look the users without a link up in Microsoft's directory, in batches (ATT-01)."""
        self.know(users)
        wanted = {address for user in users if self._links.get(user.pk) is None
                  and (address := self.address_of(user)) and address not in self._in_microsoft}
        if wanted:
            found = find_users(self.work.client, sorted(wanted))
            self._in_microsoft |= {address: address in found for address in wanted}

    def why_not_invited(self, user: Any) -> str:
        """Why a user cannot become an attendee, as the end of a sentence; empty if they can (ATT-01, ATT-12)."""
        address = self.address_of(user)
        if not address:
            return "has no e-mail address in the CRM"
        link = self._links.get(user.pk)
        if link is not None and link.account:
            same = link.account.casefold() == address
            return "" if same else "has another e-mail address in the CRM than in Microsoft"
        return "" if self._in_microsoft.get(address) else "is not found in Microsoft's directory"


def links_by_account(tenant: str, addresses: Iterable[str]) -> dict[str, UserLink]:
    """The links with these accounts, by account in lower case."""
    links = UserLink.objects.filter(tenant=tenant).exclude(microsoft_user_id="").alias(lower=Lower("account"))
    return {link.account.casefold(): link for link in links.filter(lower__in=set(addresses)).select_related("user")}


def users_by_address(tenant: str, addresses: Iterable[str]) -> dict[str, Any]:
    """The CRM's users behind some addresses: the accounts of links, else whom the CRM's directory knows."""
    wanted = {item.casefold() for item in addresses if item}
    found = {address: link.user for address, link in links_by_account(tenant, wanted).items()}
    return found | adapters.site.directory.find_users(wanted - set(found), tenant)


def others_have_it(work: Work, refs: Iterable[Ref]) -> set[Ref]:
    """Those of the activities that are in sync with another link."""
    ids = {object_id for _name, object_id in refs}
    rows = RecordMapping.objects.filter(
        tenant=work.link.tenant, kind=work.kind, object_id__in=ids,
        state__in=[MappingState.LINKED, MappingState.INTENDED]).exclude(link=work.link)
    return set(rows.values_list("adapter", "object_id"))


def is_over(end: datetime | None, now: datetime) -> bool:
    return end is not None and end <= now


def note_mails(step: Step, recipients: tuple[str, ...]) -> None:
    """Put the recipients on the step and on what it does in Microsoft, so that a preview shows them (ATT-08)."""
    step.meeting.recipients = recipients
    for number, operation in enumerate(step.operations):
        if operation.side is Side.MICROSOFT and recipients:
            step.operations[number] = operation.with_recipients(recipients)
            return
