"""Plan: activities that are not in the user's calendar yet, and whom the event of one invites (ATT-01 to ATT-03)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..reconcile.decide import Recreate
from ..reconcile.meetings import Attending, Mode, Part, Role, part_of, written_to
from ..reconcile.plan import Action
from ..reconcile.policy import Side
from ..records.task import Status
from . import event_merging
from .meetings import MeetingPlan, People, attach, note_mails, others_have_it
from .merging import LEFT_OUT, build_pair
from .steps import Step
from .work import Work


def plan_new(work: Work, adapter: Any) -> Iterator[list[Step]]:
    """Activities of the user's that no mapping knows and that start in the window."""
    mapped = work.mappings().filter(adapter=adapter.name).values("object_id")
    rows = adapter.starting_between(adapter.in_scope(work.ctx, work.scope), *_a_day_more(work))
    rows = rows.annotate(ms365_id=adapter.id_text()).exclude(ms365_id__in=mapped).order_by("pk")
    last: Any = None
    while True:
        part = rows if last is None else rows.filter(pk__gt=last)
        ids = list(dict.fromkeys(part.values_list("pk", "ms365_id")[: work.chunk]))
        if not ids:
            return
        last = ids[-1][0]
        steps = _steps(work, adapter, [object_id for _pk, object_id in ids])
        yield [step for step in steps if step.action is not Action.CREATE] + add_to_creations(
            work, [step for step in steps if step.action is Action.CREATE])


def _a_day_more(work: Work) -> tuple[Any, Any]:
    """The window as the database is asked for it: where a day begins depends on its zone."""
    first, last = work.window
    return first - event_merging.DAY, last + event_merging.DAY


def _steps(work: Work, adapter: Any, object_ids: list[str]) -> list[Step]:
    steps = []
    for object_id, obj in adapter.by_ids(object_ids, work.ctx).items():
        if (adapter.name, object_id) in work.assumed:
            continue
        step = Step(action=Action.CREATE, adapter=adapter, object_id=object_id, obj=obj)
        if build_pair(work, step) is None:
            step.action = Action.SKIP
        elif not event_merging.in_window(work, step.crm.start):
            continue
        elif step.crm.status is Status.CANCELLED:
            step.action = Action.SKIP  # called off before anybody heard of it
        elif event_merging.left_out(work, step.crm, None):
            step.action, step.reason = Action.SKIP, LEFT_OUT
        steps.append(step)
    return steps


def add_to_creations(work: Work, steps: Sequence[Step]) -> list[Step]:
    """Say for each new event whose it is and who is invited; leaves out those that the user gets by invitation."""
    attach(work, steps)
    people = People.of(work)
    taken = others_have_it(work, [(step.adapter.name, step.object_id) for step in steps])
    users = {id(step): step.adapter.users_of(step.obj, work.ctx) for step in steps}
    owners = {id(step): step.adapter.owner_of(step.obj, work.ctx) for step in steps}
    people.know([user for step in steps for user in (*users[id(step)], owners[id(step)]) if user is not None])
    if work.organisation.attendees_future or work.organisation.attendees_historic:
        people.check([user for step in steps for user in users[id(step)]
                      if owners[id(step)] is not None and owners[id(step)].pk == work.ctx.user.pk])
    ready = []
    for step in steps:
        if _decide(work, people, step, owners[id(step)], users[id(step)],
                   shared=(step.adapter.name, step.object_id) in taken):
            ready.append(step)
    return ready


def _decide(work: Work, people: People, step: Step, owner: Any, users: list[Any], *, shared: bool) -> bool:
    """Whether this user's calendar gets an event of its own now, and with whom."""
    plan: MeetingPlan = step.meeting
    end = event_merging.ends(step.crm, work.ctx.tz)
    assert end is not None
    is_owner = "owner" not in step.adapter.role_specs or (owner is not None and owner.pk == work.ctx.user.pk)
    if plan.mode is Mode.UNDECIDED and shared:
        plan.mode = Mode.OWN  # somebody has an event of their own already, so everybody gets one
    invites = Attending(work.organisation.attendees_historic, work.organisation.attendees_future).invites(
        end, work.now, plan.mode)
    if isinstance(step.decision, Recreate):  # a restoration mails nobody (ORG-12)
        invites = False
    part = part_of(
        is_owner=is_owner,
        owner_linked=people.organises(owner),
        is_organiser=plan.organiser_id == work.link.pk,
        organiser_linked=plan.organiser_id is not None,
        is_invited=work.link.account.casefold() in plan.addresses,
        mode=plan.mode,
        invites=invites,
    )
    if part in (Part.WAIT, Part.NOTHING):
        return False
    plan.role = Role.ORGANISER if part is Part.ORGANISE else Role.COPY
    others = [user for user in users if user.pk != work.ctx.user.pk]
    if part is Part.ORGANISE and invites and others:
        found, notes = event_merging.invitable(people, others)
        plan.attendees = tuple(found)
        step.leftovers = (*step.leftovers, *notes)
    if (plan.mode is Mode.UNDECIDED and part is Part.COPY) or (others and not plan.attendees and not invites and any(
            people.link_of(user) is not None for user in others)):
        plan.mode = Mode.OWN
    elif plan.attendees:
        plan.mode = Mode.MEETING
    if part is Part.ORGANISE:
        plan.organiser_id = plan.organiser_id or work.link.pk
    if not isinstance(step.decision, Recreate):
        step.note(Action.CREATE, Side.MICROSOFT, tuple(step.crm.set_fields()) if step.crm else ())
    note_mails(step, written_to("create", after=[who.address for who in plan.attendees or ()]))
    invited = {who.address for who in plan.attendees or ()}
    plan.people["users"] = sorted(str(user.pk) for user in others if people.address_of(user) in invited)
    return True
