"""Where requests may go: exactly one scheme, host and port, whatever a link says (I-6).

Addresses that Microsoft hands out (`@odata.nextLink`, `@odata.deltaLink`) are checked here before they are followed or
stored, and are rebuilt on our own base address, so that no difference between two URL parsers can lead elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, quote, urlsplit

from ..errors import ConfigurationError, ProtocolError

VERSION = "/v1.0"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_DEFAULT_PORTS = {"https": 443, "http": 80}
_SUSPICIOUS = re.compile(r"[\\\x00-\x20\x7f-\uffff]")


class Origin:
    """The base address of Microsoft Graph or of a simulator, without the version part.

    Raises `ConfigurationError` for an address that is not http(s), and for plain http anywhere but on loopback.
    """

    def __init__(self, base_url: str) -> None:
        parts = _split(base_url.strip())
        if parts is None or parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.username is not None:
            raise ConfigurationError("The address of Microsoft Graph must look like https://graph.microsoft.com.")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ConfigurationError("Plain http is only accepted on this very machine (127.0.0.1 or localhost).")
        self._place = _place(parts)
        self._host = f"{parts.scheme}://{parts.netloc}"
        path = parts.path.rstrip("/")
        self._prefix = path[: -len(VERSION)] if path.lower().endswith(VERSION) else path
        self.hostname = parts.hostname

    def url(self, path_or_link: str, params: Mapping[str, str | int] | None = None) -> str:
        """The absolute address of a path below the version root, or of a link of Microsoft's, verbatim.

        Raises `ProtocolError` for a link to anywhere else. Nothing of the link is in the message: it holds tokens.
        """
        parts = _split(path_or_link)
        if parts is None or _SUSPICIOUS.search(path_or_link):
            raise ProtocolError("Microsoft's answer contains a link that cannot be read.")
        if parts.scheme or parts.netloc:
            if parts.username is not None or _place(parts) != self._place:
                raise ProtocolError("Microsoft's answer contains a link to another host; it was not followed.")
            path = parts.path or "/"
        else:
            path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
            if not self._is_below(path):
                path = self._prefix + VERSION + path
        query = "&".join(item for item in (parts.query, encode(params or {})) if item)
        return f"{self._host}{path}?{query}" if query else f"{self._host}{path}"

    def relative(self, link: str) -> str | None:
        """The link as `$batch` wants it, from the version root on; None if it does not lie below that."""
        parts = urlsplit(self.url(link))
        if not self._is_below(parts.path):
            return None
        path = parts.path[len(self._prefix + VERSION):]
        return f"{path}?{parts.query}" if parts.query else path

    def _is_below(self, path: str) -> bool:
        return path.lower().startswith(f"{self._prefix}{VERSION}/".lower())


def is_loopback(hostname: str | None) -> bool:
    return (hostname or "").lower() in LOOPBACK_HOSTS


def segment(identifier: str) -> str:
    """An id as one segment of a path. Ids are opaque: they may end in `=` and hold anything.

    Raises `ProtocolError` for what would address something else: nothing, or a step up.
    """
    if not identifier or set(identifier) <= {"."}:
        raise ProtocolError("An id is missing.")
    return quote(identifier, safe="")


def encode(params: Mapping[str, str | int]) -> str:
    """A query string as Graph reads it: `$` unencoded in names, a space as %20 (facts 1, 7)."""
    return "&".join(f"{quote(name, safe='$')}={quote(str(value), safe=',()/:$')}" for name, value in params.items())


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _place(parts: SplitResult) -> tuple[str, str, int | None]:
    return parts.scheme, (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(parts.scheme)
