"""One thing to do with one record, with all that is needed to do it. The plan is a stream of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..models import InboxItem, RecordMapping
from ..reconcile.decide import Decision, Update
from ..reconcile.merge import Pair
from ..reconcile.plan import Action, Operation
from ..reconcile.policy import Policy, Side
from .items import Item


@dataclass(kw_only=True, eq=False)
class Step:
    """A decision about one record.

    `mapping` is None for a record that is not linked yet; `obj` is the CRM's object where there is one; `item` what
    Microsoft holds, where it was read; `row` the inbox row that the step works through. `in_scope` says whether the
    record is among those that the user sends out. `folder_to_crm` / `folder_to_microsoft` are names of folders ('' is
    the default one), None for no change. `candidates` are the CRM records of an unclear match, `leftovers` the notes
    of what the CRM did not take. `is_held_back`: the CRM's record cannot be synced as it is. `is_leaving`: it was among
    those that the user sends out and is not any more, so nothing more of it goes out (CON-02); `is_unseen`: the user
    may not see it any more, so nothing of the user's comes in (CON-07).
    `users` are those whom the CRM's record gets, None for no change (of a task that is new from Planner its owner
    first); `meeting` is what is known of an event's meeting.
    `people` are those of a task on both sides; `task` is how a new one arrives or leaves, or Planner's as it was read.
    `code` says in one word why an item stays in Microsoft only: `not_permitted`, `left_out`; empty: something else.
    `twin_of` is the mapping whose repeated creation made this item a second time.
    """

    action: Action
    adapter: Any = None
    decision: Decision | None = None
    mapping: RecordMapping | None = None
    object_id: str = ""
    obj: Any = None
    crm: Any = None
    item: Item | None = None
    row: InboxItem | None = None
    pair: Pair | None = None
    policy: Policy | None = None
    in_scope: bool = True
    reason: str = ""
    code: str = ""
    twin_of: RecordMapping | None = None
    token: str = ""
    folder_to_crm: str | None = None
    folder_to_microsoft: str | None = None
    candidates: tuple[tuple[str, str], ...] = ()
    leftovers: tuple[Any, ...] = ()
    is_held_back: bool = False
    is_leaving: bool = False
    is_unseen: bool = False
    users: tuple[Any, ...] | None = None
    meeting: Any = None
    people: Any = None
    task: Any = None
    operations: list[Operation] = field(default_factory=list)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Whom Microsoft writes to when the step is carried out (ORG-15)."""
        return tuple(self.meeting.recipients) if self.meeting is not None else ()

    @property
    def sends(self) -> bool:
        """Whether an update has something for Microsoft."""
        changed = isinstance(self.decision, Update) and self.decision.merge.sends
        return changed or bool(self.meeting is not None and self.meeting.changes_attendees)

    @property
    def graph_id(self) -> str:
        if self.item is not None:
            return self.item.graph_id
        return (self.mapping.graph_id or "") if self.mapping else ""

    def note(
        self, action: Action, side: Side | None, fields: tuple[str, ...] = (), reason: str = "",
        recipients: tuple[str, ...] = (),
    ) -> None:
        self.operations.append(
            Operation(action=action, side=side, fields=fields, reason=reason, recipients=recipients))
