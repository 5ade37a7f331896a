"""The identity that the app leaves on a Microsoft record, by which lost links are found again (SYNC-09).

    v1 | installation | adapter | primary key | token

The token is made new for each creation, so that a lost answer can be told from a record that somebody copied.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import quote, unquote

from ..access.installation import fingerprint

VERSION = "v1"


@dataclass(frozen=True, slots=True)
class Marker:
    """What a marker says. `installation` tells two CRMs apart that sync the same mailbox."""

    installation: str
    adapter: str
    object_id: str
    token: str

    def __str__(self) -> str:
        parts = (VERSION, self.installation, self.adapter, self.object_id, self.token)
        return "|".join(quote(part, safe=".-_:") for part in parts)


def read_marker(text: str) -> Marker | None:
    """The marker in a text; None if it is not one of ours."""
    parts = [unquote(part) for part in text.split("|")]
    if len(parts) != 5 or parts[0] != VERSION:
        return None
    return Marker(*parts[1:])


def new_token() -> str:
    return secrets.token_hex(12)


def installation_key(tenant: str) -> str:
    """A short digest of this installation and organisation; the same after a reinstall under the same name."""
    return hashlib.sha256(f"{fingerprint()}\x1f{tenant}".encode()).hexdigest()[:12]
