"""A process with Django and the test's own database, which does what it is told line by line (see `clusters.py`).

`{"call": name, "with": {...}}` on its input; one line of JSON as the answer.
"""

import json
import sys

import django

if __name__ == "__main__":
    django.setup()

from django.core.management import call_command
from django.utils import timezone

from opencrm_ms365.models import Heartbeat, UserLink
from opencrm_ms365.sync import doorbell, process, schedule
from tests.schedule import builders


def set_up():
    call_command("migrate", verbosity=0)
    builders.organisation()


def clear():
    """As it was after `set_up`."""
    from django_q.models import OrmQ, Schedule, Task
    for model in (UserLink, Heartbeat, OrmQ, Task, Schedule):
        model.objects.all().delete()
    doorbell.ensure_schedules()


def make_links(number, seconds=0, due=True):
    return [builders.link(account=str(seconds), due_s=1 if due else None).pk for _ in range(number)]


def wait_no_more(links):
    """Somebody presses *Sync now* for each of these links."""
    for link in UserLink.objects.filter(pk__in=links):
        schedule.request_sync(link)


def mark_due():
    UserLink.objects.update(due_at=timezone.now())


def ring(wanted=1):
    return doorbell.ring(wanted)


def finished(links):
    rows = UserLink.objects.filter(pk__in=links, last_run_at__isnull=False, due_at__isnull=True, lease_owner="")
    return rows.count() == len(links)


def lives():
    """Process numbers of the workers that gave a sign of life, by what they did."""
    return {str(process.pid_of(row.name)): row.doing for row in Heartbeat.objects.all()}


def work(slice_s):
    return schedule.work(slice_s)


def main():
    from django.db import connection
    for line in sys.stdin:
        order = json.loads(line)
        answer = globals()[order["call"]](**order.get("with", {}))
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            connection.close()
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
