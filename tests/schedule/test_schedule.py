"""Whose turn it is: marking, drawing, working through a slice, and requests of people."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from opencrm_ms365.errors import ConfigurationError, LeaseLost, OutOfTime, Rejected, Throttled
from opencrm_ms365.models import LinkStatus, RunState, SyncRun, Trigger, UserLink
from opencrm_ms365.sync import lease as leases
from opencrm_ms365.sync import schedule
from opencrm_ms365.sync.eligible import eligible_links, why_not
from tests.schedule import builders
from tests.schedule.test_lease import OTHER_MACHINE, held
from tests.schedule.test_process import finished_process

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ready(rung, db):
    builders.organisation()


def minutes_until(instant):
    return round((instant - timezone.now()).total_seconds() / 60)


# Who may sync


@pytest.mark.rule("ORG-04", "ORG-05", "ORG-14", "USER-03")
@pytest.mark.parametrize(("organisation", "link", "words"), [
    ({}, {}, ""),
    ({"enabled": False}, {}, "switched off for the whole organisation"),
    ({"paused": True}, {}, "paused for the whole organisation"),
    ({"sync_contacts": False, "sync_activities": False}, {}, "Neither contacts nor activities"),
    ({"sync_contacts": False}, {"sync_calendar": False, "sync_tasks": False}, "Neither contacts nor activities"),
    ({"sync_contacts": False}, {"sync_tasks": False}, ""),
    ({"sync_activities": False}, {"sync_contacts": False}, "Neither contacts nor activities"),
    ({}, {"sync_contacts": False, "sync_calendar": False}, ""),
    ({}, {"paused": True}, "paused for this user"),
    ({}, {"enabled": False}, "switched the sync off for this user"),
    ({}, {"settings_saved_at": None}, "settings have not been saved"),
    ({}, {"status": LinkStatus.AWAITING_SETTINGS}, "settings have not been saved"),
    ({}, {"status": LinkStatus.SIGN_IN_AGAIN}, "sign in with Microsoft again"),
    ({}, {"status": LinkStatus.NO_MAILBOX}, "no mailbox"),
    ({}, {"status": LinkStatus.DISCONNECTED}, "disconnected"),
    ({}, {"tenant": "other"}, "switched off for the whole organisation"),
])
def test_a_link_syncs_only_when_everybody_says_yes(organisation, link, words):
    builders.organisation(**organisation)
    row = builders.link(**link)
    assert eligible_links().filter(pk=row.pk).exists() is (not words)
    assert words in why_not(row)
    assert bool(words) is bool(why_not(row))
    assert schedule.mark_due() == (0 if words else 1)


@pytest.mark.rule("USER-06")
def test_a_deactivated_user_does_not_sync():
    row = builders.link(user=builders.user(is_active=False), due_s=5)
    assert schedule.draw() is None
    assert "not active" in why_not(row)


# Marking


@pytest.mark.rule("SYNC-01")
def test_marking_is_one_update_for_all_links(django_assert_num_queries):
    rows = [builders.link() for _ in range(5)]
    with django_assert_num_queries(1):
        assert schedule.mark_due() == 5
    for row in rows:
        row.refresh_from_db()
        assert minutes_until(row.due_at) == 0 and minutes_until(row.next_run_at) == 10
    assert schedule.mark_due() == 0


def test_marking_leaves_links_alone_that_wait_after_a_failure():
    row = builders.link(due_s=-300, attempts=3)
    schedule.mark_due()
    row.refresh_from_db()
    assert minutes_until(row.due_at) == 5


# Drawing


def test_the_link_that_waited_longest_comes_first():
    young, old = builders.link(due_s=10), builders.link(due_s=100)
    builders.link(due_s=-10)
    builders.link()
    assert [schedule.draw().link_id, schedule.draw().link_id, schedule.draw()] == [old.pk, young.pk, None]


def test_a_throttled_link_is_left_alone_until_its_time():
    row = builders.link(due_s=10, not_before=timezone.now() + timedelta(seconds=30))
    assert schedule.draw() is None
    assert schedule.draw(timezone.now() + timedelta(seconds=31)).link_id == row.pk


@pytest.mark.parametrize(("attempts_before", "minutes"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 5), (20, 60)])
def test_attempts_are_counted_before_the_work(attempts_before, minutes):
    row = builders.link(due_s=10, attempts=attempts_before)
    assert schedule.draw() is not None
    row.refresh_from_db()
    assert row.attempts == attempts_before + 1
    assert minutes_until(row.due_at) == minutes, "if this worker is killed now, the link comes back then"


def test_more_links_are_held_than_are_looked_at_in_one_query(monkeypatch):
    monkeypatch.setattr(schedule, "LOOK_AHEAD", 2)
    rows = [builders.link(due_s=100 - number) for number in range(5)]
    assert [schedule.draw().link_id for _ in rows] == [row.pk for row in rows]
    assert schedule.draw() is None


# Working


def test_a_slice_works_through_all_that_is_due(cycle, rung):
    rows = [builders.link(due_s=10 - number) for number in range(3)]
    assert schedule.work(60) == 3
    assert cycle.links == [row.pk for row in rows]
    for row in rows:
        row.refresh_from_db()
        assert (row.due_at, row.attempts, row.lease_owner, row.lease_until) == (None, 0, "", None)
        assert minutes_until(row.last_run_at) == 0 and minutes_until(row.next_run_at) == 10
    assert rung == []


def test_an_idle_link_costs_few_queries(cycle, django_assert_max_num_queries):
    def queries(count):
        for _ in range(count):
            builders.link(due_s=1)
        from django.db import connection
        from django.test.utils import CaptureQueriesContext
        with CaptureQueriesContext(connection) as captured:
            schedule.work(60)
        return len(captured)

    assert (queries(6) - queries(2)) / 4 <= 12


def test_a_link_is_worked_on_under_its_lease(cycle):
    row = builders.link(due_s=1)

    def act(link_id, *, lease, deadline, trigger, run, **options):
        assert lease.link_id == row.pk and leases.acquire(row.pk) is None
        assert trigger == Trigger.SCHEDULE and run is None
        assert deadline is not None

    cycle.behaviour[row.pk] = act
    schedule.work(60)
    assert len(cycle.calls) == 1
    assert UserLink.objects.get().last_run_at is not None


def test_an_unfinished_link_goes_behind_the_others_and_the_next_task_is_queued(cycle, rung):
    big, small = builders.link(due_s=20), builders.link(due_s=10)
    cycle.stays_unfinished(big)
    schedule.work(60)
    assert cycle.links == [big.pk, small.pk], "once in a slice"
    assert rung == [("opencrm_ms365.tasks.work",)]
    late = builders.link(due_s=5)
    schedule.work(60)
    assert cycle.links[2:] == [late.pk, big.pk]


def test_running_out_of_time_is_no_failure(cycle):
    row = builders.link(due_s=20, attempts=2)
    cycle.raises(row, OutOfTime("the slice is over"))
    schedule.work(60)
    row.refresh_from_db()
    assert row.attempts == 0 and minutes_until(row.due_at) == 0


def test_a_slice_ends_in_time(cycle, rung):
    for _ in range(3):
        builders.link(due_s=20)
    assert schedule.work(0) == 0
    assert rung == [("opencrm_ms365.tasks.work",)]


def test_a_process_that_is_asked_to_end_draws_no_more(cycle, rung, monkeypatch):
    builders.link(due_s=20)
    monkeypatch.setattr(schedule, "stopping", lambda: True)
    assert schedule.work(60) == 0
    assert rung == [("opencrm_ms365.tasks.work",)]


# Failing


@pytest.mark.rule("SYNC-03")
def test_a_failing_link_never_stops_the_others(cycle):
    bad, good = builders.link(due_s=20), builders.link(due_s=10)
    cycle.raises(bad, ValueError("contents of ada@brightwell.example"))
    schedule.work(60)
    assert cycle.links == [bad.pk, good.pk]
    good.refresh_from_db()
    assert good.last_run_at is not None


@pytest.mark.rule("SYNC-03")
def test_a_failing_link_is_tried_again_with_growing_delay(cycle):
    row = builders.link(due_s=1)
    cycle.raises(row, Rejected("Microsoft refused."))
    waits = []
    for _ in range(8):
        schedule.work(60)
        row.refresh_from_db()
        waits.append(minutes_until(row.due_at))
        assert row.next_run_at == row.due_at and row.lease_owner == ""
        assert schedule.draw() is None
        UserLink.objects.update(due_at=timezone.now())
    assert waits == [1, 2, 5, 10, 20, 30, 60, 60]
    cycle.behaviour.clear()
    schedule.work(60)
    row.refresh_from_db()
    assert (row.attempts, row.due_at) == (0, None)


@pytest.mark.rule("PRIV-03")
def test_what_went_wrong_is_told_without_contents(cycle, caplog):
    row = builders.link(due_s=1)
    run = schedule.request_sync(row)
    cycle.raises(row, ValueError("ada@brightwell.example is no telephone number"))
    schedule.work(60)
    run.refresh_from_db()
    assert run.state == RunState.FAILED and run.finished_at is not None
    assert "unexpected error" in run.message and "tried again by itself" in run.message and "ValueError" in run.message
    assert "ValueError at" in caplog.text
    assert "brightwell" not in run.message + caplog.text


def test_our_own_errors_are_told_in_their_own_words(cycle):
    row = builders.link(due_s=1)
    run = schedule.request_sync(row)
    cycle.raises(row, Rejected("Microsoft refused this account."))
    schedule.work(60)
    run.refresh_from_db()
    assert run.message == "Microsoft refused this account. It is tried again by itself."


def test_a_throttled_link_waits_as_long_as_microsoft_said(cycle):
    row = builders.link(attempts=3)
    run = schedule.request_sync(row)
    cycle.raises(row, Throttled(retry_after_s=300))
    schedule.work(60)
    row.refresh_from_db()
    run.refresh_from_db()
    assert run.state == RunState.QUEUED and "asked us to slow down" in run.message
    assert minutes_until(row.not_before) == 5 and minutes_until(row.due_at) == 5
    assert row.attempts == 0, "that is no failure"


def test_a_lost_lease_leaves_the_row_to_the_new_holder(cycle):
    row = builders.link(due_s=1)

    def act(link_id, **options):
        held(row, OTHER_MACHINE, 100)
        raise LeaseLost

    cycle.behaviour[row.pk] = act
    schedule.work(60)
    row.refresh_from_db()
    assert row.lease_owner == OTHER_MACHINE


def test_a_wrong_setting_is_not_swallowed(cycle):
    row = builders.link(due_s=1)
    cycle.raises(row, ConfigurationError("no key"))
    with pytest.raises(ConfigurationError):
        schedule.work(60)
    row.refresh_from_db()
    assert row.lease_owner == "" and minutes_until(row.due_at) == 1


def test_a_database_error_in_one_link_stops_no_other(cycle):
    bad, good = builders.link(due_s=20), builders.link(due_s=10)
    cycle.raises(bad, OperationalError("deadlock detected"))
    schedule.work(60)
    good.refresh_from_db()
    assert good.last_run_at is not None


def test_a_task_that_is_stopped_leaves_no_lease_behind(cycle):
    row = builders.link(due_s=1)
    run = schedule.request_sync(row)
    cycle.raises(row, SystemExit("Task exceeded maximum timeout value"))      # how Django-Q ends a task
    with pytest.raises(SystemExit):
        schedule.work(60)
    row.refresh_from_db()
    run.refresh_from_db()
    assert row.lease_owner == "" and minutes_until(row.due_at) == 1
    assert run.state == RunState.FAILED and "stopped before it was finished" in run.message


def test_a_killed_workers_link_is_taken_over_and_its_run_closed(cycle):
    child, name = finished_process()
    child.wait()
    row = held(builders.link(due_s=1, attempts=1), name + "/token", 100)
    run = SyncRun.objects.create(link=row, queued_at=timezone.now(), state=RunState.RUNNING)
    schedule.work(60)
    run.refresh_from_db()
    assert cycle.links == [row.pk]
    assert run.state == RunState.FAILED and "stopped in the middle" in run.message


# Requests


@pytest.mark.rule("USER-08")
def test_sync_now_is_queued_and_worked_on(cycle, rung, django_capture_on_commit_callbacks):
    row = builders.link()
    with django_capture_on_commit_callbacks(execute=True):
        run = schedule.request_sync(row, row.user)
    assert (run.state, run.trigger, run.requested_by) == (RunState.QUEUED, Trigger.MANUAL, row.user)
    assert rung == [("opencrm_ms365.tasks.work",)]
    schedule.work(60)
    (link_id, options), = cycle.calls
    assert link_id == row.pk and options["run"] == run and options["trigger"] == Trigger.MANUAL
    run.refresh_from_db()
    assert run.state == RunState.RUNNING and run.started_at is not None, "the cycle itself ends it"


def test_pressing_twice_is_one_request():
    row = builders.link()
    assert schedule.request_sync(row) == schedule.request_sync(row)


@pytest.mark.rule("SYNC-07")
def test_a_broker_that_is_down_does_not_reach_the_page(monkeypatch, django_capture_on_commit_callbacks):
    def down(*args, **options):
        raise ConnectionError("no broker")
    monkeypatch.setattr("django_q.tasks.async_task", down)
    with django_capture_on_commit_callbacks(execute=True):
        schedule.request_sync(builders.link())
        schedule.request_preview(builders.link())


def test_a_request_overrides_the_wait_after_a_failure(cycle):
    row = builders.link(due_s=-1800, attempts=6)
    schedule.request_sync(row)
    schedule.work(60)
    assert cycle.links == [row.pk]


def test_a_request_for_a_link_that_may_not_sync_says_why(rung):
    run = schedule.request_sync(builders.link(paused=True))
    assert run.state == RunState.FAILED and run.message == "The sync is paused for this user."
    assert rung == []


def test_a_request_during_a_cycle_gets_a_cycle_of_its_own(cycle):
    row = builders.link(due_s=1)
    requested = []

    def act(link_id, run, **options):
        if not requested:
            requested.append(schedule.request_sync(row))
        elif run:
            SyncRun.objects.filter(pk=run.pk).update(state=RunState.DONE)

    cycle.behaviour[row.pk] = act
    schedule.work(60)
    assert [options["run"] for _link, options in cycle.calls] == [None, requested[0]]
    assert UserLink.objects.get().due_at is None


def test_the_next_slice_goes_on_with_the_same_run(cycle):
    row = builders.link()
    run = schedule.request_sync(row)
    cycle.stays_unfinished(row)
    schedule.work(60)
    schedule.work(60)
    assert [options["run"] for _link, options in cycle.calls] == [run, run]


# Previews


@pytest.fixture
def previews(monkeypatch):
    done = []

    def run_preview(run_id, *, lease, **options):
        run = SyncRun.objects.get(pk=run_id)
        assert run.state == RunState.RUNNING
        assert UserLink.objects.get(pk=run.link_id).lease_owner == lease.owner
        done.append(run_id)
        SyncRun.objects.filter(pk=run_id).update(state=RunState.DONE, finished_at=timezone.now())

    monkeypatch.setattr("opencrm_ms365.sync.attempt._run_preview", run_preview)
    return done


@pytest.mark.rule("USER-07")
def test_a_preview_runs_in_the_background_before_anything_was_saved(
        previews, rung, django_capture_on_commit_callbacks):
    builders.organisation(enabled=False)
    row = builders.link(settings_saved_at=None, status=LinkStatus.AWAITING_SETTINGS)
    with django_capture_on_commit_callbacks(execute=True):
        run = schedule.request_preview(row, row.user)
    assert (run.state, run.trigger) == (RunState.QUEUED, Trigger.PREVIEW)
    assert rung == [("opencrm_ms365.tasks.preview", run.pk)]
    assert schedule.request_preview(row) == run
    assert schedule.preview(run.pk)
    assert previews == [run.pk] and not schedule.preview(run.pk)
    row.refresh_from_db()
    assert (row.lease_owner, row.due_at, row.attempts) == ("", None, 0)


def test_a_preview_never_waits_for_a_cycle(previews, cycle):
    row = builders.link(due_s=1)
    run = schedule.request_preview(row)
    lease = leases.acquire(row.pk)
    assert not schedule.preview(run.pk)
    assert SyncRun.objects.get().state == RunState.QUEUED
    lease.release()
    schedule.work(60)
    assert previews == [run.pk] and cycle.links == [row.pk]


def test_a_preview_that_fails_says_so_and_frees_the_link(monkeypatch):
    def run_preview(run_id, *, lease, **options):
        raise Rejected("Microsoft refused.")
    monkeypatch.setattr("opencrm_ms365.sync.attempt._run_preview", run_preview)
    row = builders.link()
    run = schedule.request_preview(row)
    assert schedule.preview(run.pk)
    run.refresh_from_db()
    row.refresh_from_db()
    assert (run.state, run.message, row.lease_owner) == (
        RunState.FAILED, "Microsoft refused. Ask for the preview again.", "")


def test_a_preview_of_a_disconnected_account_says_why(previews):
    run = schedule.request_preview(builders.link(status=LinkStatus.DISCONNECTED))
    assert not schedule.preview(run.pk)
    run.refresh_from_db()
    assert run.state == RunState.FAILED and "not connected" in run.message
