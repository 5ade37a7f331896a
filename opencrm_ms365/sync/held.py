"""What waits for a person: guards that stopped deletions, and matches that are not clear (ORG-08, ORG-13)."""

from __future__ import annotations

import hashlib

from django.db import IntegrityError, transaction

from ..conf import settings
from ..models import HeldDecision, SyncProblem, encrypt
from ..reconcile.guard import DeletionGuard, vanished
from ..reconcile.policy import Side
from .report import Report, ambiguous_key
from .steps import Step
from .work import Work

#: The problems that say what a guard stopped.
GUARDS = (HeldDecision.Reason.DELETION_GUARD, HeldDecision.Reason.VANISHED, HeldDecision.Reason.MAIL_GUARD)


def hold(work: Work, reason: str, key: str, summary: dict[str, object], details: object = None) -> HeldDecision | None:
    """Open a decision, or find the one that waits already. None in a preview: it writes nothing."""
    if work.preview:
        return None
    rows = HeldDecision.objects.filter(link=work.link, key=key, state__in=["open", "confirmed"])
    known = rows.first()
    if known is None:
        try:
            with transaction.atomic():
                known = HeldDecision.objects.create(
                    link=work.link,
                    tenant=work.link.tenant,
                    kind=work.kind,
                    reason=reason,
                    key=key,
                    summary=summary,
                    details=encrypt(details) if details is not None else None,
                    at=work.now,
                )
        except IntegrityError:
            known = rows.first()
    elif known.state == HeldDecision.State.OPEN and known.summary != summary:
        rows.update(summary=summary)
    return known


def ask_again(decision: HeldDecision, summary: dict[str, object], details: object = None) -> None:
    """More has come together than a person agreed to."""
    changes = {"details": encrypt(details)} if details is not None else {}
    HeldDecision.objects.filter(pk=decision.pk).update(state=HeldDecision.State.OPEN, summary=summary, **changes)


def guard_stops(work: Work, report: Report, side: Side, deletions: int, linked: int) -> bool:
    """Whether the deletion guard stops these deletions. A confirmed decision lets that many through, once."""
    guard = DeletionGuard(percent=work.organisation.deletion_guard_percent, minimum=settings.DELETION_GUARD_MINIMUM)
    key = key_of("guard", work.kind, side)
    if not guard.stops(deletions, linked) or (side is Side.MICROSOFT and work.vanished_confirmed):
        return False
    summary: dict[str, object] = {"side": str(side), "deletions": deletions, "records": linked}
    decision = hold(work, HeldDecision.Reason.DELETION_GUARD, key, summary)
    if decision is not None and decision.state == HeldDecision.State.CONFIRMED:
        if deletions <= int(decision.summary.get("deletions", 0)):
            return False
        HeldDecision.objects.filter(pk=decision.pk).update(state=HeldDecision.State.OPEN, summary=summary)
    where = "in Microsoft" if side is Side.MICROSOFT else "in the CRM"
    report.problem(
        code="deletion_guard",
        reason=f"This cycle would delete {deletions} of {linked} synced {work.how.nouns} {where}. It stopped before "
        "deleting and goes on when an administrator confirms.",
        detail=str(side),
    )
    return True


def vanished_stops(work: Work, report: Report, missing: int, linked: int) -> bool:
    """Whether the CRM shows so few of its linked records that this looks like a mistake rather than deletions."""
    if missing <= settings.DELETION_GUARD_MINIMUM:
        return False
    key = key_of("vanished", work.kind)
    going_on = HeldDecision.objects.filter(link=work.link, key=key, state=HeldDecision.State.CONFIRMED)
    if not vanished(missing, linked) and not going_on.exists():
        return False
    summary: dict[str, object] = {"missing": missing, "records": linked}
    decision = hold(work, HeldDecision.Reason.VANISHED, key, summary)
    if decision is not None and decision.state == HeldDecision.State.CONFIRMED:
        work.vanished_confirmed = True
        return False
    report.problem(
        code="vanished",
        reason=f"The CRM shows only {linked - missing} of {linked} {work.how.nouns} that are in sync. The sync of "
        f"{work.how.nouns} stopped until an administrator confirms that the others were really deleted.",
    )
    return True


def settle(work: Work) -> None:
    """What people decided has been carried out, and what a guard no longer stops is no problem any more. Not before: a
    cycle that ends half way goes on with the decision."""
    if not work.preview:
        SyncProblem.objects.filter(
            link=work.link, kind=work.kind, code__in=GUARDS, resolved_at=None, last_at__lt=work.now,
        ).update(resolved_at=work.now)
    if work.decided and not work.preview:
        rows = HeldDecision.objects.filter(pk__in=work.decided, state=HeldDecision.State.CONFIRMED)
        rows.update(state=HeldDecision.State.DONE)
    work.decided.clear()


def hold_ambiguous(work: Work, report: Report, step: Step) -> None:
    """Keep an unclear match for a person (ORG-08). The candidates are keys of CRM records; names are not stored."""
    key = ambiguous_key(work.kind, step.graph_id)
    report.problem(
        code="ambiguous",
        graph_id=step.graph_id,
        reason=f"{work.how.a_noun.capitalize()} in Microsoft was not linked because {step.reason}. "
        "Choose which one it is.",
    )
    hold(
        work,
        HeldDecision.Reason.AMBIGUOUS,
        key,
        {"candidates": len(step.candidates)},
        {
            "graph_id": step.graph_id,
            "candidates": [list(ref) for ref in step.candidates],
            "label": step.item.data.label() if step.item else "",
        },
    )


def key_of(*parts: str) -> str:
    """Tells one decision of a link from another."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
