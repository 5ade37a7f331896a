"""What the login remembers: codes, refresh tokens, consents, and what an administrator demands of an account.

No HTTP here. The state is a part of the world (`world.part(LoginState)`), guarded by the world's lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..world import Account, World
from . import keys
from .scopes import OPENID


@dataclass(slots=True)
class Code:
    """An authorization code: once, for ten minutes, for this client, address and verifier only."""

    account_id: str
    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    issued_at: datetime
    nonce: str = ""
    challenge: str = ""
    challenge_method: str = ""
    strong: bool = False  # the user has passed multi-factor authentication
    redeemed: bool = False


@dataclass(slots=True)
class RefreshToken:
    """A refresh token. Not bound to a resource or tenant; dead when the account's `revision` has moved on."""

    account_id: str
    client_id: str
    scopes: tuple[str, ...]
    issued_at: datetime
    revision: int
    strong: bool = False
    expired: bool = False  # as if unused for too long
    superseded: bool = False  # matters only when `options.refresh_rotation` is "old_dies"


@dataclass(slots=True)
class Demands:
    """What policies demand of an account at the token endpoint."""

    multi_factor: bool = False
    blocked: bool = False  # Conditional Access lets it in nowhere
    fresh_since: datetime | None = None  # sign-in frequency reached: refresh tokens from before are refused


@dataclass(slots=True)
class Consent:
    """Scopes that a client may use: for one account, or for the whole tenant when `account_id` is empty."""

    tenant_id: str
    client_id: str
    account_id: str
    scope: str
    granted_at: datetime


@dataclass(slots=True)
class LoginState:
    """Codes, refresh tokens, consents and demands of all tenants."""

    world: World
    key_pem: str = ""
    codes: dict[str, Code] = field(default_factory=dict)
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)
    demands: dict[str, Demands] = field(default_factory=dict)

    def signing_key(self) -> str:
        """PEM of the key that signs id_tokens, made when first needed."""
        self.key_pem = self.key_pem or keys.process_key()
        return self.key_pem

    def demands_of(self, account: Account) -> Demands:
        return self.demands.setdefault(account.id, Demands())

    # Consent

    def consented(self, account: Account, client_id: str) -> set[str]:
        """The scopes that this client may have for this account now, the OpenID ones always among them."""
        delay = timedelta(seconds=self.world.options.consent_delay_s)
        now = self.world.clock.now()
        return set(OPENID) | {
            consent.scope
            for consent in self.consents
            if consent.client_id == client_id
            and consent.tenant_id == account.tenant_id
            and consent.account_id in ("", account.id)
            and consent.granted_at + delay <= now
        }

    def grant(self, tenant_id: str, client_id: str, scopes: Iterable[str], account: Account | None = None) -> None:
        """Consent to scopes, for one account or (None) for everybody in the tenant."""
        account_id = account.id if account is not None else ""
        now = self.world.clock.now()
        for scope in scopes:
            if scope not in OPENID and not any(
                (c.tenant_id, c.client_id, c.account_id, c.scope) == (tenant_id, client_id, account_id, scope)
                for c in self.consents
            ):
                self.consents.append(Consent(tenant_id, client_id, account_id, scope, now))

    def withdraw(self, tenant_id: str, client_id: str = "", account: Account | None = None) -> None:
        """Take consents back: of one client or all (""), of one account, or (None) all of the tenant's."""
        self.consents = [
            consent
            for consent in self.consents
            if consent.tenant_id != tenant_id
            or (client_id and consent.client_id != client_id)
            or (account is not None and consent.account_id != account.id)
        ]

    # Tokens

    def new_code(self, code: Code) -> str:
        text = "M.C5_SB." + self.world.ids.secret(48)
        self.codes[text] = code
        return text

    def new_refresh_token(self, account: Account, client_id: str, scopes: tuple[str, ...], *, strong: bool) -> str:
        text = "1.AXkA" + self.world.ids.secret(120)
        self.refresh_tokens[text] = RefreshToken(
            account.id, client_id, scopes, self.world.clock.now(), account.revision, strong
        )
        return text

    def claims_challenge(self) -> str:
        """The `claims` text that goes with a demand for multi-factor authentication."""
        return json.dumps({"access_token": {"capolids": {"essential": True, "values": [self.world.ids.guid()]}}})
