"""Plan, first part: what Microsoft reported, paired with the CRM's records (CON-04, CON-05, ORG-08, SYNC-09)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..models import InboxItem, MappingState, RecordMapping
from ..reconcile.plan import Action
from . import inbox
from .folders import Cursors
from .items import Item
from .limits import Limits
from .merging import merge_step
from .steps import Step
from .work import Work


def plan_inbox(work: Work, cursors: Cursors) -> Iterator[list[Step]]:
    """Chunks of steps for everything that waits in the inbox."""
    last = 0
    while True:
        rows = list(inbox.waiting(work).filter(pk__gt=last)[: work.chunk])
        if not rows:
            return
        last = rows[-1].pk
        yield _plan_rows(work, cursors, rows)


def _plan_rows(work: Work, cursors: Cursors, rows: list[InboxItem]) -> list[Step]:
    items = {row.pk: item for row in rows if (item := inbox.open_item(work, row)) is not None}
    mapped = {row.graph_id: row for row in work.mappings().filter(graph_id__in=[row.graph_id for row in rows])}
    steps = _known(
        work,
        cursors,
        [(row, items[row.pk], mapped[row.graph_id]) for row in rows if row.graph_id in mapped and row.pk in items],
    )
    steps += work.how.plan_unknown(
        work, cursors, [(row, items[row.pk]) for row in rows if row.graph_id not in mapped and row.pk in items]
    )
    return steps


def _known(work: Work, cursors: Cursors, known: Sequence[tuple[InboxItem, Item, RecordMapping]]) -> list[Step]:
    steps: list[Step] = []
    for adapter in work.adapters:
        own = [entry for entry in known if entry[2].adapter == adapter.name]
        if not own:
            continue
        ids = [mapping.object_id for _row, _item, mapping in own]
        objects = adapter.by_ids(ids, work.ctx)
        limits = Limits(work, adapter, ids)
        found = [
            _known_step(work, adapter, row, item, mapping, objects.get(mapping.object_id), limits)
            for row, item, mapping in own
        ]
        merging = [step for step in found if step.action is not Action.SKIP]
        work.how.prepare(work, merging)
        for step in merging:
            merge_step(work, cursors, step)
        steps += found
    return steps


def _known_step(
    work: Work,
    adapter: Any,
    row: InboxItem,
    item: Item,
    mapping: RecordMapping,
    obj: Any,
    limits: Limits,
) -> Step:
    in_scope = mapping.object_id in limits.inside
    step = Step(
        action=Action.UPDATE,
        adapter=adapter,
        mapping=mapping,
        object_id=mapping.object_id,
        obj=obj,
        item=item,
        row=row,
        in_scope=mapping.in_scope or in_scope,
    )
    if obj is None:
        step.action, step.reason = Action.SKIP, "its CRM record is gone"  # decided among the deletions: DEL-01
        return step
    if mapping.state == MappingState.RELEASED:
        visible = mapping.object_id in limits.visible
        if work.how.stays_released(work, mapping, item, in_scope=in_scope, visible=visible):
            step.action, step.reason = Action.SKIP, "it is no longer synced"
            return step
        step.in_scope = in_scope
    limits.note(step)
    return step
