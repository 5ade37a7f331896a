"""Plan, second part: what changed in the CRM since the last cycle, and what is not in Microsoft yet.

What is new is found by one anti-join in the database, not by modification stamps, which lie. Stamps and hints only
narrow the search for changes among the linked records; digests decide, and a full pass looks at all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet

from ..models import CrmTouch, InboxItem, InboxState, MappingState, RecordMapping
from ..reconcile.decide import Let, Release
from ..reconcile.merge import changed_in_crm, needs_microsoft
from ..reconcile.plan import Action
from ..reconcile.policy import Side
from .folders import Cursors
from .items import ITEMS
from .limits import Limits
from .merging import LEFT_OUT, build_pair, crm_folder, is_left_out, is_quiet, merge_step
from .reading import read_items
from .steps import Step
from .unknown import unpaired_partner
from .work import Work

#: A record saved in a transaction that commits late bears an older stamp than its becoming visible.
OVERLAP = timedelta(minutes=2)


def plan_outgoing(work: Work, cursors: Cursors) -> Iterator[list[Step]]:
    """Chunks of steps for the CRM's side."""
    for adapter in work.adapters:
        yield from work.how.plan_widened(work, cursors, adapter)
        if work.policy.may_write(Side.MICROSOFT):
            yield from work.how.plan_new(work, cursors, adapter)
        yield from _changed(work, cursors, adapter)


# --- records that are not in Microsoft yet ---------------------------------------------------------------------------


def plan_new(work: Work, cursors: Cursors, adapter: Any) -> Iterator[list[Step]]:
    """Contacts among the user's limits that no mapping knows."""
    mapped = work.mappings().filter(adapter=adapter.name).values("object_id")
    rows = adapter.in_scope(work.ctx, work.scope).annotate(ms365_id=adapter.id_text()).exclude(ms365_id__in=mapped)
    rows = rows.order_by("pk")
    last: Any = None
    while True:
        part = rows if last is None else rows.filter(pk__gt=last)
        ids = list(dict.fromkeys(part.values_list("pk", "ms365_id")[: work.chunk]))
        if not ids:
            return
        last = ids[-1][0]
        yield _new_steps(work, cursors, adapter, [object_id for _pk, object_id in ids])


def _new_steps(work: Work, cursors: Cursors, adapter: Any, object_ids: list[str]) -> list[Step]:
    steps = []
    for object_id, obj in adapter.by_ids(object_ids, work.ctx).items():
        if (adapter.name, object_id) in work.assumed:
            continue
        step = Step(action=Action.CREATE, adapter=adapter, object_id=object_id, obj=obj)
        pair = build_pair(work, step)
        if pair is None:
            step.action = Action.SKIP
        elif is_left_out(work, pair.crm):
            step.action, step.reason = Action.SKIP, LEFT_OUT
        elif not any(pair.crm.values().values()):
            step.action, step.reason = Action.SKIP, "it is empty"
        steps.append(step)
    return _with_partners(work, cursors, steps)


def _with_partners(work: Work, cursors: Cursors, steps: list[Step]) -> list[Step]:
    """A record whose partner stays in Microsoft only is linked, not created a second time; one that waits for a
    person's decision waits with it (ORG-08)."""
    creating = {step.object_id: step for step in steps if step.action is Action.CREATE}
    partners = unpaired_partner(work, {key: step.crm for key, step in creating.items()})
    single = {
        key: rows[0] for key, rows in partners.items() if len(rows) == 1 and _is_free(work, rows[0], creating[key])
    }
    answers = read_items(work, [row.graph_id for row in single.values()])
    for object_id, step in creating.items():
        rows = partners.get(object_id, [])
        item = answers.get(single[object_id].graph_id) if object_id in single else None
        if isinstance(item, ITEMS):
            step.action, step.item, step.row = Action.LINK, item, single[object_id]
            merge_step(work, cursors, step)
        elif rows and object_id not in single:
            step.action = Action.SKIP
            step.reason = next((WHY_NOT[row.reason] for row in rows if row.reason in WHY_NOT), NOT_CLEARLY)
        else:
            step.folder_to_microsoft = crm_folder(work, step)
            step.token = ""
            step.note(Action.CREATE, Side.MICROSOFT, tuple(step.crm.set_fields()) if step.crm else ())
    return steps


NOT_CLEARLY = "a contact in Microsoft matches it, but not clearly"
WHY_NOT = {
    "not_permitted": "a contact in Microsoft matches it, and this user may not change it in the CRM",
    "left_out": "a contact in Microsoft matches it that bears a category which the organisation leaves out",
}


def _is_free(work: Work, row: InboxItem, step: Step) -> bool:
    """Whether an item that stays in Microsoft only may be linked with the record now."""
    if row.state != InboxState.UNPAIRED or row.reason == "left_out":
        return False
    return row.reason != "not_permitted" or bool(step.adapter.can_change(step.obj, work.ctx))


# --- linked records that changed -------------------------------------------------------------------------------------


def _changed(work: Work, cursors: Cursors, adapter: Any) -> Iterator[list[Step]]:
    linked = work.mappings().filter(adapter=adapter.name, state=MappingState.LINKED, gone_since__isnull=True)
    narrowed = _narrow(work, adapter, linked)
    if narrowed is None:
        return
    work.compared |= (work.link.progress.get(work.kind) or {}).get("compared") or {}
    last = 0 if work.preview else work.compared.get(adapter.name, 0)
    if last:  # an earlier slice compared the ones before, but for those that are to be tried again
        yield _changed_steps(work, cursors, adapter, list(narrowed.filter(_retry(work), pk__lte=last)[: work.chunk]))
    while True:
        part = list(narrowed.filter(pk__gt=last).exclude(pk__in=work.failed).order_by("pk")[: work.chunk])
        if not part:
            return
        last = work.compared[adapter.name] = part[-1].pk
        yield _changed_steps(work, cursors, adapter, part)


def watermark(work: Work) -> datetime | None:
    """When the CRM's changes were last read, taken before the reading. None: never, or a full pass is wanted."""
    text = (work.link.progress.get(work.kind) or {}).get("watermark")
    return datetime.fromisoformat(text) if text and not work.full else None


def _narrow(work: Work, adapter: Any, linked: QuerySet[RecordMapping]) -> QuerySet[RecordMapping] | None:
    """The mappings worth a look. None: none at all."""
    since = watermark(work)
    retry = _retry(work)
    if since is None:
        return linked.filter(Q(next_try_at__isnull=True) | retry)
    touched = CrmTouch.objects.filter(adapter=adapter.name, at__gte=since - OVERLAP).values("object_id")
    rows = adapter.modified_since(adapter.existing(work.ctx), since - OVERLAP)
    if rows is None:
        return linked.filter(Q(next_try_at__isnull=True) | Q(object_id__in=touched) | retry)
    modified = rows.annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id")
    return linked.filter(Q(object_id__in=modified) | Q(object_id__in=touched) | retry)


def _retry(work: Work) -> Q:
    return Q(next_try_at__lte=work.now) | Q(pending__isnull=False)


def _changed_steps(work: Work, cursors: Cursors, adapter: Any, mappings: list[RecordMapping]) -> list[Step]:
    ids = [row.object_id for row in mappings]
    objects = adapter.by_ids(ids, work.ctx)
    limits = Limits(work, adapter, ids)
    steps = []
    for mapping in mappings:
        obj = objects.get(mapping.object_id)
        if obj is None or (adapter.name, mapping.object_id) in work.assumed:
            continue
        step = Step(
            action=Action.UPDATE,
            adapter=adapter,
            mapping=mapping,
            object_id=mapping.object_id,
            obj=obj,
            in_scope=mapping.in_scope,
        )
        limits.note(step)
        if not step.is_leaving:  # what becomes of those is decided among the deletions (CON-07 to CON-09, CON-11)
            steps.append(step)
    work.how.prepare(work, steps)
    steps = [step for step in steps if work.how.concerns(work, step)]
    _hydrate(work, steps)
    return [step for step in steps if step.action is Action.SKIP or _is_news(merge_step(work, cursors, step))]


def _is_news(step: Step) -> bool:
    """Whether anything follows from a step, if only that what was to be tried again has settled by itself."""
    return not is_quiet(step) or (step.mapping is not None and step.mapping.next_try_at is not None)


def _hydrate(work: Work, steps: list[Step]) -> None:
    """Read what Microsoft holds now for those that cannot be decided without."""
    wanted = []
    for step in steps:
        pair = build_pair(work, step)
        retried = step.mapping is not None and (step.mapping.next_try_at is not None or bool(step.mapping.pending))
        if pair is not None and (
                retried or needs_microsoft(pair, work.digest) or (
                    changed_in_crm(pair, work.digest) and work.how.needs_item(work, step))):
            wanted.append(step)
    answers = read_items(work, [step.graph_id for step in wanted])
    for step in wanted:
        step.item = answers.get(step.graph_id)
        if step.item is None:  # gone: the deletions confirm it
            step.action, step.reason = Action.SKIP, ""
            if not work.preview and step.mapping is not None:
                work.mappings().filter(pk=step.mapping.pk, gone_since__isnull=True).update(gone_since=work.now)


# --- records that came (back) into the user's limits -----------------------------------------------------------------


def plan_widened(work: Work, cursors: Cursors, adapter: Any) -> Iterator[list[Step]]:
    """Linked inwards only, or let go by a setting, and inside the limits again: revived, never created anew."""
    outside = (
        work.mappings()
        .filter(adapter=adapter.name)
        .filter(
            Q(state=MappingState.LINKED, in_scope=False, gone_since__isnull=True)
            | Q(state=MappingState.RELEASED, released_by=Release.NARROWED)
        )
    )
    inside = adapter.in_scope(work.ctx, work.scope).annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id")
    last = 0
    while True:
        back = outside.filter(object_id__in=inside, pk__gt=last)
        part = list(back.exclude(pk__in=work.failed).order_by("pk")[: work.chunk])
        if not part:
            return
        last = part[-1].pk
        yield _widened_steps(work, cursors, adapter, part)


def _widened_steps(work: Work, cursors: Cursors, adapter: Any, mappings: list[RecordMapping]) -> list[Step]:
    objects = adapter.by_ids([row.object_id for row in mappings], work.ctx)
    answers = read_items(work, [row.graph_id for row in mappings if row.graph_id])
    steps = []
    for mapping in mappings:
        obj, item = objects.get(mapping.object_id), answers.get(mapping.graph_id or "")
        if obj is None:
            continue
        step = Step(action=Action.LINK, adapter=adapter, mapping=mapping, object_id=mapping.object_id, obj=obj)
        if isinstance(item, ITEMS) and item.folder in cursors.names and item.folder not in cursors.links:
            step.action, step.decision = Action.RELEASE, Let(Release.MOVED_AWAY)  # its folder is not synced any more
            step.item, step.reason = item, str(Release.MOVED_AWAY)
            step.note(Action.RELEASE, None, reason=step.reason)
            steps.append(step)
        elif isinstance(item, ITEMS) and item.folder in cursors.names:
            step.item = item
            _forget_differences(mapping)
            steps.append(merge_step(work, cursors, step))
        elif build_pair(work, step) is not None and work.policy.may_write(Side.MICROSOFT):
            step.action = Action.CREATE
            step.folder_to_microsoft = crm_folder(work, step)
            step.note(Action.CREATE, Side.MICROSOFT, tuple(step.crm.set_fields()) if step.crm else ())
            steps.append(step)
    return steps


def _forget_differences(mapping: RecordMapping) -> None:
    """What was left apart while the record only took in is paired anew (CON-05), now that it goes out too."""
    apart = {name for name, value in mapping.crm_digests.items() if mapping.microsoft_digests.get(name) != value}
    mapping.crm_digests = {name: value for name, value in mapping.crm_digests.items() if name not in apart}
