"""A copy of the database that is started elsewhere does not touch real mailboxes (ORG-16)."""

import pytest
from django.utils import timezone

from opencrm_ms365.access import installation
from opencrm_ms365.access.tokens import LinkTokens
from opencrm_ms365.errors import Unavailable
from opencrm_ms365.models import SyncSettings, UserLink
from opencrm_ms365.sync import schedule
from opencrm_ms365.sync.eligible import eligible_links, why_not
from tests.behaviour.test_org_authorise import form_values
from tests.behaviour.test_user_tokens import age
from tests.browsing import Browser, text_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def here(settings):
    """Be in the installation of a name."""

    def be(name):
        settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "INSTALLATION_ID": name}

    be("production")
    return be


@pytest.mark.parametrize(("given", "hosts", "expected"), [
    ({"INSTALLATION_ID": "blue", "PUBLIC_URL": "https://crm.example"}, ["x.example"], "blue"),
    ({"PUBLIC_URL": "https://CRM.example:8443/sub"}, ["x.example"], "crm.example"),
    ({}, ["*", "localhost", "127.0.0.1", "[::1]", "testserver", ".Crm.Example", "other.example"], "crm.example"),
    ({}, ["*"], ""),
    ({}, [], ""),
])
def test_ORG_16_the_fingerprint_is_a_setting_or_the_public_host_name(settings, given, hosts, expected):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, **given}
    settings.ALLOWED_HOSTS = hosts
    assert installation.fingerprint() == expected


def test_ORG_16_the_first_sync_remembers_its_installation(world, here):
    world.connect("ada")
    world.sync()
    assert SyncSettings.of("").installation_fingerprint == "production"


def test_ORG_16_so_does_switching_on(world, here):
    from django.urls import reverse

    world.organisation(enabled=False)
    admin = Browser(world, "admin")
    address = reverse("admin:opencrm_ms365_syncsettings_change", args=[SyncSettings.of("").pk])
    values = form_values(admin.client.get(address))
    admin.client.post(address, values)
    assert SyncSettings.of("").installation_fingerprint == ""
    admin.client.post(address, values | {"enabled": "on"})
    assert SyncSettings.of("").installation_fingerprint == "production"


@pytest.fixture
def copied(world, here):
    """A backup of a database that syncs has been started elsewhere."""
    link = world.connect("ada")
    world.crm.contact()
    world.settle()
    age(link)
    here("staging")
    world.crm.contact(first_name="Made", last_name="Elsewhere")
    world.mailbox("ada").add_contact(givenName="New", surname="There")
    UserLink.objects.update(due_at=timezone.now())
    return link


def test_ORG_16_a_copy_touches_nothing_and_says_why(world, copied):
    before = len(world.sandbox.requests)

    assert not eligible_links().exists() and schedule.mark_due() == 0 and schedule.work(60) == 0
    with pytest.raises(Unavailable):
        LinkTokens(copied.pk).token()
    with pytest.raises(Unavailable):
        world.sync("ada")
    Browser(world, "ada").get("settings")
    assert Browser(world, "ada").post("api-sync").status_code == 409
    assert Browser(world, "ada").post("api-preview").status_code == 409

    assert len(world.sandbox.requests) == before, "not even a sign-in is renewed"
    assert "another installation of the CRM (production)" in why_not(copied)
    for person, page in (("ada", "profile"), ("admin", "people")):
        assert "another installation of the CRM (production)" in text_of(Browser(world, person).get(page))
    link = world.link("ada")
    assert link.token_cache and link.status == "connected"
    assert SyncSettings.of("").installation_fingerprint == "production"


def test_ORG_16_back_in_its_own_installation_it_goes_on(world, copied, here):
    here("production")
    assert why_not(copied) == "" and schedule.work(60) == 1
    assert world.crm.contacts().filter(first_name="New").exists()


def test_ORG_16_an_administrator_can_confirm_that_this_is_the_right_one(world, copied):
    assert Browser(world, "ada").post("confirm-installation").status_code == 403
    assert SyncSettings.of("").installation_fingerprint == "production"
    admin = Browser(world, "admin")
    assert "This installation is the one that syncs: go on here" in text_of(admin.get("people"))

    admin.post("confirm-installation")

    assert SyncSettings.of("").installation_fingerprint == "staging"
    assert schedule.work(60) == 1 and world.crm.contacts().filter(first_name="New").exists()
    assert "go on here" not in text_of(admin.get("people"))


def test_ORG_16_a_copy_whose_name_nobody_has_set_stands_still_too(world, copied, here):
    here("")
    assert not eligible_links().exists() and "another installation" in why_not(copied)


def test_ORG_16_where_nothing_tells_installations_apart_nothing_stands_still(world, here):
    here("")
    world.connect("ada")
    world.sync()
    assert SyncSettings.of("").installation_fingerprint == "" and eligible_links().exists()
    here("production")
    world.sync()
    assert SyncSettings.of("").installation_fingerprint == "production", "remembered once there is a name"


@pytest.mark.parametrize(("given", "hosts"), [
    ({"INSTALLATION_ID": "blue"}, []), ({"PUBLIC_URL": "https://CRM.example"}, []), ({}, ["*", "crm.example"]),
])
def test_ORG_16_the_identity_on_microsofts_records_names_the_same_installation(settings, given, hosts):
    """SYNC-09: two CRMs that sync one mailbox must not take each other's records for their own."""
    from opencrm_ms365.sync.markers import installation_key

    def key(more, names):
        settings.OPENCRM_MS365 = {**plain, **more}
        settings.ALLOWED_HOSTS = names
        return installation_key("")

    plain = dict(settings.OPENCRM_MS365)
    assert key(given, hosts) == key({"INSTALLATION_ID": installation.fingerprint()}, ["elsewhere.example"])
    assert key(given, hosts) != key({}, ["elsewhere.example"])
