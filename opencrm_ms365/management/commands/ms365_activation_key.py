"""`manage.py ms365_activation_key`: the vendor's tool for activation keys (ORG-03)."""

from __future__ import annotations

import datetime
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...access.activation import Activation, generate_keys, issue


class Command(BaseCommand):
    help = "For vendors: make a pair of signing keys, and issue activation keys. Needs neither network nor database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="generate-keys | issue")
        actions.add_parser("generate-keys", help="print a new private and public key; the private one stays with you")
        one = actions.add_parser("issue", help="print an activation key for a customer")
        one.add_argument("--private-key", required=True, metavar="FILE",
                         help="a file with the private key, or with both lines that generate-keys printed")
        one.add_argument("--organisation", required=True, metavar="NAME", help="whom the key is for")
        one.add_argument("--expires", required=True, metavar="YYYY-MM-DD", help="the last day on which it is good")
        one.add_argument("--users", required=True, type=int, metavar="N", help="how many users may be connected")
        one.add_argument("--tenant-id", default="", metavar="ID", help="only for this Microsoft tenant (a GUID)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "generate-keys":
            private, public = generate_keys()
            self.stdout.write(f"private: {private}")
            self.stdout.write(f"public: {public}")
            return
        try:
            activation = Activation(options["organisation"], _day(options["expires"]), options["users"],
                                    _guid(options["tenant_id"]))
            key = issue(_private_key(Path(options["private_key"])), activation)
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(key)


def _private_key(path: Path) -> str:
    """The key in a file. Raises `ValueError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The private key cannot be read from {path}: {error}") from error
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() == "private":
            return value.strip()
    return text.strip()


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text} is not a day such as 2030-12-31.") from error


def _guid(text: str) -> str:
    try:
        return str(uuid.UUID(text)) if text else ""
    except ValueError as error:
        raise ValueError(f"{text} is not a Microsoft tenant id (a GUID).") from error
