"""Plans with their details, and buckets (facts 9.1, 9.2)."""

from __future__ import annotations

import re

from .. import planner_rules as rules
from ..planner_groups import Groups
from ..planner_items import Kind
from ..planner_open_types import invalid
from .call import Call, Reply
from .planner_answers import READ, WRITE, actor, delete, find, listing, no_change_tracking, planner, single, update
from .routing import Routes

routes = Routes()

_GROUP_URL = re.compile(r"(?:https?://[^/]+/v1\.0)?/?groups/([^/]+)/?", re.IGNORECASE)


@routes.add("GET", "groups/{group}/planner/plans", scopes=READ)
def list_group_plans(call: Call, group: str) -> Reply:
    """The plans of a group that the user is a member of."""
    service = planner(call)
    found = call.sandbox.world.part(Groups).group(group, call.grant.tenant_id)
    if not found.has_member(call.grant.account_id):
        raise service.no_access()
    plans = [plan for plan in service.plans_of(found) if service.is_open_to(plan, actor(call))]
    return listing(call, plans, "Collection(microsoft.graph.plannerPlan)")


@routes.add("GET", "{user}/planner/plans", scopes=READ)
def list_own_plans(call: Call) -> Reply:
    """The plans that are shared with the user, which is not all plans of their groups."""
    service = planner(call)
    if call.account.id != call.grant.account_id:
        raise service.no_access()
    plans = [plan for plan in service.shared_with(call.account.id) if service.is_open_to(plan, actor(call))]
    return listing(call, plans, "Collection(microsoft.graph.plannerPlan)")


@routes.add("POST", "planner/plans", scopes=WRITE)
def create_plan(call: Call) -> Reply:
    """A new plan; the group is named by `container` (url, or id and type) or by the older `owner`."""
    sent = rules.checked(Kind.PLAN, call.json(), call.sandbox.options)
    container = sent.get("container") or {}
    named = _GROUP_URL.fullmatch(container.get("url") or "")
    key = container.get("containerId") or (named[1] if named else "") or sent.get("owner")
    if not key or container.get("type") not in (None, "group"):
        raise invalid("a plan needs a group as its container.")
    group = call.sandbox.world.part(Groups).group(key, call.grant.tenant_id)
    plan = planner(call).create_plan(actor(call), group, sent, call.url(f"/groups/{group.id}"))
    return single(call, plan, "planner/plans", 201)


@routes.add("GET", "planner/plans/{plan}", scopes=READ)
def get_plan(call: Call, plan: str) -> Reply:
    """One plan."""
    return single(call, find(call, Kind.PLAN, plan), "planner/plans")


@routes.add("PATCH", "planner/plans/{plan}", scopes=WRITE)
def update_plan(call: Call, plan: str) -> Reply:
    """Rename a plan."""
    return update(call, Kind.PLAN, plan, "planner/plans")


@routes.add("DELETE", "planner/plans/{plan}", scopes=WRITE)
def delete_plan(call: Call, plan: str) -> Reply:
    """A plan with all that is in it."""
    return delete(call, Kind.PLAN, plan)


@routes.add("GET", "planner/plans/{plan}/details", scopes=READ)
def get_plan_details(call: Call, plan: str) -> Reply:
    """Names of the labels, and the people the plan is shared with."""
    return single(call, find(call, Kind.PLAN_DETAILS, plan), f"planner/plans('{plan}')/details")


@routes.add("PATCH", "planner/plans/{plan}/details", scopes=WRITE)
def update_plan_details(call: Call, plan: str) -> Reply:
    """Name labels, share and unshare."""
    return update(call, Kind.PLAN_DETAILS, plan, f"planner/plans('{plan}')/details")


@routes.add("GET", "planner/plans/{plan}/buckets", scopes=READ)
def list_buckets(call: Call, plan: str) -> Reply:
    """The buckets of a plan."""
    service = planner(call)
    found = service.find(Kind.PLAN, plan, actor(call))
    return listing(call, service.buckets_of(found), f"planner/plans('{plan}')/buckets")


@routes.add("POST", "planner/buckets", scopes=WRITE)
def create_bucket(call: Call) -> Reply:
    """A new bucket; without `orderHint` it comes first."""
    sent = rules.checked(Kind.BUCKET, call.json(), call.sandbox.options)
    return single(call, planner(call).create_bucket(actor(call), sent), "planner/buckets", 201)


@routes.add("GET", "planner/buckets/{bucket}", scopes=READ)
def get_bucket(call: Call, bucket: str) -> Reply:
    """One bucket."""
    return single(call, find(call, Kind.BUCKET, bucket), "planner/buckets")


@routes.add("PATCH", "planner/buckets/{bucket}", scopes=WRITE)
def update_bucket(call: Call, bucket: str) -> Reply:
    """Rename or reorder a bucket."""
    return update(call, Kind.BUCKET, bucket, "planner/buckets")


@routes.add("DELETE", "planner/buckets/{bucket}", scopes=WRITE)
def delete_bucket(call: Call, bucket: str) -> Reply:
    """A bucket with its tasks."""
    return delete(call, Kind.BUCKET, bucket)


@routes.add("GET", "planner/plans/delta", scopes=READ)
@routes.add("GET", "planner/buckets/delta", scopes=READ)
@routes.add("GET", "{user}/planner/plans/delta", scopes=READ)
@routes.add("GET", "planner/plans/{plan}/buckets/delta", scopes=READ)
def no_delta(call: Call, plan: str = "") -> Reply:
    """Version 1.0 follows no changes of Planner (facts 9.2)."""
    raise no_change_tracking("plannerPlan")
