"""Which browser session this is: a secret kept in the CRM's own session, and digests of such secrets.

The session key itself will not do: it changes at sign-in, and with signed cookies it is no key at all.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import MutableMapping
from typing import Any

SESSION_ENTRY = "ms365_browser"


def digest(secret: str) -> str:
    """SHA-256 as 64 hexadecimal characters. The secrets here are long and random: a slow digest would add nothing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def session_digest(session: MutableMapping[str, Any]) -> str:
    """The digest that ties a sign-in to this browser session; made at the first call, gone when the session ends."""
    if SESSION_ENTRY not in session:
        session[SESSION_ENTRY] = secrets.token_urlsafe(32)
    return digest(session[SESSION_ENTRY])
