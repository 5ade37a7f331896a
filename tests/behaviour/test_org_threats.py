"""What somebody with bad intentions tries at the sign-in: too often, with another's session, two at once (USER-02,
USER-04); keys that are changed; and a certificate in the place of the secret."""

import ast
import datetime
import io
import json
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

import opencrm_ms365.access
from opencrm_ms365.access import attempts, links, signin
from opencrm_ms365.access.refused import Refused
from opencrm_ms365.access.tokens import LinkTokens
from opencrm_ms365.errors import ClientRefused
from opencrm_ms365.models import (
    AccessKey,
    Conflict,
    HeldDecision,
    InboxItem,
    SignInAttempt,
    SignInFlow,
    SyncRun,
    SyncSettings,
    UserLink,
    decrypt,
    encrypt,
)
from opencrm_ms365.models.rotation import encrypted_columns
from tests.behaviour.test_org_authorise import Administrator
from tests.behaviour.test_user_tokens import age
from tests.browsing import Browser, text_of
from tests.certificates import self_signed
from tests.rules import rule
from tests.world import REDIRECT_URI

pytestmark = pytest.mark.django_db(transaction=True)


# Too often


def have_tried(world, person, times=attempts.MOST, ago_s=60):
    at = timezone.now() - datetime.timedelta(seconds=ago_s)
    SignInAttempt.objects.bulk_create(SignInAttempt(user=world.user(person), at=at) for _ in range(times))


@rule("USER-02")
@pytest.mark.parametrize(("method", "name"), [
    ("get", "sign-in"), ("get", "sign-in-callback"), ("post", "connect"), ("get", "authorise"),
    ("get", "authorise-callback")])
def test_USER_02_too_many_attempts_have_to_wait(world, method, name):
    world.organisation()
    have_tried(world, "admin")
    before = len(world.sandbox.requests)

    answer = getattr(Browser(world, "admin"), method)(name)

    assert answer.status_code == 429 and answer.headers["Retry-After"] == "600"
    assert "too many attempts" in text_of(answer)
    assert len(world.sandbox.requests) == before and not SignInFlow.objects.exists()
    other = Browser(world, "ada")
    assert getattr(other, method)(name).status_code != 429, "others are not affected"


@rule("USER-02")
def test_USER_02_guessing_access_keys_ends_soon_and_waiting_helps(world):
    world.organisation()
    ada = Browser(world, "ada")
    codes = [ada.connect(f"guess-{number}").status_code for number in range(attempts.MOST + 5)]
    assert codes == [400] * attempts.MOST + [429] * 5
    SignInAttempt.objects.update(at=timezone.now() - datetime.timedelta(minutes=attempts.WITHIN_MINUTES, seconds=1))
    assert ada.connect("guess").status_code == 400
    assert SignInAttempt.objects.count() == 1, "what is over is thrown away"


# Another's session


@rule("USER-02")
def test_USER_02_a_session_that_somebody_else_began_is_worth_nothing(world):
    """Session fixation: Ben signs in to the CRM in a browser and starts a sign-in; then Ada uses that browser."""
    world.organisation()
    browser = Browser(world, "ben")
    begun = browser.agree(browser.send_to_microsoft(), person="ben")
    key = browser.access_key(person="ben")
    secret, cookie = browser.client.session["ms365_browser"], browser.client.session.session_key
    browser.client.force_login(world.user("ada"))

    assert browser.client.session.session_key != cookie
    assert browser.client.session.get("ms365_browser") != secret
    assert browser.come_back(begun).status_code == 400
    assert browser.connect(key).status_code == 400
    assert not UserLink.objects.exists()


@rule("USER-02")
def test_USER_02_what_was_begun_before_signing_out_is_over(world):
    world.organisation()
    ada = Browser(world, "ada")
    begun, key = ada.agree(ada.send_to_microsoft()), ada.access_key()
    ada.client.logout()
    assert ada.come_back(begun).status_code == 302, "to the CRM's own sign-in page"
    ada.client.force_login(world.user("ada"))
    assert ada.come_back(begun).status_code == 400 and ada.connect(key).status_code == 400


@rule("USER-02")
@pytest.mark.parametrize("name", ["sign-in", "sign-in-callback", "authorise", "authorise-callback"])
def test_USER_02_no_address_can_be_made_to_lead_elsewhere(world, name):
    world.organisation()
    evil = "?next=https://evil.example/&redirect_uri=https://evil.example/&url=//evil.example&attempt=1&state=x"
    answer = Browser(world, "admin").get(name, query=evil)
    assert "evil.example" not in answer.headers.get("Location", "") and "evil.example" not in answer.content.decode()


def test_USER_02_another_host_in_the_request_does_not_change_where_microsoft_sends_people(world, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "PUBLIC_URL": "http://127.0.0.1:8000"}
    world.organisation()
    address = Browser(world, "ada").get("sign-in", HTTP_HOST="evil.example").headers["Location"]
    assert "evil.example" not in address and "127.0.0.1%3A8000" in address


def test_USER_02_secrets_are_compared_in_constant_time():
    """No `==` with what somebody sends in the modules that judge it; digests are looked up, or compared by `hmac`."""
    secret = {"state", "key", "digest", "session_digest", "key_digest", "signature", "nonce", "text"}
    found = []
    folder = Path(opencrm_ms365.access.__file__).parent
    for name in ("access_key.py", "flows.py", "browser.py", "activation.py", "consent.py", "signin.py"):
        for node in ast.walk(ast.parse((folder / name).read_text())):
            if isinstance(node, ast.Compare) and any(isinstance(item, (ast.Eq, ast.NotEq)) for item in node.ops):
                names = {item.id if isinstance(item, ast.Name) else getattr(item, "attr", "")
                         for item in (node.left, *node.comparators)}
                found += [f"{name}:{node.lineno}"] if names & secret else []
    assert found == []


# Two at once


def signed_in(world, person, account):
    """(user, session, access key): somebody who has only to press Connect."""
    user, session = world.user(person), {}
    address = signin.begin(user, session, "", REDIRECT_URI).partition("&login_hint=")[0]
    return user, session, signin.complete(user, session, world._agree(address, world.account(account)))


def press_connect_at_once(*people):
    """What became of each: the link, or the sentence."""
    results, start = [], threading.Barrier(len(people))

    def press(user, session, key):
        start.wait()
        try:
            results.append(links.connect(user, session, "", key))
        except Refused as refused:
            results.append(refused.reason)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=person) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


@rule("USER-04")
def test_USER_04_of_two_users_who_connect_one_account_at_once_one_gets_it(world):
    world.organisation()
    results = press_connect_at_once(signed_in(world, "ada", "ada"), signed_in(world, "ben", "ada"))
    assert sorted(isinstance(result, UserLink) for result in results) == [False, True]
    [sentence] = [result for result in results if isinstance(result, str)]
    assert sentence.startswith("This Microsoft account is already")
    assert UserLink.objects.exclude(microsoft_user_id="").count() == 1


@rule("USER-04")
def test_USER_04_of_two_accounts_that_one_user_connects_at_once_one_is_taken(world):
    world.organisation()
    results = press_connect_at_once(signed_in(world, "ada", "ada"), signed_in(world, "ada", "cleo"))
    assert sorted(isinstance(result, UserLink) for result in results) == [False, True]
    assert UserLink.objects.count() == 1


@rule("USER-04")
def test_USER_04_the_constraints_hold_where_the_checks_are_passed_by(world, monkeypatch):
    world.organisation()
    first, second = signed_in(world, "ada", "ada"), signed_in(world, "ben", "ada")
    links.connect(*first[:2], "", first[2])
    monkeypatch.setattr(links, "_store", _without_checks)
    with pytest.raises(Refused):
        links.connect(*second[:2], "", second[2])
    assert UserLink.objects.exclude(microsoft_user_id="").get().user == world.user("ada")


def _without_checks(user, tenant, identity):
    UserLink.objects.create(user=user, tenant=tenant, microsoft_tenant_id=identity["tenant_id"],
                            microsoft_user_id=identity["object_id"])


# Keys that change


@pytest.fixture
def everything_encrypted(world):
    link = world.connect("ada")
    now, common = timezone.now(), {"link": link, "kind": "contacts"}
    SignInFlow.objects.create(purpose="user", user=link.user, state_digest="s", session_digest="s",
                              flow=encrypt("flow"), expires_at=now)
    AccessKey.objects.create(user=link.user, key_digest="k", session_digest="s", identity=b"", expires_at=now)
    AccessKey.objects.create(user=link.user, key_digest="l", session_digest="s", identity=encrypt("id"), expires_at=now)
    InboxItem.objects.create(**common, graph_id="g", pulled_at=now, payload=encrypt("payload"))
    Conflict.objects.create(**common, field="x", winner="crm", at=now, key="c", values=encrypt("values"))
    HeldDecision.objects.create(**common, reason="ambiguous", key="h", at=now, details=encrypt("details"))
    SyncRun.objects.create(link=link, trigger="preview", queued_at=now, operations=encrypt("operations"))
    return link


def rotate():
    out = io.StringIO()
    call_command("ms365_rotate_keys", stdout=out)
    return out.getvalue()


@rule("PRIV-03")
def test_PRIV_03_all_that_is_encrypted_can_be_encrypted_with_a_new_key(world, everything_encrypted, settings):
    given, fresh = settings.OPENCRM_MS365, Fernet.generate_key().decode()
    settings.OPENCRM_MS365 = {**given, "ENCRYPTION_KEYS": [fresh, *given["ENCRYPTION_KEYS"]]}

    said = rotate()

    assert "UserLink.token_cache: 1" in said and "The older keys are not needed" in said
    settings.OPENCRM_MS365 = {**given, "ENCRYPTION_KEYS": [fresh]}
    for model, column in encrypted_columns():
        for value in model.objects.exclude(**{column: None}).values_list(column, flat=True):
            assert not value or decrypt(value), model
    assert LinkTokens(everything_encrypted.pk).token()
    assert rotate().count("Done.") == 1, "again does no harm"


def test_PRIV_03_the_sign_in_flows_keys_and_contents_are_all_found():
    found = {f"{model.__name__}.{column}" for model, column in encrypted_columns()}
    assert found >= {"UserLink.token_cache", "SignInFlow.flow", "AccessKey.identity", "InboxItem.payload",
                     "Conflict.values", "HeldDecision.details", "SyncRun.operations"}
    assert "UserLink.digest_key" not in found


def test_PRIV_03_what_no_key_can_read_is_said_and_the_rest_is_done(world, everything_encrypted, settings):
    foreign = Fernet(Fernet.generate_key()).encrypt(json.dumps("x").encode())
    Conflict.objects.update(values=foreign)
    with pytest.raises(CommandError, match=r"1 of Conflict\.values") as raised:
        rotate()
    assert raised.value.returncode == 1 and LinkTokens(everything_encrypted.pk).token()


def test_PRIV_03_what_is_written_meanwhile_is_not_overwritten(world, everything_encrypted, monkeypatch):
    from opencrm_ms365.models import rotation

    def somebody_writes(value):
        UserLink.objects.update(token_cache=encrypt("newer"))
        return encrypt("older")

    monkeypatch.setattr(rotation, "rotate", somebody_writes)
    monkeypatch.setattr(rotation, "encrypted_columns", lambda: [(UserLink, "token_cache")])
    assert rotation.rotate_all().done == {"UserLink.token_cache": 0}
    assert decrypt(UserLink.objects.get().token_cache) == "newer"


# A certificate


@pytest.fixture
def certified(world, settings):
    private_key, certificate = self_signed()
    client = world.sandbox.world.clients[world.client_id]
    client.secret, client.certificates = "", (certificate,)
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CLIENT_SECRET": "", "CLIENT_CERTIFICATE": {
        "private_key": private_key, "public_certificate": certificate}}
    return client


@rule("USER-02")
def test_USER_02_a_certificate_does_all_that_a_secret_does(world, certified):
    admin = Administrator(world)
    assert "has allowed this CRM" in text_of(admin.authorise())
    link = world.connect("ada")
    world.crm.contact()
    age(link)
    assert world.sync().counts()["microsoft"]["created"] == 1
    renewal = list(world.sandbox.requests.find(path="/token$"))[-1]
    assert "client_assertion" in str(renewal.body) and "client_secret" not in str(renewal.body)


@rule("USER-06")
def test_USER_06_a_certificate_that_was_taken_away_is_the_administrators_business(world, certified):
    link = world.connect("ada")
    age(link)
    certified.certificates = (self_signed()[1],)
    with pytest.raises(ClientRefused):
        world.sync()
    assert SyncSettings.of("").access_problem == "client" and world.link("ada").token_cache
