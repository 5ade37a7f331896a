"""Journeys to Microsoft and back that are under way: kept under their `state`, answered once.

Each is bound to the CRM user and the browser session that began it, so that nobody can slip an answer of their own
into somebody else's session, and is good for a few minutes.
"""

from __future__ import annotations

import datetime
import hmac
import secrets
from collections.abc import MutableMapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import DecryptionFailed, SignInFlow, decrypt, encrypt
from .browser import digest, session_digest
from .refused import Refused

MINUTES = 10


def new_state() -> str:
    return secrets.token_urlsafe(32)


def keep(purpose: str, user: Any, session: MutableMapping[str, Any], tenant: str, state: str, flow: Any) -> None:
    """Remember a journey that begins now. `flow` is what its end needs; it must be JSON, and is encrypted."""
    now = timezone.now()
    SignInFlow.objects.filter(expires_at__lt=now).delete()
    SignInFlow.objects.create(
        purpose=purpose, tenant=tenant, user=user, state_digest=digest(state), session_digest=session_digest(session),
        flow=encrypt(flow), expires_at=now + datetime.timedelta(minutes=MINUTES))


def take(purposes: tuple[str, ...], user: Any, session: MutableMapping[str, Any], state: str) -> SignInFlow:
    """The journey that `state` names, taken out so that it cannot be answered twice. Raises `Refused`."""
    unknown = Refused(_("This sign-in was not started from this window, or it has been used already. Close this window "
                        "and sign in again."))
    row = SignInFlow.objects.filter(state_digest=digest(state), purpose__in=purposes, user=user).first()
    if not state or row is None or not hmac.compare_digest(row.session_digest, session_digest(session)):
        raise unknown
    if not SignInFlow.objects.filter(pk=row.pk).delete()[0]:
        raise unknown
    if row.expires_at <= timezone.now():
        raise Refused(_("This sign-in took too long. Close this window and sign in again."))
    return row


def content(row: SignInFlow) -> Any:
    """What was kept with the journey. Raises `Refused` where the key it was encrypted with is gone."""
    try:
        return decrypt(row.flow)
    except DecryptionFailed:
        raise Refused(_("This sign-in can no longer be finished. Close this window and sign in again.")) from None
