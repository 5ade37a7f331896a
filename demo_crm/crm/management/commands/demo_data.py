"""Loads the demo's company into the CRM."""

from __future__ import annotations

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from ...loading import load


class Command(BaseCommand):
    help = ("Loads Brightwell & Sons into the CRM: users, teams, folders, some 400 contacts, and the meetings, calls "
            "and tasks of these months. Safe to run again.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--migrate", action="store_true", help="bring the database up to date first")
        parser.add_argument("--tenant-id", default="", help="the Microsoft tenant the organisation belongs to; given "
                            "one, the sync is switched on for it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["migrate"]:
            call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout)
        loaded = load(tenant_id=options["tenant_id"])
        if loaded.contacts or loaded.activities:
            self.stdout.write(f"Loaded {loaded.contacts} contacts and {loaded.activities} meetings, calls and tasks.")
        else:
            self.stdout.write("The demo's records are there already; nothing was changed.")
