"""An app that puts a stand-in for the cycle into every process of a test: it notes its begin and end in a file."""

import json
import os
import time

from django.apps import AppConfig as DjangoAppConfig


class AppConfig(DjangoAppConfig):
    name = "tests.schedule.cluster_app"
    label = "cluster_app"

    def ready(self):
        from opencrm_ms365.sync import attempt

        attempt._run_link = run_link


def run_link(link_id, *, lease, run=None, **options):
    """A cycle takes as many seconds as the link's account says."""
    from opencrm_ms365.models import UserLink
    from tests.schedule.builders import FakeOutcome

    note("begin", link_id)
    end = time.monotonic() + float(UserLink.objects.get(pk=link_id).account or 0)
    while time.monotonic() < end:
        time.sleep(0.02)
        lease.ensure()
    note("end", link_id)
    return FakeOutcome(finished=True, run=run)


def note(what, link_id):
    line = json.dumps([what, link_id, os.getpid(), time.monotonic()]) + "\n"
    file = os.open(os.environ["CLUSTER_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
