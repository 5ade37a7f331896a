"""`manage.py ms365_status`: how the sync is doing, for people and for monitoring."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from ...sync.overview import overview
from .ms365_sync import NO_DATABASE


class Command(BaseCommand):
    help = ("Shows how the sync is doing: the background worker, the links, what is due, problems, the last runs. "
            "Exits with 0 when all is well, 1 when something needs attention.")
    requires_system_checks = []         # what is wrong with the settings is part of the answer

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = overview()
        except DatabaseError as error:
            raise CommandError(f"{NO_DATABASE} ({type(error).__name__})") from error
        self.stdout.write(json.dumps(found, ensure_ascii=False) if options["json"] else in_words(found))
        if found["attention"]:
            raise SystemExit(1)


def in_words(found: dict[str, Any]) -> str:
    """The overview as lines of text."""
    lines = [found["worker"]["sentence"]]
    for item in found["organisations"]:
        name = f"Organisation {item['tenant']}" if item["tenant"] else "The organisation"
        state = "paused" if item["paused"] else "switched on" if item["enabled"] else "switched off"
        lines.append(f"{name}: {state}")
    links = ", ".join(f"{number} {status}" for status, number in found["links"].items()) or "none"
    lines += [
        f"Links: {links}",
        f"Due now: {found['due']['now']} (the longest for {found['due']['longest_s']} s), being worked on: "
        f"{found['due']['under_way']}, waiting after a failure: {found['due']['failing']}",
        f"Problems: {found['problems']['records']} records, {found['problems']['held']} decisions to take",
        "Schedules: " + (", ".join(f"{item['name']} (next {item['next_run'] or 'never'})"
                                   for item in found["schedules"]) or "none"),
        "Last runs:" if found["runs"] else "Last runs: none",
    ]
    lines += [f"  {item['at']}  {item['user']}: {item['trigger']}, {item['state']}"
              + (f" - {item['message']}" if item["message"] else "") for item in found["runs"]]
    if found["attention"]:
        lines += ["", "Needs attention:", *(f"- {text}" for text in found["attention"])]
    return "\n".join(lines)
