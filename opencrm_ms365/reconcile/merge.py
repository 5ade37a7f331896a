"""The three-way merge of one record, field by field (ORG-09).

The base is not kept as values but as digests, one for what each side held when both last agreed: a side that cannot
hold all of a value (CON-10) is compared with what it held, not with what it was given.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..records import LIST_FIELDS, UNSET, Limits, PostalAddress, Record
from ..records.contact import canonical
from .fit import PARTS, agree, combine, fit, same
from .policy import ConflictRule, Policy, Side

Digest = Callable[[object], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What both sides held when they last agreed, as digests by field.

    `pending` is what was about to be written to Microsoft when the answer was lost: field to (digest of the CRM's
    value, digest of the value sent). A Microsoft value that equals it is our own echo, not somebody's edit.
    """

    crm: Mapping[str, str] = field(default_factory=dict)
    microsoft: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One record on both sides as read in this cycle.

    `microsoft` is None when Microsoft reported no change: it still holds what the base says. Changed times are UTC,
    None where a side does not tell them. `writable` are the fields that the CRM lets us write.
    """

    crm: Record
    microsoft: Record | None
    base: Base | None
    writable: frozenset[str]
    crm_limits: Limits
    microsoft_limits: Limits
    crm_changed_at: datetime | None = None
    microsoft_changed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FieldConflict:
    """Both sides changed one field to different values; `winner` is the side whose value stands."""

    name: str
    crm: Any
    microsoft: Any
    winner: Side

    def __repr__(self) -> str:
        return f"<conflict of {self.name}, {self.winner} wins>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Merge:
    """What a merge asks for. Values are those of the fields that must change, by field.

    `settled` are the fields on which both sides agree once the writes are done: only their base may move.
    `unfit` are the fields of which a side can hold a part only; `refused` those whose change the CRM does not take.
    """

    to_crm: Mapping[str, Any] = field(default_factory=dict)
    to_microsoft: Mapping[str, Any] = field(default_factory=dict)
    conflicts: tuple[FieldConflict, ...] = ()
    settled: frozenset[str] = frozenset()
    unfit: tuple[tuple[str, Side], ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def is_quiet(self) -> bool:
        return not (self.to_crm or self.to_microsoft)

    @property
    def sends(self) -> bool:
        """Whether Microsoft has to be written."""
        return bool(self.to_microsoft)


def needs_microsoft(pair: Pair, digest: Digest) -> bool:
    """Whether the values that Microsoft holds now must be read before this pair can be merged.

    True when a changed list or text of the CRM's may replace more than the CRM can hold, when names change, from which
    Microsoft would make a new display name, and when e-mail addresses do, beside which it keeps names (facts 5.2).
    """
    if pair.microsoft is not None:
        return False
    if pair.base is None:
        return True
    changed = changed_in_crm(pair, digest)
    if changed & {"given_name", "middle_name", "surname", "company_name", "title", "emails"}:
        return True
    if any(_is_partial(getattr(pair.crm, name)) for name in changed):
        return True
    return any(name not in pair.base.microsoft or _may_hold_more(name, pair) for name in changed)


def _is_partial(value: object) -> bool:
    """Whether the CRM maps a part of an address only: the other parts must be sent along as they are."""
    return isinstance(value, PostalAddress) and value.is_partial


def _may_hold_more(name: str, pair: Pair) -> bool:
    assert pair.base is not None
    lossy = pair.base.crm.get(name) != pair.base.microsoft.get(name)
    return lossy and (name in LIST_FIELDS or name in pair.crm_limits.characters or name.endswith("_address"))


def changed_in_crm(pair: Pair, digest: Digest) -> frozenset[str]:
    """The fields whose CRM value is another than in the base; all of them without a base."""
    base = pair.base.crm if pair.base else {}
    return frozenset(
        name for name, value in pair.crm.values().items() if base.get(name) != digest(canonical(name, value))
    )


def merge(pair: Pair, policy: Policy, digest: Digest) -> Merge:
    """Decide every mapped field of one pair. Writes nothing; same arguments, same answer."""
    fields = [decide_field(name, pair, policy, digest) for name in pair.crm.set_fields()]
    return collect(fields, pair, policy)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Decided:
    """One decided field: `full` is the value both sides should hold as far as they can; UNSET: leave both alone.

    `by` is the side whose value stands in it.
    """

    name: str
    full: Any = UNSET
    by: Side | None = None
    conflict: FieldConflict | None = None
    settled: bool = True


def decide_field(name: str, pair: Pair, policy: Policy, digest: Digest) -> Decided:
    """One field by itself."""
    crm = getattr(pair.crm, name)
    microsoft = getattr(pair.microsoft, name) if pair.microsoft is not None else UNSET
    base = pair.base
    known = _base_of(name, microsoft, base, digest)
    if known is None:
        return Decided(name=name) if microsoft is UNSET else _first_pairing(name, crm, microsoft, pair, policy)
    base_crm, base_microsoft = known
    crm_moved = digest(canonical(name, crm)) != base_crm
    microsoft_moved = microsoft is not UNSET and digest(canonical(name, microsoft)) != base_microsoft
    microsoft = _mapped_part(crm, microsoft)
    if not crm_moved and not microsoft_moved:
        return Decided(name=name)
    if crm_moved and not microsoft_moved:
        return Decided(name=name, full=_from_crm(name, crm, microsoft, pair))
    if microsoft_moved and not crm_moved:
        return _one_sided(name, crm, microsoft, pair, policy)
    if agree(name, crm, microsoft, pair.crm_limits, pair.microsoft_limits):
        return Decided(name=name)
    return _conflict(name, crm, microsoft, pair, policy)


def _mapped_part(crm: Any, microsoft: Any) -> Any:
    """Microsoft's value without what the CRM does not map of it: of some addresses it has some parts only (CON-01)."""
    if not (isinstance(crm, PostalAddress) and crm.is_partial) or microsoft is UNSET:
        return microsoft
    whole = microsoft or PostalAddress()
    return dataclasses.replace(whole, **{part: UNSET for part in PARTS if getattr(crm, part) is UNSET})


def _base_of(name: str, microsoft: Any, base: Base | None, digest: Digest) -> tuple[str, str] | None:
    """The digests of both sides at the last agreement; None if they never agreed on this field."""
    if base is None:
        return None
    if name in base.pending and microsoft is not UNSET and digest(canonical(name, microsoft)) == base.pending[name][1]:
        return base.pending[name]
    if name in base.crm and name in base.microsoft:
        return base.crm[name], base.microsoft[name]
    return None


def _one_sided(name: str, crm: Any, microsoft: Any, pair: Pair, policy: Policy) -> Decided:
    """Only Microsoft's value moved."""
    if policy.source is Side.CRM:  # ORG-06: an edit on the target of a one-way sync stays there, and is not taken in
        return Decided(name=name, settled=False)
    if policy.crm_refuses or name not in pair.writable:
        return Decided(name=name, full=_from_crm(name, crm, microsoft, pair))
    return Decided(name=name, full=combine(name, microsoft, crm, pair.microsoft_limits), by=Side.MICROSOFT)


def _from_crm(name: str, crm: Any, microsoft: Any, pair: Pair) -> Any:
    return crm if microsoft is UNSET else combine(name, crm, microsoft, pair.crm_limits)


def winner_of(name: str, pair: Pair, policy: Policy) -> Side:
    """The side whose value stands where both changed it (ORG-09)."""
    if policy.source is not None:
        return policy.source
    if policy.crm_refuses or name not in pair.writable:
        return Side.CRM
    if policy.conflict_rule is ConflictRule.LATEST:
        mine, theirs = pair.crm_changed_at, pair.microsoft_changed_at
        return Side.MICROSOFT if mine and theirs and theirs > mine else Side.CRM
    return Side.MICROSOFT if policy.conflict_rule is ConflictRule.MICROSOFT else Side.CRM


def _conflict(name: str, crm: Any, microsoft: Any, pair: Pair, policy: Policy) -> Decided:
    winner = winner_of(name, pair, policy)
    if winner is Side.CRM:
        full = combine(name, crm, microsoft, pair.crm_limits)
    else:
        full = combine(name, microsoft, crm, pair.microsoft_limits)
    kept = FieldConflict(name=name, crm=crm, microsoft=microsoft, winner=winner)
    return Decided(name=name, full=full, by=winner, conflict=kept)


def _first_pairing(name: str, crm: Any, microsoft: Any, pair: Pair, policy: Policy) -> Decided:
    """CON-05: what is empty on one side is filled from the other, what differs goes by the conflict rule."""
    microsoft = _mapped_part(crm, microsoft)
    if agree(name, crm, microsoft, pair.crm_limits, pair.microsoft_limits):
        return Decided(name=name)
    if (not crm and policy.source is Side.CRM) or (not microsoft and policy.source is Side.MICROSOFT):
        return Decided(name=name, settled=False)
    if not crm:
        return Decided(name=name, full=microsoft)
    if not microsoft:
        return Decided(name=name, full=crm)
    winner = winner_of(name, pair, policy)
    if name in LIST_FIELDS:
        return _first_list(name, crm, microsoft, winner, pair)
    if isinstance(crm, PostalAddress) and isinstance(microsoft, PostalAddress):
        return _first_address(name, crm, microsoft, winner)
    return _conflict(name, crm, microsoft, pair, policy)


def _first_list(name: str, crm: tuple[str, ...], microsoft: tuple[str, ...], winner: Side, pair: Pair) -> Decided:
    """Lists are filled slot by slot; where one holds all of the other's entries nothing differs and none is lost."""
    first, second = (crm, microsoft) if winner is Side.CRM else (microsoft, crm)
    known = {_entry(name, item) for item in first}
    union = (*first, *(item for item in second if _entry(name, item) not in known))
    if len(union) in (len(crm), len(microsoft)):
        return Decided(name=name, full=union, by=winner)
    limits = pair.crm_limits if winner is Side.CRM else pair.microsoft_limits
    slots = _unique(name, (*first, *second[len(first) :]))
    full = combine(name, slots, second, limits) if len(second) > len(fit(name, second, limits)) else slots
    kept = FieldConflict(name=name, crm=crm, microsoft=microsoft, winner=winner)
    return Decided(name=name, full=full, by=winner, conflict=kept)


def _entry(name: str, item: str) -> Any:
    return canonical(name, (item,))


def _unique(name: str, items: Iterable[str]) -> tuple[str, ...]:
    found: dict[Any, str] = {}
    for item in items:
        found.setdefault(_entry(name, item), item)
    return tuple(found.values())


def _first_address(name: str, crm: PostalAddress, microsoft: PostalAddress, winner: Side) -> Decided:
    first, second = (crm, microsoft) if winner is Side.CRM else (microsoft, crm)
    parts = {part: getattr(first, part) or getattr(second, part) for part in PARTS}
    differs = any(
        getattr(crm, part) and getattr(microsoft, part) and getattr(crm, part) != getattr(microsoft, part)
        for part in parts
    )
    kept = FieldConflict(name=name, crm=crm, microsoft=microsoft, winner=winner) if differs else None
    return Decided(name=name, full=PostalAddress(**parts), by=winner, conflict=kept)


def collect(fields: Iterable[Decided], pair: Pair, policy: Policy) -> Merge:
    """Turn decided fields into writes that the policy allows and that change something."""
    to_crm: dict[str, Any] = {}
    to_microsoft: dict[str, Any] = {}
    settled: set[str] = set()
    unfit: list[tuple[str, Side]] = []
    refused: list[str] = []
    conflicts: list[FieldConflict] = []
    for item in fields:
        if item.full is UNSET:
            if item.settled:
                settled.add(item.name)
            continue
        crm_done = _towards_crm(item, pair, policy, to_crm, unfit, refused)
        microsoft_done = _towards_microsoft(item, pair, policy, to_microsoft, unfit)
        if crm_done and (microsoft_done or _stays_apart(item, pair, policy)):
            settled.add(item.name)
        if item.conflict and (item.name in settled or item.name in to_crm or item.name in to_microsoft):
            conflicts.append(item.conflict)
    return Merge(
        to_crm=to_crm,
        to_microsoft=to_microsoft,
        conflicts=tuple(conflicts),
        settled=frozenset(settled),
        unfit=tuple(unfit),
        refused=tuple(refused),
    )


def _stays_apart(item: Decided, pair: Pair, policy: Policy) -> bool:
    """Whether Microsoft is not to have the CRM's value: until the record comes into scope, because the CRM takes no
    change either, or because the CRM holds what its source could never hold (ORG-06, CON-10)."""
    return (
        policy.takes_in_only
        or item.name not in pair.writable
        or (policy.source is Side.MICROSOFT and item.by is Side.MICROSOFT)
    )


def _towards_crm(
    item: Decided, pair: Pair, policy: Policy, writes: dict[str, Any], unfit: list[tuple[str, Side]], refused: list[str]
) -> bool:
    current = getattr(pair.crm, item.name)
    target = fit(item.name, item.full, pair.crm_limits)
    if not same(item.name, target, item.full):
        unfit.append((item.name, Side.CRM))
    if same(item.name, target, current):
        if (
            pair.microsoft is not None
            and not same(item.name, getattr(pair.microsoft, item.name), item.full)
            and (policy.crm_refuses or item.name not in pair.writable)
        ):
            refused.append(item.name)
        return True
    if not policy.may_write(Side.CRM):
        return False
    if item.name not in pair.writable:
        refused.append(item.name)
        return True
    writes[item.name] = target
    return True


def _towards_microsoft(
    item: Decided, pair: Pair, policy: Policy, writes: dict[str, Any], unfit: list[tuple[str, Side]]
) -> bool:
    target = fit(item.name, item.full, pair.microsoft_limits)
    if not same(item.name, target, item.full):
        unfit.append((item.name, Side.MICROSOFT))
    if pair.microsoft is not None and same(item.name, target, getattr(pair.microsoft, item.name)):
        return True
    if not policy.may_write(Side.MICROSOFT):
        return False
    writes[item.name] = target
    return True
