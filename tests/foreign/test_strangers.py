"""Two strangers' CRMs, synced with Outlook: leads with one name column, customers in two tables."""

import pytest

from opencrm_ms365.models import SyncProblem
from tests.rules import rule

from .plugging import plugged_in
from .strangers.leads import LeadAdapter
from .strangers.models import Account, Assignment, Customer, Lead, Party, Place, Point
from .strangers.parties import CustomerAdapter

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def leads(world):
    with plugged_in((LeadAdapter, Lead, {})):
        yield world


@pytest.fixture
def parties(world):
    with plugged_in((CustomerAdapter, Customer, {})):
        yield world


def quiet(world):
    return world.settle().writes == [] and world.sync(full=True).writes == []


def lead(world, full_name="Grace Brewster Hopper", **values):
    user = world.user("ada")
    account = Account.objects.get_or_create(name="Navy", defaults={"owner": user})[0]
    return Lead.objects.create(**{"full_name": full_name, "owner": user, "account": account,
                                  "email": "grace@x.example", **values})


def customer(world, *points, **values):
    user = world.user("ada")
    made = Customer.objects.create(**{"first": "Grace", "last": "Hopper", "label": "Grace Hopper", "created_by": user,
                                      **values})
    Assignment.objects.create(customer=made, user=user)
    for kind, value in points or [("email", "grace@x.example")]:
        Point.objects.create(party=made, type=kind, value=value)
    return made


@rule("CON-01", "SYNC-05")
def test_a_lead_goes_out_with_its_name_in_two_parts(leads):
    leads.connect("ada")
    lead(leads, phone="+1 202 555 0101", country="GB", town="York", tags="Navy, Computing", born="1906-12-09")
    leads.sync()
    [item] = leads.mailbox("ada").contacts("New")
    assert (item["givenName"], item["surname"], item["displayName"]) == (
        "Grace Brewster", "Hopper", "Grace Brewster Hopper")
    assert (item["companyName"], sorted(item["categories"])) == ("Navy", ["Computing", "Navy"])
    assert (item["homeAddress"]["city"], item["homeAddress"]["countryOrRegion"]) == ("York", "United Kingdom")
    assert item["birthday"].startswith("1906-12-09")
    assert quiet(leads)
    assert Lead.objects.get().tags == "Navy, Computing"


@rule("CON-04", "CON-10")
def test_an_outlook_contact_becomes_a_lead_with_an_account_as_far_as_it_fits(leads):
    leads.connect("ada")
    box = leads.mailbox("ada")
    item = box.add_contact(
        givenName="Ada", surname="Lovelace", companyName="Analytical Engines",
        businessPhones=["+44 20 7946 0000 ext 12345"],
        emailAddresses=[{"address": "ada@x.example"}, {"address": "second@x.example"}],
        homeAddress={"street": "12 St James's Square", "city": "London", "countryOrRegion": "Germany"})
    bare = box.add_contact(givenName="Madonna")
    leads.sync()

    made = Lead.objects.get(full_name="Ada Lovelace")
    assert (made.account.name, made.account.owner, made.owner) == (
        "Analytical Engines", leads.user("ada"), leads.user("ada"))
    assert (made.email, made.phone, made.town, made.country) == ("ada@x.example", "", "London", "")
    assert Lead.objects.get(full_name="Madonna").account.name == "(none)"
    told = {row.reason.partition(":")[0] for row in SyncProblem.objects.filter(is_warning=True)}
    assert {"business_phones", "emails", "home_address"} <= told
    assert quiet(leads)
    item = box.contact(item["id"])
    assert item["businessPhones"] == ["+44 20 7946 0000 ext 12345"]
    assert [entry["address"] for entry in item["emailAddresses"]] == ["ada@x.example", "second@x.example"]
    assert item["homeAddress"]["street"] == "12 St James's Square"
    assert item["homeAddress"]["countryOrRegion"] == "Germany"
    assert box.contact(bare["id"])["companyName"] in ("(none)", None)


@rule("CON-10", "SYNC-06")
def test_a_last_name_of_two_words_is_refused_told_and_left_in_outlook(leads):
    leads.connect("ada")
    made = lead(leads)
    leads.sync()
    box = leads.mailbox("ada")
    [item] = box.contacts()
    box.edit_contact(item["id"], surname="Murray Hopper", jobTitle="Rear admiral")
    leads.sync()
    made.refresh_from_db()
    assert (made.full_name, made.role) == ("Grace Brewster Hopper", "Rear admiral")
    assert "one word" in SyncProblem.objects.get(code="not_taken").reason
    assert quiet(leads)

    box.edit_contact(item["id"], givenName="Amazing Grace", surname="Murray")
    leads.sync()
    made.refresh_from_db()
    assert made.full_name == "Amazing Grace Murray"
    assert quiet(leads)


@rule("CON-03", "CON-09")
def test_a_choice_column_is_a_folder_and_a_boolean_the_tick_box(leads):
    leads.connect("ada")
    made = lead(leads)
    leads.sync()
    box = leads.mailbox("ada")
    [item] = box.contacts("New")
    box.add_folder("Qualified")
    box.move_contact(item["id"], "Qualified")
    leads.sync()
    made.refresh_from_db()
    assert made.state == "qualified"

    box.add_folder("Nowhere")
    box.move_contact(item["id"], "Nowhere")
    leads.sync()
    made.refresh_from_db()
    assert made.state == "qualified"
    assert quiet(leads)

    Lead.objects.update(massmail=False)
    leads.sync()
    assert box.contacts() == []
    Lead.objects.update(massmail=True)
    leads.sync()
    assert len(box.contacts()) == 1
    assert quiet(leads)


@rule("CON-01", "CON-05")
def test_a_lead_and_a_contact_that_match_are_filled_from_each_other(leads):
    lead(leads, tags="Navy")
    box = leads.mailbox("ada")
    item = box.add_contact(givenName="Grace", surname="Hopper", jobTitle="Rear admiral", categories=["VIP"],
                           emailAddresses=[{"address": "GRACE@x.example"}])
    leads.connect("ada")
    leads.sync()
    made = Lead.objects.get()
    assert (made.full_name, made.role) == ("Grace Brewster Hopper", "Rear admiral")
    assert box.contact(item["id"])["givenName"] == "Grace Brewster"
    assert len(box.contacts()) == 1
    assert quiet(leads)


@rule("CON-01", "SYNC-05")
def test_a_customer_of_two_tables_goes_out_with_points_of_all_kinds(parties):
    parties.connect("ada")
    made = customer(parties, ("email", "grace@x.example"), ("tel", "+1 1"), ("gsm", "+1 2"), ("tel", "+1 3"),
                    book="vip")
    Place.objects.create(party=made.party_ptr, street="1 Dock", town="Arlington")
    parties.sync()
    [item] = parties.mailbox("ada").contacts("VIP")
    assert [entry["address"] for entry in item["emailAddresses"]] == ["grace@x.example"]
    assert (item["businessPhones"], item["mobilePhone"]) == (["+1 1", "+1 3"], "+1 2")
    assert (item["businessAddress"]["street"], item["businessAddress"]["city"]) == ("1 Dock", "Arlington")
    assert quiet(parties)


@rule("CON-04", "SYNC-05")
def test_an_outlook_contact_becomes_a_customer_in_both_tables(parties):
    parties.connect("ada")
    box = parties.mailbox("ada")
    item = box.add_contact(givenName="Ada", surname="Lovelace", emailAddresses=[{"address": "ada@x.example"}],
                           mobilePhone="+44 7", businessAddress={"street": "1 Square", "city": "London", "state": "L"})
    parties.sync()
    made = Customer.objects.get()
    assert (made.first, made.label, made.created_by) == ("Ada", "Ada Lovelace", parties.user("ada"))
    assert list(made.handled_by.all()) == [parties.user("ada")]
    assert (made.place.street, made.place.town) == ("1 Square", "London")
    assert quiet(parties)

    Place.objects.update(town="Ockham")
    Point.objects.filter(type="gsm").update(value="+44 8")
    parties.sync(full=True)
    item = box.contact(item["id"])
    assert item["businessAddress"] == {"street": "1 Square", "city": "Ockham", "state": "L"}
    assert item["mobilePhone"] == "+44 8"
    box.edit_contact(item["id"], businessAddress={"street": "2 Square", "city": "Ockham", "state": "M"})
    parties.sync()
    assert Place.objects.get().street == "2 Square"
    assert quiet(parties)
    assert Place.objects.count() == Party.objects.count() == 1


@rule("DEL-01", "ORG-12")
def test_a_customer_is_deleted_and_restored_by_its_own_mark(parties):
    parties.organisation(microsoft_deletion="delete")
    parties.connect("ada")
    customer(parties)
    parties.sync()
    box = parties.mailbox("ada")
    Party.objects.update(is_deleted=True)
    parties.sync()
    assert box.contacts() == []
    Party.objects.update(is_deleted=False)
    parties.sync()
    [item] = box.contacts()
    box.delete_contact(item["id"])
    parties.sync()
    assert Party.objects.get().is_deleted
    assert quiet(parties)


@rule("SYNC-03")
def test_a_customer_without_name_or_firm_is_refused_alone(parties):
    parties.connect("ada")
    box = parties.mailbox("ada")
    box.add_contact(emailAddresses=[{"address": "nameless@x.example"}])
    box.add_contact(companyName="Engines Ltd")
    parties.sync()
    assert [made.firm for made in Customer.objects.all()] == ["Engines Ltd"]
    assert "needs a name" in SyncProblem.objects.get(code="crm_refused").reason
    assert quiet(parties)


@rule("CON-08")
def test_a_customer_handed_over_leaves_one_mailbox_and_enters_the_other(parties):
    for who in ("ada", "ben"):
        parties.connect(who)
    made = customer(parties)
    parties.sync()
    Assignment.objects.filter(customer=made).update(user=parties.user("ben"))
    parties.sync()
    assert [len(parties.mailbox(who).contacts()) for who in ("ada", "ben")] == [0, 1]
    assert quiet(parties)
