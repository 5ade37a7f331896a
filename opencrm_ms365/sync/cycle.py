"""One cycle of one link: pull, collect, pair, decide, apply, commit (design, section 3).

The plan comes in chunks and each chunk is carried out before the next one is made; the preview takes the same plan and
carries out nothing. Where the cycle stands is in the database at every instant: it may end anywhere and go on later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from .. import adapters
from ..access import denied, installation, outage
from ..access.links import mark_broken
from ..conf import settings
from ..errors import ClientRefused, ConsentRequired, MailboxUnavailable, OutOfTime, SignInRequired
from ..graph import batch
from ..graph.batch import MAX_INNER
from ..models import LinkStatus, RunState, SyncRun, SyncSettings, Trigger, UserLink
from ..signals import run_finished
from . import apply_microsoft, held, recover
from .apply import apply
from .contact_kind import ContactKind
from .deletions import limits_as_dict, missing_in_crm, plan_deletions, remember_limits
from .event_kind import EventKind
from .folders import Cursors
from .inbox import waiting
from .kind import Kind
from .lease import Lease
from .mails import Mails
from .outgoing import plan_outgoing
from .pairing import plan_inbox
from .pull import pull
from .report import Report
from .steps import Step
from .stored import forget_vanished
from .task_cycle import sync_tasks
from .task_kind import TaskKind, TaskWork
from .work import Work, acting_for, context_of, open_client, policy_of

KINDS: dict[str, Kind] = {how.name: how for how in (ContactKind(), EventKind(), TaskKind())}
#: What another link claimed first, or somebody changed meanwhile, is looked at again in the same cycle.
INBOX_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a cycle ended. `finished` False: the time slice was over, the rest goes on later."""

    finished: bool
    run: SyncRun


def run_link(
    link_id: int,
    *,
    trigger: str = Trigger.SCHEDULE,
    kinds: Sequence[str] | None = None,
    full: bool = False,
    deadline: float | None = None,
    lease: Lease | None = None,
    run: SyncRun | None = None,
) -> Outcome:
    """Sync one link now, under a lease of the caller's.

    `deadline` is a value of `time.monotonic()`. Raises what stops the whole link and is not the user's own matter:
    Throttled, Unavailable, ConsentRequired, ClientRefused, LeaseLost, ConfigurationError. A sign-in that is no longer
    accepted and a missing mailbox end the run with a plain message and leave the link in that state (USER-06).
    """
    link = UserLink.objects.select_related("user").get(pk=link_id)
    run = _start(link, run, trigger)
    installation.remember(SyncSettings.of(link.tenant))
    client = open_client(link)
    try:
        wanted = [name for name in KINDS if kinds is None or name in kinds]
        _run_kinds(link, wanted, run, client, full=full, deadline=deadline, lease=lease)
    except OutOfTime:
        _save(run, client, state=RunState.QUEUED)
        return Outcome(finished=False, run=run)
    except (SignInRequired, MailboxUnavailable) as error:
        _break(link, error)
        _end(link, run, client, RunState.FAILED, str(error))
        return Outcome(finished=True, run=run)
    except (ConsentRequired, ClientRefused) as error:
        meant = denied.judge(link, error)
        if isinstance(meant, (SignInRequired, MailboxUnavailable)):
            _break(link, meant)
            _end(link, run, client, RunState.FAILED, str(meant))
            return Outcome(finished=True, run=run)
        if isinstance(meant, (ConsentRequired, ClientRefused)):
            outage.begin(link.tenant, meant, link)
        _save(run, client)
        raise meant from error
    except Exception:
        _save(run, client)
        raise
    problems = sum(int(counts.get("problems", 0)) for counts in run.counts.values())
    _end(link, run, client, RunState.PARTLY if problems else RunState.DONE, "")
    return Outcome(finished=True, run=run)


def _break(link: UserLink, error: Exception) -> None:
    if isinstance(error, SignInRequired):
        mark_broken(link, LinkStatus.SIGN_IN_AGAIN, str(error), claims=error.claims)
    else:
        mark_broken(link, LinkStatus.NO_MAILBOX, str(error))


# --- one kind of record ----------------------------------------------------------------------------------------------


def _run_kinds(
    link: UserLink,
    kinds: Sequence[str],
    run: SyncRun,
    client: Any,
    *,
    full: bool,
    deadline: float | None,
    lease: Lease | None,
) -> None:
    ctx = context_of(link)
    with acting_for(ctx):
        works = [
            work
            for kind in kinds
            if (work := open_work(link, kind, ctx, client, lease=lease, deadline=deadline)) is not None
        ]
        if not full:
            ask_together(works)
        for work in works:
            _run_kind(work, run, full=full)


def ask_together(works: Sequence[Work]) -> None:
    """What is new of all kinds, in one request: an idle link costs no more (I-7)."""
    standing = [(work, Cursors.of(work.link, work.kind)) for work in works]
    asked = [(work, work.how.poll_requests(work, cursors)) for work, cursors in standing if cursors.links]
    together = [inner for _work, requests in asked for inner in requests]
    if len([requests for _work, requests in asked if requests]) < 2 or len(together) > MAX_INNER:
        return
    outcomes = batch.run(works[0].client, together)
    for work, requests in asked:
        work.news = {inner.id: outcomes[inner.id] for inner in requests}


def _run_kind(work: Work, run: SyncRun, *, full: bool) -> None:
    before = run.counts.get(work.kind)
    work.on_progress = _progress(run)
    report = Report(work.link, work.kind, work.counts, work.now)
    try:
        if isinstance(work, TaskWork):
            sync_tasks(work, report, full=full)
        else:
            sync_kind(work, report, full=full)
    finally:
        run.counts = {**run.counts, work.kind: _added(before, work.counts.as_dict())}


def open_work(
    link: UserLink,
    kind: str,
    ctx: Any,
    client: Any,
    *,
    lease: Lease | None = None,
    deadline: float | None = None,
    preview: str = "",
) -> Work | None:
    """Everything for one kind; None where the organisation, the user or the CRM has it switched off."""
    organisation = SyncSettings.of(link.tenant)
    how = KINDS[kind]
    found = adapters.site.adapters(kind)
    direction = how.direction(organisation, link)
    if not (found and direction and how.is_on(organisation, link)):
        return None
    work = (how.work_type or Work)(
        link=link,
        organisation=organisation,
        kind=kind,
        adapters=list(found),
        ctx=ctx,
        client=client,
        how=how,
        store=how.open_store(client),
        policy=policy_of(link, organisation, direction),
        scope=how.scope(link),
        lease=lease,
        deadline=deadline,
        preview=preview,
    )
    how.opened(work)
    return work


def sync_kind(work: Work, report: Report, *, full: bool) -> None:
    """The cycle as a story."""
    started = timezone.now()
    if _crm_has_vanished(work, report):
        return
    work.full = _prepare_full_pass(work, full)
    work.mails = Mails(work)
    remember_limits(work)
    try:
        _carry_out(work, report)
    except OutOfTime:
        _remember_where(work, started)
        raise
    _finish(work, started)


def _carry_out(work: Work, report: Report) -> None:
    recover.retry_held(work)
    recover.reopen_decided(work)
    recover.recover(work, report, Cursors.of(work.link, work.kind))
    cursors = pull(work, report)
    recover.look_again_at_unclear(work)
    _apply_all(work, report, cursors, lambda: plan_inbox(work, cursors), rounds=INBOX_ROUNDS)
    _apply_all(work, report, cursors, lambda: plan_outgoing(work, cursors))
    _apply_all(work, report, cursors, lambda: plan_inbox(work, cursors), rounds=INBOX_ROUNDS)
    _apply_all(work, report, cursors, lambda: plan_deletions(work, cursors, report))
    work.mails.release(report, lambda steps: apply_microsoft.write(work, report, cursors, steps))
    held.settle(work)
    apply_microsoft.mark(work, report)


def _apply_all(
    work: Work, report: Report, cursors: Cursors, plan: Callable[[], Iterator[list[Step]]], rounds: int = 1
) -> None:
    for _round in range(rounds):
        for steps in plan():
            apply(work, report, cursors, steps)
        if rounds > 1 and not waiting(work).exists():
            return


def _crm_has_vanished(work: Work, report: Report) -> bool:
    """A forgotten organisation filter looks like mass deletion: stop before anything follows from it."""
    missing = linked = 0
    for adapter in work.adapters:
        gone, known = missing_in_crm(work, adapter)
        missing, linked = missing + gone, linked + known
    return held.vanished_stops(work, report, missing, linked)


def _prepare_full_pass(work: Work, wanted: bool) -> bool:
    """Whether everything is compared in this cycle: on demand, daily, after the rules changed, and where mappings have
    been lost since the last one: the records are found again before anything is made (SYNC-09).

    The delta links are dropped once, so that Microsoft lists everything again; a full pass that is cut off goes on.
    """
    progress = dict(work.link.progress.get(work.kind) or {})
    rules = [
        str(work.policy.direction),
        str(work.policy.after_deletion),
        *work.how.rules(work),
        sorted(name for adapter in work.adapters for name in adapter.mapped),
        sorted(work.left_out_categories),
    ]
    if progress.get("full"):
        return True
    last = progress.get("full_at")
    is_due = last is not None and work.now - datetime.fromisoformat(last) >= timedelta(hours=settings.FULL_PASS_HOURS)
    changed = last is not None and progress.get("rules") != rules
    lost = work.mappings().count() < int(progress.get("mapped", 0))
    if not (wanted or is_due or changed or lost):
        if last is None:
            progress |= {"rules": rules}
            work.save_link(progress={**work.link.progress, work.kind: progress})
        return last is None
    cursors = Cursors.of(work.link, work.kind)
    cursors.links, cursors.rounds = {}, {}
    progress |= {"full": True, "rules": rules, "compared": {}, "began": None}
    work.save_link(
        progress={**work.link.progress, work.kind: progress},
        cursors={**work.link.cursors, work.kind: cursors.as_dict()},
    )
    return True


def _remember_where(work: Work, started: datetime) -> None:
    """The time slice is over: the next one goes on comparing where this one stopped, however long that takes."""
    work.mails.let_go()
    progress = dict(work.link.progress.get(work.kind) or {})
    progress |= {"compared": work.compared, "began": progress.get("began") or started.isoformat()}
    work.save_link(progress={**work.link.progress, work.kind: progress})


def _finish(work: Work, started: datetime) -> None:
    """Everything up to the beginning of the first slice is durable on both sides: move the watermark."""
    progress = dict(work.link.progress.get(work.kind) or {})
    began = progress.pop("began", None)
    progress.pop("compared", None)
    progress["watermark"], progress["mapped"] = began or started.isoformat(), work.mappings().count()
    if work.full:
        for adapter in work.adapters:
            forget_vanished(adapter, work.ctx)
        progress["full_at"] = started.isoformat()
        progress.pop("full", None)
    progress.pop("limits", None)
    work.save_link(
        progress={**work.link.progress, work.kind: progress},
        applied_scope={**work.link.applied_scope, work.kind: limits_as_dict(work.scope)},
    )


# --- the run's own row -----------------------------------------------------------------------------------------------


def _start(link: UserLink, run: SyncRun | None, trigger: str) -> SyncRun:
    now = timezone.now()
    if run is None:
        run = (
            SyncRun.objects.filter(link=link, state=RunState.QUEUED, trigger=trigger, started_at__isnull=False)
            .order_by("pk")
            .first()
        )
    if run is None:
        return SyncRun.objects.create(
            link=link, tenant=link.tenant, trigger=trigger, state=RunState.RUNNING, queued_at=now, started_at=now
        )
    run.state, run.started_at = RunState.RUNNING, run.started_at or now
    run.save(update_fields=["state", "started_at"])
    return run


def _progress(run: SyncRun) -> Callable[[str, int], None]:
    done: dict[str, int] = {}

    def note(phase: str, count: int) -> None:
        done[phase] = max(done.get(phase, 0), count) if phase == "reading" else done.get(phase, 0) + count
        total = max(run.progress.get("total", 0), done.get("reading", 0), done.get("writing", 0))
        run.progress = {"phase": phase, "done": done[phase], "total": total}
        SyncRun.objects.filter(pk=run.pk).update(progress=run.progress)

    return note


def _added(before: dict[str, Any] | None, counts: dict[str, Any]) -> dict[str, Any]:
    """The counts of a run that went on after its time slice: the sums."""
    if not before:
        return counts
    return {
        name: _added(before.get(name), value) if isinstance(value, dict) else before.get(name, 0) + value
        for name, value in counts.items()
    }


def _save(run: SyncRun, client: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(run, name, value)
    SyncRun.objects.filter(pk=run.pk).update(counts=run.counts, requests=F("requests") + client.requests, **values)
    client.requests = 0


def _end(link: UserLink, run: SyncRun, client: Any, state: str, message: str) -> None:
    _save(run, client, state=state, message=message, finished_at=timezone.now())
    run.refresh_from_db()
    run_finished.send_robust(sender=SyncRun, link=link, run=run)
