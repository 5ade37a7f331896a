"""What every page promises: headers, no inline script or style, the way to the other side."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings
from django.urls import reverse

from demo_crm.crm.models import Contact

MICROSOFT = "http://127.0.0.1:8365"


@pytest.fixture
def pages(signed_in, contact_of):
    contact = contact_of["ada"].pk
    return [*map(reverse, ("crm:home", "crm:profile", "crm:contacts", "crm:contact-new", "crm:deleted-contacts",
                           "crm:folders")), f"/contacts/{contact}/", f"/contacts/{contact}/edit/"]


def test_no_page_has_inline_script_or_style(pages, signed_in, client):
    browser = signed_in("ada")
    for address in pages:
        page = browser.get(address).content.decode()
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son\w+=", page), address
        assert not re.search(r'src="(?!/static/)|<link[^>]*href="(?!/static/)', page), address


def test_headers_of_every_page(pages, signed_in):
    for address in pages:
        headers = signed_in("ada").get(address).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"


def test_the_profile_has_the_microsoft_sync_button(signed_in):
    page = signed_in("ada").get(reverse("crm:profile")).content.decode()
    assert f'href="{reverse("ms365:profile")}"' in page and "Microsoft Sync" in page


def test_the_apps_pages_are_in_the_crms_frame(signed_in, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "BASE_TEMPLATE": "crm/base.html"}
    page = signed_in("ada").get(reverse("ms365:profile")).content.decode()
    assert "Brightwell" in page and "Connect" in page


@pytest.mark.parametrize(("login_url", "outlook"), [
    (MICROSOFT, f"{MICROSOFT}/outlook/"), ("https://login.microsoftonline.com", "https://outlook.office.com/people/")])
def test_the_other_side_is_one_click_away(login_url, outlook, signed_in, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "LOGIN_URL": login_url}
    assert f'href="{outlook}"' in signed_in("ada").get(reverse("crm:home")).content.decode()


@pytest.mark.parametrize("is_demo", [True, False])
def test_the_demo_sign_ins_are_shown_in_the_demo_only(is_demo, client, db):
    get_user_model().objects.create_user("ada", password="ada-demo")
    with override_settings(DEMO=is_demo):
        page = client.get(reverse("login")).content.decode()
    assert ("ada-demo" in page) is is_demo
    assert ("What to try" in page) is is_demo
    assert "ben-demo" not in page                   # nobody is offered who is not there


def test_what_to_try_has_five_sentences(signed_in):
    with override_settings(DEMO=True):
        page = signed_in("ada").get(reverse("crm:home")).content.decode()
    steps = re.search(r'<ol class="try">(.*?)</ol>', page, re.S)[1]
    assert steps.count("<li>") == 5


def test_signing_in_and_out(client, db):
    get_user_model().objects.create_user("ada", password="ada-demo", first_name="Ada")
    assert client.post(reverse("login"), {"username": "ada", "password": "wrong"}).status_code == 200
    answer = client.post(reverse("login"), {"username": "ada", "password": "ada-demo"}, follow=True)
    assert "Hello, Ada" in answer.content.decode()
    client.post(reverse("logout"))
    assert client.get("/").status_code == 302


def test_an_empty_crm_says_what_to_do(signed_in):
    browser = signed_in("dora")
    assert "No contacts yet" in browser.get(reverse("crm:contacts")).content.decode()
    assert "Nobody fits these filters" in browser.get(reverse("crm:contacts"), {"q": "x"}).content.decode()


@pytest.mark.parametrize(("values", "name", "initials"), [
    ({"first_name": "Ada", "last_name": "King"}, "Ada King", "AK"), ({"company": "Thames Waste"}, "Thames Waste", "TW"),
    ({"email": "x@y.example"}, "x@y.example", "X"), ({}, "Unnamed contact", "UC"),
    ({"first_name": "Cher"}, "Cher", "C")])
def test_a_contact_always_has_a_name(values, name, initials):
    assert (str(Contact(**values)), Contact(**values).initials) == (name, initials)


def test_the_admin_lists_contacts(signed_in, contact_of):
    assert signed_in("root").get(reverse("admin:crm_contact_changelist")).status_code == 200
