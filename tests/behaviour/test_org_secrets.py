"""Tokens and what is in records stay where they belong: not in Django-Q, nor logs, admin pages, reports of errors."""

import json
import logging

import pytest
from django.contrib import admin
from django.urls import reverse

from opencrm_ms365 import adapters
from opencrm_ms365.access import links
from opencrm_ms365.models import RecordMapping, SyncProblem, SyncRun, UserLink, decrypt
from opencrm_ms365.sync import doorbell, schedule
from opencrm_ms365.views.failing import PageFailed
from tests.browsing import Browser, key_on
from tests.rules import rule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("PRIV-03")]
NAME, NOTES, EMAIL = "Zebulon", "Owes us a favour", "zebulon@secret.example"


def work_off_the_queue():
    """Run what is queued with Django-Q's own worker and monitor, which store results and errors; in this process."""
    from multiprocessing import Value
    from queue import Queue

    from django_q.brokers import get_broker
    from django_q.models import OrmQ
    from django_q.monitor import monitor
    from django_q.worker import worker

    tasks, results = Queue(), Queue()
    for row in OrmQ.objects.order_by("pk"):
        tasks.put(row.task)
    OrmQ.objects.all().delete()
    tasks.put("STOP")
    worker(tasks, results, Value("f", -1))
    results.put("STOP")
    monitor(results, get_broker())


def ring():
    doorbell.ring(1)
    work_off_the_queue()


queued: list[str] = []      # tasks as they waited in the queue


@pytest.fixture
def secrets(world, monkeypatch, caplog):
    """A whole story in which everything happens, some of it wrong; what must be seen nowhere afterwards."""
    from django_q.models import OrmQ

    caplog.set_level(logging.DEBUG)
    queued.clear()
    world.organisation()
    ada = Browser(world, "ada")
    query = ada.agree(ada.send_to_microsoft())
    key = key_on(ada.come_back(query))
    assert ada.connect(key).status_code == 302
    assert ada.patch("api-link", data={}).status_code == 200
    world.crm.contact(first_name=NAME, last_name="One", notes=NOTES, email=EMAIL)
    box = world.mailbox("ada")
    box.add_contact(givenName=NAME, surname="Two", personalNotes=NOTES, emailAddresses=[{"address": f"2{EMAIL}"}])
    adapter = type(adapters.site.get("crm.contact"))
    create, refused = adapter.create, []

    def create_but_one(self, data, ctx, **more):
        if not refused:
            refused.append(data)
            raise ValueError(f"{data.given_name} {data.notes} {data.emails}")
        return create(self, data, ctx, **more)

    monkeypatch.setattr(adapter, "create", create_but_one)
    ada.post("api-preview")
    ada.post("api-sync")
    queued.extend(repr(row.task) for row in OrmQ.objects.all())
    ring()
    assert refused and RecordMapping.objects.count() == 1 and SyncProblem.objects.count() == 1

    def breaks(*_args, **_options):
        raise ValueError(f"{NAME} {NOTES} {EMAIL}")

    with monkeypatch.context() as patch:
        patch.setattr("opencrm_ms365.sync.cycle.pull", breaks)
        UserLink.objects.update(due_at="2026-01-01T00:00:00Z")
        ring()
    with monkeypatch.context() as patch:
        patch.setattr(schedule, "draw", breaks)
        ring()
    assert SyncRun.objects.filter(state="failed").count() == 1

    cache = json.loads(decrypt(world.link("ada").token_cache)["cache"])
    tokens = [entry["secret"] for part in ("AccessToken", "RefreshToken", "IdToken") for entry in cache[part].values()]
    assert len(tokens) == 3
    return [*tokens, key, query["code"], query["state"], NOTES, EMAIL]


def leaks(secrets, text):
    return [secret for secret in secrets if secret in text]


def test_PRIV_03_django_q_holds_ids_and_numbers_only(world, secrets):
    from django_q.models import Schedule, Task

    tasks = list(Task.objects.all())
    assert len(queued) > 1
    assert [task for task in tasks if not task.success], "a task that failed has told how"
    texts = [f"{task.name} {task.args!r} {task.kwargs!r} {task.result!r}" for task in tasks]
    texts += queued
    texts += [f"{row.name} {row.args} {row.kwargs}" for row in Schedule.objects.all()]
    assert not leaks([*secrets, NAME], "\n".join(texts))
    for task in tasks:
        assert all(isinstance(value, int) for value in task.args or ()), task.args
        assert isinstance(task.result, int | bool | dict | str | None), task.result


def test_PRIV_03_logs_hold_no_contents(secrets, caplog):
    lines = [record.getMessage() + str(record.exc_text or "") for record in caplog.get_records("setup")
             if not record.name.startswith("werkzeug")]
    lines = [line for line in lines if "/authorize?" not in line]     # that is the person's browser, played by us
    assert any("failed" in line for line in lines)
    assert not leaks([*secrets, NAME], "\n".join(lines))


def test_PRIV_03_no_page_of_djangos_admin_shows_them(world, secrets):
    """A superuser sees who has which record, as in the CRM itself; notes and tokens are on no page of ours."""
    client = Browser(world, "admin").client
    seen = 0
    for model in admin.site._registry:
        if model._meta.app_label not in ("opencrm_ms365", "django_q"):
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{name}_changelist")]
        pages += [reverse(f"{name}_change", args=[row.pk]) for row in model._default_manager.all()]
        for page in pages:
            shown = client.get(page, follow=True)
            assert shown.status_code == 200, page
            assert not leaks(secrets, shown.content.decode()), page
            seen += 1
    assert seen > 15


@rule("PRIV-03")
@pytest.mark.parametrize("is_debug", [False, True])
def test_PRIV_03_a_page_that_fails_reports_no_key_code_or_contents(world, monkeypatch, settings, caplog, is_debug):
    """What is mailed to the project's administrators, and logged: Django's own reports of an error."""
    from django.core import mail

    settings.ADMINS = [("Ops", "ops@brightwell.example")]
    settings.DEBUG = is_debug
    ada = Browser(world, "ada", raise_request_exception=False)

    def breaks(*_args, **_options):
        raise ValueError(f"duplicate key ({EMAIL})")

    monkeypatch.setattr("opencrm_ms365.access.signin.complete", breaks)
    monkeypatch.setattr(links, "connect", breaks)
    monkeypatch.setattr("opencrm_ms365.api.links.describe", breaks, raising=False)
    monkeypatch.setattr("opencrm_ms365.access.rights.own_link", breaks)
    handler = logging.getLogger("django.request")
    from django.utils.log import AdminEmailHandler

    reports = AdminEmailHandler(include_html=True)
    handler.addHandler(reports)
    try:
        answers = [ada.come_back({"code": "leaky-code", "state": "leaky-state"}), ada.connect("leaky-key"),
                   ada.get("api-link", query="?leaky=yes")]
    finally:
        handler.removeHandler(reports)
    assert {answer.status_code for answer in answers} == {500}
    if is_debug:        # a developer's own machine: the error as it is
        assert b"duplicate key" in answers[0].content
        return
    texts = [part for message in mail.outbox for part in (message.subject, message.body, *(
        content for content, _kind in message.alternatives))]
    texts += [f"{record.getMessage()} {record.exc_info and record.exc_info[1]!r}" for record in caplog.records]
    texts += [answer.content.decode() for answer in answers]
    assert len(mail.outbox) >= 3 and any("ValueError at" in text for text in texts)
    assert not leaks(["leaky", EMAIL], "\n".join(texts))


def test_PRIV_03_what_is_expected_keeps_its_own_answer(world, settings):
    assert Browser(world, "ada").get("run", 99).status_code == 404
    assert Browser(world, "ada").get("people").status_code == 403
    assert issubclass(PageFailed, Exception)
