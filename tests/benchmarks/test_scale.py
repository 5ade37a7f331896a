"""A large mailbox costs no more memory than a small one: everything goes in chunks.

A fork of the test process does the syncing, so that its memory holds nothing of the sandbox's.
"""

import os
import sys
import traceback
import tracemalloc

import pytest
from django.db import connections

from tests.crash.killing import FAILED, FINISHED

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

#: `BENCH_MAILBOX=10000` is a large mailbox of real life; with fewer the ratio shows just as well.
MANY = int(os.environ.get("BENCH_MAILBOX", "1000"))
FEW = max(200, MANY // 10)


def peak_memory(work):
    """The most that `work()` held at any moment, in bytes, measured in a child process."""
    connections.close_all()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = FAILED
        try:
            tracemalloc.start()
            work()
            os.write(writer, str(tracemalloc.get_traced_memory()[1]).encode())
            code = FINISHED
        except BaseException:
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    _pid, status = os.waitpid(child, 0)
    assert os.WEXITSTATUS(status) == FINISHED, "the work failed in the child; its traceback is above"
    return int(told)


def fill_outlook(world, person, numbers):
    world.mailbox(person).add_contacts(
        {"givenName": "Ann", "surname": f"Number {number}", "emailAddresses": [{"address": f"a{number}@x.example"}],
         "personalNotes": "n" * 500} for number in numbers)


@pytest.mark.timeout(1800)
def test_a_large_mailbox_syncs_in_bounded_memory(world):
    world.connect("ada")
    fill_outlook(world, "ada", range(FEW))
    first = peak_memory(world.sync)
    idle = peak_memory(lambda: world.sync(full=True))
    assert world.crm.contacts().count() == FEW

    fill_outlook(world, "ada", range(FEW, FEW + MANY))
    many = peak_memory(world.sync)
    assert world.crm.contacts().count() == FEW + MANY == len(world.mailbox("ada").contacts())
    all_again = peak_memory(lambda: world.sync(full=True))
    print(f"peak memory, kB: {FEW} new {first // 1024}, {MANY} new {many // 1024}; "
          f"full pass over {FEW} {idle // 1024}, over {FEW + MANY} {all_again // 1024}")
    assert many < 1.5 * first
    assert all_again < 1.5 * idle
