"""What the organisation shows of others' private activities (ORG-11), for the app's pages and the CRM's own."""

from __future__ import annotations

from typing import Any

from ..adapters import site
from ..models import SyncSettings
from ..reconcile.privacy import PrivateDisplay, strictest


def private_display(user: Any, tenant: str | None = None) -> PrivateDisplay:
    """What `user` is shown of others' private activities. One query; writes nothing.

    Without a `tenant` it is that of the user; of several, the strictest answer counts.
    """
    tenants = [tenant] if tenant is not None else list(site.directory.tenants_of(user))
    chosen = dict(SyncSettings.objects.filter(tenant__in=tenants).values_list("tenant", "private_display"))
    return strictest(PrivateDisplay(chosen.get(item, PrivateDisplay.HIDDEN)) for item in tenants)
