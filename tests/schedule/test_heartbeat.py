"""Whether background workers live, and how people are told."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opencrm_ms365.models import Heartbeat
from opencrm_ms365.sync import heartbeat

pytestmark = pytest.mark.django_db


def seen(**ago):
    Heartbeat.objects.create(name="w", at=timezone.now() - timedelta(**ago))


def test_stamping_twice_keeps_one_row():
    heartbeat.beat()
    heartbeat.stamp("syncing")
    assert Heartbeat.objects.get().doing == "syncing"


def test_never_seen():
    assert not heartbeat.alive() and heartbeat.last_seen() is None
    assert "has never run" in heartbeat.sentence() and "ms365_worker" in heartbeat.sentence()


def test_seen_just_now():
    seen(seconds=20)
    assert heartbeat.alive()
    assert "running" in heartbeat.sentence() and "20 seconds ago" in heartbeat.sentence()


@pytest.mark.parametrize(("ago", "words"), [
    ({"minutes": 5}, "5 minutes ago"), ({"hours": 3}, "3 hours ago"), ({"days": 3}, "3 days ago")])
def test_not_seen_for_long(ago, words):
    seen(**ago)
    assert not heartbeat.alive()
    assert words in heartbeat.sentence() and "Start it with: manage.py ms365_worker" in heartbeat.sentence()
