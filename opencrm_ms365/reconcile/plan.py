"""What a cycle does, as values: the preview shows them, the guards count them, the cycle executes them."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from .policy import Side


class Action(enum.StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    RESTORE = "restore"
    LINK = "link"
    RELEASE = "release"
    FORGET = "forget"
    MOVE = "move"
    HOLD = "hold"
    SKIP = "skip"


#: What counts as a write on a side, and as which.
COUNTED = {
    Action.CREATE: "created",
    Action.RESTORE: "created",
    Action.UPDATE: "updated",
    Action.MOVE: "updated",
    Action.DELETE: "deleted",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing to do with one record on one side. `side` is None where no side is written.

    `recipients` are the people whom Microsoft would write to because of it.
    """

    action: Action
    side: Side | None = None
    fields: tuple[str, ...] = ()
    reason: str = ""
    recipients: tuple[str, ...] = ()

    def with_recipients(self, recipients: tuple[str, ...]) -> Operation:
        """The same, and whom it makes Microsoft write to."""
        return replace(self, recipients=recipients)


@dataclass(slots=True)
class Counts:
    """The numbers of one kind in one cycle, in the shape that the command prints."""

    pulled: int = 0
    crm: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("created", "updated", "deleted"), 0))
    microsoft: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("created", "updated", "deleted"), 0))
    conflicts: int = 0
    problems: int = 0
    invitations: int = 0

    def add(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            name = COUNTED.get(operation.action)
            if name and operation.side:
                side = self.crm if operation.side is Side.CRM else self.microsoft
                side[name] += 1
            self.invitations += len(operation.recipients)

    def as_dict(self) -> dict[str, object]:
        return {
            "pulled": self.pulled,
            "crm": dict(self.crm),
            "microsoft": dict(self.microsoft),
            "conflicts": self.conflicts,
            "problems": self.problems,
            "invitations": self.invitations,
        }
