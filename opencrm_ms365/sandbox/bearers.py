"""Access tokens: who issued them to whom, and whether one is good. Opaque; a client may read nothing out of them.

The login side issues through `issue`; Graph asks `check`. `sandbox.tokens` may be replaced by anything with `check`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from .world import Account, World

GRAPH_AUDIENCE = "https://graph.microsoft.com"
DEFAULT_LIFETIME_S = 3599


@dataclass(frozen=True, slots=True)
class Grant:
    """What a good access token allows. `scopes` are short names (`Contacts.ReadWrite`)."""

    account_id: str
    scopes: frozenset[str]
    client_id: str = ""
    tenant_id: str = ""
    expires_at: datetime | None = None
    audience: str = GRAPH_AUDIENCE

    def allows(self, any_of: Iterable[str]) -> bool:
        """Whether one of these scopes is among those granted; scope names have no case."""
        granted = {scope.lower() for scope in self.scopes}
        return any(scope.lower() in granted for scope in any_of)


class BearerRefused(Exception):
    """The token is missing or no good: 401. `claims` asks for a claims challenge (Conditional Access)."""

    def __init__(self, message: str, *, claims: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.claims = claims


class Tokens(Protocol):
    """What Graph needs of the login."""

    def check(self, bearer: str) -> Grant:
        """The grant of a bearer; raises `BearerRefused`."""


class Bearers:
    """Issues and checks opaque access tokens; kept in memory."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._grants: dict[str, Grant] = {}
        self._refused: dict[str, BearerRefused] = {}

    def issue(self, account: Account, scopes: Iterable[str], *, client_id: str = "", text: str = "",
              lifetime_s: float = DEFAULT_LIFETIME_S, audience: str = GRAPH_AUDIENCE) -> str:
        """A new access token for that account; `text` gives the token instead of a made-up one."""
        with self._world.lock:
            token = text or "EwB4A8l6BAAU" + self._world.ids.secret(96)
            self._grants[token] = Grant(
                account_id=account.id, scopes=frozenset(_short(scope) for scope in scopes), client_id=client_id,
                tenant_id=account.tenant_id, expires_at=self._world.clock.now() + timedelta(seconds=lifetime_s),
                audience=audience)
            return token

    def check(self, bearer: str) -> Grant:
        """The grant of a bearer; raises `BearerRefused` with Microsoft's words."""
        with self._world.lock:
            if not bearer:
                raise BearerRefused("Access token is empty.")
            if bearer in self._refused:
                raise self._refused[bearer]
            grant = self._grants.get(bearer)
            if grant is None:
                raise BearerRefused("CompactToken parsing failed with error code: 80049217")
            if grant.expires_at is not None and grant.expires_at <= self._world.clock.now():
                raise BearerRefused("Lifetime validation failed, the token is expired.")
            if grant.audience != GRAPH_AUDIENCE:
                raise BearerRefused("Access token validation failure. Invalid audience.")
            return grant

    def grants(self) -> dict[str, Grant]:
        """All good tokens and what they allow, to be kept in a file."""
        with self._world.lock:
            return dict(self._grants)

    def restore(self, grants: dict[str, Grant]) -> None:
        """Take these tokens for the ones given out so far, and no others."""
        with self._world.lock:
            self._grants, self._refused = dict(grants), {}

    def expire(self, account: Account | None = None) -> None:
        """Let all tokens (of one account) run out now; refresh tokens are not touched."""
        self._refuse(account, "Lifetime validation failed, the token is expired.")

    def revoke(self, account: Account, *, claims: str = "") -> None:
        """Refuse all of the account's tokens at once, with a claims challenge when `claims` is given."""
        self._refuse(account, "Continuous access evaluation resulted in challenge with result: InteractionRequired "
                     "and code: TokenIssuedBeforeRevocationTimestamp" if claims else "Access token has been revoked.",
                     claims)

    def _refuse(self, account: Account | None, message: str, claims: str = "") -> None:
        with self._world.lock:
            for token, grant in list(self._grants.items()):
                if account is None or grant.account_id == account.id:
                    self._refused[token] = BearerRefused(message, claims=claims)
                    del self._grants[token]


def _short(scope: str) -> str:
    return scope.rsplit("/", 1)[-1]
