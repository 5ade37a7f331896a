"""The authorize endpoint: checks the request, lets a person pick an account, asks for consent, sends the code back.

No password is asked. The pages are plain forms, so a test can go through them with `requests`; with the option
`auto_approve` and a `login_hint` the redirect comes at once, as if that person had agreed to everything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from werkzeug.wrappers import Request, Response

from ..world import Account, Client
from . import views
from .aadsts import SignInRefused
from .redirects import MODES, back, location
from .scopes import ADMIN_ONLY, Wanted, parse
from .state import Code, LoginState
from .tenants import Door, check_account, check_redirect, client, door, eligible
from .token_endpoint import client_info

if TYPE_CHECKING:
    from ..simulator import Sandbox

PROMPTS = ("", "login", "none", "consent", "select_account", "create")
#: The cookie that remembers who signed in last in this browser; only `prompt=none` looks at it.
COOKIE = "sandbox_session"


@dataclass(slots=True)
class Refused(Exception):
    """The request is well-formed enough to be answered at the application's address, with an error."""

    error: str
    description: str


class Authorization:
    """One request at the authorize endpoint: a first visit (GET) or a step of the conversation (POST)."""

    def __init__(self, sandbox: Sandbox, request: Request, segment: str) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self.state = self.world.part(LoginState)
        self.request = request
        self.segment = segment
        self.args = request.args
        # With response_mode=form_post clients may also POST the request itself.
        if request.method == "POST" and "client_id" in request.form:
            self.args = request.form
        self.redirect_uri = self.args.get("redirect_uri", "")
        self.mode = self.args.get("response_mode") or "query"

    def answer(self) -> Response:
        try:
            through = door(self.world, self.segment)
            found = client(self.world, through, self.args.get("client_id", ""))
            check_redirect(found, self.redirect_uri)
        except SignInRefused as refused:
            return views.refusal(self.sandbox, refused)  # never redirected: nobody knows to whom
        try:
            wanted = self._check_request(found)
            return self._converse(through, found, wanted)
        except Refused as refused:
            return self._back_with(refused.error, refused.description)

    def _check_request(self, found: Client) -> Wanted:
        """The scopes that are asked for. Raises `Refused` for what a developer did wrong."""
        args = self.args
        if self.mode not in MODES:
            self.mode = "query"
            raise Refused("invalid_request", "AADSTS70007: The response_mode is not supported.")
        if args.get("response_type") != "code":
            raise Refused("unsupported_response_type", "AADSTS70005: The response_type must be 'code' here.")
        if args.get("prompt", "") not in PROMPTS:
            raise Refused("invalid_request", "AADSTS90023: Invalid value for the parameter 'prompt'.")
        if not args.get("scope"):
            raise Refused("invalid_request", SignInRefused(900144, detail="scope").text)
        method, challenge = args.get("code_challenge_method", "plain"), args.get("code_challenge", "")
        if challenge and (not 43 <= len(challenge) <= 128 or method not in ("S256", "plain")):
            raise Refused("invalid_request", SignInRefused(50147).text)
        try:
            if not isinstance(json.loads(args.get("claims") or "{}"), dict):
                raise ValueError
        except ValueError:
            raise Refused("invalid_request", "AADSTS50148: The claims parameter is not a JSON object.") from None
        wanted = parse(args["scope"], self.request.host)
        if wanted.unknown:
            unknown = " ".join(wanted.unknown)
            refused = SignInRefused(650053, client_id=found.client_id, detail=unknown)
            raise Refused(refused.error, refused.text)
        if len(wanted.resources) > 1:
            raise Refused("invalid_request", SignInRefused(28000).text)
        return wanted

    # The conversation

    def _converse(self, through: Door, found: Client, wanted: Wanted) -> Response:
        if self.args.get("prompt") == "none":
            return self._silently(through, found, wanted)
        hint = self.args.get("login_hint", "")
        automatic = bool(self.sandbox.options.auto_approve and hint)
        chosen = hint if automatic else self.request.form.get("account", "")
        if self.request.form.get("step") == "cancel":
            return self._declined()
        if not chosen:
            accounts = list(eligible(self.world, through))
            return views.picker(self.sandbox, found, accounts, self.world, hint, self._action())
        account = self.world.account(chosen)
        try:
            if account is None:
                raise SignInRefused(50034, account=chosen, tenant=through.word)
            check_account(self.world, through, found, account)
        except SignInRefused as refused:
            way_back = self._location_with(*self._words(refused))
            if automatic:
                return self._back_with(*self._words(refused))
            return views.refusal(self.sandbox, refused, way_back=way_back, try_again=self._action())
        return self._steps(found, wanted, account, automatic)

    def _steps(self, found: Client, wanted: Wanted, account: Account, automatic: bool) -> Response:
        step = self.request.form.get("step", "")
        if self.state.demands_of(account).multi_factor and not automatic and step not in ("approved", "accept"):
            return views.multi_factor(self.sandbox, found, account, self._action())
        missing = self._missing(found, wanted, account)
        refused = SignInRefused(65001, error="consent_required", client_id=found.client_id)
        if missing and not self._may_consent(account, missing):
            if automatic:
                return self._back_with(*self._words(refused))
            words = self._words(
                SignInRefused(90094, tenant=self.world.tenants[account.tenant_id].name, client_id=found.client_id)
            )
            return views.approval_needed(
                self.sandbox, found, account, missing, self._location_with(*words), self._action()
            )
        asks = bool(missing) or (self.args.get("prompt") == "consent")
        if asks and not automatic and step != "accept":
            return views.consent(
                self.sandbox,
                found,
                account,
                missing or wanted.names,
                self._action(),
                tenant=self.world.tenants[account.tenant_id],
            )
        if missing:
            whole_tenant = account.is_admin and self.request.form.get("everybody") == "on"
            self.state.grant(account.tenant_id, found.client_id, missing, None if whole_tenant else account)
        return self._success(found, wanted, account)

    def _silently(self, through: Door, found: Client, wanted: Wanted) -> Response:
        key = self.args.get("login_hint") or self.request.cookies.get(COOKIE, "")
        account = self.world.account(key) if key else None
        if account is None or account.id != self.request.cookies.get(COOKIE, ""):
            return self._back_with(*self._words(SignInRefused(50058)))
        try:
            check_account(self.world, through, found, account)
            if self.state.demands_of(account).multi_factor:
                raise SignInRefused(50076, error="interaction_required")
            if self._missing(found, wanted, account):
                raise SignInRefused(65001, error="consent_required", client_id=found.client_id)
        except SignInRefused as refused:
            return self._back_with(*self._words(refused))
        return self._success(found, wanted, account)

    def _missing(self, found: Client, wanted: Wanted, account: Account) -> tuple[str, ...]:
        consented = self.state.consented(account, found.client_id)
        return tuple(scope for scope in wanted.of_graph if scope not in consented)

    def _may_consent(self, account: Account, missing: tuple[str, ...]) -> bool:
        if account.is_admin or self.world.tenants[account.tenant_id].is_personal:
            return True
        return self.sandbox.options.user_consent == "allowed" and not ADMIN_ONLY & set(missing)

    # The ends

    def _success(self, found: Client, wanted: Wanted, account: Account) -> Response:
        args = self.args
        code = self.state.new_code(
            Code(
                account.id,
                found.client_id,
                self.redirect_uri,
                wanted.names,
                self.sandbox.clock.now(),
                nonce=args.get("nonce", ""),
                challenge=args.get("code_challenge", ""),
                challenge_method=args.get("code_challenge_method", "plain"),
                strong=self.state.demands_of(account).multi_factor,
            )
        )
        values = {"code": code, "state": args.get("state", "")}
        if args.get("client_info") == "1":
            values["client_info"] = client_info(account)
        if self.sandbox.options.session_state:
            values["session_state"] = self.world.ids.guid()
        response = back(self.redirect_uri, self.mode, values)
        response.set_cookie(COOKIE, account.id, httponly=True, samesite="Lax")
        return response

    def _declined(self) -> Response:
        return self._back_with(*self._words(SignInRefused(65004, error=self.sandbox.options.declined_error)))

    def _words(self, refused: SignInRefused) -> tuple[str, str]:
        guid = self.world.ids.guid
        error = "access_denied" if refused.error == "invalid_grant" else refused.error
        return error, refused.description(self.sandbox.clock.now(), guid(), guid())

    def _values(self, error: str, description: str) -> dict[str, str]:
        return {"error": error, "error_description": description, "state": self.args.get("state", "")}

    def _back_with(self, error: str, description: str) -> Response:
        return back(self.redirect_uri, self.mode, self._values(error, description))

    def _location_with(self, error: str, description: str) -> str:
        """For a link: the values in the query, or in the fragment, whatever the response mode."""
        mode = "fragment" if self.mode == "fragment" else "query"
        return location(self.redirect_uri, mode, {k: v for k, v in self._values(error, description).items() if v})

    def _action(self) -> str:
        """Where the forms of the conversation post to: this very request."""
        if self.args is self.request.args:
            return self.request.full_path
        return f"{self.request.path}?{urlencode([(k, v) for k, v in self.args.items()])}"
