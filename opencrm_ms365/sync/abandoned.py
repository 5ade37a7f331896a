"""What vanished workers leave behind: leases that nobody renews, runs that nobody will finish."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from ..models import RunState, SyncRun
from . import lease as leases
from .attempt import fail_runs


def free_abandoned_leases(now: datetime | None = None) -> int:
    """Free the links whose holder vanished, and close the runs it left. Returns how many links."""
    freed = [link_id for link_id, owner in leases.abandoned(now) if leases.clear(link_id, owner)]
    for link_id in freed:
        fail_abandoned_runs(link_id)
    return len(freed)


def fail_abandoned_runs(link_id: int) -> int:
    """Mark the runs that a vanished holder of a link's lease was busy with. Their link is synced again by itself."""
    return fail_runs(
        SyncRun.objects.filter(link=link_id, state=RunState.RUNNING),
        _("The background worker stopped in the middle of this run. Nothing is lost: the sync goes on by itself with "
          "the next run."))


def fail_stuck_runs() -> int:
    """Mark running runs that nobody works on; between two slices a run is queued, not running."""
    return fail_runs(
        SyncRun.objects.filter(state=RunState.RUNNING, link__lease_owner=""),
        _("The sync was stopped before this run was finished."))
