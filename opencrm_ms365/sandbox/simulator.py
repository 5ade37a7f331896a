"""The simulator as a whole: one WSGI application with login, Graph, pages and the control API on one address.

This module only dispatches and keeps the pieces together. What a service does is in its own module; new services are
added to `graph.RESOURCES` and keep their state in a part of the world or of a mailbox.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from .bearers import Bearers, Tokens
from .clock import Clock
from .faults import Faults
from .mails import Mail, MailLog
from .options import Options
from .requestlog import LoggedRequest, RequestLog
from .throttle import Throttle
from .world import PERSONAL_TENANT_ID, Account, Client, Tenant, World

GRAPH_VERSIONS = ("v1.0", "beta")
PAGES = ("", "outlook", "static", "favicon.ico")
MAX_BODY_BYTES = 8 * 1024 * 1024


class Sandbox:
    """A local Microsoft 365, in memory. `wsgi` is the application; the rest is the Python API for tests."""

    def __init__(self, *, state_file: str | None = None, seed: int | str | None = None) -> None:
        self.state_file = state_file        # kept by sandbox.server; the simulator itself writes no file
        self.options = Options()
        self.clock = Clock()
        self.world = World(self.options, self.clock, seed=seed)
        self.lock = self.world.lock
        self.bearers = Bearers(self.world)
        self.tokens: Tokens = self.bearers
        self.faults = Faults()
        self.requests = RequestLog()
        self.throttle = Throttle()

    # Setting the scene

    def add_tenant(self, domain: str, name: str = "", *, id: str = "") -> Tenant:
        """A new customer of Microsoft 365."""
        with self.lock:
            tenant = Tenant(id or self.world.ids.guid(), domain, name or domain)
            self.world.tenants[tenant.id] = tenant
            return tenant

    def personal_tenant(self) -> Tenant:
        """The tenant of the personal Microsoft accounts."""
        return self.world.tenants.get(PERSONAL_TENANT_ID) or self.add_tenant(
            "outlook.example", "Personal accounts", id=PERSONAL_TENANT_ID)

    def add_user(self, tenant: Tenant | str, upn: str, display_name: str = "", *, id: str = "", mail: str | None = None,
                 password: str = "", **more: Any) -> Account:
        """A new account with an empty mailbox; `more` are other fields of `Account`. `mail` defaults to the UPN."""
        with self.lock:
            found = self.world.tenant(tenant) if isinstance(tenant, str) else tenant
            if found is None:
                raise ValueError(f"There is no tenant {tenant!r}.")
            if self.world.account(upn) is not None:
                raise ValueError(f"There is an account {upn!r} already.")
            name = display_name or upn.split("@")[0].replace(".", " ").title()
            given_name, _, surname = name.partition(" ")
            account = Account(id or self.world.ids.guid(), found.id, upn, name, upn if mail is None else mail, password,
                              **{"given_name": given_name, "surname": surname, **more})
            self.world.accounts[account.id] = account
            return account

    def register_client(self, client_id: str, secret: str = "", redirect_uris: Iterable[str] | str = "*loopback",
                        **more: Any) -> Client:
        """An app registration; `redirect_uris` are exact addresses, "*loopback" stands for any on this machine."""
        uris = (redirect_uris,) if isinstance(redirect_uris, str) else tuple(redirect_uris)
        with self.lock:
            client = Client(client_id, secret, uris, **more)
            self.world.clients[client_id] = client
            return client

    def account(self, key: Account | str) -> Account:
        """An account by object id, UPN, mail or alias; raises `ValueError` when there is none."""
        found = self.world.account(key)
        if found is None:
            raise ValueError(f"There is no account {key!r}.")
        return found

    def mailbox(self, account: Account | str) -> Any:
        """The mailbox as its owner uses it in Outlook: an `OutlookUser`."""
        return import_module(".outlook_user", __package__).OutlookUser(self, self.account(account))

    @property
    def mails(self) -> list[Mail]:
        """The mail that meetings caused so far, oldest first."""
        with self.lock:
            return list(self.world.part(MailLog).mails)

    def clear_mails(self) -> None:
        """Forget the mail so far."""
        with self.lock:
            self.world.part(MailLog).mails.clear()

    def planner(self, account: Account | str) -> Any:
        """Planner as that person uses it: a `PlannerUser`. Who acts matters."""
        return import_module(".planner_user", __package__).PlannerUser(self, self.account(account))

    # Events in the life of an account

    def token_for(self, account: Account | str, scopes: Iterable[str] | str, *, client_id: str = "test-client",
                  lifetime_s: float = 3599) -> str:
        """An access token without any sign-in, for tests. `scopes`: a list, or text with spaces."""
        names = scopes.split() if isinstance(scopes, str) else scopes
        return self.bearers.issue(self.account(account), names, client_id=client_id, lifetime_s=lifetime_s)

    @property
    def login(self) -> Any:
        """Consents, expiry of refresh tokens, multi-factor authentication and so on: a `login.Login`."""
        return import_module(".login", __package__).Login(self)

    def revoke(self, account: Account | str, *, claims: str = "") -> None:
        """Revoke all sessions: access tokens are refused at once, refresh tokens of an older `revision` are dead."""
        with self.lock:
            found = self.account(account)
            found.revision += 1
            self.bearers.revoke(found, claims=claims)

    def disable(self, account: Account | str) -> None:
        """Block the account's sign-in and refuse its tokens."""
        with self.lock:
            self.account(account).is_enabled = False
            self.revoke(account)

    def enable(self, account: Account | str) -> None:
        """Allow sign-ins again; a new one is needed."""
        self.account(account).is_enabled = True

    def expire_access_tokens(self, account: Account | str | None = None) -> None:
        """Let access tokens run out now, all or one account's."""
        self.bearers.expire(None if account is None else self.account(account))

    def expire_delta_tokens(self, account: Account | str | None = None, folder: str = "") -> None:
        """Make all delta links and nextLinks given out so far unusable, of all mailboxes, one, or one folder of it."""
        import_module(".changelog", __package__).expire(
            self.world, None if account is None else self.account(account), folder)

    # HTTP

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """The WSGI application. Raises `ConnectionCut` where a connection is to drop; Werkzeug's server lets it."""
        request = Request(environ)
        request.max_content_length = MAX_BODY_BYTES
        try:
            response: Any = self.respond(request)
        except HTTPException as error:      # a body that is too large
            response = error
        return response(environ, start_response)

    def respond(self, request: Request) -> Response:
        """Answer one request by the first part of its path."""
        first = request.path.lstrip("/").split("/", 1)[0].lower()
        if first == "control":
            return self._module("control").handle(self, request)
        if first in PAGES:
            return self._module("pages").handle(self, request)
        entry = self.note(request.method, request.path, request.query_string.decode("latin-1"),
                          dict(request.headers), request.get_data(cache=True))
        if first in GRAPH_VERSIONS:
            return self._module("graph").handle(self, request, entry)
        return self._module("injection").around(self, request, entry, self._module("login").handle)

    def note(self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes | Any,
             batch: int | None = None) -> LoggedRequest:
        """Enter a request into the log."""
        content = _readable(body) if isinstance(body, bytes) else body
        return self.requests.begin(self.clock.now(), method, path, query, dict(headers), content, batch)

    def _module(self, name: str) -> Any:
        return import_module(f".{name}", __package__)       # late: login and pages are not needed by every test


def _readable(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace") if len(body) < 100_000 else f"({len(body)} bytes)"
