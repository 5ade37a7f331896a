"""Suppliers of the awkward CRM and Outlook: joined addresses, partial addresses, soft deletion, unique addresses."""

import datetime

import pytest
from django.utils import timezone

from opencrm_ms365.models import CrmTouch, RecordMapping, SyncProblem
from tests.adapters.awkward.models import Supplier
from tests.adapters.builders import supplier as make_supplier
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


def mill(world, **values):
    values = {"name": "Mill & Sons", "emails": "mill@x.example", **values}
    return make_supplier(world.org, owner=world.profile("ada"), **values)


@rule("CON-01")
def test_of_an_address_only_city_and_country_are_mapped_and_outlooks_other_parts_survive(acme):
    acme.connect("ada")
    made = mill(acme, city="Leeds", country="GB")
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    assert item["businessAddress"]["countryOrRegion"] == "United Kingdom"

    box.edit_contact(item["id"], businessAddress={
        "street": "1 Mill Lane", "city": "Leeds", "state": "W. Yorkshire", "postalCode": "LS1",
        "countryOrRegion": "United Kingdom"})
    assert acme.sync().writes == []
    Supplier.objects.filter(pk=made.pk).update(city="York", changed_at=timezone.now())
    acme.sync()
    assert box.contact(item["id"])["businessAddress"] == {
        "street": "1 Mill Lane", "city": "York", "state": "W. Yorkshire", "postalCode": "LS1",
        "countryOrRegion": "United Kingdom"}

    box.edit_contact(item["id"], businessAddress={"street": "2 Mill Lane", "city": "Hull", "postalCode": "HU1",
                                                  "countryOrRegion": "France"})
    acme.sync()
    made.refresh_from_db()
    assert (made.city, made.country) == ("Hull", "FR")
    assert box.contact(item["id"])["businessAddress"]["street"] == "2 Mill Lane"

    Supplier.objects.filter(pk=made.pk).update(city="", country="", changed_at=timezone.now())
    acme.sync()
    address = box.contact(item["id"])["businessAddress"]
    assert (address["street"], address["postalCode"]) == ("2 Mill Lane", "HU1")
    assert not address.get("city") and not address.get("countryOrRegion")
    assert acme.sync().writes == [] and acme.sync(full=True).writes == []


@rule("CON-01", "SYNC-05")
def test_an_outlook_contact_that_matches_a_supplier_fills_it_and_keeps_its_own_address_parts(acme):
    made = mill(acme)
    box = acme.mailbox("ada")
    item = box.add_contact(companyName="Mill & Sons", emailAddresses=[{"address": "MILL@x.example"}],
                           businessAddress={"street": "1 Mill Lane", "city": "Leeds", "countryOrRegion": "UK"})
    acme.connect("ada")
    acme.sync()
    made.refresh_from_db()
    assert (made.city, made.country) == ("Leeds", "GB")
    acme.settle()
    assert box.contact(item["id"])["businessAddress"]["street"] == "1 Mill Lane"
    assert len(box.contacts()) == 1
    assert acme.sync(full=True).writes == []


@rule("CON-10")
def test_a_country_that_has_no_code_stays_in_outlook(acme):
    acme.connect("ada")
    made = mill(acme, country="GB")
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    box.edit_contact(item["id"], businessAddress={"city": "Leeds", "countryOrRegion": "Narnia"})
    acme.sync()
    made.refresh_from_db()
    assert (made.city, made.country) == ("Leeds", "GB")
    assert SyncProblem.objects.filter(code="not_taken", reason__contains="countr").exists()
    acme.settle()
    assert acme.sync(full=True).writes == []


@rule("CON-10", "SYNC-05")
def test_joined_addresses_are_whole_or_stay_in_outlook(acme):
    acme.connect("ada")
    made = mill(acme, emails="Mill@x.example; second@x.example")
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    assert [entry["address"] for entry in item["emailAddresses"]] == ["Mill@x.example", "second@x.example"]

    long = "a" * 40 + "@x.example"
    box.edit_contact(item["id"], emailAddresses=[
        {"address": "mill@x.example"}, {"address": long}, {"address": "third@x.example"}])
    acme.sync()
    made.refresh_from_db()
    assert made.emails == "Mill@x.example; third@x.example"
    acme.settle()
    assert long in [entry["address"] for entry in box.contact(item["id"])["emailAddresses"]]
    assert acme.sync(full=True).writes == []


@rule("CON-01")
def test_a_day_stays_the_day_in_every_time_zone(acme):
    for person, zone in (("ada", "Pacific/Auckland"), ("ben", "America/Los_Angeles")):
        acme.connect(person, only_my_items=False, time_zone=zone)
    mill(acme, founded=datetime.date(1900, 1, 1))
    acme.sync()
    for person in ("ada", "ben"):
        [item] = acme.mailbox(person).contacts()
        assert item["birthday"].startswith("1900-01-01")
    box = acme.mailbox("ben")
    [item] = box.contacts()
    box.edit_contact(item["id"], birthday="1901-02-03T11:59:00Z")
    acme.sync()
    acme.sync()
    assert Supplier.objects.get().founded == datetime.date(1901, 2, 3)
    assert acme.mailbox("ada").contacts()[0]["birthday"].startswith("1901-02-03")


@rule("SYNC-03")
def test_an_address_that_must_be_unique_spoils_one_record_only(acme):
    acme.connect("ada")
    first = mill(acme, main_email="mill@x.example")
    second = mill(acme, name="Loom", emails="loom@x.example", main_email="loom@x.example")
    acme.sync()
    box = acme.mailbox("ada")
    [loom] = box.find(companyName="Loom")
    [other] = box.find(companyName="Mill & Sons")
    box.edit_contact(loom["id"], emailAddresses=[{"address": "mill@x.example"}], businessPhones=["+44 1"])
    box.edit_contact(other["id"], businessPhones=["+44 2"])
    acme.sync()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.phone, second.phone, second.emails) == ("+44 2", "", "loom@x.example")
    problem = SyncProblem.objects.get(code="crm_refused")
    assert "another record" in problem.reason and "mill@" not in problem.reason
    assert acme.sync().writes == []

    box.edit_contact(loom["id"], emailAddresses=[{"address": "looms@x.example"}])
    acme.sync()
    second.refresh_from_db()
    assert (second.emails, second.main_email, second.phone) == ("looms@x.example", "looms@x.example", "+44 1")
    assert acme.settle().writes == []


@rule("SYNC-03")
def test_a_refused_record_is_not_tried_again_in_every_cycle(acme):
    acme.connect("ada")
    mill(acme, main_email="mill@x.example")
    second = mill(acme, name="Loom", emails="loom@x.example", main_email="loom@x.example")
    acme.sync()
    box = acme.mailbox("ada")
    [loom] = box.find(companyName="Loom")
    box.edit_contact(loom["id"], emailAddresses=[{"address": "mill@x.example"}])
    acme.sync()
    assert RecordMapping.objects.get(object_id=str(second.pk)).attempts == 1

    CrmTouch.objects.all().delete()
    Supplier.objects.update(changed_at="2020-01-01T00:00:00Z")
    acme.sync()
    assert RecordMapping.objects.get(object_id=str(second.pk)).attempts == 1
    second.save()                                               # somebody looks into it
    acme.sync()
    assert SyncProblem.objects.get(code="crm_refused").times == 2


@rule("DEL-01", "ORG-12")
@pytest.mark.parametrize("choice", ["restore", "unlink", "delete"])
def test_a_supplier_deleted_in_outlook(acme, choice):
    acme.organisation(microsoft_deletion=choice)
    acme.connect("ada")
    made = mill(acme)
    acme.sync()
    box = acme.mailbox("ada")
    box.delete_contact(box.contacts()[0]["id"])
    acme.sync()

    made.refresh_from_db()
    assert (made.deleted_at is not None) == (choice == "delete")
    assert len(box.contacts()) == (choice == "restore")
    assert acme.sync().writes == [] and acme.sync(full=True).writes == []


@rule("DEL-01")
def test_a_soft_deleted_supplier_goes_and_a_restored_one_comes_back(acme):
    acme.connect("ada")
    made = mill(acme)
    acme.sync()
    box = acme.mailbox("ada")
    Supplier.objects.filter(pk=made.pk).update(deleted_at=timezone.now())
    acme.sync()
    assert box.contacts() == []
    Supplier.objects.filter(pk=made.pk).update(deleted_at=None)
    acme.sync()
    assert [item["companyName"] for item in box.contacts()] == ["Mill & Sons"]
    assert acme.sync().writes == []


@rule("CON-03")
def test_a_text_column_is_a_folder_on_both_sides(acme):
    acme.connect("ada")
    made = mill(acme, folder="Gold")
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts("Gold")

    box.add_folder("Silver")
    box.move_contact(item["id"], "Silver")
    acme.sync()
    made.refresh_from_db()
    assert made.folder == "Silver"

    Supplier.objects.filter(pk=made.pk).update(folder="Bronze", changed_at=timezone.now())
    acme.sync()
    assert [gone["companyName"] for gone in box.contacts("Bronze")] == ["Mill & Sons"]
    Supplier.objects.filter(pk=made.pk).update(folder="", changed_at=timezone.now())
    acme.sync()
    assert len(box.contacts(box.default_folder_id)) == 1
    assert acme.sync().writes == []


@rule("CON-09", "CON-11")
def test_a_cleared_tick_box_removes_the_copy_and_ticking_it_again_brings_it_back(acme):
    acme.connect("ada")
    made = mill(acme)
    acme.sync()
    box = acme.mailbox("ada")
    Supplier.objects.filter(pk=made.pk).update(sync=False)
    acme.sync()
    assert box.contacts() == [] and len(box.deleted_items()) == 1
    assert Supplier.objects.filter(pk=made.pk, deleted_at=None).exists()
    Supplier.objects.filter(pk=made.pk).update(sync=None)
    acme.sync()
    assert len(box.contacts()) == 1
    assert acme.sync().writes == []
