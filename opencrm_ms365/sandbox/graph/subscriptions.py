"""Change notifications: not simulated, but for what can never be subscribed to (facts 9.2, 12)."""

from __future__ import annotations

import re

from ..refusal import Refusal, not_simulated
from .call import Call, Reply
from .routing import Routes

routes = Routes()

_PLANNER = re.compile(r"(^|/)planner(/|$)", re.IGNORECASE)


@routes.add("POST", "subscriptions")
def create_subscription(call: Call) -> Reply:
    """Planner is not among the resources that can be subscribed to; the words are assumed."""
    body = call.json()
    resource = body.get("resource") if isinstance(body, dict) else None
    if not isinstance(resource, str) or _PLANNER.search(resource):
        raise Refusal(400, "InvalidRequest", f"Unsupported resource for a subscription: '{resource}'.")
    raise not_simulated("change notifications")
