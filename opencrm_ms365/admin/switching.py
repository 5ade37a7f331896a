"""Actions for the CRM's own admin: the tick box of many records at once, where the app keeps it.

    from opencrm_ms365.admin.switching import stop_syncing, sync_with_microsoft

    class ContactAdmin(admin.ModelAdmin):
        actions = [sync_with_microsoft, stop_syncing]
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..adapters import site
from ..adapters.fields import Stored
from ..views.seen import context_for, directory, tenant_of, visible_keys


@admin.action(description=_("Sync with Microsoft"))
def sync_with_microsoft(modeladmin: Any, request: Any, queryset: Any) -> None:
    _switch(modeladmin, request, queryset, on=True)


@admin.action(description=_("Do not sync with Microsoft"))
def stop_syncing(modeladmin: Any, request: Any, queryset: Any) -> None:
    _switch(modeladmin, request, queryset, on=False)


def _switch(modeladmin: Any, request: Any, queryset: Any, *, on: bool) -> None:
    """Only records that the person may see and change, and only where the tick box is in the app's own table."""
    tenant = tenant_of(request)
    changed = 0
    if tenant is not None:
        ctx = context_for(request.user, tenant)
        with directory().activate(ctx):
            for adapter in site.adapters():
                flag = adapter.role_specs.get("sync_flag")
                if issubclass(queryset.model, adapter.model) and isinstance(flag, Stored) and not flag.is_read_only:
                    changed += _switch_those(adapter, flag, [str(key) for key in queryset.values_list("pk", flat=True)],
                                             ctx, on)
    text = ngettext("%(n)s record was changed.", "%(n)s records were changed.", changed) % {"n": changed}
    modeladmin.message_user(request, text, messages.SUCCESS if changed else messages.WARNING)


def _switch_those(adapter: Any, flag: Stored, ids: list[str], ctx: Any, on: bool) -> int:
    found = adapter.by_ids(ids, ctx)
    visible = set(visible_keys(adapter, [obj.pk for obj in found.values()], ctx))
    mine = [obj for obj in found.values() if obj.pk in visible and adapter.can_change(obj, ctx)]
    for obj in mine:
        flag.save(obj, on, ctx)
    return len(mine)
