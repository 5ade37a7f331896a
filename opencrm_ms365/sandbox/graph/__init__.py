"""Graph v1.0: everything below `/v1.0`. A service is a module with `routes`, named in `RESOURCES`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from werkzeug.datastructures import Headers
from werkzeug.http import http_date
from werkzeug.wrappers import Request, Response

from ..refusal import Refusal
from .call import NOTHING, Call, Reply
from .pipeline import JSON_TYPE, answer, authorise, complete, encode, error_reply
from .query import parse_query
from .routing import Routes

if TYPE_CHECKING:
    from ..requestlog import LoggedRequest
    from ..simulator import Sandbox

# A further service is one more name here and a module beside the others.
RESOURCES = ("users", "folders", "contacts", "contact_delta", "photos", "groups", "planner_plans", "planner_tasks",
             "calendars", "events", "calendar_view", "event_delta", "event_actions", "time_zone_names",
             "subscriptions", "batch")


@cache
def all_routes() -> Routes:
    """The routes of all resources."""
    joined = Routes()
    for name in RESOURCES:
        joined.routes += import_module(f".{name}", __package__).routes.routes
    return joined


def handle(sandbox: Sandbox, request: Request, entry: LoggedRequest) -> Response:
    """Answer a request to Graph. Raises `ConnectionCut` where a fault wants no answer."""
    call = _call(sandbox, request, entry)
    entry.request_id = call.request_id
    try:
        if not request.path.lower().startswith("/v1.0"):
            raise Refusal(404, "ResourceNotFound", "The sandbox knows the version v1.0 only.")
        call.grant = authorise(sandbox, request.headers.get("Authorization", ""))
        entry.client_id = call.grant.client_id
        account = sandbox.world.accounts.get(call.grant.account_id)
        entry.account = account.upn if account else ""
        call.query = parse_query(entry.query)
    except Refusal as refusal:
        return _response(call, complete(call, error_reply(call, refusal)))
    return _response(call, answer(all_routes(), call))


def _call(sandbox: Sandbox, request: Request, entry: LoggedRequest) -> Call:
    with sandbox.lock:
        request_id = sandbox.world.ids.guid()
    path = "/" + request.path.strip("/").partition("/")[2].rstrip("/")
    return Call(sandbox=sandbox, method=request.method, path=path, query={}, headers=Headers(request.headers),
                base_url=request.host_url.rstrip("/"), request_id=request_id,
                client_request_id=request.headers.get("client-request-id") or request_id, entry=entry,
                raw=request.get_data(cache=True))


def _response(call: Call, reply: Reply) -> Response:
    response = Response(status=reply.status)
    if reply.raw is not None:
        response.data = reply.raw
        response.headers["Content-Type"] = reply.content_type
    elif reply.body is not NOTHING:
        response.data = encode(reply.body)
        response.headers["Content-Type"] = JSON_TYPE
    else:
        del response.headers["Content-Type"]
    if "Content-Length" in reply.headers:
        response.automatically_set_content_length = False
    response.headers.update({
        "request-id": call.request_id, "client-request-id": call.client_request_id,
        "Date": http_date(call.sandbox.clock.now()),
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"1","ScaleUnit":"000",'
                               '"RoleInstance":"SANDBOX"}}',
        **reply.headers})
    return response
