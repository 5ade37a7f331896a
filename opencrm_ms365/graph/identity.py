"""Judges the id_token of a sign-in: made for us, by whom we asked, now, and for a work account.

MSAL validates nothing of it since 1.38. It came straight from the token endpoint over TLS, so the signature need not
be checked (OpenID Connect Core 3.1.3.7); everything else is (facts 3.6).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import Rejected
from .login_errors import WORDS

#: The tenant of all personal Microsoft accounts.
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
SKEW_S = 300
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
UNVERIFIED = "Microsoft's answer to the sign-in could not be verified. Please sign in again."


def is_guid(text: str) -> bool:
    return _GUID.fullmatch(text) is not None


def check(
    claims: Mapping[str, Any], *, client_id: str, tenant: str, issuers: tuple[str, ...], nonce: str, now_s: float
) -> None:
    """Raise `Rejected` unless the claims are good.

    tenant    as the sign-in was begun: a GUID must be met; a domain or `organizations` leaves it open.
    issuers   the issuers to expect, with `{tenantid}` in the place of the tenant.
    nonce     of the stored flow, unhashed; MSAL sends its SHA-256.
    """
    tenant_id = _text(claims, "tid").lower()
    if tenant_id == PERSONAL_TENANT:
        raise Rejected(WORDS[500208])
    if not is_guid(tenant_id) or not _text(claims, "oid"):
        raise Rejected(UNVERIFIED)
    if is_guid(tenant) and tenant.lower() != tenant_id:
        raise Rejected(WORDS[50020])
    audience = claims.get("aud")
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise Rejected(UNVERIFIED)
    expected = {_bare(issuer.replace("{tenantid}", tenant_id)) for issuer in issuers}
    if _bare(_text(claims, "iss")) not in expected:
        raise Rejected(UNVERIFIED)
    hashed = hashlib.sha256(nonce.encode()).hexdigest()
    if not nonce or not hmac.compare_digest(_text(claims, "nonce").encode(), hashed.encode()):
        raise Rejected(UNVERIFIED)
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, (int, float)) or expires + SKEW_S < now_s:
        raise Rejected(UNVERIFIED)
    if isinstance(begins, (int, float)) and begins - SKEW_S > now_s:
        raise Rejected(UNVERIFIED)


def _bare(url: str) -> str:
    """Host and path without case: the scheme of a simulator's addresses is rewritten on the way."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.netloc}{parts.path}".rstrip("/").lower()


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
