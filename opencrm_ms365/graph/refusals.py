"""Which of our errors an answer of Microsoft's means: the table of facts 1.2, pure.

Status and code decide, never the message. Codes are compared without case, and looked for in the nested inner errors
too, whichever way the answer spells `innerError`. Microsoft's message is never passed on: it can quote the record.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ..errors import (
    AlreadyCreated,
    ConsentRequired,
    DeltaExpired,
    GraphError,
    MailboxUnavailable,
    NotFound,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    SignInRequired,
    Stale,
    Throttled,
    Unavailable,
)
from .answers import UNREADABLE
from .challenge import claims_of
from .retry import back_off, retry_after

NO_MAILBOX = frozenset({
    "mailboxnotenabledforrestapi", "mailboxnotsupportedforrestapi", "mailboxnothostedinexchangeonline",
    "errornonexistentmailbox", "errorinvaliduser",
})
DELTA_EXPIRED = frozenset({
    "syncstatenotfound", "syncstateinvalid", "errorinvalidsyncstatedata", "resyncrequired",
    "resyncchangesapplydifferences", "resyncchangesuploaddifferences",
})
THROTTLED = frozenset({
    "toomanyrequests", "applicationthrottled", "errortoomanyobjectsopened", "errorserverbusy",
    "errorexceededconnectioncount", "activitylimitreached", "mailboxconcurrency",
})
FOLDER_GONE = frozenset({"errorsyncfoldernotfound", "errorfoldernotfound"})
CREATED_BEFORE = frozenset({"errorduplicatetransactionid"})
SIGN_IN = frozenset({"invalidauthenticationtoken"})
FULL = frozenset({"errorquotaexceeded", "quotalimitreached"})
LATER = frozenset({408, 423, 424, 425})

MAX_INNER_ERRORS = 10
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}")


def codes(body: object) -> Iterator[str]:
    """The codes of an error body in lower case, the outermost first."""
    for code in _spelled_codes(body):
        yield code.lower()


def _spelled_codes(body: object) -> Iterator[str]:
    error = body.get("error") if isinstance(body, Mapping) else None
    for _ in range(MAX_INNER_ERRORS):
        if not isinstance(error, Mapping):
            return
        code = error.get("code")
        if isinstance(code, str) and code:
            yield code
        error = next((error[name] for name in ("innerError", "innererror") if name in error), None)


def is_throttling(status: int, body: object) -> bool:
    """True when Microsoft did nothing but ask to slow down, whatever status it dressed that in."""
    return status in (429, 509) or (status >= 400 and any(code in THROTTLED for code in codes(body)))


def says_no_mailbox(body: object) -> bool:
    """True when the account has no mailbox here: neither a lost record nor a reason to sign in again."""
    return any(code in NO_MAILBOX for code in codes(body))


def refusal(
    status: int,
    headers: Mapping[str, str],
    body: object,
    *,
    now: datetime,
    safe: bool,
    request_id: str = "",
    attempt: int = 1,
) -> GraphError:
    """The error for an answer that is no success.

    safe    False: the request was a write, which a server error may have carried out all the same.
    """
    found = frozenset(codes(body))
    code = plain(next(_spelled_codes(body), ""))
    about: dict[str, Any] = {"status": status, "code": code, "request_id": plain(request_id)}
    said = f"Microsoft answered {status} {code}".strip()

    if found & NO_MAILBOX:
        return MailboxUnavailable(f"This account has no Exchange Online mailbox ({said}).", **about)
    if is_throttling(status, body):
        wait_s = retry_after(headers, now)
        return Throttled(retry_after_s=back_off(attempt + 2) if wait_s is None else wait_s, **about)
    if found & FOLDER_GONE:
        return NotFound(f"The folder is no longer there ({said}).", **about)
    if status == 410 or found & DELTA_EXPIRED:
        return DeltaExpired(f"Microsoft has forgotten how far this folder was read ({said}).", **about)
    if status == 401 or found & SIGN_IN:
        return SignInRequired(f"Microsoft does not accept this sign-in ({said}).", claims=claims_of(headers), **about)
    if status == 403 and claims_of(headers):
        return SignInRequired(f"Microsoft wants a new sign-in ({said}).", claims=claims_of(headers), **about)
    if status == 404:
        if body is UNREADABLE:  # a proxy's page, not Microsoft's word: must never be taken for a deleted record
            return ProtocolError("Something other than Microsoft Graph answered with `not found`.", **about)
        return NotFound(f"Microsoft does not know this any more ({said}).", **about)
    if found & CREATED_BEFORE:
        return AlreadyCreated(f"Microsoft has created this before ({said}).", existing_id=_existing_id(body), **about)
    if status in (409, 412):
        return Stale(f"The record was changed in Microsoft in the meantime ({said}).", **about)
    if status in LATER:
        return Unavailable(f"Microsoft cannot do this at the moment ({said}).", **about)
    if status == 507 or found & FULL:
        return Rejected(f"The mailbox is full ({said}).", **about)
    if status >= 500 and status not in (501, 505):
        kind = Unavailable if safe else OutcomeUnknown
        return kind(f"Microsoft has a problem ({said}).", **about)
    if status >= 400:
        return Rejected(_refused(status, said), **about)
    return ProtocolError(f"Microsoft's answer is not one that was expected ({said}).", **about)


def _refused(status: int, said: str) -> str:
    match status:
        case 403:
            return f"Microsoft denies access to this ({said})."
        case 413:
            return f"This is too large for Microsoft ({said})."
        case _:
            return f"Microsoft refuses this ({said})."


def _existing_id(body: object) -> str:
    """The id beside a refused repetition. It is opaque and contents of nothing; some answers do not have it."""
    error = body.get("error") if isinstance(body, Mapping) else None
    for _ in range(MAX_INNER_ERRORS):
        if not isinstance(error, Mapping):
            return ""
        for name, value in error.items():
            if str(name).lower() == "@event.existingeventid" and isinstance(value, str):
                return value
        error = next((error[name] for name in ("innerError", "innererror") if name in error), None)
    return ""


def access_denied(error: GraphError) -> bool:
    """True for the answer to a token that lacks the permission: for one's own mailbox, nothing else gives it."""
    return isinstance(error, Rejected) and error.status == 403


def consent_missing(error: GraphError) -> ConsentRequired:
    """The same refusal, said to the one who can act: the administrator."""
    return ConsentRequired(
        "The permission to read this mailbox is missing: an administrator must authorise the app again.",
        status=error.status, code=error.code, request_id=error.request_id,
    )


def plain(text: object) -> str:
    """A code or id that is safe to log; anything that does not look like one is dropped."""
    return text if isinstance(text, str) and _PLAIN.fullmatch(text) else ""
