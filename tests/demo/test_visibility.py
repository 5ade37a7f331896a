"""Teams limit who sees what, on every page alike."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils import timezone

from demo_crm.crm.models import Contact

SEEN = {
    "ada": {"ada", "ben"},
    "ben": {"ada", "ben", "cleo"},
    "cleo": {"ben", "cleo"},
    "dora": {"dora"},
    "root": {"ada", "ben", "cleo", "dora", "root", "nobody"},
}
PAGES = ["crm:home", "crm:profile", "crm:contacts", "crm:contact-new", "crm:deleted-contacts", "crm:folders"]


def names(contacts):
    return {contact.first_name.lower() for contact in contacts}


@pytest.mark.parametrize("who", SEEN)
def test_one_sees_ones_own_contacts_and_those_of_ones_teams(who, people, contact_of):
    assert names(Contact.objects.visible_to(people[who])) == SEEN[who]


def test_nobody_who_is_not_signed_in_sees_anything(contact_of):
    assert not Contact.objects.visible_to(AnonymousUser()).exists()


def test_no_contact_is_seen_twice_by_those_who_share_two_teams(people, contact_of):
    people["ada"].teams.add(*people["cleo"].teams.all())
    assert Contact.objects.visible_to(people["ben"]).count() == len(SEEN["ben"])


@pytest.mark.parametrize("who", SEEN)
def test_the_list_shows_just_those(who, signed_in, contact_of):
    answer = signed_in(who).get(reverse("crm:contacts"))
    assert names(answer.context["contacts"]) == SEEN[who]


@pytest.mark.parametrize("page", ["crm:contact", "crm:contact-edit"])
@pytest.mark.parametrize("owner", ["ben", "cleo", "nobody"])
def test_pages_of_other_contacts_do_not_exist(page, owner, signed_in, contact_of):
    answer = signed_in("ada").get(reverse(page, args=[contact_of[owner].pk]))
    assert answer.status_code == (200 if owner in SEEN["ada"] else 404)


def test_a_form_of_somebody_elses_contact_is_not_taken(signed_in, contact_of):
    answer = signed_in("ada").post(reverse("crm:contact-edit", args=[contact_of["cleo"].pk]), {"first_name": "Mine"})
    assert answer.status_code == 404
    assert Contact.objects.get(pk=contact_of["cleo"].pk).first_name == "Cleo"


def test_searching_does_not_find_what_one_may_not_see(signed_in, contact_of):
    answer = signed_in("ada").get(reverse("crm:contacts"), {"q": "client.example"})
    assert names(answer.context["contacts"]) == SEEN["ada"]


def test_deleted_contacts_are_gone_from_lists_and_pages(signed_in, contact_of):
    contact = contact_of["ada"]
    Contact.objects.filter(pk=contact.pk).soft_delete(timezone.now())
    browser = signed_in("ada")
    assert names(browser.get(reverse("crm:contacts")).context["contacts"]) == {"ben"}
    assert browser.get(contact.get_absolute_url()).status_code == 404
    assert names(browser.get(reverse("crm:deleted-contacts")).context["contacts"]) == {"ada"}


def test_deleted_contacts_of_others_are_not_shown(signed_in, contact_of):
    Contact.objects.filter(pk=contact_of["cleo"].pk).soft_delete(timezone.now())
    assert not signed_in("ada").get(reverse("crm:deleted-contacts")).context["contacts"]


def test_the_numbers_of_a_folder_count_only_what_one_sees(signed_in, contact_of):
    from demo_crm.crm.models import ContactFolder

    folder = ContactFolder.objects.create(name="Customers")
    folder.contacts.set(contact_of.values())
    assert [item.size for item in signed_in("ada").get(reverse("crm:folders")).context["folders"]] == [2]
    assert [item.size for item in signed_in("root").get(reverse("crm:home")).context["folders"]] == [6]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_wants_a_sign_in(page, client, db):
    address = reverse(page)
    assert client.get(address).headers["Location"] == f"{reverse('login')}?next={address}"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(page, signed_in, contact_of):
    assert signed_in("dora").get(reverse(page)).status_code == 200


def test_deleting_and_restoring_want_a_sign_in(client, contact_of):
    for page in ("crm:contacts-delete", "crm:deleted-contacts"):
        answer = client.post(reverse(page), {"ids": [contact_of["ada"].pk], "confirmed": "yes"})
        assert answer.status_code == 302
    assert Contact.objects.alive().count() == len(contact_of)


def test_the_adapter_sees_what_the_pages_show(people, contact_of):
    """The sync must not show anybody in Outlook what the CRM hides from them."""
    from types import SimpleNamespace

    from demo_crm.crm.ms365 import team_scope

    for name, user in people.items():
        rows = team_scope(Contact.objects.alive(), SimpleNamespace(user=user), "assigned_to")
        assert names(rows) == SEEN[name]
        assert rows.count() == len(SEEN[name])
