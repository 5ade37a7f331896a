"""Contacts that the organisation leaves out by their Outlook category (ORG-17)."""

import pytest

from opencrm_ms365.models import RecordMapping, SyncProblem, SyncSettings
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)

GRACE = {"givenName": "Grace", "surname": "Hopper", "emailAddresses": [{"address": "grace@x.example"}]}


@pytest.fixture
def box(world):
    world.organisation(left_out_categories=["Personal"])
    world.connect("ada")
    return world.mailbox("ada")


@rule("ORG-17")
def test_a_contact_with_the_category_is_not_brought_in_until_it_loses_it(world, box):
    item = box.add_contact(**GRACE, categories=["Golf", "personal"])
    other = box.add_contact(givenName="Other", categories=["Golf"])
    world.sync()
    assert [contact.first_name for contact in world.crm.contacts()] == ["Other"]
    assert other["id"] and not SyncProblem.objects.exists()
    assert world.sync().writes == [] and world.sync(full=True).writes == []

    box.edit_contact(item["id"], categories=["Golf"])
    world.sync()
    assert {contact.first_name for contact in world.crm.contacts()} == {"Grace", "Other"}


@rule("ORG-17")
def test_a_linked_contact_that_gets_the_category_stays_as_it_is_on_both_sides(world, box):
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example")
    world.sync()
    [item] = box.contacts()
    box.edit_contact(item["id"], categories=["Personal"], jobTitle="Grandmother")
    contact.department = "Navy"
    contact.save()
    assert world.sync().writes == []
    assert RecordMapping.objects.get().released_by == "left_out"
    contact.refresh_from_db()
    assert contact.job_title == "" and box.contact(item["id"])["department"] is None

    contact.first_name = "Amazing"
    contact.save()
    assert world.sync().writes == [] and world.sync(full=True).writes == []

    box.edit_contact(item["id"], categories=[])
    world.settle()
    contact.refresh_from_db()
    item = box.contact(item["id"])
    assert (contact.job_title, contact.first_name, item["givenName"], item["department"]) == (
        "Grandmother", "Amazing", "Amazing", "Navy")
    assert len(box.contacts()) == world.crm.contacts().count() == 1


@rule("ORG-17", "DEL-01", "ORG-12")
@pytest.mark.parametrize("side", ["crm", "microsoft"])
def test_a_deletion_of_a_left_out_contact_reaches_nobody(world, box, side):
    world.organisation(left_out_categories=["Personal"], microsoft_deletion="delete")
    contact = world.crm.contact()
    world.sync()
    [item] = box.contacts()
    box.edit_contact(item["id"], categories=["Personal"])
    world.sync()
    if side == "crm":
        contact.delete()
    else:
        box.delete_contact(item["id"])
    assert world.sync().writes == []
    assert len(box.contacts()) == (side == "crm")
    assert world.crm.contacts().count() == (side == "microsoft")


@rule("ORG-17")
def test_a_record_whose_partner_is_left_out_is_not_made_a_second_time(world, box):
    box.add_contact(**GRACE, categories=["Personal"])
    world.sync()
    world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example")
    world.sync()
    assert len(box.contacts()) == 1
    assert "leaves out" in SyncProblem.objects.get().reason
    assert world.sync().writes == []


@rule("ORG-17")
def test_a_category_chosen_later_unlinks_and_one_given_up_links_again(world):
    world.connect("ada")
    box = world.mailbox("ada")
    item = box.add_contact(**GRACE, categories=["Personal"])
    world.sync()
    [contact] = world.crm.contacts()

    SyncSettings.objects.update(left_out_categories=["PERSONAL"])
    assert world.sync().writes == []
    assert RecordMapping.objects.get().released_by == "left_out"
    contact.job_title = "Grandmother"
    contact.save()
    assert world.sync().writes == []

    SyncSettings.objects.update(left_out_categories=[])
    world.settle()
    assert box.contact(item["id"])["jobTitle"] == "Grandmother"
    assert world.crm.contacts().count() == len(box.contacts()) == 1
    assert RecordMapping.objects.get().state == "linked"


@rule("ORG-17")
def test_the_preview_leaves_it_out_too(world, box):
    from django.utils import timezone

    from opencrm_ms365.models import SyncRun
    from opencrm_ms365.sync.preview import run_preview

    box.add_contact(**GRACE, categories=["Personal"])
    run = SyncRun.objects.create(link=world.link("ada"), trigger="preview", queued_at=timezone.now())
    assert run_preview(run.pk).counts["contacts"]["crm"]["created"] == 0


@rule("CON-05")
def test_a_record_that_one_may_not_change_is_linked_once_one_may(world, monkeypatch):
    from opencrm_ms365.adapters import site

    adapter = site.get("crm.contact")
    monkeypatch.setattr(adapter, "can_change", lambda obj, ctx: False, raising=False)
    world.connect("ada", only_my_items=False)
    box = world.mailbox("ada")
    world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example", owner="ada", phone="+1 1")
    item = box.add_contact(**GRACE)
    assert world.sync().writes == [] and world.sync().writes == []
    assert not RecordMapping.objects.exists() and len(box.contacts()) == 1

    monkeypatch.undo()
    world.settle()
    assert box.contact(item["id"])["businessPhones"] == ["+1 1"]
    assert world.crm.contacts().count() == len(box.contacts()) == 1
    assert SyncProblem.objects.filter(resolved_at=None).count() == 0
