"""Plan, third part: what is gone on one side, or no longer among what the user syncs (DEL-01, ORG-12, CON-07 to 11).

All deletions are counted before the first one is made, so that a guard can stop them (ORG-13).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ..adapters.context import Scope
from ..errors import GraphError, NotFound
from ..models import MappingState, RecordMapping
from ..reconcile.decide import (
    Cancel,
    Delete,
    Forget,
    Let,
    Nothing,
    Recreate,
    Release,
    gone_in_crm,
    gone_in_microsoft,
)
from ..reconcile.plan import Action
from ..reconcile.policy import Side
from ..reconcile.scope import fallen_out
from . import held
from .folders import Cursors
from .items import ITEMS, Item
from .limits import Limits
from .merging import build_pair, crm_folder, merge_step
from .report import Report
from .steps import Step
from .work import Work


@dataclass
class Found:
    """Keys of mappings by what happened to them. Only keys are held, however many there are."""

    gone_in_crm: list[int] = field(default_factory=list)
    fallen_out: list[int] = field(default_factory=list)
    gone_in_microsoft: list[int] = field(default_factory=list)


def plan_deletions(work: Work, cursors: Cursors, report: Report) -> Iterator[list[Step]]:
    """Chunks of steps. Suspected removals that turn out to be moves are merged as any other change."""
    found = Found()
    for chunk in _parts(work, _suspects(work)):
        alive = _confirm(work, cursors, chunk, found)
        if alive:
            yield alive
    for adapter in work.adapters:
        found.gone_in_crm += _gone_in_crm(work, adapter)
        found.fallen_out += _fallen_out(work, adapter)
    yield from _decided(work, cursors, found, report)


def _suspects(work: Work) -> list[int]:
    rows = work.mappings().exclude(state=MappingState.INTENDED)
    if work.preview:
        rows = rows.filter(graph_id__in=work.suspects) | rows.filter(gone_since__isnull=False)
    else:
        rows = rows.filter(gone_since__isnull=False)
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _parts(work: Work, keys: list[int]) -> Iterator[list[RecordMapping]]:
    for start in range(0, len(keys), work.chunk):
        yield list(RecordMapping.objects.filter(pk__in=keys[start : start + work.chunk]).order_by("pk"))


def _confirm(work: Work, cursors: Cursors, mappings: list[RecordMapping], found: Found) -> list[Step]:
    """Ask Microsoft for each suspect by its id: a removal is also reported for what merely moved (SYNC-08)."""
    frozen = [mapping.pk for mapping in mappings if work.how.is_frozen(work, mapping)]
    if frozen:  # it left the window, which is no news (SYNC-02)
        mappings = [mapping for mapping in mappings if mapping.pk not in frozen]
        if not work.preview:
            work.mappings().filter(pk__in=frozen).update(gone_since=None)
    answers = work.store.get([row.graph_id for row in mappings if row.graph_id])
    if any(isinstance(item, ITEMS) and not work.how.is_alive(work, cursors, item) for item in answers.values()):
        cursors.note(work.how.folders(work))  # Deleted Items, or a folder that was made since this cycle began
    alive = []
    for mapping in mappings:
        item = answers.get(mapping.graph_id or "")
        if isinstance(item, ITEMS) and work.how.is_alive(work, cursors, item):
            alive.append((mapping, item))
        elif isinstance(item, (*ITEMS, NotFound)):
            found.gone_in_microsoft.append(mapping.pk)
        elif isinstance(item, GraphError):
            raise item
    return [
        step
        for adapter in work.adapters
        for step in _alive_steps(
            work, cursors, adapter, [(mapping, item) for mapping, item in alive if mapping.adapter == adapter.name]
        )
    ]


def _alive_steps(
    work: Work, cursors: Cursors, adapter: Any, alive: list[tuple[RecordMapping, Item]]
) -> list[Step]:
    ids = [mapping.object_id for mapping, _item in alive]
    objects = adapter.by_ids(ids, work.ctx)
    limits = Limits(work, adapter, ids)
    steps = []
    merging = []
    for mapping, item in alive:
        step = Step(
            action=Action.UPDATE,
            adapter=adapter,
            mapping=mapping,
            object_id=mapping.object_id,
            item=item,
            obj=objects.get(mapping.object_id),
            in_scope=mapping.in_scope,
        )
        if item.folder and item.folder not in cursors.links:
            step.action, step.decision = Action.RELEASE, Let(Release.MOVED_AWAY)
            step.reason = "it was moved in Outlook to a folder that is not synced"
            step.note(Action.RELEASE, None, reason=step.reason)
        elif mapping.state != MappingState.LINKED or step.obj is None:
            step.action = Action.SKIP
        else:
            limits.note(step)
            merging.append(step)
        steps.append(step)
    work.how.prepare(work, merging)
    for step in merging:
        merge_step(work, cursors, step)
    return steps


def _gone_in_crm(work: Work, adapter: Any) -> list[int]:
    """One anti-join: every kind of deletion is seen, raw SQL included (DEL-01)."""
    existing = adapter.existing(work.ctx).annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id")
    rows = work.mappings().filter(adapter=adapter.name).exclude(object_id__in=existing)
    rows = rows.exclude(state=MappingState.RELEASED, released_by=Release.CRM_DELETED)
    return list(rows.exclude(state=MappingState.INTENDED, intended_at__isnull=False).values_list("pk", flat=True))


def missing_in_crm(work: Work, adapter: Any) -> tuple[int, int]:
    """How many linked records the CRM does not show any more, out of how many."""
    linked = work.mappings().filter(adapter=adapter.name, state=MappingState.LINKED)
    existing = adapter.existing(work.ctx).annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id")
    return linked.exclude(object_id__in=existing).count(), linked.count()


def _fallen_out(work: Work, adapter: Any) -> list[int]:
    inside = adapter.in_scope(work.ctx, work.scope).annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id")
    existing = adapter.existing(work.ctx).annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id")
    rows = work.mappings().filter(adapter=adapter.name, state=MappingState.LINKED, in_scope=True)
    return list(rows.exclude(object_id__in=inside).filter(object_id__in=existing).values_list("pk", flat=True))


def remember_limits(work: Work) -> None:
    """Note today's limits before anything is linked under them: the cycle may end half way, and the user may change
    them before the next one."""
    progress = dict(work.link.progress.get(work.kind) or {})
    today, known = limits_as_dict(work.scope), list(progress.get("limits") or ())
    if today != work.link.applied_scope.get(work.kind) and today not in known:
        work.save_link(progress={**work.link.progress, work.kind: {**progress, "limits": [*known, today]}})


def limits_as_dict(scope: Scope) -> dict[str, Any]:
    """A user's limits as the link's row keeps them."""
    return {
        "only_my_items": scope.only_my_items,
        "folders": list(scope.folders) if scope.folders is not None else None,
    }


def _earlier_limits(work: Work) -> list[Scope]:
    """The limits that the last whole cycle applied, and those of cycles that were cut off since; without today's."""
    kept = [
        work.link.applied_scope.get(work.kind),
        *((work.link.progress.get(work.kind) or {}).get("limits") or ()),
    ]
    scopes = [
        Scope(
            only_my_items=bool(limits.get("only_my_items")),
            folders=tuple(limits["folders"]) if limits.get("folders") is not None else None,
        )
        for limits in kept
        if limits is not None
    ]
    return [scope for scope in scopes if scope != work.scope]


def _decided(work: Work, cursors: Cursors, found: Found, report: Report) -> Iterator[list[Step]]:
    linked = work.mappings().filter(state=MappingState.LINKED).count()
    deleting = {Side.MICROSOFT: 0, Side.CRM: 0}
    for part in _all_steps(work, cursors, found):
        for step in part:
            if isinstance(step.decision, Delete):
                deleting[step.decision.side] += 1
    stopped = {side for side, count in deleting.items() if held.guard_stops(work, report, side, count, linked)}
    for part in _all_steps(work, cursors, found):
        steps = [step for step in part if not (isinstance(step.decision, Delete) and step.decision.side in stopped)]
        for step in part:
            if isinstance(step.decision, Delete) and step.decision.side in stopped and work.preview:
                step.action, step.reason = Action.HOLD, "the deletion guard holds it until an administrator confirms"
                steps.append(step)
        if steps:
            yield steps


def _all_steps(work: Work, cursors: Cursors, found: Found) -> Iterator[list[Step]]:
    for mappings in _parts(work, found.gone_in_microsoft):
        yield from _by_adapter(work, mappings, lambda step, limits: _gone_in_microsoft(work, step, limits))
    gone_in_microsoft = set(found.gone_in_microsoft)
    for mappings in _parts(work, [key for key in found.gone_in_crm if key not in gone_in_microsoft]):
        yield from _by_adapter(work, mappings, lambda step, _limits: _gone_in_crm_step(work, step))
    done = gone_in_microsoft | set(found.gone_in_crm)
    for mappings in _parts(work, [key for key in found.fallen_out if key not in done]):
        yield from _by_adapter(work, mappings, lambda step, limits: _fallen_out_step(work, step, limits))


def _by_adapter(work: Work, mappings: list[RecordMapping], decide: Any) -> Iterator[list[Step]]:
    for adapter in work.adapters:
        own = [row for row in mappings if row.adapter == adapter.name]
        if own:
            objects = adapter.by_ids([row.object_id for row in own], work.ctx)
            limits = _Limits(work, adapter, list(objects))
            steps = [_step(adapter, row, objects.get(row.object_id)) for row in own]
            work.how.prepare(work, steps)
            for step in steps:
                decide(step, limits)
            restored = [step for step in steps if step.action is Action.RESTORE]
            kept = {id(step) for step in work.how.add_to_creations(work, restored)}
            yield [step for step in steps if step.action is not Action.RESTORE or id(step) in kept]


class _Limits:
    """Why records of a part are outside the user's limits today (`today`), and why they were outside all the limits
    that may have been applied since the last whole cycle (`before`); "" for inside."""

    def __init__(self, work: Work, adapter: Any, object_ids: list[str]) -> None:
        self.today: dict[str, str] = adapter.explain_scopes(object_ids, work.ctx, work.scope) if object_ids else {}
        self.before = dict(self.today)
        for scope in _earlier_limits(work) if object_ids else ():
            reasons = adapter.explain_scopes(object_ids, work.ctx, scope)
            self.before = {key: why and reasons.get(key, "") for key, why in self.before.items()}


def _step(adapter: Any, mapping: RecordMapping, obj: Any) -> Step:
    return Step(
        action=Action.DELETE,
        adapter=adapter,
        mapping=mapping,
        object_id=mapping.object_id,
        obj=obj,
        in_scope=mapping.in_scope,
    )


def settle(step: Step) -> None:
    """Say on the step what its decision means."""
    match step.decision:
        case None | Nothing():
            step.action = Action.SKIP
        case Delete(side=side, reason=reason):
            step.action, step.reason = Action.DELETE, reason
            step.note(Action.DELETE, side, reason=reason)
            step.operations[-1] = step.operations[-1].with_recipients(step.recipients)
        case Cancel():
            step.action, step.reason = Action.RELEASE, str(Release.CALLED_OFF)
            step.note(Action.UPDATE, Side.CRM, ("status",), reason=step.reason)
        case Recreate(reason=reason):
            step.action, step.reason = Action.RESTORE, reason
            step.note(Action.RESTORE, Side.MICROSOFT, reason=reason)
        case Let(because=because):
            step.action, step.reason = Action.RELEASE, str(because)
            step.note(Action.RELEASE, None, reason=str(because))
        case Forget(reason=reason):
            step.action, step.reason = Action.FORGET, reason
            step.note(Action.FORGET, None, reason=reason)


def _gone_in_crm_step(work: Work, step: Step) -> None:
    assert step.mapping is not None
    if step.mapping.state != MappingState.LINKED:
        step.decision = Forget("it was no longer synced, and is deleted in the CRM")
    else:
        work.how.gone_in_crm(work, step)
    settle(step)


def contact_gone_in_crm(work: Work, step: Step) -> None:
    """DEL-01 for a contact."""
    assert step.mapping is not None
    step.decision = gone_in_crm(work.policy.but(takes_in_only=not step.mapping.in_scope))


def _gone_in_microsoft(work: Work, step: Step, limits: _Limits) -> None:
    mapping = step.mapping
    assert mapping is not None
    if step.obj is None:
        step.decision = Forget("deleted on both sides")
    elif mapping.state == MappingState.RELEASED:
        step.decision = Let(Release(mapping.released_by)) if mapping.released_by else Let(Release.UNLINKED)
    elif mapping.in_scope and limits.today.get(mapping.object_id):
        step.decision = Forget("gone in Microsoft, and no longer among what this user syncs")
    else:
        work.how.gone_in_microsoft(work, step)
    settle(step)


def contact_gone_in_microsoft(work: Work, step: Step) -> None:
    """ORG-12 for a contact."""
    assert step.mapping is not None
    adapter = step.adapter
    step.decision = gone_in_microsoft(
        build_pair(work, step),
        work.policy.but(takes_in_only=not step.mapping.in_scope),
        work.digest,
        recoverable=adapter.recoverable and adapter.can_delete(step.obj, work.ctx),
    )
    if isinstance(step.decision, Recreate):
        step.folder_to_microsoft = crm_folder(work, step)


def _fallen_out_step(work: Work, step: Step, limits: _Limits) -> None:
    before = limits.before.get(step.object_id, "")
    work.how.fallen_out(work, step, before, limits.today.get(step.object_id, ""))
    settle(step)


def contact_fallen_out(work: Work, step: Step, before: str, today: str) -> None:
    """CON-07 to CON-09, CON-11."""
    step.decision = fallen_out(work.policy, by_record=bool(before), why=before or today)
