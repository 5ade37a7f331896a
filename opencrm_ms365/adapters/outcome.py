"""What a write to the CRM comes to: what was stored, what was left out, or why the record was skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import RecordError


@dataclass(frozen=True, slots=True)
class Note:
    """Something of a record that was not taken over. `field` is the record's field, `reason` a sentence for people.

    The reason names fields, never their contents (PRIV-03).
    """

    field: str  # the record's field
    reason: str  # a sentence for people


@dataclass(frozen=True, slots=True, repr=False)
class Written:
    """What the CRM holds after a write: the object and its record, both read again from the database."""

    obj: Any  # the CRM's object
    data: Any  # its record
    notes: tuple[Note, ...] = ()  # what was left out, and why


class SkipRecord(RecordError):
    """Raise it in any hook of an adapter: this record is not synced now. `reason` is a full sentence for people."""


class RejectChange(Exception):
    """Raise it in `clean`, `before_save`, a `to_crm` function or a writing method: one field keeps the CRM's value.

    `field` is the record's field (`"emails"`); the rest of the record is saved and the reason is reported.
    """

    def __init__(self, field: str, reason: str):
        super().__init__(reason)
        self.field = field
        self.reason = reason
