"""`manage.py demo`: the CRM, its worker and a local Microsoft 365, together."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ....demo.children import ChildEnded, Children
from ....demo.ports import CRM_PORT, MICROSOFT_PORT, free_port, is_free
from ...company import COLLEAGUES


class Command(BaseCommand):
    help = ("Starts the demo: the CRM, its background worker and a local Microsoft 365, all on this machine. Ctrl-C "
            "ends everything.")
    requires_system_checks: list[str] = []      # it brings its own configuration

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true",
                            help="bring everything up on free ports with data of its own, sign a user in, let the "
                                 "worker sync, verify both sides, shut down; the exit code says how it went")
        parser.add_argument("--fresh", action="store_true", help="forget both sides' data and begin anew")
        parser.add_argument("--port", type=int, help=f"the CRM's port (default: {CRM_PORT}, or a free one)")
        parser.add_argument("--microsoft-port", type=int,
                            help=f"the local Microsoft 365's port (default: {MICROSOFT_PORT}, or a free one)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            from ....demo.stage import AlreadyRunning
        except ModuleNotFoundError as error:
            raise CommandError(f"The demo needs {error.name}: pip install 'opencrm-ms365[demo]'.") from error
        for name in ("port", "microsoft_port"):
            if options[name] is not None and not 0 < options[name] <= 65535:
                raise CommandError(f"{options[name]} is not a port: it must be between 1 and 65535.", returncode=2)
        try:
            self.check_demo() if options["check"] else self.run_demo(options)
        except (ChildEnded, AlreadyRunning) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"The demo cannot start: {error}.") from error

    def run_demo(self, options: dict[str, Any]) -> None:
        from ....demo.stage import Stage, last_microsoft_port, locked

        started = time.monotonic()
        with ExitStack() as stack:
            stack.enter_context(locked(settings.DATA_DIR))
            stack.enter_context(ended_by_signals())
            crm_port = self.choose(options["port"], CRM_PORT, "The CRM")
            stage = Stage(settings.DATA_DIR, crm_port, self.choose(
                options["microsoft_port"], last_microsoft_port(settings.DATA_DIR) or MICROSOFT_PORT,
                "The local Microsoft 365", (crm_port,)))
            if options["fresh"]:
                stage.clear()
            children = Children()
            stack.callback(children.stop)
            try:
                stage.bring_up(children, self.say)
                self.welcome(stage, time.monotonic() - started)
                children.watch()
            except KeyboardInterrupt:
                self.say("\nStopping ...")
        self.say("Everything has stopped.")

    def check_demo(self) -> None:
        from ....demo.round_trip import CheckFailed, RoundTrip
        from ....demo.stage import Stage

        with tempfile.TemporaryDirectory(prefix="demo-check-") as folder, ended_by_signals():
            crm_port = free_port()
            stage = Stage(Path(folder), crm_port, free_port((crm_port,)), alone=True)
            children = Children()
            try:
                stage.bring_up(children, self.say)
                RoundTrip(stage, children, self.say).run()
            except CheckFailed as error:
                logs = "\n\n".join(f"{child.title}:\n{child.tail()}" for child in children.all)
                raise CommandError(f"The check failed: {error}\n\nWhat was written last:\n\n{logs}") from error
            except KeyboardInterrupt:
                raise CommandError("The check was stopped.", returncode=130) from None
            finally:
                children.stop()
        self.say("All is well.")

    def choose(self, wanted: int | None, preferred: int, who: str, taken: tuple[int, ...] = ()) -> int:
        """The port to use. One that was asked for must be free; the usual one may be replaced, which is said."""
        if wanted is not None:
            if wanted in taken or not is_free(wanted):
                raise CommandError(f"Port {wanted} is in use. Stop the program that listens there, or choose another.")
            return wanted
        if preferred not in taken and is_free(preferred):
            return preferred
        port = free_port(taken)
        self.say(f"Port {preferred} is in use by another program. {who} takes port {port} instead.")
        return port

    def welcome(self, stage: Any, seconds: float) -> None:
        people = "\n".join(f"      {person.username:<8}{person.password:<14}{person.first_name} {person.last_name}"
                           for person in COLLEAGUES)
        self.say(
            f"\nReady after {seconds:.1f} seconds.\n\n"
            f"  The CRM                  {stage.crm_url}/\n"
            f"  Outlook, the other side  {stage.microsoft_url}/outlook/\n\n"
            f"  Sign in to the CRM as\n{people}\n\n"
            f"  Data and logs            {stage.folder}\n"
            "\nCtrl-C ends everything; started again, it goes on where it was (--fresh begins anew).")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal interrupt the block, once: more of them do not disturb the tidying up."""
    told: list[int] = []

    def end(number: int, frame: Any) -> None:
        if not told:
            told.append(number)
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if number != signal.SIGHUP or handler is not signal.SIG_IGN:        # nohup has it ignored
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
