"""The whole story of signing in, in a browser: pop-up, access key, connect, settings (USER-02, USER-03)."""

import re

import pytest
from playwright.sync_api import expect

from opencrm_ms365.models import LinkStatus
from tests.rules import rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def ada(world, signed_in, live_server):
    world.organisation()
    world.mailbox("ada").add_folder("Customers")
    world.mailbox("ada").add_folder("Suppliers")
    world.crm.folder("Customers", 1)
    world.crm.folder("Press", 2)
    page = signed_in("ada")
    page.goto(f"{live_server.url}/microsoft/")
    return page


def at_microsoft(popup, person="Ada Lindqvist"):
    """What a person does in the pop-up until it is back at the CRM."""
    popup.get_by_role("button", name=re.compile(person)).click()
    for _ in range(3):
        popup.wait_for_load_state()
        accept = popup.get_by_role("button", name="Accept")
        if not accept.count():
            break
        accept.click()
    popup.wait_for_selector("#access-key, [role=alert]")


@rule("USER-02", "USER-03")
def test_USER_02_from_the_button_to_the_first_sync(ada, world, shot):
    shot("profile-1-not-connected")
    with ada.expect_popup() as opened:
        ada.get_by_role("link", name="Sign in with Microsoft").click()
    popup = opened.value
    at_microsoft(popup)
    shot("popup-access-key", popup)

    key = popup.locator("#access-key").inner_text()
    expect(ada.get_by_label("Access key")).to_have_value(key)
    expect(popup.get_by_text("The key is in its field")).to_be_visible()
    assert "code=" not in popup.url
    shot("profile-2-key-arrived")
    popup.get_by_role("button", name="Close this window").click()
    ada.get_by_role("button", name="Connect").click()
    ada.get_by_role("link", name="Continue to settings").wait_for()
    shot("profile-3-connected")
    assert world.link("ada").status == LinkStatus.AWAITING_SETTINGS

    ada.get_by_role("link", name="Continue to settings").click()
    expect(ada.get_by_role("heading", level=1)).to_have_text("Choose what to sync")
    shot("settings-1")
    ada.get_by_role("group", name="Folders in Outlook").get_by_label("Only these").check()
    ada.get_by_role("group", name="Chosen folders in Outlook").get_by_label("Customers").check()
    shot("settings-2-chosen")
    ada.get_by_role("button", name="Save").click()

    expect(ada.get_by_text("What is synced")).to_be_visible()
    shot("profile-4-starting")
    link = world.link("ada")
    assert link.status == LinkStatus.CONNECTED and len(link.microsoft_folders) == 1


@rule("USER-02")
def test_USER_02_the_key_can_be_pasted_by_hand(ada, world):
    ada.evaluate("window.open = () => null")                 # the browser blocks pop-ups: the link opens a tab
    with ada.context.expect_page() as opened:
        ada.get_by_role("link", name="Sign in with Microsoft").click()
    tab = opened.value
    at_microsoft(tab)
    key = tab.locator("#access-key").inner_text()
    tab.close()
    ada.reload()

    ada.get_by_label("Access key").fill(key)
    ada.get_by_role("button", name="Connect").click()

    ada.get_by_role("link", name="Continue to settings").wait_for()
    assert world.link("ada").account == "ada@brightwell.example"


@rule("USER-02")
def test_USER_02_the_key_arrives_also_where_a_page_on_the_way_cuts_the_opener_off(ada, world, live_server):
    popup_page = ada.context.new_page()                      # a tab of its own has no opener at all
    popup_page.goto(f"{live_server.url}/microsoft/sign-in/")
    at_microsoft(popup_page)

    expect(ada.get_by_label("Access key")).to_have_value(popup_page.locator("#access-key").inner_text())


@rule("USER-02")
def test_USER_02_a_key_from_a_stranger_page_is_not_taken(ada, world):
    ada.evaluate("window.postMessage({type: 'ms365-access-key', key: 'from nowhere'}, 'https://evil.example')")
    ada.evaluate("""() => {
        const event = new MessageEvent('message', {
            origin: 'https://evil.example', data: {type: 'ms365-access-key', key: 'evil'}});
        window.dispatchEvent(event); }""")
    expect(ada.get_by_label("Access key")).to_have_value("")


@rule("USER-02")
def test_USER_02_a_refused_sign_in_says_why(ada, world, shot):
    with ada.expect_popup() as opened:
        ada.get_by_role("link", name="Sign in with Microsoft").click()
    popup = opened.value
    popup.get_by_role("button", name="Cancel").click()
    expect(popup.get_by_role("alert")).to_be_visible()
    shot("popup-refused", popup)
    ada.get_by_label("Access key").fill("not a key")
    ada.get_by_role("button", name="Connect").click()
    expect(ada.get_by_role("alert")).to_contain_text("not valid")
    shot("profile-key-refused")
