"""Whether so many deletions at once are believable (ORG-13; adapters, requirement 22)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DeletionGuard:
    """`percent` of a link's records and more than `minimum` of them: both must be exceeded."""

    percent: int
    minimum: int

    def stops(self, deletions: int, records: int) -> bool:
        """Whether `deletions` out of `records` linked ones on one side need an administrator's word."""
        return deletions > self.minimum and deletions * 100 > self.percent * records


def vanished(missing: int, linked: int) -> bool:
    """Whether the CRM suddenly shows none or under half of the linked records.

    A forgotten organisation filter or a wrong database looks exactly like *everything was deleted*.
    """
    return linked >= 4 and missing * 2 > linked
