"""The merge of an event, where it is not field by field: when it is, whether it is private, and its notes (CAL, PRIV).

    start, end, all day, zone   one thing: two people who each moved it do not end with half of either's time
    private                     true once, true on both sides; never the other way (PRIV-01)
    notes                       once, when the event first syncs; after that each side keeps its own (CAL-02)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..records import UNSET, is_set
from ..records.contact import canonical
from .fit import same
from .merge import Decided, Digest, FieldConflict, Merge, Pair, collect, decide_field, winner_of
from .policy import Policy, Side

WHEN = ("start", "end", "all_day", "time_zone")
#: Fields that no merge looks at: the first two are decided with the people, the others with the series.
APART = frozenset({"attendees", "external_attendees", "status", "recurrence", "series_key"})
#: Goes across when an event first syncs, and not again.
ONCE = frozenset({"body"})


def compared(names: Iterable[str], *, linked: bool) -> frozenset[str]:
    """Those of the mapped fields on which both sides are compared; `linked`: they have agreed before."""
    return frozenset(names) - APART - (ONCE if linked else frozenset())


def merge_event(pair: Pair, policy: Policy, digest: Digest) -> Merge:
    """Decide every field of an event. Writes nothing; same arguments, same answer."""
    names = [name for name in pair.crm.set_fields() if name in compared(pair.crm.set_fields(), linked=False)]
    when = [name for name in names if name in WHEN]
    fields = [_private(pair, digest) if name == "private" else decide_field(name, pair, policy, digest)
              for name in names if name not in WHEN]
    fields += _when(when, pair, policy, digest)
    result = collect(fields, pair, policy)
    return _with_the_whole_time(result, when, pair)


def _private(pair: Pair, digest: Digest) -> Decided:
    crm = bool(pair.crm.values().get("private"))
    theirs = pair.microsoft.values().get("private", UNSET) if pair.microsoft is not None else UNSET
    if _moved("private", crm, pair, digest, Side.CRM) and crm:
        return Decided(name="private", full=True)
    if is_set(theirs) and _moved("private", theirs, pair, digest, Side.MICROSOFT) and theirs:
        return Decided(name="private", full=True)
    return Decided(name="private")


def _moved(name: str, value: Any, pair: Pair, digest: Digest, side: Side) -> bool:
    """Whether a value is another than when both sides last agreed; true where they never did."""
    if pair.base is None:
        return True
    known = pair.base.crm if side is Side.CRM else pair.base.microsoft
    if side is Side.MICROSOFT and name in pair.base.pending and digest(canonical(name, value)) == (
            pair.base.pending[name][1]):
        return False
    return known.get(name) != digest(canonical(name, value))


def _when(names: list[str], pair: Pair, policy: Policy, digest: Digest) -> list[Decided]:
    """The time as one thing where both sides changed it, or meet for the first time; else field by field."""
    if pair.microsoft is None or not names:
        return [decide_field(name, pair, policy, digest) for name in names]
    theirs = {name: getattr(pair.microsoft, name) for name in names}
    mine = {name: getattr(pair.crm, name) for name in names}
    at_once = [name for name in names if name != "time_zone"]
    agree = all(same(name, mine[name], theirs[name]) for name in at_once)
    crm_moved = any(_moved(name, mine[name], pair, digest, Side.CRM) for name in at_once)
    microsoft_moved = any(_moved(name, theirs[name], pair, digest, Side.MICROSOFT) for name in at_once)
    if agree:  # a zone has several names, and which of them stands beside the same instant is no reason to write
        return [Decided(name=name) for name in at_once] + [
            _zone(mine["time_zone"], theirs["time_zone"], policy) for name in names if name == "time_zone"]
    if not (crm_moved and microsoft_moved):
        return [decide_field(name, pair, policy, digest) for name in names]
    winner = winner_of("start", pair, policy)
    wins = mine if winner is Side.CRM else theirs
    return [
        Decided(name=name, full=wins[name] if is_set(wins[name]) else mine[name], by=winner, conflict=None
                if same(name, mine[name], theirs[name]) or name == "time_zone" else
                FieldConflict(name=name, crm=mine[name], microsoft=theirs[name], winner=winner))
        for name in names
    ]


def _zone(mine: Any, theirs: Any, policy: Policy) -> Decided:
    if not mine and theirs and policy.source is not Side.CRM:
        return Decided(name="time_zone", full=theirs, by=Side.MICROSOFT)
    return Decided(name="time_zone")


def _with_the_whole_time(result: Merge, when: list[str], pair: Pair) -> Merge:
    """Whoever sends a part of the time sends all of it: Graph takes start, end and zone together (facts 6.3)."""
    if not any(name in result.to_microsoft for name in when):
        return result
    whole = {name: getattr(pair.crm, name) for name in when} | dict(result.to_crm)
    sent = {name: whole[name] for name in when if is_set(whole[name])} | dict(result.to_microsoft)
    kept = {name: value for name, value in result.to_microsoft.items() if name not in when}
    return Merge(to_crm=result.to_crm, to_microsoft=kept | {name: sent[name] for name in when if name in sent},
                 conflicts=result.conflicts, settled=result.settled | (frozenset(when) & frozenset(sent)),
                 unfit=result.unfit, refused=result.refused)
