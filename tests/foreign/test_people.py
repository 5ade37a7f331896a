"""People of the awkward CRM and Outlook, both ways (CON, SYNC-05, SYNC-06)."""

import datetime

import pytest

from opencrm_ms365.models import RecordMapping, SyncProblem
from opencrm_ms365.sync.stored import StoredValues
from tests.adapters.awkward.models import Company, EmailAddress, Number, Person
from tests.adapters.builders import person as make_person
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


def ada(world, *, owner="ada", emails=("ada@x.example",), **values):
    values = {"first_name": "Ada", "last_name": "Lovelace", **values}
    made = make_person(world.org, owners=[world.profile(owner)], **values)
    for place, address in enumerate(emails):
        EmailAddress.objects.create(person=made, address=address, is_primary=place == 0)
    return made


def people(world):
    return Person.objects.filter(organisation=world.org)


@rule("CON-01", "SYNC-05")
def test_a_person_goes_out_with_its_child_rows_and_then_it_is_quiet(acme):
    acme.connect("ada")
    company = Company.objects.create(organisation=acme.org, name="Engines", sector="steam")
    made = ada(acme, emails=("ada@x.example", "lovelace@x.example"), salutation="m", company=company, vat="7",
               notes="<p>Met <b>Charles</b></p>", birthday=datetime.datetime(1815, 12, 10, 8, 0, tzinfo=datetime.UTC))
    Number.objects.create(person=made, kind="work", number="+44 20 1", rank=0)
    Number.objects.create(person=made, kind="home", number="+44 20 9", rank=0)
    acme.sync()

    [item] = acme.mailbox("ada").contacts()
    assert (item["givenName"], item["surname"], item["title"]) == ("Ada", "Lovelace", "Mr")
    assert [entry["address"] for entry in item["emailAddresses"]] == ["ada@x.example", "lovelace@x.example"]
    assert (item["businessPhones"], item["homePhones"]) == (["+44 20 1"], [])
    assert (item["companyName"], item["personalNotes"]) == ("Engines", "Met Charles")
    assert item["birthday"].startswith("1815-12-10")
    assert acme.sync().writes == []
    assert acme.sync(full=True).writes == []


@rule("CON-04", "SYNC-05")
def test_an_outlook_contact_becomes_a_person_with_child_rows_and_an_owner(acme):
    acme.connect("ada")
    box = acme.mailbox("ada")
    box.add_contact(givenName="Grace", surname="Hopper", companyName="Navy", nickName="Amazing", categories=["VIP"],
                    emailAddresses=[{"address": "grace@x.example"}, {"address": "hopper@x.example"}],
                    businessPhones=["+1 1", "+1 2"], mobilePhone="+1 3", personalNotes="First\nbug")
    acme.sync()

    [made] = people(acme)
    assert (made.first_name, made.kind, made.vat, made.company.name) == ("Grace", "lead", "-", "Navy")
    assert list(made.owners.all()) == [acme.profile("ada")]
    assert [row.address for row in made.addresses.order_by("-is_primary")] == ["grace@x.example", "hopper@x.example"]
    assert list(made.numbers.order_by("kind", "rank").values_list("kind", "number")) == [
        ("cell", "+1 3"), ("work", "+1 1"), ("work", "+1 2")]
    assert "<br" in made.notes or "<p>" in made.notes
    kept = StoredValues(acme.key).get_many("awkward.person", [str(made.pk)])[str(made.pk)]
    assert kept == {"nickname": "Amazing", "categories": ["VIP"]}
    assert acme.sync().writes == []


@rule("SYNC-05", "SYNC-06")
def test_changes_that_no_signal_and_no_stamp_tells_of_reach_outlook(acme):
    acme.connect("ada")
    made = ada(acme)
    acme.sync()

    Person.objects.filter(pk=made.pk).update(first_name="Augusta", website="https://ada.example")
    EmailAddress.objects.filter(person=made).update(address="countess@x.example")
    acme.sync()

    [item] = acme.mailbox("ada").contacts()
    assert (item["givenName"], item["businessHomePage"]) == ("Augusta", "https://ada.example")
    assert [entry["address"] for entry in item["emailAddresses"]] == ["countess@x.example"]
    assert acme.sync().writes == []


@rule("SYNC-06")
def test_edits_on_both_sides_are_merged_and_the_rows_keep_what_else_they_hold(acme):
    acme.connect("ada")
    made = ada(acme, emails=("ada@x.example", "lovelace@x.example"))
    EmailAddress.objects.filter(person=made).update(verified=True)
    keys = set(made.addresses.values_list("pk", flat=True))
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()

    box.edit_contact(item["id"], mobilePhone="+44 7", emailAddresses=[
        {"address": "ada@x.example"}, {"address": "lovelace@x.example"}, {"address": "third@x.example"}])
    Person.objects.filter(pk=made.pk).update(website="https://ada.example")
    acme.sync()

    assert box.contact(item["id"])["businessHomePage"] == "https://ada.example"
    assert made.numbers.get().number == "+44 7"
    rows = list(made.addresses.order_by("pk"))
    assert [row.address for row in rows] == ["ada@x.example", "lovelace@x.example", "third@x.example"]
    assert {row.pk for row in rows if row.verified} == keys
    assert acme.sync().writes == []


@rule("CON-10")
def test_a_second_word_for_the_same_title_survives_and_a_fourth_address_stays_in_the_crm(acme):
    acme.connect("ada")
    made = ada(acme, salutation="m", emails=[f"a{number}@x.example" for number in range(4)])
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    box.edit_contact(item["id"], givenName="Augusta", emailAddresses=[
        {"address": "a0@x.example"}, {"address": "new@x.example"}, {"address": "a2@x.example"}])
    acme.settle()

    made.refresh_from_db()
    assert (made.first_name, made.salutation) == ("Augusta", "m")
    assert [row.address for row in made.addresses.order_by("-is_primary", "pk")] == [
        "a0@x.example", "new@x.example", "a2@x.example", "a3@x.example"]
    assert SyncProblem.objects.filter(code="unfit").count() == 1


@rule("CON-10")
def test_what_the_crm_refuses_stays_in_outlook_and_is_told(acme):
    acme.connect("ada")
    made = ada(acme)
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    box.edit_contact(item["id"], givenName="1815", businessHomePage="no address", jobTitle="Countess",
                     mobilePhone="+44 7")
    acme.sync()

    made.refresh_from_db()
    assert (made.first_name, made.website) == ("Ada", "")
    assert made.numbers.get().number == "+44 7"
    told = {row.reason.partition(":")[0] for row in SyncProblem.objects.filter(code="not_taken")}
    assert told == {"given_name", "web"}
    assert not any("1815" in row.reason for row in SyncProblem.objects.all())
    assert box.contact(item["id"])["businessHomePage"] == "no address"
    assert acme.settle().writes == []


@rule("SYNC-03")
def test_a_person_whom_the_crm_forbids_is_held_alone_until_outlook_changes(acme):
    acme.connect("ada")
    box = acme.mailbox("ada")
    bad = box.add_contact(givenName="Bad", surname="Forbidden")
    box.add_contact(givenName="Good", surname="Person")
    acme.sync()
    assert [made.first_name for made in people(acme)] == ["Good"]
    problem = SyncProblem.objects.get(code="crm_refused")
    assert "may be kept" in problem.reason and "Forbidden" not in problem.reason

    assert acme.sync().writes == []
    box.edit_contact(bad["id"], surname="Allowed")
    acme.sync()
    assert {made.last_name for made in people(acme)} == {"Person", "Allowed"}
    problem.refresh_from_db()
    assert problem.resolved_at is not None


@rule("SYNC-03")
def test_an_edit_that_the_crm_forbids_leaves_the_record_alone_until_something_changes(acme):
    acme.connect("ada")
    made = ada(acme)
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    box.edit_contact(item["id"], surname="Forbidden")
    acme.sync()
    made.refresh_from_db()
    assert made.last_name == "Lovelace"
    assert acme.sync().writes == []

    box.edit_contact(item["id"], surname="King")
    acme.sync()
    made.refresh_from_db()
    assert made.last_name == "King"
    assert acme.settle().writes == []


def test_a_record_that_the_adapter_skips_is_told_of_once_and_goes_out_later(acme):
    acme.connect("ada")
    made = ada(acme, vat="secret")
    acme.sync()
    assert acme.mailbox("ada").contacts() == []
    problem = SyncProblem.objects.get()
    assert "VAT number is secret" in problem.reason

    Person.objects.update(vat="1")
    acme.sync()
    assert [item["givenName"] for item in acme.mailbox("ada").contacts()] == ["Ada"]
    assert made.pk
    problem.refresh_from_db()
    assert problem.resolved_at is not None


@rule("DEL-01")
def test_what_the_manager_hides_is_deleted_in_outlook_and_comes_back_under_a_new_key(acme):
    acme.connect("ada")
    made = ada(acme)
    ada(acme, first_name="Other", emails=())
    acme.sync()

    Person.objects.filter(pk=made.pk).update(archived=True)
    acme.sync()
    box = acme.mailbox("ada")
    assert [item["givenName"] for item in box.contacts()] == ["Other"]

    restored = ada(acme)            # this CRM restores a record as a new row
    Person._base_manager.filter(pk=made.pk).delete()
    acme.sync()
    assert sorted(item["givenName"] for item in box.contacts()) == ["Ada", "Other"]
    assert acme.sync().writes == []
    assert people(acme).filter(pk=restored.pk).exists() and people(acme).count() == 2


@rule("DEL-01")
def test_a_record_archived_and_brought_back_between_two_cycles_keeps_its_link(acme):
    acme.connect("ada")
    made = ada(acme)
    acme.sync()
    Person.objects.filter(pk=made.pk).update(archived=True)
    Person._base_manager.filter(pk=made.pk).update(archived=False)
    assert acme.sync().writes == []


@rule("DEL-01", "ORG-09")
def test_a_record_that_comes_back_under_a_new_key_before_the_cycle_is_matched_not_doubled(acme):
    acme.connect("ada")
    made = ada(acme)
    acme.sync()
    Person._base_manager.filter(pk=made.pk).delete()
    ada(acme)
    acme.settle()

    assert len(acme.mailbox("ada").contacts()) == 1
    assert people(acme).count() == 1


@rule("SYNC-03")
def test_what_outlook_changes_while_the_crm_holds_a_record_back_arrives_when_it_lets_it_go(acme):
    acme.connect("ada")
    made = ada(acme)
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    Person.objects.update(vat="secret")
    box.edit_contact(item["id"], mobilePhone="+44 7")
    assert acme.sync().writes == []
    assert not made.numbers.exists()
    assert "is not synced at present: its VAT number is secret" in SyncProblem.objects.get().reason

    Person.objects.update(vat="1")
    RecordMapping.objects.update(next_try_at="2020-01-01T00:00:00Z")
    acme.sync()
    assert made.numbers.get().number == "+44 7"
    assert SyncProblem.objects.get().resolved_at is not None
    assert RecordMapping.objects.get().next_try_at is None
