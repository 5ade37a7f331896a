"""Who in the organisation's directory has an e-mail address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..errors import GraphError, NotFound, Rejected
from . import batch, pages
from .batch import Inner
from .client import GraphClient
from .origin import encode
from .refusals import access_denied, consent_missing

SELECT = "id,displayName,mail,userPrincipalName"


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """A person of the tenant. `mail` is `""` for those without a mailbox; both addresses are in lower case."""

    id: str
    mail: str = field(repr=False)
    principal_name: str = field(repr=False)
    name: str = field(repr=False)


def find_users(client: GraphClient, addresses: Iterable[str]) -> dict[str, DirectoryUser]:
    """The users by these addresses, in lower case; addresses of nobody, or of several people, are left out.

    One `$batch` for twenty addresses. Looks at the main address and the sign-in name, which everybody may read with
    `User.ReadBasic.All` (facts 13); aliases are not found.
    Raises `ConsentRequired` when the permission is missing, and what stops the reading.
    """
    wanted = list(dict.fromkeys(text for address in addresses if (text := address.strip().lower())))
    outcomes = batch.run(client, [Inner(address, "GET", _url(address)) for address in wanted])
    found: dict[str, DirectoryUser] = {}
    for address, outcome in outcomes.items():
        if isinstance(outcome, (NotFound, Rejected)):
            if access_denied(outcome):
                raise consent_missing(outcome) from outcome
            continue  # an address that the directory does not even understand is nobody's
        if isinstance(outcome, GraphError):
            raise outcome
        user = _only(address, [user for entry in pages.values(outcome) if (user := _user(entry))])
        if user is not None:
            found[address] = user
    return found


def _url(address: str) -> str:
    quoted = address.replace("'", "''")
    query = {"$filter": f"mail eq '{quoted}' or userPrincipalName eq '{quoted}'", "$select": SELECT}
    return f"/users?{encode(query)}"


def _only(address: str, users: list[DirectoryUser]) -> DirectoryUser | None:
    """The one that is meant: by mail before sign-in name. Two by the same mail are nobody's guess."""
    by_mail = [user for user in users if user.mail == address]
    by_name = [user for user in users if user.principal_name == address]
    for matching in (by_mail, by_name):
        if matching:
            return matching[0] if len(matching) == 1 else None
    return None


def _user(entry: object) -> DirectoryUser | None:
    if not isinstance(entry, dict) or not (identifier := _text(entry, "id")):
        return None
    return DirectoryUser(identifier, _text(entry, "mail").lower(), _text(entry, "userPrincipalName").lower(),
                         _text(entry, "displayName"))


def _text(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return value.strip() if isinstance(value, str) else ""
