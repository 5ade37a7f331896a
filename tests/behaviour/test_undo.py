"""Undoing a deletion in the CRM that a deletion in Outlook has made (ORG-12)."""

import datetime

import pytest
from django.utils import timezone

from opencrm_ms365.models import DeletedRecord
from tests.browsing import Browser, text_of
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def deleted(world):
    """A contact that was deleted in Ada's Outlook, and so in the CRM; and the note of it."""
    world.organisation(microsoft_deletion="delete")
    world.crm.team("Sales", "ada", "ben")
    world.connect("ada")
    world.connect("ben", only_my_items=False)
    contact = world.crm.contact(folders=["Customers"], notes="Internal")
    world.sync()
    [item] = world.mailbox("ada").contacts()
    world.mailbox("ada").delete_contact(item["id"])
    world.sync()
    assert not world.crm.contacts().exists() and world.mailbox("ben").contacts() == []
    return contact, DeletedRecord.objects.get()


@rule("ORG-12")
def test_an_undone_deletion_brings_the_record_back_on_every_side_and_then_it_is_quiet(world, deleted):
    contact, row = deleted
    answer = Browser(world, "ada").post("api-deleted-undo", row.pk)
    assert answer.status_code == 200 and answer.json()["undone_at"]

    contact.refresh_from_db()
    assert contact.deleted_at is None
    world.sync()
    for person in ("ada", "ben"):
        [item] = world.mailbox(person).contacts("Customers")
        assert (item["givenName"], item["emailAddresses"][0]["address"]) == ("Grace", "grace.hopper@navy.example")
    assert world.sync().writes == []
    assert world.crm.contacts().count() == 1
    assert Browser(world, "ada").get("api-deleted-list").json()["results"] == []


@rule("ORG-12")
def test_the_page_names_what_was_deleted_and_undoes_it(world, deleted):
    contact, row = deleted
    browser = Browser(world, "ada")
    assert "Deleted" in text_of(browser.get("profile"))
    page = text_of(browser.get("deleted"))
    assert "Grace Hopper" in page and "grace.hopper@navy.example" in page and "30 days" in page

    answer = browser.post("deleted-undo", row.pk)
    assert answer.status_code == 302
    page = text_of(browser.get("deleted"))
    assert "back in the CRM" in page and "undone" in page and world.crm.contacts().get() == contact
    assert browser.post("api-deleted-undo", row.pk).status_code == 409


def test_without_deletions_the_navigation_has_no_such_page(world):
    world.connect("ada")
    assert "Deleted" not in text_of(Browser(world, "ada").get("profile"))
    assert "Nothing was deleted" in text_of(Browser(world, "ada").get("deleted"))


@rule("ORG-12")
def test_after_thirty_days_it_is_too_late(world, deleted):
    contact, row = deleted
    DeletedRecord.objects.update(at=timezone.now() - datetime.timedelta(days=31))
    browser = Browser(world, "ada")
    assert browser.get("api-deleted-list").json()["results"] == []
    [told] = browser.get("api-deleted-list", query="?all=1").json()["results"]
    assert told["may_undo"] is False
    answer = browser.post("api-deleted-undo", row.pk)
    assert answer.status_code == 409 and "too old" in answer.json()["detail"]
    assert not world.crm.contacts().exists()


def test_a_record_that_is_back_by_other_means_is_not_undone_again(world, deleted):
    contact, row = deleted
    contact.deleted_at = None
    contact.save()
    [told] = Browser(world, "ada").get("api-deleted-list").json()["results"]
    assert told["is_back"] and not told["may_undo"]
    assert Browser(world, "ada").post("api-deleted-undo", row.pk).status_code == 409


@rule("PRIV-03")
def test_names_are_shown_to_those_only_who_could_see_the_record(world, deleted):
    contact, row = deleted
    assert b"Grace" not in bytes(row.contents) and "Grace" not in str(row)
    type(contact).objects.filter(pk=contact.pk).update(assigned_to=world.user("cleo"))
    browser = Browser(world, "ada")
    assert "Grace" not in text_of(browser.get("deleted"))
    [told] = browser.get("api-deleted-list").json()["results"]
    assert (told["label"], told["record"], told["may_undo"]) == ("", "", False)
    assert browser.post("api-deleted-undo", row.pk).status_code == 409
    assert not world.crm.contacts().exists()


@rule("ORG-07")
def test_an_administrator_can_undo_for_others_and_a_colleague_cannot(world, deleted):
    contact, row = deleted
    assert Browser(world, "ben").post("api-deleted-undo", row.pk).status_code == 404
    answer = Browser(world, "admin").post("deleted-undo", row.pk)
    assert answer.headers["Location"].endswith(f"/people/{row.link_id}/deleted/")
    assert world.crm.contacts().exists()


@rule("ORG-12", "SYNC-04")
def test_what_is_kept_or_restored_leaves_nothing_to_undo(world):
    world.organisation(microsoft_deletion="unlink")
    world.connect("ada")
    world.crm.contact()
    world.sync()
    box = world.mailbox("ada")
    box.delete_contact(box.contacts()[0]["id"])
    world.sync()
    assert not DeletedRecord.objects.exists()


# However it came about


def deleted_by_hand(world, box, item):
    box.delete_contact(item["id"])


def folder_deleted(world, box, item):
    box.delete_folder(item["parentFolderId"])


def deleted_while_the_delta_token_was_lost(world, box, item):
    box.delete_contact(item["id"])
    world.sandbox.expire_delta_tokens(box.account)


def deleted_beyond_deleted_items(world, box, item):
    box.delete_contact(item["id"])
    box.empty_deleted_items()


@rule("ORG-12", "SYNC-08")
@pytest.mark.parametrize("delete", [
    deleted_by_hand, folder_deleted, deleted_while_the_delta_token_was_lost, deleted_beyond_deleted_items],
    ids=lambda how: how.__name__)
def test_every_kind_of_deletion_in_outlook_can_be_undone(world, delete):
    world.organisation(microsoft_deletion="delete")
    world.connect("ada")
    contact = world.crm.contact(folders=["Customers"], notes="Internal")
    world.sync()
    box = world.mailbox("ada")
    delete(world, box, box.contacts()[0])
    world.settle()
    assert not world.crm.contacts().exists()

    assert Browser(world, "ada").post("api-deleted-undo", DeletedRecord.objects.get().pk).status_code == 200
    world.settle()
    assert world.crm.contacts().get() == contact and contact.folders.get().name == "Customers"
    [item] = box.contacts("Customers")
    assert (item["givenName"], item["personalNotes"]) == ("Grace", "Internal")


@rule("ORG-12")
def test_what_was_edited_while_it_was_deleted_comes_back_as_edited(world, deleted):
    contact, row = deleted
    type(contact).objects.filter(pk=contact.pk).update(job_title="Officer", assigned_to=world.user("ben"))
    assert Browser(world, "ben").post("api-deleted-undo", row.pk).status_code == 404, "it was on Ada's side"
    assert Browser(world, "ada").post("api-deleted-undo", row.pk).status_code == 200
    world.settle()
    contact.refresh_from_db()
    assert (contact.job_title, contact.assigned_to) == ("Officer", world.user("ben"))
    assert [item["jobTitle"] for item in world.mailbox("ben").contacts()] == ["Officer"]
    assert world.mailbox("ada").contacts() == [], "she syncs her own contacts only"


@rule("ORG-12", "SYNC-09")
def test_undone_here_and_taken_back_out_of_deleted_items_there_it_is_still_one(world, deleted):
    contact, row = deleted
    box = world.mailbox("ada")
    box.restore_contact(box.deleted_items()[0]["id"])
    assert Browser(world, "ada").post("api-deleted-undo", row.pk).status_code == 200
    world.settle()
    assert world.crm.contacts().get() == contact
    assert len(box.contacts()) == len(world.mailbox("ben").contacts()) == 1


@rule("ORG-12", "USER-04")
def test_it_is_undone_in_the_crm_though_the_account_is_disconnected(world, deleted):
    from opencrm_ms365.access import links

    contact, row = deleted
    links.disconnect(world.link("ada"))
    assert Browser(world, "ada").post("api-deleted-undo", row.pk).status_code == 200
    world.settle()
    assert world.crm.contacts().get() == contact and world.mailbox("ada").contacts() == []
    world.connect("ada")
    world.settle()
    assert len(world.mailbox("ada").contacts()) == 1 and world.crm.contacts().count() == 1


@rule("ORG-12", "USER-04")
def test_nor_does_another_account_or_a_link_that_is_gone_keep_it_away_or_bring_it_twice(world, deleted):
    from opencrm_ms365.access import links

    contact, row = deleted
    link = world.link("ada")
    links.disconnect(link)
    links.forget_account(link)
    link.save()
    assert Browser(world, "ada").post("api-deleted-undo", row.pk).status_code == 200
    assert world.crm.contacts().get() == contact

    link.delete()
    assert not DeletedRecord.objects.exists(), "what was kept of the record goes with its link"
    assert Browser(world, "admin").post("api-deleted-undo", row.pk).status_code == 404


@rule("ORG-12", "ORG-07")
def test_who_may_not_delete_a_record_may_not_bring_it_back_either(world, deleted, monkeypatch):
    from demo_crm.crm.ms365 import ContactAdapter

    contact, row = deleted
    monkeypatch.setattr(ContactAdapter, "can_delete", lambda self, obj, ctx: ctx.user != world.user("ada"))
    answer = Browser(world, "ada").post("api-deleted-undo", row.pk)
    assert answer.status_code == 409 and "may not bring this record back" in answer.json()["detail"]
    assert not world.crm.contacts().exists()
    assert Browser(world, "admin").post("api-deleted-undo", row.pk).status_code == 200


@rule("ORG-12", "PRIV-03")
def test_after_thirty_days_nothing_of_it_is_kept(world, deleted):
    from opencrm_ms365.sync import sweep

    contact, row = deleted
    DeletedRecord.objects.update(at=timezone.now() - datetime.timedelta(days=31))
    sweep.prune()
    assert not DeletedRecord.objects.exists()
    assert Browser(world, "ada").post("api-deleted-undo", row.pk).status_code == 404
