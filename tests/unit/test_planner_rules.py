"""The rules of tasks, as tables: what one linked task needs, what comes in, what goes out (TASK-02 to TASK-12)."""

import dataclasses
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from opencrm_ms365.reconcile.decide import Delete, Let, Nothing, Recreate, Release, Update
from opencrm_ms365.reconcile.planner import agreed, decide_task, is_long_completed, merge_frozen, needs_details
from opencrm_ms365.reconcile.planner_matching import rejoin
from opencrm_ms365.reconcile.planner_people import Assigning, People, first_owner, settle_people
from opencrm_ms365.reconcile.planner_scope import (
    Absence,
    Arrives,
    LastReading,
    Leaves,
    Stays,
    Why,
    Window,
    absence,
    comes_in,
    details_to_read,
    goes_out,
    gone_in_planner,
    in_month,
    is_frozen,
    moved_to,
    without_details,
)
from opencrm_ms365.reconcile.planner_words import (
    Terms,
    as_echo,
    due_day,
    for_planner,
    in_crm_words,
    percent_out,
    status_in,
)
from opencrm_ms365.reconcile.policy import AfterDeletion, ConflictRule, Direction, Policy, Side
from opencrm_ms365.records import UNSET, Limits
from opencrm_ms365.records.task import Priority, Status, TaskData
from tests.rules import rule
from tests.unit.builders import digest
from tests.unit.planner_builders import (
    ACCOUNTS,
    LIST,
    LONDON,
    NOW,
    OTHER_LIST,
    TERMS,
    Linked,
    at,
    crm_task,
    planner_task,
    unread,
)

TO_MICROSOFT, TO_CRM = Policy(direction=Direction.TO_MICROSOFT), Policy(direction=Direction.TO_CRM)
N, P, H, D, C = Status.NOT_STARTED, Status.IN_PROGRESS, Status.ON_HOLD, Status.DONE, Status.CANCELLED


def of(*, overruled=False, **lists):
    """A decision about people, in short."""
    return Assigning(**{name: tuple(value) for name, value in lists.items()}, overruled=overruled)


# --- status ----------------------------------------------------------------------------------------------------------

@rule("TASK-03")
@pytest.mark.parametrize(("status", "percent"), [(N, 0), (P, 50), (H, 50), (D, 100), (C, 100), (None, 0)])
def test_status_goes_out_as_one_of_three_percentages(status, percent):
    assert percent_out(status) == percent


#: percentage in Planner -> the CRM's status, by the one it has now
STATUS_IN = {
    0: {None: N, N: N, P: N, H: N, D: N, C: N},
    50: {None: P, N: P, P: P, H: H, D: P, C: P},
    100: {None: D, N: D, P: D, H: D, D: D, C: C},
}


@rule("TASK-04")
@pytest.mark.parametrize(("percent", "current"), [(p, s) for p, row in STATUS_IN.items() for s in row])
def test_status_comes_in_but_on_hold_and_cancelled_remember_themselves(percent, current):
    assert status_in(percent, current) is STATUS_IN[percent][current]


@rule("TASK-04")
@pytest.mark.parametrize(("status", "before", "after", "expected"), [
    (P, 50, 50, None), (H, 50, 0, N), (H, 50, 100, D), (C, 100, 50, P), (C, 100, 0, N), (D, 100, 50, P), (N, 0, 50, P)])
def test_a_new_percentage_changes_the_status_of_an_unedited_task(status, before, after, expected):
    linked = Linked(crm_task(status=status), planner_task(percent=before)).edit_planner(percent=after)
    assert linked.merge().to_crm.get("status") is expected


@rule("TASK-04", "SYNC-05")
@pytest.mark.parametrize("status", [H, P])
def test_another_percentage_in_progress_writes_nothing_over_the_crms_own_word(status):
    linked = Linked(crm_task(status=status), planner_task(percent=50))
    assert linked.decide() == Nothing() or linked.merge().is_quiet


@rule("TASK-03")
def test_a_crm_with_a_percentage_and_no_status_keeps_its_own_number():
    crm = TaskData(subject="x", percent=37)
    linked = Linked(crm, planner_task(subject="x", percent=50))
    assert linked.merge().is_quiet
    assert linked.edit_planner(percent=100).merge().to_crm == {"percent": 100}
    assert Linked(crm, planner_task(subject="x", percent=50)).edit_crm(percent=80).merge().to_microsoft == {}


def test_where_the_crm_has_both_the_status_leads_and_the_percentage_follows():
    linked = Linked(crm_task(percent=10), planner_task(percent=0))
    assert linked.edit_crm(status=P).merge().to_microsoft == {"status": P}
    linked = Linked(crm_task(percent=0), planner_task(percent=0)).edit_planner(percent=100)
    assert linked.merge().to_crm == {"status": D, "percent": 100}


# --- who wins --------------------------------------------------------------------------------------------------------

CHANGES = {
    "subject": ("Ring Ada", "Ring Ada"), "body": ("text", "text"), "priority": (Priority.URGENT, Priority.URGENT),
    "task_list": (OTHER_LIST, OTHER_LIST), "checklist": (("one", "two"), ("one", "two")),
}


@rule("TASK-05", "TASK-13")
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_in_planner_comes_in_where_the_crm_was_not_edited(name):
    linked = Linked(crm_task(checklist=())).edit_planner(**{name: CHANGES[name][0]})
    merge = linked.merge()
    assert merge.to_crm == {name: CHANGES[name][1]} and not merge.to_microsoft and not merge.conflicts


@rule("TASK-06", "TASK-13")
@pytest.mark.parametrize("name", CHANGES)
def test_a_change_in_the_crm_goes_out(name):
    linked = Linked(crm_task(checklist=())).edit_crm(**{name: CHANGES[name][0]})
    merge = linked.merge()
    assert merge.writes_to_planner(TERMS) == {name: CHANGES[name][1]} and not merge.to_crm and not merge.conflicts


@rule("TASK-06", "ORG-09")
@pytest.mark.parametrize("conflict_rule", ConflictRule)
def test_an_edited_record_wins_as_a_whole_whatever_the_conflict_rule_says(conflict_rule):
    linked = Linked(policy=Policy(conflict_rule=conflict_rule))
    linked.edit_crm(subject="Ring Ada").edit_planner(priority=Priority.URGENT, percent=100, task_list=OTHER_LIST)
    merge = linked.merge()
    assert not merge.to_crm
    assert merge.to_microsoft == {"subject": "Ring Ada", "priority": Priority.MEDIUM, "status": N, "task_list": LIST}
    assert {(item.name, item.crm, item.microsoft, item.winner) for item in merge.conflicts} == {
        ("priority", Priority.MEDIUM, Priority.URGENT, Side.CRM), ("status", N, D, Side.CRM),
        ("task_list", LIST, OTHER_LIST, Side.CRM)}


@rule("TASK-06", "ORG-09")
def test_both_values_of_a_field_that_both_changed_are_kept():
    merge = Linked().edit_crm(subject="Mine").edit_planner(subject="Theirs").merge()
    [conflict] = merge.conflicts
    assert (conflict.name, conflict.crm, conflict.microsoft) == ("subject", "Mine", "Theirs")
    assert merge.to_microsoft == {"subject": "Mine"} and "Mine" not in repr(conflict) + repr(merge)


@rule("ORG-09")
def test_the_same_change_on_both_sides_is_no_conflict():
    merge = Linked().edit_crm(subject="Ring").edit_planner(subject="Ring").merge()
    assert merge.is_quiet and not merge.conflicts and "subject" in merge.settled


@rule("TASK-05", "SYNC-05")
def test_a_task_that_nobody_touched_needs_nothing():
    merge = Linked().merge()
    assert merge.is_quiet and not merge.conflicts and not merge.unfit


@rule("SYNC-04")
def test_the_echo_of_a_lost_answer_is_no_change_of_planners():
    before = Linked()
    sent = {"subject": "Ring Ada", "start": at(3)}
    edited = dataclasses.replace(before.crm, **sent)
    echo = as_echo(sent, TERMS)
    pending = {name: (digest(getattr(edited, name)), digest(echo[name])) for name in sent}
    linked = Linked(before.crm, before.planner)
    linked.base = dataclasses.replace(linked.base, pending=pending)
    linked.edit_planner(subject="Ring Ada", due=at(3, 10))            # it arrived, and the CRM's was taken back since
    merge = linked.merge()
    assert not merge.to_crm and merge.to_microsoft == {"subject": "Call Ada", "start": at(1)} and not merge.conflicts


def test_a_field_that_is_mapped_since_is_no_edit_and_the_empty_side_is_filled():
    linked = Linked(TaskData(subject="x", status=N), planner_task(subject="x", percent=0, body="theirs"))
    linked.crm = dataclasses.replace(linked.crm, body=None, priority=Priority.LOW)
    merge = linked.merge()
    assert merge.to_crm == {"body": "theirs"} and merge.to_microsoft == {"priority": Priority.LOW}
    assert [item.name for item in merge.conflicts] == ["priority"]


# --- directions ------------------------------------------------------------------------------------------------------

@rule("ORG-06")
def test_one_way_to_planner_an_edit_there_stays_there():
    linked = Linked(policy=TO_MICROSOFT).edit_planner(subject="Theirs")
    merge = linked.merge()
    assert merge.is_quiet and "subject" not in merge.settled
    assert linked.edit_crm(priority=Priority.LOW).merge().to_microsoft == {
        "subject": "Call Ada", "priority": Priority.LOW}


@rule("ORG-06")
def test_one_way_to_the_crm_planner_is_never_written_and_wins():
    linked = Linked(policy=TO_CRM).edit_crm(subject="Mine", priority=Priority.LOW).edit_planner(subject="Theirs")
    merge = linked.merge()
    assert merge.to_crm == {"subject": "Theirs"} and not merge.to_microsoft and not merge.people.assign
    assert [(item.name, item.winner) for item in merge.conflicts] == [("subject", Side.MICROSOFT)]
    assert "priority" not in merge.settled


@rule("ORG-06")
def test_one_way_to_the_crm_a_record_moved_out_of_planners_lists_stays_in_planner():
    linked = Linked(policy=TO_CRM).edit_crm(task_list="Sales")
    assert not isinstance(linked.decide(), Delete)


def test_a_user_who_may_not_change_the_record_has_it_sent_back():
    merge = Linked(policy=Policy(crm_refuses=True)).edit_planner(subject="Theirs").merge()
    assert merge.to_microsoft == {"subject": "Call Ada"} and merge.refused == ("subject",) and not merge.to_crm


def test_a_column_that_cannot_be_written_is_sent_back_and_reported():
    merge = Linked(writable=frozenset({"subject"})).edit_planner(priority=Priority.LOW).merge()
    assert merge.to_microsoft == {"priority": Priority.MEDIUM} and merge.refused == ("priority",)


def test_what_a_side_cannot_hold_is_cut_reported_and_does_not_come_back():
    linked = Linked(crm_limits=Limits(characters={"subject": 8})).edit_planner(subject="A long title")
    merge = linked.cycle()
    assert merge.to_crm == {"subject": "A long t"} and merge.unfit == (("subject", Side.CRM),)
    assert linked.edit_crm(priority=Priority.LOW).cycle().to_microsoft == {"priority": Priority.LOW}
    assert linked.planner.subject == "A long title"
    long = Linked().edit_crm(subject="x" * 300)
    assert long.merge().unfit == (("subject", Side.MICROSOFT),)
    assert long.merge().writes_to_planner(TERMS) == {"subject": "x" * 255}


def test_a_task_without_a_subject_gets_one_in_planner_and_none_in_the_crm():
    linked = Linked(crm_task(subject=None), planner_task(subject="(no subject)"))
    assert linked.merge().is_quiet
    assert for_planner({"subject": None}, TERMS) == {"subject": "(no subject)"}
    assert Linked(crm_task(subject=None), planner_task(subject="x")).edit_planner(subject=" ").cycle().to_crm == {}
    assert Linked().edit_planner(subject=" ").cycle().to_crm == {"subject": "(no subject)"}


# --- dates -----------------------------------------------------------------------------------------------------------

@rule("TASK-07")
@pytest.mark.parametrize("due", ["2026-12-01T00:00:00+00:00", "2026-12-01T10:00:00+00:00",
                                 "2026-12-01T23:59:59+00:00"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "Asia/Kolkata"])
def test_the_day_of_a_due_date_is_the_one_that_is_written(due, zone):
    terms = Terms(zone=ZoneInfo(zone), now=NOW, start_time=time(8, 30))
    linked = Linked(crm_task(start=None), planner_task(due=None), terms=terms)
    start = linked.edit_planner(due=datetime.fromisoformat(due)).merge().to_crm["start"]
    assert start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == datetime(2026, 12, 1, 8, 30)


@rule("TASK-07")
def test_a_new_due_date_becomes_the_start_at_the_users_time_of_day():
    assert Linked().edit_planner(due=at(5, 10)).merge().to_crm == {"start": at(5, 9)}
    summer = Linked().edit_planner(due=datetime(2027, 7, 1, 10, tzinfo=UTC)).merge().to_crm["start"]
    assert summer == datetime(2027, 7, 1, 8, tzinfo=UTC)              # 09:00 in London


@rule("TASK-07", "SYNC-05")
def test_another_time_on_the_same_day_is_no_change_of_the_date():
    assert Linked(crm_task(start=at(1, 14))).merge().is_quiet
    assert Linked().edit_planner(due=at(1, 0)).merge().is_quiet
    assert Linked().edit_crm(start=at(1, 16)).merge().is_quiet


@rule("TASK-07")
def test_a_new_start_becomes_the_due_date_and_planners_own_start_is_left_alone():
    merge = Linked(planner=planner_task(start=at(1, 10, month=11))).edit_crm(start=at(4, 23)).merge()
    assert merge.writes_to_planner(TERMS) == {"due": at(4, 10)}
    assert Linked().edit_crm(start=None).merge().writes_to_planner(TERMS) == {"due": None}


@rule("TASK-07")
def test_planners_own_start_is_no_change():
    assert Linked().edit_planner(start=at(1, 10, month=11)).merge().is_quiet


@rule("TASK-07", "SYNC-05")
def test_without_a_due_date_the_crm_gets_the_day_of_the_first_sync_which_is_not_sent_back():
    arrived = comes_in(Task(planner_task(due=None)), **ARRIVING)
    assert arrived.data.start == datetime(2026, 11, 22, 9, tzinfo=UTC)
    linked = Linked(crm_task(start=arrived.data.start), planner_task(due=None))
    assert linked.merge().is_quiet
    assert linked.later(days=3).merge().is_quiet
    assert linked.edit_planner(percent=50).cycle().to_crm == {"status": P}
    assert linked.planner.due is None


@rule("TASK-07")
def test_without_a_due_date_the_first_edit_in_the_crm_sends_the_date():
    linked = Linked(crm_task(start=at(22, month=11)), planner_task(due=None)).edit_crm(priority=Priority.LOW)
    merge = linked.cycle()
    assert merge.writes_to_planner(TERMS) == {"priority": Priority.LOW, "due": at(22, 10, month=11)}
    assert not merge.conflicts and linked.merge().is_quiet


@rule("TASK-07")
def test_a_due_date_that_is_taken_away_in_planner_leaves_the_crms_date():
    linked = Linked().edit_planner(due=None)
    assert linked.cycle().is_quiet and linked.crm.start == at(1) and linked.merge().is_quiet


@rule("TASK-07")
def test_a_crm_with_a_due_date_only_uses_that():
    crm = TaskData(subject="Call Ada", due=at(1, 17), status=N)
    assert Linked(crm).merge().is_quiet
    assert Linked(crm).edit_planner(due=at(2, 10)).merge().to_crm == {"due": at(2, 9)}
    both = dataclasses.replace(crm, start=at(1))
    assert Linked(both).edit_crm(due=at(9)).merge().is_quiet


def test_the_first_and_the_last_year_stand_for_no_date():
    assert due_day(planner_task(due=datetime(1, 1, 1, tzinfo=UTC))) is None
    assert for_planner({"start": datetime(9999, 12, 31, 23, tzinfo=UTC)}, TERMS) == {"due": None}


# --- completed -------------------------------------------------------------------------------------------------------

@rule("TASK-08")
@pytest.mark.parametrize(("days", "seconds", "expected"), [
    (14, 0, False), (14, 1, True), (13, 0, False), (400, 0, True)])
def test_two_weeks_after_its_completion_a_task_is_left_alone(days, seconds, expected):
    done = planner_task(percent=100, completed_at=NOW - timedelta(days=days, seconds=seconds))
    assert is_long_completed(done, TERMS) is expected
    assert is_long_completed(dataclasses.replace(done, percent=50), TERMS) is False


LONG_AGO = {"percent": 100, "completed_at": NOW - timedelta(days=30)}


@rule("TASK-08")
def test_the_completion_of_a_linked_task_arrives_however_late_and_nothing_else_of_it():
    linked = Linked(crm_task(completed_at=None)).edit_planner(**LONG_AGO, subject="Theirs", priority=Priority.LOW)
    linked.staff(assignees=("id-ada", "id-bob"))
    merge = linked.cycle()
    assert merge.to_crm == {"status": D, "completed_at": LONG_AGO["completed_at"]} and not merge.people
    assert linked.merge().is_quiet and linked.crm.subject == "Call Ada"


@rule("TASK-08")
def test_a_long_completed_task_that_is_opened_again_is_taken_in_again():
    linked = Linked().edit_planner(**LONG_AGO, subject="Theirs")
    linked.cycle()
    assert linked.edit_planner(percent=50).merge().to_crm == {"status": P, "subject": "Theirs"}


@rule("TASK-08")
def test_an_edit_in_the_crm_still_reaches_a_long_completed_task():
    linked = Linked(crm_task(status=D), planner_task(**LONG_AGO)).edit_crm(status=P)
    assert linked.merge().to_microsoft == {"status": P}


def test_when_it_was_completed_is_planners_to_say_and_follows():
    linked = Linked(crm_task(completed_at=None)).edit_planner(percent=100)
    assert linked.cycle().to_crm == {"status": D, "completed_at": NOW}
    assert linked.edit_planner(percent=0).cycle().to_crm == {"status": N, "completed_at": None}
    assert linked.edit_crm(status=D).cycle().to_crm == {}             # the CRM knows by itself when it was done there
    assert linked.merge().is_quiet


# --- descriptions ----------------------------------------------------------------------------------------------------

@rule("TASK-09")
@pytest.mark.parametrize(("day", "expected"), [
    (date(2026, 10, 22), True), (date(2026, 10, 21), False), (date(2026, 12, 22), True), (date(2026, 12, 23), False),
    (date(2026, 11, 22), True), (None, False)])
def test_a_month_before_and_after_now(day, expected):
    assert in_month(day, NOW) is expected


@rule("TASK-09")
def test_a_month_from_a_long_month_ends_in_the_short_one():
    assert in_month(date(2027, 2, 28), date(2027, 1, 31)) and not in_month(date(2027, 3, 1), date(2027, 1, 31))


@dataclasses.dataclass(frozen=True)
class Task:
    """As much of a task of Planner's as the rules ask for."""

    data: TaskData
    graph_id: str = "T1"
    etag: str = "e1"
    assignees: tuple[str, ...] = ()
    created_by: str = ""
    has_description: bool | None = True
    checklist_count: int | None = 0


READ = {"T1": LastReading("e1", NOW - timedelta(hours=2))}
BODY = ("subject", "body")


@rule("TASK-09")
@pytest.mark.parametrize(("task", "last", "mapped", "expected"), [
    (Task(planner_task()), READ, BODY, False),                                         # idle
    (Task(planner_task(), etag="e2"), READ, BODY, True),                               # the etag moved
    (Task(planner_task()), {}, BODY, True),                                            # never seen
    (Task(planner_task()), {"T1": LastReading("e1")}, BODY, True),                     # never read
    (Task(planner_task()), {"T1": LastReading("e1", NOW - timedelta(days=1))}, BODY, True),
    (Task(planner_task()), {"T1": LastReading("e1", NOW - timedelta(hours=23))}, BODY, False),
    (Task(planner_task(due=at(23, 10)), etag="e2"), READ, BODY, False),                # outside the month
    (Task(planner_task(), etag="e2"), READ, ("subject",), False),                      # the CRM has no place for it
    (Task(planner_task(), etag="e2", has_description=False), READ, BODY, False),       # nothing to be read
    (Task(planner_task(), etag="e2", has_description=None), READ, BODY, True),         # Planner does not say
    (Task(planner_task(), etag="e2", has_description=False, checklist_count=2), READ, BODY, False),
    (Task(planner_task(), etag="e2", has_description=False, checklist_count=2), READ, ("checklist",), True),
    (Task(planner_task(due=None)), {}, BODY, True),                                    # it starts today
])
def test_details_are_read_where_something_may_have_changed(task, last, mapped, expected):
    assert (details_to_read([task], last, mapped, TERMS) == ("T1",)) is expected


@rule("TASK-09")
def test_without_a_due_date_the_crms_start_says_whether_the_description_is_read():
    task = Task(planner_task(due=None))
    assert details_to_read([task], {}, BODY, TERMS, {"T1": date(2026, 9, 1)}) == ()
    assert details_to_read([task], {}, BODY, TERMS, {"T1": date(2026, 12, 1)}) == ("T1",)


@rule("TASK-09", "SYNC-05")
def test_an_idle_plan_of_400_tasks_reads_no_details():
    tasks = [Task(planner_task(), graph_id=f"T{number}") for number in range(400)]
    last = {task.graph_id: LastReading("e1", NOW - timedelta(hours=5)) for task in tasks}
    assert details_to_read(tasks, last, BODY, TERMS) == ()
    assert len(details_to_read(tasks[:3], {}, BODY, TERMS)) == 3


@rule("TASK-09")
def test_an_empty_description_is_known_without_being_read_but_only_within_the_month():
    task = Task(unread(planner_task()), has_description=False, checklist_count=0)
    assert without_details(task, TERMS) == planner_task()
    assert without_details(dataclasses.replace(task, has_description=True), TERMS).body is UNSET
    outside = dataclasses.replace(task, data=unread(planner_task(due=at(23, 10))))
    assert without_details(outside, TERMS).body is UNSET


@rule("TASK-09")
def test_a_description_that_was_not_read_is_neither_taken_in_nor_overwritten():
    linked = Linked(crm_task(body="mine"), planner_task(body="mine"))
    linked.planner = unread(linked.planner)
    assert linked.merge().is_quiet and "body" not in linked.merge().settled
    assert not needs_details(linked.pair, linked.people, digest)


@rule("TASK-09")
def test_an_edit_in_the_crm_overwrites_it_for_which_it_must_be_read():
    linked = Linked(crm_task(body="mine"), planner_task(body="mine")).edit_crm(priority=Priority.LOW)
    theirs = dataclasses.replace(linked.planner, body="changed far away")
    linked.planner = unread(theirs)
    assert needs_details(linked.pair, linked.people, digest)
    linked.planner = theirs
    merge = linked.merge()
    assert merge.to_microsoft == {"priority": Priority.LOW, "body": "mine"}
    assert [(item.name, item.microsoft) for item in merge.conflicts] == [("body", "changed far away")]


@rule("TASK-09")
def test_a_description_that_the_crm_never_saw_is_not_erased_by_an_edit():
    linked = Linked(crm_task(), unread(planner_task()))
    linked.planner = planner_task(body="never seen")
    assert linked.edit_crm(priority=Priority.LOW).merge().to_crm == {"body": "never seen"}


# --- people ----------------------------------------------------------------------------------------------------------

def people(assignees=(), *, owner="ada", users=(), base=None, accounts=ACCOUNTS):
    return People(owner=owner, users=None if users is None else frozenset(users), assignees=tuple(assignees),
                  accounts=accounts, base=base)


def synced(assignees, **values):
    """People who have just been synced."""
    found = people(assignees, **values)
    return dataclasses.replace(found, base=found.as_base(assignees))


A, B, X = "id-ada", "id-bob", "id-stranger"

#: what changed in Planner -> what the CRM needs
PEOPLE_IN = [
    (synced((A,)), (A, B), of(add_users=["bob"])),                                  # one more
    (synced((A, B), users=["bob"]), (A,), of(remove_users=["bob"])),                # one less
    (synced((A,)), (A, X), of()),                                                   # a stranger is ignored
    (synced((A, X)), (A,), of()),
    (synced((A,)), (), of()),                                                       # *assigned to* never changes
    (synced((A,)), (B,), of(add_users=["bob"])),
    (synced((A,), users=["ada"]), (), of(remove_users=["ada"])),                    # ... but leaves the users
    (synced((A,), users=None), (A, B), of()),                                       # the CRM has no users
    (synced((A,), users=["dan"]), (A,), of()),                                      # not linked: nobody's business
]


@rule("TASK-10")
@pytest.mark.parametrize(("before", "assignees", "expected"), PEOPLE_IN)
def test_assignees_become_users_and_the_owner_stays(before, assignees, expected):
    now = dataclasses.replace(before, assignees=assignees)
    assert settle_people(now, Policy(), crm_wins=False) == expected


#: what changed in the CRM, with Planner's people -> what Planner needs
PEOPLE_OUT = [
    (synced((A,)), {"users": frozenset({"bob"})}, (A,), of(assign=[B])),
    (synced((A, B), users=["bob"]), {"users": frozenset()}, (A, B), of(unassign=[B])),
    (synced((A,)), {"owner": "bob"}, (A,), of(assign=[B], unassign=[A])),
    (synced((A,)), {"owner": "dan"}, (A,), of(unassign=[A])),                        # dan is not linked
    (synced((A, X)), {"users": frozenset({"bob"})}, (A, X), of(assign=[B])),         # strangers stay assigned
    (synced((A,)), {"owner": None}, (A,), of(unassign=[A])),
    (synced((A,)), {"users": frozenset({"bob"})}, (A, "id-cat"), of(assign=[B], unassign=["id-cat"], overruled=True)),
    (synced((A,)), {"users": frozenset({"bob"})}, (), of(assign=[A, B])),            # taken off in Planner meanwhile
]


@rule("TASK-10", "TASK-06")
@pytest.mark.parametrize(("before", "edit", "assignees", "expected"), PEOPLE_OUT)
def test_the_crms_people_become_assignees_and_nobody_else_is_touched(before, edit, assignees, expected):
    now = dataclasses.replace(before, assignees=assignees, **edit)
    assert now.moved_in_crm
    assert settle_people(now, Policy(), crm_wins=True) == expected


@rule("TASK-10")
def test_who_links_later_comes_in_or_is_assigned_then():
    without_bob = {"ada": A}
    assigned = dataclasses.replace(synced((A, B), accounts=without_bob), accounts=ACCOUNTS)
    assert settle_people(assigned, Policy(), crm_wins=False) == of(add_users=["bob"])
    assert settle_people(assigned, Policy(), crm_wins=True) == of(add_users=["bob"])      # an edit takes nobody off
    working = dataclasses.replace(synced((A,), users=["bob"], accounts=without_bob), accounts=ACCOUNTS)
    assert settle_people(working, Policy(), crm_wins=False) == of(assign=[B])


@rule("TASK-10", "SYNC-05")
def test_who_was_taken_off_in_planner_or_refused_is_not_put_back_by_itself():
    linked = Linked().staff(assignees=())
    assert linked.cycle().is_quiet and linked.cycle().is_quiet and linked.people.owner == "ada"
    assert linked.edit_crm(priority=Priority.LOW).merge().people == of(assign=[A])


@rule("ORG-06", "TASK-10")
@pytest.mark.parametrize(("policy", "expected"), [
    (TO_MICROSOFT, of()), (TO_CRM, of(add_users=["bob"])), (Policy(crm_refuses=True), of())])
def test_one_way_people_go_one_way(policy, expected):
    now = dataclasses.replace(synced((A,)), assignees=(A, B))
    assert settle_people(now, policy, crm_wins=False) == expected
    if policy is TO_CRM:
        assert not settle_people(dataclasses.replace(now, owner="cat"), policy, crm_wins=True).assign


def test_overruled_people_are_kept_as_a_conflict():
    linked = Linked().staff(users=frozenset({"bob"}), assignees=(A, "id-cat"))
    [conflict] = linked.merge().conflicts
    assert (conflict.name, conflict.crm, conflict.microsoft) == ("users", ("ada", "bob"), ("ada", "cat"))


@rule("TASK-10")
@pytest.mark.parametrize(("assignees", "creator", "expected"), [
    ((B, A), "id-cat", "bob"), ((X, A), "", "ada"), ((), "id-cat", "cat"), ((), X, "reader"), ((), "", "reader")])
def test_the_first_linked_assignee_owns_a_new_task_else_its_creator_else_its_reader(assignees, creator, expected):
    assert first_owner(assignees, creator, "reader", ACCOUNTS) == expected


# --- coming in -------------------------------------------------------------------------------------------------------

WINDOW = Window(date(2026, 9, 22), date(2027, 11, 22))
ARRIVING = {"reader": "ada", "accounts": ACCOUNTS, "chosen": None, "window": WINDOW, "terms": TERMS,
            "policy": Policy()}


@rule("TASK-10", "TASK-02", "TASK-04")
def test_a_new_task_of_planners_arrives_with_its_list_and_its_people():
    found = comes_in(Task(planner_task(percent=50), assignees=(X, B, A), created_by=A), **ARRIVING)
    assert isinstance(found, Arrives) and (found.owner, found.users) == ("bob", ("ada",))
    assert found.data == dataclasses.replace(planner_task(percent=50), start=at(1), due=at(1), status=P)
    assert "Call" not in repr(found)


@pytest.mark.parametrize(("task", "changes", "expected"), [
    (Task(planner_task(due=at(21, 10, month=9))), {}, Why.OUTSIDE_WINDOW),
    (Task(planner_task(due=datetime(2027, 11, 23, 10, tzinfo=UTC))), {}, Why.OUTSIDE_WINDOW),
    (Task(planner_task(due=at(22, 10, month=9))), {}, None),                           # the bounds are inside
    (Task(planner_task(due=datetime(2027, 11, 22, 10, tzinfo=UTC))), {}, None),
    (Task(planner_task(due=None)), {}, None),
    (Task(planner_task(**LONG_AGO)), {}, Why.LONG_COMPLETED),
    (Task(planner_task(percent=100, completed_at=NOW - timedelta(days=13))), {}, None),
    (Task(planner_task(), assignees=(X,)), {}, Why.NOBODY_LINKED),
    (Task(planner_task(), assignees=(X, A)), {}, None),
    (Task(planner_task()), {}, None),                                                  # assigned to nobody
    (Task(planner_task()), {"chosen": {OTHER_LIST}}, Why.NOT_CHOSEN),
    (Task(planner_task()), {"chosen": {LIST}}, None),
    (Task(planner_task()), {"policy": TO_MICROSOFT}, Why.ONE_WAY),
])
@rule("TASK-08", "TASK-10", "SYNC-02", "ORG-06")
def test_which_tasks_come_in(task, changes, expected):
    found = comes_in(task, **{**ARRIVING, **changes})
    assert (found.why if isinstance(found, Stays) else None) is expected


# --- going out -------------------------------------------------------------------------------------------------------

LEAVING = {"reachable": {LIST, OTHER_LIST}, "chosen": None, "window": WINDOW, "terms": TERMS, "policy": Policy()}
WITH_DEFAULT = dataclasses.replace(TERMS, default_list=OTHER_LIST)


@rule("TASK-02", "TASK-10")
def test_a_crm_task_goes_to_its_list_with_its_people():
    found = goes_out(crm_task(status=H, body="text"), people(users=["bob", "dan"]), **LEAVING)
    assert isinstance(found, Leaves) and found.list_key == LIST and found.assign == (A, B) and found.to_crm == {}
    assert found.values == {"subject": "Call Ada", "body": "text", "due": at(1, 10), "percent": 50,
                            "priority": Priority.MEDIUM, "task_list": LIST}
    assert "Call" not in repr(found)


@rule("TASK-02")
@pytest.mark.parametrize(("task_list", "changes", "expected"), [
    (None, {"terms": WITH_DEFAULT}, OTHER_LIST), (None, {}, Why.NO_LIST), ("Sales", {}, Why.OWN_LIST),
    ("Sales", {"terms": WITH_DEFAULT}, Why.OWN_LIST), (LIST, {"terms": WITH_DEFAULT}, LIST),
    ("planner:P9/B9", {}, Why.UNREACHABLE), (LIST, {"chosen": {OTHER_LIST}}, Why.NOT_CHOSEN),
    (UNSET, {"terms": WITH_DEFAULT}, OTHER_LIST), (UNSET, {}, Why.NO_LIST), (LIST, {"policy": TO_CRM}, Why.ONE_WAY)])
def test_which_list_a_task_goes_to(task_list, changes, expected):
    found = goes_out(crm_task(task_list=task_list), people(), **{**LEAVING, **changes})
    assert (found.why if isinstance(found, Stays) else found.list_key) == expected
    filled = {"task_list": OTHER_LIST} if task_list is None and expected == OTHER_LIST else {}
    assert isinstance(found, Stays) or found.to_crm == filled


@rule("SYNC-02", "TASK-07")
@pytest.mark.parametrize(("start", "inside"), [
    (datetime(2026, 9, 22, 0, tzinfo=LONDON), True), (datetime(2026, 9, 21, 23, tzinfo=LONDON), False),
    (datetime(2027, 11, 22, 23, 59, tzinfo=LONDON), True), (datetime(2027, 11, 23, 0, tzinfo=LONDON), False),
    (None, True)])
def test_the_window_is_of_whole_days_of_the_user(start, inside):
    assert isinstance(goes_out(crm_task(start=start), people(), **LEAVING), Leaves) is inside


@rule("PRIV-01", "TASK-02")
@pytest.mark.parametrize(("task_list", "expected"), [(None, Why.PRIVATE), (LIST, None)])
def test_a_private_task_goes_into_a_groups_plan_only_where_somebody_chose_it(task_list, expected):
    found = goes_out(crm_task(task_list=task_list), people(), **{**LEAVING, "terms": WITH_DEFAULT}, is_private=True)
    assert (found.why if isinstance(found, Stays) else None) is expected


def test_only_mapped_fields_go_out():
    found = goes_out(TaskData(subject="x"), people(), **{**LEAVING, "terms": WITH_DEFAULT})
    assert found.values == {"subject": "x", "task_list": OTHER_LIST}


# --- outside the window ----------------------------------------------------------------------------------------------

OLD_DAY, OLD_DUE = datetime(2026, 8, 1, 9, tzinfo=UTC), datetime(2026, 8, 1, 10, tzinfo=UTC)


@rule("SYNC-02")
@pytest.mark.parametrize(("start", "due", "expected"), [
    (OLD_DAY, OLD_DUE, True), (at(1), OLD_DUE, False), (OLD_DAY, at(1, 10), False), (None, OLD_DUE, False),
    (OLD_DAY, None, False)])
def test_a_task_is_frozen_once_both_sides_are_outside(start, due, expected):
    assert is_frozen(crm_task(start=start), planner_task(due=due), WINDOW, TERMS) is expected
    assert not is_frozen(TaskData(subject="x"), planner_task(due=due), WINDOW, TERMS)


@rule("SYNC-02", "TASK-08")
def test_a_frozen_task_is_left_alone_but_for_its_completion():
    linked = Linked(crm_task(start=OLD_DAY), planner_task(due=OLD_DUE))
    linked.edit_planner(subject="Theirs", percent=50)
    assert merge_frozen(linked.pair, TERMS, Policy(), digest).is_quiet
    linked.edit_planner(percent=100)
    assert merge_frozen(linked.pair, TERMS, Policy(), digest).to_crm == {"status": D}
    assert merge_frozen(linked.pair, TERMS, TO_MICROSOFT, digest).is_quiet
    linked.edit_crm(subject="Mine", task_list="Sales")
    decision = decide_task(linked.pair, linked.people, TERMS, Policy(), digest, is_frozen=True)
    assert decision.merge.to_crm == {"status": D} and not decision.merge.to_microsoft
    linked.edit_crm(status=H)
    assert merge_frozen(linked.pair, TERMS, Policy(), digest).is_quiet


# --- lost links ------------------------------------------------------------------------------------------------------

@rule("SYNC-09")
@pytest.mark.parametrize(("crm", "planner", "expected"), [
    ({"1": crm_task()}, {"T1": planner_task()}, {"T1": "1"}),
    ({"1": crm_task()}, {"T1": planner_task(percent=100, body="x")}, {"T1": "1"}),
    ({"1": crm_task()}, {"T1": planner_task(subject="Ring")}, {}),
    ({"1": crm_task()}, {"T1": planner_task(due=at(2, 10))}, {}),
    ({"1": crm_task()}, {"T1": planner_task(task_list=OTHER_LIST)}, {}),
    ({"1": crm_task(task_list="Sales")}, {"T1": planner_task()}, {}),
    ({"1": crm_task(task_list=None)}, {"T1": planner_task()}, {}),
    ({"1": crm_task()}, {"T1": planner_task(), "T2": planner_task()}, {}),             # a copy: which is which?
    ({"1": crm_task(), "2": crm_task()}, {"T1": planner_task()}, {}),
    ({"1": crm_task(), "2": crm_task(start=at(2))}, {"T1": planner_task(), "T2": planner_task(due=at(2, 10))},
     {"T1": "1", "T2": "2"}),
    ({"1": crm_task()}, {"T1": planner_task(due=None)}, {"T1": "1"}),                  # the CRM's date is its own
    ({"1": crm_task(), "2": crm_task(start=at(2))}, {"T1": planner_task(), "T2": planner_task(due=None)},
     {"T1": "1", "T2": "2"}),
    ({"1": crm_task(), "2": crm_task(start=at(2))}, {"T1": planner_task(due=None)}, {}),
])
def test_tasks_whose_link_was_lost_are_found_again_where_there_is_no_doubt(crm, planner, expected):
    assert rejoin(crm, planner, TERMS) == expected


@rule("SYNC-09", "TASK-02")
def test_a_task_without_a_list_is_looked_for_in_the_default_list():
    found = rejoin({"1": crm_task(task_list=None)}, {"T1": planner_task(task_list=OTHER_LIST)}, WITH_DEFAULT)
    assert found == {"T1": "1"}


# --- lists -----------------------------------------------------------------------------------------------------------

@rule("TASK-02")
@pytest.mark.parametrize("task_list", ["Sales", None])
def test_a_task_taken_out_of_planners_lists_leaves_planner(task_list):
    decision = Linked().edit_crm(task_list=task_list).decide()
    assert isinstance(decision, Delete) and decision.side is Side.MICROSOFT


@rule("TASK-02")
def test_a_task_whose_list_is_cleared_goes_to_the_default_list():
    linked = Linked(terms=WITH_DEFAULT).edit_crm(task_list=None)
    assert linked.merge().writes_to_planner(WITH_DEFAULT) == {"task_list": OTHER_LIST}


@rule("TASK-02")
def test_a_default_list_that_is_changed_moves_nothing():
    linked = Linked(crm_task(task_list=None), terms=dataclasses.replace(TERMS, default_list=LIST))
    linked.terms = WITH_DEFAULT
    assert linked.merge().is_quiet
    assert linked.edit_crm(priority=Priority.LOW).merge().to_microsoft == {"priority": Priority.LOW}


@rule("TASK-02")
@pytest.mark.parametrize(("chosen", "expected"), [(None, None), ({LIST}, None), ({OTHER_LIST}, Release.MOVED_AWAY)])
def test_a_task_moved_in_planner_to_a_list_that_is_not_synced_is_let_go(chosen, expected):
    decision = moved_to(LIST, chosen)
    assert decision == (Let(expected) if expected else None)


# --- deletions -------------------------------------------------------------------------------------------------------

@rule("SYNC-08", "TASK-12")
@pytest.mark.parametrize(("listed", "found", "status", "expected"), [
    (True, False, 404, Absence.DELETED), (True, False, 410, Absence.DELETED), (True, False, 403, Absence.OUT_OF_REACH),
    (True, False, 503, Absence.UNKNOWN), (True, False, None, Absence.UNKNOWN), (True, True, None, Absence.MOVED),
    (False, True, None, Absence.MOVED), (False, False, 404, Absence.UNKNOWN), (False, False, 403, Absence.UNKNOWN)])
def test_what_the_absence_of_a_task_means(listed, found, status, expected):
    assert absence(listed=listed, found=found, status=status) is expected


@rule("ORG-12", "ORG-06", "ORG-09", "TASK-12")
@pytest.mark.parametrize(("direction", "chosen", "edited", "recoverable", "expected"), [
    (Direction.BOTH, AfterDeletion.RESTORE, False, True, ("recreate", ["body"])),
    (Direction.BOTH, AfterDeletion.RESTORE, True, True, ("recreate", [])),
    (Direction.BOTH, AfterDeletion.UNLINK, False, True, "unlinked"),
    (Direction.BOTH, AfterDeletion.UNLINK, True, True, ("recreate", [])),
    (Direction.BOTH, AfterDeletion.DELETE, False, True, ("delete", "crm")),
    (Direction.BOTH, AfterDeletion.DELETE, False, False, "unlinked"),
    (Direction.TO_MICROSOFT, AfterDeletion.DELETE, False, True, "unlinked"),
    (Direction.TO_MICROSOFT, AfterDeletion.RESTORE, False, True, ("recreate", ["body"])),
    (Direction.TO_CRM, AfterDeletion.RESTORE, False, True, "unlinked"),
    (Direction.TO_CRM, AfterDeletion.RESTORE, True, True, "unlinked"),
    (Direction.TO_CRM, AfterDeletion.DELETE, True, True, ("delete", "crm")),
])
def test_what_a_deletion_in_planner_does(direction, chosen, edited, recoverable, expected):
    linked = Linked(crm_task(body="internal"), planner_task(body="internal"))
    if edited:
        linked.edit_crm(subject="Ring Ada")
    gone = dataclasses.replace(linked.pair, microsoft=None)
    decision = gone_in_planner(gone, linked.people, Policy(direction=direction, after_deletion=chosen), digest,
                               recoverable=recoverable)
    match decision:
        case Recreate(without=without):
            short = ("recreate", sorted(without))
        case Delete(side=side):
            short = ("delete", side.value)
        case Let(because=because):
            short = because.value
    assert short == expected


@rule("ORG-12")
def test_a_task_out_of_the_users_limits_is_only_unlinked():
    assert gone_in_planner(None, people(), Policy(), digest, recoverable=True) == Let(Release.UNLINKED)


@rule("ORG-12")
def test_a_restored_task_is_sent_without_its_notes_and_they_stay_inside():
    crm = crm_task(body="internal")
    sent = goes_out(crm, people(), **LEAVING, without={"body"})
    assert "body" not in sent.values
    linked = Linked(crm, planner_task(body=None))                    # as both sides are after the restoration
    assert linked.merge().is_quiet
    assert linked.edit_crm(subject="Ring Ada").cycle().to_microsoft == {"subject": "Ring Ada"}
    assert linked.edit_crm(body="for all").cycle().to_microsoft == {"body": "for all"}


# --- whole records ---------------------------------------------------------------------------------------------------

def test_planners_task_in_the_crms_words_is_the_same_for_every_user_and_twice():
    words = in_crm_words(planner_task(start=at(2), due=at(1, 23), percent=50))
    assert (words.start, words.due, words.status) == (at(1, 10), at(1, 10), P)
    assert in_crm_words(words) == words
    assert in_crm_words(TaskData(subject="x")) == TaskData(subject="x")


def test_what_was_not_read_is_left_out_of_the_base():
    mine, theirs = agreed(crm_task(body="x"), unread(planner_task(body="x")), digest)
    assert set(mine) == set(theirs) == {"subject", "start", "status", "priority", "task_list"}


def test_decisions_carry_their_merge():
    decision = Linked().edit_planner(subject="Theirs").decide()
    assert isinstance(decision, Update) and decision.merge.to_crm == {"subject": "Theirs"}
