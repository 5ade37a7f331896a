"""The doors to the cycle with the real cycle behind them, against the local Microsoft 365."""

import io
import json

import pytest
from django.core.management import call_command

from opencrm_ms365 import tasks
from opencrm_ms365.models import RunState, SyncRun, Trigger, UserLink
from opencrm_ms365.sync import schedule

pytestmark = pytest.mark.django_db(transaction=True)


def sync(*arguments):
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("ms365_sync", "--json", *arguments, stdout=out, stderr=err)
    except SystemExit as stop:
        code = stop.code
    return code, json.loads(out.getvalue()), err.getvalue()


@pytest.fixture
def ada(world):
    link = world.connect("ada")
    world.mailbox("ada").add_contact(givenName="Bob", surname="Berger")
    return link


@pytest.mark.rule("USER-07")
def test_a_dry_run_counts_what_the_sync_then_does(world, ada):
    planned = sync("--dry-run")
    assert not world.crm.contacts().exists() and planned[0] == 0
    done = sync()
    assert done[0] == 0, done[2]
    kinds = [answer["links"][0]["kinds"]["contacts"] for _code, answer, _err in (planned, done)]
    assert kinds[0]["crm"] == kinds[1]["crm"] == {"created": 1, "updated": 0, "deleted": 0}
    assert kinds[1]["pulled"] == 1 and done[1]["requests"] > 0
    assert set(kinds[1]) == {"pulled", "crm", "microsoft", "conflicts", "problems", "invitations"}
    quiet = sync()[1]["links"][0]["kinds"]["contacts"]
    assert quiet["crm"] == quiet["microsoft"] == {"created": 0, "updated": 0, "deleted": 0}


@pytest.mark.rule("USER-06")
def test_a_revoked_sign_in_is_told(world, ada, sandbox):
    sandbox.revoke(world.account("ada"))
    for _time in range(2):
        code, answer, err = sync()
        assert (code, answer["links"][0]["status"]) == (1, "sign_in_again"), err
        assert err


@pytest.mark.rule("SYNC-01", "USER-08")
def test_the_tasks_carry_a_link_through_cycle_request_and_preview(world, ada, rung):
    UserLink.objects.update(due_at=None)
    assert tasks.cycle() == 1
    assert tasks.work() == 1
    assert world.crm.contacts().count() == 1
    run = schedule.request_sync(ada, ada.user)
    preview = schedule.request_preview(ada, ada.user)
    assert tasks.work() == 2
    run.refresh_from_db()
    preview.refresh_from_db()
    assert (run.state, preview.state) == (RunState.DONE, RunState.DONE), (run.message, preview.message)
    ada.refresh_from_db()
    assert (ada.due_at, ada.attempts, ada.lease_owner) == (None, 0, "")
    assert not any(tasks.sweep().values())


def test_a_slice_that_is_too_short_goes_on_with_the_same_run(world, rung, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": 10, "PAGE_SIZE": 10}
    link = world.connect("ada")
    world.mailbox("ada").add_contacts({"givenName": "Bob", "surname": f"Number {number}"} for number in range(60))
    run = schedule.request_sync(link)
    slices = 0
    while run.state != RunState.DONE and slices < 200:
        schedule.work(0.05 * 1.2 ** slices)      # growing: a slow machine must get there as well
        slices += 1
        run.refresh_from_db()
        assert run.state in (RunState.QUEUED, RunState.DONE), run.message
    assert slices > 1 and world.crm.contacts().count() == 60
    assert run.counts["contacts"]["crm"]["created"] == 60
    assert SyncRun.objects.exclude(trigger=Trigger.PREVIEW).count() == 1
