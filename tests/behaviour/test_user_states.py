"""Each way in which Microsoft stops a link, with its words, who can mend it, and how it goes on (USER-06)."""

import pytest
from django.utils import timezone

from opencrm_ms365.models import LinkStatus, SyncRun, UserLink
from opencrm_ms365.signals import link_broken
from opencrm_ms365.sync import schedule
from tests.behaviour.test_user_tokens import age
from tests.browsing import Browser, text_of

pytestmark = pytest.mark.django_db(transaction=True)
ADA = "ada@brightwell.example"


@pytest.fixture
def told():
    heard = []

    def listen(link, status, **more):
        heard.append(status)

    link_broken.connect(listen)
    yield heard
    link_broken.disconnect(listen)


@pytest.fixture
def two(world):
    links = [world.connect("ada"), world.connect("ben")]
    world.sync()
    for link in links:
        age(link)
    return links


def later():
    UserLink.objects.update(due_at=timezone.now())
    schedule.work(60)


@pytest.mark.parametrize(("happens", "words"), [
    (lambda sandbox: sandbox.revoke(ADA), "revoked"),
    (lambda sandbox: sandbox.login.expire_refresh_tokens(ADA), "not used for too long"),
    (lambda sandbox: sandbox.login.require_multi_factor(ADA), "second proof"),
    (lambda sandbox: sandbox.login.require_fresh_sign_in(ADA), "fresh sign-in"),
    (lambda sandbox: sandbox.login.block(ADA), "blocks this sign-in"),
    (lambda sandbox: sandbox.disable(ADA), "disabled"),
    (lambda sandbox: sandbox.login.forget_refresh_tokens(ADA), "no longer accepts"),
], ids=["revoked", "expired", "mfa", "frequency", "blocked", "disabled", "malformed"])
def test_USER_06_a_sign_in_that_is_not_accepted_stops_this_user_only(world, two, told, happens, words):
    happens(world.sandbox)
    for _ in range(3):
        later()

    ada, ben = world.link("ada"), world.link("ben")
    assert ada.status == LinkStatus.SIGN_IN_AGAIN and words in ada.status_reason
    assert ben.status == LinkStatus.CONNECTED and ben.last_run_at is not None
    assert told == [LinkStatus.SIGN_IN_AGAIN], "once, not every cycle"
    assert SyncRun.objects.filter(link=ada, state="failed").count() == 1
    assert "nothing is lost" in text_of(Browser(world, "ada").get("profile"))
    assert "Sign in again" in text_of(Browser(world, "admin").get("people"))


def test_USER_06_signing_in_again_goes_on_where_it_stopped(world, two, told):
    """A second factor that Microsoft demands is asked for at that sign-in: its claims are passed on."""
    world.sandbox.login.require_multi_factor(ADA)
    later()
    world.mailbox("ada").add_contact(givenName="Grace", surname="Hopper")
    ada = Browser(world, "ada")
    address = ada.send_to_microsoft()
    assert "claims=" in address
    assert ada.connect(ada.access_key()).status_code == 302

    later()

    assert world.crm.contacts().filter(first_name="Grace").count() == 1
    assert world.link("ada").status == LinkStatus.CONNECTED and world.link("ada").sign_in_claims == ""


@pytest.mark.parametrize("status", [404, 401, 400])
def test_USER_06_no_mailbox_is_a_state_of_its_own_that_microsofts_administrator_mends(world, two, told, status):
    world.sandbox.options.mailbox_missing_status = status
    account = world.account("ada")
    account.has_mailbox = False
    for _ in range(2):
        later()

    link = world.link("ada")
    assert link.status == LinkStatus.NO_MAILBOX and told == [LinkStatus.NO_MAILBOX]
    assert link.token_cache is not None, "the sign-in is good"
    page = text_of(Browser(world, "ada").get("profile"))
    assert "administrator of Microsoft 365 can give it a licence" in page
    assert world.link("ben").status == LinkStatus.CONNECTED

    account.has_mailbox = True
    Browser(world, "ada").post("sync-now")
    schedule.work(60)
    assert world.link("ada").status == LinkStatus.CONNECTED


def test_USER_06_a_deactivated_crm_user_loses_the_tokens_and_keeps_the_records(world, two):
    world.crm.contact()
    later()
    before = len(world.mailbox("ada").contacts())
    user = world.user("ada")
    user.is_active = False
    user.save()
    assert world.link("ada").token_cache is None

    later()
    assert len(world.mailbox("ada").contacts()) == before and world.crm.contacts().count() == before
    user.is_active = True
    user.save()
    assert world.link("ada").status == LinkStatus.DISCONNECTED, "being let in again signs nobody in"


def test_USER_04_reconnecting_after_months_duplicates_nothing(world, two, told):
    """The delta token has expired, the sign-in too."""
    world.crm.contact()
    world.mailbox("ada").add_contact(givenName="Alan", surname="Turing")
    later()
    count = world.crm.contacts().count(), len(world.mailbox("ada").contacts())
    Browser(world, "ada").post("disconnect")
    world.sandbox.expire_delta_tokens(world.account("ada"))
    world.sandbox.login.expire_refresh_tokens(ADA)
    world.mailbox("ada").add_contact(givenName="Later", surname="Still")
    ada = Browser(world, "ada")
    ada.connect(ada.access_key())

    world.settle("ada")

    assert (world.crm.contacts().count(), len(world.mailbox("ada").contacts())) == (count[0] + 1, count[1] + 1)


def test_USER_04_reconnecting_after_a_restored_backup_duplicates_nothing(world, two):
    """The database is the one of last week: it does not know what has been linked since."""
    from opencrm_ms365.models import RecordMapping, SharedRecord

    world.crm.contact()
    world.mailbox("ada").add_contact(givenName="Alan", surname="Turing",
                                     emailAddresses=[{"address": "alan@bletchley.example", "name": "Alan"}])
    later()
    world.settle("ada")
    count = world.crm.contacts().count(), len(world.mailbox("ada").contacts())
    RecordMapping.objects.all().delete()
    SharedRecord.objects.all().delete()
    UserLink.objects.update(cursors={}, progress={}, token_cache=None, status="disconnected")
    ada = Browser(world, "ada")
    ada.connect(ada.access_key())

    world.settle("ada")

    assert (world.crm.contacts().count(), len(world.mailbox("ada").contacts())) == count
