"""Colleagues who edit meetings on both sides, with a memory of what they did; see `tests.editing`.

A meeting of the stories is a number; its activity and all copies of its event bear it in their subject.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from opencrm_ms365.errors import SyncError
from opencrm_ms365.models import (
    CrmTouch,
    HeldDecision,
    InboxItem,
    MappingState,
    RecordMapping,
    SharedRecord,
    SyncProblem,
    SyncRun,
    UserLink,
)
from opencrm_ms365.models import Meeting as Row
from opencrm_ms365.sync.preview import run_preview
from tests.meetings import address, ago, invited, times
from tests.world import World, tomorrow

ROUNDS = 7
CUSTOMER = "customer@other.example"
MAILED = ("invitation", "update", "cancellation")


@dataclass
class Meeting:
    """A meeting, and what people did to it."""

    number: int
    organiser: str = ""             # who made it in Outlook; empty for one of the CRM
    deleted_in_crm: bool = False
    ended_in_microsoft: bool = False    # deleted or called off by somebody there
    called_off: bool = False            # in the CRM or by its organiser

    @property
    def subject(self) -> str:
        return f"Meeting {self.number}."


def when(hour: int) -> datetime:
    """Tomorrow at that hour, or three days ago for a negative one."""
    return tomorrow(hour) if hour >= 0 else ago(3, -hour)


class EventEditing:
    """Two linked users and a colleague who is not, in an organisation that invites, from an empty start."""

    _worlds = itertools.count(1)

    def __init__(self, world: World, *, strict: bool = True, organisation: dict[str, Any] | None = None) -> None:
        self.world = world
        self.is_strict = strict         # nothing goes wrong, so that announcements can be counted
        self.values = itertools.count(1)
        self.meetings: list[Meeting] = []
        _empty(world)
        number = next(self._worlds)
        self.users = (f"ann{number}", f"bob{number}")
        self.colleagues = (*self.users, f"cid{number}")
        world.organisation(**{"activity_direction": "both", "conflict_rule": "crm", "microsoft_deletion": "restore",
                              "attendees_future": True, "attendees_historic": False, "mail_guard": 1000,
                              **(organisation or {})})
        for name in self.colleagues:
            world.user(name)
            world.account(name)
        for user in self.users:
            world.connect(user)
        world.crm.team(f"Team {number}", *self.colleagues)
        world.sandbox.clear_mails()

    # Looking

    def box(self, user: str) -> Any:
        return self.world.mailbox(user)

    def row(self, meeting: Meeting) -> Any:
        return self.world.crm.meetings().filter(subject__contains=meeting.subject).first()

    def events(self, user: str, meeting: Meeting) -> list[dict[str, Any]]:
        """The copies in a mailbox that are not called off."""
        return [item for item in self.box(user).events()
                if meeting.subject in item["subject"] and not item["isCancelled"]]

    # In the CRM

    def new(self, organiser: str = "") -> Meeting:
        self.meetings.append(Meeting(len(self.meetings) + 1, organiser))
        return self.meetings[-1]

    def add_in_crm(self, owner: str, users: list[str], hour: int) -> None:
        self.world.crm.meeting(owner=owner, users=[name for name in users if name != owner], start=when(hour),
                               subject=self.new().subject)

    def change(self, meeting: Meeting, **values: Any) -> None:
        row = self.row(meeting)
        for name, value in values.items():
            setattr(row, name, value)
        row.save()

    def set_users(self, meeting: Meeting, users: list[str]) -> None:
        row = self.row(meeting)
        row.users.set([self.world.user(name) for name in users if self.world.user(name) != row.assigned_to])
        row.save()

    def delete_in_crm(self, meeting: Meeting, softly: bool) -> None:
        row = self.row(meeting)
        meeting.deleted_in_crm = True
        if softly:
            row.deleted_at = timezone.now()
            row.save()
        else:
            row.delete()

    # In Outlook

    def add_in_outlook(self, organiser: str, guests: list[str], hour: int) -> None:
        meeting = self.new(organiser)
        guests = [name for name in guests if name != organiser]
        self.box(organiser).add_event(subject=meeting.subject, attendees=invited(*guests), **times(when(hour)))

    def edit_in_outlook(self, user: str, meeting: Meeting, **values: Any) -> None:
        for item in self.events(user, meeting)[:1]:
            self.box(user).edit_event(item["id"], **values)

    def invite_in_outlook(self, user: str, meeting: Meeting, guests: list[str]) -> None:
        """By the organiser. Whoever has an event of their own for it already is not invited besides."""
        [item] = self.events(user, meeting)
        here = {entry["emailAddress"]["address"].lower() for entry in item["attendees"]}
        guests = [name for name in guests if name != user and (
            address(name) in here or name == CUSTOMER or not self.events(name, meeting))]
        self.box(user).edit_event(item["id"], attendees=invited(*guests))

    def answer(self, user: str, meeting: Meeting, answer: str) -> None:
        [item] = self.events(user, meeting)
        self.box(user).answer(item["id"], answer)

    def end_in_outlook(self, user: str, meeting: Meeting, *, cancel: bool) -> None:
        [item] = self.events(user, meeting)
        if item["isOrganizer"]:
            meeting.ended_in_microsoft = True
        if cancel and item["isOrganizer"] and item["attendees"]:
            meeting.called_off = True
            self.box(user).cancel_event(item["id"])
        else:
            meeting.called_off |= bool(item["isOrganizer"] and item["attendees"])
            self.box(user).delete_event(item["id"])

    # Syncing

    def sync(self, user: str, **options: Any) -> Any:
        """A cycle that may be stopped by what it meets. Where nothing goes wrong, exactly the announced mail goes out.
        """
        previewed = self.previewed(user) if self.is_strict and not options else None
        before = len(self.mails())
        try:
            ran = self.world.sync(user, **options)
        except SyncError:
            return None
        run = ran.outcomes[user].run
        if self.is_strict and ran.outcomes[user].finished and not options.get("deadline"):
            told = run.counts.get("events", {}).get("invitations", 0)
            sent = [(mail.kind, mail.recipient, mail.subject) for mail in self.mails()[before:]]
            assert told == len(sent), f"{told} mails were announced, {len(sent)} were sent: {sent}"
            assert previewed in (None, told), f"{previewed} mails were in the preview, {told} were announced: {sent}"
        return ran

    def previewed(self, user: str) -> int:
        """How many mails a preview tells of (ATT-08, USER-07)."""
        link = self.world.link(user)
        run = SyncRun.objects.create(link=link, tenant=link.tenant, trigger="preview", state="queued",
                                     queued_at=timezone.now())
        return int(run_preview(run.pk, ["events"]).counts["events"]["invitations"])

    def mails(self) -> list[Any]:
        return [mail for mail in self.world.sandbox.mails if mail.kind in MAILED]

    def calm_down(self) -> None:
        self.world.sandbox.faults.clear()
        self.world.sandbox.options.reset()
        due = timezone.now()
        RecordMapping.objects.filter(next_try_at__isnull=False).update(next_try_at=due)
        InboxItem.objects.filter(next_try_at__isnull=False).update(next_try_at=due)

    def settle(self) -> None:
        writes: list[Any] = []
        for number in range(ROUNDS):
            self.calm_down()
            writes = [self.sync(user, full=number == 1).writes for user in self.users]
            if number > 2 and not any(writes):
                return
        raise AssertionError(f"still writing after {ROUNDS} rounds: {writes}")

    # What must be true

    def check(self) -> None:
        for meeting in self.meetings:
            self.is_there_once(meeting)
            self.both_sides_agree(meeting)
        self.nobody_was_invited_twice()
        self.nothing_waits()

    def is_there_once(self, meeting: Meeting) -> None:
        rows = self.world.crm.meetings().filter(subject__contains=meeting.subject).count()
        assert rows <= 1, f"{meeting} is {rows} activities"
        for user in self.colleagues:
            copies = len(self.events(user, meeting))
            assert copies <= 1, f"{meeting} is {copies} events of {user}"
            if meeting.organiser and copies and user in self.users and not meeting.deleted_in_crm:
                assert rows, f"{meeting} has not reached the CRM"
        if not meeting.organiser and not meeting.deleted_in_crm:
            assert rows, f"{meeting} is lost in the CRM"
            owner = self.row(meeting).assigned_to.username
            if owner in self.users and not meeting.called_off and not meeting.ended_in_microsoft:
                mapping = self.mapping(owner, meeting)
                assert self.events(owner, meeting) or (mapping is not None and mapping.released_by), (
                    f"{meeting} is lost in the calendar of {owner}")

    def mapping(self, user: str, meeting: Meeting) -> RecordMapping | None:
        row = self.row(meeting)
        return RecordMapping.objects.filter(
            kind="events", link__user__username=user, object_id=str(row.pk)).first() if row else None

    def both_sides_agree(self, meeting: Meeting) -> None:
        row = self.row(meeting)
        for user in self.users:
            mapping = self.mapping(user, meeting)
            if mapping is None or mapping.state != MappingState.LINKED or mapping.role == "attendee":
                continue
            [item] = self.events(user, meeting)
            assert mapping.graph_id == item["id"]
            assert row.location == item["location"].get("displayName", ""), f"{meeting}: the location differs"
            start = datetime.fromisoformat(item["start"]["dateTime"][:19]).replace(tzinfo=row.start.tzinfo)
            assert row.start == start, f"{meeting}: the start differs"
            if mapping.role == "organiser" and mapping.in_scope:
                self.people_agree(user, meeting, row, item)

    def people_agree(self, organiser: str, meeting: Meeting, row: Any, item: dict[str, Any]) -> None:
        known = Row.objects.get(object_id=str(row.pk))
        if known.mode == "own" or not self.world.organisation().attendees_future or row.end <= timezone.now():
            return
        part = {row.assigned_to.username, *row.users.values_list("username", flat=True)}
        there = {entry["emailAddress"]["address"].lower() for entry in item["attendees"]}
        missing = {name for name in part - {organiser} if address(name) not in there}
        assert not missing, f"{meeting}: {missing} are not invited"
        extra = {name for name in self.colleagues if address(name) in there} - part
        assert not extra, f"{meeting}: {extra} are invited, and not among the activity's users"

    def nobody_was_invited_twice(self) -> None:
        """Between two invitations to the same meeting there is a cancellation (ATT-08)."""
        standing: Counter[tuple[str, str]] = Counter()
        for mail in self.mails():
            if mail.kind == "invitation":
                standing[mail.event_uid, mail.recipient] += 1
            elif mail.kind == "cancellation":
                standing[mail.event_uid, mail.recipient] -= 1
            assert standing[mail.event_uid, mail.recipient] in (0, 1), f"{mail.kind} of {mail.subject} once too often"

    def nothing_waits(self) -> None:
        links = UserLink.objects.filter(user__username__in=self.users)
        assert not HeldDecision.objects.filter(link__in=links).exists()
        waiting = InboxItem.objects.filter(link__in=links, state="waiting")
        assert not waiting.exists(), f"{waiting.count()} wait in the inbox"
        assert not RecordMapping.objects.filter(link__in=links, state=MappingState.INTENDED).exists()
        problems = SyncProblem.objects.filter(link__in=links, resolved_at=None, is_warning=False)
        assert not problems.exists(), f"these problems are still there: {list(problems.values_list('code', 'reason'))}"

    def snapshot(self) -> list[Any]:
        rows = self.world.crm.meetings()
        return [list(rows.values()), list(rows.values("pk", "users__username")),
                *[self.box(user).events() for user in self.colleagues]]


def _empty(world: World) -> None:
    """Without what an earlier story left behind."""
    from django.contrib.auth import get_user_model

    from demo_crm.crm.models import Activity, Contact, Team

    world.sandbox.faults.clear()
    world.sandbox.options.reset()
    world.sandbox.clear_mails()
    for model in (UserLink, SharedRecord, CrmTouch, Row, Activity, Contact, Team):
        model.objects.all().delete()
    get_user_model().objects.all().delete()
