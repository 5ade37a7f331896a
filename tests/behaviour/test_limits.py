"""What a change of settings may not do, whenever it comes: nobody's address book is emptied by a setting (CON-11)."""

import time

import pytest
from django.utils import timezone

from opencrm_ms365.access import user_settings
from opencrm_ms365.models import HeldDecision, MappingState, RecordMapping
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


def people(world, number, owner="ada"):
    for count in range(number):
        world.crm.contact(owner=owner, first_name="Ann", last_name=f"Number {count}", email=f"a{count}@x.example")


def change(world, person, **settings):
    user_settings.save_settings(world.link(person), settings, world.user("admin"))


@rule("CON-11")
@pytest.mark.parametrize("has_synced_before", [False, True])
def test_limits_that_were_widened_and_narrowed_while_a_cycle_was_cut_off_take_nothing_away(
        world, has_synced_before, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": 2}
    world.crm.team("Sales", "ada", "ben")
    world.connect("ada", only_my_items=has_synced_before)
    if has_synced_before:
        world.sync()
        change(world, "ada", only_my_items=False)
    people(world, 8, owner="ben")
    box = world.mailbox("ada")
    assert not world.sync(deadline=time.monotonic()).outcomes["ada"].finished
    there = len(box.contacts())
    assert 0 < there < 8

    change(world, "ada", only_my_items=True)
    assert world.settle().writes == [] and len(box.contacts()) == there and box.deleted_items() == []

    change(world, "ada", only_my_items=False)
    world.settle()
    assert len(box.contacts()) == 8 and world.crm.contacts().count() == 8


@rule("CON-08", "CON-11")
def test_a_reassignment_while_a_cycle_was_cut_off_is_still_a_change_of_the_record(world, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": 2}
    people(world, 4)
    world.connect("ada")
    world.sync(deadline=time.monotonic())
    box = world.mailbox("ada")
    assert box.contacts()
    world.crm.contacts().update(assigned_to=world.user("ben"))
    world.settle()
    assert box.contacts() == [] and len(box.deleted_items()) > 0


@rule("CON-11")
def test_a_folder_that_is_left_out_just_before_a_full_pass_is_let_go_as_well(world):
    box = world.mailbox("ada")
    folder = box.add_folder("Friends")
    box.add_contact(folder=folder["id"], givenName="Grace", surname="Hopper")
    world.connect("ada")
    world.settle()

    change(world, "ada", microsoft_folders=[box.default_folder_id])
    assert world.sync(full=True).writes == []
    assert RecordMapping.objects.get().state == MappingState.RELEASED
    contact = world.crm.contacts().get()
    contact.job_title = "Officer"
    contact.save()
    assert world.sync().writes == [] and len(box.contacts(folder["id"])) == 1

    change(world, "ada", microsoft_folders=None)
    world.settle()
    assert box.contacts(folder["id"])[0]["jobTitle"] == "Officer" and world.crm.contacts().count() == 1


@rule("CON-11")
def test_limits_widened_again_do_not_reach_into_a_folder_that_was_left_out_meanwhile(world):
    box = world.mailbox("ada")
    folder = box.add_folder("Friends")
    world.crm.team("Sales", "ada", "ben")
    world.connect("ada", only_my_items=False)
    contact = world.crm.contact(owner="ben", folders=["Friends"])
    world.settle()
    assert len(box.contacts(folder["id"])) == 1
    change(world, "ada", only_my_items=True)
    world.settle()
    change(world, "ada", only_my_items=False, microsoft_folders=[box.default_folder_id])
    contact.job_title = "Officer"
    contact.save()
    assert world.settle().writes == []
    assert len(box.contacts(folder["id"])) == 1 and len(box.contacts()) == 1


@rule("SYNC-08", "ORG-12")
def test_a_contact_in_a_folder_that_was_made_after_the_folders_were_read_is_no_deletion(world, monkeypatch):
    from opencrm_ms365.graph.contacts import Contacts

    world.organisation(microsoft_deletion="delete")
    world.connect("ada")
    world.crm.contact()
    world.sync()
    box = world.mailbox("ada")
    [item] = box.contacts()
    polled = Contacts.polled

    def polled_too_early(self, *args, **options):
        answer = polled(self, *args, **options)
        friends = next((entry for entry in box.folders() if entry["displayName"] == "Friends"), None)
        if friends is None:
            box.move_contact(item["id"], box.add_folder("Friends")["id"])
        return answer

    monkeypatch.setattr(Contacts, "polled", polled_too_early)
    RecordMapping.objects.update(gone_since="2026-01-01T00:00:00Z")     # reported as removed while it moved
    world.sync()
    assert world.crm.contacts().count() == 1
    world.settle()
    assert world.crm.contacts().count() == len(box.contacts()) == 1
    assert [folder.name for folder in world.crm.contacts().get().folders.all()] == ["Friends"]


@rule("ORG-13")
def test_one_word_of_an_administrator_lets_all_go_however_many_slices_it_takes(world, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": 5}
    world.connect("ada")
    people(world, 40)
    world.sync()
    box = world.mailbox("ada")
    world.crm.contacts().all().delete()
    world.sync()
    assert len(box.contacts()) == 40 and HeldDecision.objects.get().reason == "vanished"

    HeldDecision.objects.update(state="confirmed")
    for _slice in range(4):
        world.sync(deadline=time.monotonic())
    assert 0 < len(box.contacts()) < 40
    assert list(HeldDecision.objects.values_list("state", flat=True)) == ["confirmed"], "and nobody is asked again"
    world.sync()
    assert box.contacts() == [] and len(box.deleted_items()) == 40
    assert list(HeldDecision.objects.values_list("state", flat=True)) == ["done"]


@rule("ORG-08", "SYNC-04")
def test_a_choice_is_not_forgotten_by_a_cycle_that_dies_after_reading_it(world, monkeypatch):
    from opencrm_ms365.sync import cycle

    world.connect("ada")
    one = world.crm.contact(first_name="Ann", last_name="Lee", email="office@x.example", owner="ada")
    world.crm.contact(first_name="Bob", last_name="Roe", email="office@x.example", owner="ada", sync_to_microsoft=False)
    type(one).objects.update(sync_to_microsoft=False)
    box = world.mailbox("ada")
    box.add_contact(givenName="The", surname="Office", emailAddresses=[{"address": "office@x.example"}])
    world.sync()
    assert HeldDecision.objects.get().reason == "ambiguous"
    HeldDecision.objects.update(state="confirmed", choice=f"crm.contact:{one.pk}")

    def die(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cycle, "pull", die)
        with pytest.raises(KeyboardInterrupt):
            world.sync()
    world.settle()
    assert RecordMapping.objects.get().object_id == str(one.pk)
    assert HeldDecision.objects.get().state == "done" and world.crm.contacts().count() == 2


def an_office(world):
    """Two records of the CRM and one contact in Outlook with the same address: nobody can tell whom it means."""
    world.connect("ada")
    one = world.crm.contact(first_name="Ann", last_name="Lee", email="office@x.example", sync_to_microsoft=False)
    two = world.crm.contact(first_name="Bob", last_name="Roe", email="office@x.example", sync_to_microsoft=False)
    box = world.mailbox("ada")
    box.add_contact(givenName="The", surname="Office", emailAddresses=[{"address": "office@x.example"}])
    world.sync()
    assert HeldDecision.objects.get().reason == "ambiguous"
    assert world.sync().writes == []
    return one, two


@rule("ORG-08")
@pytest.mark.parametrize("how", ["edited", "edited behind its back", "deleted", "deleted by query"])
def test_a_match_that_becomes_clear_in_the_crm_needs_no_person(world, how):
    one, two = an_office(world)
    if how == "edited":
        two.email = "bob@x.example"
        two.save()
    elif how == "edited behind its back":       # the stamp moves, no signal is sent
        type(two).objects.filter(pk=two.pk).update(email="bob@x.example", updated_at=timezone.now())
    elif how == "deleted":
        two.deleted_at = timezone.now()
        two.save()
    else:
        type(two).objects.filter(pk=two.pk).delete()
    world.sync()
    assert RecordMapping.objects.get().object_id == str(one.pk)
    assert HeldDecision.objects.get().state == "done"
    assert world.settle().writes == []


@rule("ORG-08")
def test_a_match_that_becomes_clear_in_outlook_needs_no_person(world):
    world.connect("ada")
    contact = world.crm.contact(first_name="Ann", last_name="Lee", email="office@x.example")
    box = world.mailbox("ada")
    for name in ("Desk", "Hall"):
        box.add_contact(givenName="The", surname=name, emailAddresses=[{"address": "office@x.example"}])
    world.sync()
    assert HeldDecision.objects.filter(state="open").count() == 2 and not RecordMapping.objects.exists()
    box.delete_contact(box.find(surname="Hall")[0]["id"])
    world.settle()
    assert RecordMapping.objects.get().object_id == str(contact.pk)
    assert world.crm.contacts().count() == len(box.contacts()) == 1
    assert not HeldDecision.objects.filter(state="open").exists()


@rule("CON-05", "CON-11")
def test_however_many_records_are_linked_inwards_only_an_idle_cycle_asks_the_same_number_of_questions(
        world):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    world.crm.team("Sales", "ada", "ben")
    world.connect("ada")
    box = world.mailbox("ada")
    counts = []
    for number in (3, 30):
        people(world, number, owner="ben")
        box.add_contacts({"givenName": "Ann", "surname": f"Number {count}",
                          "emailAddresses": [{"address": f"a{count}@x.example"}]} for count in range(number))
        world.settle()
        with CaptureQueriesContext(connection) as captured:
            world.sync()
        counts.append(len(captured))
        RecordMapping.objects.all().delete()
        world.crm.contacts().delete()
        for item in box.contacts():
            box.delete_contact(item["id"])
        world.settle()
    assert counts[0] == counts[1]


@rule("SYNC-08", "ORG-12")
@pytest.mark.parametrize("choice", ["delete", "restore"])
def test_a_folder_that_the_sync_made_and_a_person_deletes_at_once_takes_its_contacts_along(world, choice):
    """It was never read, so no feed tells of what was in it."""
    world.organisation(microsoft_deletion=choice)
    world.connect("ada")
    world.crm.contact(folders=["Customers"])
    world.sync()
    box = world.mailbox("ada")
    box.delete_folder(box.contacts()[0]["parentFolderId"])
    world.settle()
    assert len(box.contacts()) == world.crm.contacts().count() == (0 if choice == "delete" else 1)
