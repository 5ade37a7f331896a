"""Carry out a chunk of the plan: the CRM's side in short transactions, Microsoft's in batches, notes with both.

    1. CRM    one transaction for a part of the chunk, a savepoint for each record; mappings are written with it
    2. intent what is about to be sent to Microsoft is committed
    3. send   batches; no transaction is open
    4. commit what Microsoft answered

A cycle that dies between any two of these is picked up by the next one: nothing is lost, nothing is done twice (I-1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..models import RecordMapping, SyncProblem
from ..reconcile.plan import Action
from . import apply_crm, apply_microsoft
from .folders import Cursors
from .held import hold_ambiguous
from .inbox import keep_without_contents
from .report import NOT_SYNCABLE, Report, retry_delay
from .steps import Step
from .work import Work

#: How many records share one transaction on the CRM's side.
CRM_PART = 50


def apply(work: Work, report: Report, cursors: Cursors, steps: Sequence[Step]) -> None:
    """Carry out one chunk. Raises what stops the whole link (sign-in, throttling, lease); records fail on their own."""
    _not_done(work, report, [step for step in steps if step.action in (Action.SKIP, Action.HOLD)])
    doing = [step for step in steps if step.action not in (Action.SKIP, Action.HOLD)]
    sending: list[Step] = []
    for start in range(0, len(doing), CRM_PART):
        sending += apply_crm.write(work, report, cursors, doing[start : start + CRM_PART])
        work.check_lease()
    apply_microsoft.write(work, report, cursors, work.mails.keep_back(sending))
    work.progress("writing", len(steps))
    work.check_time()


def _not_done(work: Work, report: Report, steps: Iterable[Step]) -> None:
    """Records that the plan leaves alone: tell why where a person should know, and empty the inbox of them."""
    unpaired, held, dropped = [], [], []
    for step in steps:
        if step.action is Action.HOLD:
            hold_ambiguous(work, report, step)
            held.append(step)
        elif step.mapping is None and step.item is not None:
            unpaired.append(step)
            _report_unpaired(work, report, step)
        else:
            dropped.append(step)
    report.problems(_not_syncable(work, report, step) for step in dropped if _is_told(step))
    _look_again(work, [step for step in dropped if step.is_held_back])
    keep_without_contents([step.row for step in held if step.row], "held", "ambiguous")
    for code in {step.code for step in unpaired}:
        keep_without_contents([step.row for step in unpaired if step.row and step.code == code], "unpaired", code)
    apply_crm.drop_rows([step for step in dropped if step.row])


def _is_told(step: Step) -> bool:
    return step.is_held_back or bool(step.reason and step.mapping is None and step.obj is not None)


def _not_syncable(work: Work, report: Report, step: Step) -> SyncProblem:
    what = "is not sent to Microsoft" if step.mapping is None else "is not synced at present"
    reason = f"This {work.how.noun} {what}: {step.reason.rstrip('.')}."
    return report.about(step, code=NOT_SYNCABLE, warning=True, reason=reason)


def _look_again(work: Work, steps: Iterable[Step]) -> None:
    """Linked records that the CRM holds back while Microsoft has news of them: it is read when the CRM lets them go."""
    rows = [step.mapping for step in steps if step.mapping and (step.row is not None or step.mapping.next_try_at)]
    for mapping in rows:
        mapping.attempts += 1
        mapping.next_try_at = work.now + retry_delay(mapping.attempts)
    RecordMapping.objects.bulk_update(rows, ["attempts", "next_try_at"], batch_size=100)


def _report_unpaired(work: Work, report: Report, step: Step) -> None:
    if step.reason and "may not" in step.reason:
        report.problem(
            code="not_permitted", graph_id=step.graph_id,
            reason=f"{work.how.a_noun.capitalize()} in Microsoft is not synced: {step.reason}.",
        )
    elif step.reason and "holds nothing" in step.reason:
        report.problem(
            code=NOT_SYNCABLE, graph_id=step.graph_id, warning=True,
            reason=f"{work.how.a_noun.capitalize()} in Microsoft is not brought into the CRM: {step.reason}.",
        )
