"""Deleting asks first, deletes softly and only what one sees, and can be undone."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from demo_crm.crm.models import Contact

DELETE, DELETED, LIST = "/contacts/delete/", "/contacts/deleted/", "/contacts/"


def keys(contact_of, *owners):
    return [contact_of[owner].pk for owner in owners]


def test_it_asks_before_it_deletes(signed_in, contact_of):
    answer = signed_in("ada").post(DELETE, {"ids": keys(contact_of, "ada", "ben")})
    assert "Delete these 2 contacts?" in answer.content.decode()
    assert Contact.objects.alive().count() == len(contact_of)


def test_what_was_confirmed_is_marked_and_kept(signed_in, contact_of):
    before = contact_of["ada"].updated_at
    answer = signed_in("ada").post(DELETE, {"ids": keys(contact_of, "ada", "ben"), "confirmed": "yes"})
    assert answer.headers["Location"] == LIST
    (message,) = get_messages(answer.wsgi_request)
    assert str(message).startswith("2 contacts deleted")
    assert Contact.objects.count() == len(contact_of)
    contact = Contact.objects.get(pk=contact_of["ada"].pk)
    assert contact.deleted_at is not None and contact.updated_at > before


def test_contacts_that_one_may_not_see_are_not_deleted(signed_in, contact_of):
    signed_in("ada").post(DELETE, {"ids": keys(contact_of, "ada", "cleo", "nobody"), "confirmed": "yes"})
    assert list(Contact.objects.filter(deleted_at__isnull=False)) == [contact_of["ada"]]


@pytest.mark.parametrize("ids", [[], ["x"], ["-1"], ["1.5"], ["9" * 40], ["²"], ["' OR 1=1 --"]])
def test_nonsense_deletes_nothing(ids, signed_in, contact_of):
    answer = signed_in("root").post(DELETE, {"ids": ids, "confirmed": "yes"})
    assert answer.status_code == 302
    assert Contact.objects.alive().count() == len(contact_of)


def test_a_contact_is_deleted_once(signed_in, contact_of):
    browser = signed_in("ada")
    browser.post(DELETE, {"ids": keys(contact_of, "ada"), "confirmed": "yes"})
    first = Contact.objects.get(pk=contact_of["ada"].pk).deleted_at
    browser.post(DELETE, {"ids": keys(contact_of, "ada"), "confirmed": "yes"})
    assert Contact.objects.get(pk=contact_of["ada"].pk).deleted_at == first


def test_the_way_back_stays_in_the_crm(signed_in, contact_of):
    browser = signed_in("root")
    for wanted, given in {
        "/contacts/?q=a&page=2": "/contacts/?q=a&page=2",
        "https://evil.example/": LIST, "//evil.example/": LIST, "javascript:alert(1)": LIST,
    }.items():
        answer = browser.post(DELETE, {"ids": [], "next": wanted, "confirmed": "yes"})
        assert answer.headers["Location"] == given


def test_deleting_by_a_link_is_not_possible(signed_in, contact_of):
    assert signed_in("root").get(DELETE).status_code == 405


def test_deleted_contacts_come_back_as_they_were(signed_in, contact_of):
    browser = signed_in("ada")
    browser.post(DELETE, {"ids": keys(contact_of, "ada", "ben"), "confirmed": "yes"})
    browser.post(DELETED, {"ids": keys(contact_of, "ada")})
    contact = Contact.objects.alive().get(pk=contact_of["ada"].pk)
    assert contact.email == contact_of["ada"].email
    assert not Contact.objects.alive().filter(pk=contact_of["ben"].pk).exists()


def test_nobody_restores_what_they_may_not_see(signed_in, contact_of, client):
    signed_in("root").post(DELETE, {"ids": keys(contact_of, "cleo"), "confirmed": "yes"})
    signed_in("ada").post(DELETED, {"ids": keys(contact_of, "cleo")})
    assert not Contact.objects.alive().filter(pk=contact_of["cleo"].pk).exists()


def test_a_page_that_is_gone_after_a_deletion_is_the_last_one(signed_in, contact_of):
    answer = signed_in("root").get(reverse("crm:contacts"), {"page": "99"})
    assert answer.status_code == 200 and answer.context["contacts"]
