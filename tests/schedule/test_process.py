"""Which process is which, and which is dead for certain."""

import os
import subprocess
import sys

from opencrm_ms365.sync import process


def finished_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    name = process.SEPARATOR.join([process.machine(), str(child.pid), process._started(child.pid)])
    return child, name


def test_this_process_is_not_dead():
    assert process.pid_of(process.identity()) == os.getpid()
    assert not process.is_dead(process.identity())
    assert not process.is_dead(process.identity() + "/token")


def test_a_name_fits_the_column_with_a_token_behind_it():
    assert len(process.identity()) + 13 <= 200


def test_an_ended_process_is_dead_reaped_or_not():
    child, name = finished_process()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert process.is_dead(name), "a zombie works no more"
    child.wait()
    assert process.is_dead(name)


def test_a_number_that_was_given_to_another_process_is_not_the_old_one():
    parts = process.identity().split("/")
    assert process.is_dead("/".join([*parts[:4], str(int(parts[4]) - 1)]))


def test_processes_that_cannot_be_seen_are_never_called_dead():
    child, name = finished_process()
    child.wait()
    host, boot, space, pid, started = name.split("/")
    assert not process.is_dead("/".join(["otherhost", boot, space, pid, started]))
    assert not process.is_dead("/".join([host, "otherboot", space, pid, started]))
    assert not process.is_dead("/".join([host, boot, "4026599999", pid, started]))
    for nonsense in ("", "-", "a/b", f"{host}/{boot}/{space}/-1/{started}", f"{host}/{boot}/{space}/x/y"):
        assert not process.is_dead(nonsense)


def test_a_fork_has_a_name_of_its_own():
    own = process.identity()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, process.identity().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reading, 500).decode() not in ("", own)
