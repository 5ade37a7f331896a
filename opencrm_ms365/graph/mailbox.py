"""Who is signed in, and under which addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..errors import ProtocolError, Rejected
from .client import GraphClient
from .refusals import access_denied, consent_missing

SELECT = "id,displayName,mail,userPrincipalName"
#: Not every directory gives them to every app.
SELECT_ALIASES = f"{SELECT},proxyAddresses"


@dataclass(frozen=True, slots=True)
class Me:
    """The account. `aliases` are all its addresses in lower case, the main one first; `mail` is None for some."""

    id: str
    user_principal_name: str = field(repr=False)
    mail: str | None = field(repr=False)
    display_name: str = field(repr=False)
    aliases: tuple[str, ...] = field(default=(), repr=False)


def me(client: GraphClient, mailbox: str = "/me") -> Me:
    """The account behind a mailbox path. Raises `ConsentRequired` when even this permission is missing."""
    try:
        body = client.get(mailbox, params={"$select": SELECT_ALIASES}).body
    except Rejected:
        try:
            body = client.get(mailbox, params={"$select": SELECT}).body
        except Rejected as error:
            if access_denied(error):
                raise consent_missing(error) from error
            raise
    identifier = _text(body, "id")
    if not identifier:
        raise ProtocolError("Microsoft does not say who is signed in.")
    return Me(
        id=identifier,
        user_principal_name=_text(body, "userPrincipalName"),
        mail=_text(body, "mail") or None,
        display_name=_text(body, "displayName"),
        aliases=_aliases(body),
    )


def _aliases(body: Any) -> tuple[str, ...]:
    """Compared without case: invitations name an alias as often as the main address (facts 13)."""
    proxies = body.get("proxyAddresses")
    mails = [entry.split(":", 1)[1] for entry in (proxies if isinstance(proxies, list) else ())
             if isinstance(entry, str) and entry.lower().startswith("smtp:")]
    found = [_text(body, "mail"), _text(body, "userPrincipalName"), *mails]
    return tuple(dict.fromkeys(item.strip().lower() for item in found if item.strip()))


def _text(body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""
