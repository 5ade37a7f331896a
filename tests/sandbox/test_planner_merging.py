"""Several clients with old versions of one task: what Planner accepts is not lost, what it refuses changes nothing."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from opencrm_ms365.sandbox import Sandbox
from opencrm_ms365.sandbox import planner_rules as rules
from opencrm_ms365.sandbox.planner_items import Actor, Kind
from opencrm_ms365.sandbox.planner_store import Planner
from opencrm_ms365.sandbox.refusal import Refusal

KEYS = [f"0000000{number}-0000-4000-8000-000000000000" for number in range(3)]
VALUES = {
    "title": st.sampled_from("ABC"), "percentComplete": st.sampled_from([0, 50, 100]),
    "priority": st.sampled_from([1, 5, 9]), "appliedCategories": st.dictionaries(
        st.sampled_from(["category1", "category2"]), st.booleans(), min_size=1),
}
LINE = {"@odata.type": "#microsoft.graph.plannerChecklistItem", "isChecked": False}
DETAILS = {
    "description": st.sampled_from(["", "one", "two"]), "checklist": st.dictionaries(
        st.sampled_from(KEYS), st.none() | st.sampled_from("XYZ").map(lambda title: LINE | {"title": title}),
        min_size=1),
}


class Clients(RuleBasedStateMachine):
    """Each client remembers the versions that it has read, and writes with any of them."""

    def __init__(self):
        super().__init__()
        sandbox = Sandbox(seed=1)
        account = sandbox.add_user(sandbox.add_tenant("brightwell.example"), "ada@brightwell.example")
        user = sandbox.planner(account)
        plan = user.add_plan(user.add_group("Workshop"), "Fair")
        self.options, self.actor = sandbox.options, Actor(account.id, "crm")
        self.planner = sandbox.world.part(Planner)
        key = user.add_task(plan, title="A")["id"]
        self.items = {kind: self.planner.items[kind][key] for kind in (Kind.TASK, Kind.TASK_DETAILS)}
        self.read = {kind: [item.etag] for kind, item in self.items.items()}

    @rule(kind=st.sampled_from([Kind.TASK, Kind.TASK_DETAILS]))
    def somebody_reads(self, kind):
        self.read[kind].append(self.items[kind].etag)

    @rule(sent=st.fixed_dictionaries({}, optional=VALUES), data=st.data())
    def somebody_writes_the_task(self, sent, data):
        self.write(Kind.TASK, sent, data)

    @rule(sent=st.fixed_dictionaries({}, optional=DETAILS), data=st.data())
    def somebody_writes_the_details(self, sent, data):
        self.write(Kind.TASK_DETAILS, sent, data)

    def write(self, kind, sent, data):
        etag = data.draw(st.sampled_from(self.read[kind]))
        item, before = self.items[kind], dict(self.items[kind].values)
        number = item.number
        try:
            self.planner.update(self.actor, item, rules.checked(kind, sent, self.options), etag)
        except Refusal as refused:
            assert refused.status == 409 and item.values == before and item.number == number
            assert etag != item.etag                            # the present version is never in conflict
            return
        for name, value in sent.items():
            if not isinstance(value, dict):
                assert item.values[name] == value
        for name in before.keys() - sent.keys() - {"completedBy", "completedDateTime"}:
            assert item.values[name] == before[name]            # what others wrote stays
        assert (item.number > number) is (item.values != before)

    @invariant()
    def the_task_tells_of_its_details(self):
        task, details = self.items[Kind.TASK].values, self.items[Kind.TASK_DETAILS].values
        assert {name: task[name] for name in rules.COUNTERS} == rules.counters(details)
        assert (task["completedDateTime"] is not None) is (task["percentComplete"] == 100)

    @invariant()
    def versions_grow(self):
        for item in self.items.values():
            numbers = [version.number for version in item.versions]
            assert numbers == sorted(set(numbers))


TestClients = Clients.TestCase
TestClients.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestClients = pytest.mark.facts("15.31")(TestClients)
