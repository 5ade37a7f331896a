"""What a sync would do, without doing it: the same plan, shown instead of carried out (USER-07).

Nothing is written on either side. What Microsoft reports is read into the inbox under the preview's own name and
dropped afterwards; cursors and mappings stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.utils import timezone

from ..access import denied, outage
from ..access.links import mark_broken
from ..errors import ClientRefused, ConsentRequired, MailboxUnavailable, SignInRequired
from ..models import InboxItem, LinkStatus, RunState, SyncRun, encrypt
from ..reconcile.plan import Action
from ..signals import run_finished
from .cycle import KINDS, open_work
from .deletions import plan_deletions
from .lease import Lease
from .outgoing import plan_outgoing
from .pairing import plan_inbox
from .pull import pull
from .report import Report
from .steps import Step
from .task_cycle import preview_tasks
from .task_kind import TaskWork
from .work import Work, acting_for, context_of, open_client

#: More operations than this are counted but not listed.
LISTED = 1000
SHOWN = frozenset(Action) - {Action.SKIP}


def run_preview(
    run_id: int, kinds: Iterable[str] | None = None, *, full: bool = False, lease: Lease | None = None
) -> SyncRun:
    """Work out the preview of a queued run and store it there: numbers in `counts`, the list in `operations`.

    `full`: as if everything were compared anew. `lease` is the caller's and is kept while it works. Raises what stops
    the whole link, as `run_link` does.
    """
    run = SyncRun.objects.select_related("link__user").get(pk=run_id)
    run.state, run.started_at = RunState.RUNNING, run.started_at or timezone.now()
    run.save(update_fields=["state", "started_at"])
    client = open_client(run.link)
    state, message = RunState.DONE, ""
    listed: list[dict[str, Any]] = []
    try:
        for kind in [name for name in KINDS if kinds is None or name in kinds]:
            counts = _preview_kind(run, kind, client, listed, full=full, lease=lease)
            if counts is not None:
                run.counts = {**run.counts, kind: counts}
    except (SignInRequired, MailboxUnavailable) as error:
        state, message = RunState.FAILED, str(error)
        status = LinkStatus.SIGN_IN_AGAIN if isinstance(error, SignInRequired) else LinkStatus.NO_MAILBOX
        mark_broken(run.link, status, message)
    except (ConsentRequired, ClientRefused) as error:
        meant = denied.judge(run.link, error)
        if isinstance(meant, (ConsentRequired, ClientRefused)):
            outage.begin(run.link.tenant, meant, run.link)
        elif isinstance(meant, MailboxUnavailable):
            mark_broken(run.link, LinkStatus.NO_MAILBOX, str(meant))
        raise meant from error
    finally:
        InboxItem.objects.filter(link=run.link, preview=str(run.pk)).delete()
    run.state, run.message, run.finished_at = state, message, timezone.now()
    run.operations, run.requests = encrypt(listed), client.requests
    run.save(update_fields=["state", "message", "finished_at", "operations", "requests", "counts"])
    run_finished.send_robust(sender=SyncRun, link=run.link, run=run)
    return run


def _preview_kind(
    run: SyncRun,
    kind: str,
    client: Any,
    listed: list[dict[str, Any]],
    *,
    full: bool,
    lease: Lease | None,
) -> dict[str, Any] | None:
    ctx = context_of(run.link)
    with acting_for(ctx):
        work = open_work(run.link, kind, ctx, client, preview=str(run.pk), lease=lease)
        if work is None:
            return None
        work.full = full or not (run.link.progress.get(kind) or {}).get("full_at")
        report = Report(run.link, kind, work.counts, work.now, silent=True)
        for steps in preview_tasks(work, report) if isinstance(work, TaskWork) else _plan(work, report):
            work.check_lease()
            for step in steps:
                work.counts.add(step.operations)
                if step.action in SHOWN and len(listed) < LISTED:
                    listed += _shown(kind, step)
        return work.counts.as_dict()


def _plan(work: Work, report: Report) -> Iterator[list[Step]]:
    cursors = pull(work, report)
    yield from plan_inbox(work, cursors)
    yield from plan_outgoing(work, cursors)
    yield from plan_deletions(work, cursors, report)


def _shown(kind: str, step: Step) -> list[dict[str, Any]]:
    """The operations of a step as the preview page shows them; names are shown to those only who may see the record."""
    label = ""
    if step.obj is not None:
        label = str(step.adapter.label(step.obj))
    elif step.item is not None:
        label = step.item.data.label()
    record = f"{step.adapter.name}:{step.object_id}" if step.adapter and step.object_id else ""
    return [
        {
            "kind": kind,
            "action": str(item.action),
            "side": str(item.side) if item.side else "",
            "label": label,
            "record": record,
            "graph_id": step.graph_id,
            "fields": list(item.fields),
            "reason": item.reason or step.reason,
            "recipients": list(item.recipients),
        }
        for item in step.operations
    ]
