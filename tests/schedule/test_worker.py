"""`ms365_worker` without processes: what it relies on, and what it refuses."""

import pytest
from django.core.management import CommandError, call_command
from django_q.cluster import Cluster, Sentinel
from django_q.signing import SignedPackage

from opencrm_ms365.management import cluster
from opencrm_ms365.management.supervisor import Supervisor


@pytest.fixture
def started(monkeypatch):
    """The patience with which the supervisor was started; it does not really run."""
    seen = []

    def run(self):
        seen.append(self.patience)
        return 0

    monkeypatch.setattr(Supervisor, "run", run)
    return seen


def test_the_installed_django_q_is_as_expected():
    assert cluster.check_django_q() == ""
    assert callable(Cluster.start) and issubclass(cluster.WatchfulSentinel, Sentinel)


def test_a_django_q_that_has_changed_is_refused(monkeypatch, started):
    monkeypatch.setattr(Sentinel, "reincarnate", lambda self, process, why: None)
    with pytest.raises(CommandError, match=r"Sentinel\.reincarnate is not as expected") as caught:
        call_command("ms365_worker", skip_checks=True)
    assert caught.value.returncode == 2 and started == []


def test_the_silence_comes_from_the_settings(started, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "HEARTBEAT_S": 240}
    call_command("ms365_worker", skip_checks=True)
    call_command("ms365_worker", "--silence", "9", skip_checks=True)
    assert [patience.silence_s for patience in started] == [240, 9]


def test_without_a_time_out_silent_workers_prove_nothing(started, monkeypatch, capsys):
    monkeypatch.setattr("django_q.conf.Conf.TIMEOUT", None)
    call_command("ms365_worker", skip_checks=True)
    assert started[0].workers_may_be_silent
    assert "no `timeout`" in capsys.readouterr().err


def test_nonsense_is_a_usage_error(started):
    with pytest.raises(CommandError) as caught:
        call_command("ms365_worker", "--back-off", "-1", skip_checks=True)
    assert caught.value.returncode == 2


class Broker:
    list_key = "queue"

    def __init__(self, *batches):
        self.batches = list(batches)

    def dequeue(self):
        return self.batches.pop(0)


def test_beats_are_slipped_in_among_the_tasks():
    beating = cluster.Beating(Broker([(1, "a"), (2, "b")], None, None), beat_s=60)
    first, second, (number, beat) = beating.dequeue()
    assert (first, second) == ((1, "a"), (2, "b"))
    assert number is None, "there is nothing to acknowledge"
    task = SignedPackage.loads(beat)
    assert task["func"] == "opencrm_ms365.tasks.beat" and task["save"] is False
    assert beating.dequeue() is None, "not before its time"
    assert beating.list_key == "queue"
