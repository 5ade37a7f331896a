"""Whose records go where in the awkward CRM: owners in a many-to-many field, a tick box and folders in our own table,
users who may look but not change (CON-02, CON-03, CON-05 to CON-09, CON-11)."""

import pytest

from opencrm_ms365.models import CrmTouch, RecordMapping, SyncProblem
from opencrm_ms365.sync.stored import StoredValues
from tests.adapters.awkward.models import Person
from tests.rules import rule

from .test_people import ada, people

pytestmark = pytest.mark.django_db(transaction=True)


@rule("CON-02", "CON-06")
def test_a_person_with_two_owners_goes_to_both_and_to_nobody_else(acme):
    for who in ("ada", "ben", "cleo"):
        acme.connect(who)
    made = ada(acme)
    made.owners.add(acme.profile("ben"))
    acme.sync()
    assert [len(acme.mailbox(who).contacts()) for who in ("ada", "ben", "cleo")] == [1, 1, 0]

    box = acme.mailbox("ben")
    [item] = box.contacts()
    box.edit_contact(item["id"], mobilePhone="+44 7")
    acme.sync()
    acme.sync()
    assert acme.mailbox("ada").contacts()[0]["mobilePhone"] == "+44 7"
    assert acme.sync().writes == []


@rule("CON-08")
def test_an_owner_who_is_taken_off_loses_the_copy_and_the_others_keep_theirs(acme):
    for who in ("ada", "ben"):
        acme.connect(who)
    made = ada(acme)
    made.owners.add(acme.profile("ben"))
    acme.sync()
    made.owners.remove(acme.profile("ben"))
    acme.sync()
    assert [len(acme.mailbox(who).contacts()) for who in ("ada", "ben")] == [1, 0]
    assert len(acme.mailbox("ben").deleted_items()) == 1
    assert people(acme).count() == 1
    assert acme.sync().writes == []


@rule("CON-05")
def test_a_change_in_outlook_never_touches_the_owners(acme):
    acme.connect("ada")
    made = ada(acme)
    made.owners.add(acme.profile("ben"))
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    box.edit_contact(item["id"], givenName="Augusta")
    acme.sync()
    assert list(made.owners.order_by("user__username")) == [acme.profile("ada"), acme.profile("ben")]


@rule("CON-05")
def test_an_edit_by_somebody_who_may_only_look_is_refused_and_the_crms_value_is_sent_back(acme):
    acme.connect("ben", only_my_items=False)
    made = ada(acme)
    acme.sync()
    box = acme.mailbox("ben")
    [item] = box.contacts()
    box.edit_contact(item["id"], givenName="Augusta", mobilePhone="+44 7")
    acme.sync()

    made.refresh_from_db()
    assert made.first_name == "Ada" and not made.numbers.exists()
    item = box.contact(item["id"])
    assert (item["givenName"], item["mobilePhone"]) == ("Ada", None)
    told = SyncProblem.objects.filter(code="refused")
    assert told.count() == 2 and all("sent back" in row.reason for row in told)
    assert acme.sync().writes == []

    Person.objects.filter(pk=made.pk).update(first_name="Augusta Ada")
    acme.sync()
    assert box.contact(item["id"])["givenName"] == "Augusta Ada"


@rule("CON-05")
def test_a_contact_that_matches_a_record_one_may_not_change_is_neither_linked_nor_doubled(acme):
    made = ada(acme)
    box = acme.mailbox("ben")
    box.add_contact(givenName="Ada", surname="Lovelace", emailAddresses=[{"address": "ada@x.example"}],
                    mobilePhone="+44 7")
    acme.connect("ben")
    acme.sync()
    assert people(acme).count() == 1 and not made.numbers.exists()
    assert len(box.contacts()) == 1
    assert SyncProblem.objects.get().code == "not_permitted"
    assert acme.sync().writes == []


@rule("CON-04")
def test_somebody_who_may_not_create_brings_in_nothing_and_is_told(acme):
    acme.connect("guest")
    acme.mailbox("guest").add_contact(givenName="Grace", surname="Hopper")
    acme.sync()
    assert not people(acme).exists()
    assert "may not create" in SyncProblem.objects.get().reason
    assert acme.sync().writes == []


@rule("CON-07")
def test_what_one_may_no_longer_see_is_removed(acme):
    acme.connect("ada")
    acme.connect("ben", only_my_items=False)
    made = ada(acme)
    acme.sync()
    assert len(acme.mailbox("ben").contacts()) == 1
    Person.objects.filter(pk=made.pk).update(kind="press")
    acme.sync()
    assert [len(acme.mailbox(who).contacts()) for who in ("ada", "ben")] == [1, 0]
    assert acme.sync().writes == []


@rule("CON-02", "CON-09")
def test_a_tick_box_in_our_own_table_decides(acme):
    acme.connect("ada")
    made, other = ada(acme), ada(acme, first_name="Other", emails=())
    stored = StoredValues(acme.key)
    stored.set("awkward.person", str(other.pk), "sync_flag", False)
    acme.sync()
    box = acme.mailbox("ada")
    assert [item["givenName"] for item in box.contacts()] == ["Ada"]

    stored.set("awkward.person", str(made.pk), "sync_flag", False)
    stored.set("awkward.person", str(other.pk), "sync_flag", True)
    acme.sync()
    assert [item["givenName"] for item in box.contacts()] == ["Other"]
    assert acme.sync().writes == []


@rule("CON-03")
def test_a_folder_in_our_own_table_moves_the_contact_and_is_moved_by_it(acme):
    acme.connect("ada")
    made = ada(acme)
    stored = StoredValues(acme.key)
    stored.set("awkward.person", str(made.pk), "folders", "Poets")
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts("Poets")

    box.add_folder("Engineers")
    box.move_contact(item["id"], "Engineers")
    acme.sync()
    assert stored.get_many("awkward.person", [str(made.pk)])[str(made.pk)]["folders"] == "Engineers"

    stored.set("awkward.person", str(made.pk), "folders", "Poets")
    acme.sync()
    assert len(box.contacts("Poets")) == 1 and box.contacts("Engineers") == []
    assert acme.sync().writes == []


@rule("CON-03", "CON-04")
def test_a_contact_made_in_a_folder_brings_the_folder_along(acme):
    acme.connect("ada")
    box = acme.mailbox("ada")
    box.add_folder("Poets")
    box.add_contact("Poets", givenName="Grace", surname="Hopper")
    acme.sync()
    [made] = people(acme)
    assert StoredValues(acme.key).get_many("awkward.person", [str(made.pk)])[str(made.pk)]["folders"] == "Poets"
    assert acme.sync().writes == []


@rule("CON-02", "CON-09", "CON-11")
def test_only_chosen_folders_of_our_own_table_go_out(acme):
    acme.connect("ada", crm_folders=["Poets"])
    poet, other = ada(acme), ada(acme, first_name="Other", emails=())
    stored = StoredValues(acme.key)
    stored.set("awkward.person", str(poet.pk), "folders", "Poets")
    acme.sync()
    box = acme.mailbox("ada")
    assert [item["givenName"] for item in box.contacts()] == ["Ada"]

    stored.set("awkward.person", str(poet.pk), "folders", "Engineers")
    acme.sync()
    assert box.contacts() == [] and people(acme).count() == 2 and other.pk
    assert acme.sync().writes == []


def test_values_of_our_own_table_go_with_their_record_and_leave_hints(acme):
    acme.connect("ada")
    made = ada(acme)
    StoredValues(acme.key).set("awkward.person", str(made.pk), "nickname", "Countess")
    acme.sync()
    assert acme.mailbox("ada").contacts()[0]["nickName"] == "Countess"
    assert CrmTouch.objects.filter(object_id=str(made.pk)).exists()
    key = str(made.pk)
    made.delete()
    assert not StoredValues(acme.key).get_many("awkward.person", [key])
    acme.sync()
    assert not RecordMapping.objects.exists()


@rule("ORG-17")
def test_a_category_that_is_left_out_counts_on_either_side(acme):
    acme.organisation(left_out_categories=["Personal"])
    acme.connect("ada")
    made, other = ada(acme), ada(acme, first_name="Other", emails=())
    stored = StoredValues(acme.key)
    stored.set("awkward.person", str(other.pk), "categories", ["personal"])
    acme.sync()
    box = acme.mailbox("ada")
    [item] = box.contacts()
    assert item["givenName"] == "Ada"

    stored.set("awkward.person", str(made.pk), "categories", ["Personal"])
    assert acme.sync().writes == []
    assert RecordMapping.objects.get().released_by == "left_out"
    assert box.contact(item["id"])["categories"] == [] and people(acme).count() == 2
