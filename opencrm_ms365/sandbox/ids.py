"""Identifiers that look like Microsoft's, from a source that can be seeded, so that a run can be repeated.

Outlook ids are opaque, case-sensitive, URL-safe and long; see facts, section 4. Nothing may be read out of them.
"""

from __future__ import annotations

import base64
import random
import re
import uuid
from collections.abc import Callable

# What an Outlook id can look like at all; anything else in a path is answered with `ErrorInvalidIdMalformed`.
WELL_FORMED = re.compile(r"[A-Za-z0-9_-]{40,500}={0,2}")
PLANNER_ID = re.compile(r"[A-Za-z0-9_-]{28}")


class IdFactory:
    """Makes new ids. While `twins()` is true they come in pairs that differ in the case of one letter only."""

    def __init__(self, seed: int | str | None = None, twins: Callable[[], bool] = lambda: False) -> None:
        self.random = random.Random(seed)
        self._twins = twins
        self._previous: dict[str, str] = {}

    def guid(self) -> str:
        """A GUID in lower case, for directory objects and request ids."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def item(self) -> str:
        """A default (`restId`) id of an item: 152 characters; a new one is made when the item moves."""
        return self._make("AAMkAG", 145)

    def immutable(self) -> str:
        """An immutable id of an item; it survives moves within the mailbox."""
        return self._make("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A", 60)

    def folder(self) -> str:
        """A folder's id; constant, the same in both modes."""
        return self._make("AAMkAGFvbGRlcg", 105)

    def change_key(self) -> str:
        """A change key, new with every write; the etag is `W/"<change key>"`."""
        return "EQAAABYAAAB" + self._letters(28) + "="

    def planner(self) -> str:
        """An id of a plan, bucket or task: 28 characters (facts 4)."""
        twin = self._previous.pop("planner", "") if self._twins() else ""
        if twin:
            return twin
        start, end = self._letters(13), self._letters(14)
        self._previous["planner"] = f"{start}A{end}"
        return f"{start}a{end}"

    def secret(self, bytes_count: int = 32) -> str:
        """Random text for tokens and codes of the simulator (not for real secrets)."""
        return base64.urlsafe_b64encode(self.random.randbytes(bytes_count)).decode().rstrip("=")

    def _make(self, prefix: str, length: int) -> str:
        twin = self._previous.pop(prefix, "") if self._twins() else ""
        if twin:
            return twin
        made = prefix + "a" + self._letters(length - 1)
        self._previous[prefix] = prefix + "A" + made[len(prefix) + 1:] + "="
        return made + "="

    def _letters(self, count: int) -> str:
        text = base64.urlsafe_b64encode(self.random.randbytes(count)).decode()
        return text[:count].replace("=", "A")


def is_well_formed(text: str) -> bool:
    """Whether a path segment could be an Outlook id of either kind."""
    return WELL_FORMED.fullmatch(text) is not None


def is_planner_id(text: str) -> bool:
    """Whether a text could be the id of a plan, bucket or task."""
    return PLANNER_ID.fullmatch(text) is not None
