"""Many requests in one: `$batch`, in chunks of twenty, each inner request with an outcome of its own.

A batch is no transaction: it is answered in any order, an inner request can fail alone, and a batch whose connection
drops may have been carried out fully, in part or not at all. One unordered batch at a time goes to a mailbox, because
Outlook runs four inner requests at once (facts 10).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from requests.structures import CaseInsensitiveDict

from ..errors import GraphError, OutcomeUnknown, ProtocolError, Throttled
from . import retry
from .answers import UNREADABLE, Answer, parse
from .challenge import claims_of
from .client import IMMUTABLE_IDS, GraphClient
from .refusals import is_throttling, plain, refusal, says_no_mailbox

MAX_INNER = 20
FAILED_DEPENDENCY = 424


@dataclass(frozen=True, slots=True, repr=False)
class Inner:
    """One request of a batch. `url` is relative to the version root; `id` is the caller's and never sent."""

    id: str
    method: str
    url: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_read(self) -> bool:
        return self.method in ("GET", "HEAD")


Outcomes = dict[str, Answer | GraphError]


def run(client: GraphClient, inners: Sequence[Inner]) -> Outcomes:
    """Send them all; the outcome of each by its id, in the order given. Ids must differ.

    Inner 429 and passing failures are repeated within the client's `max_wait_s` for each chunk. A write whose answer
    is missing is `OutcomeUnknown`; a read is repeated.
    Raises what stops everything (`SignInRequired`, `Throttled`, `Unavailable`...) only if nothing has been answered
    yet; later, what was not sent any more has that error as its outcome, so that no answer is lost.
    """
    outcomes: Outcomes = {}
    for chunk in _chunks(inners):
        try:
            _Round(client, chunk, outcomes).run()
        except GraphError as error:
            if not outcomes:
                raise
            return {inner.id: outcomes.get(inner.id, error) for inner in inners}
    return {inner.id: outcomes[inner.id] for inner in inners}


def _chunks(inners: Sequence[Inner]) -> Iterator[list[Inner]]:
    for start in range(0, len(inners), MAX_INNER):
        yield list(inners[start : start + MAX_INNER])


class _Round:
    """One chunk, sent as often as its inner requests need it."""

    def __init__(self, client: GraphClient, inners: list[Inner], outcomes: Outcomes) -> None:
        self.client = client
        self.waiting = inners
        self.outcomes = outcomes
        self.attempt = 0
        self.waited_s = 0.0
        self.renewed = False

    def run(self) -> None:
        """Settle every inner request. Raises when Microsoft asks for a longer pause than the client may make."""
        while self.waiting:
            self.attempt += 1
            answers = _send(self.client, self.waiting)
            self.again: list[Inner] = []
            self.pause_s = 0.0
            self.claims: str | None = None
            self.stop: Throttled | None = None
            for inner in self.waiting:
                self._settle(inner, answers.get(inner.id))
            self._before_the_next()
            self.waiting = self.again

    def _settle(self, inner: Inner, answer: Answer | None) -> None:
        if answer is None:
            self._settle_missing(inner)
        elif 200 <= answer.status < 300:
            self.outcomes[inner.id] = answer
        elif answer.status == 401 and not self.renewed and not says_no_mailbox(answer.body):
            self.claims = claims_of(answer.headers)
            self.again.append(inner)
        else:
            self._settle_refused(inner, answer)

    def _settle_missing(self, inner: Inner) -> None:
        if not inner.is_read:
            self.outcomes[inner.id] = OutcomeUnknown("Microsoft's answer to a change was lost.")
        elif self.attempt < retry.MAX_ATTEMPTS_WITHOUT_ANSWER:
            self.again.append(inner)
        else:
            self.outcomes[inner.id] = ProtocolError("Microsoft answered a batch without answering this part of it.")

    def _settle_refused(self, inner: Inner, answer: Answer) -> None:
        status = 429 if is_throttling(answer.status, answer.body) else answer.status
        step = retry.decide(
            inner.method, status, answer.headers, self.attempt, waited_s=self.waited_s,
            max_wait_s=self.client.max_wait_s, now=datetime.now(UTC),
            safe=True if status == FAILED_DEPENDENCY else None,
        )
        if isinstance(step, retry.Wait):
            self.again.append(inner)
            self.pause_s = max(self.pause_s, step.seconds)
            return
        error = refusal(answer.status, answer.headers, answer.body, now=datetime.now(UTC), safe=inner.is_read,
                        request_id=answer.request_id, attempt=self.attempt)
        self.outcomes[inner.id] = error
        if isinstance(error, Throttled) and (self.stop is None or error.retry_after_s > self.stop.retry_after_s):
            self.stop = error

    def _before_the_next(self) -> None:
        if self.stop is not None:  # what is sent meanwhile counts against us as well
            self.outcomes.update((inner.id, self.stop) for inner in self.again)
            raise self.stop
        if self.claims is not None:
            self.renewed = True
            self.client.renew_token(self.claims)
        if self.again:
            self.waited_s += self.pause_s
            self.client.pause(self.pause_s)


def _send(client: GraphClient, inners: list[Inner]) -> dict[str, Answer]:
    """One POST. Missing from the result: what was not answered, or not in a form that can be understood."""
    numbers = {str(number): inner for number, inner in enumerate(inners, start=1)}
    only_reads = all(inner.is_read for inner in inners)
    body = {"requests": [_to_json(number, inner) for number, inner in numbers.items()]}
    try:
        answer = client.send("POST", "/$batch", json=body, safe=only_reads)
    except OutcomeUnknown:
        return {}  # every part of it may have been carried out
    responses = answer.body.get("responses") if isinstance(answer.body, dict) else None
    found: dict[str, Answer] = {}
    for response in responses if isinstance(responses, list) else ():
        if isinstance(response, dict) and (inner := numbers.get(str(response.get("id")))):
            inner_answer = _answer(response, answer.request_id)
            if inner_answer is not None and not _is_lost(inner, inner_answer):
                found.setdefault(inner.id, inner_answer)
    return found


def _is_lost(inner: Inner, answer: Answer) -> bool:
    """True for a write that was carried out, but whose answer cannot be read."""
    return not inner.is_read and answer.status < 300 and answer.body is UNREADABLE


def _to_json(number: str, inner: Inner) -> dict[str, Any]:
    headers = {"Prefer": IMMUTABLE_IDS, **inner.headers}  # the outer headers do not count for inner requests
    if inner.body is not None:
        headers["Content-Type"] = "application/json"
    request = {"id": number, "method": inner.method, "url": inner.url, "headers": headers}
    return request if inner.body is None else request | {"body": inner.body}


def _answer(response: dict[str, Any], outer_request_id: str) -> Answer | None:
    status = response.get("status")
    if isinstance(status, str) and status.isdecimal():
        status = int(status)
    if not isinstance(status, int) or not 100 <= status <= 599:
        return None
    given = response.get("headers")
    headers = CaseInsensitiveDict(
        {str(name): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
         for name, value in (given.items() if isinstance(given, dict) else ())}
    )
    request_id = plain(headers.get("request-id")) or outer_request_id
    return Answer(status, headers, _body(response.get("body")), request_id)


def _body(body: Any) -> Any:
    """The inner JSON. What Graph does not take for JSON comes as a base64 string (facts 10)."""
    if not isinstance(body, str):
        return body
    for text in (body.encode(), _unbase64(body)):
        try:
            found = parse(text)
        except ValueError:
            continue
        if found is None or isinstance(found, (dict, list)):
            return found
    return UNREADABLE


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b"{"
