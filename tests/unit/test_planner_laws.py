"""What holds for every task, whatever it holds, wherever its user lives, and whatever was edited on both sides."""

import dataclasses
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import assume, given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.planner import is_edited
from opencrm_ms365.reconcile.planner_people import People, settle_people
from opencrm_ms365.reconcile.planner_scope import in_month
from opencrm_ms365.reconcile.planner_words import (
    Terms,
    date_field,
    day_in_crm,
    due_day,
    due_on,
    for_planner,
    in_crm_words,
    percent_out,
    said_by_crm,
    said_by_planner,
    start_on,
    status_in,
    synced_fields,
    taken_in,
)
from opencrm_ms365.reconcile.policy import ConflictRule, Direction, Policy, Side
from opencrm_ms365.records import Limits
from opencrm_ms365.records.task import TASK_FIELDS, Priority, Status, TaskData
from tests.rules import rule
from tests.unit.builders import digest
from tests.unit.planner_builders import ACCOUNTS, LIST, NOW, OTHER_LIST, Linked, unread

ZONES = sorted(available_timezones() - {"localtime"})
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(1990, 1, 1), date(2060, 1, 1))
times = st.times().map(lambda at: at.replace(microsecond=0))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
terms = st.builds(Terms, zone=zones, now=st.just(NOW), start_time=times,
                  default_list=st.sampled_from([None, LIST, OTHER_LIST]))

texts = st.none() | st.text(alphabet="aB ", max_size=6)
checklists = st.lists(st.sampled_from("aAbc"), max_size=4).map(tuple)
lists = st.sampled_from([LIST, OTHER_LIST])
crm_edits = st.fixed_dictionaries({}, optional={
    "subject": texts, "body": texts, "start": st.none() | instants, "status": st.sampled_from(Status),
    "priority": st.none() | st.sampled_from(Priority), "task_list": lists, "checklist": checklists})
planner_edits = st.fixed_dictionaries({}, optional={
    "subject": texts.map(lambda text: text or "x"), "body": texts, "due": st.none() | instants,
    "start": st.none() | instants, "percent": st.sampled_from([0, 50, 100]), "priority": st.sampled_from(Priority),
    "task_list": lists, "checklist": checklists})
policies = st.builds(Policy, direction=st.sampled_from(Direction), conflict_rule=st.sampled_from(ConflictRule),
                     crm_refuses=st.booleans())
both_ways = st.builds(Policy, conflict_rule=st.sampled_from(ConflictRule))

PEOPLE = ("ada", "bob", "cat", "dan")                               # dan is not linked
STRANGERS = ("id-x", "id-y")
assignees = st.lists(st.sampled_from([*ACCOUNTS.values(), *STRANGERS]), unique=True, max_size=4).map(tuple)
crews = st.tuples(st.none() | st.sampled_from(PEOPLE), st.frozensets(st.sampled_from(PEOPLE)))


@st.composite
def links(draw, policy=policies, writable=st.just(frozenset(TASK_FIELDS)), reads_details=st.booleans()):
    """A task that was synced, and was edited on both sides since."""
    crm = TaskData(**{"subject": "x", "body": None, "start": None, "status": Status.NOT_STARTED, "priority": None,
                      "task_list": LIST, "checklist": (), **draw(crm_edits)})
    planner = TaskData(**{"subject": "x", "body": None, "start": None, "due": None, "percent": 0, "completed_at": None,
                          "priority": Priority.MEDIUM, "task_list": LIST, "checklist": (), **draw(planner_edits)})
    owner, users = draw(crews)
    people = People(owner=owner, users=users, assignees=draw(assignees), accounts=ACCOUNTS)
    linked = Linked(crm, planner, people, policy=Policy(), terms=draw(terms), agreeing=False,
                    crm_limits=draw(st.sampled_from([Limits(), Limits(characters={"subject": 3, "body": 4})])))
    linked.cycle()
    linked.policy, linked.writable = draw(policy), draw(writable)
    owner, users = draw(crews)
    linked.edit_crm(**draw(crm_edits)).edit_planner(**draw(planner_edits))
    linked.staff(owner=draw(st.sampled_from([owner, linked.people.owner])), assignees=draw(assignees),
                 users=draw(st.sampled_from([users, linked.people.users])))
    if not draw(reads_details):
        linked.planner = unread(linked.planner)
    return linked


def agreeing(linked, name):
    said = said_by_crm(name, getattr(linked.crm, name), linked.terms)
    return said == said_by_planner(name, linked.planner)


# Dates

@rule("TASK-07")
@given(days, terms)
def test_a_due_date_never_shifts_by_a_day(day, found):
    start = start_on(day, found)
    assume(start.astimezone(found.zone).date() == day)   # some zones have skipped a day altogether
    assert day_in_crm(start, found) == day
    assert due_day(TaskData(**for_planner({"start": start}, found))) == day


@rule("TASK-07")
def test_no_zone_of_today_skips_a_day_or_shifts_one():
    for name in ZONES:
        found = Terms(zone=ZoneInfo(name), now=NOW, start_time=time(0))
        for day in (date(2026, 3, 29), date(2026, 9, 6), date(2026, 10, 25), date(2026, 12, 1)):
            assert day_in_crm(start_on(day, found), found) == day, name


@rule("TASK-07", "SYNC-05")
@given(instants, terms)
def test_a_start_that_went_out_and_is_read_again_is_not_rewritten(start, found):
    planner = TaskData(**for_planner({"start": start}, found))
    assert taken_in("start", planner, start, found) == start
    assert taken_in("start", in_crm_words(planner), start, found) == start


@given(days)
def test_a_written_due_date_is_the_same_day_in_most_of_the_world(day):
    at = due_on(day)
    assert all((at + timedelta(hours=hours)).date() == day for hours in range(-10, 14))


@rule("TASK-09")
@given(days)
def test_a_month_around_now_is_never_shorter_than_february(day):
    assert in_month(day, day)
    assert all(in_month(day + sign * timedelta(days=28), day) for sign in (1, -1))
    assert not any(in_month(day + sign * timedelta(days=32), day) for sign in (1, -1))


# Status

@rule("TASK-04", "SYNC-06")
@given(st.none() | st.sampled_from(Status), st.sampled_from([0, 50, 100]))
def test_a_status_that_came_in_goes_out_as_the_same_percentage(current, percent):
    taken = status_in(percent, current)
    assert percent_out(taken) == percent and status_in(percent, taken) is taken


# Cycles

@rule("SYNC-05")
@given(links(writable=st.frozensets(st.sampled_from(TASK_FIELDS))))
def test_after_its_writes_a_merge_is_quiet(linked):
    linked.cycle()
    again = linked.merge()
    assert again.is_quiet and not again.conflicts


@rule("SYNC-06")
@given(links(policy=both_ways, reads_details=st.just(True)))
def test_both_sides_agree_after_one_cycle(linked):
    assume(linked.cycle() is not None)
    apart = [name for name in synced_fields(linked.crm) if not agreeing(linked, name)]
    for name in apart:
        if name == date_field(linked.crm):
            assert due_day(linked.planner) is None                  # Planner has none, and the record was not edited
        else:                                                       # the CRM has the part of it that it can hold
            assert name in linked.crm_limits.characters
            assert said_by_planner(name, linked.planner).startswith(getattr(linked.crm, name))


@rule("TASK-06")
@given(links(policy=both_ways))
def test_nothing_of_planners_gets_into_an_edited_record(linked):
    """But for what both sides had never agreed on, such as a description that was not read before."""
    if is_edited(linked.pair, linked.people, digest):
        merge = linked.merge()
        assert not set(merge.to_crm) & set(linked.base.microsoft) and not merge.people.remove_users


@rule("TASK-05")
@given(links(policy=both_ways))
def test_nothing_goes_to_planner_of_a_record_that_was_not_edited(linked):
    if not is_edited(linked.pair, linked.people, digest):
        merge = linked.merge()
        assert not set(merge.to_microsoft) & set(linked.base.microsoft)
        assert not merge.people.assign and not merge.people.unassign


@rule("ORG-06")
@given(links())
def test_the_source_of_a_one_way_sync_is_never_written(linked):
    before = linked.crm, linked.planner, linked.people
    linked.cycle()
    if linked.policy.source is Side.CRM:
        assert linked.crm == before[0] and linked.people.users == before[2].users
    if linked.policy.source is Side.MICROSOFT:
        assert linked.planner == before[1] and linked.people.assignees == before[2].assignees


@rule("ORG-09")
@given(links())
def test_what_is_overruled_is_kept_as_a_conflict(linked):
    """Written over is only what nobody changed since both agreed, or what is kept with both values."""
    words, base = in_crm_words(linked.planner), linked.base
    merge = linked.merge()
    kept = {conflict.name for conflict in merge.conflicts}
    for name in set(merge.to_microsoft) & set(base.microsoft) - set(merge.refused):
        assert name in kept or digest(getattr(words, name)) == base.microsoft[name]
    for name in set(merge.to_crm) & set(base.crm):
        assert name in kept or digest(getattr(linked.crm, name)) == base.crm[name]


# People

@rule("TASK-10")
@given(links())
def test_strangers_stay_assigned_and_the_owner_stays_the_owner(linked):
    before = linked.people
    linked.cycle()
    assert linked.people.owner == before.owner
    strangers = [item for item in before.assignees if item in STRANGERS]
    assert [item for item in linked.people.assignees if item in STRANGERS] == strangers


@rule("TASK-10", "SYNC-05", "SYNC-06")
@given(links(policy=both_ways))
def test_people_settle_in_one_cycle(linked):
    assume(linked.cycle() is not None)
    people = linked.people
    assert not settle_people(people, linked.policy, crm_wins=False)
    linked_assignees = {item for item in people.assignees if item in ACCOUNTS.values()}
    working = {ACCOUNTS[person] for person in people.in_crm if person in ACCOUNTS}
    assert linked_assignees <= working
    assert working - linked_assignees <= {ACCOUNTS.get(people.owner or "")}   # taken off in Planner, stays the owner


@rule("TASK-10")
@given(links(policy=both_ways))
def test_people_whom_the_crm_does_not_know_to_be_linked_are_left_alone(linked):
    before = linked.people
    people = dataclasses.replace(before, accounts={"ada": "id-ada"})
    found = settle_people(people, linked.policy, crm_wins=True)
    assert set(found.assign) | set(found.unassign) <= {"id-ada"} and set(found.add_users) <= {"ada"}
