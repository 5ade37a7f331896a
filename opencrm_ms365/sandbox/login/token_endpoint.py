"""The token endpoint: authorization codes and refresh tokens against access tokens (facts 3.3, 3.4)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from werkzeug.wrappers import Request, Response

from ..world import Account, Client
from . import keys
from .aadsts import SignInRefused
from .scopes import Wanted, parse
from .state import LoginState, RefreshToken
from .tenants import Door, check_account, client, door

if TYPE_CHECKING:
    from ..simulator import Sandbox

#: How long an id_token is good. It matters to nobody after the sign-in.
ID_TOKEN_LIFE_S = 3600


class TokenRequest:
    """One request at the token endpoint."""

    def __init__(self, sandbox: Sandbox, request: Request, segment: str) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self.state = self.world.part(LoginState)
        self.request = request
        self.segment = segment
        self.form = request.form

    def answer(self) -> Response:
        """The token answer, or the refusal as JSON."""
        now = self.sandbox.clock.now()
        headers = {
            "Cache-Control": "no-store, no-cache",
            "Pragma": "no-cache",
            "x-ms-request-id": self.world.ids.guid(),
        }
        try:
            body, status = self._tokens(), 200
        except SignInRefused as refused:
            correlation_id = self.request.headers.get("client-request-id", "")
            body, status = refused.body(now, self.request.host_url.rstrip("/"), correlation_id), refused.status
        return Response(json.dumps(body), status, headers, mimetype="application/json")

    def _tokens(self) -> dict[str, Any]:
        if self.request.method != "POST":
            raise SignInRefused(900561)
        grants = {"authorization_code": self._by_code, "refresh_token": self._by_refresh_token}
        for name in ("grant_type", "client_id"):
            if not self._sent(name):
                raise SignInRefused(900144, detail=name)
        grant = grants.get(self.form["grant_type"])
        if grant is None:
            raise SignInRefused(70003, detail=self.form["grant_type"])
        through = door(self.world, self.segment)
        found = client(self.world, through, self._client_id())
        self._authenticate(found)
        return grant(through, found)

    # Who asks

    def _sent(self, name: str) -> str:
        if name == "client_id":
            return self._client_id()
        return self.form.get(name, "")

    def _basic(self) -> tuple[str, str]:
        authorization = self.request.authorization
        if authorization is None or authorization.type != "basic":
            return "", ""
        return unquote(authorization.username or ""), unquote(authorization.password or "")

    def _client_id(self) -> str:
        return self.form.get("client_id") or self._basic()[0]

    def _authenticate(self, found: Client) -> None:
        if not found.secret and not found.certificates:
            return  # a public client
        if self.form.get("client_assertion_type") == keys.ASSERTION_TYPE:
            path = self.request.path
            audiences = [f"{scheme}://{self.request.host}{path}" for scheme in ("https", "http")]
            try:
                keys.check_assertion(
                    self.form.get("client_assertion", ""), list(found.certificates), found.client_id, audiences
                )
            except keys.AssertionRefused as refused:
                raise SignInRefused(700027, detail=str(refused)) from refused
            return
        secret = self.form.get("client_secret") or self._basic()[1]
        if not secret:
            raise SignInRefused(7000218)
        if not found.secret or not hmac.compare_digest(secret.encode(), found.secret.encode()):
            raise SignInRefused(7000215, client_id=found.client_id)
        if found.secret_expired:
            raise SignInRefused(7000222, client_id=found.client_id)

    # The two grants

    def _by_code(self, through: Door, found: Client) -> dict[str, Any]:
        code = self.state.codes.get(self._required("code"))
        if code is None or code.client_id != found.client_id:
            raise SignInRefused(70000)
        if code.redeemed:
            raise SignInRefused(54005)
        if self.sandbox.clock.now() - code.issued_at > timedelta(seconds=self.sandbox.options.code_life_s):
            raise SignInRefused(70008)
        if self._required("redirect_uri") != code.redirect_uri:
            raise SignInRefused(500112, redirect_uri=self.form["redirect_uri"])
        if code.challenge and not _fits(self.form.get("code_verifier", ""), code.challenge, code.challenge_method):
            raise SignInRefused(501481)
        account = self.world.accounts[code.account_id]
        check_account(self.world, through, found, account)
        wanted = self._wanted(code.scopes)
        offline = "offline_access" in code.scopes
        answer = self._answer(found, account, wanted, code.scopes, offline, code.strong, nonce=code.nonce)
        code.redeemed = True
        return answer

    def _by_refresh_token(self, through: Door, found: Client) -> dict[str, Any]:
        token = self.state.refresh_tokens.get(self._required("refresh_token"))
        if token is None or token.client_id.lower() != found.client_id.lower() or token.superseded:
            raise SignInRefused(70000)
        account = self.world.accounts[token.account_id]
        self._check_refresh(token, account)
        check_account(self.world, through, found, account)
        wanted = self._wanted(token.scopes)
        answer = self._answer(found, account, wanted, token.scopes, True, token.strong)
        token.superseded = self.sandbox.options.refresh_rotation == "old_dies"
        return answer

    def _check_refresh(self, token: RefreshToken, account: Account) -> None:
        now = self.sandbox.clock.now()
        if not account.is_enabled:
            raise SignInRefused(50057)  # before 50173: disabling an account also revokes its sessions
        if token.revision < account.revision:
            raise SignInRefused(50173)
        if token.expired or now - token.issued_at > timedelta(seconds=self.sandbox.options.refresh_token_life_s):
            raise SignInRefused(700082, detail=f"{token.issued_at:%Y-%m-%dT%H:%M:%S.0000000Z}")
        demands = self.state.demands_of(account)
        if demands.fresh_since is not None and token.issued_at <= demands.fresh_since:
            raise SignInRefused(70043)
        if demands.multi_factor and not token.strong:
            raise SignInRefused(50076, error=self.sandbox.options.mfa_error, claims=self.state.claims_challenge())

    def _required(self, name: str) -> str:
        if not self.form.get(name):
            raise SignInRefused(900144, detail=name)
        return self.form[name]

    def _wanted(self, granted: Iterable[str]) -> Wanted:
        """The scopes asked for now; without the parameter those of the sign-in."""
        wanted = parse(self.form.get("scope", "") or " ".join(granted), self.request.host)
        if wanted.unknown:
            raise SignInRefused(70011, detail=" ".join(wanted.unknown))
        if len(wanted.resources) > 1:
            raise SignInRefused(28000)
        return wanted

    # The answer

    def _answer(
        self,
        found: Client,
        account: Account,
        wanted: Wanted,
        granted: tuple[str, ...],
        offline: bool,
        strong: bool,
        *,
        nonce: str = "",
    ) -> dict[str, Any]:
        consented = self.state.consented(account, found.client_id)
        names = tuple(n for n in wanted.names if n != "offline_access")
        asked = tuple(sorted(consented)) if wanted.default else wanted.of_graph
        if not set(asked) <= consented:
            raise SignInRefused(65001, client_id=found.client_id)
        everything = wanted.default or self.sandbox.options.scope_answer == "all_consented"
        listed = tuple(dict.fromkeys((*names, *sorted(consented)))) if everything else names
        listed = tuple(n for n in listed if n != "offline_access")
        life_s = self.sandbox.options.access_token_life_s
        access_token = self.sandbox.bearers.issue(account, listed, client_id=found.client_id, lifetime_s=life_s)
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "scope": " ".join(listed),
            "expires_in": int(life_s),
            "ext_expires_in": int(life_s),
            "access_token": access_token,
        }
        if offline:
            kept = tuple(dict.fromkeys((*granted, *wanted.names)))
            answer["refresh_token"] = self.state.new_refresh_token(account, found.client_id, kept, strong=strong)
        if "openid" in wanted.names or "openid" in granted:
            answer["id_token"] = self._id_token(found, account, nonce, {*granted, *names})
        if self.form.get("client_info") == "1":
            answer["client_info"] = client_info(account)
        return answer

    def _id_token(self, found: Client, account: Account, nonce: str, names: set[str]) -> str:
        now = int(self.sandbox.clock.now().timestamp())
        claims: dict[str, Any] = {
            "aud": found.client_id,
            "iss": issuer(self.request, account.tenant_id),
            "iat": now,
            "nbf": now,
            "exp": now + ID_TOKEN_LIFE_S,
            "sub": pairwise_subject(found, account),
            "oid": account.id,
            "tid": account.tenant_id,
            "ver": "2.0",
        }
        if "profile" in names:
            claims |= {"name": account.display_name, "preferred_username": account.upn}
        if "email" in names and account.mail:
            claims["email"] = account.mail
        if nonce:
            claims["nonce"] = nonce
        return keys.sign(self.state.signing_key(), claims)


def issuer(request: Request, tenant_id: str) -> str:
    """The issuer of id_tokens: on the real service https, here the address that was asked."""
    return f"{request.host_url}{tenant_id}/v2.0"


def client_info(account: Account) -> str:
    return keys.b64url(json.dumps({"uid": account.id, "utid": account.tenant_id}).encode())


def pairwise_subject(found: Client, account: Account) -> str:
    """`sub` differs from one application to the next (facts 3.6)."""
    return keys.b64url(hashlib.sha256(f"{found.client_id}:{account.id}".encode()).digest())


def _fits(verifier: str, challenge: str, method: str) -> bool:
    if method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return bool(verifier) and hmac.compare_digest(verifier.encode(), challenge.encode())
