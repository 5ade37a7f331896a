"""What a test, or an administrator at the Entra admin centre, does to sign-ins: consents, demands, expiry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..world import Account, Tenant
from .state import LoginState

if TYPE_CHECKING:
    from ..simulator import Sandbox


class Login:
    """The Python API of the login. Accounts may be given by object id, user principal name or alias."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.state = sandbox.world.part(LoginState)

    def grant_consent(
        self, client_id: str, scopes: Iterable[str] | str, *, tenant: Tenant | None = None, account: Account | str = ""
    ) -> None:
        """Consent to scopes for a whole tenant (as its administrator does) or for one account."""
        names = scopes.split() if isinstance(scopes, str) else list(scopes)
        with self._sandbox.lock:
            if tenant is not None:
                self.state.grant(tenant.id, client_id, names)
            else:
                found = self._sandbox.account(account)
                self.state.grant(found.tenant_id, client_id, names, found)

    def withdraw_consent(
        self, client_id: str = "", *, tenant: Tenant | None = None, account: Account | str = ""
    ) -> None:
        """Take consents back; the next token request is refused with AADSTS65001. Tokens given out live on."""
        with self._sandbox.lock:
            if tenant is not None:
                self.state.withdraw(tenant.id, client_id)
            else:
                found = self._sandbox.account(account)
                self.state.withdraw(found.tenant_id, client_id, found)

    def withdraw_all(self, account: Account | str) -> None:
        """Take back whatever lets clients act for this account: its own consents and its tenant's."""
        with self._sandbox.lock:
            found = self._sandbox.account(account)
            self.state.consents = [
                c for c in self.state.consents if c.tenant_id != found.tenant_id or c.account_id not in ("", found.id)
            ]

    def expire_refresh_tokens(self, account: Account | str | None = None) -> None:
        """As if refresh tokens had not been used for 90 days (AADSTS700082), all or one account's."""
        with self._sandbox.lock:
            account_id = "" if account is None else self._sandbox.account(account).id
            for token in self.state.refresh_tokens.values():
                token.expired = token.expired or not account_id or token.account_id == account_id

    def require_multi_factor(self, account: Account | str, required: bool = True) -> None:
        """Demand multi-factor authentication: refresh tokens from sign-ins without it get AADSTS50076 and `claims`."""
        with self._sandbox.lock:
            self.state.demands_of(self._sandbox.account(account)).multi_factor = required

    def block(self, account: Account | str, blocked: bool = True) -> None:
        """Let Conditional Access refuse the account (AADSTS53003), at sign-in and at refresh."""
        with self._sandbox.lock:
            self.state.demands_of(self._sandbox.account(account)).blocked = blocked

    def require_fresh_sign_in(self, account: Account | str) -> None:
        """Sign-in frequency reached: refresh tokens given out so far get AADSTS70043."""
        with self._sandbox.lock:
            self.state.demands_of(self._sandbox.account(account)).fresh_since = self._sandbox.clock.now()

    def forget_refresh_tokens(self, account: Account | str | None = None) -> None:
        """Lose refresh tokens altogether: the next use is refused as malformed (AADSTS70000)."""
        with self._sandbox.lock:
            account_id = "" if account is None else self._sandbox.account(account).id
            for text, token in list(self.state.refresh_tokens.items()):
                if not account_id or token.account_id == account_id:
                    del self.state.refresh_tokens[text]
