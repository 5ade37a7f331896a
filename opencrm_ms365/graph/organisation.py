"""What Microsoft calls the organisation of a tenant."""

from __future__ import annotations

from typing import Any

from .client import GraphClient


def tenant_name(client: GraphClient, tenant_id: str) -> str:
    """The display name, else the default domain; empty where neither is told. Raises the client's errors.

    Source: Graph reference, "List organizations": a list with the one tenant of the token; `User.Read` is enough.
    """
    body = client.get("/organization", params={"$select": "id,displayName,verifiedDomains"}).body
    rows = body.get("value") if isinstance(body, dict) else None
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and str(row.get("id", "")).lower() == tenant_id.lower():
            name = row.get("displayName")
            return name.strip() if isinstance(name, str) and name.strip() else _domain(row.get("verifiedDomains"))
    return ""


def _domain(domains: Any) -> str:
    found = [item for item in domains if isinstance(item, dict) and isinstance(item.get("name"), str)] if isinstance(
        domains, list) else []
    found.sort(key=lambda item: not item.get("isDefault"))
    return str(found[0]["name"]) if found else ""
