"""What mirrored data has in common in the admin: it can be looked at, and neither added, changed nor deleted."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext as _

from ..access import rights
from ..adapters import site as adapters
from ..models import SyncSettings
from ..templatetags.ms365 import ago
from ..views.seen import shown_records


class ReadOnlyAdmin(admin.ModelAdmin):
    """For rows that the sync writes."""

    list_per_page = 50
    show_full_result_count = False
    actions_on_bottom = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return administered(super().get_queryset(request), request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def administered(rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
    """Only rows of organisations that the person administers, where a database holds several. With one organisation
    Django's permissions alone decide."""
    if one_organisation():
        return rows
    return rows.filter(tenant__in=[tenant for tenant in adapters.directory.tenants()
                                   if rights.is_administrator(request.user, str(tenant))])


def one_organisation() -> bool:
    """Whether this CRM has only one: then nobody needs to read its name."""
    return list(adapters.directory.tenants()) == [""] and not SyncSettings.objects.exclude(tenant="").exists()


def when(instant: Any) -> str:
    return format_html('<span title="{}">{}</span>', instant, ago(instant)) if instant else _("not yet")


def shown_name(request: HttpRequest, row: Any) -> str:
    """The name of a row's record, for administrators who may see the record (PRIV-03)."""
    shown = shown_records(request.user, row.tenant, [(row.adapter, row.object_id)])
    found = shown.get((row.adapter, row.object_id))
    return found.label if found else (_("(a record that you may not see)") if row.object_id else "")
