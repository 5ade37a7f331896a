"""What people decide about what waits for them: problems to retry or ignore, guards and unclear matches.

Only the decision is stored here; the next cycle acts on it. Who may decide is asked beforehand (`rights`).
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import HeldDecision, InboxItem, LinkStatus, RecordMapping, SyncProblem, UserLink
from .refused import Refused


def retry(problem: SyncProblem) -> None:
    """Try the record again at the next cycle, which is wanted at once, and forget how often it has failed."""
    with transaction.atomic():
        problem.ignored, problem.next_try_at = False, None
        problem.save(update_fields=["ignored", "next_try_at"])
        mine = {"link_id": problem.link_id, "kind": problem.kind}
        if problem.adapter and problem.object_id:
            RecordMapping.objects.filter(adapter=problem.adapter, object_id=problem.object_id, **mine).update(
                next_try_at=None, attempts=0)
        if problem.graph_id:
            RecordMapping.objects.filter(graph_id=problem.graph_id, **mine).update(next_try_at=None, attempts=0)
            InboxItem.objects.filter(graph_id=problem.graph_id, preview="", **mine).update(
                next_try_at=None, attempts=0)
        wake(problem.link)


def ignore(problem: SyncProblem) -> None:
    """Do not show this problem any more; the record stays as it is."""
    problem.ignored = True
    problem.save(update_fields=["ignored"])


def confirm(held: HeldDecision, by: Any, choice: str = "") -> None:
    """Let what was stopped go on; of several candidates `choice` is the one to take. Raises `Refused` if too late."""
    _decide(held, HeldDecision.State.CONFIRMED, by, choice)


def dismiss(held: HeldDecision, by: Any) -> None:
    """Leave what was stopped undone. Raises `Refused` if too late."""
    _decide(held, HeldDecision.State.DISMISSED, by, "")


def _decide(held: HeldDecision, state: str, by: Any, choice: str) -> None:
    with transaction.atomic():
        decided = HeldDecision.objects.filter(pk=held.pk, state=HeldDecision.State.OPEN).update(
            state=state, choice=choice, decided_at=timezone.now(), decided_by=by)
        if not decided:
            raise Refused(_("This has been decided already."))
        wake(held.link)
    held.refresh_from_db()


def wake(link: UserLink) -> None:
    """Want a cycle at once. A link without a mailbox gets another chance: somebody may have mended it."""
    now = timezone.now()
    UserLink.objects.filter(pk=link.pk, status=LinkStatus.NO_MAILBOX).update(
        status=LinkStatus.CONNECTED, status_reason="", status_since=now)
    UserLink.objects.filter(~Q(settings_saved_at=None), pk=link.pk, status=LinkStatus.CONNECTED).update(due_at=now)
