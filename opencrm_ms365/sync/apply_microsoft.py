"""Microsoft's side of a chunk: intents are committed before anything is sent, answers right after (I-1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from ..errors import GraphError, NotFound, OutcomeUnknown, Rejected, Stale, Throttled, Unavailable
from ..models import MappingState, RecordMapping
from ..reconcile.decide import Delete, Recreate, Update
from ..reconcile.fit import fit
from ..reconcile.plan import Action
from ..reconcile.policy import Side
from ..records import Record, is_set
from ..records.contact import canonical
from ..signals import record_synced
from . import inbox
from .apply_crm import drop_rows, save_mappings
from .folders import Cursors
from .items import ITEMS, Item
from .markers import Marker, new_token
from .report import Report, retry_delay
from .steps import Step
from .work import Work

#: How many writes are prepared, sent (in batches) and noted together.
PART = 100


def write(work: Work, report: Report, cursors: Cursors, steps: Sequence[Step], *, repeated: bool = False) -> None:
    """Send what the steps ask for. Raises what stops the whole link, after noting what was done until then.

    `repeated`: the same creations were sent before and their answers lost; they keep their identity, so that a twin can
    be told from a copy that a person made.
    """
    for start in range(0, len(steps), PART):
        part = _with_folders(work, report, cursors, steps[start : start + PART])
        _move(work, report, cursors, [step for step in part if _moves(step)])
        writes = _intend(work, cursors, part, repeated)
        if not writes:
            drop_rows(part)
            continue
        by_key = {str(position): step for position, step in enumerate(part)}
        answers = work.store.write(writes)
        stopping = _note(work, report, [(by_key[key], answer) for key, answer in answers.items()])
        work.check_lease()
        if stopping is not None:
            raise stopping


# --- folders ---------------------------------------------------------------------------------------------------------


def _with_folders(work: Work, report: Report, cursors: Cursors, steps: Sequence[Step]) -> list[Step]:
    """Make the folders that are missing in Microsoft (CON-03). Steps whose folder the user does not sync go."""
    ready = []
    for step in steps:
        name = step.folder_to_microsoft
        if not name:
            if (
                name == ""
                and work.link.microsoft_folders is not None
                and cursors.default not in cursors.links
                and (step.action is Action.CREATE)
            ):
                continue
            ready.append(step)
            continue
        folder_id = cursors.id_of(name)
        if not folder_id:
            if work.link.microsoft_folders is not None:
                _not_synced(report, step)
                continue
            created = work.store.create_folder(name)
            folder_id = created.id
            cursors.names[folder_id] = created.name
            work.save_link(cursors={**work.link.cursors, work.kind: cursors.as_dict()})
        elif work.link.microsoft_folders is not None and folder_id not in cursors.links:
            _not_synced(report, step)
            continue
        ready.append(step)
    return ready


def _not_synced(report: Report, step: Step) -> None:
    report.failure(
        step,
        code="folder_not_synced",
        reason="This contact belongs into a folder that this user does not sync in Microsoft.",
    )


def _moves(step: Step) -> bool:
    return step.folder_to_microsoft is not None and step.action not in (Action.CREATE, Action.RESTORE)


def _move(work: Work, report: Report, cursors: Cursors, steps: list[Step]) -> None:
    for step in steps:
        mapping = step.mapping
        if mapping is None or not mapping.graph_id:
            continue
        target = cursors.id_of(step.folder_to_microsoft or "")
        try:
            moved = work.store.move(mapping.graph_id, target, "")
        except (Rejected, Stale) as error:
            report.failure(
                step,
                code="not_moved",
                request_id=error.request_id,
                reason=(
                    "This contact could not be moved to its folder in Microsoft without losing what Microsoft holds "
                    "on it. "
                    "It stays where it is."
                ),
            )
            mapping.crm_folder = step.folder_to_microsoft or ""
        except NotFound:
            mapping.gone_since = work.now
        else:
            mapping.folder, mapping.etag = moved.folder, moved.etag
            mapping.crm_folder = step.folder_to_microsoft or ""
            if moved.graph_id:
                mapping.graph_id = moved.graph_id
            if step.item is not None:
                step.item = dataclasses.replace(
                    step.item, graph_id=moved.graph_id, folder=moved.folder, etag=moved.etag
                )
            work.counts.add(item for item in step.operations if item.action is Action.MOVE)
        save_mappings([mapping])


# --- before sending --------------------------------------------------------------------------------------------------


def _intend(work: Work, cursors: Cursors, steps: Sequence[Step], repeated: bool) -> list[Any]:
    """Commit what is about to be sent, and build the writes."""
    writes: list[Any] = []
    created: list[RecordMapping] = []
    changed: list[RecordMapping] = []
    with transaction.atomic():
        if work.lease is not None:
            work.lease.renew()
        for position, step in enumerate(steps):
            item = _write_for(work, cursors, step, str(position), created, changed, repeated)
            if item is not None:
                writes.append(item)
        work.how.linked(work, [step for step in steps if step.mapping in created])
        RecordMapping.objects.bulk_create(created)
        save_mappings(changed)
    return writes


def _write_for(
    work: Work,
    cursors: Cursors,
    step: Step,
    key: str,
    created: list[RecordMapping],
    changed: list[RecordMapping],
    repeated: bool,
) -> Any:
    mapping = step.mapping
    match step.decision:
        case Delete(side=Side.MICROSOFT) if step.twin_of is not None:
            folder = mapping.folder if mapping else ""
            return work.how.write(work, step, key, "delete", graph_id=step.graph_id, folder=folder)
        case Delete(side=Side.MICROSOFT):
            assert mapping is not None
            if not mapping.graph_id:
                return None
            return work.how.write(work, step, key, "delete", graph_id=mapping.graph_id, folder=mapping.folder)
        case Update(merge=merge) if step.sends and step.action is not Action.CREATE:
            assert mapping is not None and step.crm is not None
            if not mapping.graph_id:
                return None
            mapping.pending = _pending(work, step.crm, merge.to_microsoft)
            changed.append(mapping)
            token, text = _mark(work, mapping)
            step.token = token
            etag = step.item.etag if step.item is not None else mapping.etag
            return work.how.write(
                work,
                step,
                key,
                "update",
                graph_id=mapping.graph_id,
                folder=mapping.folder,
                etag=etag,
                values=dict(merge.to_microsoft),
                marker=text,
            )
    if step.action in (Action.CREATE, Action.RESTORE) and step.crm is not None:
        return _creation(work, cursors, step, key, created, changed, repeated)
    return None


def _pending(work: Work, crm: Record, values: Any) -> dict[str, list[str]]:
    return {
        name: [work.digest(canonical(name, getattr(crm, name))), work.digest(canonical(name, value))]
        for name, value in values.items()
    }


def _mark(work: Work, mapping: RecordMapping) -> tuple[str, str]:
    """The token and text of a marker that the record does not bear yet; empty when it does."""
    if mapping.marked or not work.policy.may_write(Side.MICROSOFT) or not mapping.in_scope:
        return "", ""
    token = mapping.marker or new_token()
    return token, marker_text(work, mapping, token)


def marker_text(work: Work, mapping: RecordMapping, token: str) -> str:
    return str(Marker(work.installation, mapping.adapter, mapping.object_id, token))


def _left_out(step: Step) -> frozenset[str]:
    """What a restoration does not send (ORG-12); a repeated one finds it noted in its mapping."""
    if isinstance(step.decision, Recreate):
        return step.decision.without
    return frozenset((step.mapping.pending if step.mapping else None) or {})


def outgoing_values(work: Work, step: Step) -> dict[str, Any]:
    """What of a CRM record goes into a new Microsoft contact: what is mapped, fits and is not empty."""
    assert step.crm is not None
    without = _left_out(step)
    values = {
        name: fit(name, value, work.microsoft_limits)
        for name, value in step.crm.values().items()
        if name not in without
    }
    return {name: value for name, value in values.items() if value}


def _creation(
    work: Work,
    cursors: Cursors,
    step: Step,
    key: str,
    created: list[RecordMapping],
    changed: list[RecordMapping],
    repeated: bool,
) -> Any:
    assert step.crm is not None
    values = outgoing_values(work, step)
    left_out = {name: None for name in _left_out(step) if is_set(getattr(step.crm, name))}
    mapping = step.mapping
    if mapping is None:
        mapping = RecordMapping(
            link=work.link, tenant=work.link.tenant, kind=work.kind, adapter=step.adapter.name, object_id=step.object_id
        )
    mapping.state, mapping.released_by, mapping.graph_id, mapping.etag = MappingState.INTENDED, "", None, ""
    mapping.marker = mapping.marker if repeated else new_token()
    mapping.marked, mapping.gone_since, mapping.in_scope = False, None, True
    mapping.pending = _pending(work, step.crm, left_out) or None
    mapping.intended_at, mapping.repeated_at = work.now, work.now if repeated else None
    mapping.crm_digests = work.digests(step.crm, work.how.digested(step.crm.set_fields(), linked=False))
    mapping.microsoft_digests = {}
    mapping.crm_folder = step.folder_to_microsoft or ""
    mapping.folder = work.how.target(work, cursors, step.folder_to_microsoft)
    (changed if mapping.pk else created).append(mapping)
    step.mapping, step.token = mapping, mapping.marker
    return work.how.write(
        work,
        step,
        key,
        "create",
        folder=mapping.folder,
        values=values,
        marker=marker_text(work, mapping, mapping.marker),
    )


# --- after the answers -----------------------------------------------------------------------------------------------


def _note(
    work: Work,
    report: Report,
    answers: Sequence[tuple[Step, Item | GraphError | None]],
) -> GraphError | None:
    """Commit what Microsoft answered. Returns the error that must stop the link, if there was one."""
    changed: list[RecordMapping] = []
    written: list[RecordMapping] = []
    finished: list[Step] = []
    stale: list[Step] = []
    answered: list[Step] = []
    stopping: GraphError | None = None
    with transaction.atomic():
        if work.lease is not None:
            work.lease.renew()
        for step, answer in answers:
            mapping = step.mapping
            if mapping is None:  # a twin: it has no mapping of its own
                finished.append(step)
                continue
            match answer:
                case None:
                    written.append(mapping)
                    mapping.delete()
                    finished.append(step)
                case _ if isinstance(answer, ITEMS):
                    _written(work, step, mapping, answer)
                    step.item = answer
                    answered.append(step)
                    changed.append(mapping)
                    written.append(mapping)
                    finished.append(step)
                case Stale():
                    mapping.pending = None
                    changed.append(mapping)
                    stale.append(step)
                case NotFound() if step.action not in (Action.CREATE, Action.RESTORE):
                    mapping.gone_since, mapping.pending = work.now, None
                    changed.append(mapping)
                case OutcomeUnknown():
                    pass  # the intent stands: recover looks for it
                case Rejected() | NotFound():
                    _refused(work, report, step, mapping, answer)
                    changed.append(mapping)
                case _:
                    _not_sent(step, mapping)
                    changed.append(mapping)
                    stopping = answer
        report.solved(written)
        work.how.linked(work, answered)
        save_mappings(changed)
        drop_rows(finished)
    for step in finished:
        work.counts.add(
            item for item in step.operations if item.side is Side.MICROSOFT and item.action is not Action.MOVE
        )
        if step.mapping is not None and record_synced.has_listeners(RecordMapping):
            record_synced.send_robust(
                sender=RecordMapping, link=work.link, mapping=step.mapping, action=str(step.action)
            )
    _read_again(work, stale)
    return stopping


def _written(work: Work, step: Step, mapping: RecordMapping, item: Item) -> None:
    """Microsoft's answer is what it holds now, and the new base of what was sent."""
    assert step.crm is not None
    creating = mapping.state == MappingState.INTENDED
    names = work.how.digested(step.crm.set_fields(), linked=False)
    if not creating and isinstance(step.decision, Update):
        names = frozenset(step.decision.merge.to_microsoft) | (
            step.decision.merge.settled if step.item else frozenset()
        )
    mapping.crm_digests = {**mapping.crm_digests, **work.digests(step.crm, names)}
    mapping.microsoft_digests = {
        **mapping.microsoft_digests, **work.digests(item.data, names), **work.how.digests(work, item)
    }
    if creating:
        mapping.graph_id, mapping.linked_at, mapping.state = item.graph_id, work.now, MappingState.LINKED
        mapping.folder = item.folder or mapping.folder
    if step.token:
        mapping.marker, mapping.marked = step.token, True
    mapping.etag, mapping.pending, mapping.intended_at = item.etag, None, None
    mapping.synced_at, mapping.last_change_from = work.now, str(Side.CRM)
    mapping.failure, mapping.attempts, mapping.next_try_at = "", 0, None


def _refused(work: Work, report: Report, step: Step, mapping: RecordMapping, error: GraphError) -> None:
    mapping.attempts += 1
    mapping.next_try_at = work.now + retry_delay(mapping.attempts)
    _not_sent(step, mapping)
    mapping.failure = f"Microsoft did not take this {work.how.noun}" + (f" ({error.code})" if error.code else "") + "."
    report.failure(
        step,
        code="microsoft_refused",
        reason=mapping.failure,
        next_try_at=mapping.next_try_at,
        request_id=error.request_id,
    )


def _not_sent(step: Step, mapping: RecordMapping) -> None:
    """Throttled, signed out, unavailable: this write certainly did not happen."""
    if mapping.state == MappingState.INTENDED:
        mapping.intended_at = None  # `pending` stays: it says what this creation leaves out
    else:
        mapping.pending = None


def _read_again(work: Work, stale: Iterable[Step]) -> None:
    """Somebody changed these meanwhile: read them again, and let the inbox decide again."""
    ids = [step.mapping.graph_id for step in stale if step.mapping and step.mapping.graph_id]
    if not ids:
        return
    answers = work.store.get(ids)
    items = [item for item in answers.values() if isinstance(item, ITEMS)]
    known = {row.graph_id: row for row in work.mappings().filter(graph_id__in=ids)}
    inbox.stage(work, items, known)
    gone = [key for key, item in answers.items() if isinstance(item, NotFound)]
    work.mappings().filter(graph_id__in=gone, gone_since__isnull=True).update(gone_since=work.now)


# --- marking what was linked, not created ----------------------------------------------------------------------------


def mark(work: Work, report: Report) -> None:
    """Leave our identity on records that were brought in or matched, so that a lost link is found again (SYNC-09)."""
    if not work.policy.may_write(Side.MICROSOFT):
        return
    rows = work.mappings().filter(state=MappingState.LINKED, marked=False, in_scope=True, gone_since__isnull=True)
    while True:
        part = list(rows.exclude(graph_id__isnull=True).order_by("pk")[:PART])
        if not part:
            return
        for mapping in part:
            mapping.marker = mapping.marker or new_token()
        RecordMapping.objects.bulk_update(part, ["marker"])
        answers = work.store.write(
            [
                work.how.write(
                    work,
                    None,
                    str(row.pk),
                    "update",
                    graph_id=row.graph_id or "",
                    folder=row.folder,
                    marker=marker_text(work, row, row.marker),
                )
                for row in part
            ]
        )
        stopping = _note_marks(work, part, answers)
        if stopping is not None:
            raise stopping
        work.check_time()


def _note_marks(work: Work, part: list[RecordMapping], answers: Any) -> GraphError | None:
    stopping: GraphError | None = None
    for mapping in part:
        answer = answers[str(mapping.pk)]
        if isinstance(answer, ITEMS):
            mapping.marked, mapping.etag = True, answer.etag
        elif isinstance(answer, NotFound):
            mapping.marked, mapping.gone_since = True, work.now
        elif isinstance(answer, Rejected):
            mapping.marked = True  # Microsoft takes no identity on this one: a lost link is found by matching then
        elif isinstance(answer, (Throttled, Unavailable, GraphError)):
            stopping = answer
    RecordMapping.objects.bulk_update(part, ["marked", "etag", "gone_since"])
    return stopping
