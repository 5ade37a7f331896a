"""`manage.py ms365_worker`: Django-Q's cluster under supervision."""

from __future__ import annotations

import contextlib
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...conf import settings


class Command(BaseCommand):
    help = (
        "Does the background work: runs Django-Q's cluster, watches its heartbeat, and starts it again when one of its "
        "processes dies or it hangs. Ends on SIGTERM, SIGINT or SIGHUP with code 0 and leaves no process behind.")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--beat", type=float, default=20.0, metavar="SECONDS",
                            help="have an idle worker show that it lives so often (default: %(default)s)")
        parser.add_argument("--silence", type=float, default=None, metavar="SECONDS",
                            help="start everything again when no worker has shown that it lives for so long "
                                 "(default: the setting HEARTBEAT_S)")
        parser.add_argument("--grace", type=float, default=30.0, metavar="SECONDS",
                            help="when asked to end, let running tasks go on for so long (default: %(default)s)")
        parser.add_argument("--back-off", type=float, default=1.0, metavar="SECONDS",
                            help="wait so long before the first new start; the wait doubles each time "
                                 "(default: %(default)s)")
        parser.add_argument("--back-off-most", type=float, default=60.0, metavar="SECONDS",
                            help="the longest wait before a new start (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        from django_q.conf import Conf

        from ..cluster import check_django_q
        from ..supervisor import Patience, Supervisor

        for name in ("beat", "grace", "back_off", "back_off_most"):
            if options[name] < 0:
                raise CommandError(f"--{name.replace('_', '-')} cannot be negative.", returncode=2)
        if Conf.SYNC:
            raise CommandError("Q_CLUSTER['sync'] is on: tasks run where they are queued, and there is nothing to do "
                               "for a worker.", returncode=2)
        if problem := check_django_q():
            raise CommandError(problem, returncode=2)
        silence = options["silence"] or max(float(settings.HEARTBEAT_S), 3 * options["beat"])
        if not Conf.TIMEOUT:
            self.stderr.write("Q_CLUSTER has no `timeout`, so a hanging worker cannot be told from a busy one: only "
                              "workers that die are noticed.")
        patience = Patience(
            beat_s=options["beat"], silence_s=silence, workers_may_be_silent=not Conf.TIMEOUT,
            grace_s=options["grace"], back_off_s=options["back_off"],
            back_off_most_s=max(options["back_off"], options["back_off_most"]))
        code = Supervisor(patience, self._say).run()
        if code:
            raise SystemExit(code)

    def _say(self, text: str) -> None:
        with contextlib.suppress(OSError):      # the terminal may be gone
            self.stdout.write(text)
            self.stdout.flush()
