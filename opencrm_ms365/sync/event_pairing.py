"""Plan: events that no mapping knows find their activity, or become a new one (ATT-04, ATT-05, ATT-11, SYNC-09).

An event is known by our identity on it, else by its iCalUId, which all copies of a meeting share. It is never matched
by its subject or time: two meetings at nine are two meetings.
"""

from __future__ import annotations

from typing import Any

from ..models import InboxItem, MappingState, Meeting, RecordMapping
from ..reconcile.meetings import Mode, Role
from ..reconcile.plan import Action
from ..reconcile.policy import Side
from . import event_merging
from .identities import is_siblings, read_markers, with_markers
from .items import Item
from .markers import Marker
from .meetings import MeetingPlan, People, Ref, known_by_identity, load, note_people, people_of, plan_for
from .merging import LEFT_OUT
from .steps import Step
from .work import Work


def plan_unknown(work: Work, found: list[tuple[InboxItem, Item]], calendar: str) -> list[Step]:
    """Steps for events that this link has not linked. `calendar`: the id of the one that the user chose; of the others
    only what is linked, or was, is synced (CAL-06)."""
    steps: list[Step] = []
    rest: list[tuple[InboxItem, Item]] = []
    for row, item in found:
        reason, code = _why_not(work, item)
        if reason:
            steps.append(Step(action=Action.SKIP, row=row, item=item if code else None, reason=reason, code=code))
        else:
            rest.append((row, item))
    if rest:
        steps += _paired(work, rest, calendar)
    return steps


def _why_not(work: Work, item: Item) -> tuple[str, str]:
    """Why an event is not looked at; with a code where it is remembered as staying in Microsoft only."""
    if item.kind != "single":
        return "it is part of a series", ""
    if item.is_cancelled:
        return "its organiser cancelled it", ""
    if item.answer == "declined":
        return event_merging.DECLINED, ""
    if not event_merging.in_window(work, item.data.start):
        return "it is outside the time that is synced", ""
    if event_merging.left_out(work, None, item):
        return LEFT_OUT, "left_out"
    return "", ""


def _paired(work: Work, found: list[tuple[InboxItem, Item]], calendar: str) -> list[Step]:
    texts = read_markers(work, [item for _row, item in found])
    elsewhere = {key for key, text in texts.items() if is_siblings(work, text)}
    steps = [
        Step(action=Action.SKIP, row=row, reason="another organisation of this CRM has it")
        for row, item in found if item.graph_id in elsewhere
    ]
    found = [(row, item) for row, item in found if item.graph_id not in elsewhere]
    marked = with_markers(work, found, texts)
    by_uid = known_by_identity(work, [item.ical_uid for _row, item in found])
    objects = _objects(work, by_uid.values())
    refs = {_ref(adapter, marker) for _row, _item, marker, obj, adapter in marked if obj is not None and marker}
    known = _Known(work, refs | set(by_uid.values()))
    people = People.of(work)
    people.know_addresses(address for _row, item in found for address in people_of(item))
    for row, item, marker, obj, adapter in marked:
        ref = _ref(adapter, marker) if obj is not None and marker is not None else by_uid.get(item.ical_uid)
        token = marker.token if obj is not None and marker is not None else ""
        obj = obj if obj is not None else objects.get(ref) if ref else None
        if ref is not None and obj is None:
            steps.append(Step(action=Action.SKIP, row=row, reason="its activity was deleted in the CRM"))
            continue
        mapping = known.mappings.get(ref) if ref else None
        if ref is None or obj is None or (token and _is_copy(mapping, item) and by_uid.get(item.ical_uid) != ref):
            steps.append(_new(work, row, item, calendar))
        elif mapping is not None and _is_copy(mapping, item):
            steps.append(Step(action=Action.SKIP, row=row, reason="this activity is in the calendar already"))
        else:
            steps.append(_pair(work, row, item, ref, obj, mapping, known.meetings.get(ref), token))
    return steps


def _ref(adapter: Any, marker: Marker | None) -> Ref:
    assert marker is not None
    return (adapter.name, marker.object_id)


def _is_copy(mapping: RecordMapping | None, item: Item) -> bool:
    """Whether the activity's own event is another one that is still there."""
    return (mapping is not None and mapping.state == MappingState.LINKED and mapping.gone_since is None
            and mapping.graph_id not in (None, item.graph_id))


def _objects(work: Work, refs: Any) -> dict[Ref, Any]:
    found: dict[Ref, Any] = {}
    refs = set(refs)
    for adapter in work.adapters:
        ids = [object_id for name, object_id in refs if name == adapter.name]
        if ids:
            found |= {(adapter.name, key): obj for key, obj in adapter.by_ids(ids, work.ctx).items()}
    return found


class _Known:
    """Mappings of this link and meetings of some activities, in two queries."""

    def __init__(self, work: Work, refs: set[Ref]) -> None:
        rows = work.mappings().filter(object_id__in={object_id for _name, object_id in refs}) if refs else ()
        self.mappings: dict[Ref, RecordMapping] = {(row.adapter, row.object_id): row for row in rows}
        self.meetings: dict[Ref, Meeting] = load(work, refs) if refs else {}


def _pair(work: Work, row: InboxItem, item: Item, ref: Ref, obj: Any, mapping: RecordMapping | None,
          meeting: Meeting | None, token: str) -> Step:
    """One more copy of a known meeting, or a lost link found again."""
    adapter = work.adapter(ref[0])
    assert adapter is not None
    step = Step(action=Action.LINK, adapter=adapter, object_id=ref[1], obj=obj, item=item, row=row, mapping=mapping,
                token=token)
    owner = adapter.owner_of(obj, work.ctx)
    mine = owner is None or owner.pk == work.ctx.user.pk
    plan = plan_for(work, meeting, _role_of(item, mine, meeting))
    step.meeting = plan
    if plan.role is Role.ORGANISER:
        plan.organiser_id = plan.organiser_id or work.link.pk
    elif plan.role is Role.ATTENDEE and plan.organiser_id is None:
        people = People.of(work)
        organiser = people.link_of(people.user_at(item.organizer))
        plan.organiser_id = organiser.pk if organiser is not None else None
    work.assumed.add(ref)
    event_merging.merge_step(work, step)
    if plan.role is Role.ATTENDEE and step.action is Action.LINK:
        _takes_part(work, step, mine)
    return step


def _role_of(item: Item, mine: bool, meeting: Meeting | None) -> Role:
    if not item.is_organizer:
        return Role.ATTENDEE
    if mine or (meeting is not None and meeting.mode == Mode.MEETING) or item.attendees:
        return Role.ORGANISER
    return Role.COPY


def _takes_part(work: Work, step: Step, mine: bool) -> None:
    """Whoever is invited is among the activity's users, whatever address the invitation went to."""
    spec = step.adapter.role_specs.get("users")
    if mine or spec is None or spec.is_read_only or not work.policy.may_write(Side.CRM):
        return
    users = list(step.users) if step.users is not None else step.adapter.users_of(step.obj, work.ctx)
    if all(user.pk != work.ctx.user.pk for user in users):
        if step.crm is None:
            step.crm = step.adapter.read(step.obj, work.ctx)
        step.users = (*users, work.ctx.user)
        step.note(Action.UPDATE, Side.CRM, ("users",))


def _new(work: Work, row: InboxItem, item: Item, calendar: str) -> Step:
    """A meeting that the CRM does not know becomes one activity, whoever of its people syncs first."""
    adapter = work.creator
    step = Step(action=Action.CREATE, adapter=adapter, item=item, row=row)
    if not work.policy.may_write(Side.CRM):
        step.action, step.reason = Action.SKIP, "events go to Microsoft only"
    elif item.folder != calendar:
        step.action, step.reason, step.item = Action.SKIP, "it is in another calendar than the one that is synced", None
    elif adapter is None:
        step.action, step.reason = Action.SKIP, "this CRM takes in no new events"
    elif not adapter.can_create(work.ctx):
        step.action, step.reason = Action.SKIP, "this user may not create activities in the CRM"
    else:
        step.meeting = _meeting(work, item)
        step.note(Action.CREATE, Side.CRM, tuple(item.data.only(adapter.mapped).set_fields()))
    return step


def _meeting(work: Work, item: Item) -> MeetingPlan:
    """Who owns the new activity and who are its users (ATT-04, ATT-05)."""
    people = People.of(work)
    plan = MeetingPlan(Role.ORGANISER if item.is_organizer else Role.ATTENDEE)
    note_people(plan, item)
    organiser = work.ctx.user if item.is_organizer else people.user_at(item.organizer)
    link = work.link if item.is_organizer else people.link_of(organiser)
    is_linked = link is not None
    plan.owner = organiser if is_linked else work.ctx.user
    if link is not None:  # their copy counts from now on, though a guest's cycle may be the first to see the meeting
        plan.organiser_id = link.pk
    else:
        plan.source_id = work.link.pk
    users = event_merging.users_at(people, item.attendees, only_linked=not is_linked)
    if not item.is_organizer:
        users.setdefault(str(work.ctx.user.pk), work.ctx.user)
    users.pop(str(plan.owner.pk), None)
    plan.people["users"] = sorted(users)
    plan.users = tuple(users.values())
    return plan
