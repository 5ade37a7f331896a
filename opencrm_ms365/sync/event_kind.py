"""Meetings and calls: the chosen calendar, the moving window, one activity for each meeting (CAL, ATT)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ..conf import settings
from ..errors import GraphError
from ..graph.batch import Inner
from ..graph.contacts import DeltaPage, Folder
from ..graph.event_items import Attendee, EventItem, EventWrite, KeptEvent
from ..graph.events import Events
from ..models import InboxItem, MappingState, RecordMapping, SyncSettings, UserLink
from ..reconcile import events
from ..reconcile.decide import Delete, Let, Recreate, Release, Update, fallen_out_of_calendar
from ..reconcile.meetings import Role, gone_in_crm, gone_in_microsoft, written_to
from ..reconcile.merge import changed_in_crm
from ..reconcile.policy import Direction
from ..records import UNSET, Limits, is_set
from ..records.event import EVENT_FIELDS, EventData
from ..records.task import Status
from . import event_merging, event_outgoing, event_pairing, meetings
from .folders import Cursors
from .items import Item
from .kind import Kind
from .merging import build_pair
from .reading import read_items
from .steps import Step
from .work import Work

#: The delta window reaches this much further than the sync's, so that it need not be renewed with every cycle.
SLACK = timedelta(days=30)
#: Outlook keeps no more than this of a subject or a location (MAPI's string limit).
EVENT_LIMITS = Limits(characters={"subject": 255, "location": 255})
#: Whether an event had attendees when it was last synced, as a digest beside those of its fields.
ATTENDED = "attended"


class CalendarEvents(Events):
    """The events of a mailbox, as a cycle asks for them."""

    span: tuple[datetime, datetime]

    # The window is the cycle's; members by name.
    def markers(self, folder_id: str) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        return super().markers(folder_id, self.span)


class EventKind(Kind):
    """An activity of the CRM and an event in a calendar."""

    name = "events"
    noun = "event"
    nouns = "events"
    limits = EVENT_LIMITS

    # Settings

    def is_on(self, organisation: SyncSettings, link: UserLink) -> bool:
        return organisation.sync_activities and link.sync_calendar

    def direction(self, organisation: SyncSettings, link: UserLink) -> Direction | None:
        wish = Direction(link.activity_direction) if link.activity_direction else None
        return Direction(organisation.activity_direction).narrowed(wish)

    def open_store(self, client: Any) -> CalendarEvents:
        return CalendarEvents(client, page_size=int(settings.PAGE_SIZE))

    def opened(self, work: Work) -> None:
        first, last = work.window
        work.store.span = (first - event_merging.DAY, last + SLACK)

    def rules(self, work: Work) -> list[Any]:
        organisation = work.organisation
        return [organisation.left_out_private, sorted(organisation.left_out_domains), work.link.calendar or ""]

    # Reading Microsoft's side

    def poll_requests(self, work: Work, cursors: Cursors) -> list[Inner]:
        self._renew(work, cursors)
        found: list[Inner] = work.store.poll_requests(cursors.settled())
        return found

    def poll(self, work: Work, cursors: Cursors) -> dict[str, DeltaPage | GraphError]:
        requests = self.poll_requests(work, cursors)
        outcomes = work.ask_news(requests) if requests else {}
        found: dict[str, DeltaPage | GraphError] = work.store.polled(cursors.settled(), outcomes)
        return found

    def _renew(self, work: Work, cursors: Cursors) -> None:
        """A delta window is fixed. Where the sync's has moved to its end, the calendar is listed anew (facts 8.3)."""
        first, last = work.window
        for key, (begins, end) in list(cursors.windows.items()):
            if begins > first.isoformat() or end < last.isoformat():
                cursors.windows.pop(key)
                cursors.links[key] = ""
                cursors.rounds.pop(key, None)

    def folders(self, work: Work) -> tuple[Folder, ...]:
        return tuple(Folder(item.id, item.name, "", item.is_default) for item in work.store.calendars())

    def chosen(self, work: Work, cursors: Cursors) -> tuple[str, ...]:
        """The user's calendar, and those where events are already in sync (CAL-06)."""
        used = work.mappings().filter(state=MappingState.LINKED, gone_since__isnull=True).exclude(folder="")
        wanted = {self.target(work, cursors), *used.order_by().values_list("folder", flat=True).distinct()}
        return tuple(key for key in cursors.names if key in wanted)

    def target(self, work: Work, cursors: Cursors, name: str | None = None) -> str:
        """Where new events go: the calendar that the user chose, the default one if that is gone."""
        return work.link.calendar if work.link.calendar in cursors.names else cursors.default

    def page(self, work: Work, cursors: Cursors, folder_id: str, link: str) -> DeltaPage:
        if link:
            found: DeltaPage = work.store.page(folder_id, link)
            return found
        first, last = work.store.span
        cursors.windows[folder_id] = (first.isoformat(), last.isoformat())
        opening: DeltaPage = work.store.page(folder_id, window=(first, last))
        return opening

    def digested(self, names: Iterable[str], *, linked: bool) -> frozenset[str]:
        return events.compared(names, linked=linked)

    def digests(self, work: Work, item: Item) -> dict[str, str]:
        people = [[who.address, who.answer] for who in item.attendees]
        return {"people": work.digest([item.organizer, item.answer, item.is_cancelled, people]),
                ATTENDED: work.digest(bool(people))}

    def is_left_out(self, work: Work, crm: Any, item: Item | None) -> bool:
        return event_merging.left_out(work, crm, item)

    def stays_released(self, work: Work, mapping: RecordMapping, item: Item, *, in_scope: bool, visible: bool) -> bool:
        match mapping.released_by:
            case Release.CRM_DELETED:
                return True
            case Release.DECLINED:
                return bool(item.answer == "declined")
            case Release.CALLED_OFF:
                return bool(item.is_cancelled)
            case Release.LEFT_OUT:
                return event_merging.left_out(work, None, item)
        return not in_scope

    # The inbox

    def payload(self, item: Item) -> dict[str, Any]:
        plain = dataclasses.asdict(dataclasses.replace(item, data=EventData(), kept=KeptEvent()))
        for name in ("data", "kept", "created_at", "changed_at", "graph_id", "folder", "etag", "marker"):
            plain.pop(name)
        plain["original_start"] = item.original_start.isoformat() if item.original_start else None
        return {"item": plain, "data": _to_json(item.data), "kept": dataclasses.asdict(item.kept)}

    def item(self, row: InboxItem, payload: Mapping[str, Any]) -> EventItem:
        plain = dict(payload["item"])
        plain["attendees"] = tuple(Attendee(**who) for who in plain["attendees"])
        if plain["original_start"]:
            plain["original_start"] = datetime.fromisoformat(plain["original_start"])
        return EventItem(
            graph_id=row.graph_id, folder=row.folder, etag=row.etag, marker=row.marker,
            created_at=row.created_in_microsoft, changed_at=row.changed_in_microsoft,
            data=_from_json(payload["data"]), kept=KeptEvent(**payload["kept"]), **plain)

    # Planning

    def prepare(self, work: Work, steps: Sequence[Step]) -> None:
        meetings.attach(work, steps)
        cancelling = [step for step in steps if step.obj is None and step.item is None and step.mapping is not None
                      and step.mapping.graph_id and step.meeting.role is Role.ORGANISER and step.meeting.addresses]
        if cancelling:  # whom Microsoft would tell is what the event has now, not what it had when it was last read
            found = read_items(work, [step.graph_id for step in cancelling])
            for step in cancelling:
                if (item := found.get(step.graph_id)) is not None:
                    step.item = item
                    meetings.note_people(step.meeting, item)

    def concerns(self, work: Work, step: Step) -> bool:
        """Whether a change in the CRM is this link's to carry out: guests' copies are the organiser's business."""
        plan = step.meeting
        return plan.role is not Role.ATTENDEE or plan.read_by(work.link)

    def needs_item(self, work: Work, step: Step) -> bool:
        """An event of one's own to which its user has invited people: whom Microsoft would write to has to be known."""
        held = step.mapping.microsoft_digests.get(ATTENDED) if step.mapping is not None else None
        return step.meeting.role is Role.COPY and held == work.digest(True)

    def merge_step(self, work: Work, cursors: Cursors, step: Step) -> Step:
        meetings.attach(work, [step])
        return event_merging.merge_step(work, step)

    def plan_unknown(self, work: Work, cursors: Cursors, found: list[tuple[InboxItem, Item]]) -> list[Step]:
        return event_pairing.plan_unknown(work, found, self.target(work, cursors))

    def plan_new(self, work: Work, cursors: Cursors, adapter: Any) -> Iterator[list[Step]]:
        return event_outgoing.plan_new(work, adapter)

    def add_to_creations(self, work: Work, steps: Sequence[Step]) -> list[Step]:
        return event_outgoing.add_to_creations(work, steps)

    def is_frozen(self, work: Work, mapping: RecordMapping) -> bool:
        return mapping.starts_at is not None and not event_merging.in_window(work, mapping.starts_at)

    def gone_in_crm(self, work: Work, step: Step) -> None:
        """DEL-02. What left the window is left alone (SYNC-02)."""
        mapping, plan = step.mapping, step.meeting
        assert mapping is not None
        if self.is_frozen(work, mapping):
            step.decision = Let(Release.CRM_DELETED)
            return
        attendees = self._attendees(work, step)
        over = meetings.is_over(mapping.ends_at, work.now)
        step.decision = gone_in_crm(plan.role, work.policy, has_attendees=bool(attendees), is_over=over)
        if over and attendees:
            step.leftovers = (event_merging.OVER,)
        elif isinstance(step.decision, Delete) and attendees:
            plan.cancels = True
            plan.recipients = written_to("cancel", before=attendees)

    def _attendees(self, work: Work, step: Step) -> tuple[str, ...]:
        """Whom Microsoft would tell that the event is called off."""
        if step.item is None and step.mapping is not None and step.mapping.graph_id and self.needs_item(work, step):
            item = work.store.get([step.mapping.graph_id]).get(step.mapping.graph_id)
            step.item = item if isinstance(item, EventItem) else None
        return event_merging.event_addresses(step, step.meeting)

    def gone_in_microsoft(self, work: Work, step: Step) -> None:
        plan = step.meeting
        pair = build_pair(work, step)
        edited = pair is not None and pair.base is not None and any(
            name in pair.base.crm for name in changed_in_crm(pair, work.digest))
        step.decision = gone_in_microsoft(
            plan.role, work.policy,
            has_attendees=plan.role is Role.ORGANISER and bool(plan.addresses),
            edited_in_crm=edited,
            recoverable=step.adapter.recoverable and step.adapter.can_delete(step.obj, work.ctx),
            is_own=step.adapter.is_mine(step.obj, work.ctx),
        )
        if isinstance(step.decision, Recreate) and pair is None:
            step.decision = Let(Release.UNLINKED)

    def fallen_out(self, work: Work, step: Step, before: str, today: str) -> None:
        """The user takes part no longer: a meeting keeps its organiser, a guest is the organiser's business, an event
        of one's own goes (ATT-13)."""
        plan, mapping = step.meeting, step.mapping
        assert mapping is not None
        if self._attendees(work, step):
            build_pair(work, step)
            step.decision = Update()
            step.in_scope = False
            step.leftovers = (event_merging.STAYS,)
        elif plan.role is Role.ATTENDEE:
            step.decision = Let(Release.UNLINKED)
        elif self.is_frozen(work, mapping):
            step.decision = Let(Release.NARROWED)
        else:
            step.decision = fallen_out_of_calendar(work.policy)

    # Writing

    def create_in_crm(self, work: Work, step: Step) -> Any:
        assert step.item is not None
        data = step.item.data.only(step.adapter.mapped)
        return step.adapter.create(data, work.ctx, owner=step.meeting.owner, users=step.meeting.users)

    def identity(self, work: Work, step: Step) -> str:
        return str(step.item.ical_uid) if step.item is not None else ""

    def invited(self, step: Step) -> tuple[str, ...]:
        return written_to("create", after=[who.address for who in step.item.attendees]) if step.item is not None else ()

    def linked(self, work: Work, steps: Sequence[Step]) -> None:
        for step in steps:
            if step.mapping is not None and step.meeting is not None:
                _note_times(work, step)
                if step.item is not None and step.meeting.role is not Role.COPY and step.meeting.read_by(work.link):
                    meetings.note_people(step.meeting, step.item)
                _note_users(work, step)
        meetings.save(work, [step for step in steps if step.mapping is not None])

    def write(self, work: Work, step: Step | None, key: str, action: str, **values: Any) -> EventWrite:
        plan = step.meeting if step is not None else None
        if plan is not None and action == "delete" and plan.cancels:
            action = "cancel"
        if step is not None and plan is not None and action in ("create", "update"):
            values |= {"attendees": plan.attendees if plan.attendees or action == "update" else None}
        if step is not None and action == "update" and step.item is not None:
            values |= {"current": step.item.data, "kept": step.item.kept}
        if step is not None and action == "create":
            assert step.mapping is not None
            values |= {"transaction_id": step.mapping.marker}
        # The window is the cycle's; members by name.
        return EventWrite(key=key, action=action, **values)  # type: ignore[arg-type]


def _note_users(work: Work, step: Step) -> None:
    """A user whom the CRM did not take (one without a profile, say) was never agreed on, and so is not taken off."""
    given = step.users if step.users is not None else step.meeting.users
    if not given or step.obj is None:
        return
    missing = {str(user.pk) for user in given} - {str(user.pk) for user in step.adapter.users_of(step.obj, work.ctx)}
    known = step.meeting.people["users"]
    step.meeting.people["users"] = [key for key in known if key not in missing] if known is not None else None


def _note_times(work: Work, step: Step) -> None:
    data = step.crm or (step.item.data if step.item is not None else None)
    mapping = step.mapping
    assert mapping is not None
    mapping.role = str(step.meeting.role)
    if data is not None and is_set(data.start):
        mapping.starts_at = event_merging.instant(data.start, work.ctx.tz)
        mapping.ends_at = event_merging.ends(data, work.ctx.tz)


def _to_json(data: EventData) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for name, value in data.values().items():
        if isinstance(value, (datetime, date)):
            value = value.isoformat()
        elif isinstance(value, Status):
            value = value.value
        plain[name] = list(value) if isinstance(value, tuple) else value
    return plain


def _from_json(plain: Mapping[str, Any]) -> EventData:
    values: dict[str, Any] = dict.fromkeys(EVENT_FIELDS, UNSET)
    for name, value in plain.items():
        if name in ("start", "end") and value:
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
            value = value.astimezone(UTC) if isinstance(value, datetime) else value
        elif name == "status" and value:
            value = Status(value)
        values[name] = tuple(value) if isinstance(value, list) else value
    return EventData(**values)
