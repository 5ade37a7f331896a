"""What is deleted, restored, removed, let go and stopped (DEL, ORG-12, ORG-13, CON-03, CON-07 to 11, SYNC-08, 09)."""

import pytest
from django.db import connection
from django.utils import timezone

from opencrm_ms365.models import HeldDecision, RecordMapping, SharedRecord
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


def linked_contact(world, **settings):
    """One contact on both sides of Ada's link, and its Outlook item."""
    world.connect("ada", **settings)
    contact = world.crm.contact(job_title="Officer", notes="Internal")
    world.sync()
    [item] = world.mailbox("ada").contacts()
    return contact, item


def soft_delete(contact):
    contact.deleted_at = timezone.now()
    contact.save()


def raw_sql(contact):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM crm_contact_folders WHERE contact_id = %s", [contact.pk])
        cursor.execute("DELETE FROM crm_contact WHERE id = %s", [contact.pk])


DELETIONS = {
    "instance": lambda contact: contact.delete(),
    "queryset": lambda contact: type(contact).objects.filter(pk=contact.pk).delete(),
    "raw delete": lambda contact: type(contact).objects.filter(pk=contact.pk)._raw_delete("default"),
    "raw sql": raw_sql,
    "soft delete": soft_delete,
    "soft delete by update": lambda contact: type(contact).objects.filter(pk=contact.pk).update(
        deleted_at=timezone.now()),
}


@rule("DEL-01")
@pytest.mark.parametrize("delete", DELETIONS.values(), ids=DELETIONS)
def test_a_record_deleted_in_any_way_is_deleted_in_microsoft(world, delete):
    contact, item = linked_contact(world)
    delete(contact)
    world.sync()

    box = world.mailbox("ada")
    assert box.contacts() == []
    assert [gone["givenName"] for gone in box.deleted_items()] == ["Grace"]
    assert world.sync().writes == []
    assert not world.crm.contacts().exists()


@rule("ORG-09")
def test_a_deletion_in_the_crm_beats_an_edit_in_microsoft(world):
    contact, item = linked_contact(world)
    contact.delete()
    world.mailbox("ada").edit_contact(item["id"], jobTitle="Captain")
    world.settle()

    assert world.mailbox("ada").contacts() == []
    assert not world.crm.contacts().exists()


@rule("ORG-12", "SYNC-08")
def test_what_is_deleted_in_microsoft_is_restored_there_without_its_notes(world):
    contact, item = linked_contact(world)
    box = world.mailbox("ada")
    box.delete_contact(item["id"])
    world.sync()

    [back] = box.contacts()
    assert (back["givenName"], back["jobTitle"], back["personalNotes"]) == ("Grace", "Officer", None)
    contact.refresh_from_db()
    assert contact.notes == "Internal"
    assert world.sync().writes == []
    contact.refresh_from_db()
    assert contact.notes == "Internal"


@rule("ORG-12")
def test_unlink_keeps_the_crm_record_and_does_not_ask_again(world):
    world.organisation(microsoft_deletion="unlink")
    contact, item = linked_contact(world)
    world.mailbox("ada").delete_contact(item["id"])
    world.sync()
    contact.job_title = "Commodore"
    contact.save()

    assert world.sync().writes == []
    assert world.sync(full=True).writes == []
    assert world.crm.contacts().get() == contact
    assert world.mailbox("ada").contacts() == []


@rule("ORG-12")
def test_delete_deletes_in_the_crm_recoverably(world):
    world.organisation(microsoft_deletion="delete")
    contact, item = linked_contact(world)
    world.mailbox("ada").delete_contact(item["id"])
    ran = world.sync()

    assert ran.counts()["crm"]["deleted"] == 1
    contact.refresh_from_db()
    assert contact.deleted_at is not None
    assert world.sync().writes == []


@rule("ORG-09")
@pytest.mark.parametrize("choice", ["restore", "unlink", "delete"])
def test_an_edit_in_the_crm_beats_a_deletion_in_microsoft(world, choice):
    world.organisation(microsoft_deletion=choice)
    contact, item = linked_contact(world)
    world.mailbox("ada").delete_contact(item["id"])
    contact.job_title = "Commodore"
    contact.save()
    world.sync()

    [back] = world.mailbox("ada").contacts()
    assert back["jobTitle"] == "Commodore"
    contact.refresh_from_db()
    assert contact.deleted_at is None


@rule("ORG-12")
def test_a_record_gone_on_both_sides_just_loses_its_link(world):
    contact, item = linked_contact(world)
    contact.delete()
    world.mailbox("ada").delete_contact(item["id"])
    ran = world.sync()

    assert ran.writes == []
    assert not RecordMapping.objects.exists()


@rule("SYNC-08")
def test_a_contact_in_deleted_items_that_can_still_be_read_counts_as_deleted(world):
    world.sandbox.options.deleted_items_by_id = "found"
    contact, item = linked_contact(world)
    world.mailbox("ada").delete_contact(item["id"])
    world.sync()
    assert len(world.mailbox("ada").contacts()) == 1


@rule("SYNC-08")
def test_a_move_to_another_synced_folder_is_no_deletion(world):
    contact, item = linked_contact(world)
    box = world.mailbox("ada")
    folder = box.add_folder("Friends")
    box.move_contact(item["id"], folder["id"])
    ran = world.sync()

    assert len(box.contacts(folder["id"])) == 1
    assert box.contacts(box.default_folder_id) == []
    assert ran.writes == []
    assert [entry.name for entry in contact.folders.all()] == ["Friends"]  # CON-03
    assert world.sync().writes == []


@rule("CON-11", "SYNC-08")
def test_a_move_to_a_folder_that_is_not_synced_only_unlinks_and_moving_back_links_again(world):
    box = world.mailbox("ada")
    folder = box.add_folder("Attic")
    contact, item = linked_contact(world, microsoft_folders=[box.default_folder_id])
    box.move_contact(item["id"], folder["id"])
    world.sync()
    contact.job_title = "Commodore"
    contact.save()
    assert world.sync().writes == []
    assert len(box.contacts(folder["id"])) == 1
    assert world.crm.contacts().count() == 1

    box.move_contact(item["id"], box.default_folder_id)
    world.settle()
    [back] = box.contacts(box.default_folder_id)
    assert back["jobTitle"] == "Commodore"
    assert world.crm.contacts().count() == 1


@rule("SYNC-08")
@pytest.mark.parametrize("code", ["SyncStateNotFound", "ResyncRequired"])
def test_an_expired_delta_token_deletes_nothing(world, code):
    world.sandbox.options.delta_expired_code = code
    contact, item = linked_contact(world)
    world.sandbox.expire_delta_tokens(world.account("ada"))
    ran = world.sync()

    assert ran.writes == []
    assert world.crm.contacts().count() == len(world.mailbox("ada").contacts()) == 1


@rule("SYNC-08")
def test_what_was_deleted_while_the_delta_token_was_lost_is_found(world):
    contact, item = linked_contact(world)
    world.mailbox("ada").purge_contact(item["id"])
    world.sandbox.expire_delta_tokens(world.account("ada"))
    world.sync()
    assert len(world.mailbox("ada").contacts()) == 1  # restored


@rule("SYNC-08")
def test_replays_duplicates_and_empty_pages_change_nothing(world):
    world.sandbox.options.set(delta_duplicates=True, delta_replays=5, delta_empty_pages=True, delta_shuffled=True)
    contact, item = linked_contact(world)
    for _ in range(3):
        assert world.sync().writes == []
    assert world.crm.contacts().count() == len(world.mailbox("ada").contacts()) == 1


@rule("CON-08")
def test_only_my_items_and_a_contact_given_to_somebody_else(world):
    contact, item = linked_contact(world)
    contact.assigned_to = world.user("ben")
    contact.save()
    world.crm.team("Sales", "ada", "ben")
    world.sync()

    assert world.mailbox("ada").contacts() == []
    assert len(world.mailbox("ada").deleted_items()) == 1
    assert world.crm.contacts().count() == 1
    assert world.sync().writes == []
    contact.assigned_to = world.user("ada")
    contact.save()
    world.sync()
    assert len(world.mailbox("ada").contacts()) == 1


@rule("CON-07")
def test_a_user_who_may_no_longer_see_a_contact_loses_it_in_outlook(world):
    team = world.crm.team("Sales", "ada", "ben")
    world.connect("ada", only_my_items=False)
    world.crm.contact(owner="ben")
    world.sync()
    assert len(world.mailbox("ada").contacts()) == 1

    team.members.remove(world.user("ada"))
    world.sync()
    assert world.mailbox("ada").contacts() == []
    assert world.crm.contacts().count() == 1


@rule("CON-08")
def test_any_other_reassignment_changes_nothing(world):
    world.crm.team("Sales", "ada", "ben")
    contact, item = linked_contact(world, only_my_items=False)
    contact.assigned_to = world.user("ben")
    contact.save()
    assert world.sync().writes == []
    assert len(world.mailbox("ada").contacts()) == 1


@rule("CON-09")
def test_the_tick_box_cleared_removes_and_set_again_brings_back(world):
    contact, item = linked_contact(world)
    contact.sync_to_microsoft = False
    contact.save()
    world.sync()
    assert world.mailbox("ada").contacts() == []
    contact.sync_to_microsoft = True
    contact.save()
    world.sync()
    assert len(world.mailbox("ada").contacts()) == 1


@rule("CON-09", "CON-02")
def test_leaving_the_synced_crm_folders_removes(world):
    customers = world.crm.folder("Customers")
    world.connect("ada", crm_folders=[str(customers.pk)])
    contact = world.crm.contact(folders=["Customers"])
    other = world.crm.contact(first_name="Alan", last_name="Turing", email="alan@x.example", folders=["Press"])
    world.sync()
    assert [item["givenName"] for item in world.mailbox("ada").contacts()] == ["Grace"]

    contact.folders.set([world.crm.folder("Press")])
    world.sync()
    assert world.mailbox("ada").contacts() == []
    assert other.pk and world.crm.contacts().count() == 2


@rule("CON-11")
def test_narrowing_ones_own_settings_empties_nobodys_address_book(world):
    from opencrm_ms365.access import user_settings

    world.crm.team("Sales", "ada", "ben")
    link = world.connect("ada", only_my_items=False)
    world.crm.contact(owner="ben")
    world.crm.contact(first_name="Alan", last_name="Turing", email="alan@x.example")
    world.sync()
    box = world.mailbox("ada")
    assert len(box.contacts()) == 2

    user_settings.save_settings(link, {"only_my_items": True}, world.user("admin"))
    ran = world.sync()
    assert ran.writes == []
    assert len(box.contacts()) == 2

    hopper = world.crm.contacts().get(first_name="Grace")
    hopper.job_title = "Commodore"
    hopper.save()
    assert world.sync().writes == []

    user_settings.save_settings(world.link("ada"), {"only_my_items": False}, world.user("admin"))
    world.settle()
    assert len(box.contacts()) == 2
    assert box.find(givenName="Grace")[0]["jobTitle"] == "Commodore"
    assert world.crm.contacts().count() == 2


@rule("CON-11")
def test_choosing_fewer_outlook_folders_only_unlinks(world):
    from opencrm_ms365.access import user_settings

    box = world.mailbox("ada")
    folder = box.add_folder("Friends")
    box.add_contact(folder=folder["id"], givenName="Grace", surname="Hopper")
    link = world.connect("ada")
    world.sync()
    assert world.crm.contacts().count() == 1

    user_settings.save_settings(link, {"microsoft_folders": [box.default_folder_id]}, world.user("admin"))
    world.sync()
    world.crm.contacts().get().save()
    ran = world.sync()
    assert ran.writes == []
    assert len(box.contacts(folder["id"])) == 1
    assert world.crm.contacts().count() == 1


@rule("CON-03")
def test_folders_pair_by_name_and_are_made_where_missing(world):
    world.connect("ada")
    world.crm.contact(folders=["Customers"])
    box = world.mailbox("ada")
    suppliers = box.add_folder("Suppliers")
    box.add_contact(folder=suppliers["id"], givenName="Alan", surname="Turing")
    world.sync()

    [folder] = [entry for entry in box.folders() if entry["displayName"] == "Customers"]
    assert [item["givenName"] for item in box.contacts(folder["id"])] == ["Grace"]
    alan = world.crm.contacts().get(first_name="Alan")
    assert [entry.name for entry in alan.folders.all()] == ["Suppliers"]
    assert world.sync().writes == []


@rule("CON-03")
def test_a_change_of_the_deciding_crm_folder_moves_the_contact_in_microsoft(world):
    world.sandbox.options.patch_parent_folder = "moves"
    world.connect("ada")
    contact = world.crm.contact(folders=["Customers"])
    world.sync()
    contact.folders.set([world.crm.folder("Press")])
    world.sync()

    box = world.mailbox("ada")
    [folder] = [entry for entry in box.folders() if entry["displayName"] == "Press"]
    assert len(box.contacts(folder["id"])) == 1
    assert world.sync().writes == []


@rule("CON-03")
def test_a_move_in_outlook_keeps_the_other_crm_folders(world):
    world.connect("ada")
    world.crm.folder("Customers", 1)
    world.crm.folder("Press", 2)
    contact = world.crm.contact(folders=["Customers", "Press"])
    world.sync()
    box = world.mailbox("ada")
    [item] = box.contacts()
    friends = box.add_folder("Friends")
    box.move_contact(item["id"], friends["id"])
    world.settle()

    assert {entry.name for entry in contact.folders.all()} == {"Friends", "Press"}
    assert world.crm.contacts().count() == 1
    assert len(box.contacts(friends["id"])) == 1


@rule("CON-03")
def test_a_move_in_outlook_stays_where_another_crm_folder_comes_first(world):
    world.connect("ada")
    for position, name in enumerate(("Customers", "Press", "Friends")):
        world.crm.folder(name, position)
    contact = world.crm.contact(folders=["Customers", "Press"])
    world.sync()
    box = world.mailbox("ada")
    [item] = box.contacts()
    friends = box.add_folder("Friends")
    box.move_contact(item["id"], friends["id"])
    world.settle()

    assert len(box.contacts(friends["id"])) == 1
    assert {entry.name for entry in contact.folders.all()} == {"Friends", "Press"}
    assert world.sync(full=True).writes == []


@rule("ORG-13")
def test_the_deletion_guard_stops_and_goes_on_when_confirmed(world):
    world.connect("ada")
    for number in range(30):
        world.crm.contact(first_name="Ann", last_name=f"Number {number}", email=f"a{number}@x.example")
    world.sync()
    box = world.mailbox("ada")
    world.crm.contacts().filter(email__in=[f"a{number}@x.example" for number in range(12)]).delete()
    extra = world.crm.contact(first_name="New", last_name="One", email="new@x.example")
    world.sync()

    assert len(box.contacts()) == 31  # the rest of the cycle went on
    held = HeldDecision.objects.get()
    assert (held.reason, held.summary["deletions"]) == ("deletion_guard", 12)
    world.sync()
    assert HeldDecision.objects.count() == 1

    HeldDecision.objects.update(state="confirmed")
    world.sync()
    assert len(box.contacts()) == 19
    assert HeldDecision.objects.get().state == "done"
    assert extra.pk


@rule("ORG-13")
def test_the_deletion_guard_also_guards_the_crm(world):
    world.organisation(microsoft_deletion="delete")
    world.connect("ada")
    box = world.mailbox("ada")
    box.add_contacts({"givenName": "Ann", "surname": f"Number {number}"} for number in range(30))
    world.sync()
    for item in box.contacts()[:20]:
        box.delete_contact(item["id"])
    world.sync()

    assert world.crm.contacts().count() == 30
    assert HeldDecision.objects.get().summary["side"] == "crm"


@rule("ORG-13")
def test_a_crm_that_suddenly_shows_almost_nothing_stops_everything(world, monkeypatch):
    from opencrm_ms365 import adapters

    world.organisation(sync_activities=False)
    world.connect("ada")
    for number in range(15):
        world.crm.contact(first_name="Ann", last_name=f"Number {number}", email=f"a{number}@x.example")
    world.sync()
    adapter = adapters.site.get("crm.contact")
    monkeypatch.setattr(type(adapter), "existing", lambda self, ctx: self.model.objects.none())
    ran = world.sync()

    assert ran.writes == []
    assert HeldDecision.objects.get().reason == "vanished"
    monkeypatch.undo()
    assert world.sync().writes == []
    assert len(world.mailbox("ada").contacts()) == 15


@rule("SYNC-09")
def test_lost_links_are_found_again_by_the_identity_on_the_record(world):
    world.connect("ada")
    contact = world.crm.contact()
    box = world.mailbox("ada")
    box.add_contact(givenName="Alan", surname="Turing")
    world.sync()
    link = world.link("ada")
    RecordMapping.objects.all().delete()
    SharedRecord.objects.all().delete()
    link.cursors, link.progress, link.applied_scope = {}, {}, {}
    link.save()
    contact.first_name, contact.last_name, contact.email = "Quite", "Different", ""
    contact.save()

    world.settle()

    assert world.crm.contacts().count() == len(box.contacts()) == 2
    assert RecordMapping.objects.count() == 2


@rule("SYNC-09")
def test_a_copy_that_a_person_makes_is_a_new_record(world):
    contact, item = linked_contact(world)
    box = world.mailbox("ada")
    copy = box.copy_contact(item["id"])
    world.settle()

    assert world.crm.contacts().count() == len(box.contacts()) == 2
    assert RecordMapping.objects.get(object_id=str(contact.pk)).graph_id == item["id"]
    box.edit_contact(copy["id"], jobTitle="Copy")
    world.settle()
    contact.refresh_from_db()
    assert contact.job_title == "Officer"


@rule("USER-04")
def test_connecting_the_same_account_again_doubles_nothing(world):
    from opencrm_ms365.access import links

    contact, item = linked_contact(world)
    links.disconnect(world.link("ada"))
    world.mailbox("ada").edit_contact(item["id"], jobTitle="Captain")
    world.connect("ada")
    world.settle()

    contact.refresh_from_db()
    assert contact.job_title == "Captain"
    assert world.crm.contacts().count() == len(world.mailbox("ada").contacts()) == 1


def falls_out(world, contact, how):
    """The contact leaves what Ada sends out, and gets notes that are not hers to read in the same moment."""
    from opencrm_ms365.access import user_settings

    contact.notes = "Not for Ada"
    if how == "reassigned":
        contact.assigned_to = world.user("ben")
    elif how == "box":
        contact.sync_to_microsoft = False
    elif how == "folder":
        contact.folders.set([world.crm.folder("Press")])
    contact.save()
    if how == "narrowed":
        user_settings.save_settings(
            world.link("ada"), {"crm_folders": [str(world.crm.folder("Press").pk)]}, world.user("admin"))


@rule("CON-02", "CON-11")
@pytest.mark.parametrize("edited_in_outlook", [False, True])
@pytest.mark.parametrize("how", ["reassigned", "box", "folder", "narrowed"])
def test_nothing_more_goes_out_of_what_is_no_longer_sent(world, how, edited_in_outlook):
    world.crm.team("Sales", "ada", "ben")
    customers = world.crm.folder("Customers")
    world.connect("ada", crm_folders=[str(customers.pk)])
    contact = world.crm.contact(folders=["Customers"])
    world.settle()
    box = world.mailbox("ada")
    [item] = box.contacts()

    falls_out(world, contact, how)
    if edited_in_outlook:
        box.edit_contact(item["id"], jobTitle="Commodore")
    ran = world.sync()
    assert [write.split()[0] for write in ran.writes] == ([] if how == "narrowed" else ["DELETE"])
    assert [kept["personalNotes"] for kept in [*box.contacts(), *box.deleted_items()]] == [None]
    contact.refresh_from_db()
    assert contact.job_title == ("Commodore" if edited_in_outlook else "")


@rule("CON-07")
def test_who_may_no_longer_see_a_contact_changes_it_no_more(world):
    team = world.crm.team("Sales", "ada", "ben")
    contact = world.crm.contact(owner="ben")
    world.connect("ada")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper",
                           emailAddresses=[{"address": "grace.hopper@navy.example"}])
    world.settle()  # linked inwards only: Ada syncs her own contacts
    box.edit_contact(item["id"], jobTitle="Commodore")
    world.sync()
    contact.refresh_from_db()
    assert contact.job_title == "Commodore"

    team.members.remove(world.user("ada"))
    box.edit_contact(item["id"], jobTitle="Pirate")
    assert world.sync().writes == []
    contact.refresh_from_db()
    assert contact.job_title == "Commodore"


@rule("CON-02", "SYNC-04")
def test_a_creation_that_was_not_sent_is_dropped_when_its_box_is_cleared(world):
    world.connect("ada")
    world.sync()
    contact = world.crm.contact()
    world.sandbox.faults.add(method="POST", path=r"/contacts$", status=400, times=1)
    world.sync()
    RecordMapping.objects.update(next_try_at=None)
    contact.sync_to_microsoft = False
    contact.save()
    assert world.sync().writes == []
    assert world.mailbox("ada").contacts() == [] and not RecordMapping.objects.exists()
