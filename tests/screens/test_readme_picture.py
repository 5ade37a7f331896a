"""The picture in the README: the Microsoft Sync page of the demo, after Ada's first sync.

It is taken in each run, into `test-results/`; `make pictures` renews the one in the documentation.
"""

import os
from pathlib import Path

import pytest
from django.test import Client

from demo_crm.crm.loading import load
from opencrm_ms365 import tasks
from opencrm_ms365.sandbox import seed
from tests.world import World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

FOLDER = Path(os.environ.get("SCREENSHOTS") or Path(__file__).resolve().parents[2] / "test-results")


class Demo(World):
    """The demo's people, who have the same e-mail address on both sides."""

    def account(self, person):
        return self.sandbox.account(self.user(person).email)


def test_the_picture_of_the_readme(ms365_sandbox, live_server, page):
    seed.demo(ms365_sandbox)
    tenant = ms365_sandbox.world.tenant(seed.DOMAIN)
    load(tenant_id=tenant.id)
    demo = Demo(ms365_sandbox, tenant)
    demo.connect("ada")
    tasks.cycle()           # what the schedule starts: marks links due, and works
    tasks.work()
    client = Client()
    client.force_login(demo.user("ada"))
    page.context.add_cookies([{"name": name, "value": cookie.value, "url": live_server.url}
                              for name, cookie in client.cookies.items()])
    page.set_viewport_size({"width": 1100, "height": 640})

    page.goto(f"{live_server.url}/microsoft/")
    page.wait_for_load_state("networkidle")
    assert page.get_by_text("ada.lindqvist@brightwell.example").first.is_visible()
    assert page.get_by_text("Up to date").first.is_visible()

    FOLDER.mkdir(parents=True, exist_ok=True)
    picture = FOLDER / "microsoft-sync.png"
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000
