"""What changed in one collection, in order: the source of delta rounds.

Each item has at most one entry, its latest; entries stand in the order of their sequence numbers, so an idle round
looks at nothing and a round with n changes at n entries. The log also counts the sync generations (facts 8.4).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import Account, World


@dataclass(slots=True)
class Entry:
    """The latest about one item: there, or removed. `default_id` is the id that it had in this collection."""

    key: str
    seq: int
    is_present: bool
    at: datetime
    default_id: str


class ChangeLog:
    """The changes of one collection (a contact folder, the tree of folders)."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self.seq = 0                   # of the latest entry
        self.generation = 0            # of the latest delta token given out
        self.dead_generation = -1      # tokens up to this generation are gone
        self.is_deleted = False        # the collection itself is gone

    def note(self, entry: Entry) -> None:
        """Add the latest about an item; `entry.seq` must be higher than all before."""
        self._entries[entry.key] = entry
        self._entries.move_to_end(entry.key)
        self.seq = entry.seq

    def since(self, seq: int, up_to: int) -> list[Entry]:
        """Entries with `seq` < number <= `up_to`, oldest first."""
        found = []
        for entry in reversed(self._entries.values()):
            if entry.seq <= seq:
                break
            if entry.seq <= up_to:
                found.append(entry)
        found.reverse()
        return found

    def before(self, seq: int, count: int) -> list[Entry]:
        """The latest `count` entries up to `seq`, for replays."""
        found: list[Entry] = []
        for entry in reversed(self._entries.values()):
            if len(found) >= count:
                break
            if entry.seq <= seq:
                found.append(entry)
        return found

    def visible(self, now: datetime, delay_s: float) -> int:
        """The number up to which changes show: the last one before the first that is younger than the delay."""
        horizon = self.seq
        if delay_s <= 0:
            return horizon
        oldest_shown = now - timedelta(seconds=delay_s)
        for entry in reversed(self._entries.values()):
            if entry.at <= oldest_shown:
                break
            horizon = entry.seq - 1
        return horizon

    def next_generation(self) -> int:
        """Count a new delta token."""
        self.generation += 1
        return self.generation

    def expire(self) -> None:
        """All tokens given out so far are unusable, nextLinks of running rounds as well."""
        self.dead_generation = self.generation
        self.generation += 1           # a round that starts now is of a generation of its own

    def is_alive(self, generation: int, kept: int) -> bool:
        """Whether a token of that generation is still known, when `kept` generations are (0: all)."""
        if generation <= self.dead_generation:
            return False
        return kept <= 0 or generation > self.generation - kept

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)


def expire(world: World, account: Account | None, collection: str = "") -> None:
    """Expire the delta tokens of all mailboxes or one, of all collections or the one with that id or name."""
    with world.lock:
        for mailbox in [world.mailbox(account)] if account is not None else list(world.mailboxes.values()):
            for part in mailbox.parts():
                for log in part.change_logs(collection) if hasattr(part, "change_logs") else ():
                    log.expire()
