"""`manage.py ms365_sandbox`: start the local Microsoft 365 in the foreground."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Start a local Microsoft 365 for trying things out: sign-in, Graph, and Outlook's web pages."
    requires_system_checks: list[str] = []      # it needs neither the database nor the app's settings

    def add_arguments(self, parser: CommandParser) -> None:
        _command().add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        command = _command()
        names = ("port", "host", "demo", "state", "auto_approve")
        try:
            command.run(**{name: options[name] for name in names}, say=self._say)
        except command.CannotStart as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _command() -> Any:
    try:
        from ...sandbox import command
    except ModuleNotFoundError as error:
        if error.name != "werkzeug":
            raise
        raise CommandError("The sandbox needs Werkzeug: pip install 'opencrm-ms365[sandbox]'.") from error
    return command
