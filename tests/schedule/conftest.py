"""What the tests of leases and schedules share."""

import pytest

from tests.schedule import builders


@pytest.fixture
def cycle():
    """The cycle itself is not under test here: a stand-in for it that the test can prepare."""
    with builders.fake_cycle() as fake:
        yield fake


@pytest.fixture
def rung(monkeypatch):
    """The tasks that were queued, by name, instead of queueing them."""
    queued = []
    monkeypatch.setattr("django_q.tasks.async_task", lambda name, *args, **options: queued.append((name, *args)))
    return queued
