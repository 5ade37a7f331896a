"""The Microsoft Sync button and the state in words, on any page of the CRM (USER-01)."""

import datetime

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone

from opencrm_ms365.access.status import status_of
from opencrm_ms365.models import Heartbeat, SyncRun, UserLink
from tests.browsing import text_of

pytestmark = pytest.mark.django_db(transaction=True)


def draw(viewer, user, tag="ms365_sync_button"):
    request = RequestFactory().get("/")
    request.user, request.session = viewer, {}
    return Template("{% load ms365 %}{% " + tag + " person %}").render(
        Context({"request": request, "person": user})).strip()


def test_USER_01_the_button_leads_to_ones_own_page_and_tells_the_state(world):
    ada = world.user("ada")
    html = draw(ada, ada)
    assert 'href="/microsoft/"' in html and "Microsoft Sync" in html and "Not connected" in html
    world.connect("ada", save=False)
    assert "One step left" in draw(ada, ada)


def test_USER_01_others_see_a_button_only_as_administrators(world):
    link = world.connect("ada")
    ada = world.user("ada")
    assert draw(world.user("ben"), ada) == "" and draw(world.user("ben"), ada, "ms365_status_sentence") == ""
    assert f'href="/microsoft/people/{link.pk}/"' in draw(world.user("admin"), ada)
    assert draw(world.user("admin"), world.user("ben")) == ""


def test_USER_01_nobody_signed_in_is_no_error(world):
    from django.contrib.auth.models import AnonymousUser

    assert draw(AnonymousUser(), world.user("ada")) == ""
    assert draw(AnonymousUser(), AnonymousUser()) == ""


def test_USER_01_the_button_costs_few_queries(world, django_assert_max_num_queries):
    world.connect("ada")
    ada = world.user("ada")
    with django_assert_max_num_queries(3):
        draw(ada, ada)


def test_USER_08_the_state_in_words_follows_what_happens(world):
    link = world.connect("ada")
    organisation = world.organisation()
    now = timezone.now()

    def state(**changes):
        UserLink.objects.filter(pk=link.pk).update(**changes)
        link.refresh_from_db()
        return status_of(link, organisation, now)

    assert state().state == "no_worker"
    Heartbeat.objects.create(name="worker", at=now)
    assert state().state == "starting"
    SyncRun.objects.create(link=link, state="done", queued_at=now, finished_at=now)
    assert state().state == "up_to_date"
    SyncRun.objects.create(link=link, state="failed", queued_at=now, finished_at=now + datetime.timedelta(seconds=1),
                           message="Microsoft could not be reached.")
    assert state().sentence == "Microsoft could not be reached."
    later = now + datetime.timedelta(minutes=5)
    assert state(not_before=later).state == "slowed"
    assert state(lease_until=later).state == "running"
    assert state(sync_contacts=False, sync_calendar=False, sync_tasks=False).state == "nothing_chosen"
    assert state(paused=True).state == "paused"
    assert state(enabled=False).state == "switched_off"
    organisation.paused = True
    assert state().state == "organisation_paused"
    organisation.enabled = False
    assert state().state == "organisation_off"
    assert state(status="no_mailbox").state == "no_mailbox"
    assert state(status="sign_in_again").action == "sign-in"
    assert state(status="disconnected").tone == "off"


def test_USER_06_without_a_mailbox_sync_now_tries_again(world):
    from tests.browsing import Browser

    link = world.connect("ada")
    UserLink.objects.filter(pk=link.pk).update(status="no_mailbox")
    ada = Browser(world, "ada")
    assert "No mailbox" in text_of(ada.get("profile"))
    ada.post("sync-now")
    assert world.link("ada").status == "connected"
