"""A user's link: connecting, disconnecting, pausing, and what happens when it breaks.

One CRM user has one Microsoft account, and the reverse, within an organisation (USER-04). Records on both sides are
never touched here: only tokens, settings and what the sync remembers.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import HOLDS_ACCOUNT, InboxItem, LinkStatus, Meeting, RecordMapping, SyncSettings, UserLink, encrypt
from ..models.organisation import new_digest_key
from ..signals import link_broken, link_connected
from . import access_key, activation
from .refused import Refused


def connect(user: Any, session: MutableMapping[str, Any], tenant: str, key: str) -> UserLink:
    """Connect the account behind an access key. Raises `Refused` with a sentence for the user.

    The same account as before picks up the old row with its mappings; another account starts anew.
    """
    identity = access_key.redeem(user, session, tenant, key)
    try:
        with transaction.atomic():
            link = _store(user, tenant, identity)
    except IntegrityError:                              # two people at the same moment: the constraints decide
        account_is_free(user, tenant, identity["tenant_id"], identity["object_id"])
        raise Refused(_("This account is being connected in another window. Look again in a moment.")) from None
    link_connected.send_robust(UserLink, link=link)
    return link


def account_is_free(user: Any, tenant: str, microsoft_tenant_id: str, microsoft_user_id: str) -> None:
    """Raise `Refused` if the account is another CRM user's, or if this user is connected with another account."""
    others = UserLink.objects.filter(
        tenant=tenant, microsoft_tenant_id=microsoft_tenant_id, microsoft_user_id=microsoft_user_id,
        status__in=HOLDS_ACCOUNT).exclude(user=user)
    if others.exists():
        raise Refused(_("This Microsoft account is already connected to another user of the CRM. An account can belong "
                        "to one user only."))
    own = UserLink.objects.filter(tenant=tenant, user=user, status__in=HOLDS_ACCOUNT).first()
    if own and not _same_account(own, microsoft_tenant_id, microsoft_user_id):
        raise Refused(_("You are connected with the account %(account)s. Disconnect it first if you want to use "
                        "another one.") % {"account": own.account})


def _same_account(link: UserLink, microsoft_tenant_id: str, microsoft_user_id: str) -> bool:
    return (link.microsoft_tenant_id, link.microsoft_user_id) == (microsoft_tenant_id, microsoft_user_id)


def _store(user: Any, tenant: str, identity: dict[str, Any]) -> UserLink:
    microsoft_tenant_id, microsoft_user_id = identity["tenant_id"], identity["object_id"]
    # The organisation's row is locked, so that two users cannot take the last place of the activation key.
    organisation = SyncSettings.objects.select_for_update().get(pk=SyncSettings.of(tenant).pk)
    activation.check_room(organisation, user)
    account_is_free(user, tenant, microsoft_tenant_id, microsoft_user_id)
    _release_disconnected(user, tenant, microsoft_tenant_id, microsoft_user_id)
    now = timezone.now()
    link, _made = UserLink.objects.select_for_update().get_or_create(tenant=tenant, user=user)
    if link.microsoft_user_id and not _same_account(link, microsoft_tenant_id, microsoft_user_id):
        forget_account(link)
    link.microsoft_tenant_id, link.microsoft_user_id = microsoft_tenant_id, microsoft_user_id
    link.account, link.account_name = identity["account"], identity["name"]
    link.token_cache = encrypt({"cache": identity["cache"], "token": "", "expires_at": 0})
    link.token_version += 1
    link.token_lease_until = None
    link.sign_in_claims = ""
    link.connected_at = now
    link.not_before = None
    link.due_at = now if link.settings_saved_at else None
    link.status = LinkStatus.CONNECTED if link.settings_saved_at else LinkStatus.AWAITING_SETTINGS
    link.status_reason, link.status_since = "", now
    link.save()
    return link


def _release_disconnected(user: Any, tenant: str, microsoft_tenant_id: str, microsoft_user_id: str) -> None:
    """A disconnected link of somebody else gives its account up: its mappings are of no use to its user any more."""
    for link in UserLink.objects.select_for_update().filter(
            tenant=tenant, microsoft_tenant_id=microsoft_tenant_id, microsoft_user_id=microsoft_user_id,
            status=LinkStatus.DISCONNECTED).exclude(user=user):
        forget_account(link)
        link.save()


def forget_account(link: UserLink) -> None:
    """Forget everything that was learnt of the link's account; the caller saves the row. Settings that name its folders
    go too; the user has to save the settings again before anything syncs (USER-03)."""
    RecordMapping.objects.filter(link=link).delete()
    InboxItem.objects.filter(link=link).delete()
    Meeting.objects.filter(organiser=link).update(organiser=None)
    Meeting.objects.filter(source=link).update(source=None)
    link.problems.all().delete()
    link.conflicts.all().delete()
    link.held.all().delete()
    link.runs.all().delete()
    link.microsoft_tenant_id = link.microsoft_user_id = link.account = link.account_name = ""
    link.cursors, link.progress, link.applied_scope = {}, {}, {}
    link.digest_key = new_digest_key()
    link.microsoft_folders = link.calendar = link.task_lists = link.default_task_list = None
    link.settings_saved_at = link.last_run_at = link.next_run_at = link.due_at = None
    link.attempts = 0


def disconnect(link: UserLink, reason: str = "") -> None:
    """Delete the tokens and stop the sync of this user; records, settings and mappings stay (USER-04).

    One UPDATE, so that a refresh or cycle under way cannot write its own copy of the row over it. A refresh that is
    under way finds that the version has moved, and drops what it got.
    """
    now = timezone.now()
    UserLink.objects.filter(pk=link.pk).update(
        status=LinkStatus.DISCONNECTED, status_reason=reason, status_since=now, token_cache=None,
        token_version=F("token_version") + 1, token_lease_until=None, sign_in_claims="", due_at=None, next_run_at=None,
        lease_owner="", lease_until=None)  # a cycle under way ends at its next renewal
    link.refresh_from_db()


def mark_broken(link: UserLink, status: str, reason: str, *, claims: str = "", version: int | None = None) -> bool:
    """Stop a link that Microsoft no longer lets in (USER-06). True if it was this call that stopped it.

    Only a link that is connected or about to be can break, so `link_broken` is sent once. With `version` it counts
    only if nobody has renewed the tokens since they were read. A sign-in that is refused loses its tokens.
    """
    rows = UserLink.objects.filter(pk=link.pk, status__in=(LinkStatus.AWAITING_SETTINGS, LinkStatus.CONNECTED))
    if version is not None:
        rows = rows.filter(token_version=version)
    changes: dict[str, Any] = {"status": status, "status_reason": reason, "status_since": timezone.now()}
    if status == LinkStatus.SIGN_IN_AGAIN:
        changes |= {"token_cache": None, "token_version": F("token_version") + 1, "token_lease_until": None,
                    "sign_in_claims": claims, "next_run_at": None}
    if not rows.update(**changes):
        return False
    link.refresh_from_db()
    link_broken.send_robust(UserLink, link=link, status=status)
    return True


def pause(link: UserLink) -> None:
    """Stop for a while; nothing is lost, and what changes meanwhile is synced on resuming (ORG-14)."""
    UserLink.objects.filter(pk=link.pk).update(paused=True)
    link.refresh_from_db(fields=["paused"])


def resume(link: UserLink) -> None:
    UserLink.objects.filter(pk=link.pk).update(paused=False, due_at=timezone.now())
    link.refresh_from_db(fields=["paused", "due_at"])


def switch(link: UserLink, *, on: bool) -> None:
    """An administrator's switch for one user (ORG-07). Nothing is lost while it is off."""
    UserLink.objects.filter(pk=link.pk).update(enabled=on, **({"due_at": timezone.now()} if on else {}))
    link.refresh_from_db(fields=["enabled", "due_at"])
