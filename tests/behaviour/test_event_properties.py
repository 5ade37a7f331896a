"""Whatever colleagues do with their meetings on both sides, and whatever goes wrong: in the end each meeting is one
activity, both sides agree, it is quiet, and Microsoft has mailed exactly those whom the cycles announced (SYNC-04,
SYNC-05, SYNC-06, ATT-04 to ATT-11).

`HYPOTHESIS_EXAMPLES` and `HYPOTHESIS_SHRINK` as in `test_properties`.
"""

import time

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests import rules
from tests.behaviour.test_properties import EXAMPLES, LATE_S, walk
from tests.editing_events import CUSTOMER, EventEditing, when
from tests.meetings import times

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MANY = 4
users = st.integers(0, 1)
people = st.integers(0, 2)
groups = st.lists(people, unique=True, max_size=2)
picks = st.integers(0, MANY - 1)
hours = st.sampled_from([9, 11, 15, -9])
WRITES = "events(/[^/]+)?$"
faults = st.sampled_from([
    {"method": "POST", "path": r"batch", "cut": "before"},
    {"method": "POST", "path": r"batch", "cut": "after"},
    {"method": "POST", "path": WRITES, "inner": True, "status": 503},
    {"method": "POST", "path": WRITES, "inner": True, "status": 503, "after_effect": True},
    {"method": "POST", "path": WRITES, "inner": True, "status": 429, "retry_after": 1},
    {"method": "PATCH", "path": WRITES, "inner": True, "status": 412},
    {"method": "PATCH", "path": WRITES, "inner": True, "status": 503, "after_effect": True},
    {"method": "PATCH", "path": WRITES, "inner": True, "status": 429, "retry_after": 900},
    {"method": "POST", "path": "cancel$", "inner": True, "status": 503, "after_effect": True},
    {"method": "DELETE", "path": WRITES, "inner": True, "status": 503},
    {"method": "GET", "path": "delta", "status": 503},
    {"method": "GET", "path": "delta", "inner": True, "status": 410},
])


class Meetings(RuleBasedStateMachine):
    """Two users who sync, and a colleague who only has a mailbox."""

    world = None
    options = {}

    def __init__(self):
        super().__init__()
        self.editing = EventEditing(self.world, **self.options)

    @initialize(owner=users, guest=people, person=people)
    def some_have_met_before(self, owner, guest, person):
        """Without meetings that are in sync there is nobody to write to."""
        self.editing.add_in_crm(self.user(owner), self.some([guest, 2]), 11)
        self.editing.add_in_outlook(self.editing.colleagues[person], [self.user(1 - owner), CUSTOMER], 15)
        for user in self.editing.users:
            self.editing.sync(user)

    # Who and what

    def user(self, number):
        return self.editing.users[number]

    def some(self, numbers):
        return [self.editing.colleagues[number] for number in numbers]

    def in_crm(self, pick):
        found = [meeting for meeting in self.editing.meetings if self.editing.row(meeting) is not None]
        return found[pick % len(found)] if found else None

    def in_box(self, person, pick, *, own=None):
        """A meeting in somebody's calendar; `own`: only those that they organise, or only the others."""
        found = []
        for meeting in self.editing.meetings:
            events = self.editing.events(person, meeting)
            if events and own in (None, events[0]["isOrganizer"]):
                found.append(meeting)
        return found[pick % len(found)] if found else None

    # In the CRM

    @precondition(lambda self: len(self.editing.meetings) < MANY)
    @rule(owner=people, group=groups, hour=hours)
    def add_in_crm(self, owner, group, hour):
        self.editing.add_in_crm(self.editing.colleagues[owner], self.some(group), hour)

    @rule(pick=picks)
    def edit_in_crm(self, pick):
        if meeting := self.in_crm(pick):
            self.editing.change(meeting, location=f"Room {next(self.editing.values)}")

    @rule(pick=picks, hour=hours)
    def move_in_crm(self, pick, hour):
        if meeting := self.in_crm(pick):
            length = self.editing.row(meeting).end - self.editing.row(meeting).start
            self.editing.change(meeting, start=when(hour), end=when(hour) + length)

    @rule(pick=picks, group=groups)
    def choose_users(self, pick, group):
        if meeting := self.in_crm(pick):
            self.editing.set_users(meeting, self.some(group))

    @rule(pick=picks, owner=people)
    def assign(self, pick, owner):
        if meeting := self.in_crm(pick):
            self.editing.change(meeting, assigned_to=self.world.user(self.editing.colleagues[owner]))

    @rule(pick=picks, softly=st.booleans())
    def delete_in_crm(self, pick, softly):
        if meeting := self.in_crm(pick):
            self.editing.delete_in_crm(meeting, softly)

    @rule(future=st.booleans())
    def tick(self, future):
        self.world.organisation(attendees_future=future)

    # In Outlook

    @precondition(lambda self: len(self.editing.meetings) < MANY)
    @rule(person=people, group=groups, customer=st.booleans(), hour=hours)
    def add_in_outlook(self, person, group, customer, hour):
        guests = [*self.some(group), *([CUSTOMER] if customer else [])]
        self.editing.add_in_outlook(self.editing.colleagues[person], guests, hour)

    @rule(person=people, pick=picks)
    def edit_in_outlook(self, person, pick):
        person = self.editing.colleagues[person]
        if meeting := self.in_box(person, pick):
            self.editing.edit_in_outlook(
                person, meeting, location={"displayName": f"Place {next(self.editing.values)}"})

    @rule(person=people, pick=picks, hour=hours)
    def move_in_outlook(self, person, pick, hour):
        person = self.editing.colleagues[person]
        if meeting := self.in_box(person, pick):
            self.editing.edit_in_outlook(person, meeting, **times(when(hour)))

    @rule(person=people, pick=picks, group=groups, customer=st.booleans())
    def invite_in_outlook(self, person, pick, group, customer):
        person = self.editing.colleagues[person]
        if meeting := self.in_box(person, pick, own=True):
            self.editing.invite_in_outlook(person, meeting, [*self.some(group), *([CUSTOMER] if customer else [])])

    @rule(person=people, pick=picks, answer=st.sampled_from(["accepted", "tentativelyAccepted", "declined"]))
    def answer(self, person, pick, answer):
        person = self.editing.colleagues[person]
        if meeting := self.in_box(person, pick, own=False):
            self.editing.answer(person, meeting, answer)

    @rule(person=people, pick=picks, cancel=st.booleans())
    def end_in_outlook(self, person, pick, cancel):
        person = self.editing.colleagues[person]
        if meeting := self.in_box(person, pick):
            self.editing.end_in_outlook(person, meeting, cancel=cancel)

    # What goes wrong

    @precondition(lambda self: not self.editing.is_strict)
    @rule(fault=faults, skip=st.integers(0, 2))
    def something_will_go_wrong(self, fault, skip):
        self.world.sandbox.faults.add(**fault, skip=skip)

    @rule(user=users)
    def delta_tokens_expire(self, user):
        self.world.sandbox.expire_delta_tokens(self.world.account(self.user(user)))

    @rule(late=st.booleans())
    def microsoft_is_slow_to_show(self, late):
        self.world.sandbox.options.delta_delay_s = LATE_S if late else 0.0

    # Syncing

    @rule(user=users, full=st.booleans())
    def sync(self, user, full):
        self.editing.sync(self.user(user), **({"full": True} if full else {}))

    @rule(user=users)
    def sync_a_slice(self, user):
        self.editing.sync(self.user(user), deadline=time.monotonic())

    def teardown(self):
        self.editing.settle()
        self.editing.check()
        before = self.editing.snapshot()
        for user in self.editing.users:
            assert self.world.sync(user).writes == []
        assert self.editing.snapshot() == before


@pytest.mark.timeout(3600 if EXAMPLES else 300)
@rules.rule("SYNC-05", "SYNC-06", "ATT-04", "ATT-08", "ATT-11", "USER-07")
def test_each_meeting_is_one_activity_and_exactly_the_announced_mail_goes_out(world, monkeypatch):
    walk(world, monkeypatch, Meetings, 6)


@pytest.mark.timeout(3600 if EXAMPLES else 300)
@rules.rule("SYNC-04", "SYNC-06", "SYNC-08", "ATT-08", "ATT-11")
def test_whatever_goes_wrong_nobody_is_invited_twice(world, monkeypatch):
    walk(world, monkeypatch, Meetings, 6, strict=False)
