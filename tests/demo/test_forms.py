"""Creating and changing contacts and folders."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from demo_crm.crm.models import Contact, ContactFolder

NEW, FOLDERS = "/contacts/new/", "/folders/"


@pytest.fixture
def fill(people):
    """What Ada's browser sends for a contact with just a name."""
    def filled(**values):
        return {"first_name": "Nora", "last_name": "Quill", "assigned_to": people["ada"].pk,
                "sync_to_microsoft": "on", **values}
    return filled


def errors(answer):
    return answer.context["form"].errors


def test_a_contact_is_made_with_all_its_fields(signed_in, fill, people):
    folders = [ContactFolder.objects.create(name=name) for name in ("Customers", "Press")]
    values = {
        "company": "Quill & Ink", "job_title": "Owner", "department": "All", "email": "nora@quill.example",
        "email2": "two@quill.example", "email3": "three@quill.example", "phone": "01632 960001",
        "mobile": "07700 900001", "home_phone": "01632 960002", "website": "www.quill.example", "street": "1 Nib Lane",
        "city": "Bath", "state": "Somerset", "postcode": "BA1 1AA", "country": "United Kingdom",
        "notes": "Left-handed.",
    }
    answer = signed_in("ada").post(NEW, fill(**values, birthday="1980-02-29", folders=[item.pk for item in folders]))
    contact = Contact.objects.get()
    assert answer.headers["Location"] == contact.get_absolute_url()
    assert {name: getattr(contact, name) for name in values} == values
    assert contact.birthday == datetime.date(1980, 2, 29)
    assert list(contact.folders.all()) == folders
    assert contact.assigned_to == people["ada"] and contact.sync_to_microsoft


def test_a_new_contact_is_ones_own_at_first(signed_in, people):
    form = signed_in("ada").get(NEW).context["form"]
    assert form["assigned_to"].value() == people["ada"].pk


@pytest.mark.parametrize(("values", "field"), [
    ({"email": "no address"}, "email"),
    ({"email": "a@b.example", "email2": "A@B.example"}, "email2"),
    ({"email2": "x@y.example", "email3": "x@y.example"}, "email3"),
    ({"birthday": "2999-01-01"}, "birthday"),
    ({"birthday": "31/31/1980"}, "birthday"),
    ({"website": "javascript:alert(1)"}, "website"),
    ({"website": "two words"}, "website"),
    ({"phone": "call me"}, "phone"),
    ({"mobile": "07700 " + "9" * 60}, "mobile"),
    ({"first_name": "x" * 81}, "first_name"),
    ({"first_name": "", "last_name": ""}, "__all__"),
    ({"assigned_to": ""}, "assigned_to"),
    ({"folders": ["4711"]}, "folders"),
])
def test_a_bad_value_is_refused_with_a_word_beside_its_field(values, field, signed_in, fill):
    answer = signed_in("ada").post(NEW, fill(**values))
    assert answer.status_code == 200
    assert list(errors(answer)) == [field]
    assert not Contact.objects.exists()
    assert 'class="error"' in answer.content.decode() or field == "__all__"
    assert "Quill" in answer.content.decode() or "last_name" in values          # what was typed is still there


@pytest.mark.parametrize(("who", "to_whom", "is_allowed"), [
    ("ada", "ben", True), ("ada", "cleo", False), ("ada", "root", False), ("ben", "cleo", True),
    ("root", "dora", True)])
def test_contacts_are_assigned_within_ones_teams(who, to_whom, is_allowed, signed_in, fill, people):
    answer = signed_in(who).post(NEW, fill(assigned_to=people[to_whom].pk))
    assert (answer.status_code == 302) is is_allowed
    assert Contact.objects.filter(assigned_to=people[to_whom]).exists() is is_allowed


def test_only_superusers_have_contacts_of_nobody(signed_in, fill):
    assert signed_in("root").post(NEW, fill(assigned_to="")).status_code == 302
    assert Contact.objects.get().assigned_to is None


def test_a_contact_of_somebody_who_left_can_still_be_changed(signed_in, fill, people):
    contact = Contact.objects.create(last_name="Quill", assigned_to=people["ben"])
    people["ben"].is_active = False
    people["ben"].save()
    address = reverse("crm:contact-edit", args=[contact.pk])
    assert signed_in("ada").post(address, fill(assigned_to=people["ben"].pk, city="Bath")).status_code == 302
    contact.refresh_from_db()
    assert (contact.city, contact.assigned_to) == ("Bath", people["ben"])


def test_nobody_overwrites_what_they_never_saw(signed_in, fill, people):
    contact = Contact.objects.create(last_name="Quill", phone="1", assigned_to=people["ada"])
    browser, address = signed_in("ada"), reverse("crm:contact-edit", args=[contact.pk])
    version = browser.get(address).context["form"]["version"].value()
    Contact.objects.filter(pk=contact.pk).update(phone="2", updated_at=timezone.now())          # the sync, say

    answer = browser.post(address, fill(phone="3", version=version))
    assert "changed while you were editing" in answer.content.decode()
    assert Contact.objects.get().phone == "2"

    again = answer.context["form"]["version"].value()
    assert browser.post(address, fill(phone="3", version=again)).status_code == 302
    assert Contact.objects.get().phone == "3"


def test_saving_an_unchanged_form_changes_no_value(signed_in, people):
    contact = Contact.objects.create(
        first_name="Zoë", company="Café", website="www.cafe.example", notes="a\nb", birthday="1990-05-06",
        email="Zoe@Cafe.example", assigned_to=people["ada"], sync_to_microsoft=False)
    contact.folders.add(ContactFolder.objects.create(name="Press"))
    browser, address = signed_in("ada"), reverse("crm:contact-edit", args=[contact.pk])
    form = browser.get(address).context["form"]
    values = {field.name: field.value() for field in form if field.value() not in (None, False)}
    values |= {"notes": "a\r\nb", "folders": [folder.pk for folder in contact.folders.all()]}      # as browsers send it
    assert browser.post(address, values).status_code == 302
    after = Contact.objects.get()
    for name in ("first_name", "company", "website", "email", "notes", "sync_to_microsoft", "assigned_to"):
        assert getattr(after, name) == getattr(contact, name)
    assert str(after.birthday) == "1990-05-06" and list(after.folders.all()) == list(contact.folders.all())


def test_a_deleted_contact_is_not_brought_back_by_a_form(signed_in, fill, people):
    contact = Contact.objects.create(last_name="Gone", assigned_to=people["ada"], deleted_at=timezone.now())
    assert signed_in("ada").post(reverse("crm:contact-edit", args=[contact.pk]), fill()).status_code == 404


def test_folders_are_made_renamed_and_deleted(signed_in, people):
    browser = signed_in("ada")
    assert browser.post(FOLDERS, {"name": "Press", "position": 1}).headers["Location"] == FOLDERS
    folder = ContactFolder.objects.get()
    contact = Contact.objects.create(last_name="Quill", assigned_to=people["ada"])
    contact.folders.add(folder)
    browser.post(reverse("crm:folder-edit", args=[folder.pk]), {"name": "Journalists", "position": 5})
    folder.refresh_from_db()
    assert (folder.name, folder.position) == ("Journalists", 5)
    page = browser.get(reverse("crm:folder-delete", args=[folder.pk]))
    assert "1 that you can see" in page.content.decode() and ContactFolder.objects.exists()
    browser.post(reverse("crm:folder-delete", args=[folder.pk]))
    assert not ContactFolder.objects.exists()
    assert Contact.objects.alive().get() == contact


@pytest.mark.parametrize("values", [{"name": "PRESS", "position": 2}, {"name": "", "position": 2},
                                    {"name": "x" * 81, "position": 2}, {"name": "New", "position": -1}])
def test_a_bad_folder_is_refused(values, signed_in):
    ContactFolder.objects.create(name="Press")
    answer = signed_in("ada").post(FOLDERS, values)
    assert answer.status_code == 200 and errors(answer)
    assert ContactFolder.objects.count() == 1


def test_folders_stand_in_the_order_of_their_position_then_name(db):
    for name, position in (("B", 2), ("A", 2), ("C", 1)):
        ContactFolder.objects.create(name=name, position=position)
    assert [folder.name for folder in ContactFolder.objects.all()] == ["C", "A", "B"]
