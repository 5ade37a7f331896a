"""The access key that ends a sign-in (USER-02): shown once in the pop-up, pasted once on the main screen.

It is a random text, no Microsoft token, and reveals none. Only its digest is stored; what it stands for is encrypted,
and erased as soon as the key has been used. It works once, for the user and browser session that signed in.
"""

from __future__ import annotations

import datetime
import hmac
import secrets
from collections.abc import MutableMapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..conf import settings
from ..models import AccessKey, DecryptionFailed, decrypt, encrypt
from .browser import digest, session_digest
from .refused import Refused

KEY_BYTES = 48
LONGEST_KEY = 200

NOT_VALID = _("This access key is not valid. Copy the whole key from the sign-in window, or sign in again for a new "
              "one.")
EXPIRED = _("This access key has expired. Sign in with Microsoft again for a new one.")
USED = _("This access key has been used already. Sign in with Microsoft again for a new one.")


def issue(user: Any, session: MutableMapping[str, Any], tenant: str, identity: dict[str, Any]) -> str:
    """Store what a sign-in brought and return the key to show, once. `identity` must be JSON; it holds tokens."""
    now = timezone.now()
    AccessKey.objects.filter(expires_at__lt=now).delete()
    text = secrets.token_urlsafe(KEY_BYTES)
    AccessKey.objects.create(
        tenant=tenant, user=user, key_digest=digest(text), session_digest=session_digest(session),
        identity=encrypt(identity), expires_at=now + datetime.timedelta(minutes=settings.ACCESS_KEY_MINUTES))
    return text


def redeem(user: Any, session: MutableMapping[str, Any], tenant: str, text: str) -> dict[str, Any]:
    """What the key stands for; afterwards it is worthless. Raises `Refused` with a sentence for the user.

    A key of another user or browser session is answered like one that never existed, and stays usable for its owner.
    """
    text = "".join(text.split())                       # copying a long text may bring line breaks along
    if not text or len(text) > LONGEST_KEY:
        raise Refused(NOT_VALID)
    row = AccessKey.objects.filter(key_digest=digest(text), user=user, tenant=tenant).first()
    if row is None or not hmac.compare_digest(row.session_digest, session_digest(session)):
        raise Refused(NOT_VALID)
    now = timezone.now()
    if row.used_at:
        raise Refused(USED)
    if row.expires_at <= now:
        row.delete()
        raise Refused(EXPIRED)
    if not AccessKey.objects.filter(pk=row.pk, used_at=None).update(used_at=now, identity=b""):
        raise Refused(USED)                            # two tabs at the same moment: one of them wins
    try:
        identity: dict[str, Any] = decrypt(row.identity)
    except DecryptionFailed:
        raise Refused(NOT_VALID) from None
    return identity
