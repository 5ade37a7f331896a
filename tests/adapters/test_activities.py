"""Adapters for meetings and tasks can be declared, checked, read and written; the demo's model is behind both."""

import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Q

from demo_crm.crm.models import Activity
from opencrm_ms365 import adapters as ms
from opencrm_ms365 import checks_adapters
from opencrm_ms365.records.event import EventData
from opencrm_ms365.records.task import TaskData
from opencrm_ms365.sync.stored import StoredValues

from .awkward.models import Supplier
from .builders import NOW, adapter, context, organisation, profile, supplier

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


class _Activity:
    owner = ms.Users("assigned_to")
    soft_delete = Q(deleted_at__isnull=False)
    modified_field = "updated_at"

    def create_defaults(self, data, ctx):
        return {"kind": self.create_kind}


class MeetingAdapter(_Activity, ms.EventAdapter):
    base_filter = Q(kind__in=["meeting", "call"])
    create_kind = "meeting"
    # Reads like a table.
    fields = dict(subject="subject", body="notes", start="start", end="end", all_day="all_day",  # noqa: C408
                  time_zone="time_zone", location="location", private="private",
                  recurrence="recurrence", series_key="series",
                  status=ms.Choice("status", {"cancelled": ms.CANCELLED}, default=ms.UNSET))
    users = ms.Users("users")


class TaskAdapter(_Activity, ms.TaskAdapter):
    base_filter = Q(kind="task")
    create_kind = "task"
    fields = dict(  # noqa: C408 - reads like a table
        subject="subject", body="notes", start="start", priority="priority", task_list="task_list",
        status=ms.Choice("status", {
            "not_started": ms.NOT_STARTED, "in_progress": ms.IN_PROGRESS, "waiting": ms.IN_PROGRESS,
            "on_hold": ms.ON_HOLD, "done": ms.DONE, "cancelled": ms.CANCELLED}))
    users = ms.Users("users")


@pytest.fixture
def site():
    made = ms.AdapterSite()
    made.register(MeetingAdapter, Activity, name="meetings")
    made.register(TaskAdapter, Activity, name="tasks")
    return made


@pytest.fixture
def ctx(django_user_model):
    user = django_user_model.objects.create(username="ada")
    return ms.SyncContext(user=user, person=user, tz=BERLIN, now=NOW, stored=StoredValues())


def test_the_worked_example_has_no_faults(site):
    assert list(checks_adapters.faults_of_site(site)) == []
    assert [item.name for item in site.adapters("events")] == ["meetings"]
    assert site.creator("tasks").name == "tasks"


def test_one_model_behind_two_kinds(site, ctx):
    call = Activity.objects.create(kind="call", start=NOW, assigned_to=ctx.user)
    task = Activity.objects.create(kind="task", assigned_to=ctx.user)
    assert list(site.get("meetings").in_scope(ctx, ms.Scope(only_my_items=True))) == [call]
    assert list(site.get("tasks").in_scope(ctx, ms.Scope(only_my_items=True))) == [task]


def test_a_meeting_is_read_with_its_instants_and_an_end(site, ctx):
    made = site.get("meetings")
    obj = Activity.objects.create(subject="Review", start=NOW, time_zone="Europe/Berlin", status="cancelled")
    record = made.read(obj, ctx)
    assert (record.start, record.end) == (NOW, NOW + datetime.timedelta(minutes=30))
    assert (record.status, record.private, record.time_zone) == (ms.CANCELLED, False, "Europe/Berlin")
    assert made.window(obj, ctx) == NOW


def test_a_meeting_without_a_start_is_held_back(site, ctx):
    obj = Activity.objects.create(subject="Sometime", all_day=True)
    assert site.get("meetings").read(obj, ctx) is None
    assert "no start" in site.get("meetings").skip_reason(obj, ctx)


@pytest.mark.rule("CAL-01")
def test_an_all_day_meeting_stays_on_its_days_in_its_own_zone(site, ctx):
    made = site.get("meetings")
    day = datetime.date(2026, 3, 28)
    data = EventData(subject="Fair", start=day, end=day + datetime.timedelta(days=1), all_day=True,
                     time_zone="Pacific/Auckland")
    written = made.create(data, ctx)
    assert written.obj.start == datetime.datetime(2026, 3, 28, tzinfo=ZoneInfo("Pacific/Auckland"))
    assert (written.data.start, written.data.end) == (day, day + datetime.timedelta(days=1))
    assert written.obj.kind == "meeting" and written.obj.assigned_to == ctx.user
    stamp = written.obj.updated_at
    assert made.update(written.obj, {"start": day}, ctx).obj.updated_at == stamp


@pytest.mark.rule("TASK-04")
def test_a_status_in_the_crms_own_words_survives(site, ctx):
    made = site.get("tasks")
    obj = Activity.objects.create(kind="task", subject="Call", status="waiting", priority="urgent")
    record = made.read(obj, ctx)
    assert (record.status, record.priority) == (ms.IN_PROGRESS, ms.URGENT)
    assert made.update(obj, {"status": ms.IN_PROGRESS}, ctx).obj.status == "waiting"
    assert made.update(obj, {"status": ms.DONE, "priority": ms.LOW}, ctx).obj.status == "done"
    assert Activity.objects.get().priority == "low"


@pytest.mark.rule("TASK-07")
def test_a_date_column_does_not_bounce_on_the_time_of_day():
    fields = {"start": "founded", "subject": "name"}
    made = adapter(Supplier, ms.TaskAdapter, fields=fields, modified_field="changed_at")
    org = organisation()
    ctx = context(profile(org), tz=BERLIN)
    obj = supplier(org, founded="2026-03-02")
    afternoon = datetime.datetime(2026, 3, 2, 14, tzinfo=BERLIN)
    written = made.update(obj, {"start": afternoon}, ctx)
    assert written.obj.changed_at == obj.changed_at
    assert written.data.start_date(BERLIN) == datetime.date(2026, 3, 2)
    late = datetime.datetime(2026, 3, 3, 23, 30, tzinfo=datetime.UTC)
    assert made.update(obj, {"start": late}, ctx).obj.founded == datetime.date(2026, 3, 4)


def test_what_the_crm_has_no_column_for_is_kept(ctx):
    made = ms.AdapterSite().register(ms.TaskAdapter, Activity)
    obj = Activity.objects.create(kind="task")
    assert made.mapped == {"task_list"}
    assert made.update(obj, {"task_list": "planner:P/B"}, ctx).data.task_list == "planner:P/B"


def test_instants_without_a_zone_are_refused():
    with pytest.raises(ValueError, match="zone"):
        TaskData(start=datetime.datetime(2026, 1, 1))
