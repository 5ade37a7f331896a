"""Every page with something on it: readable, labelled, and nothing wider than a telephone (USER-07, USER-08)."""

import datetime

import pytest
from django.conf import settings as django_settings
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from opencrm_ms365.adapters import site
from opencrm_ms365.models import Heartbeat, HeldDecision, RunState, SyncProblem, SyncRun, UserLink, encrypt
from opencrm_ms365.sync import preview, schedule
from tests.rules import rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PAGES = ("profile", "settings", "preview", "runs", "problems", "conflicts", "held")
PHONE = {"width": 360, "height": 740}


@pytest.fixture
def story(world):
    """A link that has synced, and something of everything."""
    link = world.connect("ada")
    box = world.mailbox("ada")
    box.add_folder("Customers")
    for first, last, company in (("Grace", "Hopper", "Navy"), ("Katherine", "Johnson", "Langley"),
                                 ("Hedy", "Lamarr", "Frequency Ltd")):
        box.add_contact(givenName=first, surname=last, companyName=company,
                        emailAddresses=[{"address": f"{first}@{company.split()[0]}.example".lower()}])
        world.crm.contact(first_name=f"{first}a", last_name=last, company=company, email=f"{last}@crm.example".lower())
    world.sync("ada")
    graced = world.crm.contacts().filter(first_name="Grace").get()
    graced.company = "US Navy"
    graced.save()
    mine = next(item for item in box.contacts() if item["surname"] == "Hopper" and item["givenName"] == "Grace")
    box.edit_contact(mine["id"], companyName="United States Navy", jobTitle="Rear admiral")
    world.sync("ada")
    box.add_contact(givenName="Dorothy", surname="Vaughan", emailAddresses=[{"address": "dorothy@langley.example"}])
    world.crm.contact(first_name="Mary", last_name="Jackson", email="mary@langley.example")
    graced.refresh_from_db()
    graced.job_title = "Admiral"
    graced.save()

    now = timezone.now()
    adapter = site.adapters("contacts")[0].name
    for number, reason in enumerate((
            "The CRM does not take this e-mail address: another contact has it already.",
            "Outlook holds three e-mail addresses; the fourth one stays in the CRM.")):
        SyncProblem.objects.create(
            link=link, kind="contacts", adapter=adapter, object_id=str(graced.pk), code="x", key=str(number), times=3,
            reason=reason, is_warning=bool(number), first_at=now - datetime.timedelta(days=1),
            last_at=now - datetime.timedelta(minutes=4), next_try_at=now + datetime.timedelta(minutes=26))
    twins = [world.crm.contact(first_name="Grace", last_name=f"Hopper-{name}") for name in ("Murray", "Smith")]
    HeldDecision.objects.create(
        link=link, kind="contacts", reason="ambiguous", key="a", at=now, summary={"candidates": 2},
        details=encrypt({"graph_id": "g", "label": "Grace Hopper",
                         "candidates": [[adapter, str(twin.pk)] for twin in twins]}))
    HeldDecision.objects.create(link=link, kind="contacts", reason="deletion_guard", key="d", at=now,
                                summary={"side": "microsoft", "deletions": 40, "records": 50})
    SyncRun.objects.create(
        link=link, trigger="schedule", state=RunState.FAILED, message="Microsoft could not be reached.",
        queued_at=now - datetime.timedelta(hours=3), started_at=now - datetime.timedelta(hours=3),
        finished_at=now - datetime.timedelta(hours=2, minutes=59))
    run = schedule.request_preview(link, world.user("ada"))
    preview.run_preview(run.pk)
    world.connect("ben", save=False)
    Heartbeat.objects.create(name="worker", at=now)
    UserLink.objects.filter(pk=link.pk).update(next_run_at=now + datetime.timedelta(minutes=7))
    return link


def addresses(link=None):
    return {name: reverse(f"ms365:{name}", args=[link.pk] if link else []) for name in PAGES}


def check(page):
    """What a person with a screen reader, a keyboard or a telephone needs."""
    assert page.locator("h1").count() == 1
    assert page.locator("html[lang]").count() == 1
    unnamed = page.evaluate("""() => [...document.querySelectorAll(
        '.ms365 input:not([type=hidden]), .ms365 select, .ms365 button, .ms365 a')]
        .filter((item) => !(item.labels?.length || item.textContent.trim() || item.getAttribute('aria-label')))
        .map((item) => item.outerHTML)""")
    assert unnamed == []
    too_wide = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert too_wide <= 0, f"{page.url} is {too_wide} pixels too wide"
    doubled = page.evaluate("""() => { const ids = [...document.querySelectorAll('[id]')].map((item) => item.id);
        return ids.filter((id, at) => ids.indexOf(id) !== at); }""")
    assert doubled == []


@pytest.mark.slow
@rule("USER-07", "USER-08")
@pytest.mark.parametrize("base", ["ms365/base.html", "crm/base.html"])
def test_USER_08_every_page_reads_well_on_a_screen_and_on_a_telephone(
        story, signed_in, live_server, shot, settings, base):
    settings.OPENCRM_MS365 = {**django_settings.OPENCRM_MS365, "BASE_TEMPLATE": base}
    page = signed_in("ada")
    where = base.split("/")[0]
    for name, address in addresses().items():
        page.goto(live_server.url + address)
        check(page)
        shot(f"{where}-{name}")
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="dark")
    for name, address in addresses().items():
        page.goto(live_server.url + address)
        check(page)
        shot(f"{where}-{name}-phone-dark")


@rule("USER-08")
def test_USER_08_administrators_see_everybody(story, signed_in, live_server, shot):
    page = signed_in("admin")
    page.goto(live_server.url + reverse("ms365:people"))
    check(page)
    shot("people")
    page.get_by_role("link", name="Ada Lindqvist").click()
    expect(page.get_by_text("For administrators")).to_be_visible()
    check(page)
    shot("people-ada")
    page.goto(live_server.url + reverse("ms365:held", args=[story.pk]))
    shot("people-ada-decisions")
    page.goto(live_server.url + "/admin/opencrm_ms365/syncsettings/")
    shot("admin-settings")
    page.goto(live_server.url + "/admin/opencrm_ms365/userlink/")
    shot("admin-links")


@rule("USER-08")
def test_USER_08_sync_now_shows_its_progress_and_then_what_it_did(story, signed_in, live_server, shot, world):
    SyncRun.objects.filter(state=RunState.QUEUED).delete()
    page = signed_in("ada")
    page.goto(live_server.url + reverse("ms365:profile"))
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_role("status")).to_contain_text("Waiting for its turn")
    run = SyncRun.objects.get(state=RunState.QUEUED)

    SyncRun.objects.filter(pk=run.pk).update(
        state=RunState.RUNNING, started_at=timezone.now(), progress={"phase": "writing", "done": 40, "total": 200})
    expect(page.get_by_role("status")).to_contain_text("Writing what has changed: 40 of 200", timeout=10_000)
    assert page.locator("progress").evaluate("(bar) => bar.value") == 0.2
    shot("run-running")

    SyncRun.objects.filter(pk=run.pk).update(
        state=RunState.DONE, finished_at=timezone.now(), counts={"contacts": {
            "crm": {"created": 3}, "microsoft": {"created": 12, "updated": 4, "deleted": 1}, "conflicts": 1}})
    expect(page.get_by_role("heading", name="What it did")).to_be_visible(timeout=10_000)
    expect(page.get_by_text("3 written in the CRM, 17 in Outlook.")).to_be_visible()
    shot("run-done")


@rule("USER-01")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_USER_01_the_profile_of_the_crm_has_the_button(story, signed_in, live_server, shot, scheme):
    page = signed_in("ada")
    page.emulate_media(color_scheme=scheme)
    page.goto(live_server.url + reverse("crm:profile"))
    shot(f"crm-profile-{scheme}")
    page.get_by_role("link", name="Microsoft Sync").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Microsoft Sync")
