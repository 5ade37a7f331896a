"""Authorising the app for a Microsoft tenant, and what happens when Microsoft lets nobody in any more (ORG-01)."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.urls import reverse
from django.utils import timezone

from opencrm_ms365.access import consent, outage
from opencrm_ms365.models import SignInFlow, SyncRun, SyncSettings, UserLink
from opencrm_ms365.signals import access_broken, link_broken
from opencrm_ms365.sync import schedule
from opencrm_ms365.sync.eligible import eligible_links, why_not
from tests.behaviour.test_user_tokens import age
from tests.browsing import Browser, text_of

#: What the sync of contacts and of the calendar needs.
ASKED = ("User.Read", "Contacts.ReadWrite", "Calendars.ReadWrite", "User.ReadBasic.All")
pytestmark = pytest.mark.django_db(transaction=True)
UNTOUCHED = {"tenant_id": "", "tenant_name": "", "authorised_by": "", "authorised_at": None}


class Administrator(Browser):
    """The browser of an administrator of the CRM, who may be somebody else at Microsoft."""

    def __init__(self, world, person="admin"):
        super().__init__(world, person)

    def press_authorise(self):
        answer = self.get("authorise")
        assert answer.status_code == 302, text_of(answer)
        return answer.headers["Location"]

    def at_microsoft(self, address, upn="admin@brightwell.example", step=None):
        """Go through Microsoft's page by hand: choose the account, then accept or cancel."""
        data = {"account": upn} if step is None else {"account": upn, "step": step}
        answer = requests.post(address, data, allow_redirects=False, timeout=10)
        if not answer.is_redirect and step is None:
            return self.at_microsoft(address, upn, "accept")
        assert answer.is_redirect, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def come_back(self, query):
        return self.client.get(reverse("ms365:authorise-callback"), query)

    def authorise(self, upn="admin@brightwell.example", signs_in_as=None):
        """The whole way; the page it ends on."""
        page = self.come_back(self.at_microsoft(self.press_authorise(), upn))
        if page.status_code != 302:
            return page
        return self.come_back(self.at_microsoft(page.headers["Location"], signs_in_as or upn))


@pytest.fixture
def admin(world):
    world.sandbox.options.user_consent = "refused"
    SyncSettings.of("")
    return Administrator(world)


def stored():
    return SyncSettings.objects.filter(tenant="").values(*UNTOUCHED).get()


# Authorising


def test_ORG_01_an_administrator_authorises_the_app_for_the_tenant(world, admin):
    before = timezone.now()

    page = admin.authorise()

    assert page.status_code == 200 and "Brightwell & Sons has allowed this CRM" in text_of(page)
    row = SyncSettings.of("")
    assert (row.tenant_id, row.tenant_name) == (world.tenant.id, "Brightwell & Sons")
    assert row.authorised_by == "admin@brightwell.example" and before <= row.authorised_at <= timezone.now()
    assert not UserLink.objects.exists(), "the administrator's mailbox is nobody's link by this"
    assert not SignInFlow.objects.exists()
    shown = text_of(admin.client.get(reverse("admin:opencrm_ms365_syncsettings_change", args=[row.pk])))
    assert "Brightwell & Sons" in shown and "admin@brightwell.example" in shown and "Authorise again" in shown


def test_ORG_01_afterwards_users_sign_in_without_being_asked_for_consent(world, admin):
    admin.authorise()
    ada = Administrator(world, "ada")

    query = ada.at_microsoft(ada.send_to_microsoft(), "ada@brightwell.example", "")

    assert ada.client.get(reverse("ms365:sign-in-callback"), query).status_code == 200


def test_ORG_01_the_consent_page_is_asked_for_what_a_sign_in_needs_and_no_more(world, admin):
    address = urlsplit(admin.press_authorise())
    query = dict(parse_qsl(address.query))

    assert address.path == "/organizations/v2.0/adminconsent"
    assert query["redirect_uri"] == "http://testserver/microsoft/authorise/callback/"
    assert query["scope"].split() == [
        *(f"https://graph.microsoft.com/{name}" for name in ASKED), "openid", "profile", "offline_access"]


def test_ORG_01_once_authorised_the_page_of_that_tenant_is_opened(world, admin):
    world.organisation()
    assert urlsplit(admin.press_authorise()).path == f"/{world.tenant.id}/v2.0/adminconsent"


def test_ORG_01_where_graph_does_not_say_the_name_the_domain_is_shown(world, admin):
    world.sandbox.faults.add(method="GET", path="^/v1.0/organization", status=403, times=5)
    admin.authorise()
    assert SyncSettings.of("").tenant_name == "brightwell.example"


def test_ORG_01_only_an_administrator_of_the_crm_may(world, admin):
    for person in ("ada", "ben"):
        browser = Administrator(world, person)
        assert browser.get("authorise").status_code == 403
        assert browser.come_back({"admin_consent": "True", "tenant": world.tenant.id, "state": "x"}).status_code == 403
    assert stored() == UNTOUCHED and not SignInFlow.objects.exists()


# What is refused, each with its own sentence


def test_ORG_01_a_refusal_changes_nothing(world, admin):
    query = admin.at_microsoft(admin.press_authorise(), step="cancel")
    assert query["admin_consent"] == "True", "Microsoft says so on errors too"

    page = admin.come_back(query)

    assert page.status_code == 400 and "declined" in text_of(page) and "Nothing has changed" in text_of(page)
    assert stored() == UNTOUCHED


def test_ORG_01_somebody_who_is_no_administrator_at_microsoft_cannot_consent(world, admin):
    page = admin.come_back(admin.at_microsoft(admin.press_authorise(), "ada@brightwell.example"))
    assert page.status_code == 400 and "not an administrator of Microsoft 365" in text_of(page)
    assert stored() == UNTOUCHED


def test_ORG_01_declining_at_the_sign_in_changes_nothing(world, admin):
    page = admin.come_back(admin.at_microsoft(admin.press_authorise()))
    page = admin.come_back(admin.at_microsoft(page.headers["Location"], step="cancel"))
    assert page.status_code == 400 and "declined" in text_of(page)
    assert stored() == UNTOUCHED


@pytest.mark.parametrize("forged", ["", "made-up", "x" * 3000, "\x00"])
def test_ORG_01_a_forged_state_is_refused(world, admin, forged):
    page = admin.come_back({"admin_consent": "True", "tenant": world.tenant.id, "state": forged})
    assert page.status_code == 400 and "not started from this window" in text_of(page)
    assert stored() == UNTOUCHED


def test_ORG_01_a_replayed_answer_is_refused(world, admin):
    consented = admin.at_microsoft(admin.press_authorise())
    signed_in = admin.at_microsoft(admin.come_back(consented).headers["Location"])
    admin.come_back(signed_in)
    SyncSettings.objects.update(**UNTOUCHED)

    for query in (consented, signed_in):
        page = admin.come_back(query)
        assert page.status_code == 400 and "used already" in text_of(page)
    assert stored() == UNTOUCHED


def test_ORG_01_an_answer_is_worth_nothing_in_another_session(world, admin):
    """Login CSRF: somebody sends the administrator a link with an answer of their own."""
    other = Administrator(world)
    query = other.at_microsoft(other.press_authorise())
    page = admin.come_back(query)
    assert page.status_code == 400 and "not started from this window" in text_of(page)
    assert stored() == UNTOUCHED


def test_ORG_01_an_answer_of_a_users_sign_in_authorises_nothing(world, admin):
    world.organisation(tenant_id="", tenant_name="")
    page = admin.come_back(admin.agree(admin.send_to_microsoft(), person="admin"))
    assert page.status_code == 400 and stored() == UNTOUCHED


def test_ORG_01_a_forged_tenant_is_not_believed(world, admin):
    """The consent answer is not signed: which tenant it is, only the sign-in says."""
    other = world.sandbox.add_tenant("elsewhere.example", "Elsewhere")
    query = admin.at_microsoft(admin.press_authorise()) | {"tenant": other.id}
    page = admin.come_back(query)
    assert stored() == UNTOUCHED, "nothing is stored before the sign-in"
    admin.come_back(admin.at_microsoft(page.headers["Location"]))
    assert SyncSettings.of("").tenant_id == world.tenant.id


@pytest.mark.parametrize("changes", [{"admin_consent": ""}, {"admin_consent": "False"}, {"tenant": "brightwell"},
                                     {"tenant": "9188040d-6c67-4c5b-b112-36a304b66dad"}])
def test_ORG_01_an_answer_that_makes_no_sense_is_refused(world, admin, changes):
    page = admin.come_back(admin.at_microsoft(admin.press_authorise()) | changes)
    assert page.status_code == 400 and "Nothing has changed" in text_of(page)
    assert stored() == UNTOUCHED


def test_ORG_01_ORG_02_a_personal_account_cannot_authorise(world, admin, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "AUTHORITY_TENANT": "common"}     # Microsoft would let it in
    world.sandbox.add_user(world.sandbox.personal_tenant(), "someone@outlook.example", "Someone")

    page = admin.authorise(signs_in_as="someone@outlook.example")

    assert page.status_code == 400 and "personal Microsoft account" in text_of(page)
    assert stored() == UNTOUCHED


def test_ORG_01_another_tenant_than_the_authorised_one_is_refused(world, admin):
    admin.authorise()
    before = stored()
    other = world.sandbox.add_tenant("elsewhere.example", "Elsewhere")
    world.sandbox.add_user(other, "boss@elsewhere.example", "Boss", is_admin=True)

    page = admin.come_back(admin.at_microsoft(admin.press_authorise()) | {"tenant": other.id})
    assert page.status_code == 400 and "authorised for Brightwell & Sons already" in text_of(page)

    address = re.sub(r"/[0-9a-f-]{36}/v2.0/", "/organizations/v2.0/", admin.press_authorise())
    page = admin.come_back(admin.at_microsoft(address, "boss@elsewhere.example"))
    assert page.status_code == 400 and "authorised for Brightwell & Sons already" in text_of(page)
    assert stored() == before


def test_ORG_01_of_two_administrators_at_the_same_moment_the_first_counts(world, admin):
    other = world.sandbox.add_tenant("elsewhere.example", "Elsewhere")
    world.sandbox.add_user(other, "boss@elsewhere.example", "Boss", is_admin=True)
    page = admin.come_back(admin.at_microsoft(admin.press_authorise(), "boss@elsewhere.example"))
    query = admin.at_microsoft(page.headers["Location"], "boss@elsewhere.example")
    finish = consent._store

    def somebody_was_quicker(*arguments):
        SyncSettings.objects.update(tenant_id=world.tenant.id, tenant_name="Brightwell & Sons")
        return finish(*arguments)

    consent._store = somebody_was_quicker
    try:
        page = admin.come_back(query)
    finally:
        consent._store = finish
    assert page.status_code == 400 and "authorised for Brightwell & Sons already" in text_of(page)
    assert stored()["tenant_id"] == world.tenant.id and stored()["authorised_at"] is None


def test_ORG_01_consent_takes_a_while_to_reach_all_servers(world, admin):
    world.sandbox.options.consent_delay_s = 3600
    page = admin.come_back(admin.at_microsoft(admin.press_authorise()))
    page = admin.come_back(admin.at_microsoft(page.headers["Location"]))

    assert page.status_code == 200 and "has not spread the permission" in text_of(page)
    assert page.headers["Refresh"] == "10; url=/microsoft/authorise/?attempt=2"
    assert stored() == UNTOUCHED

    world.sandbox.options.consent_delay_s = 0
    again = admin.client.get("/microsoft/authorise/?attempt=2")
    page = admin.come_back(admin.at_microsoft(again.headers["Location"]))
    assert "has allowed this CRM" in text_of(page) and SyncSettings.of("").tenant_id == world.tenant.id


def test_ORG_01_it_does_not_try_for_ever(world, admin):
    world.sandbox.options.consent_delay_s = 3600
    address = admin.client.get(f"/microsoft/authorise/?attempt={consent.MOST_ATTEMPTS}").headers["Location"]
    page = admin.come_back(admin.at_microsoft(address))
    assert page.status_code == 400 and "Refresh" not in page.headers and "Begin again" in text_of(page)


def test_ORG_01_a_wrong_secret_is_said_plainly(world, admin, settings):
    page = admin.come_back(admin.at_microsoft(admin.press_authorise()))
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CLIENT_SECRET": "wrong"}
    page = admin.come_back(admin.at_microsoft(page.headers["Location"]))
    assert page.status_code == 400 and "client secret of this app is wrong" in text_of(page)
    assert stored() == UNTOUCHED


def test_ORG_01_no_answer_of_microsoft_is_said_plainly(world, admin, settings):
    address = admin.press_authorise()
    query = admin.at_microsoft(address)
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "LOGIN_URL": "http://127.0.0.1:9"}
    page = admin.come_back(query)
    assert page.status_code == 400 and "cannot be reached" in text_of(page)


def test_ORG_01_codes_and_states_leave_with_no_referrer_and_are_not_logged(world, admin, caplog):
    consented = admin.at_microsoft(admin.press_authorise())
    page = admin.come_back(consented)
    signed_in = admin.at_microsoft(page.headers["Location"])
    last = admin.come_back(signed_in)
    for answer in (page, last):
        assert answer.headers["Referrer-Policy"] == "no-referrer" and "no-store" in answer.headers["Cache-Control"]
    assert signed_in["code"] not in last.content.decode() and signed_in["state"] not in last.content.decode()
    lines = " ".join(record.getMessage() for record in caplog.records if not record.name.startswith("werkzeug"))
    assert signed_in["code"] not in lines and signed_in["state"] not in lines


def test_ORG_01_moving_to_another_tenant_begins_with_an_empty_field(world, admin):
    admin.authorise()
    row = SyncSettings.of("")
    address = reverse("admin:opencrm_ms365_syncsettings_change", args=[row.pk])
    values = form_values(admin.client.get(address))
    admin.client.post(address, values | {"tenant_id": ""})
    assert stored() == UNTOUCHED
    assert urlsplit(admin.press_authorise()).path == "/organizations/v2.0/adminconsent"


def form_values(page):
    """What a form of the admin would send back unchanged."""
    form = page.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in values.items() if value not in (None, False)}


# Microsoft lets nobody in any more


@pytest.fixture
def told():
    heard = []

    def organisations(organisation, problem, **more):
        heard.append(problem)

    def links(link, status, **more):
        heard.append(status)

    access_broken.connect(organisations)
    link_broken.connect(links)
    yield heard
    access_broken.disconnect(organisations)
    link_broken.disconnect(links)


@pytest.fixture
def two(world, admin):
    """Ada and Ben sync, in an authorised organisation; their access tokens have run out."""
    admin.authorise()
    world.organisation()
    links = [world.connect("ada"), world.connect("ben")]
    world.sync()
    world.sandbox.login.withdraw_consent(account="ada@brightwell.example")       # only the tenant's consent counts
    world.sandbox.login.withdraw_consent(account="ben@brightwell.example")
    for link in links:
        age(link)
    UserLink.objects.update(due_at=timezone.now())
    return links


def withdraw(world):
    world.sandbox.login.withdraw_consent(tenant=world.tenant)


def work_again():
    """Ten minutes later."""
    SyncSettings.objects.update(access_retry_at=timezone.now())
    UserLink.objects.update(due_at=timezone.now())
    schedule.work(60)


def test_ORG_01_withdrawn_consent_is_one_state_of_the_organisation(world, two, told):
    caches = {link.pk: bytes(link.token_cache) for link in UserLink.objects.all()}
    withdraw(world)

    schedule.work(60)

    row = SyncSettings.of("")
    assert row.access_problem == "consent" and told == ["consent"]
    assert {link.pk: bytes(link.token_cache) for link in UserLink.objects.all()} == caches
    assert [link.status for link in UserLink.objects.all()] == ["connected", "connected"]
    assert SyncRun.objects.filter(state="failed").count() == 1, "one link found out, nobody else was bothered"
    for person in ("ada", "ben", "admin"):
        page = Browser(world, person).get("people" if person == "admin" else "profile")
        assert "The administrator must authorise again" in text_of(page), person
    assert "users have nothing to do" in why_not(two[1])
    assert not eligible_links().exists()
    assert Browser(world, "ada").post("api-sync").status_code == 409


def test_ORG_01_while_it_lasts_one_try_is_made_for_each_cycle_and_nobody_is_told_again(world, two, told):
    withdraw(world)
    schedule.work(60)
    for _ in range(3):
        work_again()
    assert told == ["consent"]
    assert SyncRun.objects.filter(state="failed").count() == 4


def test_ORG_01_links_go_on_by_themselves_after_authorising_again(world, admin, two, told):
    withdraw(world)
    schedule.work(60)
    world.mailbox("ben").add_contact(givenName="Grace", surname="Hopper")

    assert "has allowed this CRM" in text_of(admin.authorise())
    assert SyncSettings.of("").access_problem == ""
    schedule.work(60)

    assert world.crm.contacts().filter(first_name="Grace").exists()
    assert told == ["consent"]


def test_ORG_01_consent_given_again_at_microsoft_is_noticed_at_the_next_try(world, two, told):
    withdraw(world)
    schedule.work(60)
    world.sandbox.login.grant_consent(world.client_id, " ".join(ASKED), tenant=world.tenant)

    work_again()

    assert SyncSettings.of("").access_problem == ""
    assert {link.last_run_at is not None for link in UserLink.objects.all()} == {True}


def test_ORG_01_a_token_that_lives_on_does_not_hide_that_consent_is_gone(world, two, told):
    """Only a renewal shows whether it is over: access tokens outlive the consent by up to an hour."""
    UserLink.objects.filter(user=world.user("ben")).update(due_at=None)
    withdraw(world)
    schedule.work(60)
    world.sandbox.options.user_consent = "allowed"
    from opencrm_ms365.models import decrypt, encrypt
    link = world.link("ada")
    kept = decrypt(link.token_cache)
    UserLink.objects.filter(pk=link.pk).update(token_cache=encrypt(
        {**kept, "token": world.sandbox.token_for("ada@brightwell.example", " ".join(ASKED)),
         "expires_at": timezone.now().timestamp() + 3600}))

    work_again()

    assert SyncSettings.of("").access_problem == "consent" and told == ["consent"]


def test_ORG_01_a_permission_of_ones_own_does_not_end_it_for_the_others(world, two, told):
    """Ben has consented for himself; the organisation's consent is gone, and Ada needs it."""
    world.sandbox.login.grant_consent(world.client_id, " ".join(ASKED),
                                      account="ben@brightwell.example")
    withdraw(world)
    for _ in range(4):
        schedule.work(60)
        for link in UserLink.objects.all():
            age(link)
        work_again()
        assert SyncSettings.of("").access_problem == "consent"
    assert told == ["consent"], "once, not every cycle"

    world.sandbox.login.grant_consent(world.client_id, " ".join(ASKED), tenant=world.tenant)
    work_again()
    assert SyncSettings.of("").access_problem == ""
    assert set(UserLink.objects.values_list("status", "status_reason")) == {("connected", "")}


def test_USER_06_a_mailbox_that_is_denied_is_its_users_matter_and_nobody_elses(world, two, told):
    """A rule of Exchange for one mailbox looks like a missing permission; the sign-in service says that it is none."""
    world.sandbox.faults.add(path="contact", status=403, account="ada@brightwell.example", times=None)
    for _ in range(3):
        work_again()

    ada, ben = world.link("ada"), world.link("ben")
    assert (ada.status, ben.status) == ("no_mailbox", "connected") and "denies access" in ada.status_reason
    assert SyncSettings.of("").access_problem == "" and told == ["no_mailbox"]
    assert ben.last_run_at is not None

    world.sandbox.faults.clear()
    assert Browser(world, "ada").post("api-sync").status_code == 202
    schedule.work(60)
    assert world.link("ada").status == "connected" and SyncSettings.of("").access_problem == ""


def test_USER_06_a_denial_that_has_passed_is_tried_again(world, two, told):
    world.sandbox.faults.add(path="contactFolders", status=403, account="ada@brightwell.example", times=1)
    work_again()
    assert world.link("ada").status == "connected" and told == []
    assert SyncRun.objects.filter(link=world.link("ada"), state="failed").count() == 1
    work_again()
    assert SyncRun.objects.filter(link=world.link("ada")).latest("pk").state == "done"


def test_USER_06_an_expired_client_secret_is_the_organisations_state_with_its_own_words(world, two, told, settings):
    client = world.sandbox.world.clients[world.client_id]
    client.secret_expired = True

    schedule.work(60)

    assert SyncSettings.of("").access_problem == "client" and told == ["client"]
    assert [link.status for link in UserLink.objects.all()] == ["connected", "connected"]
    page = text_of(Browser(world, "ada").get("profile"))
    assert "client secret of this app has expired" in page and "users have nothing to do" in page
    assert Browser(world, "ada").get("people").status_code == 403

    client.secret_expired = False
    Browser(world, "admin").post("try-access")
    schedule.work(60)
    assert SyncSettings.of("").access_problem == "" and told == ["client"]


def test_USER_06_a_preview_finds_out_as_well(world, two, told):
    withdraw(world)
    run = schedule.request_preview(two[0])
    schedule.preview(run.pk)
    run.refresh_from_db()
    assert run.state == "failed" and SyncSettings.of("").access_problem == "consent"


def test_ORG_01_only_an_administrator_asks_for_a_new_try(world, two):
    withdraw(world)
    schedule.work(60)
    before = SyncSettings.of("").access_retry_at
    assert Browser(world, "ada").post("try-access").status_code == 403
    assert SyncSettings.of("").access_retry_at == before
    assert outage.over("another") is False and SyncSettings.of("").access_problem == "consent"
