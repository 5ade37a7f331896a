"""The admin consent endpoint: an administrator agrees to permissions for the whole organisation (facts 3.5).

Both redirects, of success and of error, carry `admin_consent=True`: only `error` decides. The `tenant` parameter of
the redirect proves nothing; a client must confirm it by a sign-in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from ..world import Account, Client
from . import views
from .aadsts import SignInRefused
from .redirects import back
from .scopes import parse, registered
from .state import LoginState
from .tenants import COMMON, Door, check_redirect, client, door, eligible

if TYPE_CHECKING:
    from ..simulator import Sandbox

RESOURCE = "https://graph.microsoft.com/"


def answer(sandbox: Sandbox, request: Request, segment: str) -> Response:
    """The page, or the redirect once somebody has decided.

    With `options.auto_approve` the account named by `login_hint` decides at once, or the tenant's administrator.
    """
    world = sandbox.world
    try:
        through = door(world, segment)
        if through.word == COMMON:
            raise SignInRefused(900144, detail="response_type")  # what the real endpoint has been seen to answer
        found = client(world, through, request.args.get("client_id", ""))
        check_redirect(found, request.args.get("redirect_uri", ""))
    except SignInRefused as refused:
        return views.refusal(sandbox, refused)
    chosen = request.form.get("account", "")
    if sandbox.options.auto_approve and not chosen:
        administrators = [a for a in eligible(world, through) if a.is_admin]
        chosen = request.args.get("login_hint", "") or (administrators[0].upn if administrators else "")
    if request.form.get("step") == "cancel":
        return _error(sandbox, request, SignInRefused(65004, error="consent_required"))
    account = world.account(chosen) if chosen else None
    if account is None:
        accounts = [a for a in eligible(world, through) if not world.tenants[a.tenant_id].is_personal]
        return views.picker(sandbox, found, accounts, world, request.args.get("login_hint", ""), request.full_path)
    return _decide(sandbox, request, through, found, account)


def _decide(sandbox: Sandbox, request: Request, through: Door, found: Client, account: Account) -> Response:
    tenant = sandbox.world.tenants[account.tenant_id]
    wrong_tenant = through.tenant is not None and through.tenant.id != tenant.id
    if not account.is_admin or wrong_tenant or not account.is_enabled or tenant.is_personal:
        return _error(sandbox, request, SignInRefused(90094, tenant=tenant.name, client_id=found.client_id))
    wanted = parse(request.args.get("scope", ""), request.host)
    if wanted.unknown or not (wanted.names or wanted.default):
        detail = " ".join(wanted.unknown) or "scope"
        return _error(sandbox, request, SignInRefused(650053, error="invalid_request", detail=detail))
    names = registered() if wanted.default else wanted.of_graph
    if request.form.get("step") != "accept" and not sandbox.options.auto_approve:
        return views.consent(sandbox, found, account, names, request.full_path, tenant=tenant, whole_tenant=True)
    sandbox.world.part(LoginState).grant(tenant.id, found.client_id, names)
    return _back(
        request, {"admin_consent": "True", "tenant": tenant.id, "scope": " ".join(RESOURCE + name for name in names)}
    )


def _error(sandbox: Sandbox, request: Request, refused: SignInRefused) -> Response:
    guid = sandbox.world.ids.guid
    description = refused.description(sandbox.clock.now(), guid(), guid())
    return _back(request, {"admin_consent": "True", "error": refused.error, "error_description": description})


def _back(request: Request, values: dict[str, str]) -> Response:
    return back(request.args["redirect_uri"], "query", values | {"state": request.args.get("state", "")})
