"""What was missed is picked up within a minute; what is old goes."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule, Task

from opencrm_ms365 import tasks
from opencrm_ms365.models import (
    Conflict,
    CrmTouch,
    DeletedRecord,
    Heartbeat,
    HeldDecision,
    RunState,
    SyncProblem,
    SyncRun,
    UserLink,
)
from opencrm_ms365.sync import doorbell, heartbeat, schedule
from opencrm_ms365.sync.sweep import prune, sweep
from tests.schedule import builders
from tests.schedule.test_lease import OTHER_MACHINE, held

pytestmark = pytest.mark.django_db
WORK = ("opencrm_ms365.tasks.work",)
NAMES = {"Microsoft 365: cycle": 10, "Microsoft 365: sweep": 1, "Microsoft 365: clean up": 60}


@pytest.fixture(autouse=True)
def ready(db):
    builders.organisation()
    doorbell.ensure_schedules()


def run_of(link, **values):
    return SyncRun.objects.create(link=link, **{"queued_at": timezone.now(), **values})


# The schedules


@pytest.mark.rule("SYNC-01")
def test_the_app_registers_its_schedules_itself():
    assert dict(Schedule.objects.filter(name__startswith="Microsoft 365").values_list("name", "minutes")) == NAMES
    assert doorbell.ensure_schedules() == 0, "and only once"


def test_migrating_registers_them():
    Schedule.objects.all().delete()
    doorbell.ensure_schedules_after_migrate(using="default")
    assert Schedule.objects.count() == 3


def test_schedules_are_mended():
    Schedule.objects.filter(name="Microsoft 365: cycle").update(
        minutes=99, func="gone.task", repeats=0, next_run=timezone.now() + timedelta(days=9))
    Schedule.objects.filter(name="Microsoft 365: sweep").delete()
    for _ in range(2):
        Schedule.objects.create(name="Microsoft 365: clean up", func="x", schedule_type=Schedule.HOURLY)
    foreign = Schedule.objects.create(name="The CRM's own", func="crm.tasks.letters", schedule_type=Schedule.DAILY)
    assert doorbell.ensure_schedules() == 4
    assert dict(Schedule.objects.exclude(pk=foreign.pk).values_list("name", "minutes")) == NAMES
    mended = Schedule.objects.get(name="Microsoft 365: cycle")
    assert mended.func == "opencrm_ms365.tasks.cycle" and mended.repeats == -1
    assert mended.next_run < timezone.now() + timedelta(minutes=11)


def test_the_interval_is_a_setting(settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CYCLE_MINUTES": 5}
    doorbell.ensure_schedules()
    assert Schedule.objects.get(name="Microsoft 365: cycle").minutes == 5


@pytest.mark.django_db(transaction=True)
def test_django_q_can_read_the_schedules():
    from django_q.scheduler import scheduler

    Schedule.objects.update(next_run=timezone.now() - timedelta(minutes=1))
    scheduler(broker=get_broker())
    queued = {row.task["func"]: row.task for row in OrmQ.objects.all()}
    assert set(queued) == {f"opencrm_ms365.tasks.{name}" for name in ("cycle", "sweep", "prune")}
    assert not any(task["save"] for task in queued.values()), "they must not crowd out the project's own results"


# The bell


def test_no_more_tasks_wait_than_there_are_workers(monkeypatch):
    monkeypatch.setattr("django_q.conf.Conf.WORKERS", 3)
    assert [doorbell.ring(2), doorbell.ring(5), doorbell.ring(5), OrmQ.objects.count()] == [2, 1, 0, 3]


def test_the_ten_minute_cycle_marks_and_rings(rung):
    row = builders.link()
    assert tasks.cycle() == 1
    assert rung == [WORK]
    row.refresh_from_db()
    assert row.due_at is not None


def test_nothing_due_rings_no_bell(rung):
    assert tasks.cycle() == 0
    assert rung == []


@pytest.mark.rule("PRIV-03")
def test_an_error_reaches_django_qs_admin_without_contents(monkeypatch):
    def fails(*args):
        raise ValueError("ada@brightwell.example")
    monkeypatch.setattr(schedule, "work", fails)
    with pytest.raises(tasks.TaskFailed) as caught:
        tasks.work()
    assert "ValueError at" in str(caught.value) and "brightwell" not in str(caught.value)
    assert caught.value.__context__ is None


# The sweep


def test_a_quiet_sweep_does_nothing_but_beat(rung):
    builders.link()
    assert not any(sweep().values())
    assert rung == [] and heartbeat.alive()


def test_due_links_that_nobody_was_told_of_are_picked_up(rung):
    builders.link(due_s=1)
    assert sweep()["rung"] == 1
    assert rung == [WORK]


def test_a_lost_request_is_picked_up(rung):
    row = builders.link()
    schedule.request_sync(row)
    UserLink.objects.update(due_at=None)
    assert sweep()["requests"] == 1
    assert rung == [WORK]


def test_a_lost_preview_is_picked_up(rung):
    schedule.request_preview(builders.link())
    sweep()
    assert rung == [WORK]


def test_a_request_whose_link_was_paused_meanwhile_says_so():
    row = builders.link()
    run = schedule.request_sync(row)
    UserLink.objects.update(paused=True)
    sweep()
    run.refresh_from_db()
    assert run.state == RunState.FAILED and run.message == "The sync is paused for this user."


def test_a_run_whose_worker_vanished_is_closed():
    row = held(builders.link(due_s=-60), OTHER_MACHINE, -1)
    run = run_of(row, state=RunState.RUNNING)
    sweep()
    run.refresh_from_db()
    row.refresh_from_db()
    assert run.state == RunState.FAILED and "stopped in the middle" in run.message
    assert (row.lease_owner, row.lease_until) == ("", None)


def test_a_run_that_nobody_works_on_is_closed_and_one_between_two_slices_goes_on(rung):
    row = builders.link(due_s=5)
    stuck, between = run_of(row, state=RunState.RUNNING), run_of(row, state=RunState.QUEUED, started_at=timezone.now())
    sweep()
    stuck.refresh_from_db()
    between.refresh_from_db()
    assert (stuck.state, between.state) == (RunState.FAILED, RunState.QUEUED)


def test_a_run_under_way_is_left_alone():
    row = held(builders.link(), OTHER_MACHINE, 60)
    run = run_of(row, state=RunState.RUNNING)
    sweep()
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_links_are_marked_even_if_the_ten_minute_schedule_does_not_come(rung):
    long_ago = timezone.now() - timedelta(minutes=25)
    row = builders.link(last_run_at=long_ago, next_run_at=long_ago)
    assert sweep()["requests"] == 1
    row.refresh_from_db()
    assert row.due_at is not None


# Cleaning up


def test_what_is_older_than_the_retention_goes_and_the_rest_stays():
    row = builders.link()
    now = timezone.now()
    for at in (now - timedelta(days=31), now - timedelta(days=29)):
        run_of(row, state=RunState.DONE, queued_at=at)
        SyncProblem.objects.create(link=row, kind="contacts", code="c", key=str(at), reason="r", first_at=at,
                                   last_at=at, resolved_at=at)
        Conflict.objects.create(link=row, kind="contacts", adapter="a", object_id="1", field="f", winner="crm", at=at)
        HeldDecision.objects.create(link=row, kind="contacts", reason="ambiguous", state="done", key=str(at), at=at)
        DeletedRecord.objects.create(link=row, kind="contacts", adapter="a", object_id="1", contents=b"", at=at)
        CrmTouch.objects.create(adapter="a", object_id=str(at), at=at)
        Heartbeat.objects.create(name=str(at), at=at)
        for func in ("opencrm_ms365.tasks.work", "crm.tasks.letters"):
            Task.objects.create(id=uuid.uuid4().hex, name=str(at), func=func, success=False, started=at, stopped=at)
    old = now - timedelta(days=31)
    SyncProblem.objects.create(link=row, kind="contacts", code="c", key="open", reason="r", first_at=old, last_at=old)
    HeldDecision.objects.create(link=row, kind="contacts", reason="ambiguous", key="open", at=old)
    run_of(row, state=RunState.QUEUED, queued_at=old)

    gone = prune()

    assert gone == {"runs": 1, "problems": 1, "conflicts": 1, "deletions": 1, "decisions": 1, "touches": 1,
                    "sign_ins": 0, "access_keys": 0, "sign_in_attempts": 0, "preview_items": 0, "heartbeats": 2,
                    "task_failures": 1}
    assert not any(prune().values())
    assert Task.objects.filter(func="crm.tasks.letters").count() == 2, "what is not ours is not ours to delete"


def test_pruning_goes_in_chunks(monkeypatch):
    monkeypatch.setattr("opencrm_ms365.sync.sweep.CHUNK", 2)
    row = builders.link()
    for _ in range(5):
        run_of(row, state=RunState.DONE, queued_at=timezone.now() - timedelta(days=60))
    assert tasks.prune()["runs"] == 5
