"""Access tokens for a link: many workers may ask at once, one of them renews (single flight).

The row holds the MSAL cache and the newest access token, encrypted, with a `version` that each write moves, and a lease
that one conditional UPDATE wins. The winner asks Microsoft with no transaction open; the others look again every
100 ms. Tried with 8 callers and strict rotation of refresh tokens: one request, everybody served.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..adapters import site
from ..conf import settings
from ..errors import SignInRequired, Unavailable
from ..graph.tokens import Refreshed
from ..models import DecryptionFailed, LinkStatus, SyncSettings, UserLink, decrypt, encrypt
from . import installation, outage
from .links import disconnect, mark_broken
from .signin import client

log = logging.getLogger("opencrm_ms365.access")

FRESH_S = 300            # a token with less than this left counts as expired, as MSAL does
POLL_S = 0.1
LOOK_AGAIN_S = 5.0       # how long a token is handed out from memory before the row is looked at again
LOST_WRITES = 10


@dataclass(frozen=True, repr=False)
class _Row:
    """What a look at the row found. Its `repr` shows nothing."""

    link: UserLink
    cache: str
    token: str
    expires_at: float
    is_doubted: bool = False        # Microsoft refuses the organisation: only a renewal shows whether that is over

    def fresh(self, now: float, refused: str) -> bool:
        return bool(self.token) and not self.is_doubted and self.token != refused and self.expires_at - now > FRESH_S


class LinkTokens:
    """The `TokenSource` of one link (`graph.client`).

    Raises `SignInRequired` (the link is marked, once), `ConsentRequired`, `ClientRefused`, `Unavailable`, `Throttled`.
    """

    def __init__(self, link_id: int, *, sleep: Callable[[float], None] = time.sleep, timeout_s: float | None = None):
        self.link_id = link_id
        self.sleep = sleep
        self.timeout_s = timeout_s or settings.GRAPH_TIMEOUT_S
        self.lease_s = 2 * settings.GRAPH_TIMEOUT_S + 10        # discovery and the token request, one after the other
        self._held: tuple[str, float, float] | None = None

    def token(self, *, refused: str = "", claims: str = "") -> str:
        """A usable access token. `refused` is the one Microsoft has just refused, `claims` what it demands besides."""
        if self._held and not refused and not claims:
            token, looked_at, expires_at = self._held
            if time.monotonic() - looked_at < LOOK_AGAIN_S and expires_at - time.time() > FRESH_S:
                return token
        row = self._look()
        deadline = time.monotonic() + self.timeout_s + POLL_S
        while claims or not row.fresh(time.time(), refused):
            if self._win_lease(row):
                force = row.is_doubted or (bool(refused) and row.token == refused)
                renewed = self._renew(row, force=force, claims=claims)
                if renewed:
                    return renewed
            elif time.monotonic() > deadline:
                raise Unavailable(_("Another process is renewing the sign-in and has not finished."))
            else:
                self.sleep(POLL_S)
            before, row = row, self._look()
            if row.link.token_version != before.link.token_version:
                claims = ""                              # somebody renewed meanwhile: look at what they got first
        return self._hold(row.token, row.expires_at)

    def _look(self) -> _Row:
        """Read the row and check that this link may have tokens at all."""
        link = UserLink.objects.select_related("user").filter(pk=self.link_id).first()
        if link is None:
            raise SignInRequired(_("This account is no longer connected."))
        organisation = SyncSettings.of(link.tenant)
        if installation.is_other(organisation):                        # ORG-16, whatever way led here
            raise Unavailable(_("This database belongs to another installation of the CRM; nothing is synced here."))
        if not site.directory.is_active(link.user, link.tenant):
            if link.token_cache is not None:
                disconnect(link, _("The CRM account of this user is switched off."))
            raise SignInRequired(_("The CRM account of this user is switched off."))
        if link.status == LinkStatus.SIGN_IN_AGAIN:
            raise SignInRequired(link.status_reason, claims=link.sign_in_claims)
        if link.token_cache is None or link.status == LinkStatus.DISCONNECTED:
            raise SignInRequired(_("This account is no longer connected."))
        try:
            kept = decrypt(link.token_cache)
        except DecryptionFailed as error:
            self._broken(link, str(_("The stored sign-in cannot be read with the configured encryption keys.")))
            raise SignInRequired(_("The stored sign-in cannot be read any more.")) from error
        return _Row(link, kept["cache"], kept["token"], kept["expires_at"], bool(organisation.access_problem))

    def _win_lease(self, row: _Row) -> bool:
        now = timezone.now()
        free = Q(token_lease_until=None) | Q(token_lease_until__lt=now)
        return bool(UserLink.objects.filter(free, pk=self.link_id, token_version=row.link.token_version).update(
            token_lease_until=now + datetime.timedelta(seconds=self.lease_s)))

    def _renew(self, row: _Row, *, force: bool, claims: str) -> str | None:
        """Ask Microsoft, as the holder of the lease. None: somebody else moved the row meanwhile, look again."""
        tenant_id = SyncSettings.of(row.link.tenant).tenant_id or row.link.microsoft_tenant_id
        try:
            refreshed = client(tenant_id, timeout_s=self.timeout_s).acquire(row.cache, force=force, claims=claims)
        except SignInRequired as error:
            # Counts only if nobody has moved the version meanwhile: a refresh token that another process has already
            # exchanged is refused too, and that is no reason to send the user to the sign-in page.
            if not self._broken(row.link, str(error), error.claims, row.link.token_version) and self._has_moved(row):
                return None
            raise
        except BaseException:
            self._give_lease_back(row)
            raise
        if row.is_doubted:
            outage.passed(row.link)
        return self._keep(row, refreshed)

    def _keep(self, row: _Row, refreshed: Refreshed) -> str | None:
        """Store what was renewed. A lost write is repeated from a fresh look, never dropped: the refresh token in it
        may be the only one that still works. A row that was disconnected or signed in anew meanwhile is left alone."""
        expires_at = time.time() + refreshed.expires_in_s
        content = encrypt({"cache": row.cache if refreshed.cache is None else refreshed.cache,
                           "token": refreshed.access_token, "expires_at": expires_at})
        version = row.link.token_version
        for _attempt in range(LOST_WRITES):
            if UserLink.objects.filter(pk=self.link_id, token_version=version, token_cache__isnull=False).update(
                    token_cache=content, token_version=version + 1, token_lease_until=None):
                return self._hold(refreshed.access_token, expires_at)
            now = self._look()
            if now.link.connected_at != row.link.connected_at:
                return None
            version = now.link.token_version
        raise Unavailable(_("The sign-in was renewed by others at the same moment; it will be tried again."))

    def _has_moved(self, row: _Row) -> bool:
        return self._look().link.token_version != row.link.token_version

    def _give_lease_back(self, row: _Row) -> None:
        UserLink.objects.filter(pk=self.link_id, token_version=row.link.token_version).update(token_lease_until=None)

    def _broken(self, link: UserLink, reason: str, claims: str = "", version: int | None = None) -> bool:
        marked = mark_broken(link, LinkStatus.SIGN_IN_AGAIN, reason, claims=claims, version=version)
        if marked:
            log.warning("Link %s needs a new sign-in.", self.link_id)
        return marked

    def _hold(self, token: str, expires_at: float) -> str:
        self._held = (token, time.monotonic(), expires_at)
        return token
