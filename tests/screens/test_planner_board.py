"""The sandbox's board of a plan in a real browser: readable, labelled, usable, also on a telephone."""

import re

import pytest
from playwright.sync_api import expect

from opencrm_ms365.sandbox import Sandbox, seed
from opencrm_ms365.sandbox.server import running

pytestmark = pytest.mark.browser
ADA = f"ada.lindqvist@{seed.DOMAIN}"


@pytest.fixture
def board():
    sandbox = Sandbox()
    seed.demo(sandbox)
    with running(sandbox) as base_url:
        yield sandbox, f"{base_url}/outlook/{ADA}/planner/"


def check(page):
    assert page.locator("h1").count() == 1
    unnamed = page.evaluate("""() => [...document.querySelectorAll('input:not([type=hidden]), select, button, a')]
        .filter((item) => !(item.labels?.length || item.textContent.trim() || item.getAttribute('aria-label')))
        .map((item) => item.outerHTML)""")
    assert [html for html in unnamed if 'class="who"' not in html] == []
    assert page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0


def test_a_person_works_on_a_board(board, page, shot):
    sandbox, address = board
    page.goto(address)
    check(page)
    shot("planner-board")
    column = page.get_by_role("region", name="Under way")
    column.get_by_text("New task").click()
    column.get_by_label("Title").fill("Hire a van")
    column.get_by_role("button", name="Add").click()
    expect(column.get_by_role("link", name="Hire a van")).to_be_visible()

    page.locator("select[name=bucket]").select_option(label="Done")
    page.get_by_label("Ben Okafor").check()
    page.get_by_label("New line of the checklist").fill("Ring the garage")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Done").get_by_role("link", name="Hire a van")).to_be_visible()
    check(page)
    shot("planner-task")
    page.get_by_role("button", name="Complete: Hire a van").click()
    expect(page.get_by_role("status")).to_have_text("Completed.")
    [made] = sandbox.planner(ADA).find_tasks(title="Hire a van")
    assert made["percentComplete"] == 100 and made["checklistItemCount"] == 1 and len(made["assignments"]) == 1


def test_a_board_fits_a_telephone_in_the_dark(board, page, shot):
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    page.goto(board[1])
    check(page)
    shot("planner-board-phone-dark")
    page.get_by_role("link", name=re.compile("New brochure")).click()
    expect(page.get_by_role("heading", name="Task", exact=True)).to_be_visible()
    check(page)
    shot("planner-task-phone-dark")
