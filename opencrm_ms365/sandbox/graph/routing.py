"""Which handler answers which path: each resource module declares its routes, `find` looks them up.

Path segments have no case, ids do (facts 1). `{user}` at the start of a pattern stands for `me` and `users/{id}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..refusal import Refusal
from .call import Reply

USER_MARK = ":"         # before the segment that says whose data it is, after `split`
Handler = Callable[..., Reply]
_KEY = re.compile(r"\('([^']*)'\)|\(\)")        # contacts('id') and delta(), which OData allows as well


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `scopes`: any of them is enough. `is_outlook`: needs a mailbox and counts for its throttling."""

    method: str
    segments: tuple[str, ...]
    handler: Handler
    scopes: tuple[str, ...]
    is_outlook: bool
    is_locked: bool = True      # the handler runs under the world's lock

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The values of the placeholders; None when the path is another."""
        if len(segments) != len(self.segments):
            return None
        values = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if (pattern == "{user}") != segment.startswith(USER_MARK):
                return None
            if pattern.startswith("{"):
                values[pattern[1:-1]] = segment.removeprefix(USER_MARK)
            elif pattern != segment.lower():
                return None
        return values

    @property
    def rank(self) -> tuple[bool, ...]:
        """Literal segments win over placeholders: `contacts/delta` is no contact's id."""
        return tuple(not segment.startswith("{") for segment in self.segments)


class Routes:
    """A collection of routes; modules fill their own and the resources are joined."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def add(self, method: str, pattern: str, *, scopes: tuple[str, ...] = (), outlook: bool = False,
            locked: bool = True) -> Callable[[Handler], Handler]:
        """Register the decorated handler; it is called with the `Call` and the placeholders but `{user}`."""
        segments = tuple(part if part.startswith("{") else part.lower() for part in pattern.strip("/").split("/"))

        def register(handler: Handler) -> Handler:
            self.routes.append(Route(method, segments, handler, scopes, outlook, locked))
            return handler

        return register

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route and its placeholders' values. Raises `Refusal` (404 unknown path, 405 wrong method)."""
        segments = split(path)
        matches = [(route, values) for route in self.routes if (values := route.match(segments)) is not None]
        if not matches:
            raise Refusal(404, "ResourceNotFound", f"Resource not found for the segment '{segments[-1]}'.")
        best = max(route.rank for route, _ in matches)
        matches = [(route, values) for route, values in matches if route.rank == best]
        for route, values in matches:
            if route.method == method:
                return route, values
        allowed = ", ".join(sorted({route.method for route, _ in matches}))
        raise Refusal(405, "ErrorInvalidRequest", "The OData request is not supported. Specified HTTP method "
                      f"'{method}' is not allowed for the request target.", headers={"Allow": allowed})


def split(path: str) -> list[str]:
    """The segments of a path, OData keys in parentheses as segments, with `me` or `users/{id}` as one `{user}`."""
    plain = _KEY.sub(lambda match: f"/{match[1]}" if match[1] is not None else "", path).strip("/")
    segments = [part.removeprefix("microsoft.graph.") for part in plain.split("/")]
    if segments[0].lower() == "users" and len(segments) > 1:
        return [USER_MARK + segments[1], *segments[2:]]
    return [USER_MARK + "me", *segments[1:]] if segments[0].lower() == "me" else segments
