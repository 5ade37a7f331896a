"""What the organisation and the user allow, as the core needs it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace


class Side(enum.StrEnum):
    CRM = "crm"
    MICROSOFT = "microsoft"

    @property
    def other(self) -> Side:
        return Side.MICROSOFT if self is Side.CRM else Side.CRM


class Direction(enum.StrEnum):
    BOTH = "both"
    TO_MICROSOFT = "to_microsoft"
    TO_CRM = "to_crm"

    def narrowed(self, wish: Direction | None) -> Direction | None:
        """The direction that both this one and `wish` allow; None when they exclude each other (USER-05)."""
        if wish is None or wish is self:
            return self
        if self is Direction.BOTH:
            return wish
        return self if wish is Direction.BOTH else None


class ConflictRule(enum.StrEnum):
    CRM = "crm"
    MICROSOFT = "microsoft"
    LATEST = "latest"


class AfterDeletion(enum.StrEnum):
    """What a deletion in Microsoft does (ORG-12)."""

    RESTORE = "restore"
    UNLINK = "unlink"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules for one link and one kind of record.

    `takes_in_only` holds for a record outside the user's own limits: details come in, nothing goes out (CON-05).
    `crm_refuses` holds for a record that the user may see but not change: the CRM's values stand and are sent back.
    """

    direction: Direction = Direction.BOTH
    conflict_rule: ConflictRule = ConflictRule.CRM
    after_deletion: AfterDeletion = AfterDeletion.RESTORE
    takes_in_only: bool = False
    crm_refuses: bool = False

    def may_write(self, side: Side) -> bool:
        """Whether the values of a record may be written to this side at all (ORG-06, CON-05)."""
        if side is Side.MICROSOFT:
            return self.direction is not Direction.TO_CRM and not self.takes_in_only
        return self.direction is not Direction.TO_MICROSOFT and not self.crm_refuses

    @property
    def source(self) -> Side | None:
        """The side that is never written in a one-way direction; None where both ways are open."""
        if self.direction is Direction.TO_MICROSOFT:
            return Side.CRM
        if self.direction is Direction.TO_CRM:
            return Side.MICROSOFT
        return None

    def but(self, **changes: object) -> Policy:
        return replace(self, **changes)  # type: ignore[arg-type]  # replace() checks the names
