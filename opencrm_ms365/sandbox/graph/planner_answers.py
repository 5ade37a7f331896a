"""What all of Planner's paths have in common: who acts, `If-Match`, lists of a fixed page size, answers to writes.

Query options are ignored silently, whatever they say (facts 9.2), but for `$select` and `$expand=details` (switchable).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

from .. import planner_rules as rules
from ..planner_items import Actor, Item, Kind
from ..planner_store import Planner
from ..refusal import Refusal
from .call import Call, Reply

READ = ("Tasks.Read", "Tasks.ReadWrite", "Group.Read.All", "Group.ReadWrite.All")
WRITE = ("Tasks.ReadWrite", "Group.ReadWrite.All")
DETAILS = {Kind.TASK: Kind.TASK_DETAILS, Kind.PLAN: Kind.PLAN_DETAILS}


def planner(call: Call) -> Planner:
    """The service. Raises `Refusal` (403) for a personal account: it has no Planner (facts 9.1)."""
    tenant = call.sandbox.world.tenants.get(call.grant.tenant_id)
    if tenant is not None and tenant.is_personal:
        raise Refusal(403, "", "Planner is not available to personal accounts.")
    return call.sandbox.world.part(Planner)


def actor(call: Call) -> Actor:
    """Who asks, through which application."""
    return Actor(call.grant.account_id, call.grant.client_id)


def required_etag(call: Call) -> str:
    """The `If-Match` header. Raises `Refusal` (412): missing, or `*`, which Planner does not know (facts 9.3, 9.4)."""
    etag = call.headers.get("If-Match", "").strip()
    if not etag:
        raise Refusal(412, "", "The If-Match header must be specified for this kind of request.")
    if etag == "*":
        raise Refusal(412, "", "The given key was not present in the dictionary.")
    return etag


def shown(call: Call, item: Item) -> dict[str, Any]:
    """A resource as answers show it."""
    body: dict[str, Any] = {"@odata.etag": item.etag, **item.values, "id": item.id}
    if item.kind == Kind.PLAN and call.sandbox.options.planner_plan_names_group != "both":
        del body["owner" if call.sandbox.options.planner_plan_names_group == "container" else "container"]
    if call.sandbox.options.planner_select == "ignored" or call.method != "GET":
        return body
    names = {name.strip().lower() for name in call.query.get("$select", "").split(",") if name.strip()} - {"*"}
    if names:
        body = {name: value for name, value in body.items() if name.lower() in names or name in ("@odata.etag", "id")}
    kind = DETAILS.get(Kind(item.kind))
    wanted = [name.strip().partition("(")[0].lower() for name in call.query.get("$expand", "").split(",")]
    if kind is not None and "details" in wanted:
        details = planner(call).items[kind][item.id]
        body["details"] = {"@odata.etag": details.etag, **details.values, "id": details.id}
    return body


def find(call: Call, kind: Kind, key: str) -> Item:
    """The resource of the path. Raises `Refusal` (400, 403, 404)."""
    return planner(call).find(kind, key, actor(call))


def update(call: Call, kind: Kind, key: str, context: str) -> Reply:
    """A PATCH. Raises `Refusal` (400, 403, 404, 409, 412)."""
    etag = required_etag(call)
    found = find(call, kind, key)
    planner(call).update(actor(call), found, rules.checked(kind, call.json(), call.sandbox.options), etag)
    return written(call, found, context)


def delete(call: Call, kind: Kind, key: str) -> Reply:
    """A DELETE; 204. Raises `Refusal` (400, 403, 404, 409, 412)."""
    etag = required_etag(call)
    planner(call).delete(find(call, kind, key), etag)
    return Reply(204)


def single(call: Call, item: Item, context: str, status: int = 200) -> Reply:
    """One resource. `context` is its place in the metadata."""
    return Reply(status, {"@odata.context": call.context(f"{context}/$entity"), **shown(call, item)})


def written(call: Call, item: Item, context: str) -> Reply:
    """The answer to a PATCH: nothing, or the new state where `return=representation` was preferred."""
    if call.prefer.get("return", "").lower() != "representation":
        return Reply(204)
    call.applied.append("return=representation")
    return single(call, item, context)


def listing(call: Call, items: Iterable[Item], context: str) -> Reply:
    """One page in the order of creation; its size is the service's, no option changes it."""
    size = max(1, call.sandbox.options.planner_page_size)
    after = _place(call)
    rest = sorted((item for item in items if item.first_number > after), key=lambda item: item.first_number)
    found = rest[:size]
    body: dict[str, Any] = {"@odata.context": call.context(context), "@odata.count": len(found),
                            "value": [shown(call, item) for item in found]}
    if len(rest) > size:
        token = base64.urlsafe_b64encode(f"after:{found[-1].first_number}".encode()).decode()
        query = urlencode({**call.query, "$skiptoken": token}, safe="$,()/", quote_via=quote)
        body["@odata.nextLink"] = f"{call.url(quote(call.path))}?{query}"
    return Reply(200, body)


def no_change_tracking(type_name: str) -> Refusal:
    """400 for delta on what has none."""
    return Refusal(400, "BadRequest", "Unsupported request: Change tracking is not supported against "
                   f"'microsoft.graph.{type_name}'.")


def _place(call: Call) -> int:
    """The number of the last item of the page before; 0 on the first one. Raises `Refusal` (400)."""
    token = call.query.get("$skiptoken")
    if not token:
        return 0
    try:
        name, _, number = base64.urlsafe_b64decode(token.encode()).decode("ascii").partition(":")
        if name != "after":
            raise ValueError(name)
        return int(number)
    except (binascii.Error, ValueError):
        raise Refusal(400, "", "The request is invalid: the skip token cannot be read.") from None
