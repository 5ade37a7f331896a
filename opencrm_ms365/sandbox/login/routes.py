"""Which path of the login is answered by what, and the documents that need no conversation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from ..origin import is_foreign_post
from . import adminconsent, keys, views
from .aadsts import SignInRefused
from .authorize import COOKIE, Authorization
from .scopes import OPENID
from .state import LoginState
from .tenants import COMMON, ORGANIZATIONS, door
from .token_endpoint import TokenRequest, issuer

if TYPE_CHECKING:
    from ..simulator import Sandbox

_PATH = re.compile(r"/(?P<tenant>[^/]+)(?P<rest>/.+)")


def handle(sandbox: Sandbox, request: Request) -> Response:
    """Answer a request of the login; 404 for a path that it does not know."""
    found = _PATH.fullmatch(request.path)
    answer = _ROUTES.get(found["rest"].lower()) if found else None
    if found is None or answer is None:
        return Response("There is nothing here.\n", 404, mimetype="text/plain")
    decides = "step" in request.form or "account" in request.form
    if decides and is_foreign_post(request):
        return Response("This form was sent from another site.\n", 403, mimetype="text/plain")
    with sandbox.lock:
        return answer(sandbox, request, found["tenant"])


def _discovery(sandbox: Sandbox, request: Request, segment: str) -> Response:
    """The OpenID configuration. MSAL wants an https token endpoint and takes an http authorize endpoint."""
    try:
        through = door(sandbox.world, segment)
    except SignInRefused as refused:
        return _json(refused.body(sandbox.clock.now(), request.host_url.rstrip("/")), 400)
    plain = f"http://{request.host}/{segment}"
    secure = plain if sandbox.options.plain_http_everywhere else f"https://{request.host}/{segment}"
    tenant_id = through.tenant.id if through.tenant is not None else "{tenantid}"
    return _json(
        {
            "token_endpoint": f"{secure}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": [
                "client_secret_post",
                "private_key_jwt",
                "client_secret_basic",
            ],
            "jwks_uri": f"{secure}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code"],
            "scopes_supported": list(OPENID),
            "issuer": issuer(request, tenant_id),
            "authorization_endpoint": f"{plain}/oauth2/v2.0/authorize",
            "end_session_endpoint": f"{plain}/oauth2/v2.0/logout",
            "claims_supported": [
                "sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "nonce",
                "preferred_username",
                "name",
                "tid",
                "ver",
                "email",
                "oid",
            ],
            "tenant_region_scope": None if segment.lower() in (COMMON, ORGANIZATIONS) else "EU",
            "cloud_instance_name": "sandbox.example",
            "msgraph_host": request.host,
        }
    )


def _keys(sandbox: Sandbox, request: Request, segment: str) -> Response:
    return _json(keys.published(sandbox.world.part(LoginState).signing_key(), issuer(request, "{tenantid}")))


def _authorize(sandbox: Sandbox, request: Request, segment: str) -> Response:
    return Authorization(sandbox, request, segment).answer()


def _token(sandbox: Sandbox, request: Request, segment: str) -> Response:
    return TokenRequest(sandbox, request, segment).answer()


def _logout(sandbox: Sandbox, request: Request, segment: str) -> Response:
    """End the browser's session; refresh tokens stay alive. Goes on only to an address that a client registered."""
    target = request.values.get("post_logout_redirect_uri", "")
    registered = {uri for client in sandbox.world.clients.values() for uri in client.redirect_uris}
    response = Response("", 302, {"Location": target}) if target in registered else views.signed_out(sandbox)
    response.delete_cookie(COOKIE)
    return response


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, {"Cache-Control": "max-age=86400, private"}, mimetype="application/json")


_ROUTES: dict[str, Callable[[Sandbox, Request, str], Response]] = {
    "/v2.0/.well-known/openid-configuration": _discovery,
    "/discovery/v2.0/keys": _keys,
    "/oauth2/v2.0/authorize": _authorize,
    "/oauth2/v2.0/token": _token,
    "/oauth2/v2.0/logout": _logout,
    "/v2.0/adminconsent": adminconsent.answer,
    "/adminconsent": adminconsent.answer,
}
