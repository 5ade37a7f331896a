"""Plan: what Microsoft reported and no mapping knows finds its partner, waits, or is new (CON-04, CON-05, SYNC-09)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..models import InboxItem, InboxKey, InboxState, MappingState, RecordMapping
from ..reconcile import matching
from ..reconcile.decide import Delete, Release
from ..reconcile.plan import Action
from ..reconcile.policy import Side
from . import inbox
from .folders import Cursors
from .identities import Ref, is_siblings, read_markers, with_markers
from .items import Item
from .limits import scope_ids, visible_ids
from .markers import Marker
from .merging import LEFT_OUT, is_left_out, merge_step
from .steps import Step
from .work import Work

#: A record of ours that Microsoft made within this time of a repeated creation is its twin.
TWIN_WITHIN = timedelta(minutes=2)


@dataclass
class _Candidates:
    """CRM records that may be partners of some items: by rule and key, with names and what is known of each."""

    by_rule: dict[str, dict[str, list[Ref]]] = field(default_factory=dict)
    names: dict[Ref, tuple[str, str]] = field(default_factory=dict)
    objects: dict[Ref, Any] = field(default_factory=dict)
    keys: dict[Ref, dict[str, tuple[str, ...]]] = field(default_factory=dict)


def plan_unknown(work: Work, cursors: Cursors, found: list[tuple[InboxItem, Item]]) -> list[Step]:
    if not found:
        return []
    steps: list[Step] = []
    rest: list[tuple[InboxItem, Item]] = []
    copies: set[str] = set()
    steps += [_left_out(row, item) for row, item in found if is_left_out(work, item.data)]
    found = [(row, item) for row, item in found if not is_left_out(work, item.data)]
    texts = read_markers(work, [item for _row, item in found])
    elsewhere = {key for key, text in texts.items() if is_siblings(work, text)}
    steps += [_of_sibling(row) for row, item in found if item.graph_id in elsewhere]
    found = [(row, item) for row, item in found if item.graph_id not in elsewhere]
    marked = with_markers(work, found, texts)
    known = _Known(
        work,
        [
            (adapter.name, marker.object_id)
            for _row, _item, marker, obj, adapter in marked
            if obj is not None and adapter is not None and marker is not None
        ],
    )
    for row, item, marker, obj, adapter in marked:
        if obj is not None and adapter is not None and marker is not None:
            mapping = known.mappings.get((adapter.name, marker.object_id))
            if mapping is not None and _is_twin(mapping, marker, item):
                steps.append(_twin(row, item, adapter, mapping))
                continue
            if mapping is None or mapping.graph_id is None or mapping.state == MappingState.RELEASED:
                steps.append(_pair(work, cursors, row, item, adapter, obj, known, token=marker.token))
                continue
            copies.add(item.graph_id)
        rest.append((row, item))
    candidates = _find_candidates(work, [item for _row, item in rest if item.graph_id not in copies])
    competing = _competing(work, candidates, elsewhere)
    known = _Known(work, list(candidates.objects))
    taken: set[Ref] = {(step.adapter.name, step.object_id) for step in steps if step.adapter}
    for row, item in rest:
        if item.graph_id in work.choices:
            steps.append(_chosen(work, cursors, row, item, work.choices[item.graph_id]))
            continue
        match = (
            matching.Match()
            if item.graph_id in copies
            else matching.match(item.data, candidates.by_rule, candidates.names, work.rules, work.region)
        )
        steps.append(_matched(work, cursors, row, item, match, candidates, competing, taken, known))
    return steps


def _is_twin(mapping: RecordMapping, marker: Marker, item: Item) -> bool:
    """Whether the item is a second outcome of our own repeated creation, and not a copy that a person made."""
    return (
        mapping.state == MappingState.LINKED
        and mapping.graph_id != item.graph_id
        and mapping.repeated_at is not None
        and marker.token == mapping.marker
        and item.created_at is not None
        and item.created_at <= mapping.repeated_at + TWIN_WITHIN
    )


def _twin(row: InboxItem, item: Item, adapter: Any, mapping: RecordMapping) -> Step:
    step = Step(
        action=Action.DELETE,
        adapter=adapter,
        item=item,
        row=row,
        object_id=mapping.object_id,
        decision=Delete(Side.MICROSOFT, "made twice because an answer was lost"),
        twin_of=mapping,
    )
    step.note(Action.DELETE, Side.MICROSOFT, reason="made twice because an answer was lost")
    return step


class _Known:
    """What is known of some CRM records, in a constant number of queries: their mappings in this link, which of them
    the user may see, and which the user's limits let out."""

    def __init__(self, work: Work, refs: list[Ref]) -> None:
        self.mappings: dict[Ref, RecordMapping] = {}
        self.visible: set[Ref] = set()
        self.inside: set[Ref] = set()
        for adapter in work.adapters:
            ids = [object_id for name, object_id in refs if name == adapter.name]
            if not ids:
                continue
            rows = work.mappings().filter(adapter=adapter.name, object_id__in=ids)
            self.mappings |= {(row.adapter, row.object_id): row for row in rows}
            self.visible |= {(adapter.name, key) for key in visible_ids(work, adapter, ids)}
            self.inside |= {(adapter.name, key) for key in scope_ids(work, adapter, ids)}


def _left_out(row: InboxItem, item: Item) -> Step:
    return Step(action=Action.SKIP, row=row, item=item, reason=LEFT_OUT, code="left_out")


def _of_sibling(row: InboxItem) -> Step:
    return Step(action=Action.SKIP, row=row, reason="another organisation of this CRM has it")


def _find_candidates(work: Work, items: list[Item]) -> _Candidates:
    """CRM records of the tenant that may match, without those that this link has linked already."""
    found = _Candidates(by_rule={rule: defaultdict(list) for rule in work.rules})
    records = [item.data for item in items]
    if not records:
        return found
    for adapter in work.adapters:
        objects: dict[str, Any] = {}
        for rule in work.rules:
            for obj in adapter.candidates(rule, records, work.ctx):
                objects[adapter.object_id(obj)] = obj
        linked = set(
            work.mappings()
            .filter(adapter=adapter.name, object_id__in=list(objects))
            .exclude(
                state=MappingState.RELEASED,
                released_by__in=[Release.UNLINKED, Release.MOVED_AWAY],
            )
            .values_list("object_id", flat=True)
        )
        for object_id, obj in objects.items():
            ref = (adapter.name, object_id)
            record = adapter.read(obj, work.ctx)
            if record is None or object_id in linked or ref in work.assumed:
                continue
            found.objects[ref], found.names[ref] = obj, matching.full_name(record)
            found.keys[ref] = {rule: matching.keys(record, rule, work.region) for rule in work.rules}
            for rule, keys in found.keys[ref].items():
                for key in keys:
                    found.by_rule[rule][key].append(ref)
    return found


def _competing(work: Work, candidates: _Candidates, without: set[str]) -> dict[Ref, dict[str, set[str]]]:
    """For each candidate and rule, the Microsoft items without a partner that match it by that rule."""
    wanted: dict[tuple[str, str], set[Ref]] = defaultdict(set)
    for ref, by_rule in candidates.keys.items():
        for rule, keys in by_rule.items():
            for key in keys:
                wanted[(rule, work.digest(f"{rule}:{key}"))].add(ref)
    result: dict[Ref, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = InboxKey.objects.filter(
        key__in=[key for _rule, key in wanted], item__link=work.link, item__kind=work.kind, item__preview=work.preview
    ).values_list("rule", "key", "item__graph_id")
    for rule, key, graph_id in rows:
        for ref in wanted.get((rule, key), ()) if graph_id not in without else ():
            result[ref][rule].add(graph_id)
    return result


def _matched(
    work: Work,
    cursors: Cursors,
    row: InboxItem,
    item: Item,
    match: matching.Match[Ref],
    candidates: _Candidates,
    competing: dict[Ref, dict[str, set[str]]],
    taken: set[Ref],
    known: _Known,
) -> Step:
    if match.is_ambiguous:
        return _held(row, item, match.refs, "several records of the CRM match it")
    if match.is_clear:
        ref = match.refs[0]
        rivals = _rivals(work, ref, match.rule, competing)
        if rivals is None or ref in taken:
            return _new(work, cursors, row, item)
        if len(rivals) > 1:
            best = [key for key in rivals if candidates.names[ref] == _name_of(work, key) != ("", "")]
            if len(best) != 1:
                return _held(row, item, (ref,), "several contacts in Microsoft match the same record of the CRM")
            if best != [item.graph_id]:
                return _new(work, cursors, row, item)
        taken.add(ref)
        return _pair(work, cursors, row, item, work.adapter(ref[0]), candidates.objects[ref], known)
    return _new(work, cursors, row, item)


def _rivals(work: Work, ref: Ref, rule: str, competing: dict[Ref, dict[str, set[str]]]) -> set[str] | None:
    """The items that match the record by the same rule; None when another one matches by a stronger rule."""
    for stronger in work.rules[: work.rules.index(rule)]:
        if competing[ref][stronger]:
            return None
    return competing[ref][rule]


def _name_of(work: Work, graph_id: str) -> tuple[str, str]:
    row = InboxItem.objects.filter(link=work.link, kind=work.kind, preview=work.preview, graph_id=graph_id).first()
    item = inbox.open_item(work, row) if row else None
    return matching.full_name(item.data) if item else ("", "")


def _chosen(work: Work, cursors: Cursors, row: InboxItem, item: Item, choice: str) -> Step:
    """What a person decided about an unclear match: `ADAPTER:PK`, or anything else for a new record."""
    name, _colon, object_id = choice.rpartition(":")
    adapter = work.adapter(name)
    obj = adapter.by_ids([object_id], work.ctx).get(object_id) if adapter else None
    if adapter is None or obj is None:
        return _new(work, cursors, row, item)
    return _pair(work, cursors, row, item, adapter, obj, _Known(work, [(name, object_id)]))


def _held(row: InboxItem, item: Item, refs: tuple[Ref, ...], reason: str) -> Step:
    step = Step(action=Action.HOLD, item=item, row=row, reason=reason, candidates=refs)
    step.note(Action.HOLD, None, reason=reason)
    return step


def _pair(
    work: Work,
    cursors: Cursors,
    row: InboxItem,
    item: Item,
    adapter: Any,
    obj: Any,
    known: _Known,
    token: str = "",
) -> Step:
    """Link an item with a CRM record for the first time, or again (CON-05)."""
    object_id = adapter.object_id(obj)
    ref = (adapter.name, object_id)
    step = Step(
        action=Action.LINK,
        adapter=adapter,
        object_id=object_id,
        obj=obj,
        item=item,
        row=row,
        mapping=known.mappings.get(ref),
        token=token,
    )
    if ref not in known.visible or not adapter.can_change(obj, work.ctx):
        step.action, step.obj, step.object_id = Action.SKIP, None, ""
        step.reason = "it matches a CRM record that this user may not see or may not change"
        step.code = "not_permitted"
        return step
    step.in_scope = ref in known.inside
    work.assumed.add(ref)
    return merge_step(work, cursors, step)


def _new(work: Work, cursors: Cursors, row: InboxItem, item: Item) -> Step:
    """CON-04: a Microsoft contact without a match becomes a new CRM contact."""
    adapter = work.creator
    step = Step(action=Action.CREATE, adapter=adapter, item=item, row=row)
    if not work.policy.may_write(Side.CRM):
        step.action, step.reason = Action.SKIP, "contacts go to Microsoft only"
    elif adapter is None:
        step.action, step.reason = Action.SKIP, "this CRM takes in no new contacts"
    elif not adapter.can_create(work.ctx):
        step.action, step.reason = Action.SKIP, "this user may not create contacts in the CRM"
    elif not any(item.data.only(adapter.mapped).values().values()):
        step.action, step.reason = Action.SKIP, "it holds nothing that the CRM could keep"
    else:
        step.folder_to_crm = cursors.name_of(item.folder)
        step.note(Action.CREATE, Side.CRM, tuple(item.data.only(adapter.mapped).set_fields()))
    return step


def unpaired_partner(work: Work, records: dict[str, Any]) -> dict[str, list[InboxItem]]:
    """For CRM records (key to record): the items that stay in Microsoft only, or wait, and match them by a rule."""
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for ref, record in records.items():
        for rule in work.rules:
            for key in matching.keys(record, rule, work.region):
                wanted[(rule, work.digest(f"{rule}:{key}"))].add(ref)
    result: dict[str, list[InboxItem]] = defaultdict(list)
    keys = (
        InboxKey.objects.filter(
            key__in=[key for _rule, key in wanted],
            item__link=work.link,
            item__kind=work.kind,
            item__preview=work.preview,
        )
        .exclude(item__state=InboxState.WAITING)
        .select_related("item")
        if wanted
        else ()
    )
    for row in keys:
        for ref in wanted.get((row.rule, row.key), ()):
            if row.item not in result[ref]:
                result[ref].append(row.item)
    return result
