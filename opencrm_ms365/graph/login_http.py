"""The HTTP client that MSAL uses: time-outs, no redirects, answers of limited size, and a local simulator over http.

MSAL insists on https addresses. A simulator on this machine speaks http: for exactly its host and port, https is
turned into http here on the way out, and http into https in the discovery document on the way in. It is chosen by the
scheme of the login address, which is refused anywhere but on loopback (ecosystem notes 2.1; tried with MSAL 1.39).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests

from ..errors import ClientRefused, ConfigurationError, GraphError, Throttled, Unavailable
from .clouds import LOGIN_HOSTS
from .origin import is_loopback
from .retry import retry_after

MAX_BYTES = 1024 * 1024
DISCOVERY_S = 3600.0
DISCOVERY_SUFFIX = "/.well-known/openid-configuration"
#: Discovery documents by address, so that a renewal costs one request. Public data; small.
_discovered: dict[str, tuple[float, str]] = {}


class LoginFailure(requests.RequestException):
    """Carries one of our errors through MSAL, which knows exceptions of requests only."""

    def __init__(self, error: GraphError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(slots=True, repr=False)
class LoginAnswer:
    """What MSAL looks at."""

    status_code: int
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise LoginFailure(Unavailable("Microsoft's sign-in service has a problem.", status=self.status_code))


class LoginHttp:
    """Raises `ConfigurationError` for a login address that is neither https nor http on loopback."""

    def __init__(self, login_url: str, timeout_s: float) -> None:
        parts = urlsplit(login_url.strip())
        self._is_plain = parts.scheme == "http"
        if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
            raise ConfigurationError("The address of the sign-in service must look like "
                                     "https://login.microsoftonline.com.")
        if self._is_plain and not is_loopback(parts.hostname):
            raise ConfigurationError("Plain http is only accepted on this very machine (127.0.0.1 or localhost).")
        self._host = parts.hostname.lower()
        self._plain = {parts.netloc} if self._is_plain else set()
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(parts.hostname)
        self.base = f"https://{parts.netloc}{parts.path.rstrip('/')}"

    @property
    def is_microsoft(self) -> bool:
        """True for a sign-in host that is known to be Microsoft's."""
        return self._host in LOGIN_HOSTS

    def get(self, url: str, params: Any = None, headers: Any = None, **_: Any) -> LoginAnswer:
        """Discovery. Raises `LoginFailure`."""
        if not urlsplit(url).path.endswith(DISCOVERY_SUFFIX):
            return self._send("GET", url, params=params, headers=headers)
        return LoginAnswer(200, json.dumps(self._rewritten(self.discover(url))))

    def post(self, url: str, params: Any = None, data: Any = None, headers: Any = None, **_: Any) -> LoginAnswer:
        """A token request. Raises `LoginFailure` when there is no answer, or none that MSAL could understand."""
        answer = self._send("POST", url, params=params, data=data, headers=headers)
        _object(answer)  # MSAL would log the text of an answer that is no JSON, tokens and all
        return answer

    def close(self) -> None:
        self._session.close()

    def discover(self, url: str) -> dict[str, Any]:
        """The discovery document as the service gave it. Raises `LoginFailure`."""
        kept = _discovered.get(url)
        if kept is None or kept[0] < time.monotonic():
            answer = self._send("GET", url)
            if answer.status_code >= 400:
                raise LoginFailure(ClientRefused("Microsoft does not know the organisation (tenant) that is set for "
                                                 "this app.", status=answer.status_code))
            self._check(_object(answer))
            if len(_discovered) > 500:
                _discovered.clear()
            kept = _discovered[url] = (time.monotonic() + DISCOVERY_S, answer.text)
        document: dict[str, Any] = json.loads(kept[1])
        return document

    def _check(self, document: dict[str, Any]) -> None:
        """The client's secret and the users' refresh tokens go to the token endpoint: it must be the same party's."""
        for name in ("authorization_endpoint", "token_endpoint"):
            parts = _split(document.get(name))
            host = (parts.hostname or "").lower() if parts else ""
            same = host == self._host or {host, self._host} <= LOGIN_HOSTS or (
                self._is_plain and is_loopback(host))
            secure = parts is not None and (parts.scheme == "https" or (parts.scheme == "http" and self._is_plain))
            if not (same and secure):
                raise LoginFailure(Unavailable("The sign-in service names addresses that cannot be trusted."))

    def _rewritten(self, document: dict[str, Any]) -> dict[str, Any]:
        """https for MSAL where it looks, http for the browser where the simulator has nothing else."""
        if not self._is_plain:
            return document
        endpoint = urlsplit(document["token_endpoint"])
        if endpoint.scheme == "http":
            self._plain.add(endpoint.netloc)
        page = urlsplit(document["authorization_endpoint"])
        scheme = "http" if page.netloc in self._plain else page.scheme
        return document | {
            "token_endpoint": endpoint._replace(scheme="https").geturl(),
            "authorization_endpoint": page._replace(scheme=scheme).geturl(),
        }

    def _send(self, method: str, url: str, **options: Any) -> LoginAnswer:
        parts = urlsplit(url)
        if parts.scheme == "https" and parts.netloc in self._plain:
            url = parts._replace(scheme="http").geturl()
        try:
            response = self._session.request(method, url, timeout=self._timeout_s, allow_redirects=False, stream=True,
                                             **options)
            with response:
                text = _text(response)
        except requests.RequestException as error:
            # `from None`: the cause holds the request, and the request holds secrets (I-5).
            raise LoginFailure(Unavailable(
                f"Microsoft's sign-in service did not answer ({type(error).__name__}).")) from None
        if response.status_code == 429:
            wait_s = retry_after(response.headers, datetime.now(UTC))
            raise LoginFailure(Throttled(status=429, retry_after_s=30.0 if wait_s is None else wait_s))
        if response.status_code >= 500 or 300 <= response.status_code < 400:
            raise LoginFailure(Unavailable("Microsoft's sign-in service has a problem.", status=response.status_code))
        return LoginAnswer(response.status_code, text, dict(response.headers))


def _text(response: requests.Response) -> str:
    parts, size = [], 0
    for part in response.iter_content(64 * 1024):
        size += len(part)
        if size > MAX_BYTES:
            raise LoginFailure(Unavailable("The sign-in service's answer is too large."))
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")


def _object(answer: LoginAnswer) -> dict[str, Any]:
    try:
        found = json.loads(answer.text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise LoginFailure(Unavailable("The sign-in service's answer cannot be read.", status=answer.status_code))
    return found


def _split(url: object) -> SplitResult | None:
    try:
        return urlsplit(url) if isinstance(url, str) else None
    except ValueError:
        return None
