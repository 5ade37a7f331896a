"""Everybody's links in the admin: how they do, and to pause, resume or sync them. The rest is the users' own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..access import links, rights
from ..access.refused import Refused
from ..access.status import status_of, with_facts
from ..access.user_settings import effective_settings
from ..models import Direction, SyncSettings, UserLink
from ..sync.doorbell import ring_soon
from ..views.seen import directory
from ..views.work import start_sync
from .readonly import ReadOnlyAdmin, one_organisation, when


@admin.register(UserLink)
class UserLinkAdmin(ReadOnlyAdmin):
    list_display = ("name", "account", "state", "last_sync", "next_sync", "problem_count")
    list_filter = ("status", "paused", "enabled")
    search_fields = ("account", "account_name")
    list_select_related = ("user",)
    actions = ("sync_now", "pause", "resume")
    fields = ("name", "account", "account_name", "state", "sentence", "contacts", "connected_at", "last_run_at",
              "next_run_at", "page")
    readonly_fields = fields

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.list_display if one_organisation() else ("tenant", *self.list_display)

    @admin.display(description=_("user"), ordering="user")
    def name(self, link: UserLink) -> str:
        return str(directory().display_name(link.user))

    def get_queryset(self, request: HttpRequest) -> Any:
        return with_facts(super().get_queryset(request)).annotate(
            all_problems=Count("problems", Q(problems__resolved_at=None, problems__ignored=False)))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The page's links with their organisations at hand, so that no row costs a query of its own."""
        changes = super().get_changelist_instance(request)
        rows = {row.tenant: row for row in SyncSettings.objects.all()}
        for link in changes.result_list:
            link._organisation = rows.get(link.tenant)
        return changes

    @admin.display(description=_("state"), ordering="status")
    def state(self, link: UserLink) -> str:
        return status_of(link, self._organisation(link)).title

    @admin.display(description=_("what it means"))
    def sentence(self, link: UserLink) -> str:
        return status_of(link, self._organisation(link)).sentence

    @admin.display(description=_("contacts"))
    def contacts(self, link: UserLink) -> str:
        chosen = effective_settings(link, self._organisation(link))
        return str(Direction(chosen.contact_direction).label) if chosen.sync_contacts else gettext("off")

    @admin.display(description=_("last sync"), ordering="last_run_at")
    def last_sync(self, link: UserLink) -> str:
        return when(link.last_run_at)

    @admin.display(description=_("next sync"), ordering="next_run_at")
    def next_sync(self, link: UserLink) -> str:
        return when(link.next_run_at)

    @admin.display(description=_("open problems"))
    def problem_count(self, link: UserLink) -> int:
        return int(getattr(link, "all_problems", 0))

    @admin.display(description=_("Microsoft Sync page"))
    def page(self, link: UserLink) -> str:
        try:
            return format_html('<a href="{}">{}</a>', reverse("ms365:profile", args=[link.pk]), gettext("Open"))
        except NoReverseMatch:
            return ""

    def _organisation(self, link: UserLink) -> SyncSettings:
        return getattr(link, "_organisation", None) or SyncSettings.of(link.tenant)

    # Actions

    def has_administer_permission(self, request: HttpRequest) -> bool:
        """Who may change settings of the sync in the admin may act on links; the rows of an organisation that one does
        not administer are left out besides."""
        return request.user.has_perm("opencrm_ms365.change_userlink")

    def _mine(self, request: HttpRequest, chosen: QuerySet[UserLink]) -> list[UserLink]:
        return [link for link in chosen.select_related("user") if rights.is_administrator(request.user, link.tenant)]

    @admin.action(description=_("Sync now"), permissions=["administer"])
    def sync_now(self, request: HttpRequest, queryset: QuerySet[UserLink]) -> None:
        started = 0
        for link in self._mine(request, queryset):
            try:
                start_sync(link, request.user)
                started += 1
            except Refused as refused:
                self.message_user(request, f"{self.name(link)}: {refused.reason}", messages.WARNING)
        self.message_user(request, ngettext("%(n)s sync was asked for.", "%(n)s syncs were asked for.", started)
                          % {"n": started})

    @admin.action(description=_("Pause"), permissions=["administer"])
    def pause(self, request: HttpRequest, queryset: QuerySet[UserLink]) -> None:
        chosen = self._mine(request, queryset)
        for link in chosen:
            links.pause(link)
        self.message_user(request, ngettext("%(n)s link is paused.", "%(n)s links are paused.", len(chosen))
                          % {"n": len(chosen)})

    @admin.action(description=_("Resume"), permissions=["administer"])
    def resume(self, request: HttpRequest, queryset: QuerySet[UserLink]) -> None:
        chosen = self._mine(request, queryset)
        for link in chosen:
            links.resume(link)
            ring_soon()
        self.message_user(request, ngettext("%(n)s link goes on.", "%(n)s links go on.", len(chosen))
                          % {"n": len(chosen)})
