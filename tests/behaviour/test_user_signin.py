"""Signing in with Microsoft, the access key, connecting and disconnecting (USER-02 to USER-04, ORG-02)."""

import datetime
import json
import logging

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from opencrm_ms365.models import AccessKey, InboxItem, LinkStatus, RecordMapping, SignInFlow, UserLink, decrypt
from opencrm_ms365.signals import link_connected
from tests.browsing import Browser, key_on, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(world):
    world.organisation()
    return Browser(world, "ada")


# The pop-up and the key


def test_USER_02_the_popup_ends_on_a_page_with_the_access_key_and_connects_with_it(world, ada):
    key = ada.access_key()

    answer = ada.connect(key)

    assert answer.status_code == 302 and answer.url == reverse("ms365:profile")
    link = world.link("ada")
    assert link.status == LinkStatus.AWAITING_SETTINGS
    assert (link.account, link.account_name) == ("ada@brightwell.example", "Ada Lindqvist")
    assert link.microsoft_user_id == world.account("ada").id
    assert "Continue to settings" in text_of(ada.get("profile"))


def test_USER_02_the_access_key_is_no_token_and_nothing_readable_is_stored(world, ada):
    key = ada.access_key()

    row = AccessKey.objects.get()
    stored = bytes(row.identity) + row.key_digest.encode() + row.session_digest.encode()
    assert key.encode() not in stored
    assert b"ada@" not in stored and b"refresh" not in stored.lower()
    ada.connect(key)
    row.refresh_from_db()
    assert bytes(row.identity) == b""


def test_USER_02_line_breaks_from_copying_do_no_harm(world, ada):
    key = ada.access_key()

    ada.connect(f"  {key[:20]}\n{key[20:]} ")

    assert world.link("ada").token_cache


def test_USER_02_the_key_works_once(world, ada):
    key = ada.access_key()
    ada.connect(key)
    ada.post("disconnect")

    answer = ada.connect(key)

    assert answer.status_code == 400
    assert "has been used already" in text_of(answer)
    assert world.link("ada").status == LinkStatus.DISCONNECTED


def test_USER_02_the_key_works_for_ten_minutes(world, ada):
    key = ada.access_key()
    left = AccessKey.objects.get().expires_at - timezone.now()
    assert datetime.timedelta(minutes=9) < left <= datetime.timedelta(minutes=10)
    AccessKey.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))

    answer = ada.connect(key)

    assert "has expired" in text_of(answer)
    assert not UserLink.objects.exists()
    assert not AccessKey.objects.exists()


def test_USER_02_a_stolen_key_is_worth_nothing_to_another_user_and_stays_good_for_its_owner(world, ada):
    key = ada.access_key()

    answer = Browser(world, "ben").connect(key)

    assert answer.status_code == 400 and "not valid" in text_of(answer)
    assert not UserLink.objects.exists()
    assert ada.connect(key).status_code == 302


def test_USER_02_a_key_is_worth_nothing_in_another_browser_of_the_same_user(world, ada):
    key = ada.access_key()

    answer = Browser(world, "ada").connect(key)

    assert answer.status_code == 400 and "not valid" in text_of(answer)
    assert not UserLink.objects.exists()


@pytest.mark.parametrize("key", ["", "   ", "nonsense", "x" * 5000, "\x00", "<script>alert(1)</script>"])
def test_USER_02_a_made_up_key_gets_a_plain_sentence(world, ada, key):
    answer = ada.connect(key)

    assert answer.status_code == 400 and "not valid" in text_of(answer)
    assert "<script>alert" not in answer.content.decode()


def test_USER_02_the_popup_pages_carry_the_headers_that_keep_the_key_in(world, ada):
    for page in (ada.come_back(ada.agree(ada.send_to_microsoft())), ada.come_back({"state": "made-up"})):
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "no-store" in page.headers["Cache-Control"]
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert page.headers["X-Frame-Options"] == "DENY"
        assert page.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"
        assert "<script>" not in page.content.decode() and " onclick" not in page.content.decode()
    assert ada.get("profile").headers["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"


# What comes back from Microsoft


def test_USER_02_an_answer_counts_once(world, ada):
    query = ada.agree(ada.send_to_microsoft())
    ada.come_back(query)

    again = ada.come_back(query)

    assert again.status_code == 400 and "used already" in text_of(again)
    assert AccessKey.objects.count() == 1


def test_USER_02_an_answer_that_comes_too_late_is_refused(world, ada):
    query = ada.agree(ada.send_to_microsoft())
    SignInFlow.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))

    page = ada.come_back(query)

    assert page.status_code == 400 and "took too long" in text_of(page)
    assert not AccessKey.objects.exists()


def test_USER_02_nobody_can_slip_their_own_account_into_another_users_browser(world, ada):
    """Login CSRF: Ben starts a sign-in and has Ada's browser open the address that Microsoft sent him back to."""
    ben = Browser(world, "ben")
    query = ben.agree(ben.send_to_microsoft(), person="ben")

    page = ada.come_back(query)

    assert page.status_code == 400 and "not started from this window" in text_of(page)
    assert not AccessKey.objects.exists()
    assert ben.come_back(query).status_code == 200


def test_USER_02_nor_into_another_browser_of_the_same_user(world, ada):
    query = ada.agree(ada.send_to_microsoft())

    page = Browser(world, "ada").come_back(query)

    assert page.status_code == 400
    assert not AccessKey.objects.exists()


@pytest.mark.parametrize("query", [
    {}, {"code": "abc"}, {"state": "abc", "code": "abc"}, {"error": "access_denied"},
    {"state": "abc", "error": "server_error", "error_description": "<img src=x onerror=alert(1)>"},
    {"state": "\x00", "code": "\x00"}, {"state": "s" * 10_000},
])
def test_USER_02_made_up_answers_get_a_plain_page(world, ada, query):
    page = ada.come_back(query)

    assert page.status_code == 400 and "onerror" not in page.content.decode()
    assert not AccessKey.objects.exists()


def test_USER_02_a_refusal_at_microsoft_gets_a_plain_sentence(world, ada):
    state = dict(part.split("=", 1) for part in ada.send_to_microsoft().split("?")[1].split("&"))["state"]

    page = ada.come_back({"state": state, "error": "access_denied", "error_description": "AADSTS65004: secret-detail"})

    assert page.status_code == 400
    assert "secret-detail" not in page.content.decode()
    assert not AccessKey.objects.exists()


def test_USER_02_without_microsoft_the_popup_says_so(world, ada, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "LOGIN_URL": "http://127.0.0.1:9"}

    page = ada.get("sign-in")

    assert page.status_code == 503 and "cannot be reached" in text_of(page)


def test_USER_02_signing_in_needs_a_crm_user(world, ada):
    nobody = Browser(world, None)
    for name in ("sign-in", "sign-in-callback", "profile"):
        answer = nobody.get(name)
        assert answer.status_code == 302 and answer.url.startswith("/accounts/login/")
    assert nobody.get("profile", HTTP_ACCEPT="application/json").status_code == 401


def test_USER_02_connecting_and_disconnecting_need_a_csrf_token(world, ada):
    strict = Browser(world, "ada", enforce_csrf_checks=True)
    for name in ("connect", "disconnect", "sync-now", "pause", "resume", "preview", "settings"):
        assert strict.post(name).status_code == 403, name
    assert ada.get("connect").status_code == ada.get("disconnect").status_code == 405


@override_settings(SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies")
def test_USER_02_works_where_sessions_live_in_cookies(world):
    world.organisation()
    browser = Browser(world, "ada")

    assert browser.connect(browser.access_key()).status_code == 302


def test_USER_02_the_redirect_address_is_the_public_one_where_there_is_one(world, ada, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "PUBLIC_URL": "https://crm.example/"}
    assert "redirect_uri=https%3A%2F%2Fcrm.example%2Fmicrosoft%2Fsign-in%2Fcallback%2F" in ada.send_to_microsoft()


def test_PRIV_03_no_code_token_or_key_reaches_a_log(world, ada, caplog):
    caplog.set_level(logging.DEBUG)
    query = ada.agree(ada.send_to_microsoft())
    key = key_on(ada.come_back(query))
    ada.connect(key)
    ada.come_back({**query, "code": "leaky-code"})

    cache = json.loads(decrypt(world.link("ada").token_cache)["cache"])
    secrets = [entry["secret"] for part in ("AccessToken", "RefreshToken") for entry in cache[part].values()]
    lines = [record.getMessage() for record in caplog.records if not record.name.startswith("werkzeug")]
    assert len(secrets) == 2
    for secret in (key, query["code"], "leaky-code", *secrets):
        assert not [line for line in lines if secret in line]


# Whose account


def test_ORG_02_a_personal_account_is_refused(world, ada, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "AUTHORITY_TENANT": "common"}    # Microsoft would let it in
    world.organisation(tenant_id="")
    person = world.sandbox.add_user(world.sandbox.personal_tenant(), "someone@outlook.example", "Someone")

    page = ada.come_back(ada.agree(ada.send_to_microsoft(), person))

    assert page.status_code == 400 and "personal" in text_of(page)
    assert not AccessKey.objects.exists()


def test_ORG_02_an_account_of_another_tenant_is_refused(world, ada):
    world.organisation(tenant_id="")
    other = world.sandbox.add_tenant("elsewhere.example", "Elsewhere")
    stranger = world.sandbox.add_user(other, "sam@elsewhere.example", "Sam")
    address = ada.send_to_microsoft()
    query = world._agree(address, stranger)
    world.organisation()

    page = ada.come_back(query)

    assert page.status_code == 400 and "work account of your" in text_of(page)
    assert not AccessKey.objects.exists()


def test_USER_04_an_account_belongs_to_one_user(world, ada):
    ada.connect(ada.access_key())
    ben = Browser(world, "ben")

    page = ben.come_back(ben.agree(ben.send_to_microsoft(), person="ada"))

    assert page.status_code == 400 and "already connected to another user" in text_of(page)
    assert UserLink.objects.count() == 1


def test_USER_04_two_keys_for_one_account_end_with_one_link(world, ada):
    """Both sign in before either connects: the second is refused at the last step."""
    ben = Browser(world, "ben")
    first, second = ada.access_key(), ben.access_key(person="ada")
    ada.connect(first)

    answer = ben.connect(second)

    assert answer.status_code == 400 and "already connected to another user" in text_of(answer)
    assert UserLink.objects.get().user == world.user("ada")


def test_USER_04_a_user_has_one_account(world, ada):
    ada.connect(ada.access_key())

    page = ada.come_back(ada.agree(ada.send_to_microsoft(), person="cleo"))

    assert page.status_code == 400
    assert "You are connected with the account ada@brightwell.example" in text_of(page)
    assert world.link("ada").account == "ada@brightwell.example"


def test_USER_04_signing_in_again_with_the_same_account_renews_the_link(world):
    link = world.connect("ada")
    heard = []
    link_connected.connect(lambda **given: heard.append(given["link"]), weak=False, dispatch_uid="test")
    ada = Browser(world, "ada")

    ada.connect(ada.access_key())

    link_connected.disconnect(dispatch_uid="test")
    again = world.link("ada")
    assert again.pk == link.pk and again.status == LinkStatus.CONNECTED
    assert again.token_version > link.token_version
    assert heard == [again]


# Disconnecting


def test_USER_04_disconnecting_deletes_the_tokens_and_keeps_the_records(world):
    link = world.connect("ada")
    _mapping(link)
    ada = Browser(world, "ada")

    ada.post("disconnect")

    link = world.link("ada")
    assert link.status == LinkStatus.DISCONNECTED and link.token_cache is None and link.due_at is None
    assert RecordMapping.objects.filter(link=link).count() == 1
    assert not UserLink.objects.due(timezone.now() + datetime.timedelta(days=1)).exists()
    assert "Connect again" in text_of(ada.get("profile"))


def test_USER_04_the_same_account_picks_up_its_old_links(world):
    link = world.connect("ada", only_my_items=False)
    mapping = _mapping(link)
    ada = Browser(world, "ada")
    ada.post("disconnect")

    ada.connect(ada.access_key())

    again = world.link("ada")
    assert again.pk == link.pk and again.status == LinkStatus.CONNECTED and again.only_my_items is False
    assert RecordMapping.objects.get() == mapping


def test_USER_04_another_account_starts_anew(world):
    link = world.connect("ada", microsoft_folders=["folder-of-the-old-account"])
    _mapping(link)
    InboxItem.objects.create(link=link, kind="contacts", graph_id="g", pulled_at=timezone.now())
    UserLink.objects.update(cursors={"contacts": {"links": {"f": "old"}}})
    ada = Browser(world, "ada")
    ada.post("disconnect")

    ada.connect(ada.access_key(person="cleo"))

    again = world.link("ada")
    assert again.account == "cleo@brightwell.example" and again.status == LinkStatus.AWAITING_SETTINGS
    assert again.cursors == {} and again.microsoft_folders is None and again.settings_saved_at is None
    assert not RecordMapping.objects.exists() and not InboxItem.objects.exists()


def test_USER_04_a_disconnected_account_can_be_given_to_somebody_else(world):
    link = world.connect("ada")
    _mapping(link)
    Browser(world, "ada").post("disconnect")
    ben = Browser(world, "ben")

    ben.connect(ben.access_key(person="ada"))

    assert world.link("ben").account == "ada@brightwell.example"
    assert world.link("ada").microsoft_user_id == "" and not RecordMapping.objects.exists()


def test_USER_04_an_administrator_can_disconnect_a_user_and_nobody_else_can(world):
    link = world.connect("ada")

    assert Browser(world, "ben").post("disconnect", link.pk).status_code == 404
    assert world.link("ada").token_cache
    Browser(world, "admin").post("disconnect", link.pk)
    assert world.link("ada").token_cache is None


def test_USER_03_nothing_is_due_before_the_settings_have_been_saved(world, ada):
    ada.connect(ada.access_key())
    assert not UserLink.objects.due(timezone.now() + datetime.timedelta(days=1)).exists()

    assert ada.patch("api-link", data={}).status_code == 200

    assert world.link("ada").status == LinkStatus.CONNECTED
    assert UserLink.objects.due(timezone.now()).exists()


def _mapping(link):
    return RecordMapping.objects.create(
        link=link, kind="contacts", adapter="crm.contact", object_id="1", graph_id="g-1")
