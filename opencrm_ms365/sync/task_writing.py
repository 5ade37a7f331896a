"""Planner's side of a chunk of tasks: intents are committed before anything is sent, answers right after (I-1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction

from .. import adapters
from ..errors import GraphError, NotFound, OutcomeUnknown, RecordError, Rejected, Stale
from ..graph.planner_items import Partial, TaskItem, TaskWrite
from ..models import MappingState, RecordMapping
from ..reconcile.decide import Delete, Recreate, Update
from ..reconcile.planner import TaskMerge, agreed
from ..reconcile.planner_words import as_echo, in_crm_words, leaving
from ..reconcile.policy import Side
from ..records.contact import canonical
from .apply_crm import save_mappings
from .report import Report, retry_delay
from .steps import Step
from .task_desk import Desk
from .task_kind import TaskWork, as_plain, people_after

PART = 100


def send(work: TaskWork, report: Report, desk: Desk, steps: Sequence[Step], raw: Mapping[str, TaskItem]) -> set[int]:
    """Send what the steps ask for. Returns the keys of mappings whose task was changed meanwhile: decide them again.

    `raw` are the tasks as they were read. Raises what stops the whole link, after noting what was done until then.
    """
    stale: set[int] = set()
    for start in range(0, len(steps), PART):
        part = steps[start : start + PART]
        writes = _intend(work, report, desk, part, raw)
        answers = work.store.write(writes) if writes else {}
        stopping = _note(work, report, [(part[int(key)], answer) for key, answer in answers.items()], stale)
        work.check_lease()
        if stopping is not None:
            raise stopping
    return stale


# --- before sending


def _intend(
    work: TaskWork, report: Report, desk: Desk, steps: Sequence[Step], raw: Mapping[str, TaskItem]
) -> list[TaskWrite]:
    writes: list[TaskWrite] = []
    changed: list[RecordMapping] = []
    with transaction.atomic():
        work.plans.renew()
        for position, step in enumerate(steps):
            try:
                write = _write_for(work, desk, step, str(position), raw)
            except RecordError as error:
                report.failure(step, code="crm_refused", reason=f"The CRM did not take this task: {error.reason}")
                continue
            if write is not None:
                writes.append(write)
            if write is not None and step.mapping is not None:
                changed.append(step.mapping)
        RecordMapping.objects.bulk_create([row for row in changed if row.pk is None])
        save_mappings(changed)
    return writes


def _write_for(work: TaskWork, desk: Desk, step: Step, key: str, raw: Mapping[str, TaskItem]) -> TaskWrite | None:
    mapping = step.mapping
    match step.decision:
        case Delete(side=Side.MICROSOFT):
            assert mapping is not None
            if not mapping.graph_id:
                return None
            known = raw.get(mapping.graph_id)
            return TaskWrite(key, "delete", graph_id=mapping.graph_id, etag=known.etag if known else "")
        case Update(merge=TaskMerge() as merge):
            assert mapping is not None and step.item is not None
            terms = desk.terms(step.people.owner)
            mapping.pending = _pending(work, step, as_echo(merge.to_microsoft, terms))
            return TaskWrite(
                key, "update", graph_id=step.graph_id, values=merge.writes_to_planner(terms),
                current=_as_read(step.item, raw[step.graph_id]), assign=merge.people.assign,
                unassign=merge.people.unassign)
    return _creation(work, desk, step, key)


def _as_read(item: TaskItem, raw: TaskItem) -> TaskItem:
    """The task with its details, in Planner's own words."""
    if not item.has_details:
        return raw
    data = dataclasses.replace(raw.data, body=item.data.body, checklist=item.data.checklist)
    return dataclasses.replace(item, data=data)


def _pending(work: TaskWork, step: Step, echo: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: [work.digest(canonical(name, getattr(step.crm, name))), work.digest(canonical(name, value))]
            for name, value in echo.items()}


def _creation(work: TaskWork, desk: Desk, step: Step, key: str) -> TaskWrite:
    """The intent of a creation; the CRM's record gets the list that it goes to first (TASK-02)."""
    terms = desk.terms(step.people.owner)
    mapping = step.mapping or RecordMapping(
        tenant=work.link.tenant, kind=work.kind, adapter=step.adapter.name, object_id=step.object_id)
    if step.task is not None:
        values, assign = dict(step.task.values), step.task.assign
        if step.task.to_crm:
            with transaction.atomic(), adapters.syncing(work.ctx):
                written = step.adapter.update(step.obj, step.task.to_crm, work.ctx)
            step.obj, step.crm = written.obj, written.data
    else:
        without = step.decision.without if isinstance(step.decision, Recreate) else frozenset(mapping.pending or {})
        values, assign = leaving(step.crm, terms, without), tuple(sorted(step.people.targets))
        mapping.pending = {name: ["", ""] for name in without & frozenset(step.crm.set_fields())} or None
    mapping.state, mapping.released_by, mapping.graph_id, mapping.etag = MappingState.INTENDED, "", None, ""
    mapping.folder = str(values["task_list"]).partition(":")[2].partition("/")[0]
    mapping.intended_at, mapping.marker, mapping.gone_since = work.now, work.link.microsoft_user_id, None
    mapping.crm_digests, mapping.microsoft_digests, mapping.people = {}, {}, None
    step.mapping = mapping
    return TaskWrite(key, "create", values=values, assign=assign)


# --- after the answers


def _note(
    work: TaskWork, report: Report, answers: Iterable[tuple[Step, Any]], stale: set[int]
) -> GraphError | None:
    stopping: GraphError | None = None
    changed: list[RecordMapping] = []
    done: list[Step] = []
    with transaction.atomic():
        work.plans.renew()
        for step, answer in answers:
            mapping = step.mapping
            assert mapping is not None
            if answer is None:
                mapping.delete()
                done.append(step)
                continue
            match answer:
                case TaskItem() | Partial():
                    _written(work, report, step, mapping, answer)
                    done.append(step)
                case Stale():
                    mapping.pending = None
                    stale.add(mapping.pk)
                case NotFound() if mapping.graph_id:
                    mapping.pending = None  # the next listing confirms that it is gone
                case OutcomeUnknown():
                    continue  # the intent stands: the next cycle looks for it
                case Rejected() | NotFound():
                    _refused(work, report, step, mapping, answer)
                case _:
                    _not_sent(mapping)
                    stopping = answer
            changed.append(mapping)
        report.solved(step.mapping for step in done if step.mapping is not None and not step.mapping.failure)
        save_mappings(changed)
    work.counts.add(item for step in done for item in step.operations if item.side is Side.MICROSOFT)
    return stopping


def _written(work: TaskWork, report: Report, step: Step, mapping: RecordMapping, answer: TaskItem | Partial) -> None:
    """Planner's answer is what it holds now. What it refused keeps its old base, and so is tried again."""
    item = answer.item if isinstance(answer, Partial) else answer
    refused = answer.refused if isinstance(answer, Partial) else {}
    creating = mapping.state == MappingState.INTENDED
    names = None
    if not creating and isinstance(step.decision, Update):
        names = frozenset(step.decision.merge.settled)
    left_out = frozenset({*refused, *(("start",) if "due" in refused else ()),
                          *(("status",) if "percent" in refused else ())})
    ours, theirs = agreed(step.crm, item.data, work.digest, names)
    mapping.crm_digests = {**mapping.crm_digests, **_without(ours, left_out)}
    mapping.microsoft_digests = {**mapping.microsoft_digests, **_without(theirs, left_out)}
    if creating:
        mapping.graph_id, mapping.linked_at, mapping.state = item.graph_id, work.now, MappingState.LINKED
    mapping.folder, mapping.etag, mapping.pending, mapping.intended_at = item.plan_id, item.etag, None, None
    mapping.details_at = work.now if item.has_details or creating else mapping.details_at
    mapping.synced_at, mapping.last_change_from = work.now, str(Side.CRM)
    mapping.failure, mapping.attempts, mapping.next_try_at = "", 0, None
    step.item = dataclasses.replace(item, data=in_crm_words(item.data))
    mapping.people = as_plain(people_after(step))  # whom Planner refused is not sent again and again
    for name, error in refused.items():
        report.problem(code="not_written", detail=name, adapter=mapping.adapter, object_id=mapping.object_id,
                       graph_id=item.graph_id, request_id=error.request_id, warning=True, reason=f"{name}: {error}")
    if left_out - {"assignees"}:
        mapping.attempts += 1
        mapping.next_try_at = work.now + retry_delay(mapping.attempts)


def _without(digests: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value for name, value in digests.items() if name not in names}


def _refused(work: TaskWork, report: Report, step: Step, mapping: RecordMapping, error: GraphError) -> None:
    mapping.attempts += 1
    mapping.next_try_at = work.now + retry_delay(mapping.attempts)
    _not_sent(mapping)
    mapping.failure = f"Planner did not take this task: {error}"
    report.failure(step, code="microsoft_refused", reason=mapping.failure, next_try_at=mapping.next_try_at,
                   request_id=error.request_id)


def _not_sent(mapping: RecordMapping) -> None:
    """This write certainly did not happen."""
    if mapping.state == MappingState.INTENDED:
        mapping.intended_at = None
    else:
        mapping.pending = None

