"""The calendar, the form and the board in a browser: seeing, dragging, keyboard, telephone, without scripts."""

import datetime
import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from demo_crm.crm.models import Activity
from opencrm_ms365.models import SyncSettings
from tests.rules import rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PHONE = {"width": 360, "height": 740}
UTC = datetime.UTC
TUESDAY = datetime.datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def browser_context_args(browser_context_args):
    """An hour ahead of the server's own zone: what is right here is right by the browser's zone."""
    return {**browser_context_args, "timezone_id": "Europe/Berlin", "locale": "en-GB",
            "viewport": {"width": 1280, "height": 900}}


def at(hour, minute=0, days=0):
    return TUESDAY + datetime.timedelta(days=days, hours=hour, minutes=minute)


@pytest.fixture
def diary(world):
    """A week of Ada's and Ben's, who are in one team; Cleo's is not seen by them."""
    ada, ben, cleo = (world.user(name) for name in ("ada", "ben", "cleo"))
    world.crm.team("Sales", "ada", "ben")
    make = Activity.objects.create
    made = {
        "staircase": make(subject="Staircase", start=at(9), end=at(10), assigned_to=ada, location="Whitby"),
        "call": make(kind="call", subject="Ring Frances", start=at(12), assigned_to=ada),
        "fair": make(subject="Timber fair", all_day=True, time_zone="UTC", start=at(0, days=1), end=at(0, days=2),
                     assigned_to=ben),
        "dentist": make(subject="Dentist", private=True, start=at(14), end=at(15), assigned_to=ben),
        "task": make(kind="task", subject="Order hinges", start=at(8), assigned_to=ada, priority="urgent"),
        "cleo": make(subject="Cleo's own", start=at(16), end=at(17), assigned_to=cleo),
    }
    made["staircase"].users.set([ben])
    return made


@pytest.fixture
def calendar(diary, signed_in, live_server):
    page = signed_in("ada")

    def go(view="timeGridWeek"):
        page.goto(f"{live_server.url}/calendar/?view={view}&day=2026-11-24")
        expect(entry(page, "Staircase")).to_be_visible()
        return page
    return go


def entry(page, title):
    return page.locator(".ec-event", has_text=title).first


def slot(page, title, up=0, right=0):
    """Where to press to have an entry, and where to let go: so many half hours up, so many days to the right."""
    box = entry(page, title).bounding_box()
    width = page.locator(".ec-col-head").nth(1).bounding_box()["width"]
    start = box["x"] + 20, box["y"] + 8
    return start, (start[0] + right * width, start[1] - up * 28)


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(start[0] + 3, start[1] + 3)
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def test_the_week_shows_ones_own_and_the_teams_on_the_browsers_clock(calendar, shot):
    page = calendar()
    assert "10:00 Staircase" in entry(page, "Staircase").inner_text()         # nine in London is ten in Berlin
    assert entry(page, "Timber fair").bounding_box()["width"] > 1.8 * entry(page, "Staircase").bounding_box()["width"]
    expect(page.get_by_text("Cleo's own")).to_have_count(0)
    expect(page.get_by_text("Dentist")).to_have_count(0)
    shot("calendar-week")
    page.get_by_role("button", name="Month").click()
    expect(entry(page, "Ring Frances")).to_be_visible()
    expect(page).to_have_url(re.compile("view=dayGridMonth"))
    page.get_by_label("Tasks").uncheck()
    expect(entry(page, "Order hinges")).to_have_count(0)
    page.locator(".calendar-filters").get_by_text("Mine").click()
    expect(entry(page, "Timber fair")).to_have_count(0)
    expect(entry(page, "Staircase")).to_be_visible()


@rule("PRIV-02", "ORG-11")
def test_PRIV_02_a_block_in_the_calendar_opens_nothing(calendar, diary, shot):
    SyncSettings.objects.update_or_create(tenant="", defaults={"private_display": "busy"})
    page = calendar()
    block = entry(page, "Private")
    expect(block).to_be_visible()
    expect(page.get_by_text("Dentist")).to_have_count(0)
    shot("calendar-block")
    address = page.url
    block.click()
    drag(page, *slot(page, "Private", up=2))
    page.wait_for_timeout(200)
    assert page.url == address
    diary["dentist"].refresh_from_db()
    assert diary["dentist"].start == at(14)


def test_dragging_moves_and_stretching_lengthens(calendar, diary):
    page = calendar()
    with page.expect_response(re.compile("/move/")) as told:
        drag(page, *slot(page, "Staircase", up=2, right=1))
    assert told.value.ok
    diary["staircase"].refresh_from_db()
    assert (diary["staircase"].start, diary["staircase"].end) == (at(8, days=1), at(9, days=1))
    expect(page.locator("[data-calendar-status]")).to_have_text("Staircase is moved.")

    box = entry(page, "Staircase").bounding_box()
    edge = box["x"] + box["width"] / 2, box["y"] + box["height"] - 2
    with page.expect_response(re.compile("/move/")):
        drag(page, edge, (edge[0], edge[1] + 28))
    diary["staircase"].refresh_from_db()
    assert diary["staircase"].end == at(9, 30, days=1)


def test_what_cannot_be_moved_goes_back_and_says_so(calendar, diary):
    page = calendar()
    Activity.objects.filter(pk=diary["staircase"].pk).soft_delete(timezone.now())
    drag(page, *slot(page, "Staircase", up=2))
    expect(page.get_by_role("alert")).to_contain_text("It could not be moved")
    assert "10:00 Staircase" in entry(page, "Staircase").inner_text()


def test_an_empty_slot_opens_the_form_with_its_time(calendar, shot):
    page = calendar()
    box = entry(page, "Staircase").bounding_box()
    page.mouse.click(box["x"] + 20, box["y"] + 2 * 28 + 6)
    expect(page.get_by_role("heading", name="New meeting or call")).to_be_visible()
    assert page.get_by_label("Starts on").input_value() == "2026-11-24"
    assert page.get_by_label("at", exact=True).first.input_value() == "11:00"
    assert page.get_by_label("Time zone").input_value() == "Europe/Berlin"
    page.get_by_label("Subject").fill("Varnish trial")
    page.get_by_label("All day").check()
    expect(page.get_by_label("at", exact=True).first).to_be_hidden()
    page.get_by_label("All day").uncheck()
    page.get_by_label("Starts on").fill("2026-11-25")
    page.get_by_label("Starts on").blur()
    assert page.get_by_label("Ends on").input_value() == "2026-11-25"
    shot("meeting-form")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Varnish trial")
    assert Activity.objects.get(subject="Varnish trial").start == at(10, days=1)


def test_the_keyboard_opens_an_entry_and_the_way_back_leads_to_the_same_week(calendar, shot):
    page = calendar()
    entry(page, "Staircase").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Staircase")
    shot("meeting")
    page.go_back()
    expect(entry(page, "Staircase")).to_be_visible()


def test_everything_fits_a_telephone(calendar, diary, live_server, shot):
    page = calendar()
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    addresses = ["/calendar/?day=2026-11-24", "/calendar/?view=dayGridMonth&day=2026-11-24",
                 "/calendar/?view=listWeek&day=2026-11-24", "/activities/", "/tasks/", "/tasks/board/",
                 "/activities/new/", "/tasks/new/", diary["staircase"].get_absolute_url()]
    for number, address in enumerate(addresses):
        page.goto(live_server.url + address)
        too_wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert too_wide <= 0, f"{address} is {too_wide} pixels too wide"
        assert page.locator("h1").count() == 1
        unnamed = page.evaluate("""() => [...document.querySelectorAll(
            'main input:not([type=hidden]), main select, main button, main a')]
            .filter((item) => item.checkVisibility())
            .filter((item) => !(item.labels?.length || item.textContent.trim() || item.getAttribute('aria-label')))
            .map((item) => item.outerHTML)""")
        assert unnamed == []
        shot(f"calendar-phone-dark-{number}")


def test_without_scripts_the_week_is_a_list(diary, browser, live_server, world, shot):
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(world.user("ada"))
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "url": live_server.url,
                          "value": client.cookies[settings.SESSION_COOKIE_NAME].value}])
    page = context.new_page()
    page.goto(f"{live_server.url}/calendar/?day=2026-11-24")
    expect(page.get_by_role("link", name="Staircase")).to_be_visible()
    expect(page.locator("#calendar")).to_be_hidden()
    page.get_by_role("link", name="Next week").click()
    expect(page.get_by_role("heading", name="30 November – 6 December 2026")).to_be_visible()
    page.goto(f"{live_server.url}/tasks/board/")
    page.get_by_label("Status of Order hinges").select_option("Waiting")
    page.get_by_role("button", name="Move").click()
    expect(page.get_by_role("region", name="Waiting").get_by_role("link", name="Order hinges")).to_be_visible()
    context.close()


def test_a_card_is_dragged_or_moved_by_its_field(diary, signed_in, live_server, shot):
    page = signed_in("ada")
    page.goto(f"{live_server.url}/tasks/board/")
    shot("board")
    with page.expect_response(re.compile("/status/")):
        page.locator(".card-task", has_text="Order hinges").drag_to(page.get_by_role("region", name="In progress"))
    expect(page.get_by_role("region", name="In progress").get_by_role("link", name="Order hinges")).to_be_visible()
    diary["task"].refresh_from_db()
    assert diary["task"].status == "in_progress"
    with page.expect_response(re.compile("/status/")):
        page.get_by_label("Status of Order hinges").select_option("Done")
    expect(page.locator("[data-board-status]")).to_have_text("Order hinges is now: Done.")
    diary["task"].refresh_from_db()
    assert diary["task"].status == "done"
    Activity.objects.filter(pk=diary["task"].pk).soft_delete(timezone.now())
    page.get_by_label("Status of Order hinges").select_option("Waiting")
    expect(page.get_by_text("It could not be moved")).to_be_visible()
    expect(page.get_by_role("region", name="Done").get_by_role("link", name="Order hinges")).to_be_visible()
