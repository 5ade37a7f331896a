"""What adapters answer about private activities, and that the app's own pages ask them (PRIV-02)."""

import types

import pytest
from django.db.models import Q
from django.template import Context, Template
from django.utils import timezone

from demo_crm.crm.models import Activity
from opencrm_ms365 import adapters as ms
from opencrm_ms365.access.privacy import private_display
from opencrm_ms365.models import SyncSettings
from opencrm_ms365.reconcile.privacy import PrivateDisplay, Sight
from opencrm_ms365.sync.stored import StoredValues
from opencrm_ms365.views import keeping, seen, sight
from opencrm_ms365.views.undoing import _visible as visible_deleted
from tests.rules import rule

from .builders import NOW
from .test_activities import MeetingAdapter, TaskAdapter

pytestmark = pytest.mark.django_db
WHO = ("ada", "ben", "cleo", "root")


@pytest.fixture
def people(django_user_model):
    made = {name: django_user_model.objects.create_user(name) for name in WHO[:-1]}
    return {**made, "root": django_user_model.objects.create_superuser("root")}


class PrivateTasks(TaskAdapter):
    private = "private"


class KeptMeetings(MeetingAdapter):
    fields = {name: spec for name, spec in MeetingAdapter.fields.items() if name != "private"}


class PythonMeetings(MeetingAdapter):
    fields = {**MeetingAdapter.fields, "private": ms.Method(lambda obj, ctx: obj.private)}


@pytest.fixture
def site(monkeypatch):
    """The demo's model behind both kinds, on a site of its own, which the app's pages ask."""
    made = ms.AdapterSite()
    made.register(MeetingAdapter, Activity, name="meetings")
    made.register(PrivateTasks, Activity, name="tasks")
    monkeypatch.setattr(seen, "site", made)
    monkeypatch.setattr(sight, "site", made)
    return made


def ctx(user, tenant=""):
    return ms.SyncContext(user=user, person=user, now=NOW, stored=StoredValues(tenant))


def activity(people, kind="meeting", private=True, users=("ben",), **values):
    made = Activity.objects.create(
        kind=kind, subject="Salary review", private=private, start=NOW, assigned_to=people["ada"], **values)
    made.users.set([people[name] for name in users])
    return made


@rule("PRIV-02", "ORG-11")
@pytest.mark.parametrize("kind", ["meeting", "call", "task"])
@pytest.mark.parametrize("display", PrivateDisplay)
def test_PRIV_02_participants_see_it_and_superusers_do_not(site, people, kind, display):
    adapter = site.get("tasks" if kind == "task" else "meetings")
    private, known = activity(people, kind), activity(people, kind, private=False)
    outside = Sight.HIDDEN if display is PrivateDisplay.HIDDEN else Sight.BLOCK
    for name, expected in {"ada": Sight.FULL, "ben": Sight.FULL, "cleo": outside, "root": outside}.items():
        context = ctx(people[name])
        assert adapter.seen_by(private, context, display) is expected
        assert adapter.seen_by(known, context, display.value) is Sight.FULL
        rows = set(adapter.for_viewer(Activity.objects.all(), context, display))
        assert (private in rows) is (expected is not Sight.HIDDEN) and known in rows
        assert (private in adapter.in_full(Activity.objects.all(), context)) is (expected is Sight.FULL)


@rule("PRIV-02")
@pytest.mark.parametrize("adapter_class", [KeptMeetings, PythonMeetings])
def test_PRIV_02_it_does_not_matter_where_the_mark_is_kept(people, adapter_class):
    adapter = ms.AdapterSite().register(adapter_class, Activity, name="meetings")
    private, known = activity(people), activity(people, private=False)
    for obj in (private, known):
        StoredValues().set("meetings", str(obj.pk), "private", obj.private)
    assert set(adapter.in_full(Activity.objects.all(), ctx(people["root"]))) == {known}
    assert set(adapter.in_full(Activity.objects.all(), ctx(people["ben"]))) == {private, known}
    assert adapter.seen_by(private, ctx(people["root"]), "busy") is Sight.BLOCK


@rule("PRIV-02")
def test_PRIV_02_where_nobody_is_known_to_take_part_nobody_sees_it(people):
    class Nobodys(MeetingAdapter):
        owner = None
        users = None

    adapter = ms.AdapterSite().register(Nobodys, Activity, name="meetings")
    private = activity(people)
    assert adapter.seen_by(private, ctx(people["ada"]), "hidden") is Sight.HIDDEN
    assert not adapter.in_full(Activity.objects.all(), ctx(people["ada"])).exists()


@rule("PRIV-02", "PRIV-03")
@pytest.mark.parametrize("display", PrivateDisplay)
def test_PRIV_02_the_pages_and_the_api_name_it_to_those_who_take_part_only(site, people, display):
    SyncSettings.objects.create(private_display=display)
    private = activity(people)
    reference = ("meetings", str(private.pk))
    for name in WHO:
        shown = seen.shown_records(people[name], "", [reference])
        assert bool(shown) is (name in ("ada", "ben"))


def test_who_takes_part_sees_its_name_whatever_the_team(people, monkeypatch):
    class Teams(MeetingAdapter):
        def visible_to(self, rows, ctx):
            return rows.filter(assigned_to=ctx.user)

    made = ms.AdapterSite()
    made.register(Teams, Activity, name="meetings")
    monkeypatch.setattr(seen, "site", made)
    shared = activity(people, private=False)
    named = [name for name in WHO if seen.shown_records(people[name], "", [("meetings", str(shared.pk))])]
    assert named == ["ada", "ben"]


@rule("PRIV-02")
def test_PRIV_02_deleted_ones_stay_private(site, people):
    private = activity(people, deleted_at=timezone.now())
    for adapter in (site.get("meetings"), ms.AdapterSite().register(PythonMeetings, Activity, name="meetings")):
        assert visible_deleted(adapter, [str(private.pk)], ctx(people["ben"]))
        assert not visible_deleted(adapter, [str(private.pk)], ctx(people["root"]))


@rule("PRIV-02")
def test_PRIV_02_beside_a_record_its_state_is_shown_to_those_who_take_part(site, people, monkeypatch):
    monkeypatch.setattr(keeping, "site", site)
    for kind, name in (("meeting", "meetings"), ("task", "tasks")):
        private = activity(people, kind)
        assert keeping.kept_of(private, people["ben"], "").reference == f"{name}:{private.pk}"
        assert keeping.kept_of(private, people["root"], "") is None


@rule("PRIV-02", "ORG-11")
@pytest.mark.parametrize(("display", "answer"), [("hidden", "hidden"), ("busy", "block")])
def test_PRIV_02_the_template_filter_says_how_much_is_seen(site, people, display, answer):
    SyncSettings.objects.create(private_display=display)
    page = Template("{% load ms365 %}{{ activity|ms365_seen_by:user }}")
    for kind in ("meeting", "task"):
        made = activity(people, kind)
        for name, expected in {"ada": "full", "ben": "full", "cleo": answer, "root": answer}.items():
            assert page.render(Context({"activity": made, "user": people[name]})) == expected


def test_the_filter_says_what_is_missing(people, monkeypatch):
    monkeypatch.setattr(sight, "site", ms.AdapterSite())
    with pytest.raises(LookupError, match=r"No adapter of meetings or tasks is registered for crm\.Activity"):
        sight.seen_by(activity(people), people["ada"])


@rule("ORG-11")
def test_ORG_11_hidden_is_what_holds_before_anybody_has_chosen(people):
    assert private_display(people["ada"]) is PrivateDisplay.HIDDEN
    assert not SyncSettings.objects.exists()
    SyncSettings.objects.create(private_display="busy")
    assert private_display(people["ada"]) is PrivateDisplay.BUSY
    assert private_display(people["ada"], "another") is PrivateDisplay.HIDDEN


def test_one_query_however_many_activities(site, people, django_assert_num_queries):
    for _ in range(5):
        activity(people)
    context = ctx(people["ben"])
    adapter = site.get("meetings")
    rows = adapter.for_viewer(adapter.existing(context), context, "hidden")
    with django_assert_num_queries(1):
        assert len(rows) == 5


def test_tasks_without_such_a_column_are_not_private(people):
    adapter = ms.AdapterSite().register(TaskAdapter, Activity, name="tasks")
    made = activity(people, "task")
    assert adapter.seen_by(made, types.SimpleNamespace(user=people["root"]), "hidden") is Sight.FULL
    assert Activity.objects.filter(Q(pk=made.pk)).count() == adapter.in_full(Activity.objects.all(), None).count()
