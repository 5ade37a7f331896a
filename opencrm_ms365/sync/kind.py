"""What is particular to one kind of record. All the rest of a cycle is the same for all of them (design, section 3).

`Kind` says what a cycle asks for; `contact_kind` and `event_kind` answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ..adapters.context import Scope
from ..errors import GraphError
from ..graph.batch import Inner
from ..graph.contacts import DeltaPage, Folder
from ..models import InboxItem, RecordMapping, SyncSettings, UserLink
from ..reconcile.policy import Direction
from ..records import Limits
from .items import Item

if TYPE_CHECKING:
    from .folders import Cursors
    from .steps import Step
    from .work import Work


class Kind:
    """The particulars of a kind. What a kind may have no use for does nothing here; what each has to answer raises
    `NotImplementedError`."""

    #: `contacts`, `events`, `tasks`: the name in settings, commands and rows.
    name: ClassVar[str] = ""
    #: What people call one record, and many.
    noun: ClassVar[str] = "record"
    nouns: ClassVar[str] = "records"
    #: How much Microsoft can hold of each field.
    limits: ClassVar[Limits] = Limits()
    #: Its records belong to the organisation, whichever link reads them; no link's limits leave one of them out.
    is_shared: ClassVar[bool] = False
    #: What its cycles work with, where that is more than `Work`.
    work_type: ClassVar[type[Work] | None] = None

    # Settings

    @property
    def a_noun(self) -> str:
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    def is_on(self, organisation: SyncSettings, link: UserLink) -> bool:
        """Whether organisation and user both want it (ORG-05, USER-05)."""
        raise NotImplementedError

    def direction(self, organisation: SyncSettings, link: UserLink) -> Direction | None:
        """The direction for a link; None when the organisation's and the user's exclude each other."""
        raise NotImplementedError

    def scope(self, link: UserLink) -> Scope:
        """The user's own limits (CON-02)."""
        return Scope()

    def open_store(self, client: Any) -> Any:
        """Microsoft's side: an object of `graph` with `get`, `write`, `markers`, `find_marker`."""
        raise NotImplementedError

    def opened(self, work: Work) -> None:
        """Called when everything for a cycle is together."""

    def rules(self, work: Work) -> list[Any]:
        """What calls for a comparison of everything when it changes."""
        return []

    # Reading Microsoft's side

    def poll_requests(self, work: Work, cursors: Cursors) -> list[Inner]:
        """The requests of `poll`, so that the kinds of a link share one (I-7)."""
        raise NotImplementedError

    def poll(self, work: Work, cursors: Cursors) -> dict[str, DeltaPage | GraphError]:
        """The first page of every folder whose link is at hand, in one request; notes the folders too (I-7)."""
        raise NotImplementedError

    def folders(self, work: Work) -> tuple[Folder, ...]:
        """The folders (or calendars) of the mailbox, the default one first."""
        raise NotImplementedError

    def chosen(self, work: Work, cursors: Cursors) -> tuple[str, ...]:
        """The folders to read, by id."""
        raise NotImplementedError

    def page(self, work: Work, cursors: Cursors, folder_id: str, link: str) -> DeltaPage:
        """One page of a folder's changes; without a link the first one of a complete listing."""
        raise NotImplementedError

    def digested(self, names: Iterable[str], *, linked: bool) -> frozenset[str]:
        """Those of the mapped fields on which both sides are compared. `linked`: they have agreed before."""
        return frozenset(names)

    def digests(self, work: Work, item: Item) -> dict[str, str]:
        """What tells, beside the fields, that an item is as it was when both sides last agreed."""
        return {}

    def is_left_out(self, work: Work, crm: Any, item: Item | None) -> bool:
        """Whether the organisation leaves this out by choice (ORG-17)."""
        return False

    # The inbox

    def keys(self, work: Work, item: Item) -> Iterator[tuple[str, str]]:
        """(rule, key) by which an item without a partner is found again."""
        yield from ()

    def payload(self, item: Item) -> dict[str, Any]:
        """An item as the inbox keeps it, in plain JSON."""
        raise NotImplementedError

    def item(self, row: InboxItem, payload: Mapping[str, Any]) -> Item:
        """The item back."""
        raise NotImplementedError

    # Planning

    def merge_step(self, work: Work, cursors: Cursors, step: Step) -> Step:
        """Decide what both sides of a linked record need, and note it on the step."""
        raise NotImplementedError

    def plan_unknown(self, work: Work, cursors: Cursors, found: list[tuple[InboxItem, Item]]) -> list[Step]:
        """Steps for items that no mapping knows."""
        raise NotImplementedError

    def plan_new(self, work: Work, cursors: Cursors, adapter: Any) -> Iterator[list[Step]]:
        """Steps for CRM records that are not in Microsoft yet."""
        raise NotImplementedError

    def plan_widened(self, work: Work, cursors: Cursors, adapter: Any) -> Iterator[list[Step]]:
        """Steps for records that came back into the user's limits."""
        yield from ()

    def prepare(self, work: Work, steps: Sequence[Step]) -> None:
        """Add to steps, in a constant number of queries, what deciding about them needs."""

    def concerns(self, work: Work, step: Step) -> bool:
        """Whether a change in the CRM is this link's to carry out."""
        return True

    def needs_item(self, work: Work, step: Step) -> bool:
        """Whether a change in the CRM cannot be decided about without what Microsoft holds."""
        return False

    def stays_released(self, work: Work, mapping: RecordMapping, item: Item, *, in_scope: bool, visible: bool) -> bool:
        """Whether news of an item that is no longer synced change nothing about that."""
        raise NotImplementedError

    def target(self, work: Work, cursors: Cursors, name: str | None) -> str:
        """The id of the folder in which a new item is made; `name` is the CRM folder's, None or empty for none."""
        raise NotImplementedError

    def add_to_creations(self, work: Work, steps: Sequence[Step]) -> list[Step]:
        """Add what a creation needs beside its fields; returns those that are to be made."""
        return list(steps)

    def is_alive(self, work: Work, cursors: Cursors, item: Item) -> bool:
        """Whether an item that was asked for by its id is where it can be synced, and not in Deleted Items."""
        return True

    def is_frozen(self, work: Work, mapping: RecordMapping) -> bool:
        """Whether a suspected deletion is none of our business any more (SYNC-02)."""
        return False

    def gone_in_crm(self, work: Work, step: Step) -> None:
        """Decide about a linked record whose CRM record is deleted."""
        raise NotImplementedError

    def gone_in_microsoft(self, work: Work, step: Step) -> None:
        """Decide about a linked record that is gone in Microsoft, which is confirmed."""
        raise NotImplementedError

    def fallen_out(self, work: Work, step: Step, before: str, today: str) -> None:
        """Decide about a linked record that left the user's limits: why it was outside them before, and is today."""
        raise NotImplementedError

    # Writing

    def create_in_crm(self, work: Work, step: Step) -> Any:
        """Make the CRM's record of an item; returns the adapter's `Written`."""
        raise NotImplementedError

    def identity(self, work: Work, step: Step) -> str:
        """What is the same for all links that bring the same thing in; empty where nothing is."""
        return ""

    def still_matches(self, work: Work, step: Step, adapter: Any, object_id: str) -> bool:
        """Whether the record that somebody else made for the same identity is this item's partner."""
        return True

    def agreed(self, work: Work, step: Step, mapping: RecordMapping) -> None:
        """Note on a mapping what is the kind's own, when both sides hold the same."""

    def invited(self, step: Step) -> tuple[str, ...]:
        """To whom Microsoft wrote when the item of this step was made."""
        return ()

    def linked(self, work: Work, steps: Sequence[Step]) -> None:
        """Called in the transaction that saves the mappings of these steps."""

    def write(self, work: Work, step: Step | None, key: str, action: str, **values: Any) -> Any:
        """The change to send, as the store takes it. Without a step: our mark only."""
        raise NotImplementedError
