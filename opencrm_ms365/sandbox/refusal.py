"""The exception for "Graph refuses this": status, code and words of Microsoft's error body (facts 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """An error answer. `members` are extra ones of `error`, `inner` of `innerError`; `body` replaces the usual body."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None,
                 members: Mapping[str, Any] | None = None, inner: Mapping[str, Any] | None = None,
                 body: Any = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        self.inner = dict(inner or {})
        self.body = body


def item_not_found() -> Refusal:
    """The item is gone, or never was."""
    return Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def malformed_id() -> Refusal:
    """The id cannot be read as one (facts 1.2; the text is assumed)."""
    return Refusal(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def access_denied() -> Refusal:
    """A scope is missing, or it is somebody else's mailbox."""
    return Refusal(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def not_simulated(what: str) -> Refusal:
    """Graph can do it, the simulator cannot: said openly, so that nobody takes it for Microsoft's behaviour."""
    return Refusal(501, "NotImplemented", f"The sandbox does not simulate {what}.")
