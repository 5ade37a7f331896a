"""A linked event: whose copy counts, what both sides need, and who takes part (CAL, ATT-03 to ATT-10)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from ..adapters.outcome import Note
from ..graph.event_items import Attendee
from ..reconcile.decide import Let, Release, Update, decide
from ..reconcile.events import merge_event
from ..reconcile.fit import same
from ..reconcile.meetings import Attending, Mode, Role, cancelled, merged, written_to
from ..reconcile.merge import Merge, changed_in_crm
from ..reconcile.plan import Action
from ..reconcile.policy import Policy, Side
from .items import Item
from .meetings import MeetingPlan, People, note_mails, note_people
from .merging import LEFT_OUT, build_pair, policy_for
from .steps import Step
from .work import Work

DECLINED = "the user declined it"
#: What Microsoft cannot change, said once (ATT-13).
STAYS = Note("assigned_to", "This meeting is assigned to somebody else in the CRM now. Microsoft cannot change who "
                            "organises a meeting: its organiser there stays the same.")
OVER = Note("event", "It was deleted in the CRM after the meeting was over. Nobody is told of that: its event stays in "
                     "Microsoft and is no longer synced.")
NOT_SENT = Note("event", "It was changed in the CRM. Only its organiser can change a meeting in Microsoft, and the "
                         "organiser is not linked: the change stays in the CRM.")
NOT_INVITED = Note("attendees", "Some of its users are not invited. Only its organiser can invite people to a meeting, "
                                "and the organiser is not linked: they take part in the CRM only.")
DAY = datetime.timedelta(days=1)


def instant(value: Any, tz: datetime.tzinfo) -> datetime.datetime | None:
    """An event's start or end as an instant; a day begins at midnight in the user's zone."""
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time(), tz)
    return None


def ends(data: Any, tz: datetime.tzinfo) -> datetime.datetime | None:
    """When an event is over: a day ends at the midnight after it."""
    value = data.end
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        value = value + datetime.timedelta(days=1)
    return instant(value, tz)


def in_window(work: Work, start: Any) -> bool:
    """Whether an event that starts then may be linked (SYNC-02)."""
    at = instant(start, work.ctx.tz)
    first, last = work.window
    return at is not None and first <= at <= last


def is_frozen(work: Work, step: Step) -> bool:
    """A linked event that was outside the window when it last synced, and still is, is left alone."""
    before = step.mapping.starts_at if step.mapping is not None else None
    if before is None or in_window(work, before):
        return False
    now = [record.start for record in (step.crm, step.item.data if step.item else None) if record is not None]
    return not any(in_window(work, start) for start in now)


def left_out(work: Work, crm: Any, item: Item | None) -> bool:
    """Whether the organisation leaves the event out: private ones, categories, mail domains (ORG-17)."""
    records = [record for record in (crm, item.data if item is not None else None) if record is not None]
    if work.organisation.left_out_private and any(record.private is True for record in records):
        return True
    names = {name.casefold() for record in records for name in record.categories or ()}
    if names & work.left_out_categories:
        return True
    domains = {str(name).strip().lstrip("@").casefold() for name in work.organisation.left_out_domains}
    people = (item.organizer, *(who.address for who in item.attendees)) if item is not None else ()
    return any(address.rpartition("@")[2].casefold() in domains for address in people)


def merge_step(work: Work, step: Step) -> Step:
    """Decide what both sides of a linked event need, and note it on the step."""
    plan: MeetingPlan = step.meeting
    if step.item is not None:
        plan.role = _role(plan, step.item)
    if plan.role is Role.ATTENDEE and not plan.read_by(work.link):
        return _guest(work, step)
    if plan.role is Role.ATTENDEE:
        plan.source_id = work.link.pk
    if step.item is not None and step.item.is_cancelled:
        return _called_off(work, step)
    step.pair = build_pair(work, step)
    if step.pair is None:
        step.action = Action.SKIP
        return step
    if is_frozen(work, step):
        step.action, step.reason = Action.SKIP, "it has left the time that is synced"
        return step
    if step.mapping is not None and left_out(work, step.crm, step.item):
        step.action, step.decision, step.reason = Action.RELEASE, Let(Release.LEFT_OUT), LEFT_OUT
        step.note(Action.RELEASE, None, reason=LEFT_OUT)
        return step
    step.policy = _policy(work, step, plan)
    step.decision = decide(step.pair, step.policy, work.digest, merge_event)
    _people(work, step, plan, step.policy)
    if plan.role is Role.ORGANISER and plan.mode is Mode.MEETING and plan.addresses:
        owner = step.adapter.owner_of(step.obj, work.ctx)
        if owner is not None and owner.pk != work.ctx.user.pk:
            step.leftovers = (*step.leftovers, STAYS)
    if plan.role is Role.ATTENDEE and work.policy.may_write(Side.MICROSOFT):
        _say_what_stays(work, step, plan)
    return _noted(step, plan)


def _say_what_stays(work: Work, step: Step, plan: MeetingPlan) -> None:
    """Without the organiser's account nothing goes out, and that is reported (ATT-03; design, section 8)."""
    assert step.pair is not None
    base = step.pair.base
    theirs = step.item.data if step.item is not None else None
    if base is not None and any(
        name in base.crm and (theirs is None or not same(name, getattr(step.crm, name), getattr(theirs, name)))
        for name in changed_in_crm(step.pair, work.digest)
    ):
        step.leftovers = (*step.leftovers, NOT_SENT)
    users = step.users if step.users is not None else step.adapter.users_of(step.obj, work.ctx)
    if {str(user.pk) for user in users} - set(plan.people["users"] or ()):
        step.leftovers = (*step.leftovers, NOT_INVITED)


def _role(plan: MeetingPlan, item: Item) -> Role:
    if not item.is_organizer:
        return Role.ATTENDEE
    return plan.role if plan.role is not Role.ATTENDEE else Role.ORGANISER


def _guest(work: Work, step: Step) -> Step:
    """The copy of an invited person: nothing of it comes in, nothing goes out (ATT-06). Whoever declined has left.

    What both sides hold is noted as it is: should this copy be read one day, only what changes from then on counts.
    """
    step.crm = step.adapter.read(step.obj, work.ctx)
    if step.item is not None and step.item.answer == "declined":
        step.action, step.decision, step.reason = Action.RELEASE, Let(Release.DECLINED), DECLINED
        return step
    if step.crm is None:
        step.action = Action.SKIP
        return step
    step.decision = Update(Merge(settled=work.how.digested(step.crm.set_fields(), linked=True)))
    if step.action is Action.LINK:
        step.note(Action.LINK, None)
    return step


def _called_off(work: Work, step: Step) -> Step:
    step.decision = cancelled(work.policy)
    step.action, step.reason = Action.RELEASE, str(Release.CALLED_OFF)
    step.note(Action.UPDATE, Side.CRM, ("status",), reason=step.reason)
    return step


def _policy(work: Work, step: Step, plan: MeetingPlan) -> Policy:
    """Guests' copies only take in; the organiser of a meeting stays so, whoever it is assigned to since (ATT-13)."""
    if plan.role is Role.ATTENDEE:
        return policy_for(work, step).but(takes_in_only=True)
    if plan.role is Role.ORGANISER and plan.mode is Mode.MEETING:
        refuses = not step.adapter.can_change(step.obj, work.ctx)
        return work.policy.but(takes_in_only=False, crm_refuses=work.policy.may_write(Side.CRM) and refuses)
    return policy_for(work, step).but(takes_in_only=step.is_leaving)


def event_addresses(step: Step, plan: MeetingPlan) -> tuple[str, ...]:
    """Who is invited to the event of this step. An event of one's own has no attendees but those whom its user invited
    in Outlook; they are read where there are any (`EventKind.needs_item`)."""
    if plan.role is Role.ORGANISER:
        return plan.addresses
    return tuple(who.address for who in step.item.attendees) if plan.role is Role.COPY and step.item else ()


def _noted(step: Step, plan: MeetingPlan) -> Step:
    merge = step.decision.merge if isinstance(step.decision, Update) else Merge()
    if step.action is Action.LINK:
        step.note(Action.LINK, None)
    fields = (*merge.to_crm, *(("users",) if step.users is not None else ()))
    if fields:
        step.note(Action.UPDATE, Side.CRM, fields)
    if merge.to_microsoft or plan.changes_attendees:
        sent = (*merge.to_microsoft, *(("attendees",) if plan.changes_attendees else ()))
        step.note(Action.UPDATE, Side.MICROSOFT, sent)
        after = [who.address for who in plan.attendees] if plan.attendees is not None else None
        note_mails(step, written_to(
            "update", fields=tuple(merge.to_microsoft), before=event_addresses(step, plan), after=after))
    return step


# --- people ----------------------------------------------------------------------------------------------------------


def _people(work: Work, step: Step, plan: MeetingPlan, policy: Policy) -> None:
    """Bring the activity's users and the event's attendees together, as a set that both sides edit."""
    if plan.role is Role.COPY or plan.mode is Mode.OWN or "users" not in step.adapter.role_specs:
        return
    people = People.of(work)
    before = {entry[0]: Attendee(*entry) for entry in plan.people["attendees"]}
    if step.item is not None:
        note_people(plan, step.item)
    attendees = {entry[0]: Attendee(*entry) for entry in plan.people["attendees"]}
    people.know_addresses((*before, *attendees))
    owner = step.adapter.owner_of(step.obj, work.ctx)
    current = {str(user.pk): user for user in step.adapter.users_of(step.obj, work.ctx)}
    base = set(plan.people["users"]) if plan.people["users"] is not None else None
    invited = users_at(people, attendees.values(), only_linked=False)
    if plan.role is Role.ATTENDEE:  # of an organiser who is not linked only linked ones are added (ATT-05)
        invited = {key: user for key, user in invited.items()
                   if key in current or key in (base or ()) or people.link_of(user) is not None}
    if owner is not None:
        invited.pop(str(owner.pk), None)
    wanted = merged(base, set(current), set(invited))
    users = {**current, **invited}
    if wanted != set(current) and policy.may_write(Side.CRM) and not step.adapter.role_specs["users"].is_read_only:
        step.users = tuple(users[key] for key in sorted(wanted) if key in users)
    if plan.role is Role.ORGANISER and policy.may_write(Side.MICROSOFT):
        _attendees(work, step, plan, attendees, {key: users[key] for key in wanted if key in users}, invited, base)
    after = plan.attendees if plan.attendees is not None else attendees.values()
    on_crm = {str(user.pk) for user in step.users} if step.users is not None else set(current)
    on_event = set(users_at(people, after, only_linked=False))
    # What one side took away stays known as long as the other side may not be told: it is not put back.
    plan.people["users"] = sorted((on_crm & on_event) | ((base or set()) & (on_crm | on_event)))
    step.decision = step.decision if isinstance(step.decision, Update) else Update(Merge()) if (
        step.users is not None or plan.changes_attendees) else step.decision


def users_at(people: People, attendees: Iterable[Attendee], *, only_linked: bool) -> dict[str, Any]:
    """The CRM's users among the attendees, by key (ATT-04); of an organiser who is not linked only linked ones
    (ATT-05)."""
    found = {}
    for who in attendees:
        user = people.user_at(who.address) if who.kind != "resource" else None
        if user is not None and not (only_linked and people.link_of(user) is None):
            found[str(user.pk)] = user
    return found


def _attendees(work: Work, step: Step, plan: MeetingPlan, attendees: dict[str, Attendee], wanted: dict[str, Any],
               invited: dict[str, Any], base: set[str] | None) -> None:
    """What the CRM changed about the people, as a new list of attendees: everybody else stays on it (ATT-09)."""
    people = People.of(work)
    end = ends(step.crm, work.ctx.tz) if step.crm is not None else None
    attending = Attending(work.organisation.attendees_historic, work.organisation.attendees_future)
    gone = {key for key in invited if key not in wanted and base is not None and key in base}
    keep = {address: who for address, who in attendees.items()
            if (user := people.user_at(address)) is None or str(user.pk) not in gone}
    new = [user for key, user in wanted.items() if key not in invited and user.pk != work.ctx.user.pk]
    if new and end is not None and attending.invites(end, work.now, plan.mode):
        added, notes = invitable(people, new)
        step.leftovers = (*step.leftovers, *notes)
        keep |= {who.address: who for who in added if who.address not in keep}
    if keep.keys() != attendees.keys():
        plan.attendees = tuple(keep.values())
        if plan.attendees:
            plan.mode = Mode.MEETING


def invitable(people: People, users: list[Any]) -> tuple[list[Attendee], list[Note]]:
    """The users as attendees, and why some of them are not (ATT-01, ATT-12)."""
    people.check(users)
    found, notes = [], []
    for user in users:
        if reason := people.why_not_invited(user):
            name = people.directory.display_name(user)
            notes.append(Note("attendees", f"{name} is not invited: this user {reason}."))
        else:
            found.append(Attendee(people.address_of(user), people.directory.display_name(user), "required", "none"))
    return found, notes
