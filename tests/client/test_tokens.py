"""Signing in and staying signed in, with the real MSAL against the sandbox's login over HTTP."""

import logging
import re
import socket
from urllib.parse import parse_qs, urlsplit

import msal
import pytest
import requests

from opencrm_ms365.errors import (
    ClientRefused,
    ConfigurationError,
    ConsentRequired,
    Rejected,
    SignInRequired,
    Throttled,
    Unavailable,
)
from opencrm_ms365.graph import login_http
from opencrm_ms365.graph.clouds import cloud_of
from opencrm_ms365.graph.tokens import SignIn, scopes_for
from opencrm_ms365.sandbox import Sandbox
from opencrm_ms365.sandbox.server import running

CLIENT_ID = "11111111-2222-3333-4444-555555555555"
REDIRECT = "http://127.0.0.1:9/callback"
pytestmark = pytest.mark.filterwarnings("ignore:response_mode")
SCOPES = "User.Read Contacts.ReadWrite Calendars.ReadWrite User.ReadBasic.All offline_access"


class Service:
    """A sandbox with one organisation that has consented, and a person in it."""

    def __init__(self, sandbox, url):
        self.sandbox, self.url = sandbox, url
        self.tenant = sandbox.add_tenant("brightwell.example")
        self.ada = sandbox.add_user(self.tenant, "ada@brightwell.example", "Ada Lindqvist")
        sandbox.register_client(CLIENT_ID, "right-secret", [REDIRECT])
        sandbox.login.grant_consent(CLIENT_ID, SCOPES, tenant=self.tenant)
        sandbox.options.auto_approve = True

    def sign_in(self, tenant=None, secret="right-secret", **more):
        return SignIn(login_url=self.url, tenant=tenant or self.tenant.id, client_id=CLIENT_ID, client_secret=secret,
                      graph_url=self.url, timeout_s=5, **more)

    def browse(self, flow):
        """What the browser is sent back with."""
        answer = requests.get(flow["auth_uri"], allow_redirects=False, timeout=5)
        assert answer.status_code in (302, 303), answer.text
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
        return {name: values[0] for name, values in query.items()}

    def go(self, client, account="ada@brightwell.example", **more):
        flow = client.begin(REDIRECT, state="the-state", login_hint=account, **more)
        return client.finish(flow, self.browse(flow))

    def token_requests(self):
        return [entry for entry in self.sandbox.requests.entries() if entry.path.endswith("/token")]


@pytest.fixture
def service():
    login_http._discovered.clear()
    sandbox = Sandbox()
    with running(sandbox) as url:
        yield Service(sandbox, url)


@pytest.fixture
def client(service):
    return service.sign_in()


@pytest.fixture
def ada(service, client):
    return service.go(client)


# Signing in

@pytest.mark.parametrize("plain", [False, True])
def test_a_sign_in_gives_a_verified_identity(service, plain):
    service.sandbox.options.plain_http_everywhere = plain
    signed_in = service.go(service.sign_in())
    assert (signed_in.tenant_id, signed_in.object_id) == (service.tenant.id, service.ada.id)
    assert (signed_in.account, signed_in.name) == ("ada@brightwell.example", "Ada Lindqvist")
    assert not signed_in.personal
    assert {"User.Read", "Contacts.ReadWrite"} <= {scope.rsplit("/", 1)[-1] for scope in signed_in.scopes}


@pytest.mark.parametrize("tenant", ["organizations", "common", "brightwell.example"])
def test_a_sign_in_by_any_work_account(service, tenant):
    assert service.go(service.sign_in(tenant)).tenant_id == service.tenant.id


def test_the_browser_is_sent_to_microsoft_with_what_protects_the_sign_in(service, client):
    flow = client.begin(REDIRECT, state="s", login_hint="ada@brightwell.example", claims='{"x":1}', prompt="login")
    query = {name: values[0] for name, values in parse_qs(urlsplit(flow["auth_uri"]).query).items()}
    assert flow["auth_uri"].startswith(service.url)
    assert query["state"] == "s" and query["redirect_uri"] == REDIRECT and query["prompt"] == "login"
    assert query["code_challenge_method"] == "S256" and query["nonce"] != flow["nonce"]
    assert query["claims"] == '{"x":1}' and query["login_hint"] == "ada@brightwell.example"
    assert set(query["scope"].split()) == {*SCOPES.split(), "openid", "profile"}


@pytest.mark.parametrize("query", [
    {"code": "x", "state": "other"}, {"code": "x"}, {}, {"state": "the-state"},
    {"code": "x", "state": "the-state"}, {"code": "x", "state": "the-state", "client_info": "%%%"},
])
def test_a_forged_or_stale_answer_means_begin_again(client, query):
    flow = client.begin(REDIRECT, state="the-state")
    with pytest.raises(SignInRequired):
        client.finish(flow, query)


def test_a_code_works_once(service, client):
    flow = client.begin(REDIRECT, state="the-state", login_hint="ada@brightwell.example")
    query = service.browse(flow)
    client.finish(flow, query)
    with pytest.raises(SignInRequired):
        client.finish(flow, query)


@pytest.mark.parametrize(("query", "kind"), [
    ({"error": "access_denied", "error_description": "AADSTS65004: User declined"}, Rejected),
    ({"error": "consent_required", "error_description": "AADSTS65004: User declined"}, Rejected),
    ({"error": "access_denied"}, Rejected),
    ({"error": "consent_required"}, ConsentRequired),
    ({"error": "interaction_required", "error_description": "AADSTS65001: not consented"}, ConsentRequired),
    ({"error": "access_denied", "error_description": "AADSTS90094: admin"}, ConsentRequired),
    ({"error": "access_denied", "error_description": "AADSTS53003: blocked"}, SignInRequired),
    ({"error": "login_required"}, SignInRequired),
    ({"error": "server_error"}, Unavailable),
    ({"error": "temporarily_unavailable"}, Unavailable),
    ({"error": "invalid_client", "error_description": "AADSTS7000222"}, ClientRefused),
    ({"error": "unauthorized_client", "error_description": "AADSTS700016"}, ConsentRequired),
    ({"error": "invalid_request", "error_description": "AADSTS90002"}, ClientRefused),
    ({"error": "invalid_grant", "error_description": "AADSTS50105"}, Rejected),
    ({"error": "x", "error_description": "AADSTS500208"}, Rejected),
    ({"error": "something_new"}, Unavailable),
])
def test_what_a_refused_sign_in_means(client, query, kind):
    flow = client.begin(REDIRECT, state="the-state")
    with pytest.raises(kind) as caught:
        client.finish(flow, {"state": "the-state", **query})
    assert type(caught.value) is kind
    assert str(caught.value).endswith(".")


def test_missing_consent_is_the_administrators_business(service, client):
    service.sandbox.login.withdraw_consent(CLIENT_ID, tenant=service.tenant)
    service.sandbox.options.user_consent = "refused"
    with pytest.raises(ConsentRequired):
        service.go(client)


def test_ORG_02_a_personal_account_is_refused(service):
    personal = service.sandbox.personal_tenant()
    service.sandbox.add_user(personal, "someone@outlook.example")
    with pytest.raises(Rejected):
        service.go(service.sign_in("common"), "someone@outlook.example")


def test_ORG_02_an_account_of_another_organisation_is_refused(service):
    other = service.sandbox.add_tenant("other.example")
    service.sandbox.add_user(other, "eve@other.example")
    with pytest.raises(Rejected):
        service.go(service.sign_in(), "eve@other.example")


# The id_token

@pytest.mark.parametrize("change", [
    {"aud": "another-app"}, {"aud": ["x"]}, {"aud": None}, {"iss": "https://evil.example/x/v2.0"}, {"iss": 5},
    {"nonce": "wrong"}, {"nonce": None}, {"exp": 1}, {"exp": "never"}, {"nbf": 99_999_999_999}, {"oid": ""},
    {"oid": None}, {"tid": "not-a-guid"}, {"tid": None}, {"tid": "9188040d-6c67-4c5b-b112-36a304b66dad"},
    {"tid": "00000000-0000-0000-0000-000000000001"},
])
def test_an_id_token_that_is_not_for_us_is_refused(service, client, monkeypatch, change):
    decode = msal.oauth2cli.oidc._decode_id_token_claims
    monkeypatch.setattr(msal.oauth2cli.oidc, "_decode_id_token_claims", lambda token: {**decode(token), **change})
    with pytest.raises((Rejected, SignInRequired)):
        service.go(client)


# Renewing

def test_a_token_that_is_good_costs_no_request(service, client, ada):
    before = len(service.sandbox.requests)
    refreshed = client.acquire(ada.cache)
    assert refreshed.access_token and refreshed.expires_in_s > 3000 and refreshed.cache is None
    assert len(service.sandbox.requests) == before


def test_a_renewal_costs_one_request_and_rotates_what_is_stored(service, client, ada):
    service.sandbox.options.refresh_rotation = "old_dies"
    before = len(service.sandbox.requests)
    first = client.acquire(ada.cache, force=True)
    assert len(service.sandbox.requests) == before + 1
    assert first.cache and first.cache != ada.cache
    second = service.sign_in().acquire(first.cache, force=True)
    assert second.access_token not in (first.access_token, client.acquire(ada.cache).access_token)
    with pytest.raises(SignInRequired):
        service.sign_in().acquire(ada.cache, force=True)


def test_the_token_works(service, client, ada):
    token = client.acquire(ada.cache).access_token
    answer = requests.get(f"{service.url}/v1.0/me", headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert answer.json()["id"] == service.ada.id


@pytest.mark.parametrize(("happens", "kind"), [
    (lambda s: s.sandbox.revoke(s.ada), SignInRequired),
    (lambda s: s.sandbox.disable(s.ada), SignInRequired),
    (lambda s: s.sandbox.login.expire_refresh_tokens(s.ada), SignInRequired),
    (lambda s: s.sandbox.login.forget_refresh_tokens(s.ada), SignInRequired),
    (lambda s: s.sandbox.login.require_fresh_sign_in(s.ada), SignInRequired),
    (lambda s: s.sandbox.login.block(s.ada), SignInRequired),
    (lambda s: s.sandbox.login.withdraw_consent(CLIENT_ID, tenant=s.tenant), ConsentRequired),
    (lambda s: s.sandbox.faults.add(path="/token", status=503), Unavailable),
    (lambda s: s.sandbox.faults.add(path="/token", status=500), Unavailable),
    (lambda s: s.sandbox.faults.add(path="/token", status=302), Unavailable),
    (lambda s: s.sandbox.faults.add(path="/token", cut="before"), Unavailable),
    (lambda s: s.sandbox.faults.add(path="/token", cut="after"), Unavailable),
    (lambda s: s.sandbox.faults.add(path="/token", truncate="json"), Unavailable),
    (lambda s: s.sandbox.faults.add(path="/token", status=200, body=["odd"]), Unavailable),
    (lambda s: s.sandbox.faults.add(path="/token", status=200, body={"expires_in": {}, "access_token": 3}),
     Unavailable),
    (lambda s: s.sandbox.faults.add(path="/token", status=400, body={
        "error": "invalid_client", "error_codes": [7000222], "error_description": "AADSTS7000222: expired"}),
     ClientRefused),
])
def test_what_a_refused_renewal_means(service, client, ada, happens, kind):
    happens(service)
    with pytest.raises(kind) as caught:
        client.acquire(ada.cache, force=True)
    assert type(caught.value) is kind


def test_throttling_names_its_time(service, client, ada):
    service.sandbox.faults.add(path="/token", status=429, retry_after=17)
    with pytest.raises(Throttled) as caught:
        client.acquire(ada.cache, force=True)
    assert caught.value.retry_after_s == 17


def test_after_a_failure_the_next_try_asks_again(service, client, ada):
    """MSAL would answer the same question from its memory for a minute."""
    service.sandbox.login.withdraw_consent(CLIENT_ID, tenant=service.tenant)
    with pytest.raises(ConsentRequired):
        client.acquire(ada.cache, force=True)
    service.sandbox.login.grant_consent(CLIENT_ID, SCOPES, tenant=service.tenant)
    assert client.acquire(ada.cache, force=True).access_token


def test_claims_are_carried_to_microsoft_and_back(service, client, ada):
    service.sandbox.login.require_multi_factor(service.ada)
    with pytest.raises(SignInRequired) as caught:
        client.acquire(ada.cache, claims='{"access_token": {"nbf": {"essential": true}}}')
    assert caught.value.claims.startswith("{")


def test_a_wrong_secret_is_the_administrators_business(service, ada):
    with pytest.raises(ClientRefused):
        service.sign_in(secret="wrong").acquire(ada.cache, force=True)
    with pytest.raises(ClientRefused):
        service.sign_in(secret="").acquire(ada.cache, force=True)


def test_a_certificate_that_cannot_be_read_is_the_administrators_business(service, ada):
    client = service.sign_in(secret="", client_certificate={"private_key": "x", "public_certificate": "y"})
    with pytest.raises(ClientRefused):
        client.acquire(ada.cache, force=True)


@pytest.mark.parametrize("cache", ["", "{}", "nonsense", "[]", '{"Account": 5}', '{"Account": {"a": {}}}'])
def test_a_cache_that_cannot_be_used_means_sign_in_again(client, cache):
    with pytest.raises((SignInRequired, Unavailable)):
        client.acquire(cache)


def test_an_unknown_tenant_is_a_setting_that_is_wrong(service):
    with pytest.raises(ClientRefused):
        service.sign_in("00000000-0000-0000-0000-000000000001").begin(REDIRECT, state="s")


def test_a_service_that_is_away_is_unavailable(service, ada):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    client = SignIn(login_url=url, tenant=service.tenant.id, client_id=CLIENT_ID, client_secret="x", graph_url=url)
    for action in (lambda: client.begin(REDIRECT, state="s"), lambda: client.acquire(ada.cache, force=True)):
        with pytest.raises(Unavailable):
            action()


# Where secrets go

@pytest.mark.parametrize("url", ["http://login.microsoftonline.com", "ftp://127.0.0.1", "", "login.microsoftonline.com",
                                 "http://127.0.0.1.evil.example", "https://user:pw@login.microsoftonline.com"])
def test_unfit_addresses_are_refused_at_once(url):
    with pytest.raises(ConfigurationError):
        SignIn(login_url=url, tenant="x", client_id="x", client_secret="x", graph_url="https://graph.microsoft.com")


@pytest.mark.parametrize("endpoint", ["https://evil.example/token", "http://evil.example/token", "nonsense", 5, None])
def test_a_token_endpoint_of_someone_else_is_refused(service, client, endpoint):
    document = {"authorization_endpoint": f"{service.url}/a", "token_endpoint": endpoint, "issuer": "x"}
    service.sandbox.faults.add(path="openid-configuration", status=200, body=document, times=None)
    with pytest.raises(Unavailable):
        client.begin(REDIRECT, state="s")


def test_I_5_no_token_reaches_a_log_or_a_text(service, client, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("msal").setLevel(logging.DEBUG)
    signed_in = service.go(client)
    refreshed = client.acquire(signed_in.cache, force=True)
    texts = [repr(signed_in), repr(refreshed)]
    for what in ({"truncate": "json"}, {"status": 400, "body": {"error": "invalid_grant",
                                                                "error_description": "AADSTS50173: ada@brightwell"}}):
        service.sandbox.faults.add(path="/token", **what)
        with pytest.raises((Unavailable, SignInRequired)) as caught:
            client.acquire(signed_in.cache, force=True)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        texts.append(repr(caught.value))
    secrets = set(re.findall(r'"secret": "([^"]+)"', signed_in.cache + refreshed.cache))
    assert len(secrets) >= 4
    # urllib3 tells the paths of requests to the login service, which hold nothing of the kind.
    for text in [*texts, *(record.getMessage() for record in caplog.records)]:
        assert not any(secret in text for secret in secrets)
        assert "ada@" not in text and "right-secret" not in text


# Scopes and clouds

@pytest.mark.parametrize(("url", "expected"), [
    ("https://graph.microsoft.com", ["User.Read", "Contacts.ReadWrite"]),
    ("https://graph.microsoft.com/", ["User.Read", "Contacts.ReadWrite"]),
    ("http://127.0.0.1:8365", ["User.Read", "Contacts.ReadWrite"]),
    ("https://graph.microsoft.us", ["https://graph.microsoft.us/User.Read",
                                    "https://graph.microsoft.us/Contacts.ReadWrite"]),
    ("https://microsoftgraph.chinacloudapi.cn", ["https://microsoftgraph.chinacloudapi.cn/User.Read",
                                                 "https://microsoftgraph.chinacloudapi.cn/Contacts.ReadWrite"]),
])
def test_scopes_name_the_cloud_they_are_for(url, expected):
    assert scopes_for(url, ("profile", "contacts")) == expected


def test_clouds_differ():
    assert not cloud_of("https://microsoftgraph.chinacloudapi.cn").has_planner
    assert cloud_of("http://127.0.0.1:1").name == "global"
