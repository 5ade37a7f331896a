"""Who may see and change whose link (ORG-07). Every page and every API endpoint asks here, and nowhere else.

A person sees and edits their own link; an administrator of the organisation everybody's in it. Who is an administrator
is the CRM's answer (`DirectoryAdapter.is_org_admin`), not a flag of Django's.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from ..adapters import site
from ..models import SyncSettings, UserLink


def is_administrator(user: Any, tenant: str) -> bool:
    """Whether this person administers the sync of the organisation. Somebody whose account is off never does."""
    directory = site.directory
    return bool(user.is_authenticated and directory.is_active(user, tenant) and directory.is_org_admin(user, tenant))


def own_link(user: Any, tenant: str) -> UserLink | None:
    """The person's own link; None before they first connected an account."""
    return UserLink.objects.filter(tenant=tenant, user=user).first()


def visible_links(user: Any, tenant: str) -> QuerySet[UserLink]:
    """The links whose state this person may see. Whatever a page or endpoint shows is looked up through this."""
    links = UserLink.objects.filter(tenant=tenant).select_related("user")
    return links if is_administrator(user, tenant) else links.filter(user=user)


def may_edit_settings(user: Any, tenant: str, link: UserLink | None) -> bool:
    """Whether the person may change these settings: an administrator always, oneself where the organisation lets
    users edit (the CRM's own answer goes before that)."""
    if link is not None and link.tenant != tenant:
        return False
    if is_administrator(user, tenant):
        return True
    if link is not None and link.user_id != user.pk:
        return False
    answer = site.directory.can_edit_own_settings(user, tenant)
    return SyncSettings.of(tenant).users_may_edit if answer is None else bool(answer)


def may_run(user: Any, tenant: str, link: UserLink) -> bool:
    """Whether the person may start a sync or preview of this link, retry its problems, settle its conflicts."""
    return link.tenant == tenant and (link.user_id == user.pk or is_administrator(user, tenant))


def may_connect(user: Any, link: UserLink | None) -> bool:
    """Connecting is signing in as oneself: nobody can do it for somebody else."""
    return link is None or link.user_id == user.pk


def may_confirm(user: Any, tenant: str, reason: str) -> bool:
    """Whether the person may let a guard's stopped work go on: deletions need an administrator (ORG-13), mails and
    unclear matches the user's own word is enough for (ORG-15, ORG-08)."""
    from ..models import HeldDecision

    if reason in (HeldDecision.Reason.DELETION_GUARD, HeldDecision.Reason.VANISHED):
        return is_administrator(user, tenant)
    return True
