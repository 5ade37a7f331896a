"""Signing in with Microsoft and keeping the sign-in alive: the authorisation code flow and renewals, through MSAL.

An MSAL app is built for each call: apps are not for sharing between users, and a fresh one does not answer from its
memory of an earlier failure. Storing the cache, and letting only one worker renew it, is the caller's (`access`).
Never in any text: tokens, codes, account names (I-5).
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msal

from ..errors import (
    ClientRefused,
    ConsentRequired,
    Rejected,
    SignInRequired,
    Unavailable,
)
from . import identity
from .clouds import PURPOSES, scopes_for
from .login_errors import AGAIN, login_error
from .login_http import DISCOVERY_SUFFIX, LoginFailure, LoginHttp

__all__ = ["Refreshed", "SignIn", "SignedIn", "scopes_for"]

#: What MSAL raises on input that it did not expect, its own assertions included.
_MSAL_SURPRISES = (ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, RuntimeError)
#: What of the redirect MSAL is given: the rest is not needed and anybody can have written it.
_ANSWER_PARTS = ("code", "state", "error", "error_description", "error_uri")


class _NoDetails(logging.Filter):
    """MSAL's debug records show answers of the sign-in service with account names in them."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


# A cross-site POST would come back without the session's cookie, so we stay with `query` and redirect at once.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended", module=r"msal\.")
for _name in ("msal.application", "msal.token_cache", "msal.oauth2cli.oauth2", "msal.oauth2cli.oidc"):
    logging.getLogger(_name).addFilter(_NoDetails())


@dataclass(frozen=True, slots=True, repr=False)
class SignedIn:
    """A person who has signed in. (`tenant_id`, `object_id`) is the identity; `account`, the sign-in name, changes.

    `cache` holds the tokens in clear text: encrypt it. `personal` is always False: such accounts are refused.
    """

    tenant_id: str
    object_id: str
    account: str
    name: str
    scopes: tuple[str, ...]
    cache: str
    personal: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Refreshed:
    """A token that can be used for `expires_in_s` seconds. `cache`: to be stored; None: unchanged."""

    access_token: str
    expires_in_s: int
    cache: str | None = field(default=None)


class SignIn:
    """The sign-in service for one client configuration and tenant.

    tenant   `organizations`, a tenant's GUID or domain. `common` lets personal accounts try; they are refused.
    Raises `ConfigurationError` for an address that must not be used.
    """

    def __init__(
        self,
        *,
        login_url: str,
        tenant: str,
        client_id: str,
        client_secret: str = "",
        client_certificate: Mapping[str, str] | None = None,
        graph_url: str,
        timeout_s: float = 30,
        purposes: Sequence[str] = PURPOSES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.tenant = tenant.strip("/")
        self.client_id = client_id
        self.scopes = scopes_for(graph_url, purposes)
        self._credential: Any = dict(client_certificate) if client_certificate else client_secret
        self._http = LoginHttp(login_url, timeout_s)
        self._authority = f"{self._http.base}/{self.tenant}"
        self._clock = clock

    def begin(
        self, redirect_uri: str, *, state: str, login_hint: str = "", claims: str = "", prompt: str = "select_account"
    ) -> dict[str, Any]:
        """Start a sign-in: send the browser to `auth_uri`; keep the whole dict, on the server, for `finish`.

        Raises `ClientRefused` or `Unavailable`.
        """
        with self._translated():
            flow = self._app(msal.SerializableTokenCache()).initiate_auth_code_flow(
                self.scopes, redirect_uri=redirect_uri, state=state, login_hint=login_hint or None,
                prompt=prompt or None, claims_challenge=claims or None,
            )
        return dict(flow)

    def finish(self, flow: Mapping[str, Any], query: Mapping[str, str]) -> SignedIn:
        """Redeem what Microsoft sent the browser back with. A flow is good for one call.

        Raises `SignInRequired` (begin again), `ConsentRequired`, `ClientRefused`, `Unavailable`, `Throttled`, and
        `Rejected` for a personal account, one of another organisation, a refusal by the person, or an answer that
        cannot be verified.
        """
        cache = msal.SerializableTokenCache()
        with self._translated(SignInRequired("This sign-in does not belong together: begin again.")):
            app = self._app(cache)
            result = app.acquire_token_by_auth_code_flow(
                dict(flow), {name: query[name] for name in _ANSWER_PARTS if name in query})
        if not isinstance(result, dict) or "error" in result:
            raise login_error(result or {})
        claims = result.get("id_token_claims")
        if not isinstance(claims, dict) or not isinstance(result.get("access_token"), str):
            raise Rejected(identity.UNVERIFIED)
        with self._translated():
            issuers = self._issuers()
        identity.check(claims, client_id=self.client_id, tenant=self.tenant, issuers=issuers,
                       nonce=str(flow.get("nonce") or ""), now_s=self._clock())
        granted = self._granted(result)
        if not list(cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN)):
            raise ConsentRequired("Microsoft did not allow access while you are away (offline_access): an "
                                  "administrator must authorise the app again.")
        return SignedIn(
            tenant_id=claims["tid"].lower(), object_id=claims["oid"],
            account=str(claims.get("preferred_username") or ""), name=str(claims.get("name") or ""),
            scopes=granted, cache=cache.serialize(),
        )

    def acquire(self, cache: str, *, force: bool = False, claims: str = "") -> Refreshed:
        """An access token from the cache, renewed when it is about to expire, or with `force` or `claims` in any case.

        Raises `SignInRequired`, `ConsentRequired`, `ClientRefused`, `Unavailable`, `Throttled`.
        """
        kept = msal.SerializableTokenCache()
        try:
            kept.deserialize(cache)
        except _MSAL_SURPRISES:
            raise SignInRequired(AGAIN) from None
        with self._translated():
            app = self._app(kept)
            account = next(iter(app.get_accounts()), None)
            result = app.acquire_token_silent_with_error(
                self.scopes, account, force_refresh=force, claims_challenge=claims or None) if account else None
        if not result:
            raise SignInRequired(AGAIN)
        if "error" in result:
            error = login_error(result)
            if isinstance(error, Rejected):  # nobody is there to choose another account
                raise SignInRequired(str(error), code=error.code)
            raise error
        token = result.get("access_token")
        if not isinstance(token, str) or not token:
            raise Unavailable("The sign-in service's answer cannot be read.")
        changed = kept.serialize() if kept.has_state_changed else None
        return Refreshed(token, int(result.get("expires_in") or 0), changed)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _app(self, cache: Any) -> Any:
        if not self._credential:
            raise ClientRefused("This app has neither a client secret nor a certificate: an administrator must set it.")
        try:
            return msal.ConfidentialClientApplication(
                self.client_id, client_credential=self._credential, authority=self._authority, token_cache=cache,
                http_client=self._http, http_cache={},
                # Asks a Microsoft host whether an unknown host is Microsoft's: never for a simulator.
                instance_discovery=None if self._http.is_microsoft else False,
            )
        except _MSAL_SURPRISES:  # the discovery has been checked by now, so it is the certificate
            raise ClientRefused("The app's certificate cannot be used: an administrator must correct it.") from None

    def _issuers(self) -> tuple[str, ...]:
        document = self._http.discover(f"{self._authority}/v2.0{DISCOVERY_SUFFIX}")
        named = document.get("issuer")
        return (f"{self._http.base}/{{tenantid}}/v2.0", *((named,) if isinstance(named, str) else ()))

    def _granted(self, result: Mapping[str, Any]) -> tuple[str, ...]:
        """The permissions given. Raises `ConsentRequired` when one of those asked for is missing."""
        given = result.get("scope")
        granted = tuple(given.split()) if isinstance(given, str) and given else tuple(self.scopes)
        names = {scope.rsplit("/", 1)[-1].lower() for scope in granted}
        if not {scope.rsplit("/", 1)[-1].lower() for scope in self.scopes} <= names:
            raise ConsentRequired("Not all permissions were given: an administrator must authorise the app again.")
        return granted

    def _translated(self, surprise: Exception | None = None) -> _Translated:
        return _Translated(surprise or Unavailable("The sign-in service's answer cannot be understood."))


class _Translated:
    """Turns what MSAL raises into our errors, without its texts: they quote addresses, states and answers."""

    def __init__(self, surprise: Exception) -> None:
        self._surprise = surprise

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, LoginFailure):
            raise error.error from None
        if isinstance(error, (msal.exceptions.MsalError, OSError)):
            raise Unavailable("Microsoft's sign-in service has a problem.") from None
        if isinstance(error, _MSAL_SURPRISES):
            raise self._surprise from None
