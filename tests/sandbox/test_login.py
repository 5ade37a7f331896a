"""The simulated sign-in, over real HTTP: with MSAL where a client would use it, by hand where one would not."""

import base64
import hashlib
import json
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import jwt
import pytest
import requests

from opencrm_ms365.sandbox import PERSONAL_TENANT_ID, Sandbox
from opencrm_ms365.sandbox.server import running

from .msal_client import CLIENT_ID, REDIRECT, SCOPES, SECRET, application, query_of, visit

pytestmark = pytest.mark.filterwarnings("ignore:response_mode:UserWarning")
OPENID = "openid profile offline_access"
FULL_SCOPE = f"{OPENID} {' '.join(SCOPES)}"


class World:
    """A sandbox with two colleagues, an administrator and a stranger, and what a browser does."""

    def __init__(self, sandbox, base_url):
        self.sandbox = sandbox
        self.base_url = base_url
        self.tenant = sandbox.add_tenant("brightwell.example", "Brightwell & Sons")
        self.ada = sandbox.add_user(self.tenant, "ada@brightwell.example", "Ada Lindqvist")
        self.grace = sandbox.add_user(self.tenant, "grace@brightwell.example", "Grace Admin", is_admin=True)
        self.someone = sandbox.add_user(sandbox.personal_tenant(), "someone@outlook.example", "Someone")
        self.client = sandbox.register_client(CLIENT_ID, SECRET, [REDIRECT])

    def authorize_url(self, *, tenant="organizations", scope=FULL_SCOPE, **more):
        query = {"client_id": CLIENT_ID, "response_type": "code", "redirect_uri": REDIRECT, "scope": scope,
                 "state": "s1", **more}
        return f"{self.base_url}/{tenant}/oauth2/v2.0/authorize?{urlencode(query)}"

    def code(self, account=None, **more):
        """A code for an account that agrees to everything."""
        response = visit(self.authorize_url(**more), account=(account or self.ada).upn, step="accept")
        return query_of(response)["code"]

    def redeem(self, code, *, tenant="organizations", **more):
        form = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "client_secret": SECRET, "code": code,
                "redirect_uri": REDIRECT, "scope": FULL_SCOPE, **more}
        return self.token(form, tenant)

    def refresh(self, refresh_token, *, tenant="organizations", **more):
        form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": SECRET,
                "refresh_token": refresh_token, "scope": FULL_SCOPE, **more}
        return self.token(form, tenant)

    def token(self, form, tenant="organizations"):
        form = {name: value for name, value in form.items() if value is not None}
        return requests.post(f"{self.base_url}/{tenant}/oauth2/v2.0/token", data=form, timeout=10)

    def signed_in(self, account=None, **more):
        return self.redeem(self.code(account, **more)).json()

    def me(self, access_token):
        return requests.get(f"{self.base_url}/v1.0/me", headers={"Authorization": f"Bearer {access_token}"}, timeout=10)


@pytest.fixture
def world():
    sandbox = Sandbox()
    with running(sandbox) as base_url:
        yield World(sandbox, base_url)


def refused(response, code, error, *, status=400):
    """Whether a token request was refused so, with the whole body of Microsoft's (facts 3.4)."""
    body = response.json()
    assert (response.status_code, body["error"], body["error_codes"]) == (status, error, [code])
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert all(part in body["error_description"] for part in ("Trace ID: ", "Correlation ID: ", "Timestamp: "))
    assert {"timestamp", "trace_id", "correlation_id", "error_uri"} <= body.keys()
    assert "access_token" not in body
    return body


def msal_sign_in(world, *, tenant="organizations", scopes=SCOPES, account=None, **credential):
    """All of MSAL's conversation, with the buttons of the pages pressed."""
    app = application(world.base_url, tenant=tenant, **credential)
    flow = app.initiate_auth_code_flow(scopes, redirect_uri=REDIRECT)
    response = visit(flow["auth_uri"], account=(account or world.ada).upn, step="accept")
    return app, app.acquire_token_by_auth_code_flow(flow, query_of(response))


# With MSAL

def test_msal_signs_a_user_in_and_reads_their_profile(world):
    app, result = msal_sign_in(world)

    claims = result["id_token_claims"]
    assert (claims["tid"], claims["oid"]) == (world.tenant.id, world.ada.id)
    assert claims["preferred_username"] == "ada@brightwell.example"
    assert set(SCOPES) <= set(result["scope"].split())
    assert world.me(result["access_token"]).json()["id"] == world.ada.id
    assert app.get_accounts()[0]["home_account_id"] == f"{world.ada.id}.{world.tenant.id}"


def test_msal_refreshes_silently_and_says_why_when_it_cannot(world):
    app, _ = msal_sign_in(world)
    account = app.get_accounts()[0]

    refreshed = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert world.me(refreshed["access_token"]).status_code == 200

    world.sandbox.login.expire_refresh_tokens(world.ada)
    result = app.acquire_token_silent_with_error(SCOPES, account, force_refresh=True)
    assert (result["error"], result["error_codes"]) == ("invalid_grant", [700082])


def test_msal_signs_in_with_a_certificate(world, certificate):
    private_key, public_pem = certificate
    world.sandbox.register_client("certified", "", [REDIRECT], certificates=(public_pem,))
    credential = {"private_key": private_key, "public_certificate": public_pem}

    _, result = msal_sign_in(world, client_id="certified", credential=credential)

    assert "access_token" in result


def test_a_certificate_that_is_not_registered_is_refused(world, certificate):
    private_key, public_pem = certificate
    world.client.certificates = ()

    _, result = msal_sign_in(world, credential={"private_key": private_key, "public_certificate": public_pem})

    assert (result["error"], result["error_codes"]) == ("invalid_client", [700027])


def test_msal_in_the_tenants_own_door_gets_the_same_identity(world):
    for tenant in (world.tenant.id, "brightwell.example", "common"):
        _, result = msal_sign_in(world, tenant=tenant)
        assert result["id_token_claims"]["oid"] == world.ada.id


# Discovery and keys (facts 15.7, 15.8)

def test_discovery_names_an_https_token_endpoint_and_an_http_authorize_endpoint(world):
    document = requests.get(f"{world.base_url}/organizations/v2.0/.well-known/openid-configuration", timeout=10).json()

    netloc = urlsplit(world.base_url).netloc
    assert document["token_endpoint"] == f"https://{netloc}/organizations/oauth2/v2.0/token"
    assert document["authorization_endpoint"] == f"http://{netloc}/organizations/oauth2/v2.0/authorize"
    world.sandbox.options.set(plain_http_everywhere=True)
    document = requests.get(f"{world.base_url}/organizations/v2.0/.well-known/openid-configuration", timeout=10).json()
    assert document["token_endpoint"].startswith("http://")


def test_an_unknown_tenant_is_refused_everywhere(world):
    discovery = requests.get(f"{world.base_url}/nowhere.example/v2.0/.well-known/openid-configuration", timeout=10)
    refused(discovery, 90002, "invalid_request")
    refused(world.refresh("x", tenant="nowhere.example"), 90002, "invalid_request")
    assert "AADSTS90002" in visit(world.authorize_url(tenant="nowhere.example")).text


def test_id_tokens_are_signed_with_a_published_key(world):
    token = world.signed_in(nonce="n-0S6")["id_token"]
    keys = requests.get(f"{world.base_url}/{world.tenant.id}/discovery/v2.0/keys", timeout=10).json()["keys"]
    key = next(key for key in keys if key["kid"] == jwt.get_unverified_header(token)["kid"])

    claims = jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], audience=CLIENT_ID,
                        issuer=f"{world.base_url}/{world.tenant.id}/v2.0")

    assert (claims["tid"], claims["oid"], claims["nonce"]) == (world.tenant.id, world.ada.id, "n-0S6")
    assert claims["sub"] not in (world.ada.id, world.ada.upn)


# The authorize endpoint

def test_the_page_lists_the_accounts_with_the_hinted_one_first(world):
    page = visit(world.authorize_url(login_hint="grace@brightwell.example"))

    assert page.status_code == 200
    upns = [part.split('"')[0] for part in page.text.split('name="account" value="')[1:]]
    assert upns[0] == "grace@brightwell.example"
    assert set(upns) == {"ada@brightwell.example", "grace@brightwell.example", "someone@outlook.example"}


def test_picking_an_account_leads_to_the_consent_page_and_then_back(world):
    url = world.authorize_url()

    page = visit(url, account=world.ada.upn)
    assert "Permissions requested" in page.text and "Contacts.ReadWrite" in page.text
    response = visit(url, account=world.ada.upn, step="accept")
    assert response.headers["Location"].startswith(REDIRECT)
    assert query_of(response)["state"] == "s1"
    assert visit(url, account=world.ada.upn).status_code == 302     # agreed once, not asked again


def test_cancelling_goes_back_with_an_error(world):
    query = query_of(visit(world.authorize_url(), account=world.ada.upn, step="cancel"))
    assert query["error"] == "access_denied" and "AADSTS65004" in query["error_description"]

    world.sandbox.options.set(declined_error="consent_required")
    assert query_of(visit(world.authorize_url(), step="cancel"))["error"] == "consent_required"


def test_auto_approve_answers_a_login_hint_with_the_redirect_at_once(world):
    world.sandbox.options.set(auto_approve=True)

    query = query_of(visit(world.authorize_url(login_hint=world.ada.upn)))

    assert "access_token" in world.redeem(query["code"]).json()
    assert visit(world.authorize_url()).status_code == 200          # without a hint there is nobody to approve


@pytest.mark.parametrize(
    "wrong", [REDIRECT.rstrip("/"), REDIRECT + "?x=1", "http://127.0.0.1:8001/", "https://evil.example/"])
def test_a_redirect_uri_must_match_to_the_letter_and_is_never_followed(world, wrong):
    response = visit(world.authorize_url(redirect_uri=wrong, prompt="none"))

    assert response.status_code == 400 and "Location" not in response.headers
    assert "AADSTS50011" in response.text


def test_loopback_clients_take_any_address_of_this_machine_only(world):
    world.client.redirect_uris = ("*loopback",)
    assert visit(world.authorize_url(redirect_uri="http://localhost:4711/x")).status_code == 200
    assert "AADSTS50011" in visit(world.authorize_url(redirect_uri="http://127.0.0.1.evil.example/")).text


def test_an_unknown_client_sees_a_page(world):
    response = visit(world.authorize_url(client_id="unknown", redirect_uri="https://evil.example/"))
    assert response.status_code == 400 and "AADSTS700016" in response.text


def test_a_single_tenant_client_is_refused_at_common(world):
    world.client.tenant_id = world.tenant.id
    assert "AADSTS50194" in visit(world.authorize_url(tenant="common")).text
    assert visit(world.authorize_url(tenant=world.tenant.id)).status_code == 200


@pytest.mark.parametrize(("more", "error"), [
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"scope": ""}, "invalid_request"),
    ({"scope": "openid Contacts.WriteEverything"}, "invalid_client"),
    ({"scope": "openid User.Read https://outlook.office.com/Contacts.Read"}, "invalid_request"),
    ({"response_mode": "pigeon"}, "invalid_request"),
    ({"prompt": "please"}, "invalid_request"),
    ({"claims": "{"}, "invalid_request"),
    ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
])
def test_developers_mistakes_come_back_to_the_application(world, more, error):
    query = query_of(visit(world.authorize_url(**more)))
    assert query["error"] == error and query["state"] == "s1" and "code" not in query


def test_the_code_comes_in_the_fragment_or_in_a_form_when_asked(world):
    response = visit(world.authorize_url(response_mode="fragment"), account=world.ada.upn, step="accept")
    assert "code=" in urlsplit(response.headers["Location"]).fragment

    response = visit(world.authorize_url(response_mode="form_post"), account=world.ada.upn, step="accept")
    assert f'action="{REDIRECT}"' in response.text and 'name="code"' in response.text


def test_prompt_none_needs_a_session_and_consent(world):
    browser = requests.Session()
    silent = world.authorize_url(prompt="none", login_hint=world.ada.upn)
    assert query_of(browser.get(silent, allow_redirects=False))["error"] == "login_required"

    browser.post(world.authorize_url(), data={"account": world.ada.upn, "step": "accept"}, allow_redirects=False)
    assert "code" in query_of(browser.get(silent, allow_redirects=False))
    wider = world.authorize_url(prompt="none", login_hint=world.ada.upn, scope="openid Tasks.ReadWrite")
    assert query_of(browser.get(wider, allow_redirects=False))["error"] == "consent_required"


def test_signing_out_ends_the_browsers_session_but_no_refresh_token(world):
    browser = requests.Session()
    browser.post(world.authorize_url(), data={"account": world.ada.upn, "step": "accept"}, allow_redirects=False)
    refresh_token = world.signed_in()["refresh_token"]

    logout = f"{world.base_url}/common/oauth2/v2.0/logout"
    response = browser.get(logout, params={"post_logout_redirect_uri": REDIRECT}, allow_redirects=False)

    assert response.headers["Location"] == REDIRECT
    silent = browser.get(world.authorize_url(prompt="none", login_hint=world.ada.upn), allow_redirects=False)
    assert query_of(silent)["error"] == "login_required"
    assert world.refresh(refresh_token).status_code == 200
    assert "Location" not in browser.get(logout, params={"post_logout_redirect_uri": "https://evil.example/"}).headers


def test_a_decision_posted_from_another_site_is_refused(world):
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        response = requests.post(world.authorize_url(), data={"account": world.ada.upn, "step": "accept"},
                                 headers=headers, allow_redirects=False, timeout=10)
        assert response.status_code == 403


# Who is let in

def test_a_personal_account_is_refused_at_work_doors_and_let_in_at_common(world):
    for tenant in ("organizations", world.tenant.id):
        assert "AADSTS500208" in visit(world.authorize_url(tenant=tenant), account=world.someone.upn).text

    _, result = msal_sign_in(world, tenant="common", account=world.someone)
    assert result["id_token_claims"]["tid"] == PERSONAL_TENANT_ID


def test_an_account_of_another_tenant_is_refused(world):
    other = world.sandbox.add_tenant("other.example", "Other")
    stranger = world.sandbox.add_user(other, "eve@other.example", "Eve")
    page = visit(world.authorize_url(tenant=world.tenant.id), account=stranger.upn)
    assert "AADSTS50020" in page.text


def test_refusals_of_an_account_offer_a_way_back_with_the_error(world):
    world.sandbox.login.block(world.ada)

    page = visit(world.authorize_url(), account=world.ada.upn)
    assert "AADSTS53003" in page.text and "error=interaction_required" in page.text
    world.sandbox.options.set(auto_approve=True)
    assert "AADSTS53003" in query_of(visit(world.authorize_url(login_hint=world.ada.upn)))["error_description"]


# Consent (facts 15.9)

def test_only_scopes_that_were_consented_are_granted(world):
    scope = f"{OPENID} User.Read"
    refresh_token = world.redeem(world.code(scope=scope), scope=scope).json()["refresh_token"]

    body = refused(world.refresh(refresh_token), 65001, "invalid_grant")
    assert body["suberror"] == "consent_required"
    assert world.refresh(refresh_token, scope="openid User.Read").json()["scope"] == "openid User.Read"


def test_where_users_may_not_consent_an_administrator_must(world):
    world.sandbox.options.set(user_consent="refused")
    assert "Need admin approval" in visit(world.authorize_url(), account=world.ada.upn, step="accept").text

    world.sandbox.options.set(auto_approve=True)
    query = query_of(visit(world.authorize_url(login_hint=world.ada.upn)))
    assert query["error"] == "consent_required" and "AADSTS65001" in query["error_description"]
    world.sandbox.login.grant_consent(CLIENT_ID, SCOPES, tenant=world.tenant)
    assert "code" in query_of(visit(world.authorize_url(login_hint=world.ada.upn)))


def test_scopes_for_administrators_are_never_consented_by_users(world):
    url = world.authorize_url(scope=f"{OPENID} Group.Read.All")
    assert "Need admin approval" in visit(url, account=world.ada.upn, step="accept").text
    assert visit(url, account=world.grace.upn, step="accept").status_code == 302


def test_withdrawn_consent_refuses_the_next_token_request(world):
    refresh_token = world.signed_in()["refresh_token"]
    world.sandbox.login.withdraw_consent(account=world.ada)
    refused(world.refresh(refresh_token), 65001, "invalid_grant")


def test_a_wider_scope_is_had_by_refresh_after_tenant_wide_consent(world):
    refresh_token = world.signed_in()["refresh_token"]
    world.sandbox.login.grant_consent(CLIENT_ID, "Calendars.ReadWrite", tenant=world.tenant)
    assert "Calendars.ReadWrite" in world.refresh(refresh_token, scope="Calendars.ReadWrite").json()["scope"]


def test_consent_may_take_a_while_to_arrive(world):
    refresh_token = world.signed_in()["refresh_token"]
    world.sandbox.login.withdraw_consent(account=world.ada)
    world.sandbox.options.set(consent_delay_s=60)
    world.sandbox.login.grant_consent(CLIENT_ID, SCOPES, tenant=world.tenant)

    refused(world.refresh(refresh_token), 65001, "invalid_grant")
    world.sandbox.clock.advance(61)
    assert world.refresh(refresh_token).status_code == 200


# Admin consent (facts 3.5, 15.10)

def admin_consent_url(world, *, tenant=None, **more):
    query = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "state": "a1",
             "scope": "https://graph.microsoft.com/Contacts.ReadWrite https://graph.microsoft.com/User.Read", **more}
    return f"{world.base_url}/{tenant or world.tenant.id}/v2.0/adminconsent?{urlencode(query)}"


def test_an_administrator_consents_for_everybody(world):
    query = query_of(visit(admin_consent_url(world), account=world.grace.upn, step="accept"))

    assert query["admin_consent"] == "True" and query["tenant"] == world.tenant.id and query["state"] == "a1"
    assert "https://graph.microsoft.com/Contacts.ReadWrite" in query["scope"].split()
    world.sandbox.options.set(user_consent="refused")
    assert visit(world.authorize_url(), account=world.ada.upn).status_code == 302


@pytest.mark.parametrize(("form", "error", "code"), [
    ({"account": "ada@brightwell.example"}, "access_denied", "AADSTS90094"),
    ({"account": "grace@brightwell.example", "step": "cancel"}, "consent_required", "AADSTS65004"),
])
def test_admin_consent_says_true_in_its_error_redirects_as_well(world, form, error, code):
    query = query_of(visit(admin_consent_url(world), **form))
    assert query["admin_consent"] == "True" and query["error"] == error and code in query["error_description"]
    assert not world.sandbox.login.state.consents


def test_admin_consent_at_common_is_refused(world):
    assert "response_type" in visit(admin_consent_url(world, tenant="common")).text


def test_admin_consent_with_auto_approve_and_the_default_scope(world):
    world.sandbox.options.set(auto_approve=True)
    query = query_of(visit(admin_consent_url(world, scope="https://graph.microsoft.com/.default")))
    assert "https://graph.microsoft.com/Calendars.ReadWrite" in query["scope"].split()


# The token endpoint: codes

def test_a_code_works_once(world):
    code = world.code()
    assert world.redeem(code).status_code == 200
    refused(world.redeem(code), 54005, "invalid_grant")


def test_a_code_lives_ten_minutes(world):
    code = world.code()
    world.sandbox.clock.advance(601)
    refused(world.redeem(code), 70008, "invalid_grant")


def test_pkce_is_enforced(world):
    verifier = "v" * 50
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    code = world.code(code_challenge=challenge, code_challenge_method="S256")

    refused(world.redeem(code), 501481, "invalid_grant")
    refused(world.redeem(code, code_verifier="w" * 50), 501481, "invalid_grant")
    assert world.redeem(code, code_verifier=verifier).status_code == 200


def test_a_code_is_bound_to_its_address_and_client(world):
    code = world.code()
    world.sandbox.register_client("other", "x", [REDIRECT])
    refused(world.redeem(code, redirect_uri="http://127.0.0.1:8000/other/"), 500112, "invalid_client", status=401)
    refused(world.redeem(code, client_id="other", client_secret="x"), 70000, "invalid_grant")
    assert world.redeem(code).status_code == 200


def test_there_is_a_refresh_token_only_with_offline_access_and_an_id_token_only_with_openid(world):
    plain = world.redeem(world.code(scope="User.Read"), scope="User.Read").json()
    assert "refresh_token" not in plain and "id_token" not in plain
    full = world.signed_in()
    assert full["token_type"] == "Bearer" and full["expires_in"] == 3599
    assert {"refresh_token", "id_token"} <= full.keys() and "offline_access" not in full["scope"]


def test_client_info_comes_when_asked_for(world):
    info = world.redeem(world.code(), client_info="1").json()["client_info"]
    decoded = json.loads(base64.urlsafe_b64decode(info + "=="))
    assert decoded == {"uid": world.ada.id, "utid": world.tenant.id}
    assert "client_info" not in world.signed_in()


# The token endpoint: the client

def test_wrong_missing_and_expired_secrets_are_told_apart(world):
    refresh_token = world.signed_in()["refresh_token"]

    refused(world.refresh(refresh_token, client_secret="wrong"), 7000215, "invalid_client", status=401)
    refused(world.refresh(refresh_token, client_secret=None), 7000218, "invalid_client", status=401)
    world.client.secret_expired = True
    refused(world.refresh(refresh_token), 7000222, "invalid_client", status=401)
    refused(world.refresh(refresh_token, client_id="unknown"), 700016, "unauthorized_client")


def test_the_secret_may_come_in_the_authorization_header(world):
    form = {"grant_type": "refresh_token", "refresh_token": world.signed_in()["refresh_token"]}
    response = requests.post(f"{world.base_url}/organizations/oauth2/v2.0/token", data=form, auth=(CLIENT_ID, SECRET),
                             timeout=10)
    assert response.status_code == 200


@pytest.mark.parametrize("missing", ["grant_type", "client_id", "refresh_token"])
def test_a_missing_parameter_is_named(world, missing):
    form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "client_secret": SECRET, "refresh_token": "x"}
    body = refused(world.token({**form, missing: None}), 900144, "invalid_request")
    assert f"'{missing}'" in body["error_description"]


def test_other_grants_and_bad_scopes_are_refused(world):
    refused(world.refresh("x", grant_type="password"), 70003, "unsupported_grant_type")
    refresh_token = world.signed_in()["refresh_token"]
    refused(world.refresh(refresh_token, scope="Contacts.Everything"), 70011, "invalid_scope")


# The token endpoint: refresh tokens (facts 15.8)

def test_refresh_tokens_rotate_and_the_old_one_stays_good(world):
    first = world.signed_in()["refresh_token"]
    second = world.refresh(first).json()["refresh_token"]

    assert second != first
    assert world.refresh(first).status_code == 200
    world.sandbox.options.set(refresh_rotation="old_dies")
    assert world.refresh(second).status_code == 200
    refused(world.refresh(second), 70000, "invalid_grant")


def test_an_unused_refresh_token_dies_after_ninety_days(world):
    first = world.signed_in()["refresh_token"]
    world.sandbox.clock.advance(timedelta(days=89).total_seconds())
    second = world.refresh(first).json()["refresh_token"]
    world.sandbox.clock.advance(timedelta(days=2).total_seconds())

    refused(world.refresh(first), 700082, "invalid_grant")
    assert world.refresh(second).status_code == 200


def test_revoked_sessions_need_a_new_sign_in(world):
    tokens = world.signed_in()
    world.sandbox.revoke(world.ada)

    refused(world.refresh(tokens["refresh_token"]), 50173, "invalid_grant")
    assert world.me(tokens["access_token"]).status_code == 401
    assert world.me(world.signed_in()["access_token"]).status_code == 200


def test_revocation_can_ask_for_claims_at_once(world):
    tokens = world.signed_in()
    claims = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1795374834"}}})

    world.sandbox.revoke(world.ada, claims=claims)

    response = world.me(tokens["access_token"])
    assert response.status_code == 401 and "claims=" in response.headers["WWW-Authenticate"]
    assert "insufficient_claims" in response.headers["WWW-Authenticate"]


def test_a_demand_for_multi_factor_comes_with_claims_and_is_met_by_signing_in(world):
    refresh_token = world.signed_in()["refresh_token"]
    world.sandbox.login.require_multi_factor(world.ada)

    body = refused(world.refresh(refresh_token), 50076, "invalid_grant")
    assert body["suberror"] == "basic_action" and "access_token" in json.loads(body["claims"])
    world.sandbox.options.set(mfa_error="interaction_required")
    refused(world.refresh(refresh_token), 50076, "interaction_required")

    url = world.authorize_url(claims=body["claims"])
    assert "Approve the sign-in" in visit(url, account=world.ada.upn).text
    code = query_of(visit(url, account=world.ada.upn, step="approved"))["code"]
    assert world.refresh(world.redeem(code).json()["refresh_token"]).status_code == 200


def test_disabled_accounts_blocked_ones_and_those_that_must_sign_in_again(world):
    refresh_token = world.signed_in()["refresh_token"]

    world.sandbox.login.block(world.ada)
    refused(world.refresh(refresh_token), 53003, "interaction_required")
    world.sandbox.login.block(world.ada, False)
    world.sandbox.login.require_fresh_sign_in(world.ada)
    refused(world.refresh(refresh_token), 70043, "invalid_grant")
    world.sandbox.disable(world.ada)
    refused(world.refresh(refresh_token), 50057, "invalid_grant")
    assert "AADSTS50057" in visit(world.authorize_url(), account=world.ada.upn).text


def test_access_tokens_live_as_long_as_set(world):
    world.sandbox.options.set(access_token_life_s=120)
    tokens = world.signed_in()
    assert tokens["expires_in"] == 120
    assert world.me(tokens["access_token"]).status_code == 200

    world.sandbox.clock.advance(121)
    response = world.me(tokens["access_token"])
    assert response.status_code == 401 and response.json()["error"]["code"] == "InvalidAuthenticationToken"


# Faults and manners

def test_faults_hit_the_login_as_well(world):
    world.sandbox.faults.add(method="POST", path="/token", status=503, retry_after=7)
    response = world.refresh("x")
    assert response.status_code == 503 and response.headers["Retry-After"] == "7"

    world.sandbox.faults.add(path="/token", cut="before")
    with pytest.raises(requests.ConnectionError):
        world.refresh("x")


def test_token_answers_are_not_to_be_stored(world):
    assert "no-store" in world.redeem(world.code()).headers["Cache-Control"]


def test_other_paths_and_methods_are_refused(world):
    assert visit(f"{world.base_url}/organizations/oauth2/v1.0/nothing").status_code == 404
    refused(visit(f"{world.base_url}/organizations/oauth2/v2.0/token"), 900561, "invalid_request")


def test_pages_escape_what_comes_from_outside(world):
    page = visit(world.authorize_url(login_hint="<script>alert(1)</script>"))
    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.fixture(scope="module")
def certificate():
    """A private key and a self-signed certificate, both PEM."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "crm")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30)).sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    return private.decode(), made.public_bytes(serialization.Encoding.PEM).decode()
