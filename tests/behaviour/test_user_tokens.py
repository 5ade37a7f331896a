"""Access tokens: one renewal for many callers, and a sign-in that Microsoft no longer accepts (USER-06)."""

import datetime
import json
import threading

import pytest
from django.db import connection
from django.utils import timezone

from opencrm_ms365.access.tokens import LinkTokens
from opencrm_ms365.errors import ClientRefused, SignInRequired, Unavailable
from opencrm_ms365.models import LinkStatus, UserLink, decrypt, encrypt
from opencrm_ms365.signals import link_broken
from tests.browsing import Browser, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def link(world):
    return world.connect("ada")


@pytest.fixture
def broken():
    heard = []

    def listen(link, status, **_more):
        heard.append(status)

    link_broken.connect(listen)
    yield heard
    link_broken.disconnect(listen)


def age(link):
    """Let the stored access token run out."""
    link.refresh_from_db()
    kept = decrypt(link.token_cache)
    cache = json.loads(kept["cache"])
    for entry in cache["AccessToken"].values():
        entry["expires_on"] = entry["extended_expires_on"] = "1"
    UserLink.objects.filter(pk=link.pk).update(
        token_cache=encrypt({**kept, "cache": json.dumps(cache), "expires_at": 1.0}))


def token_requests(world):
    return [entry for entry in world.sandbox.requests if entry.method == "POST" and entry.path.endswith("/token")]


def test_USER_06_a_fresh_token_costs_no_request(world, link):
    first = LinkTokens(link.pk).token()
    before = len(token_requests(world))

    assert LinkTokens(link.pk).token() == first
    assert len(token_requests(world)) == before


def test_USER_06_an_aged_token_is_renewed_and_the_rotated_sign_in_kept(world, link):
    world.sandbox.options.refresh_rotation = "old_dies"
    first = LinkTokens(link.pk).token()
    for _ in range(3):
        age(link)
        assert LinkTokens(link.pk).token() != first
    link.refresh_from_db()
    assert link.status == LinkStatus.CONNECTED and link.token_lease_until is None


def test_USER_06_a_refused_token_is_exchanged_for_another(world, link):
    tokens = LinkTokens(link.pk)
    first = tokens.token()

    second = tokens.token(refused=first)

    assert second != first
    assert LinkTokens(link.pk).token(refused=first) == second


def test_USER_06_who_loses_the_lease_waits_and_takes_what_the_winner_got(world, link):
    age(link)
    lease = timezone.now() + datetime.timedelta(seconds=60)
    UserLink.objects.filter(pk=link.pk).update(token_lease_until=lease)
    won = []

    def sleep(_seconds):
        UserLink.objects.filter(pk=link.pk).update(token_lease_until=None)
        won.append(LinkTokens(link.pk).token())

    token = LinkTokens(link.pk, sleep=sleep).token()

    assert won == [token]


def test_USER_06_a_lease_that_is_never_given_back_runs_out(world, link):
    age(link)
    UserLink.objects.filter(pk=link.pk).update(token_lease_until=timezone.now() - datetime.timedelta(seconds=1))
    assert LinkTokens(link.pk).token()


def test_USER_06_waiting_for_another_process_ends(world, link):
    age(link)
    UserLink.objects.filter(pk=link.pk).update(token_lease_until=timezone.now() + datetime.timedelta(seconds=60))
    with pytest.raises(Unavailable):
        LinkTokens(link.pk, timeout_s=0.05, sleep=lambda _seconds: None).token()


@pytest.mark.postgres
def test_USER_06_eight_callers_make_one_renewal(world, link):
    world.sandbox.options.refresh_rotation = "old_dies"
    age(link)
    before = len(token_requests(world))
    got, failed, start = [], [], threading.Barrier(8)

    def ask():
        start.wait()
        try:
            got.append(LinkTokens(link.pk).token())
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert not failed and len(got) == 8 and len(set(got)) == 1
    assert len(token_requests(world)) - before == 1


# A sign-in that Microsoft no longer accepts


def test_USER_06_a_revoked_sign_in_stops_this_user_once_and_says_so(world, link, broken):
    ben = world.connect("ben")
    age(link)
    world.sandbox.revoke(world.account("ada"))

    for _ in range(2):
        with pytest.raises(SignInRequired):
            LinkTokens(link.pk).token()

    link.refresh_from_db()
    assert link.status == LinkStatus.SIGN_IN_AGAIN and link.token_cache is None
    assert broken == [LinkStatus.SIGN_IN_AGAIN]
    assert LinkTokens(ben.pk).token()
    page = text_of(Browser(world, "ada").get("profile"))
    assert "Sign in again" in page and "nothing is lost" in page


def test_USER_06_after_it_broke_microsoft_is_left_alone_until_the_user_signs_in(world, link):
    age(link)
    world.sandbox.revoke(world.account("ada"))
    with pytest.raises(SignInRequired):
        LinkTokens(link.pk).token()
    before = len(world.sandbox.requests)

    with pytest.raises(SignInRequired):
        LinkTokens(link.pk).token()
    assert len(world.sandbox.requests) == before

    world.sandbox.enable(world.account("ada"))
    ada = Browser(world, "ada")
    ada.connect(ada.access_key())
    assert LinkTokens(link.pk).token()
    assert world.link("ada").status == LinkStatus.CONNECTED


def test_USER_06_a_token_that_another_process_exchanged_first_is_no_reason_to_sign_in_again(world, link, broken):
    """Strict rotation: the loser of a race is refused with `invalid_grant`, though nothing is wrong."""
    world.sandbox.options.refresh_rotation = "old_dies"
    age(link)
    loser = LinkTokens(link.pk)
    renew, raced = loser._renew, []

    def our_lease_ran_out_first(row, **given):
        if not raced:
            UserLink.objects.filter(pk=link.pk).update(token_lease_until=None)
            raced.append(LinkTokens(link.pk).token())
        return renew(row, **given)

    loser._renew = our_lease_ran_out_first
    assert loser.token() == raced[0]
    assert broken == [] and world.link("ada").status == LinkStatus.CONNECTED


def test_USER_06_the_secret_of_the_app_is_the_administrators_business(world, link, broken, settings):
    age(link)
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CLIENT_SECRET": "expired"}

    with pytest.raises(ClientRefused):
        LinkTokens(link.pk).token()

    link.refresh_from_db()
    assert link.status == LinkStatus.CONNECTED and link.token_lease_until is None and broken == []


def test_USER_06_microsoft_down_is_no_reason_to_sign_in_again(world, link, settings):
    age(link)
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "LOGIN_URL": "http://127.0.0.1:9"}

    with pytest.raises(Unavailable):
        LinkTokens(link.pk).token()

    link.refresh_from_db()
    assert link.status == LinkStatus.CONNECTED and link.token_cache and link.token_lease_until is None


def test_USER_06_disconnecting_during_a_renewal_drops_what_it_got(world, link):
    age(link)
    tokens = LinkTokens(link.pk)
    keep = tokens._keep

    def disconnected_meanwhile(row, refreshed):
        Browser(world, "ada").post("disconnect")
        return keep(row, refreshed)

    tokens._keep = disconnected_meanwhile
    with pytest.raises(SignInRequired):
        tokens.token()
    link.refresh_from_db()
    assert link.token_cache is None and link.status == LinkStatus.DISCONNECTED


def test_USER_06_a_sign_in_encrypted_with_a_lost_key_asks_to_sign_in_again(world, link, broken, settings):
    from cryptography.fernet import Fernet

    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "ENCRYPTION_KEYS": [Fernet.generate_key().decode()]}
    with pytest.raises(SignInRequired):
        LinkTokens(link.pk).token()
    assert broken == [LinkStatus.SIGN_IN_AGAIN]


# CRM users who are deactivated


def test_USER_06_a_deactivated_user_loses_the_tokens_at_once(world, link):
    user = world.user("ada")
    user.is_active = False
    user.save()

    link.refresh_from_db()
    assert link.token_cache is None and link.status == LinkStatus.DISCONNECTED
    assert "switched off" in link.status_reason


def test_USER_06_also_when_no_signal_told_us(world, link):
    from django.contrib.auth import get_user_model

    get_user_model().objects.filter(username="ada").update(is_active=False)

    with pytest.raises(SignInRequired):
        LinkTokens(link.pk).token()

    link.refresh_from_db()
    assert link.token_cache is None


def test_USER_06_signing_in_to_the_crm_costs_no_look(world, link, django_assert_num_queries):
    user = world.user("ada")
    with django_assert_num_queries(1):
        user.save(update_fields=["last_login"])


def test_PRIV_03_tokens_show_in_no_repr(world, link):
    tokens = LinkTokens(link.pk)
    token = tokens.token()
    assert token not in repr(tokens._look()) and token not in repr(tokens)
