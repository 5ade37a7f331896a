"""Leases and the supervised worker with real processes, on each database and broker."""

import os
import signal
import time
from itertools import pairwise

import pytest

from tests.conftest import need
from tests.schedule.clusters import Installation, Remote, postgres_database, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(150)]
SQLITE, POSTGRES, REDIS = "sqlite", "postgres", "redis"


@pytest.fixture(scope="module")
def installation(request, tmp_path_factory):
    """On SQLite, on PostgreSQL, or on SQLite with Redis as the broker."""
    folder = tmp_path_factory.mktemp(request.param)
    file = f"sqlite:///{folder / 'database.sqlite3'}"
    if request.param == POSTGRES:
        with postgres_database(need("postgres")) as url:
            made = Installation(folder, url)
            yield made
            made.end()
    else:
        made = Installation(folder, file, need("redis") if request.param == REDIS else "")
        yield made
        made.end()


@pytest.fixture(autouse=True)
def cleared(installation):
    installation.clear()


def on(*kinds):
    return pytest.mark.parametrize("installation", kinds, indirect=True)


def is_gone(pid):
    return not os.path.exists(f"/proc/{pid}/environ") or not open(f"/proc/{pid}/environ", "rb").read()


def parent_of(pid):
    return int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])


# Leases


@on(SQLITE, POSTGRES)
@pytest.mark.rule("SYNC-01")
def test_no_link_is_ever_worked_on_twice_at_once(installation):
    links = installation.remote.call("make_links", number=4, seconds=0.03)
    workers = [Remote(installation.env) for _ in range(4)]
    try:
        for _round in range(4):
            installation.remote.call("mark_due")
            for worker in workers:
                worker.send("work", slice_s=5)
            assert sum(worker.answer() for worker in workers) >= len(links)
    finally:
        for worker in workers:
            worker.end()
    begins, ends = installation.notes("begin"), installation.notes("end")
    assert len(begins) == len(ends) >= 4 * len(links)
    assert len({pid for _link, pid, _at in begins}) > 1, "one process alone proves nothing"
    for link in links:
        turns = sorted((begin[2], end[2]) for begin, end in zip(
            (row for row in begins if row[0] == link), (row for row in ends if row[0] == link), strict=True))
        assert all(before[1] <= after[0] for before, after in pairwise(turns)), f"link {link} overlaps itself"


@on(SQLITE, POSTGRES)
def test_the_link_of_a_killed_process_is_taken_over_at_once(installation):
    link, = installation.remote.call("make_links", number=1, seconds=60)
    holder = Remote(installation.env)
    holder.send("work", slice_s=5)
    wait_for(lambda: installation.notes("begin"), "the cycle began")
    assert installation.remote.call("work", slice_s=1) == 0, "it is held"
    holder.end()
    other = Remote(installation.env)
    try:
        other.send("work", slice_s=1)
        wait_for(lambda: len(installation.notes("begin")) == 2, "the link was taken over", most_s=15)
        assert installation.notes("begin")[1][0] == link
    finally:
        other.end()


# The supervised worker


@on(SQLITE, POSTGRES, REDIS)
@pytest.mark.rule("SYNC-01", "SYNC-04")
def test_the_worker_works_heals_and_ends(installation):
    first = installation.remote.call("make_links", number=3)
    with installation.worker() as worker:
        installation.wait_until_finished(first)             # what was due before it started

        idle = installation.wait_for_workers()              # an idle worker is killed: plain qcluster hangs for good
        os.kill(max(idle), signal.SIGKILL)
        others = installation.wait_for_workers(but_not=idle)
        second = installation.remote.call("make_links", number=2, due=False)
        installation.remote.call("wait_no_more", links=second)
        installation.wait_until_finished(second)

        busy_links = installation.remote.call("make_links", number=1, seconds=2)      # a busy one is killed
        installation.remote.call("ring")
        busy = wait_for(lambda: [pid for link, pid, _at in installation.notes() if link in busy_links], "it is busy")[0]
        os.kill(busy, signal.SIGKILL)
        installation.wait_until_finished(busy_links)
        assert [link for link, _pid, _at in installation.notes()].count(busy_links[0]) == 2
        assert [link for link, _pid, _at in installation.notes("end")].count(busy_links[0]) == 1
        assert others.isdisjoint(installation.wait_for_workers(but_not={busy})), "the whole cluster is new"
        assert installation.output().count("It is started again") == 2

        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
        wait_for(lambda: not installation.processes(), "no process is left", most_s=5)


@on(SQLITE)
def test_a_cluster_that_hangs_is_started_again(installation):
    with installation.worker("--silence", "4"):
        before = set(installation.processes())
        workers = installation.wait_for_workers()
        before = set(installation.processes())
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)            # all processes are there, and nothing is done
        wait_for(lambda: "no worker has given a sign of life for 4 seconds" in installation.output(), "noticed")
        assert installation.wait_for_workers(but_not=before)
        assert all(is_gone(pid) for pid in workers)


@on(SQLITE)
def test_a_sentinel_that_stands_still_is_noticed_though_the_workers_go_on(installation):
    with installation.worker("--silence", "4"):
        workers = installation.wait_for_workers()
        before = set(installation.processes())
        sentinel = parent_of(max(workers))
        os.kill(sentinel, signal.SIGSTOP)
        wait_for(lambda: "its sentinel has stood still for 4 seconds" in installation.output(), "noticed")
        assert installation.wait_for_workers(but_not=before)
        assert is_gone(sentinel)


@on(SQLITE)
def test_a_killed_supervisor_leaves_nobody_behind(installation):
    links = installation.remote.call("make_links", number=1, seconds=30)
    with installation.worker() as worker:
        wait_for(lambda: installation.notes(), "it is busy")
        assert links and len(installation.processes()) >= 6, "the supervisor, the cluster and all its parts"
        worker.send_signal(signal.SIGKILL)
        wait_for(lambda: not installation.processes(), "all are gone", most_s=5)


@on(SQLITE)
def test_a_killed_cluster_is_started_again(installation):
    with installation.worker() as worker:
        workers = installation.wait_for_workers()
        cluster = os.getsid(max(workers))
        assert cluster not in (worker.pid, os.getsid(0))
        os.kill(cluster, signal.SIGKILL)
        assert installation.wait_for_workers(but_not=workers)
        wait_for(lambda: all(is_gone(pid) for pid in (*workers, cluster)), "the old ones are gone", most_s=5)


@on(SQLITE)
@pytest.mark.parametrize(("number", "seconds"), [(signal.SIGINT, 1.5), (signal.SIGTERM, 60)])
def test_ending_waits_for_running_tasks_but_not_for_ever(installation, number, seconds):
    links = installation.remote.call("make_links", number=1, seconds=seconds)
    with installation.worker("--grace", "4") as worker:
        wait_for(lambda: installation.notes(), "it is busy")
        started = time.monotonic()
        worker.send_signal(number)
        assert worker.wait(20) == 0
        assert time.monotonic() - started < 12
        wait_for(lambda: not installation.processes(), "no process is left", most_s=5)
        finished = [link for link, _pid, _at in installation.notes("end")]
        assert finished == (links if seconds < 4 else [])


