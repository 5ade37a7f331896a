"""A real browser, the pages of the CRM on a live server, and Microsoft's on another port."""

import os
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.test import Client

SHOTS = os.environ.get("SCREENSHOTS")


@pytest.fixture
def shot(page):
    """`shot("name")` keeps a picture of the page where SCREENSHOTS names a folder; otherwise it does nothing."""
    def take(name, of=None):
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            (of or page).screenshot(path=f"{SHOTS}/{name}.png", full_page=True)
    return take


@pytest.fixture
def signed_in(live_server, page, world):
    """`signed_in("ada")` signs a person in to the CRM in this browser."""
    def go(person):
        client = Client()
        client.force_login(world.user(person))
        cookie = client.cookies[django_settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{
            "name": django_settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        return page
    return go


@pytest.fixture(autouse=True)
def nothing_goes_wrong_in_the_browser(page):
    """Errors of scripts and of the content security policy fail the test."""
    wrong = []

    def watch(tab):
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("console", lambda line: wrong.append(line.text) if line.type == "error" and
               "status of 4" not in line.text and "favicon" not in (line.location or {}).get("url", "") else None)

    watch(page)
    page.context.on("page", watch)
    yield
    assert not wrong, wrong
