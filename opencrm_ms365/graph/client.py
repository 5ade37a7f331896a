"""Sends one request to Microsoft Graph and gives back data or raises one of our errors.

Pages, batches and resources are functions on top. The bearer token goes to the configured scheme, host and port only,
redirects are not followed (I-6). Nothing of a body, a token, a header or a query is logged or put into an exception:
method, path template, status, duration and request id are (I-5).
"""

from __future__ import annotations

import http.cookiejar
import json as jsonlib
import logging
import random
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol
from urllib.parse import unquote, urlsplit

import requests
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import NewConnectionError

from ..errors import GraphError, OutcomeUnknown, ProtocolError, Throttled, Unavailable
from . import retry
from .answers import UNREADABLE, Answer, TooMuch, content, parse
from .challenge import claims_of
from .origin import Origin, is_loopback
from .refusals import is_throttling, plain, refusal, says_no_mailbox

log = logging.getLogger("opencrm_ms365.graph")

#: Immutable ids survive a move between folders. The preference counts per request (facts 4).
IMMUTABLE_IDS = 'IdType="ImmutableId"'


class TokenSource(Protocol):
    """Where access tokens come from."""

    def token(self, *, refused: str = "", claims: str = "") -> str:
        """A usable access token. `refused` is the one that Microsoft has just refused: give another.

        Raises `SignInRequired`, `ConsentRequired`, `ClientRefused`, `Unavailable` or `Throttled`.
        """
        ...


@dataclass(frozen=True, slots=True)
class RequestNote:
    """What may be known of a request afterwards. `status` is None when no answer came."""

    method: str
    path: str
    status: int | None
    duration_s: float
    request_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class _Lost:
    """No usable answer. `sent` is False when the request certainly never left; `garbled`: it came, but unreadable."""

    reason: str
    sent: bool = True
    garbled: bool = False
    request_id: str = ""


class _Bearer(AuthBase):
    """Sets the header itself, so that no `.netrc` entry of the machine can replace it."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class GraphClient:
    """Microsoft Graph for one token source.

    base_url    without `/v1.0`: `https://graph.microsoft.com`, that of a national cloud, or of a simulator.
    timeout_s   seconds for connecting, and for each wait for data.
    max_wait_s  seconds that one call may spend on waiting and repeating, all together. A longer `Retry-After` is
                raised as `Throttled`, so that the worker can do something else meanwhile.
    on_request  is told of every request that was sent.
    """

    def __init__(
        self,
        base_url: str,
        tokens: TokenSource,
        *,
        session: requests.Session | None = None,
        timeout_s: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
        max_wait_s: float = 20.0,
        on_request: Callable[[RequestNote], None] | None = None,
    ) -> None:
        self.origin = Origin(base_url)
        self.max_wait_s = max_wait_s
        self.requests = 0
        self._tokens = tokens
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._on_request = on_request
        self._last_token = ""
        self._session = session or _session(self.origin)

    def get(
        self, path_or_link: str, *, params: Mapping[str, str | int] | None = None, prefer: Iterable[str] = ()
    ) -> Answer:
        """Read. Repeated as long as that is sensible.

        Raises `Throttled`, `Unavailable`, `ProtocolError`, or what Microsoft's answer means (`refusals`).
        """
        return self.send("GET", path_or_link, params=params, headers={"Prefer": prefer_header(prefer)})

    def post(self, path: str, json: Any) -> Answer:
        """Create, or act. Raises `OutcomeUnknown` when the answer was lost: look before repeating."""
        return self.send("POST", path, json=json)

    def patch(self, path: str, json: Any, etag: str = "") -> Answer:
        """Change. With an etag it raises `Stale` if the item was changed since; without, the last write wins."""
        return self.send("PATCH", path, json=json, headers=_if_match(etag))

    def delete(self, path: str, etag: str = "") -> Answer:
        """Delete. Repeated after a lost answer: the second time it is `NotFound`, which can be taken for done."""
        return self.send("DELETE", path, headers=_if_match(etag))

    def send(
        self,
        method: str,
        path_or_link: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | None = None,
    ) -> Answer:
        """Any request. `safe=True` says that a POST only reads (a batch of reads): it may be repeated like a GET."""
        url = self.origin.url(path_or_link, params)
        body = None if json is None else jsonlib.dumps(json, allow_nan=False).encode()
        call = _Call(method, url, body, dict(headers or {}), safe)
        token, renewed = self._tokens.token(), False
        while True:
            call.attempt += 1
            self._last_token = token
            outcome = self._once(call, token)
            if isinstance(outcome, Answer):
                if 200 <= outcome.status < 300:
                    return outcome
                if outcome.status == 401 and not renewed and not says_no_mailbox(outcome.body):
                    renewed = True
                    token = self._tokens.token(refused=token, claims=claims_of(outcome.headers))
                    continue
            self._wait_or_raise(call, outcome)

    def renew_token(self, claims: str = "") -> None:
        """Tell the token source that Microsoft refused the token sent last, inside a batch whose outside it accepted.

        Raises what the token source raises.
        """
        self._tokens.token(refused=self._last_token, claims=claims)

    def pause(self, seconds: float) -> None:
        """Wait. Here so that a batch waits by the same clock as the client."""
        self._sleep(seconds)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def _wait_or_raise(self, call: _Call, outcome: Answer | _Lost) -> None:
        status, headers = _what_happened(outcome)
        step = retry.decide(
            call.method, status, headers, call.attempt, waited_s=call.spent_s, max_wait_s=self.max_wait_s,
            now=datetime.now(UTC), safe=call.safe, spread=random.random(),  # noqa: S311 - no secret
        )
        if isinstance(step, retry.Wait):
            call.spent_s += step.seconds
            self._sleep(step.seconds)
            return
        _give_up(call, outcome, step)

    def _once(self, call: _Call, token: str) -> Answer | _Lost:
        started = time.monotonic()
        own_id = str(uuid.uuid4())
        outcome: Answer | _Lost = _Lost("the request was interrupted")
        try:
            outcome = self._exchange(call, token, own_id)
        finally:
            spent_s = time.monotonic() - started
            call.spent_s += spent_s
            self._note(call, outcome, spent_s, own_id)
        return outcome

    def _exchange(self, call: _Call, token: str, own_id: str) -> Answer | _Lost:
        headers = {"Accept": "application/json", "Prefer": IMMUTABLE_IDS, "client-request-id": own_id}
        headers |= {name: value for name, value in call.headers.items() if value}
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        self.requests += 1
        try:
            response = self._session.request(
                call.method, call.url, data=call.body, headers=headers, auth=_Bearer(token),
                timeout=self._timeout_s, allow_redirects=False, stream=True,
            )
        except requests.RequestException as error:
            return _Lost(_kind(error), sent=_may_have_left(error))
        try:
            return self._read(call, response)
        except requests.RequestException as error:
            return _Lost(_kind(error), request_id=plain(response.headers.get("request-id")))
        finally:
            response.close()

    def _read(self, call: _Call, response: requests.Response) -> Answer | _Lost:
        request_id = plain(response.headers.get("request-id"))
        headers = CaseInsensitiveDict(response.headers.items())
        is_success = 200 <= response.status_code < 300
        try:
            body = parse(content(response))
        except TooMuch as error:
            if call.repeatable and is_success:
                raise ProtocolError(str(error), status=response.status_code, request_id=request_id) from None
            body = UNREADABLE
        except ValueError:
            body = UNREADABLE
        if body is UNREADABLE and is_success:
            return _Lost("the answer is not JSON", garbled=True, request_id=request_id)
        return Answer(response.status_code, headers, body, request_id)

    def _note(self, call: _Call, outcome: Answer | _Lost, spent_s: float, own_id: str) -> None:
        status = outcome.status if isinstance(outcome, Answer) else None
        note = RequestNote(
            call.method, template(call.url), status, spent_s, outcome.request_id or own_id, call.attempt
        )
        log.debug("%s %s: %s in %.0f ms, attempt %d, request id %s", note.method, note.path, note.status or "no answer",
                  note.duration_s * 1000, note.attempt, note.request_id)
        if self._on_request:
            self._on_request(note)


@dataclass(slots=True, repr=False)
class _Call:
    """One request on its way, over all its attempts."""

    method: str
    url: str
    body: bytes | None
    headers: dict[str, str]
    safe: bool | None
    attempt: int = 0
    spent_s: float = 0.0

    @property
    def repeatable(self) -> bool:
        return self.method in retry.REPEATABLE if self.safe is None else self.safe

    @property
    def only_reads(self) -> bool:
        return bool(self.safe) or self.method in ("GET", "HEAD")


def prefer_header(wishes: Iterable[str]) -> str:
    """The value of `Prefer`: immutable ids always, then what else is wished for."""
    return ", ".join((IMMUTABLE_IDS, *wishes))


def template(url: str) -> str:
    """The path with `{id}` in the place of everything that is not a known word, and without its query."""
    words = [unquote(part) for part in urlsplit(url).path.split("/")]
    return "/".join(word if not word or word.lower() in _WORDS else "{id}" for word in words)


_WORDS = frozenset({
    "v1.0", "me", "users", "$batch", "contacts", "contactfolders", "childfolders", "delta", "photo", "$value",
    "mailboxsettings", "outlook", "mastercategories", "events", "cancel", "calendar", "calendars", "calendarview",
    "instances", "planner", "plans", "buckets", "tasks", "details", "groups", "memberof", "subscriptions",
    "organization",
})


def _session(origin: Origin) -> requests.Session:
    session = requests.Session()
    # A proxy of the environment is for Microsoft, not for a simulator on this machine.
    session.trust_env = not is_loopback(origin.hostname)
    session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return session


def _if_match(etag: str) -> dict[str, str]:
    return {"If-Match": etag} if etag else {}


def _what_happened(outcome: Answer | _Lost) -> tuple[int | None, Mapping[str, str]]:
    """Status and headers as `retry.decide` wants them."""
    if isinstance(outcome, _Lost):
        return (None if outcome.sent else 0), {}
    return (429 if is_throttling(outcome.status, outcome.body) else outcome.status), outcome.headers


def _give_up(call: _Call, outcome: Answer | _Lost, step: retry.GiveUp) -> NoReturn:
    # `from None`: the causes of requests and urllib3 quote the address, which can hold delta tokens (I-5).
    if isinstance(outcome, _Lost):
        raise _lost(call, outcome) from None
    error = refusal(outcome.status, outcome.headers, outcome.body, now=datetime.now(UTC), safe=call.only_reads,
                    request_id=outcome.request_id, attempt=call.attempt)
    if isinstance(error, Unavailable) and step.retry_after_s is not None:
        error = Throttled(retry_after_s=step.retry_after_s, status=error.status, code=error.code,
                          request_id=error.request_id)
    raise error from None


def _lost(call: _Call, outcome: _Lost) -> GraphError:
    about: dict[str, Any] = {"request_id": outcome.request_id}
    if not outcome.sent:
        return Unavailable(f"Microsoft cannot be reached ({outcome.reason}).", **about)
    if not call.only_reads:
        return OutcomeUnknown(f"Microsoft's answer to a change was lost ({outcome.reason}).", **about)
    if outcome.garbled:
        return ProtocolError(f"Microsoft's answer cannot be read ({outcome.reason}).", **about)
    return Unavailable(f"Microsoft did not answer ({outcome.reason}).", **about)


def _may_have_left(error: requests.RequestException) -> bool:
    """False when no connection came about, so that Microsoft cannot have seen the request."""
    if isinstance(error, (requests.ConnectTimeout, requests.exceptions.ProxyError)):
        return False
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return not isinstance(reason, NewConnectionError)


def _kind(error: requests.RequestException) -> str:
    """The sort of trouble in two words; the text of the exception itself quotes addresses."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the connection is not secure"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not answer"
    return "the connection broke" if _may_have_left(error) else "no connection"
