"""Syncing one link at once, in the process of who asks for it: what `ms365_sync` does for each link."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..conf import settings
from ..models import LinkStatus, RunState, SyncRun, Trigger, UserLink
from ..reconcile.plan import Counts
from . import lease as leases
from .abandoned import fail_abandoned_runs
from .attempt import attempt, attempt_preview, explain, fail_runs
from .eligible import why_not

WAIT_S = 0.5
#: How often a progress bar looks at the run.
LOOK_S = 0.5
PREVIEWED = (LinkStatus.AWAITING_SETTINGS, LinkStatus.CONNECTED)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one link. `status` is the link's, or `failed` or `busy` where the link itself is well.

    `message` is a full sentence when not everything went well. `counts` are by kind, in the shape of `Counts`.
    """

    status: str
    went_well: bool
    message: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    requests: int = 0
    seconds: float = 0.0


def sync_now(link: UserLink, *, kinds: list[str] | None = None, full: bool = False, dry_run: bool = False,
             by: Any = None, watch: Callable[[dict[str, Any]], None] | None = None) -> Report:
    """Sync a link, or with `dry_run` work out its preview, and wait for the end.

    Waits up to `LEASE_S` seconds for a cycle that is under way. `watch` is given the run's progress now and then.
    Raises `ConfigurationError`.
    """
    started = time.monotonic()
    if reason := _reason_against(link, dry_run):
        return Report(status=_status(link, "failed"), went_well=False, message=reason)
    lease = _wait_for_lease(link)
    if lease is None:
        return Report(status=_status(link, "busy"), went_well=False, seconds=time.monotonic() - started, message=_(
            "Another sync of this link has been under way for a while and is not finished yet. Try again later."))
    now = timezone.now()
    run = SyncRun.objects.create(
        link=link, tenant=link.tenant, requested_by=by, queued_at=now, started_at=now, state=RunState.RUNNING,
        trigger=Trigger.PREVIEW if dry_run else Trigger.COMMAND)
    if watch is not None:
        lease.on_ensure = _Watching(run.pk, watch)
    if dry_run:
        error = attempt_preview(lease, run.pk, kinds=kinds, full=full).error
    else:
        error = attempt(lease, run=run, trigger=Trigger.COMMAND, kinds=kinds, full=full).error
    return _report(link, run, error, time.monotonic() - started)


def _reason_against(link: UserLink, dry_run: bool) -> str:
    if dry_run and link.status not in PREVIEWED:
        return _("No preview is possible, because the Microsoft account is not connected.")
    if not dry_run and (reason := why_not(link)):
        return reason
    if link.not_before is not None and link.not_before > timezone.now():    # asking sooner only makes it longer
        return _("Microsoft asked us to slow down; nothing is asked of it before %(time)s.") % {
            "time": date_format(timezone.localtime(link.not_before), "DATETIME_FORMAT")}
    return ""


def _wait_for_lease(link: UserLink) -> leases.Lease | None:
    end = time.monotonic() + settings.LEASE_S
    while True:
        lease = leases.acquire(link.pk, doing="")
        if lease is not None:
            if lease.taken_over_from:
                fail_abandoned_runs(link.pk)
            return lease
        if time.monotonic() >= end:
            return None
        time.sleep(WAIT_S)


def _report(link: UserLink, run: SyncRun, error: BaseException | None, seconds: float) -> Report:
    if error is not None:
        # A run that waits for Microsoft's permission is gone on with in the background; any other has ended.
        fail_runs(SyncRun.objects.filter(pk=run.pk, state=RunState.RUNNING), explain(error))
    run.refresh_from_db()
    link.refresh_from_db()
    went_well = run.state == RunState.DONE
    status = link.status if run.state in (RunState.DONE, RunState.PARTLY) else _status(link, "failed")
    message = run.message
    if run.state == RunState.PARTLY and not message:
        message = _("Some records could not be synced; they are listed under Problems.")
    return Report(status=status, went_well=went_well, message=message, requests=run.requests, seconds=seconds,
                  counts={kind: _whole(found) for kind, found in run.counts.items()})


def _whole(found: dict[str, Any]) -> dict[str, Any]:
    """Counts with every number of `Counts` in them."""
    return {name: {**value, **found.get(name, {})} if isinstance(value, dict) else found.get(name, value)
            for name, value in Counts().as_dict().items()}


def _status(link: UserLink, otherwise: str) -> str:
    return otherwise if link.status == LinkStatus.CONNECTED else link.status


class _Watching:
    """Tells a watcher of a run's progress, and is called far more often than that is worth it."""

    def __init__(self, run_id: int, watch: Callable[[dict[str, Any]], None]) -> None:
        self.run_id, self.watch, self.next_look = run_id, watch, 0.0

    def __call__(self) -> None:
        if time.monotonic() < self.next_look:
            return
        self.next_look = time.monotonic() + LOOK_S
        progress = SyncRun.objects.filter(pk=self.run_id).values_list("progress", flat=True).first()
        if progress:
            self.watch(progress)
