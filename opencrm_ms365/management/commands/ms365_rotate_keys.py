"""`manage.py ms365_rotate_keys`: encrypt everything that is stored with the first of `ENCRYPTION_KEYS`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ...errors import ConfigurationError
from ...models.rotation import rotate_all


class Command(BaseCommand):
    help = ("Encrypts what is stored (sign-ins, conflicts, previews) with the first of ENCRYPTION_KEYS. Afterwards the "
            "older keys can be taken out of the settings. Safe while the sync runs.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            rotated = rotate_all()
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=2) from error
        for name, number in rotated.done.items():
            self.stdout.write(f"{name}: {number} encrypted with the first key")
        lost = {name: number for name, number in rotated.unreadable.items() if number}
        if lost:
            raise CommandError("None of the keys can read " + ", ".join(
                f"{number} of {name}" for name, number in lost.items()) + ". Put the key they were encrypted with "
                "back into ENCRYPTION_KEYS; without it the users concerned sign in again.", returncode=1)
        self.stdout.write("Done. The older keys are not needed any more.")
