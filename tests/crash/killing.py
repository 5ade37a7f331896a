"""Run a piece of work in a child process and kill it with SIGKILL at its n-th event.

An event is each moment at which a cycle can leave a trace: before a request is sent, after its answer has come, before
and after each commit. The child is a fork of the test process: it works on the same database file and talks to the same
sandbox over HTTP, which lives on in the parent.
"""

import os
import signal
import sys
import traceback

import requests
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

FINISHED, FAILED = 0, 3


def run_killed(work, event):
    """Run `work()` in a child that dies at its event number `event`, counted from 1.

    Returns True if it was killed, False if it ended before (there are fewer events). Raises if the work itself fails.
    """
    connections.close_all()
    child = os.fork()
    if child == 0:
        _in_the_child(work, event)
    try:
        _pid, status = os.waitpid(child, 0)
    except BaseException:       # the test was interrupted: the child must not go on working on its database
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == FINISHED, "the work failed in the child; its traceback is above"
    return False


def _in_the_child(work, event):
    try:
        _count_events(event)
        work()
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        os._exit(FAILED)
    os._exit(FINISHED)


def _count_events(fatal):
    seen = 0

    def happened():
        nonlocal seen
        seen += 1
        if seen == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(function):
        def wrapped(*args, **kwargs):
            happened()
            result = function(*args, **kwargs)
            happened()
            return result

        return wrapped

    requests.Session.send = around(requests.Session.send)
    BaseDatabaseWrapper._commit = around(BaseDatabaseWrapper._commit)
