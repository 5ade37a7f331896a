"""What a linked task needs on both sides (TASK-03 to TASK-10).

    the CRM's record ...           Planner's task ...        then
    unchanged since the last sync  unchanged                 nothing
    unchanged                      changed                   the CRM takes it, field by field (TASK-05)
    changed                        whatever                  Planner gets the CRM's, whole record (TASK-06)

Planner has no modification times, so *changed* is a matter of values: digests of what each side held when both last
agreed. What a side never could say (*on hold*, a date that Planner lacks, a text that was not read) is no change.
How values are compared is in `planner_words`, people are in `planner_people`, what comes in or goes out at all in
`planner_scope`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from ..records import UNSET, is_set
from ..records.contact import canonical
from ..records.task import MICROSOFT_TASK_LIMITS, TaskData
from .decide import Decision, Delete, Nothing, Update
from .merge import Digest, FieldConflict, Merge, Pair
from .planner_people import Assigning, People, settle_people
from .planner_words import (
    COMPLETED,
    DETAILS,
    Terms,
    date_field,
    fitted,
    for_planner,
    in_crm_words,
    inward_fields,
    list_out,
    said_by_crm,
    said_by_planner,
    synced_fields,
    taken_in,
)
from .policy import Policy, Side

#: A task that was completed in Planner longer ago is not updated in the CRM any more (TASK-08).
COMPLETED_FOR = timedelta(days=14)
#: What of a task that is long completed still arrives: that it is.
COMPLETION = frozenset({"status", "percent", "completed_at"})
LEFT_PLANNER = "its list in the CRM is none of Planner's any more"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TaskMerge(Merge):
    """What a merge of two tasks asks for; values are in the CRM's words on both sides (`for_planner` translates).

    `people` is what the assignees and the CRM's users need.
    """

    people: Assigning = field(default_factory=Assigning)

    @property
    def is_quiet(self) -> bool:
        return not (self.to_crm or self.to_microsoft or self.people)

    @property
    def sends(self) -> bool:
        return bool(self.to_microsoft or self.people.assign or self.people.unassign)

    def writes_to_planner(self, terms: Terms) -> dict[str, Any]:
        """The fields to write, as Planner's."""
        return for_planner(self.to_microsoft, terms)


def decide_task(
    pair: Pair, people: People, terms: Terms, policy: Policy, digest: Digest, *, is_frozen: bool = False
) -> Decision:
    """What a linked pair needs. `pair.microsoft` is Planner's task (raw, or by `in_crm_words`), with its details if
    they were read (`needs_details`).

    A task whose list in the CRM is no longer one of Planner's leaves Planner (TASK-02). `is_frozen`: both sides are
    outside the window, so the task is left alone (SYNC-02), but for its completion in Planner (TASK-08).
    """
    if is_frozen:
        merge = merge_frozen(pair, terms, policy, digest)
    elif policy.may_write(Side.MICROSOFT) and leaves_planner(pair, terms, digest):
        return Delete(Side.MICROSOFT, LEFT_PLANNER)
    else:
        merge = merge_task(pair, people, terms, policy, digest)
    if merge.is_quiet and not merge.conflicts and not merge.settled:
        return Nothing()
    return Update(merge)


def is_edited(pair: Pair, people: People, digest: Digest) -> bool:
    """Whether the CRM's record changed since the last sync (TASK-05). Without a base it did.

    A field that was mapped since is no edit, nor is one that only follows Planner. `pair.microsoft` may be None here.
    """
    if pair.base is None or people.moved_in_crm:
        return True
    crm = _crm(pair)
    known = ((name, _bases(name, pair, digest)[0]) for name in synced_fields(crm))
    return any(base is not None and base != _of_crm(digest, name, crm) for name, base in known)


def leaves_planner(pair: Pair, terms: Terms, digest: Digest) -> bool:
    """Whether somebody took the task out of Planner's lists in the CRM: into one of its own, or into none."""
    crm = _crm(pair)
    if pair.base is None or "task_list" not in pair.base.crm or not is_set(crm.task_list):
        return False
    moved = pair.base.crm["task_list"] != _of_crm(digest, "task_list", crm)
    return moved and list_out(crm.task_list, terms) is None


def needs_details(pair: Pair, people: People, digest: Digest) -> bool:
    """Whether Planner's details must be read before this pair is decided: they were not, and may have to be written.

    They are overwritten when the record is edited in the CRM, and only then (TASK-09).
    """
    crm, planner = _crm(pair), _planner(pair)
    unread = any(is_set(getattr(crm, name)) and not is_set(getattr(planner, name)) for name in DETAILS)
    return unread and is_edited(pair, people, digest)


def is_long_completed(planner: TaskData, terms: Terms) -> bool:
    """TASK-08: completed in Planner more than two weeks ago."""
    at = planner.completed_at
    return planner.percent == COMPLETED and isinstance(at, datetime) and terms.now - at > COMPLETED_FOR


def merge_task(pair: Pair, people: People, terms: Terms, policy: Policy, digest: Digest) -> TaskMerge:
    """Decide every field of one pair, and the people. Writes nothing; same arguments, same answer."""
    edited = is_edited(pair, people, digest)
    merging = _Merging(pair, terms, policy, crm_wins=edited and policy.may_write(Side.MICROSOFT),
                       is_closed=is_long_completed(_planner(pair), terms))
    for name in (*synced_fields(_crm(pair)), *inward_fields(_crm(pair))):
        merging.decide(_compared(name, pair, terms, digest))
    assigning = settle_people(people, policy, crm_wins=edited, takes_in=not merging.is_closed)
    if assigning.overruled:
        merging.conflicts.append(FieldConflict(
            name="users", crm=tuple(sorted(people.in_crm)), winner=Side.CRM,
            microsoft=tuple(people.by_account[item] for item in people.assignees if item in people.by_account)))
    return merging.result(assigning)


def merge_frozen(pair: Pair, terms: Terms, policy: Policy, digest: Digest) -> TaskMerge:
    """What still arrives of a task that left the window: that it was completed, if the CRM does not say otherwise."""
    crm, planner = _crm(pair), _planner(pair)
    merging = _Merging(pair, terms, policy, crm_wins=False, is_closed=True)
    if planner.percent == COMPLETED and policy.may_write(Side.CRM):
        names = [name for name in (*synced_fields(crm), *inward_fields(crm)) if name in COMPLETION & pair.writable]
        for item in (_compared(name, pair, terms, digest) for name in names):
            if not item.moved_in_crm:
                merging.decide(item)
    return merging.result(Assigning())


def agreed(
    crm: TaskData, planner: TaskData, digest: Digest, names: Iterable[str] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """The digests of both sides, by the CRM's fields, to be kept as `Base.crm` and `Base.microsoft`.

    names   those on which both sides agree now (`TaskMerge.settled`); None: all. What was not read of Planner's is left
            out on both sides, so that an older base of it stays.
    """
    chosen = (*synced_fields(crm), *inward_fields(crm)) if names is None else tuple(names)
    theirs = {name: found for name in chosen if (found := _of_planner(digest, name, planner)) is not None}
    return {name: _of_crm(digest, name, crm) for name in theirs}, theirs


@dataclass(frozen=True, slots=True)
class _Compared:
    """One field of both sides. `moved_...`: since both agreed. `is_new`: on this field they never did."""

    name: str
    crm: Any
    planner: Any
    agrees: bool
    moved_in_crm: bool
    moved_in_planner: bool
    is_new: bool


def _compared(name: str, pair: Pair, terms: Terms, digest: Digest) -> _Compared:
    crm, planner = _crm(pair), _planner(pair)
    mine, theirs = getattr(crm, name), said_by_planner(name, planner)
    said = mine if name == "completed_at" else said_by_crm(name, mine, terms)
    base_crm, base_planner = _bases(name, pair, digest)
    return _Compared(
        name=name, crm=mine, planner=theirs, agrees=theirs is not UNSET and said == theirs,
        moved_in_crm=base_crm != _of_crm(digest, name, crm),
        moved_in_planner=theirs is not UNSET and base_planner != _of_planner(digest, name, planner),
        is_new=base_crm is None or base_planner is None)


@dataclass(slots=True, repr=False)
class _Merging:
    """A merge in the making. `crm_wins`: its record was edited, and Planner may be written (TASK-06)."""

    pair: Pair
    terms: Terms
    policy: Policy
    crm_wins: bool
    is_closed: bool
    to_crm: dict[str, Any] = field(default_factory=dict)
    to_microsoft: dict[str, Any] = field(default_factory=dict)
    conflicts: list[FieldConflict] = field(default_factory=list)
    settled: set[str] = field(default_factory=set)
    unfit: list[tuple[str, Side]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def result(self, people: Assigning) -> TaskMerge:
        return TaskMerge(
            to_crm=self.to_crm, to_microsoft=self.to_microsoft, conflicts=tuple(self.conflicts),
            settled=frozenset(self.settled), unfit=tuple(self.unfit), refused=tuple(self.refused), people=people)

    def decide(self, item: _Compared) -> None:
        if item.planner is UNSET:
            return  # it was not read (TASK-09)
        if item.agrees:
            self.settled.add(item.name)
        elif item.name in inward_fields(_crm(self.pair)):
            self._follow(item)
        elif item.is_new:
            self._meet(item)
        elif self.crm_wins:
            self._overwrite(item)
        elif not item.moved_in_planner:
            self._leave(item)
        elif not self.is_closed or item.name in COMPLETION:
            self._take_in(item)

    def _follow(self, item: _Compared) -> None:
        """Planner alone says this. After an edit in the CRM what Planner says now is just about to change."""
        if self.crm_wins or not (item.moved_in_planner or item.is_new):
            self.settled.add(item.name)
        elif self.policy.source is not Side.CRM and not self.policy.crm_refuses and item.name in self.pair.writable:
            self._write_crm(item)

    def _meet(self, item: _Compared) -> None:
        """Where both never agreed, the empty side is filled; what differs is the CRM's (or the source's)."""
        takes_in = not self.policy.may_write(Side.MICROSOFT)
        if not _is_empty(item.planner) and (takes_in or _is_empty(item.crm)):
            if self._takes(item):
                if not _is_empty(item.crm):
                    self._note_conflict(item, Side.MICROSOFT)
                self._write_crm(item)
        elif not takes_in:
            if not _is_empty(item.planner):
                self._note_conflict(item, Side.CRM)
            self._write_planner(item)

    def _overwrite(self, item: _Compared) -> None:
        """TASK-06. What neither side moved stays apart: one of them could not hold the other's in the first place.

        But a date that Planner lacks is sent with the first edit (TASK-07).
        """
        lacks_date = item.name == date_field(_crm(self.pair)) and item.planner is None
        if item.moved_in_planner:
            self._note_conflict(item, Side.CRM)
        if item.moved_in_planner or item.moved_in_crm or lacks_date:
            self._write_planner(item)
        else:
            self.settled.add(item.name)

    def _leave(self, item: _Compared) -> None:
        """Planner's did not move. An edit in the CRM that may not go out waits until it may (ORG-06)."""
        if not item.moved_in_crm:
            self.settled.add(item.name)

    def _take_in(self, item: _Compared) -> None:
        if self._takes(item):
            if item.moved_in_crm:
                self._note_conflict(item, Side.MICROSOFT)
            self._write_crm(item)
        elif item.name in self.refused and self.policy.may_write(Side.MICROSOFT):
            self._write_planner(item)

    def _takes(self, item: _Compared) -> bool:
        """Whether the CRM takes Planner's value. An edit on the target of a one-way sync stays there (ORG-06)."""
        if self.policy.source is Side.CRM:
            return False
        if self.policy.crm_refuses or item.name not in self.pair.writable:
            self.refused.append(item.name)
            self.settled.add(item.name)
            return False
        return True

    def _write_crm(self, item: _Compared) -> None:
        full = taken_in(item.name, _planner(self.pair), item.crm, self.terms)
        target = fitted(item.name, full, self.pair.crm_limits)
        if target != full:
            self.unfit.append((item.name, Side.CRM))
        if target != item.crm:
            self.to_crm[item.name] = target
        self.settled.add(item.name)

    def _write_planner(self, item: _Compared) -> None:
        if fitted(item.name, item.crm, MICROSOFT_TASK_LIMITS) != item.crm:
            self.unfit.append((item.name, Side.MICROSOFT))
        self.to_microsoft[item.name] = item.crm
        self.settled.add(item.name)

    def _note_conflict(self, item: _Compared, winner: Side) -> None:
        theirs = taken_in(item.name, _planner(self.pair), item.crm, self.terms)
        theirs = None if item.name == date_field(_crm(self.pair)) and item.planner is None else theirs
        self.conflicts.append(FieldConflict(name=item.name, crm=item.crm, microsoft=theirs, winner=winner))


def _bases(name: str, pair: Pair, digest: Digest) -> tuple[str | None, str | None]:
    """The digests of both sides at the last agreement; None where there was none on this field.

    A Planner value that is the echo of a write whose answer was lost stands for an agreement on it.
    """
    base = pair.base
    if base is None:
        return None, None
    pending = base.pending.get(name)
    if pending and pair.microsoft is not None and _of_planner(digest, name, _planner(pair)) == pending[1]:
        return pending
    return base.crm.get(name), base.microsoft.get(name)


def _of_crm(digest: Digest, name: str, crm: TaskData) -> str:
    return digest(canonical(name, getattr(crm, name)))


def _of_planner(digest: Digest, name: str, planner: TaskData) -> str | None:
    value = getattr(in_crm_words(planner), name)
    return digest(canonical(name, value)) if is_set(value) else None


def _is_empty(value: object) -> bool:
    return value is None or value == ()


def _crm(pair: Pair) -> TaskData:
    return cast(TaskData, pair.crm)


def _planner(pair: Pair) -> TaskData:
    return cast(TaskData, pair.microsoft)
