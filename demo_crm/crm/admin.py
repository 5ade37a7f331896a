"""The CRM's records in Django's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from .models import Activity, Contact, ContactFolder, OwnTaskList, Team


@admin.register(Contact)
class ContactAdmin(admin.ModelAdmin):
    list_display = ["__str__", "company", "email", "phone", "assigned_to", "sync_to_microsoft", "deleted_at"]
    list_filter = ["folders", "assigned_to", "sync_to_microsoft", ("deleted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["assigned_to"]
    search_fields = ["first_name", "last_name", "company", "email", "email2", "email3"]
    filter_horizontal = ["folders"]
    readonly_fields = ["created_at", "updated_at", "deleted_at"]


@admin.register(ContactFolder)
class ContactFolderAdmin(admin.ModelAdmin):
    list_display = ["name", "position"]
    list_editable = ["position"]


@admin.register(OwnTaskList)
class OwnTaskListAdmin(admin.ModelAdmin):
    list_display = ["name", "key", "position"]
    list_editable = ["position"]
    prepopulated_fields = {"key": ["name"]}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["key"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else super().get_prepopulated_fields(request, obj)


@admin.register(Activity)
class ActivityAdmin(admin.ModelAdmin):
    """Others' private activities are not here, not even for superusers: what cannot be opened has no row (PRIV-02)."""

    list_display = ["__str__", "kind", "start", "status", "assigned_to", "private", "deleted_at"]
    list_filter = ["kind", "status", "assigned_to", "private", ("deleted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["assigned_to"]
    search_fields = ["subject", "location", "notes"]
    filter_horizontal = ["users"]
    readonly_fields = ["created_at", "updated_at", "deleted_at"]
    date_hierarchy = "start"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        # The model's own queryset.
        return super().get_queryset(request).in_full(request.user)       # type: ignore[attr-defined]


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ["name"]
    filter_horizontal = ["members"]
