"""`ms365_status`: what people and monitoring are told, and when it is worth waking somebody."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from opencrm_ms365.models import HeldDecision, LinkStatus, RunState, SyncProblem, SyncRun
from opencrm_ms365.sync import doorbell, heartbeat
from tests.schedule import builders

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def all_is_well(db):
    builders.organisation()
    doorbell.ensure_schedules()
    heartbeat.beat()


def status(*arguments):
    out = io.StringIO()
    try:
        call_command("ms365_status", *arguments, stdout=out)
    except SystemExit as stop:
        return stop.code, out.getvalue()
    return 0, out.getvalue()


def problem(link, **values):
    SyncProblem.objects.create(link=link, kind="contacts", code="c", key="k", reason="r", first_at=timezone.now(),
                               last_at=timezone.now(), **values)


def test_all_is_well():
    link = builders.link()
    SyncRun.objects.create(link=link, queued_at=timezone.now(), finished_at=timezone.now(), state=RunState.DONE)
    code, text = status()
    assert code == 0, text
    assert "The background worker is running" in text and "Links: 1 connected" in text
    assert "Microsoft 365: cycle" in text and "Needs attention" not in text


def test_the_json_has_all_parts():
    builders.link(due_s=30)
    code, text = status("--json")
    found = json.loads(text)
    assert code == 0
    assert set(found) == {"worker", "organisations", "links", "due", "problems", "schedules", "runs", "attention"}
    assert found["worker"]["alive"] is True and found["worker"]["workers"] == 1
    assert found["due"]["now"] == 1 and found["due"]["longest_s"] >= 30
    assert [item["minutes"] for item in found["schedules"]] == [60, 10, 1]


def worker_is_dead():
    from opencrm_ms365.models import Heartbeat
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=10))


def schedules_are_gone():
    from django_q.models import Schedule
    Schedule.objects.all().delete()


@pytest.mark.parametrize(("arrange", "words"), [
    (worker_is_dead, "The background worker has stopped"),
    (schedules_are_gone, "Schedules are missing"),
    (lambda: builders.link(due_s=25 * 60), "too few workers"),
    (lambda: builders.link(status=LinkStatus.SIGN_IN_AGAIN), "1 user must sign in with Microsoft again."),
    (lambda: builders.link(status=LinkStatus.NO_MAILBOX), "no mailbox"),
    (lambda: builders.link(due_s=-60, attempts=2), "The last sync of 1 link failed"),
    (lambda: problem(builders.link()), "1 record cannot be synced."),
    (lambda: HeldDecision.objects.create(
        link=builders.link(), kind="contacts", reason="ambiguous", key="k", at=timezone.now()), "1 decision waits"),
    (lambda: SyncRun.objects.create(link=builders.link(), queued_at=timezone.now(), finished_at=timezone.now(),
                                    state=RunState.FAILED, message="Why not."), "The last run failed: Why not."),
])
def test_what_needs_attention_is_exit_code_1(arrange, words):
    arrange()
    code, text = status()
    assert code == 1 and words in text.partition("Needs attention:")[2]
    assert status("--json")[0] == 1


@pytest.mark.parametrize("values", [{"is_warning": True}, {"ignored": True}, {"resolved_at": timezone.now()}])
def test_what_is_settled_needs_none(values):
    problem(builders.link(), **values)
    assert status()[0] == 0


def test_wrong_settings_need_attention(settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "GRAPH_URL": "http://graph.example"}
    code, text = status()
    assert code == 1 and "must be https" in text


def test_nothing_switched_on_needs_no_worker():
    builders.organisation(enabled=False)
    worker_is_dead()
    assert status()[0] == 0


@pytest.mark.parametrize(("command", "code"), [("ms365_status", 1), ("ms365_sync", 2)])
def test_a_database_that_cannot_be_read_is_told_in_plain_words(monkeypatch, command, code):
    def fails(*args, **options):
        raise OperationalError("no such table: ada@brightwell.example")
    monkeypatch.setattr("opencrm_ms365.management.commands.ms365_status.overview", fails)
    monkeypatch.setattr("opencrm_ms365.management.commands.ms365_sync.eligible_links", fails)
    with pytest.raises(CommandError) as caught:
        call_command(command)
    assert caught.value.returncode == code
    assert "manage.py migrate" in str(caught.value) and "brightwell" not in str(caught.value)
