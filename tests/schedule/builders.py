"""Users, links and organisations that are ready to sync, with only what a test says about them being different."""

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from unittest import mock

from django.contrib.auth import get_user_model
from django.utils import timezone

from opencrm_ms365.models import LinkStatus, RunState, SyncRun, SyncSettings, UserLink

NUMBERS = count(1)


def organisation(**values):
    return SyncSettings.objects.update_or_create(
        tenant=values.pop("tenant", ""), defaults={"enabled": True, **values})[0]


def user(**values):
    return get_user_model().objects.create(username=values.pop("username", f"user{next(NUMBERS)}"), **values)


def link(*, due_s=None, **values):
    """A link that may sync. `due_s`: due since so many seconds (negative: later); None: it waits for the next cycle."""
    number = next(NUMBERS)
    now = timezone.now()
    values = {
        "user": values.get("user") or user(), "status": LinkStatus.CONNECTED, "settings_saved_at": now,
        "account": f"account{number}@brightwell.example", "microsoft_tenant_id": "t", "microsoft_user_id": f"u{number}",
        "due_at": None if due_s is None else now - timedelta(seconds=due_s), **values}
    return UserLink.objects.create(**values)


@dataclass
class FakeOutcome:
    finished: bool = True
    run: object = None


class FakeCycle:
    """Stands in for `sync.cycle.run_link`: notes its calls, and does to each link what the test has prepared."""

    def __init__(self):
        self.calls, self.behaviour = [], {}

    def __call__(self, link_id, **options):
        self.calls.append((link_id, options))
        act = self.behaviour.get(link_id)
        outcome = act(link_id, **options) if act else None
        return outcome or FakeOutcome(run=options.get("run"))

    @property
    def links(self):
        return [link_id for link_id, _options in self.calls]

    def raises(self, link, error):
        def act(*args, **options):
            raise error
        self.behaviour[link.pk] = act

    def stays_unfinished(self, link):
        def act(*args, run=None, **options):
            SyncRun.objects.filter(pk=run and run.pk).update(state=RunState.QUEUED)
            return FakeOutcome(finished=False, run=run)
        self.behaviour[link.pk] = act


@contextlib.contextmanager
def fake_cycle():
    cycle = FakeCycle()
    with mock.patch("opencrm_ms365.sync.attempt._run_link", cycle):
        yield cycle
