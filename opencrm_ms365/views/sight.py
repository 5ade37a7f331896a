"""How much of one activity a person sees, for the template filter (PRIV-02)."""

from __future__ import annotations

from typing import Any

from ..access.privacy import private_display
from ..adapters.paths import value_at
from ..adapters.privacy import PrivateRecords
from ..reconcile.privacy import Sight
from .seen import context_for, directory, site


def seen_by(activity: Any, user: Any) -> Sight:
    """How much of an activity `user` sees, of one that the CRM lets them see at all.

    Raises `LookupError` for an object that no adapter of meetings or tasks is for: nobody knows then who takes part.
    """
    adapter = _adapter_of(activity)
    tenant = _tenant_of(activity, user, adapter)
    ctx = context_for(user, tenant)
    with directory().activate(ctx):
        return adapter.seen_by(activity, ctx, private_display(user, tenant))


def _tenant_of(activity: Any, user: Any, adapter: PrivateRecords) -> str:
    """The record's organisation, which decides; in a CRM of one, that of the user."""
    if adapter.tenant_field:
        return str(value_at(activity, adapter.tenant_field) or "")
    return str(next(iter(directory().tenants_of(user)), ""))


def _adapter_of(activity: Any) -> PrivateRecords:
    found = [item for item in site.adapters() if isinstance(item, PrivateRecords) and isinstance(activity, item.model)]
    if len(found) > 1:
        found = [item for item in found if _is_for(item, activity)] or found[:1]
    if not found:
        raise LookupError(f"No adapter of meetings or tasks is registered for {type(activity)._meta.label}: register "
                          "one in ms365.py, so that it is known what is private and who takes part.")
    return found[0]


def _is_for(adapter: PrivateRecords, activity: Any) -> bool:
    return bool(adapter.model._base_manager.filter(adapter.base_filter, pk=activity.pk).exists())
