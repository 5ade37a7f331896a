"""What Planner stores: plans, buckets and tasks, each with its own versions, and the details of plans and tasks.

Planner versions each resource by itself (facts 9.4): of two etags of one resource the greater text is the newer one, a
stale one still counts as long as nobody else changed the same thing, and one of another resource is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from .options import Options
from .refusal import Refusal

# The characters of a version, for the digits 0 to 9. Chosen so that the Base64 text of a greater number is greater in
# ordinal order, too: Base64 sets its digits after its letters, ASCII before them.
_DIGITS = "@ABDEFHIJL"
_WIDTH = 16
PLANNER_APP = "09abbdfd-ed23-44ee-a2d9-a627aa1c90f3"        # Planner's own web application
_ETAG = re.compile(r'W/"([A-Za-z0-9+/=]+)"')
_VERSION = re.compile(rf"'1-([A-Za-z]+) *([{_DIGITS}]{{{_WIDTH}}})'")


class Kind(StrEnum):
    """The five kinds of versioned resources, as they stand in an etag."""

    PLAN = "Plan"
    PLAN_DETAILS = "PlanDetails"
    BUCKET = "Bucket"
    TASK = "Task"
    TASK_DETAILS = "TaskDetails"

    @property
    def type_name(self) -> str:
        """The type in Graph's schema."""
        return f"planner{self.value}"


@dataclass(slots=True)
class Version:
    """One state of a resource. `changed` are the properties that are new, of open ones the keys ("checklist/<key>")."""

    number: int
    changed: tuple[str, ...] = ()


@dataclass(slots=True)
class Item:
    """A plan, bucket, task, or the details of one; details have the id of what they belong to.

    `values` are Graph's properties as answers show them, but for `id`. `created_at` also dates what appears late.
    """

    kind: str
    id: str
    values: dict[str, Any]
    created_at: datetime
    versions: list[Version] = field(default_factory=list)

    @property
    def number(self) -> int:
        """The number of the present version; higher than that of every older state of anything."""
        return self.versions[-1].number

    @property
    def first_number(self) -> int:
        """The number of the first version: the order of creation."""
        return self.versions[0].number

    @property
    def etag(self) -> str:
        return etag_text(self.kind, self.number)

    def changed_since(self, etag: str, options: Options) -> frozenset[str]:
        """What was changed after that version. Raises `Refusal` (412) for an etag that this resource does not have."""
        number = version_number(self.kind, etag)
        kept = self.versions[-options.planner_versions_kept:]
        if number is None or number not in {version.number for version in kept}:
            raise Refusal(412, "", "The If-Match header contains an invalid value.")
        return frozenset(name for version in kept if version.number > number for name in version.changed)

    def is_current(self, etag: str) -> bool:
        """Whether an etag names the present version."""
        return version_number(self.kind, etag) == self.number


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes, and through which application: `createdBy` and `completedBy` name both."""

    account_id: str
    client_id: str

    @property
    def is_in_planner(self) -> bool:
        """Whether somebody works in Planner itself, which can do more than its API lets others do."""
        return self.client_id == PLANNER_APP

    def identity(self) -> dict[str, Any]:
        """As Graph's identitySet; Planner tells no names."""
        return {"user": {"displayName": None, "id": self.account_id},
                "application": {"displayName": None, "id": self.client_id}}


def etag_text(kind: str, number: int) -> str:
    """The etag of that version of a resource of that kind."""
    digits = "".join(_DIGITS[int(digit)] for digit in f"{number:0{_WIDTH}}")
    return f'W/"{base64.b64encode(f"{chr(39)}1-{kind:<6}{digits}{chr(39)}".encode()).decode()}"'


def version_number(kind: str, etag: str) -> int | None:
    """The version that an etag names; None when it is none of a resource of that kind."""
    quoted = _ETAG.fullmatch(etag.strip())
    try:
        text = base64.b64decode(quoted[1] if quoted else "", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    found = _VERSION.fullmatch(text)
    if found is None or found[1] != kind:
        return None
    return int("".join(str(_DIGITS.index(letter)) for letter in found[2]))


def differences(old: dict[str, Any], new: dict[str, Any], open_names: Iterable[str]) -> tuple[str, ...]:
    """The names of properties that differ; of open ones each key by itself."""
    names = []
    for name in new:
        before, after = old.get(name), new[name]
        if before == after:
            continue
        if name in open_names:
            keys = [*(before or {}), *(key for key in after or {} if key not in (before or {}))]
            names += [f"{name}/{key}" for key in keys if (before or {}).get(key) != (after or {}).get(key)]
        else:
            names.append(name)
    return tuple(names)
