"""The sandbox's calendar in a real browser: readable, labelled, usable, also on a telephone."""

import re

import pytest
from playwright.sync_api import expect

from opencrm_ms365.sandbox import Sandbox, seed
from opencrm_ms365.sandbox.server import running

pytestmark = pytest.mark.browser
ADA, BEN = f"ada.lindqvist@{seed.DOMAIN}", f"ben.okafor@{seed.DOMAIN}"


@pytest.fixture
def outlook():
    sandbox = Sandbox()
    seed.demo(sandbox)
    with running(sandbox) as base_url:
        yield sandbox, f"{base_url}/outlook"


def check(page):
    assert page.locator("h1").count() == 1
    unnamed = page.evaluate("""() => [...document.querySelectorAll('input:not([type=hidden]), select, button, a')]
        .filter((item) => !(item.labels?.length || item.textContent.trim() || item.getAttribute('aria-label')))
        .map((item) => item.outerHTML)""")
    assert [html for html in unnamed if 'class="who"' not in html] == []
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_person_invites_answers_and_cancels(outlook, page, shot):
    sandbox, address = outlook
    page.goto(f"{address}/{ADA}/calendar/")
    check(page)
    shot("sandbox-week")
    page.get_by_role("link", name="New event", exact=True).click()
    page.get_by_label("Subject").fill("Choose the oak")
    page.get_by_label("Invite (addresses, with commas between)").fill(f"{BEN}, guest@out.example")
    page.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("status")).to_contain_text("the invitations are out")
    check(page)
    shot("sandbox-event")

    [mine] = sandbox.mailbox(BEN).find_events(subject="Choose the oak")
    page.goto(f"{address}/{BEN}/calendar/?event={mine['id']}")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("your answer: comes")).to_be_visible()
    [made] = sandbox.mailbox(ADA).find_events(subject="Choose the oak")
    page.goto(f"{address}/{ADA}/calendar/?event={made['id']}")
    expect(page.get_by_role("complementary")).to_contain_text("comes")
    page.get_by_text("Cancel the meeting").click()
    page.get_by_role("button", name="Cancel it and tell everybody").click()
    page.get_by_role("link", name="Outgoing mail").click()
    check(page)
    shot("sandbox-mail")
    expect(page.get_by_text("Canceled: Choose the oak")).to_have_count(2)


def test_a_week_fits_a_telephone_in_the_dark(outlook, page, shot):
    sandbox, address = outlook
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}/{ADA}/calendar/")
    check(page)
    shot("sandbox-week-telephone")
    event = sandbox.mailbox(ADA).find_events(subject="Harbour Hotels: reception desks")[0]
    page.goto(f"{address}/{ADA}/calendar/?event={event['id']}")
    check(page)
    expect(page.get_by_role("heading", name=re.compile("Harbour Hotels"))).to_be_visible()
    shot("sandbox-event-telephone")
