"""The company of the demo: complete, the same each time, and loaded only once."""

import collections
import datetime

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.utils import timezone

from demo_crm.crm import loading
from demo_crm.crm.company import COLLEAGUES, FOLDERS, SHARED_PEOPLE, TASK_LISTS, TEAMS
from demo_crm.crm.diary import activities
from demo_crm.crm.models import Activity, Contact, ContactFolder, OwnTaskList, Team
from opencrm_ms365.models import SyncSettings

TENANT = "b7149e11-5a1e-4d0c-9c5e-2f1d0b9a7c10"


@pytest.fixture
def loaded(db):
    return loading.load(tenant_id=TENANT)


def test_the_company_is_there(loaded):
    assert loaded.contacts == Contact.objects.count() == loading.CONTACTS
    assert loaded.activities == Activity.objects.count() > 50
    assert [folder.name for folder in ContactFolder.objects.all()] == list(FOLDERS)
    assert {team.name: sorted(user.username for user in team.members.all()) for team in Team.objects.all()} == {
        name: sorted(members) for name, members in TEAMS.items()}
    assert not Contact.objects.filter(assigned_to=None).exists()


@pytest.mark.parametrize("colleague", COLLEAGUES, ids=lambda colleague: colleague.username)
def test_everybody_can_sign_in(colleague, loaded):
    user = authenticate(username=colleague.username, password=f"{colleague.username}-demo")
    assert user is not None and user.email == colleague.email
    assert user.is_superuser is (colleague.username == "admin")


def test_every_contact_is_a_valid_one(loaded):
    for contact in Contact.objects.all():
        contact.full_clean()


def test_the_awkward_ones_are_among_them(loaded):
    contacts = list(Contact.objects.all())
    names = collections.Counter(contact.full_name for contact in contacts if contact.full_name)
    assert any(len(contact.emails) == 3 for contact in contacts)
    assert any(not contact.emails for contact in contacts)
    assert any(not contact.full_name and contact.company for contact in contacts)
    assert any(not contact.full_name.isascii() for contact in contacts)
    assert names["David Jones"] == 2 and names["Maria Silva"] == 2
    assert any((contact.birthday.month, contact.birthday.day) == (2, 29) for contact in contacts if contact.birthday)
    assert any(not contact.sync_to_microsoft for contact in contacts)
    assert any(contact.folders.count() > 1 for contact in contacts)
    assert max(contact.updated_at for contact in contacts) <= timezone.now()
    assert all(contact.created_at <= contact.updated_at for contact in contacts)


def test_the_shared_people_are_there_with_their_owners(loaded):
    for position, (first, last, company, email) in enumerate(SHARED_PEOPLE):
        contact = Contact.objects.get(email=email)
        assert (contact.first_name, contact.last_name, contact.company) == (first, last, company)
        assert contact.assigned_to.username == loading.shared_owner(position)


def test_the_local_microsoft_365_knows_the_same_shared_people():
    """The simulator has a copy of its own, as it imports nothing; the copies must not drift apart."""
    from opencrm_ms365.sandbox import seed, seed_people

    assert seed_people.SHARED_PEOPLE == SHARED_PEOPLE
    assert seed.TENANT_ID == TENANT


def test_it_is_the_same_each_time():
    assert list(loading.everybody()) == list(loading.everybody())


def test_every_activity_is_a_valid_one_near_today(loaded):
    lists = {key for key, _ in TASK_LISTS}
    assert set(OwnTaskList.objects.values_list("key", flat=True)) == lists
    for activity in Activity.objects.prefetch_related("users"):
        activity.full_clean()
        assert activity.task_list in {"", *lists}
        assert activity.created_at <= activity.updated_at <= timezone.now()
        if activity.start:
            assert abs(activity.start - timezone.now()) < datetime.timedelta(days=61)
            assert activity.end is None or activity.end >= activity.start


def test_awkward_activities_are_among_them(loaded):
    found = Activity.objects
    assert found.filter(private=True, kind="meeting").exists() and found.filter(private=True, kind="task").exists()
    assert found.filter(kind="call", start__isnull=False, end=None).exists()
    assert any(activity.days[0] < activity.days[1] for activity in found.filter(all_day=True))
    assert found.filter(users__email="").exists() and found.filter(subject="").exists()
    assert found.exclude(time_zone="Europe/London").exists()
    assert found.filter(kind="task", start=None).exists() and found.filter(status="cancelled").exists()


@pytest.mark.parametrize("day", [datetime.date(2026, 3, 29), datetime.date(2028, 2, 29), datetime.date(2026, 12, 31)])
def test_the_diary_is_the_same_each_time_on_any_day(day):
    assert list(activities(day)) == list(activities(day))
    assert {values["kind"] for values in activities(day)} == {"meeting", "call", "task"}


def test_loading_again_changes_nothing(loaded):
    contact = Contact.objects.first()
    Contact.objects.filter(pk=contact.pk).update(first_name="Changed")
    Contact.objects.filter(pk=Contact.objects.last().pk).soft_delete(timezone.now())
    Team.objects.get(name="Sales").members.clear()
    before = sorted(Contact.objects.values_list())
    assert loading.load(tenant_id=TENANT) == (0, 0)
    assert sorted(Contact.objects.values_list()) == before
    assert not Team.objects.get(name="Sales").members.exists()


def test_a_crm_whose_records_were_all_deleted_stays_empty(loaded):
    Contact.objects.soft_delete(timezone.now())
    Activity.objects.soft_delete(timezone.now())
    assert loading.load() == (0, 0)


def test_the_organisation_is_authorised_and_switched_on(loaded):
    organisation = SyncSettings.of()
    assert (organisation.tenant_id, organisation.tenant_name) == (TENANT, "Brightwell & Sons")
    assert organisation.enabled and organisation.authorised_at


def test_what_an_administrator_switched_off_stays_off(loaded):
    SyncSettings.objects.update(enabled=False)
    loading.load(tenant_id=TENANT)
    assert not SyncSettings.of().enabled


def test_without_a_tenant_nothing_is_authorised(db):
    loading.load()
    assert not SyncSettings.objects.filter(enabled=True).exists()


def test_the_command_says_what_it_did(db, capsys):
    call_command("demo_data")
    call_command("demo_data", migrate=True, verbosity=0)
    assert capsys.readouterr().out.splitlines() == [
        f"Loaded {loading.CONTACTS} contacts and {Activity.objects.count()} meetings, calls and tasks.",
        "The demo's records are there already; nothing was changed."]


def test_ORG_03_the_demo_is_its_own_vendor(settings, db, tmp_path):
    from demo_crm.crm.loading import load
    from demo_crm.keys import vendor_keys
    from opencrm_ms365.access import activation
    from opencrm_ms365.models import SyncSettings

    settings.DATA_DIR = tmp_path
    assert vendor_keys(tmp_path) == vendor_keys(tmp_path)
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "ACTIVATION_PUBLIC_KEY": vendor_keys(tmp_path)["public"]}
    load(tenant_id="b7149e11-5a1e-4d0c-9c5e-2f1d0b9a7c10")
    row = SyncSettings.of()
    assert row.enabled and activation.why_invalid(row) == ""
    load(tenant_id="b7149e11-5a1e-4d0c-9c5e-2f1d0b9a7c10")
    assert SyncSettings.of().activation_key == row.activation_key


def test_ORG_03_a_key_of_another_vendor_is_left_alone(settings, db, tmp_path):
    from demo_crm.crm.loading import load
    from opencrm_ms365.access import activation
    from opencrm_ms365.models import SyncSettings

    settings.DATA_DIR = tmp_path
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "ACTIVATION_PUBLIC_KEY": activation.generate_keys()[1]}
    load(tenant_id="b7149e11-5a1e-4d0c-9c5e-2f1d0b9a7c10")
    assert SyncSettings.of().activation_key == ""
