"""When Microsoft lets nobody of an organisation in: its consent was withdrawn, or the app's secret is refused.

One state of the organisation, not a message to each user (ORG-01, USER-06). Links keep their tokens, and everything
goes on by itself: at once when an administrator authorises again, else when the next try succeeds. While it lasts, one
try for each cycle's time is let through.
"""

from __future__ import annotations

import datetime
import logging

from django.db.models import Q
from django.utils import timezone

from ..conf import settings
from ..errors import ClientRefused, ConsentRequired
from ..models import AccessProblem, LinkStatus, SyncSettings, UserLink
from ..signals import access_broken

log = logging.getLogger("opencrm_ms365.access")


def begin(tenant: str, error: ConsentRequired | ClientRefused, link: UserLink | None = None) -> None:
    """Note that Microsoft refuses the organisation. Told once: a further one only moves the time of the next try.

    `link` is the one that was refused: as long as it is, another user's own permission ends nothing (`passed`).
    """
    problem = AccessProblem.CONSENT if isinstance(error, ConsentRequired) else AccessProblem.CLIENT
    now = timezone.now()
    row = SyncSettings.of(tenant)
    rows = SyncSettings.objects.filter(pk=row.pk)
    rows.update(access_retry_at=now + datetime.timedelta(minutes=settings.CYCLE_MINUTES))
    if link is not None:
        UserLink.objects.filter(pk=link.pk, status=LinkStatus.CONNECTED).update(status_reason=str(error))
    if rows.exclude(access_problem=problem).update(
            access_problem=problem, access_problem_reason=str(error), access_problem_since=now):
        log.error("Microsoft refuses the whole organisation %r: %s %s", tenant, type(error).__name__, error.code)
        row.refresh_from_db()
        access_broken.send_robust(SyncSettings, organisation=row, problem=str(problem))


def passed(link: UserLink) -> None:
    """Microsoft has let one link in again. That ends the outage, unless it is about permissions and others were refused
    since: a user can have a permission of their own while the organisation's is gone."""
    row = SyncSettings.of(link.tenant)
    refused = UserLink.objects.running().filter(tenant=link.tenant).exclude(status_reason="")
    if row.access_problem != AccessProblem.CONSENT or not refused.exclude(pk=link.pk).exists():
        over(link.tenant)
    else:
        UserLink.objects.filter(pk=link.pk, status=LinkStatus.CONNECTED).update(status_reason="")


def over(tenant: str) -> bool:
    """Microsoft lets the organisation in again: every link that waited is due now. Returns whether there was anything
    to end."""
    ended = SyncSettings.objects.filter(~Q(access_problem=""), tenant=tenant).update(
        access_problem="", access_problem_reason="", access_problem_since=None, access_retry_at=None)
    if ended:
        UserLink.objects.filter(tenant=tenant, status=LinkStatus.CONNECTED).update(status_reason="")
        UserLink.objects.filter(tenant=tenant, status=LinkStatus.CONNECTED, settings_saved_at__isnull=False).update(
            due_at=timezone.now(), attempts=0)
    return bool(ended)


def try_now(tenant: str) -> None:
    """Let the next link try at once, because somebody says that it is mended."""
    now = timezone.now()
    if SyncSettings.objects.filter(~Q(access_problem=""), tenant=tenant).update(access_retry_at=now):
        UserLink.objects.filter(tenant=tenant, status=LinkStatus.CONNECTED, settings_saved_at__isnull=False).update(
            due_at=now)
