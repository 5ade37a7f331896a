"""`POST /$batch`: up to twenty requests in one (facts 10). No transaction, answers in any order."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from typing import Any
from urllib.parse import unquote

from werkzeug.datastructures import Headers

from ..refusal import Refusal
from ..throttle import over_concurrency
from .call import NOTHING, Call, Reply
from .pipeline import JSON_TYPE, answer, complete, error_reply
from .query import parse_query
from .routing import Routes

routes = Routes()

MAX_REQUESTS = 20
OUTLOOK_AT_ONCE = 4
METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})
MEMBERS = frozenset({"id", "method", "url", "headers", "body", "dependsOn", "atomicityGroup"})

Request = dict[str, Any]


@routes.add("POST", "$batch", locked=False)
def batch(call: Call) -> Reply:
    """Carry out the inner requests one after the other; each has its own status."""
    requests = _checked(call.json(), call.sandbox.options.batch_depends_on == "three_forms")
    answers: dict[str, dict[str, Any]] = {}
    with ExitStack() as stack:
        slots = _slots(call, requests, stack)
        for place, request in enumerate(requests):
            failed = [name for name in request.get("dependsOn") or () if answers[name]["status"] >= 400]
            answers[request["id"]] = _run(call, request, failed=bool(failed), has_slot=slots is None or place in slots)
    return Reply(200, {"responses": _in_order(call, list(answers.values()))})


def _slots(call: Call, requests: list[Request], stack: ExitStack) -> set[int] | None:
    """The places of the requests that find the mailbox free; None: all do.

    A batch without dependencies runs up to four Outlook requests at once, a chain one at a time. What other requests
    of the app leave free of the mailbox's limit is shared out; the switch throttles all beyond the first four.
    """
    outlook = [place for place, request in enumerate(requests) if _is_outlook(call, request)]
    if not outlook:
        return None
    is_chain = any(request.get("dependsOn") for request in requests)
    wanted = 1 if is_chain else min(len(outlook), OUTLOOK_AT_ONCE)
    key = (call.grant.client_id, call.grant.account_id)
    got = stack.enter_context(call.sandbox.throttle.slots(call.sandbox, key, wanted))
    if call.sandbox.options.batch_beyond_four == "throttled" and not is_chain:
        return set(outlook[:got])
    return {place for number, place in enumerate(outlook) if number % wanted < got}


def _is_outlook(call: Call, request: Request) -> bool:
    from . import all_routes

    try:
        return all_routes().find(request["method"].upper(), _path(request["url"])[0])[0].is_outlook
    except Refusal:
        return False


def _run(call: Call, request: Request, *, failed: bool, has_slot: bool) -> dict[str, Any]:
    from . import all_routes  # late: the routes of all resources contain this module's

    inner = _inner_call(call, request)
    try:
        inner.query = parse_query(inner.entry.query)
        if failed:
            raise Refusal(424, "FailedDependency", "The request was not carried out because a request that it depends "
                          "on failed.")
        if not has_slot and _is_outlook(call, request):
            raise over_concurrency(call.sandbox)
        reply = answer(all_routes(), inner, has_slot=True)
    except Refusal as refusal:
        reply = complete(inner, error_reply(inner, refusal))
    return _packed(request["id"], reply)


def _inner_call(call: Call, request: Request) -> Call:
    path, query = _path(request["url"])
    headers = Headers({str(name): str(value) for name, value in (request.get("headers") or {}).items()})
    body = request.get("body", NOTHING)
    entry = call.sandbox.note(request["method"].upper(), f"/v1.0{path}", query, dict(headers),
                              None if body is NOTHING else body, batch=call.entry.number)
    entry.account, entry.client_id, entry.request_id = call.entry.account, call.entry.client_id, call.request_id
    inner = Call(sandbox=call.sandbox, method=request["method"].upper(), path=path, query={}, headers=headers,
                 base_url=call.base_url, request_id=call.request_id, client_request_id=call.client_request_id,
                 entry=entry, content=body, is_inner=True)
    inner.grant = call.grant
    return inner


def _path(url: str) -> tuple[str, str]:
    path, _, query = url.partition("?")
    return "/" + unquote(path).strip("/"), query


def _packed(name: str, reply: Reply) -> dict[str, Any]:
    packed: dict[str, Any] = {"id": name, "status": reply.status, "headers": dict(reply.headers)}
    if reply.raw is not None and reply.content_type == JSON_TYPE:
        packed["body"] = reply.raw.decode("utf-8", "replace")       # cut in the middle: no JSON any more
    elif reply.raw is not None:
        packed["headers"]["Content-Type"] = reply.content_type
        packed["body"] = base64.b64encode(reply.raw).decode()
    elif reply.body is not NOTHING:
        packed["headers"]["Content-Type"] = JSON_TYPE.replace(";charset=utf-8", "")
        packed["body"] = json.loads(json.dumps(reply.body))
    return packed


def _in_order(call: Call, answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    match call.sandbox.options.batch_order:
        case "shuffled":
            call.sandbox.world.ids.random.shuffle(answers)
        case "reversed":
            answers.reverse()
    return answers


def _checked(body: Any, three_forms_only: bool) -> list[Request]:
    """The inner requests. Raises `Refusal` (400) for a batch that is malformed as a whole."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests or not all(isinstance(entry, dict) for entry in requests):
        raise _malformed("The batch needs a member 'requests' with at least one request.")
    if len(requests) > MAX_REQUESTS:
        raise _malformed(f"Number of batch request steps exceeds the maximum value of {MAX_REQUESTS}.")
    seen: set[str] = set()
    for request in requests:
        _check_request(request, seen)
        seen.add(request["id"])
    if three_forms_only:
        _check_dependencies(requests)
    return requests


def _check_request(request: Request, seen: set[str]) -> None:
    name, method, url = request.get("id"), request.get("method"), request.get("url")
    if not isinstance(name, str) or not name or name in seen:
        raise _malformed("Each request needs an 'id' of its own, a text.")
    if not isinstance(method, str) or method.upper() not in METHODS:
        raise _malformed(f"Invalid method in request id : {name}.")
    if not isinstance(url, str) or not url or "://" in url.partition("?")[0]:
        raise _malformed(f"The url of request id : {name} must be relative to the version.")
    if _path(url)[0].lower().startswith("/$batch"):
        raise _malformed("A batch within a batch is not supported.")
    if unknown := set(request) - MEMBERS:
        raise _malformed(f"Unknown member '{sorted(unknown)[0]}' in request id : {name}.")
    headers = request.get("headers") or {}
    if not isinstance(headers, dict):
        raise _malformed(f"The headers of request id : {name} are no object.")
    has_type = any(str(header).lower() == "content-type" for header in headers)
    if request.get("body") is not None and not has_type:
        raise _malformed(f"Write request id : {name} does not contain Content-Type header or body.")
    depends_on = request.get("dependsOn") or []
    if not isinstance(depends_on, list) or not all(before in seen for before in depends_on):
        raise _malformed(f"Request id : {name} depends on a request that does not come before it.")


def _check_dependencies(requests: list[Request]) -> None:
    """None depends, or each on the one before, or all the others on the same one."""
    depends_on = [tuple(request.get("dependsOn") or ()) for request in requests]
    names = [request["id"] for request in requests]
    if not any(depends_on):
        return
    is_chain = not depends_on[0] and all(
        wanted == (before,) for wanted, before in zip(depends_on[1:], names, strict=False))
    targets = {wanted for wanted in depends_on if wanted}
    is_fan = len(targets) == 1 and len(next(iter(targets))) == 1 and sum(not wanted for wanted in depends_on) == 1
    if not is_chain and not is_fan:
        raise _malformed("Unsupported dependsOn: requests depend on nothing, each on the one before, or all on the "
                         "same one.")


def _malformed(message: str) -> Refusal:
    return Refusal(400, "BadRequest", message)
