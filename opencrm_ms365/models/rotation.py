"""Everything that is encrypted at rest: what has to be read and written again when keys change.

That is every binary column of the app but those named here, so that a new one cannot be forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.apps import apps
from django.db import models

from .encryption import DecryptionFailed, rotate
from .link import UserLink
from .organisation import SyncSettings

#: Random keys of digests: what they protect is not kept.
NOT_ENCRYPTED = {(UserLink, "digest_key"), (SyncSettings, "digest_key")}
CHUNK = 200


@dataclass
class Rotated:
    """How many values were encrypted anew, by `Model.column`, and how many no configured key can read."""

    done: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)


def encrypted_columns() -> list[tuple[type[models.Model], str]]:
    """(model, column) of all that `encrypt` has made."""
    return [(model, column.name) for model in apps.get_app_config("opencrm_ms365").get_models()
            for column in model._meta.concrete_fields
            if isinstance(column, models.BinaryField) and (model, column.name) not in NOT_ENCRYPTED]


def rotate_all() -> Rotated:
    """Encrypt everything with the first of the keys. Safe while the sync runs, and to run again.

    A value that somebody writes meanwhile is left alone: it was written with the first key.
    """
    rotated = Rotated()
    for model, column in encrypted_columns():
        name = f"{model.__name__}.{column}"
        rotated.done[name] = rotated.unreadable[name] = 0
        last = 0
        while rows := list(
            model._default_manager.filter(pk__gt=last, **{f"{column}__isnull": False})
            .order_by("pk").values_list("pk", column)[:CHUNK]
        ):
            for pk, value in rows:
                if not bytes(value):
                    continue
                try:
                    fresh = rotate(value)
                except DecryptionFailed:
                    rotated.unreadable[name] += 1
                    continue
                rotated.done[name] += model._default_manager.filter(pk=pk, **{column: bytes(value)}).update(
                    **{column: fresh})
            last = rows[-1][0]
    return rotated
