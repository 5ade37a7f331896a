"""Changes that move no modification stamp leave a hint; what is deleted takes its kept values along."""

import pytest
from django.db import connection

from opencrm_ms365 import adapters as ms
from opencrm_ms365.models import CrmTouch, StoredValue
from opencrm_ms365.sync import hints
from opencrm_ms365.sync.stored import StoredValues, forget_vanished

from .awkward.models import Company, EmailAddress, Label, Person, Supplier
from .builders import adapter, context, organisation, person, profile, supplier

pytestmark = pytest.mark.django_db


@pytest.fixture
def org():
    return organisation()


@pytest.fixture
def connected():
    """Connect an adapter's hints for the length of a test."""
    adapters = []

    def connect(made):
        hints.connect_adapter(made)
        adapters.append(made)
        return made

    yield connect
    for made in adapters:
        hints.disconnect_adapter(made)


@pytest.fixture
def touched(django_capture_on_commit_callbacks):
    """The ids that an action leaves hints for."""

    def run(action):
        CrmTouch.objects.all().delete()
        with django_capture_on_commit_callbacks(execute=True):
            action()
        return set(CrmTouch.objects.values_list("object_id", flat=True))

    return run


def test_folders_owners_and_child_rows_leave_hints(org, connected, touched):
    made = connected(adapter(Person, fields={"emails": ms.Rows("addresses", "address")}, modified_field="birthday",
                             owner=ms.Users("owners"), folders=ms.M2M("labels")))
    obj, who = person(org), profile(org)
    label = Label.objects.create(organisation=org, name="Gold")
    key = {made.object_id(obj)}
    assert touched(lambda: obj.labels.add(label)) == key
    assert touched(lambda: label.people.clear()) == key
    assert touched(lambda: label.people.add(obj)) == key
    assert touched(lambda: obj.owners.set([who])) == key
    row = EmailAddress(person=obj, address="a@x.org")
    assert touched(row.save) == key
    assert touched(row.delete) == key
    assert touched(obj.save) == set()


def test_a_model_without_a_stamp_leaves_a_hint_when_saved(org, connected, touched):
    made = connected(adapter(Person, fields={}))
    obj = person(org)
    assert touched(obj.save) == {made.object_id(obj)}


def test_a_renamed_company_leaves_hints_for_its_people_unless_they_are_very_many(org, connected, touched, monkeypatch):
    made = connected(adapter(Person, fields={"company_name": "company__name"}, modified_field="birthday"))
    company = Company.objects.create(organisation=org, name="Engines", sector="x")
    ids = {made.object_id(person(org, company=company)) for _ in range(3)}
    assert touched(company.save) == ids
    monkeypatch.setattr("opencrm_ms365.adapters.touches.MOST_DEPENDENTS", 2)
    assert touched(company.save) == set()


@pytest.mark.rule("CON-06")
def test_the_syncs_own_writes_leave_hints_for_other_users(org, connected, touched):
    made = connected(adapter(Person, fields={"surname": "last_name"}))
    obj, ctx = person(org), context(profile(org))
    assert touched(lambda: made.update(obj, {"surname": "Byron"}, ctx)) == {made.object_id(obj)}


def test_a_hint_is_written_after_the_transaction_and_its_failure_harms_nobody(
        org, connected, django_capture_on_commit_callbacks):
    connected(adapter(Person, fields={}))
    with django_capture_on_commit_callbacks() as callbacks:
        person(org)
    assert CrmTouch.objects.count() == 0 and len(callbacks) == 1
    hints._mark("awkward.person", ["1", "2"])
    hints._mark("awkward.person", ["2"])
    assert CrmTouch.objects.count() == 2


def test_kept_values_go_with_the_record(org, connected, django_capture_on_commit_callbacks):
    made = connected(adapter(Supplier, fields={}))
    ctx = context(profile(org))
    gone, kept, raw = supplier(org), supplier(org), supplier(org)
    for obj in (gone, kept, raw):
        ctx.stored.set(made.name, made.object_id(obj), "folders", "Gold")
    with django_capture_on_commit_callbacks(execute=True):
        gone.delete()
    assert StoredValue.objects.count() == 2

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM awkward_supplier WHERE id = %s", [raw.pk])
    assert forget_vanished(made, ctx) == 1
    assert StoredValue.objects.get().object_id == made.object_id(kept)


def test_kept_values_are_separate_for_each_organisation():
    here, there = StoredValues("here"), StoredValues("there")
    here.set("a", "1", "folders", "Gold")
    there.set("a", "1", "folders", "Tin")
    here.set("a", "1", "sync_flag", False)
    here.set("a", "2", "sync_flag", None)
    assert here.get_many("a", ["1", "2", "3"]) == {"1": {"folders": "Gold", "sync_flag": False},
                                                   "2": {"sync_flag": None}}
    assert here.values("a", "folders") == ["Gold"]
    assert list(here.ids_with("a", "sync_flag", [False]).values_list("object_id", flat=True)) == ["1"]
    assert list(here.ids_with("a", "sync_flag", [None]).values_list("object_id", flat=True)) == ["2"]
    here.delete("a", ["1"], "folders")
    assert here.values("a", "folders") == [] and there.values("a", "folders") == ["Tin"]
