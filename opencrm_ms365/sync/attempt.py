"""One attempt at one link or preview that is leased: start it, and whatever happens, leave the row in order.

This is the border of a link (SYNC-03): an error ends here, is told in plain words, and the link is tried again later
with growing delay. What goes wrong with single records never gets this far.
"""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import Case, DateTimeField, F, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from ..conf import settings
from ..errors import ConfigurationError, LeaseLost, OutOfTime, SyncError, Throttled
from ..models import RunState, SyncRun, Trigger, UserLink
from ..signals import run_finished
from .lease import Lease

log = logging.getLogger("opencrm_ms365.sync")

#: Minutes until a link whose cycle failed is tried again; the last one repeats (SYNC-03).
DELAYS_MIN = (1, 2, 5, 10, 20, 30, 60)
UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True, slots=True)
class Result:
    """How an attempt went. `finished` is false when the rest goes on later; `error` is None when nothing stopped it."""

    finished: bool
    run: SyncRun | None = None
    error: BaseException | None = None


def delay_after(failures: int) -> timedelta:
    """How long to leave a link alone after so many failed attempts in a row (none: not at all)."""
    return timedelta(minutes=DELAYS_MIN[min(failures, len(DELAYS_MIN)) - 1]) if failures > 0 else timedelta()


def attempt(lease: Lease, *, run: SyncRun | None, trigger: str = Trigger.SCHEDULE, kinds: list[str] | None = None,
            full: bool = False, deadline: float | None = None) -> Result:
    """Run the cycle of a leased link, note how it went, and release the lease.

    `run` is the row to report in, already marked as running; None: the cycle makes its own. Errors come back in the
    result, but for `ConfigurationError` and for a database that does not even take the note, which stop all links.
    """
    link_before = UserLink.objects.filter(pk=lease.link_id).values("due_at", "attempts").get()
    books = _Books(lease, run, link_before["due_at"], link_before["attempts"], counts=kinds is None)
    try:
        outcome = _run_link(lease.link_id, trigger=trigger, kinds=kinds, full=full, deadline=deadline, lease=lease,
                            run=run)
    except LeaseLost as error:
        log.warning("Link %s: another worker has taken over", lease.link_id)
        return Result(finished=False, run=run, error=error)
    except OutOfTime:
        books.goes_on()
        return Result(finished=False, run=run)
    except Throttled as error:
        books.must_wait(error)
        return Result(finished=False, run=run, error=error)
    except BaseException as error:
        # Besides errors: Django-Q's time-out, or a person's Ctrl-C
        books.failed(error)
        if isinstance(error, ConfigurationError) or not isinstance(error, Exception):
            raise
        return Result(finished=True, run=run, error=error)
    books.finished() if outcome.finished else books.goes_on()
    return Result(finished=bool(outcome.finished), run=outcome.run)


class _Books:
    """What is written on the link's row and on the run at the end of an attempt.

    `due_at` is only changed if it is as it was when the attempt began: whoever asked for another sync meanwhile has
    moved it, and gets one. An attempt at some kinds only says nothing about when the link's next cycle is due.
    """

    def __init__(self, lease: Lease, run: SyncRun | None, due_before: datetime | None, attempts: int,
                 counts: bool) -> None:
        self.lease, self.run, self.due_before, self.attempts, self.counts = lease, run, due_before, attempts, counts

    def finished(self) -> None:
        now = timezone.now()
        waits = SyncRun.objects.filter(link=self.lease.link_id, state=RunState.QUEUED).exclude(trigger=Trigger.PREVIEW)
        following = now + timedelta(minutes=settings.CYCLE_MINUTES)
        self._close(now if waits.exists() else None, last_run_at=now, attempts=0,
                    next_run_at=Case(When(next_run_at__gt=now, then=F("next_run_at")), default=Value(following)))

    def goes_on(self) -> None:
        self._close(timezone.now(), attempts=0)

    def must_wait(self, error: Throttled) -> None:
        """Microsoft asked us to stay away: that is no failure of the link's, and its run goes on afterwards."""
        until = timezone.now() + timedelta(seconds=error.retry_after_s)
        runs_of(self.lease, self.run).update(state=RunState.QUEUED, message=explain(error))
        self._close(until, not_before=until, next_run_at=until, attempts=0)

    def failed(self, error: BaseException) -> None:
        renew_connection()
        log.error("Link %s: the sync failed with %s at %s", self.lease.link_id, type(error).__name__, place_of(error))
        again = timezone.now() + delay_after(max(1, self.attempts))
        fail_runs(runs_of(self.lease, self.run), f"{explain(error)} {_('It is tried again by itself.')}")
        if self.due_before is None:     # somebody ran it by hand: that changes nothing about its turn
            self._close(None)
        else:
            self._close(again, next_run_at=again)

    def _close(self, due_at: datetime | None, **values: Any) -> None:
        if not self.counts:
            self.lease.release(**{name: value for name, value in values.items() if name == "not_before"})
            return
        unmoved = Q(due_at__isnull=True) if self.due_before is None else Q(due_at=self.due_before)
        ours = Value(due_at, output_field=DateTimeField())
        values["due_at"] = Case(When(unmoved, then=ours), default=F("due_at"))
        if not self.lease.release(**values):
            log.warning("Link %s: the lease had ended before the work did", self.lease.link_id)


def attempt_preview(lease: Lease, run_id: int, *, kinds: list[str] | None = None, full: bool = False) -> Result:
    """Work out a preview under the link's lease; nothing about the link's next cycle changes."""
    try:
        _run_preview(run_id, kinds=kinds, full=full, lease=lease)
    except BaseException as error:
        _preview_failed(run_id, error)
        if isinstance(error, ConfigurationError) or not isinstance(error, Exception):
            raise
        return Result(finished=True, error=error)
    finally:
        lease.release()
    return Result(finished=True)


def _preview_failed(run_id: int, error: BaseException) -> None:
    renew_connection()
    log.error("Preview %s failed with %s at %s", run_id, type(error).__name__, place_of(error))
    fail_runs(SyncRun.objects.filter(pk=run_id), f"{explain(error)} {_('Ask for the preview again.')}")


def renew_connection() -> None:
    """After an error: drop a database connection that has broken, so that the note about it can be written."""
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()


def runs_of(lease: Lease, run: SyncRun | None) -> QuerySet[SyncRun]:
    """The given run, or else the one that the cycle made for itself."""
    if run is not None:
        return SyncRun.objects.filter(pk=run.pk)
    return SyncRun.objects.filter(link=lease.link_id, state=RunState.RUNNING).exclude(trigger=Trigger.PREVIEW)


def fail_runs(runs: QuerySet[SyncRun], message: str) -> int:
    """Mark those of `runs` that have not ended as failed, with a sentence for people. Returns how many."""
    failed = list(runs.filter(state__in=UNDER_WAY).select_related("link"))
    for run in failed:
        run.state, run.finished_at, run.message = RunState.FAILED, timezone.now(), message
        run.save(update_fields=["state", "finished_at", "message"])
        run_finished.send_robust(sender=SyncRun, link=run.link, run=run)
    return len(failed)


def explain(error: BaseException) -> str:
    """The cause, as a sentence for people. Messages of our own errors are made for them; others could hold contents of
    records."""
    if isinstance(error, Throttled):
        return _("Microsoft asked us to slow down; it goes on by itself in a while.")
    if isinstance(error, SyncError | ConfigurationError) and str(error):
        return str(error) if str(error).endswith((".", "!", "?")) else f"{error}."
    if isinstance(error, DatabaseError):
        return _("The CRM's database did not answer as expected.")
    if isinstance(error, Exception):
        return _("An unexpected error has happened (%(name)s); the server's log says where.") % {
            "name": type(error).__name__}
    return _("It was stopped before it was finished.")


def place_of(error: BaseException) -> str:
    """Where an error arose, as `file:line function`, without the values that a message or source line may show."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "opencrm_ms365" in frame.filename] or list(frames)
    return " < ".join(f"{frame.filename.rpartition('opencrm_ms365')[2].lstrip('/')}:{frame.lineno} {frame.name}"
                      for frame in reversed(own[-3:])) or "an unknown place"


def _run_link(link_id: int, **options: Any) -> Any:
    from .cycle import run_link

    return run_link(link_id, **options)


def _run_preview(run_id: int, **options: Any) -> Any:
    from .preview import run_preview

    return run_preview(run_id, **options)
