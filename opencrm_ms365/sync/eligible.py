"""Which links may sync at this moment, as one query, and for one link the reason why not, in words for people.

Both say the same: whoever changes one must change the other.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from ..access.standstill import free_to_sync, reason_now
from ..models import LinkStatus, SyncSettings, UserLink
from ..models.link import UserLinkQuerySet


def eligible_links() -> UserLinkQuerySet:
    """Links that a cycle may work on: the organisation, the link and the user all say yes (ORG-03, ORG-04, ORG-05,
    ORG-14, ORG-16).

    Whether one is due, leased or throttled is another question: `UserLink.objects.due(now)`.
    """
    organisation = SyncSettings.objects.filter(free_to_sync(), tenant=OuterRef("tenant"), enabled=True, paused=False)
    links = UserLink.objects.running().filter(settings_saved_at__isnull=False).filter(
        Q(Exists(organisation.filter(sync_contacts=True)), sync_contacts=True)
        | Q(Exists(organisation.filter(sync_activities=True))) & (Q(sync_calendar=True) | Q(sync_tasks=True)))
    return links.filter(user__is_active=True) if _users_can_be_inactive() else links


def why_not(link: UserLink) -> str:
    """The first reason why a link does not sync, as a full sentence; empty if nothing is in the way."""
    organisation = SyncSettings.objects.filter(tenant=link.tenant).first()
    if organisation is None or not organisation.enabled:
        return _("The sync is switched off for the whole organisation.")
    if organisation.paused:
        return _("The sync is paused for the whole organisation.")
    if stands_still := reason_now(organisation):
        return stands_still
    if not link.user.is_active:
        return _("The user's account in the CRM is not active.")
    if not link.enabled:
        return _("An administrator has switched the sync off for this user.")
    if link.status in _STATUS_REASONS:
        return str(link.status_reason or _STATUS_REASONS[link.status]())
    if link.settings_saved_at is None:
        return _STATUS_REASONS[LinkStatus.AWAITING_SETTINGS]()
    if link.paused:
        return _("The sync is paused for this user.")
    activities = organisation.sync_activities and (link.sync_calendar or link.sync_tasks)
    if not activities and not (organisation.sync_contacts and link.sync_contacts):
        return _("Neither contacts nor activities are switched on.")
    return ""


_STATUS_REASONS: dict[str, Callable[[], str]] = {
    LinkStatus.AWAITING_SETTINGS: lambda: _("The settings have not been saved yet; nothing syncs before that."),
    LinkStatus.SIGN_IN_AGAIN: lambda: _("The user must sign in with Microsoft again."),
    LinkStatus.NO_MAILBOX: lambda: _("The Microsoft account has no mailbox."),
    LinkStatus.DISCONNECTED: lambda: _("The user has disconnected the Microsoft account."),
}


def _users_can_be_inactive() -> bool:
    """A CRM's own user model may have no such column; all its users count as active then."""
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return False
    return True
