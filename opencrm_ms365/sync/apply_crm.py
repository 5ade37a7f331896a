"""The CRM's side of a chunk: records, mappings and the inbox change together, or not at all."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, Error, IntegrityError, transaction

from .. import adapters
from ..errors import RecordError
from ..models import InboxItem, MappingState, RecordMapping
from ..reconcile.decide import Cancel, Delete, Forget, Let, Release, Update
from ..reconcile.fit import fit, same
from ..reconcile.merge import Merge
from ..reconcile.plan import Action
from ..reconcile.policy import Side
from ..records import Record
from ..records.task import Status
from ..signals import record_synced
from .claims import claim_all
from .folders import Cursors
from .limits import scope_ids
from .merging import crm_folder
from .report import Report, retry_delay
from .steps import Step
from .undo import remember_deletion
from .work import Work

log = logging.getLogger("opencrm_ms365.sync")


class Deferred(Exception):
    """The record moved while it was being decided: it is looked at again, nothing is written now."""


def write(work: Work, report: Report, cursors: Cursors, steps: Sequence[Step]) -> list[Step]:
    """Do the CRM's part of the steps in one transaction. Returns those that have something to send to Microsoft."""
    sending: list[Step] = []
    changed: list[RecordMapping] = []
    done: list[Step] = []
    with transaction.atomic():
        if work.lease is not None:
            work.lease.renew()  # the fence: until the commit nobody else can take the link
        fresh = _lock_and_read(work, steps)
        claims = claim_all(work, [step for step in steps if _makes_record(step)])
        for step in steps:
            if step in claims.deferred:
                continue
            try:
                if _touches_crm(step):
                    with transaction.atomic(), adapters.syncing(work.ctx):
                        mapping = _one(work, cursors, step, fresh)
                else:
                    mapping = _one(work, cursors, step, fresh)
            except Deferred:
                continue
            except RecordError as error:
                _failed(work, report, step, error.reason)
                continue
            except (IntegrityError, DataError, ValidationError) as error:
                _failed(work, report, step, _in_words(error))
                continue
            except Error:
                raise  # the database itself, not this record
            except Exception as error:  # the border of one record: the CRM's own code may raise anything (SYNC-03)
                log.warning("a CRM record could not be written: %s", type(error).__name__)
                _failed(work, report, step, f"the CRM's own code failed ({type(error).__name__})")
                continue
            if mapping is not None:
                changed.append(mapping)
            (sending if _has_to_send(step) else done).append(step)
            work.counts.add(item for item in step.operations if item.side is Side.CRM)
            if isinstance(step.decision, Update) and step.decision.merge.conflicts:
                report.conflicts(step, step.decision.merge.conflicts)
            _report_leftovers(work, report, step)
        _note_scope(work, [step for step in steps if step.mapping in changed])
        work.how.linked(work, [step for step in steps if step.mapping in changed])
        RecordMapping.objects.bulk_create([row for row in changed if row.pk is None])
        claims.mine = {step: claim for step, claim in claims.mine.items() if step.mapping is not None}
        claims.save()
        _save(changed)
        unsure = {id(step.mapping) for step in sending if _has_values_to_send(step)}
        report.solved(mapping for mapping in changed if id(mapping) not in unsure)  # Microsoft's answer tells of those
        drop_rows(done)
    _tell(work, changed, done)
    return sending


def _touches_crm(step: Step) -> bool:
    """Whether the step runs the CRM's own code, and so needs a savepoint of its own."""
    return _writes_crm(step) or _makes_record(step)


def _makes_record(step: Step) -> bool:
    return step.action is Action.CREATE and step.obj is None and step.item is not None


def _tell(work: Work, changed: Iterable[RecordMapping], done: Iterable[Step]) -> None:
    actions = {step.mapping.pk: step.action for step in done if step.mapping is not None}
    for mapping in changed:
        if mapping.pk in actions and record_synced.has_listeners(RecordMapping):
            record_synced.send_robust(
                sender=RecordMapping, link=work.link, mapping=mapping, action=str(actions[mapping.pk])
            )


def _has_values_to_send(step: Step) -> bool:
    return isinstance(step.decision, Update) and step.sends


def _has_to_send(step: Step) -> bool:
    if step.folder_to_microsoft is not None and step.action is not Action.CREATE:
        return True
    match step.decision:
        case Update():
            return step.sends
        case Delete(side=Side.MICROSOFT):
            return True
    return step.action is Action.RESTORE or (
        step.action is Action.CREATE and step.obj is not None and step.item is None
    )


# --- one record ------------------------------------------------------------------------------------------------------


def _one(work: Work, cursors: Cursors, step: Step, fresh: dict[tuple[str, str], Any]) -> RecordMapping | None:
    """Do one step's part here. Returns the mapping to save, None when there is none or it is gone."""
    match step.decision:
        case Forget():
            assert step.mapping is not None
            step.mapping.delete()
            return None
        case Let(because=because):
            return _release(step, str(because))
        case Cancel():
            return _call_off(work, step, fresh)
        case Delete(side=Side.CRM):
            _delete(work, step, fresh)
            return None
        case Delete():
            return None
    if _makes_record(step):
        return _create(work, step)
    if step.action in (Action.CREATE, Action.RESTORE):
        return None
    return _update(work, cursors, step, fresh)


def _release(step: Step, because: str) -> RecordMapping:
    mapping = step.mapping
    assert mapping is not None
    mapping.state, mapping.released_by, mapping.gone_since, mapping.pending = (
        MappingState.RELEASED,
        because,
        None,
        None,
    )
    if step.item is not None:
        mapping.folder = step.item.folder
    return mapping


def _call_off(work: Work, step: Step, fresh: dict[tuple[str, str], Any]) -> RecordMapping:
    """The organiser cancelled it: say so in the CRM, if it has a word for that, and let it go (CAL-05)."""
    obj = fresh.get((step.adapter.name, step.object_id))
    if obj is None:
        raise Deferred
    if "status" in step.adapter.writable:
        step.obj = step.adapter.update(obj, {"status": Status.CANCELLED}, work.ctx).obj
    return _release(step, str(Release.CALLED_OFF))


def _delete(work: Work, step: Step, fresh: dict[tuple[str, str], Any]) -> None:
    mapping = step.mapping
    assert mapping is not None
    obj = fresh.get((step.adapter.name, step.object_id))
    if obj is None or _moved(work, step, obj):
        raise Deferred
    remember_deletion(work, step, obj)
    step.adapter.delete(obj, work.ctx)
    mapping.delete()


def _create(work: Work, step: Step) -> RecordMapping:
    """CON-04: make the CRM's record. Its mapping is saved with those of the whole part."""
    item = step.item
    assert item is not None
    written = work.how.create_in_crm(work, step)
    step.obj, step.object_id, step.crm = written.obj, step.adapter.object_id(written.obj), written.data
    step.mapping = RecordMapping(
        link=work.owner_of_mappings, tenant=work.link.tenant, kind=work.kind, adapter=step.adapter.name,
        object_id=step.object_id,
    )
    step.mapping.last_change_from = str(Side.MICROSOFT)
    _link(work, step, step.mapping, written.data, item.data, work.how.digested(step.adapter.mapped, linked=False))
    _note_leftovers(step, written)
    return step.mapping


def _note_scope(work: Work, steps: Iterable[Step]) -> None:
    """Whether the new records are among those that the user sends out; if not, they are linked inwards only."""
    if work.how.is_shared:
        return
    made = [step for step in steps if step.mapping is not None and step.mapping.pk is None]
    for adapter in work.adapters:
        own = [step for step in made if step.adapter is adapter]
        inside = scope_ids(work, adapter, [step.object_id for step in own]) if own else set()
        for step in own:
            assert step.mapping is not None
            step.in_scope = step.mapping.in_scope = step.object_id in inside


def _update(work: Work, cursors: Cursors, step: Step, fresh: dict[tuple[str, str], Any]) -> RecordMapping | None:
    merge = step.decision.merge if isinstance(step.decision, Update) else Merge()
    obj = fresh.get((step.adapter.name, step.object_id), step.obj)
    if merge.to_crm or step.folder_to_crm is not None or step.users is not None:
        if (step.adapter.name, step.object_id) not in fresh or _moved(work, step, obj):
            raise Deferred
        before = step.mapping.crm_folder if step.mapping else ""
        written = step.adapter.update(
            obj,
            merge.to_crm,
            work.ctx,
            folder_from=before if step.folder_to_crm is not None else None,
            folder_to=step.folder_to_crm,
            users=step.users,
        )
        step.obj, crm = written.obj, written.data
        _note_leftovers(step, written)
    else:
        crm = step.crm
    if crm is None:
        raise Deferred
    mapping = step.mapping or RecordMapping(
        link=work.owner_of_mappings, tenant=work.link.tenant, kind=work.kind, adapter=step.adapter.name,
        object_id=step.object_id,
    )
    before_row = _fingerprint(mapping)
    if step.item is None:
        mapping.in_scope = step.in_scope
    settled = frozenset(merge.settled) - set(merge.to_microsoft)
    if step.item is not None:
        _link(work, step, mapping, crm, step.item.data, settled)
    if merge.to_crm or merge.to_microsoft:
        mapping.last_change_from = str(Side.MICROSOFT if merge.to_crm else Side.CRM)
    if step.folder_to_microsoft is None:
        _note_folder(work, step, mapping)
    step.mapping, step.crm = mapping, crm
    return mapping if mapping.pk is None or _fingerprint(mapping) != before_row else None


def _note_folder(work: Work, step: Step, mapping: RecordMapping) -> None:
    """Remember which CRM folder decides now: after a move in Outlook that may be one that was there before (CON-03)."""
    if step.item is not None:
        mapping.folder = step.item.folder
    mapping.crm_folder = crm_folder(work, step) or ""


def _link(
    work: Work, step: Step, mapping: RecordMapping, crm: Record, microsoft: Record, settled: frozenset[str]
) -> None:
    """Note what both sides hold now in the fields on which they agree."""
    item = step.item
    assert item is not None
    names = settled & frozenset(crm.set_fields())
    mapping.crm_digests = {**mapping.crm_digests, **work.digests(crm, names)}
    mapping.microsoft_digests = {
        **mapping.microsoft_digests, **work.digests(microsoft, names), **work.how.digests(work, item)
    }
    if mapping.graph_id != item.graph_id:
        mapping.graph_id, mapping.marked = item.graph_id, False
        mapping.linked_at = work.now
    if step.token:
        mapping.marker, mapping.marked = step.token, True
    mapping.folder = item.folder if step.folder_to_microsoft is None else mapping.folder or item.folder
    mapping.etag = item.etag
    mapping.state, mapping.released_by, mapping.in_scope = MappingState.LINKED, "", step.in_scope
    mapping.gone_since, mapping.intended_at = None, None
    if not _has_values_to_send(step):  # else Microsoft may refuse it once more, and the delay grows (SYNC-03)
        mapping.failure, mapping.attempts, mapping.next_try_at = "", 0, None
    mapping.synced_at = work.now
    mapping.pending = None
    if step.action is Action.CREATE:
        mapping.crm_folder = step.folder_to_crm or ""
    work.how.agreed(work, step, mapping)


def _fingerprint(mapping: RecordMapping) -> tuple[Any, ...]:
    return tuple(getattr(mapping, name) for name in SAVED if name != "synced_at")


SAVED = (
    "role",
    "starts_at",
    "ends_at",
    "graph_id",
    "folder",
    "crm_folder",
    "etag",
    "marker",
    "marked",
    "state",
    "released_by",
    "in_scope",
    "crm_digests",
    "microsoft_digests",
    "pending",
    "people",
    "details_at",
    "gone_since",
    "intended_at",
    "repeated_at",
    "attempts",
    "next_try_at",
    "failure",
    "linked_at",
    "synced_at",
    "last_change_from",
)


def _save(mappings: Iterable[RecordMapping]) -> None:
    rows = list({row.pk: row for row in mappings if row.pk}.values())
    # One INSERT ... ON CONFLICT for all: several times faster than bulk_update's CASE for each of the fields.
    RecordMapping.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=SAVED, batch_size=100
    )


def save_mappings(mappings: Iterable[RecordMapping]) -> None:
    """Write the changed mappings of a chunk in one statement for each hundred."""
    _save(mappings)


# --- reading again before writing ------------------------------------------------------------------------------------


def _lock_and_read(work: Work, steps: Sequence[Step]) -> dict[tuple[str, str], Any]:
    """The objects that are about to be written, as they are now, locked where the database can."""
    found: dict[tuple[str, str], Any] = {}
    for adapter in work.adapters:
        wanted = [step for step in steps if step.adapter is adapter and step.obj is not None and _writes_crm(step)]
        if not wanted:
            continue
        rows = adapter.model._base_manager.select_for_update().filter(pk__in=[step.obj.pk for step in wanted])
        list(rows.order_by("pk").values_list("pk", flat=True))
        found |= {
            (adapter.name, key): obj
            for key, obj in adapter.by_ids([step.object_id for step in wanted], work.ctx).items()
        }
    return found


def _writes_crm(step: Step) -> bool:
    match step.decision:
        case Update(merge=merge):
            return bool(merge.to_crm) or step.folder_to_crm is not None or step.users is not None
        case Delete(side=Side.CRM) | Cancel():
            return True
    return step.folder_to_crm is not None and step.action is not Action.CREATE


def _moved(work: Work, step: Step, obj: Any) -> bool:
    """Whether the CRM's record is another than the one that was decided about."""
    record = step.adapter.read(obj, work.ctx)
    return record is None or step.crm is None or record.values() != step.crm.values()


# --- what did not work -----------------------------------------------------------------------------------------------


def _failed(work: Work, report: Report, step: Step, reason: str) -> None:
    """Hold this record back, tell why, and try again later; the others go on."""
    if step.mapping is not None and step.mapping.pk:
        row = RecordMapping.objects.get(pk=step.mapping.pk)
        work.failed.add(row.pk)
        row.attempts += 1
        row.failure, row.next_try_at = reason, work.now + retry_delay(row.attempts)
        row.save(update_fields=["attempts", "failure", "next_try_at"])
        drop_rows([step])
        due = row.next_try_at
    elif step.row is not None:
        step.row.attempts += 1
        due = work.now + retry_delay(step.row.attempts)
        InboxItem.objects.filter(pk=step.row.pk).update(
            attempts=step.row.attempts, next_try_at=due, state="held", reason="failed"
        )
    else:
        due = None
    said = f"The CRM did not take this {work.how.noun}: {reason.rstrip('.')}."
    report.failure(step, code="crm_refused", next_try_at=due, reason=said)


def _in_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    if isinstance(error, IntegrityError):
        return "another record of the CRM stands in its way (a value that must be unique, or one that is missing)"
    return "a value does not fit into its column"


def _note_leftovers(step: Step, written: Any) -> None:
    step.leftovers = (*step.leftovers, *written.notes)


def _report_leftovers(work: Work, report: Report, step: Step) -> None:
    """Report once what one side cannot hold or does not take (CON-10)."""
    adapter = step.adapter.name if step.adapter else ""
    for note in step.leftovers:
        report.problem(
            code="not_taken",
            detail=note.field,
            adapter=adapter,
            object_id=step.object_id,
            graph_id=step.graph_id,
            warning=True,
            reason=f"{note.field}: {note.reason}",
        )
    for name, side in _unfit(work, step):
        where = "Microsoft" if side is Side.MICROSOFT else "the CRM"
        report.problem(
            code="unfit",
            detail=f"{name}.{side}",
            adapter=adapter,
            object_id=step.object_id,
            graph_id=step.graph_id,
            warning=True,
            reason=f"{name}: {where} cannot hold all of it. What fits is synced, the rest stays where it is.",
        )
    for name in step.decision.merge.refused if isinstance(step.decision, Update) else ():
        report.problem(
            code="refused",
            detail=name,
            adapter=adapter,
            object_id=step.object_id,
            graph_id=step.graph_id,
            warning=True,
            reason=f"{name}: a change made in Microsoft is not taken over, because it may not be changed "
            "in the CRM. The CRM's value was sent back.",
        )


def _unfit(work: Work, step: Step) -> tuple[tuple[str, Side], ...]:
    """The fields of which a side can hold a part only, with that side."""
    if isinstance(step.decision, Update):
        return step.decision.merge.unfit
    if step.crm is None or step.item is not None or step.action not in (Action.CREATE, Action.RESTORE):
        return ()
    values = step.crm.values().items()
    return tuple(
        (name, Side.MICROSOFT)
        for name, value in values
        if not same(name, fit(name, value, work.microsoft_limits), value)
    )


def drop_rows(steps: Iterable[Step]) -> None:
    """What is worked through leaves the inbox."""
    keys = [step.row.pk for step in steps if step.row is not None and step.row.pk]
    if keys:
        InboxItem.objects.filter(pk__in=keys).delete()
