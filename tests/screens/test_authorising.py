"""An administrator authorises the organisation in a browser, and sees why it stands still (ORG-01, ORG-16)."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from opencrm_ms365.models import SyncSettings
from tests.rules import rule
from tests.screens.test_pages import check

pytestmark = pytest.mark.django_db(transaction=True)


@rule("ORG-01")
@pytest.mark.parametrize("base", ["ms365/base.html", "crm/base.html"])
def test_ORG_01_from_the_settings_to_microsoft_and_back(world, signed_in, live_server, shot, settings, base):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "BASE_TEMPLATE": base}
    world.account("admin")
    page = signed_in("admin")
    page.goto(live_server.url + "/admin/opencrm_ms365/syncsettings/")
    shot("authorise-settings")
    page.get_by_role("link", name="Authorise", exact=True).click()
    page.get_by_role("button", name="admin@brightwell.example").click()
    page.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="admin@brightwell.example").click()

    expect(page.get_by_role("heading", name="Your organisation is authorised")).to_be_visible()
    check(page)
    shot(f"authorised-{base.split('/')[0]}")
    assert SyncSettings.of("").tenant_name == "Brightwell & Sons"
    page.get_by_role("link", name="To the settings").click()
    expect(page.get_by_role("link", name="Authorise again")).to_be_visible()
    shot("authorise-settings-afterwards")


@rule("ORG-01")
def test_ORG_01_cancelling_is_said_plainly(world, signed_in, live_server, shot):
    page = signed_in("admin")
    page.goto(live_server.url + reverse("ms365:authorise"))
    page.get_by_role("button", name="admin@brightwell.example").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing has changed")
    check(page)
    shot("authorise-declined")


@rule("ORG-16")
def test_ORG_16_a_copy_is_confirmed_on_the_page_of_all_users(world, signed_in, live_server, shot, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "INSTALLATION_ID": "staging"}
    world.organisation(installation_fingerprint="production")
    world.connect("ada", save=False)
    page = signed_in("admin")
    page.goto(live_server.url + reverse("ms365:people"))
    expect(page.get_by_role("alert").first).to_be_visible()
    check(page)
    shot("other-installation")
    page.get_by_role("button", name="This installation is the one that syncs").click()
    expect(page.get_by_text("This installation syncs from now on.")).to_be_visible()
