"""A private meeting that is really synced: what an administrator finds of it on pages and in logs (PRIV-02)."""

import json
import logging

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from demo_crm.crm.models import Activity
from opencrm_ms365.models import DeletedRecord, HeldDecision, SyncProblem, SyncRun, encrypt
from opencrm_ms365.sync import preview, schedule
from tests.browsing import Browser
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)
SECRETS = ("Salary review", "Pay talk", "Behind the sawmill", "Not a word to anybody")


@pytest.fixture
def story(world, caplog):
    """Ada's private meeting with Ben, changed on both sides after the first sync, and a row of everything about it."""
    caplog.set_level(logging.DEBUG)
    world.crm.team("Sales", "ada", "ben")
    link = world.connect("ada")
    meeting = world.crm.meeting(subject="Salary review", private=True, location="Behind the sawmill", users=("ben",),
                                notes="Not a word to anybody")
    world.sync("ada")
    (event,) = world.mailbox("ada").events()
    assert event["subject"] == "Salary review" and event["sensitivity"] == "private"
    world.mailbox("ada").edit_event(event["id"], subject="Pay talk")
    Activity.objects.filter(pk=meeting.pk).update(subject="Salary review again", updated_at=timezone.now())
    run = schedule.request_preview(link, world.user("admin"))
    preview.run_preview(run.pk)
    world.sync("ada")

    common = {"link": link, "kind": "events", "adapter": "meetings", "object_id": str(meeting.pk)}
    now = timezone.now()
    SyncProblem.objects.create(**common, code="x", key="p", reason="It cannot be synced.", first_at=now, last_at=now)
    HeldDecision.objects.create(link=link, kind="events", reason="deletion_guard", key="g", at=now,
                                summary={"side": "microsoft", "deletions": 40, "records": 50})
    DeletedRecord.objects.create(**common, at=now, contents=encrypt({"label": "Salary review", "values": {}}))
    return {"link": link.pk, "run": run.pk, "meeting": meeting}


def addresses(story, own):
    """Every page and endpoint that can name a record; `own`: as the user of the link, not as an administrator."""
    args = [] if own else [story["link"]]
    found = [reverse(f"ms365:{name}", args=args) for name in (
        "profile", "preview", "runs", "problems", "conflicts", "deleted", "held")]
    found += [reverse("ms365:run", args=[run]) for run in SyncRun.objects.values_list("pk", flat=True)]
    found += [reverse(f"ms365:{name}", args=[story["run"]]) for name in ("api-runs-detail", "api-runs-operations")]
    found += [reverse(f"ms365:{name}") + f"?link={story['link']}" for name in (
        "api-problems-list", "api-conflicts-list", "api-held-list", "api-deleted-list", "api-runs-list")]
    record = f"record=meetings:{story['meeting'].pk}&link={story['link']}"
    return [*found, f"{reverse('ms365:why')}?{record}", f"{reverse('ms365:api-why')}?{record}"]


def admin_pages():
    """The lists of all rows of the app in Django's admin, and the page of each row."""
    for model in admin.site._registry:
        if model._meta.app_label == "opencrm_ms365":
            base = f"/admin/opencrm_ms365/{model._meta.model_name}/"
            yield base
            yield from (f"{base}{key}/change/" for key in model._default_manager.values_list("pk", flat=True)[:5])


def leaks(text):
    return [secret for secret in SECRETS if secret in text]


@rule("PRIV-02", "PRIV-03", "ORG-11")
def test_PRIV_02_an_administrator_learns_nothing_of_it_anywhere(world, story, caplog):
    world.organisation(private_display="busy")
    grace = Browser(world, "admin")
    for address in addresses(story, own=False):
        answer = grace.client.get(address)
        assert answer.status_code == 200, address
        assert leaks(answer.content.decode()) == [], address
    why = grace.client.get(f"{reverse('ms365:api-why')}?record=meetings:{story['meeting'].pk}&link={story['link']}")
    assert why.json()["verdict"] == "unknown"
    pages = list(admin_pages())
    assert len(pages) > 10
    for address in pages:
        answer = grace.client.get(address, follow=True)
        assert answer.status_code == 200 and leaks(answer.content.decode()) == [], address
    for text in (caplog.text, json.dumps(list(SyncRun.objects.values("counts", "message")), default=str)):
        assert leaks(text) == []


@rule("PRIV-02")
def test_PRIV_02_those_who_take_part_are_told(world, story):
    for who in ("ada", "ben"):
        page = Browser(world, who).client.get(story["meeting"].get_absolute_url()).content.decode()
        assert "Salary review again" in page
    texts = [Browser(world, "ada").client.get(address).content.decode() for address in addresses(story, own=True)]
    assert any("Private meeting" in text for text in texts) and any("Salary review again" in text for text in texts)
