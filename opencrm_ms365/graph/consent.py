"""The address at which an administrator agrees to this app for a whole Microsoft tenant.

Microsoft's answer to it proves nothing: it can be forged, carries `admin_consent=True` on errors too, and names no one.
Only a sign-in right after it does (`graph.tokens`). Source: "Admin consent on the Microsoft identity platform".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from ..errors import GraphError, ProtocolError
from .clouds import PURPOSES, admin_scopes
from .login_errors import login_error

#: The endpoint does not work with `common`; personal accounts could not agree to anything there anyway.
FOR_ANY_TENANT = "organizations"


def admin_consent_url(
    login_url: str,
    *,
    tenant: str,
    client_id: str,
    graph_url: str,
    redirect_uri: str,
    state: str,
    purposes: Sequence[str] = PURPOSES,
) -> str:
    """Where to send the administrator's browser. `tenant`: a GUID, a domain, or a word for any tenant."""
    named = tenant.strip("/") or FOR_ANY_TENANT
    where = FOR_ANY_TENANT if named.lower() in ("common", "consumers") else named
    query = {
        "client_id": client_id,
        "scope": " ".join(admin_scopes(graph_url, purposes)),
        "redirect_uri": redirect_uri,
        "state": state,
    }
    return f"{login_url.rstrip('/')}/{quote(where, safe='')}/v2.0/adminconsent?{urlencode(query, quote_via=quote)}"


def judge_answer(query: Mapping[str, str]) -> None:
    """Raise what a refusal in the redirect means: `Rejected`, `ConsentRequired`, `ClientRefused`, ...

    No error is all that can be learnt here; `error` decides, whatever `admin_consent` says.
    """
    if query.get("error"):
        raise login_error(query)
    if query.get("admin_consent", "").lower() != "true":
        raise ProtocolError("This is not Microsoft's answer to a request for permission.")


def was_declined(error: GraphError) -> bool:
    """Whether the person at the screen said no, rather than not being allowed to say yes (AADSTS65004)."""
    return error.code == "AADSTS65004"
