"""Contacts that go across: what arrives, what is matched, what is left alone (CON, ORG-06, ORG-08, ORG-09)."""

import datetime

import pytest

from opencrm_ms365.models import Conflict, HeldDecision, RecordMapping, SyncProblem
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)

EVERYTHING = {
    "givenName": "Grace",
    "surname": "Hopper",
    "companyName": "Navy",
    "department": "Computing",
    "jobTitle": "Rear admiral",
    "emailAddresses": [{"address": f"grace{number}@navy.example"} for number in (1, 2, 3)],
    "businessPhones": ["+1 202 555 0101"],
    "homePhones": ["+1 202 555 0102"],
    "mobilePhone": "+1 202 555 0103",
    "businessAddress": {"street": "1 Dock\nPier 2", "city": "Arlington", "state": "VA", "postalCode": "22201",
                        "countryOrRegion": "USA"},
    "businessHomePage": "https://navy.example",
    "birthday": "1906-12-09T11:59:00Z",
    "personalNotes": "Found the first bug.",
}


@rule("CON-01", "CON-04")
def test_a_contact_made_in_outlook_arrives_with_all_its_fields(world):
    world.connect("ada")
    world.mailbox("ada").add_contact(**EVERYTHING)

    world.sync()

    contact = world.crm.contacts().get()
    assert (contact.first_name, contact.last_name, contact.company) == ("Grace", "Hopper", "Navy")
    assert (contact.department, contact.job_title) == ("Computing", "Rear admiral")
    assert [contact.email, contact.email2, contact.email3] == [f"grace{n}@navy.example" for n in (1, 2, 3)]
    assert (contact.phone, contact.home_phone, contact.mobile) == (
        "+1 202 555 0101", "+1 202 555 0102", "+1 202 555 0103")
    assert contact.street.splitlines() == ["1 Dock", "Pier 2"]
    assert (contact.city, contact.state, contact.postcode, contact.country) == ("Arlington", "VA", "22201", "USA")
    assert contact.website == "https://navy.example"
    assert contact.birthday == datetime.date(1906, 12, 9)
    assert contact.notes == "Found the first bug."
    assert contact.assigned_to == world.user("ada")


@rule("CON-01")
def test_a_contact_made_in_the_crm_arrives_with_all_its_fields(world):
    world.connect("ada")
    world.crm.contact(
        first_name="Grace", last_name="Hopper", company="Navy", department="Computing", job_title="Rear admiral",
        email="grace@navy.example", email2="hopper@navy.example", phone="+1 202 555 0101",
        home_phone="+1 202 555 0102", mobile="+1 202 555 0103", street="1 Dock\nPier 2", city="Arlington", state="VA",
        postcode="22201", country="USA", website="https://navy.example", birthday=datetime.date(1906, 12, 9),
        notes="Found the first bug.")

    world.sync()

    [item] = world.mailbox("ada").contacts()
    assert (item["givenName"], item["surname"], item["companyName"]) == ("Grace", "Hopper", "Navy")
    assert item["displayName"] == "Grace Hopper"
    assert [entry["address"] for entry in item["emailAddresses"]] == ["grace@navy.example", "hopper@navy.example"]
    assert (item["businessPhones"], item["homePhones"], item["mobilePhone"]) == (
        ["+1 202 555 0101"], ["+1 202 555 0102"], "+1 202 555 0103")
    assert item["businessAddress"]["city"] == "Arlington"
    assert item["birthday"].startswith("1906-12-09")
    assert item["personalNotes"] == "Found the first bug."


@rule("CON-01")
def test_fields_that_the_crm_does_not_map_are_left_alone_in_outlook(world):
    world.connect("ada")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", nickName="Amazing", spouseName="Vincent",
                           homeAddress={"city": "Arlington"}, categories=["VIP"], displayName="The Admiral",
                           fileAs="Admiral")
    world.sync()

    contact = world.crm.contacts().get()
    contact.last_name, contact.job_title = "Murray", "Commodore"
    contact.save()
    world.sync()

    item = box.contact(item["id"])
    assert (item["surname"], item["jobTitle"]) == ("Murray", "Commodore")
    assert (item["nickName"], item["spouseName"], item["homeAddress"]["city"]) == ("Amazing", "Vincent", "Arlington")
    assert item["categories"] == ["VIP"]
    assert (item["displayName"], item["fileAs"]) == ("The Admiral", "Admiral")


@rule("CON-01")
def test_a_display_name_that_outlook_made_follows_the_name(world):
    world.connect("ada")
    contact = world.crm.contact(first_name="Grace", last_name="Hopper")
    world.sync()

    contact.last_name = "Murray"
    contact.save()
    world.sync()

    [item] = world.mailbox("ada").contacts()
    assert item["displayName"] == "Grace Murray"


@rule("SYNC-05", "SYNC-06")
def test_edits_on_both_sides_of_different_fields_are_merged_and_then_it_is_quiet(world):
    world.connect("ada")
    contact = world.crm.contact()
    box = world.mailbox("ada")
    world.sync()
    [item] = box.contacts()

    contact.job_title = "Rear admiral"
    contact.save()
    box.edit_contact(item["id"], mobilePhone="+1 202 555 0103")
    ran = world.sync()

    contact.refresh_from_db()
    [item] = box.contacts()
    assert (contact.job_title, contact.mobile) == ("Rear admiral", "+1 202 555 0103")
    assert (item["jobTitle"], item["mobilePhone"]) == ("Rear admiral", "+1 202 555 0103")
    assert ran.counts()["conflicts"] == 0
    before = contact.updated_at
    assert world.sync().writes == []
    contact.refresh_from_db()
    assert contact.updated_at == before


@rule("ORG-09")
@pytest.mark.parametrize(("conflict_rule", "value"), [("crm", "Commodore"), ("microsoft", "Captain")])
def test_a_conflict_goes_by_the_rule_and_keeps_both_values(world, conflict_rule, value):
    world.organisation(conflict_rule=conflict_rule)
    world.connect("ada")
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", job_title="Officer")
    box = world.mailbox("ada")
    world.sync()
    [item] = box.contacts()

    contact.job_title = "Commodore"
    contact.save()
    box.edit_contact(item["id"], jobTitle="Captain")
    ran = world.sync()

    contact.refresh_from_db()
    assert (contact.job_title, box.contact(item["id"])["jobTitle"]) == (value, value)
    assert ran.counts()["conflicts"] == 1
    conflict = Conflict.objects.get()
    assert (conflict.field, conflict.winner) == ("job_title", conflict_rule)
    assert world.sync().writes == []
    assert Conflict.objects.count() == 1


@rule("ORG-09")
def test_the_latest_change_wins_where_the_rule_says_so(world):
    world.organisation(conflict_rule="latest")
    world.connect("ada")
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", job_title="Officer")
    box = world.mailbox("ada")
    world.sync()
    [item] = box.contacts()

    contact.job_title = "Commodore"
    contact.save()
    world.sandbox.clock.advance(60)
    box.edit_contact(item["id"], jobTitle="Captain")
    world.sync()

    contact.refresh_from_db()
    assert contact.job_title == "Captain"


@rule("ORG-09")
def test_the_same_new_value_on_both_sides_is_no_conflict(world):
    world.connect("ada")
    contact = world.crm.contact()
    box = world.mailbox("ada")
    world.sync()
    [item] = box.contacts()

    contact.job_title = "Commodore"
    contact.save()
    box.edit_contact(item["id"], jobTitle="Commodore")
    ran = world.sync()

    assert ran.counts()["conflicts"] == 0
    assert ran.writes == []


@rule("ORG-09")
def test_a_person_can_take_the_other_value_afterwards(world):
    from opencrm_ms365.sync.conflicts import take_other

    world.connect("ada")
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", job_title="Officer")
    box = world.mailbox("ada")
    world.sync()
    [item] = box.contacts()
    contact.job_title = "Commodore"
    contact.save()
    box.edit_contact(item["id"], jobTitle="Captain")
    world.sync()

    take_other(Conflict.objects.get(), world.user("ada"))
    world.sync()

    contact.refresh_from_db()
    assert (contact.job_title, box.contact(item["id"])["jobTitle"]) == ("Captain", "Captain")


@rule("ORG-08", "CON-05")
def test_a_contact_on_both_sides_is_linked_by_its_address_without_case(world):
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", email="GRACE@navy.example ", phone="+1 202 1")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", jobTitle="Admiral",
                           emailAddresses=[{"address": "grace@Navy.example"}])
    world.connect("ada")
    world.sync()

    assert world.crm.contacts().count() == len(box.contacts()) == 1
    contact.refresh_from_db()
    assert contact.job_title == "Admiral"
    assert box.contact(item["id"])["businessPhones"] == ["+1 202 1"]
    assert world.sync().writes == []


@rule("ORG-08")
def test_a_contact_is_linked_by_name_and_company_where_no_address_tells(world):
    world.crm.contact(first_name="Grace", last_name="Hopper", company="Navy")
    box = world.mailbox("ada")
    box.add_contact(givenName="grace", surname="HOPPER", companyName="navy")
    world.connect("ada")
    world.sync()

    assert world.crm.contacts().count() == len(box.contacts()) == 1


@rule("ORG-08")
def test_a_contact_is_linked_by_phone_where_the_rule_is_on(world):
    world.organisation(match_by=["phone"])
    world.crm.contact(first_name="Grace", last_name="Hopper", phone="+1 (202) 555-0101")
    box = world.mailbox("ada")
    box.add_contact(givenName="G.", surname="Hopper", mobilePhone="+12025550101")
    world.connect("ada")
    world.sync()

    assert world.crm.contacts().count() == len(box.contacts()) == 1


@rule("ORG-08")
def test_of_several_candidates_the_one_whose_names_agree_is_taken(world):
    world.crm.contact(first_name="Ann", last_name="Office", email="office@x.example")
    grace = world.crm.contact(first_name="Grace", last_name="Hopper", email="office@x.example")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", jobTitle="Admiral",
                           emailAddresses=[{"address": "office@x.example"}])
    world.connect("ada")
    world.sync()

    grace.refresh_from_db()
    assert grace.job_title == "Admiral"
    assert RecordMapping.objects.get(graph_id=item["id"]).object_id == str(grace.pk)
    assert len(box.contacts()) == world.crm.contacts().count() == 2


@rule("ORG-08")
def test_several_candidates_none_of_which_agrees_are_held_and_nothing_is_created(world):
    world.crm.contact(first_name="Ann", last_name="Office", email="office@x.example")
    world.crm.contact(first_name="Bob", last_name="Office", email="office@x.example")
    box = world.mailbox("ada")
    box.add_contact(givenName="Zoe", surname="Other", emailAddresses=[{"address": "office@x.example"}])
    world.connect("ada")
    world.sync()

    assert world.crm.contacts().count() == 2
    assert len(box.contacts()) == 1
    assert HeldDecision.objects.get().reason == "ambiguous"
    assert world.sync().writes == []
    assert HeldDecision.objects.count() == 1


@rule("ORG-08")
def test_a_person_decides_about_a_held_match(world):
    ann = world.crm.contact(first_name="Ann", last_name="Office", email="office@x.example")
    world.crm.contact(first_name="Bob", last_name="Office", email="office@x.example")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Zoe", surname="Other", emailAddresses=[{"address": "office@x.example"}])
    world.connect("ada")
    world.sync()

    HeldDecision.objects.update(state="confirmed", choice=f"crm.contact:{ann.pk}")
    world.settle()

    assert RecordMapping.objects.get(graph_id=item["id"]).object_id == str(ann.pk)
    assert len(box.contacts()) == world.crm.contacts().count() == 2


@rule("CON-05", "ORG-08")
def test_two_outlook_contacts_that_match_one_record_are_ambiguous(world):
    world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example")
    box = world.mailbox("ada")
    for name in ("Gracie", "Gigi"):
        box.add_contact(givenName=name, surname="H.", emailAddresses=[{"address": "grace@x.example"}])
    world.connect("ada")
    world.sync()

    assert world.crm.contacts().count() == 1
    assert len(box.contacts()) == 2
    assert HeldDecision.objects.filter(reason="ambiguous").count() == 2


@rule("CON-04")
def test_two_outlook_contacts_without_a_match_become_two_records(world):
    box = world.mailbox("ada")
    for name in ("Grace", "Vincent"):
        box.add_contact(givenName=name, surname="Hopper", emailAddresses=[{"address": "family@x.example"}])
    world.connect("ada")
    world.settle()

    assert {contact.first_name for contact in world.crm.contacts()} == {"Grace", "Vincent"}


@rule("CON-05")
def test_at_the_first_pairing_empty_fields_are_filled_and_different_ones_are_conflicts(world):
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example", job_title="Commodore",
                                city="Arlington", notes="From the CRM")
    box = world.mailbox("ada")
    item = box.add_contact(
        givenName="Grace", surname="Hopper", jobTitle="Captain", department="Computing",
        businessAddress={"street": "1 Dock"},
        emailAddresses=[{"address": "grace@x.example"}, {"address": "second@x.example"}])
    world.connect("ada")
    ran = world.sync()

    contact.refresh_from_db()
    item = box.contact(item["id"])
    assert (contact.job_title, item["jobTitle"]) == ("Commodore", "Commodore")
    assert (contact.department, item["department"]) == ("Computing", "Computing")
    assert (contact.street, contact.city) == ("1 Dock", "Arlington")
    assert (item["businessAddress"]["street"], item["businessAddress"]["city"]) == ("1 Dock", "Arlington")
    assert item["personalNotes"] == "From the CRM"
    assert contact.email2 == "second@x.example"
    assert ran.counts()["conflicts"] == 1
    assert world.sync().writes == []


@rule("CON-05")
def test_assigned_to_survives_a_change_in_outlook(world):
    world.crm.team("Sales", "ada", "ben")
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example", owner="ben")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", emailAddresses=[{"address": "grace@x.example"}])
    world.connect("ada", only_my_items=False)
    world.sync()
    box.edit_contact(item["id"], jobTitle="Admiral")
    world.sync()

    contact.refresh_from_db()
    assert (contact.job_title, contact.assigned_to) == ("Admiral", world.user("ben"))


@rule("CON-05")
def test_a_colleagues_record_is_linked_inwards_only(world):
    world.crm.team("Sales", "ada", "ben")
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example", owner="ben",
                                phone="+1 1")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", emailAddresses=[{"address": "grace@x.example"}],
                           jobTitle="Admiral")
    world.connect("ada")  # only my items is on
    ran = world.sync()

    contact.refresh_from_db()
    assert contact.job_title == "Admiral"
    assert ran.writes == []
    contact.phone = "+1 2"
    contact.save()
    assert world.sync().writes == []
    assert box.contact(item["id"])["businessPhones"] == []
    box.edit_contact(item["id"], jobTitle="Fleet admiral")
    assert world.sync().writes == []
    contact.refresh_from_db()
    assert contact.job_title == "Fleet admiral"
    contact.delete()
    assert world.sync().writes == []
    assert len(box.contacts()) == 1 and not world.crm.contacts().exists()


@rule("CON-05", "PRIV-03")
def test_a_record_that_the_user_may_not_see_is_neither_linked_nor_doubled(world):
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example", owner="cleo")
    box = world.mailbox("ada")
    box.add_contact(givenName="Grace", surname="Hopper", emailAddresses=[{"address": "grace@x.example"}], jobTitle="A")
    world.connect("ada", only_my_items=False)
    ran = world.sync()

    contact.refresh_from_db()
    assert contact.job_title == ""
    assert world.crm.contacts().count() == 1
    assert ran.writes == []
    problem = SyncProblem.objects.get()
    assert problem.code == "not_permitted"
    assert str(contact.pk) not in problem.object_id and "Hopper" not in problem.reason


@rule("CON-06")
def test_a_change_from_one_user_reaches_all_who_have_the_contact(world):
    world.crm.team("Sales", "ada", "ben")
    world.connect("ada", only_my_items=False)
    world.connect("ben", only_my_items=False)
    world.crm.contact()
    world.sync()
    [hers], [his] = world.mailbox("ada").contacts(), world.mailbox("ben").contacts()

    world.mailbox("ada").edit_contact(hers["id"], mobilePhone="+1 202 555 0103")
    world.settle()

    assert world.mailbox("ben").contact(his["id"])["mobilePhone"] == "+1 202 555 0103"
    assert world.crm.contacts().get().mobile == "+1 202 555 0103"


@rule("CON-10")
def test_what_outlook_cannot_hold_stays_in_the_crm_and_is_reported_once(world):
    world.connect("ada")
    contact = world.crm.contact(first_name="Grace", last_name="Hopper", email="not an address",
                                email2="grace@x.example", notes="n" * 40_000)
    world.sync()

    [item] = world.mailbox("ada").contacts()
    assert [entry["address"] for entry in item["emailAddresses"]] == ["grace@x.example"]
    assert len(item["personalNotes"]) < 40_000
    reported = SyncProblem.objects.filter(code="unfit").count()
    assert reported == 2
    world.mailbox("ada").edit_contact(item["id"], jobTitle="Admiral")
    world.sync()
    assert world.sync(full=True).writes == []
    contact.refresh_from_db()
    assert (contact.email, contact.email2, len(contact.notes)) == ("not an address", "grace@x.example", 40_000)
    assert contact.job_title == "Admiral"
    assert SyncProblem.objects.filter(code="unfit").count() == reported


@rule("CON-10")
def test_what_the_crm_cannot_hold_stays_in_outlook(world):
    world.connect("ada")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", businessPhones=["+1 1", "+1 2"])
    world.sync()
    contact = world.crm.contacts().get()
    assert contact.phone == "+1 1"

    contact.phone = "+1 3"
    contact.save()
    world.sync()

    assert box.contact(item["id"])["businessPhones"] == ["+1 3", "+1 2"]
    assert world.sync().writes == []


@rule("ORG-06")
def test_to_microsoft_nothing_is_ever_written_to_the_crm(world):
    world.organisation(contact_direction="to_microsoft")
    contact = world.crm.contact(job_title="Commodore")
    box = world.mailbox("ada")
    box.add_contact(givenName="Only", surname="Outlook", emailAddresses=[{"address": "only@x.example"}])
    world.connect("ada")
    world.sync()
    assert world.crm.contacts().count() == 1
    item = box.find(givenName="Grace")[0]
    before = list(world.crm.contacts().values())

    box.edit_contact(item["id"], jobTitle="Captain")
    world.sync()
    box.delete_contact(item["id"])
    world.sync()
    world.sync(full=True)

    assert list(world.crm.contacts().values()) == before
    assert contact.pk


@rule("ORG-06", "ORG-08")
def test_to_microsoft_a_later_record_is_linked_with_the_contact_that_is_there(world):
    world.organisation(contact_direction="to_microsoft")
    box = world.mailbox("ada")
    box.add_contact(givenName="Grace", surname="Hopper", emailAddresses=[{"address": "grace@x.example"}])
    world.connect("ada")
    world.sync()
    assert not world.crm.contacts().exists()

    world.crm.contact(first_name="Grace", last_name="Hopper", email="grace@x.example", phone="+1 1")
    world.sync()

    [item] = box.contacts()
    assert item["businessPhones"] == ["+1 1"]


@rule("ORG-06")
def test_to_the_crm_nothing_is_ever_written_to_microsoft(world):
    world.organisation(contact_direction="to_crm")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", emailAddresses=[{"address": "g@x.example"}])
    world.crm.contact(first_name="Only", last_name="Crm", email="only@x.example")
    world.connect("ada")
    ran = world.sync()
    assert ran.writes == []
    contact = world.crm.contacts().get(first_name="Grace")

    contact.job_title = "Commodore"
    contact.save()
    assert world.sync().writes == []
    box.delete_contact(item["id"])
    assert world.sync().writes == []
    assert world.crm.contacts().count() == 2  # restoring acts as unlinking


@rule("ORG-06")
def test_to_the_crm_what_is_deleted_there_is_not_brought_in_again(world):
    world.organisation(contact_direction="to_crm")
    box = world.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", emailAddresses=[{"address": "g@x.example"}])
    world.connect("ada")
    world.sync()
    world.crm.contacts().get().delete()

    assert world.sync().writes == []
    box.edit_contact(item["id"], jobTitle="Captain")
    world.sync()
    world.sync(full=True)

    assert not world.crm.contacts().exists()
    assert len(box.contacts()) == 1


@rule("ORG-05")
def test_nothing_happens_while_contacts_are_switched_off(world):
    world.organisation(sync_contacts=False, sync_activities=False)
    world.connect("ada")
    world.crm.contact()
    assert world.sync().requests == []


@rule("CON-04", "USER-08")
def test_a_contact_that_holds_nothing_for_the_crm_is_reported_until_it_does(world):
    world.connect("ada")
    box = world.mailbox("ada")
    item = box.add_contact(displayName="Grace", nickName="Amazing Grace")
    assert not world.sync().outcomes["ada"].run.message
    assert not world.crm.contacts().exists()
    problem = SyncProblem.objects.get()
    assert problem.is_warning and problem.graph_id == item["id"] and "nothing that the CRM could keep" in problem.reason

    box.edit_contact(item["id"], surname="Hopper")
    world.sync()
    assert world.crm.contacts().get().last_name == "Hopper"
    problem.refresh_from_db()
    assert problem.resolved_at is not None
