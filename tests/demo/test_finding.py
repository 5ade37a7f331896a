"""Searching, filtering, sorting and leafing through the list."""

import pytest
from django.urls import reverse

from demo_crm.crm.models import Contact, ContactFolder

LIST = "/contacts/"


@pytest.fixture
def contacts(people):
    make = Contact.objects.create
    made = {
        "élodie": make(first_name="Élodie", last_name="Lefèvre", company="Atelier", email="elodie@atelier.example",
                       assigned_to=people["ada"]),
        "jones": make(first_name="David", last_name="Jones", company="Roofing", email2="second@roofs.example",
                      phone="01632 960201", assigned_to=people["ben"]),
        "firm": make(company="Thames Waste", email3="third@waste.example", assigned_to=people["ada"]),
        "bare": make(email="bare@nameless.example", notes="met on a train", assigned_to=people["ben"]),
    }
    ContactFolder.objects.create(name="Press").contacts.add(made["élodie"])
    return made


def found(answer, contacts):
    name_of = {contact: name for name, contact in contacts.items()}
    return [name_of[contact] for contact in answer.context["contacts"]]


@pytest.mark.parametrize(("words", "names"), [
    ("jones", {"jones"}), ("JONES dav", {"jones"}), ("jones waste", set()), ("01632 960201", {"jones"}),
    ("second@roofs", {"jones"}), ("third@", {"firm"}), ("train", {"bare"}), ("Élodie", {"élodie"}),
    ("élodie", {"élodie"}), ("ÉLODIE", {"élodie"}), ("", {"élodie", "jones", "firm", "bare"}), ("%", set()),
    ("a_b", set()), ("'; DROP TABLE", set()), ("\x00", {"élodie", "jones", "firm", "bare"}),
])
def test_each_word_must_occur_somewhere(words, names, signed_in, contacts):
    assert set(found(signed_in("ada").get(LIST, {"q": words}), contacts)) == names


def test_mine_are_mine(signed_in, contacts):
    assert set(found(signed_in("ada").get(LIST, {"owner": "mine"}), contacts)) == {"élodie", "firm"}


def test_a_folder_and_no_folder(signed_in, contacts):
    folder = ContactFolder.objects.get()
    browser = signed_in("ada")
    assert found(browser.get(LIST, {"folder": folder.pk}), contacts) == ["élodie"]
    assert set(found(browser.get(LIST, {"folder": "none"}), contacts)) == {"jones", "firm", "bare"}


@pytest.mark.parametrize("folder", ["x", "-1", "9" * 30, "²", "0"])
def test_a_folder_that_is_not_there_is_empty(folder, signed_in, contacts):
    answer = signed_in("ada").get(LIST, {"folder": folder})
    assert answer.status_code == 200 and found(answer, contacts) == []


@pytest.mark.parametrize(("order", "names"), [
    ("name", ["bare", "jones", "élodie", "firm"]),           # whoever has no name stands by company, or address
    ("-name", ["firm", "élodie", "jones", "bare"]),
    ("-company", ["firm", "jones", "élodie", "bare"]),
    ("-changed", ["bare", "firm", "jones", "élodie"]),
    ("no-such-order", ["bare", "jones", "élodie", "firm"]),
    ("-no-such-order", ["bare", "jones", "élodie", "firm"]),
    ("password", ["bare", "jones", "élodie", "firm"]),
])
def test_sorting(order, names, signed_in, contacts):
    assert found(signed_in("ada").get(LIST, {"sort": order}), contacts) == names


def test_the_list_costs_the_same_however_long_it_is(signed_in, contacts, people, django_assert_max_num_queries):
    folder = ContactFolder.objects.get()
    for number in range(30):
        Contact.objects.create(last_name=f"N{number}", assigned_to=people["ada"]).folders.add(folder)
    browser = signed_in("ada")
    with django_assert_max_num_queries(8):
        assert len(browser.get(LIST).context["contacts"]) == 25
    assert len(browser.get(LIST, {"page": 2}).context["contacts"]) == 9


def test_links_of_the_list_keep_its_filters(signed_in, contacts):
    page = signed_in("ada").get(LIST, {"q": "e", "sort": "name"}).content.decode()
    assert "q=e&amp;sort=company" in page and "q=e&amp;sort=-name" in page


def test_what_people_write_is_shown_as_text(signed_in, people):
    contact = Contact.objects.create(
        first_name="<script>alert(1)</script>", website="javascript:alert(1)", notes="<img src=x onerror=alert(1)>",
        assigned_to=people["ada"])
    for address in (LIST, contact.get_absolute_url(), reverse("crm:contact-edit", args=[contact.pk]), "/"):
        page = signed_in("ada").get(address).content.decode()
        assert "<script>alert" not in page and "<img src=x" not in page and 'href="javascript' not in page


@pytest.mark.parametrize(("website", "link"), [
    ("www.a.example", "https://www.a.example"), ("http://a.example/x", "http://a.example/x"),
    ("a.example/path:with", "https://a.example/path:with"), ("javascript:alert(1)", ""), ("data:text/html,x", ""),
    ("not a site", ""), ("", ""), ("HTTPS://A.example", "HTTPS://A.example"),
])
def test_only_web_addresses_become_links(website, link):
    assert Contact(website=website).website_url == link
