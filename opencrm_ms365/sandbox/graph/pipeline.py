"""What happens to every request before and after its handler: who asks, faults, throttling, Microsoft's error bodies.

Used for requests that come alone and for those inside a `$batch`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from ..bearers import BearerRefused, Grant
from ..clock import timestamp
from ..faults import ConnectionCut, Fault
from ..injection import fault_headers
from ..refusal import Refusal, access_denied
from ..throttle import over_concurrency, too_many_requests
from ..world import Account
from .call import NOTHING, Call, Reply
from .routing import Route, Routes

if TYPE_CHECKING:
    from ..simulator import Sandbox

USUAL_CODES = {400: "ErrorInvalidRequest", 401: "InvalidAuthenticationToken", 403: "ErrorAccessDenied",
               404: "ErrorItemNotFound", 409: "ErrorIrresolvableConflict", 410: "SyncStateNotFound",
               412: "ErrorIrresolvableConflict", 429: "TooManyRequests", 500: "InternalServerError",
               502: "BadGateway", 503: "ServiceUnavailable", 504: "GatewayTimeout", 507: "InsufficientStorage"}


def authorise(sandbox: Sandbox, authorization: str) -> Grant:
    """The grant of the Authorization header. Raises `Refusal` (401)."""
    kind, _, bearer = authorization.partition(" ")
    try:
        return sandbox.tokens.check(bearer.strip() if kind.lower() == "bearer" else "")
    except BearerRefused as error:
        raise Refusal(401, "InvalidAuthenticationToken", error.message,
                      headers={"WWW-Authenticate": _challenge(error.claims)}) from None


def answer(routes: Routes, call: Call, *, has_slot: bool = False) -> Reply:
    """Carry out an authorised call and complete its answer. `has_slot`: the batch counts its concurrency.

    Raises `ConnectionCut` where a fault wants no answer.
    """
    try:
        reply = _carry_out(routes, call, has_slot)
    except Refusal as refusal:
        reply = error_reply(call, refusal)
    return complete(call, reply)


def complete(call: Call, reply: Reply) -> Reply:
    """Add the headers that every answer has, and note the status."""
    reply.headers.setdefault("Cache-Control", "private")
    if call.applied:
        reply.headers["Preference-Applied"] = ", ".join(call.applied)
    call.entry.status = reply.status
    return reply


def error_reply(call: Call, refusal: Refusal) -> Reply:
    """Microsoft's error body: `innerError.date` has no zone suffix, its ids are those of the headers."""
    inner = {**refusal.inner, "date": timestamp(call.sandbox.clock.now()).rstrip("Z"),
             "request-id": call.request_id, "client-request-id": call.client_request_id}
    body = refusal.body if refusal.body is not None else {
        "error": {"code": refusal.code, "message": refusal.message, **refusal.members, "innerError": inner}}
    return Reply(refusal.status, body, dict(refusal.headers))


def _carry_out(routes: Routes, call: Call, has_slot: bool) -> Reply:
    route, values = routes.find(call.method, call.path)
    user = values.pop("user", None)
    with _throttled(call, route, has_slot):
        target = f"/v1.0{call.path}" + (f"?{call.entry.query}" if call.entry.query else "")
        drawn = call.sandbox.faults.draw(call.method, target, call.entry.account, inner=call.is_inner)
        call.entry.faults += map(str, drawn)
        call.sandbox.faults.wait(drawn)
        blow = next((fault for fault in drawn if not fault.is_latency_only), None)
        _strike(call, blow, is_after=False)
        with call.sandbox.lock if route.is_locked else nullcontext():
            _admit(call, route, user)
            reply = route.handler(call, **values)
        _strike(call, blow, is_after=True)
        if blow is not None and blow.truncate and reply.body is not NOTHING:
            return _truncated(reply, blow)
        return reply


@contextmanager
def _throttled(call: Call, route: Route, has_slot: bool) -> Iterator[None]:
    if not route.is_outlook:
        yield
        return
    throttle = call.sandbox.throttle
    key = (call.grant.client_id, call.grant.account_id)
    throttle.arrive(call.sandbox, key)
    with throttle.slots(call.sandbox, key, 0 if has_slot else 1) as got:
        if not has_slot and got < 1:
            raise over_concurrency(call.sandbox)
        yield


def _strike(call: Call, blow: Fault | None, *, is_after: bool) -> None:
    if blow is None:
        return
    if blow.cut == ("after" if is_after else "before"):
        raise ConnectionCut(f"cut {blow.cut} the effect")
    if blow.status is None or blow.after_effect != is_after:
        return
    headers = fault_headers(call.sandbox, blow)
    if blow.status == 401:
        headers.setdefault("WWW-Authenticate", _challenge(""))
    code = blow.code or USUAL_CODES.get(blow.status, "UnknownError")
    if code == "TooManyRequests" and blow.body is None:
        refusal = too_many_requests(call.sandbox, 0)
        refusal.headers = headers
        raise refusal
    raise Refusal(blow.status, code, "A fault was asked for.", headers=headers, body=blow.body)


def _admit(call: Call, route: Route, user: str | None) -> None:
    """Check the scopes and find whose data it is. Raises `Refusal` (403, 404)."""
    if route.scopes and not call.grant.allows(route.scopes):
        raise access_denied()
    world = call.sandbox.world
    own = world.accounts.get(call.grant.account_id)
    if own is None:
        raise Refusal(401, "InvalidAuthenticationToken", "The user of the token is not known any more.")
    call.account = own
    if user is not None and user.lower() != "me":
        found = world.account(user)
        if found is None or found.tenant_id != own.tenant_id:
            raise Refusal(404, "Request_ResourceNotFound", f"Resource '{user}' does not exist or one of its queried "
                          "reference-property objects are not present.")
        call.account = found
    if route.is_outlook:
        _check_mailbox(call, own)


def _check_mailbox(call: Call, own: Account) -> None:
    if call.account.id != own.id:
        raise access_denied()       # delegated: own mailbox only
    if not own.has_mailbox:
        raise Refusal(call.sandbox.options.mailbox_missing_status, "MailboxNotEnabledForRESTAPI",
                      "The mailbox is either inactive, soft-deleted, or is hosted on-premise.")
    zone = call.prefer.get("outlook.timezone")
    if zone:
        call.applied.append(f'outlook.timezone="{zone}"')


def _challenge(claims: str) -> str:
    text = ('Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"')
    return f'{text}, error="insufficient_claims", claims="{claims}"' if claims else text


def _truncated(reply: Reply, fault: Fault) -> Reply:
    whole = encode(reply.body)
    headers = {**reply.headers}
    if fault.truncate == "length":
        headers["Content-Length"] = str(len(whole))
    return Reply(reply.status, NOTHING, headers, whole[: len(whole) // 2], JSON_TYPE)


JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


def encode(body: Any) -> bytes:
    """JSON as Graph sends it: UTF-8, without blanks."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
