"""Whatever people do on both sides, in whatever order cycles run and whatever goes wrong: in the end both sides agree,
nothing is lost or doubled, and it is quiet (SYNC-04, SYNC-05, SYNC-06, ORG-06, ORG-09).

`HYPOTHESIS_EXAMPLES=500` lets it walk longer, and at random; with `HYPOTHESIS_SHRINK=1` it looks for the shortest walk
that fails, which takes minutes.
"""

import os
import time

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from opencrm_ms365.graph.client import GraphClient
from opencrm_ms365.sync import recover
from tests import rules
from tests.editing import FIELDS, FOLDERS, Editing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SHRINK = [Phase.shrink] if "HYPOTHESIS_SHRINK" in os.environ else []
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "0"))
#: A few people suffice to meet each other, and many would only hide what happened to one of them.
MANY = 5
#: Longer than Microsoft needs to show a change, in seconds of the sandbox's clock.
LATE_S = 3.0

users = st.integers(0, 2)
picks = st.integers(0, MANY - 1)
fields = st.sampled_from(FIELDS)
some_fields = st.lists(fields, unique=True, max_size=3)
WRITES = "contacts(/[^/]+)?$"
faults = st.sampled_from([
    {"method": "POST", "path": r"batch", "cut": "before"},
    {"method": "POST", "path": r"batch", "cut": "after"},
    {"method": "POST", "path": WRITES, "inner": True, "status": 503},
    {"method": "POST", "path": WRITES, "inner": True, "status": 503, "after_effect": True},
    {"method": "POST", "path": WRITES, "inner": True, "status": 429, "retry_after": 1},
    {"method": "PATCH", "path": WRITES, "inner": True, "status": 412},
    {"method": "PATCH", "path": WRITES, "inner": True, "status": 503, "after_effect": True},
    {"method": "PATCH", "path": WRITES, "inner": True, "status": 429, "retry_after": 900},
    {"method": "DELETE", "path": WRITES, "inner": True, "status": 503, "after_effect": True},
    {"method": "DELETE", "path": WRITES, "inner": True, "status": 503},
    {"method": "GET", "path": "delta", "status": 503},
    {"method": "GET", "path": "delta", "inner": True, "status": 410},
    {"method": "GET", "path": "contacts", "truncate": "json"},
])


class BothSides(RuleBasedStateMachine):
    """Two users of one team, who both sync."""

    world = None
    options = {}
    made = Editing

    def __init__(self):
        super().__init__()
        self.editing = self.made(self.world, **self.options)

    # Who and what

    def user(self, number):
        return self.editing.users[number % len(self.editing.users)]

    def in_crm(self, pick):
        """One of the people who are in the CRM; None if nobody is."""
        found = [person for person in self.editing.people if self.editing.row(person) is not None]
        return found[pick % len(found)] if found else None

    def in_box(self, user, pick):
        found = [person for person in self.editing.people if self.editing.items(user, person)]
        return found[pick % len(found)] if found else None

    # In the CRM

    @precondition(lambda self: len(self.editing.people) < MANY)
    @rule(owner=users | st.none(), names=some_fields)
    def add_in_crm(self, owner, names):
        self.editing.add_in_crm(self.editing.new_person(), None if owner is None else self.user(owner), names)

    @rule(pick=picks, name=fields, erase=st.booleans(), behind_its_back=st.booleans())
    def edit_in_crm(self, pick, name, erase, behind_its_back):
        if person := self.in_crm(pick):
            self.editing.edit_in_crm(person, name, erase=erase, behind_its_back=behind_its_back)

    @rule(pick=picks, owner=users | st.none())
    def assign(self, pick, owner):
        if person := self.in_crm(pick):
            row = self.editing.row(person)
            row.assigned_to = None if owner is None else self.editing.world.user(self.user(owner))
            row.save()

    @rule(pick=picks)
    def tick(self, pick):
        if person := self.in_crm(pick):
            row = self.editing.row(person)
            row.sync_to_microsoft = not row.sync_to_microsoft
            row.save()

    @rule(pick=picks, folder=st.sampled_from(FOLDERS))
    def file_in_crm(self, pick, folder):
        if person := self.in_crm(pick):
            row = self.editing.row(person)
            row.folders.set([self.editing.world.crm.folder(folder)] if folder else [])
            row.save()

    @rule(pick=picks, how=st.sampled_from(["", "softly", "by query"]))
    def delete_in_crm(self, pick, how):
        if person := self.in_crm(pick):
            self.editing.delete_in_crm(person, how)

    # In Microsoft

    @precondition(lambda self: len(self.editing.people) < MANY)
    @rule(user=users, names=some_fields)
    def add_in_microsoft(self, user, names):
        self.editing.add_in_microsoft(self.editing.new_person(), self.user(user), names)

    @rule(user=users, pick=picks, names=some_fields)
    def add_in_microsoft_who_is_known_elsewhere(self, user, pick, names):
        """Somebody is in two places already when the sync meets them."""
        user = self.user(user)
        if not (person := self.in_crm(pick)) or self.editing.items(user, person) or person.deleted_in_microsoft:
            return
        if self.editing.mapping(user, self.editing.row(person)) is None:
            self.editing.add_in_microsoft(person, user, names)

    @rule(user=users, pick=picks, name=fields, erase=st.booleans())
    def edit_in_microsoft(self, user, pick, name, erase):
        if person := self.in_box(self.user(user), pick):
            self.editing.edit_in_microsoft(person, self.user(user), name, erase=erase)

    @rule(user=users, pick=picks, folder=st.sampled_from(FOLDERS))
    def move_in_microsoft(self, user, pick, folder):
        user = self.user(user)
        if person := self.in_box(user, pick):
            [item] = self.editing.items(user, person)
            self.editing.box(user).move_contact(item["id"], folder or self.editing.box(user).default_folder_id)

    @rule(user=users, pick=picks)
    def delete_in_microsoft(self, user, pick):
        if person := self.in_box(self.user(user), pick):
            self.editing.delete_in_microsoft(person, self.user(user))

    # What goes wrong

    @rule(fault=faults, skip=st.integers(0, 2))
    def something_will_go_wrong(self, fault, skip):
        self.editing.world.sandbox.faults.add(**fault, skip=skip)

    @rule(user=users)
    def delta_tokens_expire(self, user):
        self.editing.world.sandbox.expire_delta_tokens(self.editing.world.account(self.user(user)))

    @rule(delta=st.booleans(), search=st.booleans())
    def microsoft_is_slow_to_show(self, delta, search):
        sandbox = self.editing.world.sandbox
        sandbox.options.delta_delay_s = LATE_S if delta else 0.0
        sandbox.options.filter_delay_s = LATE_S if search else 0.0

    # Syncing

    @rule(user=users, full=st.booleans())
    def sync(self, user, full):
        self.run(self.user(user), full=full)

    @rule(user=users)
    def sync_a_slice(self, user):
        self.run(self.user(user), deadline=time.monotonic())

    def run(self, user, **options):
        self.editing.sync(user, **options)

    def teardown(self):
        self.editing.settle()
        self.editing.check()
        self.it_is_quiet()

    def it_is_quiet(self):
        before = self.editing.snapshot_of_crm(), self.editing.snapshot_of_microsoft()
        for user in self.editing.active():
            assert self.editing.world.sync(user).writes == []
        assert (self.editing.snapshot_of_crm(), self.editing.snapshot_of_microsoft()) == before


class OneWay(BothSides):
    """The same with a direction: whatever people do on either side, no cycle ever writes to its source."""

    def snapshot_of_source(self):
        direction = self.options["organisation"]["contact_direction"]
        return (self.editing.snapshot_of_crm() if direction == "to_microsoft" else
                self.editing.snapshot_of_microsoft())

    def run(self, user, **options):
        before = self.snapshot_of_source()
        self.editing.sync(user, **options)
        assert self.snapshot_of_source() == before

    def teardown(self):
        before = self.snapshot_of_source()
        self.editing.settle()
        assert self.snapshot_of_source() == before
        self.editing.nothing_is_doubled()
        if self.options["organisation"]["contact_direction"] == "to_crm":
            self.editing.everybody_in_microsoft_is_in_the_crm()
        else:
            self.editing.nobody_is_lost(among=[person for person in self.editing.people if person.is_from_crm])
        self.editing.nothing_waits()
        self.it_is_quiet()


def walk(world, monkeypatch, machine, examples, steps=16, **options):
    """Let Hypothesis walk; the same walks every time unless `HYPOTHESIS_EXAMPLES` is set."""
    def pause(_client, seconds):
        world.sandbox.clock.advance(min(seconds, LATE_S))

    monkeypatch.setattr(GraphClient, "pause", pause)
    monkeypatch.setattr(recover.time, "sleep", lambda seconds: world.sandbox.clock.advance(seconds))
    monkeypatch.setattr(recover.recover, "__defaults__", (lambda seconds: world.sandbox.clock.advance(seconds),))
    made = type(machine.__name__, (machine,), {"world": world, "options": options})
    run_state_machine_as_test(made, settings=settings(
        max_examples=EXAMPLES or examples, stateful_step_count=steps, deadline=None, derandomize=not EXAMPLES,
        database=None, print_blob=False, report_multiple_bugs=False, phases=[Phase.generate, *SHRINK],
        suppress_health_check=list(HealthCheck)))


@pytest.mark.timeout(3600 if EXAMPLES else 300)
@rules.rule("SYNC-04", "SYNC-05", "SYNC-06", "SYNC-08", "ORG-09", "CON-04", "CON-05")
@pytest.mark.parametrize("conflict_rule", ["crm", "microsoft"])
def test_in_the_end_both_sides_agree_and_nothing_is_lost_or_doubled(world, monkeypatch, conflict_rule):
    walk(world, monkeypatch, BothSides, 8, organisation={"conflict_rule": conflict_rule})


@pytest.mark.timeout(3600 if EXAMPLES else 300)
@rules.rule("ORG-12", "SYNC-05", "SYNC-06")
@pytest.mark.parametrize("microsoft_deletion", ["unlink", "delete"])
def test_whatever_a_deletion_in_microsoft_does_both_sides_agree_in_the_end(world, monkeypatch, microsoft_deletion):
    walk(world, monkeypatch, BothSides, 4, organisation={"microsoft_deletion": microsoft_deletion})


@pytest.mark.timeout(3600 if EXAMPLES else 300)
@rules.rule("CON-02", "CON-06", "SYNC-06")
def test_users_who_sync_all_that_they_see_share_every_contact(world, monkeypatch):
    walk(world, monkeypatch, BothSides, 4, only_my_items=False)


@pytest.mark.timeout(3600 if EXAMPLES else 300)
@rules.rule("ORG-06", "SYNC-05")
@pytest.mark.parametrize("direction", ["to_microsoft", "to_crm"])
def test_the_source_of_a_one_way_sync_is_never_written(world, monkeypatch, direction):
    walk(world, monkeypatch, OneWay, 5, organisation={"contact_direction": direction})
