"""Starting background work from a page or the API: nothing here waits for Microsoft (SYNC-07)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from ..access import rights
from ..access.decisions import wake
from ..access.refused import Refused
from ..access.standstill import standstill
from ..access.status import status_of
from ..access.user_settings import save_settings
from ..models import LinkStatus, RunState, SyncRun, SyncSettings, Trigger, UserLink
from ..sync.doorbell import ring_soon
from ..sync.schedule import request_preview, request_sync

ACTIVE = (RunState.QUEUED, RunState.RUNNING)
#: States of a link in which a sync could do nothing but fail or wait.
CANNOT_SYNC = frozenset({"disconnected", "sign_in_again", "organisation_off", "organisation_paused", "switched_off",
                         "awaiting_settings", "paused", "nothing_chosen", "other_installation", "activation",
                         "authorise_again", "client_refused"})


def start_sync(link: UserLink, by: Any) -> SyncRun:
    """A run that will sync this link at once. Pressing twice is safe: a run that waits already is returned again.

    Raises `Refused` with the reason where nothing could be synced.
    """
    organisation = SyncSettings.of(link.tenant)
    if not rights.may_run(by, link.tenant, link):
        raise Refused(_("Only the user or an administrator can start this sync."))
    status = status_of(link, organisation)
    if status.state in CANNOT_SYNC:
        raise Refused(status.sentence)
    if link.status == LinkStatus.NO_MAILBOX:
        wake(link)
        ring_soon()
        link.refresh_from_db()
    waiting = active_run(link)
    return waiting if waiting and waiting.state == RunState.QUEUED else request_sync(link, by, Trigger.MANUAL)


def start_preview(link: UserLink, by: Any) -> SyncRun:
    """A run that works out what a sync would do (USER-07). It needs a sign-in, but neither saved settings nor the
    organisation's switch. Raises `Refused` with the reason where it cannot be worked out."""
    if not rights.may_run(by, link.tenant, link):
        raise Refused(_("Only the user or an administrator can ask for this preview."))
    organisation = SyncSettings.of(link.tenant)
    if link.status not in (LinkStatus.AWAITING_SETTINGS, LinkStatus.CONNECTED):
        raise Refused(status_of(link, organisation).sentence)
    stands_still = standstill(organisation)
    if stands_still and stands_still.state == "other_installation":
        raise Refused(stands_still.sentence)
    waiting = link.runs.filter(trigger=Trigger.PREVIEW, state__in=ACTIVE).order_by("-queued_at").first()
    return waiting or request_preview(link, by)


def store_settings(link: UserLink, values: dict[str, Any], by: Any) -> UserLink:
    """Save settings; the first time, and whenever they change, a sync follows at once (USER-03)."""
    link = save_settings(link, values, by)
    if status_of(link, SyncSettings.of(link.tenant)).state not in CANNOT_SYNC and link.status == LinkStatus.CONNECTED:
        start_sync(link, by)
    return link


def active_run(link: UserLink) -> SyncRun | None:
    """The sync of this link that waits or runs; None if there is none."""
    return link.runs.filter(state__in=ACTIVE).exclude(trigger=Trigger.PREVIEW).order_by("-queued_at").first()
