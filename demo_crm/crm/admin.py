"""The CRM's records in Django's admin."""

from django.contrib import admin

from .models import Contact, ContactFolder, Team


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


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    list_display = ["name"]
    filter_horizontal = ["members"]
