"""The organisation's settings (ORG), with guidance beside each of them (ORG-18)."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ..access import activation, installation, rights
from ..access.refused import Refused
from ..access.standstill import standstill
from ..graph.identity import is_guid
from ..models import SyncSettings, UserLink
from ..models.organisation import MATCH_RULES
from ..sync import heartbeat
from ..views.seen import kinds_offered, tenant_of
from .readonly import administered, one_organisation

MATCH_NAMES = {
    "email": _("E-mail address"), "name_company": _("First name, last name and company"), "phone": _("Phone number"),
}

GUIDANCE = {
    "tenant": _("The CRM's own key of this organisation. It cannot be changed."),
    "enabled": _(
        "The main switch. Nothing is synced for anybody while it is off. Switching it on alone syncs nothing either: "
        "it starts for each user once they have connected their account and saved their settings."),
    "paused": _(
        "Stops the sync of everybody for a while. Nothing is lost: what changes meanwhile is synced once, afterwards."),
    "activation_key": _(
        "Your vendor's signed statement who may use the sync, until when, and for how many users. It is checked here, "
        "without asking anybody. When it expires the sync stops and says so; nothing is deleted."),
    "tenant_id": _(
        "Only accounts of this Microsoft tenant can be connected; users with other accounts get a plain message. "
        "Authorise fills it in. To move to another organisation, empty it and authorise again."),
    "sync_contacts": _("Contacts in the CRM and in Outlook. Each user can switch it off for themselves."),
    "sync_activities": _(
        "Meetings and calls in the CRM and events in Outlook; tasks in the CRM and in Planner. Each user can switch "
        "either off for themselves."),
    "contact_direction": _(
        "Both ways: what is created, edited or deleted on either side reaches the other. One way: the other side's "
        "changes stay there, and nothing is ever written to the side that things come from. Users can narrow this for "
        "themselves, never widen it."),
    "activity_direction": _("The same for the calendar and tasks."),
    "users_may_edit": _(
        "If it is off, only administrators can change a user's settings. Users still connect and disconnect their own "
        "account, and can read their settings."),
    "match_by": _(
        "How a contact that exists on both sides is recognised before the two are linked: the ticked rules are tried "
        "in this order. Where several records match, nothing is linked and a person is asked."),
    "left_out_categories": _(
        "One name a line, as people see them in Outlook. A contact or event that bears one of them is not synced at "
        "all: it stays as it is on both sides, and one that was synced before is unlinked. Without the category it is "
        "synced again. Microsoft does not tell the CRM whether a contact is marked as private: have people use a "
        "category instead."),
    "left_out_private": _(
        "Meetings and calls that are marked as private on either side are not synced at all. If it is off, they are "
        "synced, and stay private on both sides."),
    "left_out_domains": _(
        "One domain a line, such as example.com. A meeting to which somebody with such an address is invited is not "
        "brought into the CRM, and one that was synced before is unlinked."),
    "conflict_rule": _(
        "Decides only where both sides changed the same field of the same record between two syncs. Different fields "
        "are merged. Both values are kept for 30 days, and anybody who may edit the record can take the other one "
        "afterwards."),
    "microsoft_deletion": _(
        "What happens in the CRM when a user deletes a synced record in Microsoft. A deletion in the CRM always "
        "deletes in Microsoft (unless the direction forbids it), into Deleted Items."),
    "deletion_guard_percent": _(
        "A sync that would delete more than this share of a user's records on either side stops before it deletes "
        "anything, and waits for an administrator. Up to 10 records are never stopped."),
    "private_display": _(
        "How activities that are marked as private appear to others in the CRM's calendar: not at all, or as a block "
        "called “Private” that cannot be opened."),
    "attendees_historic": _(
        "Adds the CRM users on a meeting as attendees in Microsoft also for meetings that have already taken place. "
        "Microsoft mails every attendee: leave it off unless you are sure."),
    "attendees_future": _(
        "Adds the CRM users on a future meeting as attendees in Microsoft. Microsoft then sends them invitations from "
        "the user whom the meeting is assigned to."),
    "mail_guard": _(
        "A sync that would make Microsoft write to more people than this waits until the user or an administrator has "
        "looked at the list. Empty: 20."),
}


class SettingsForm(forms.ModelForm):
    """The same fields, with their guidance and a list of rules to tick."""

    match_by = forms.MultipleChoiceField(
        label=_("Match contacts by"), choices=[(rule, MATCH_NAMES[rule]) for rule in MATCH_RULES], required=False,
        widget=forms.CheckboxSelectMultiple)

    left_out_categories = forms.CharField(
        label=_("Leave out contacts and events with these Outlook categories"), required=False,
        widget=forms.Textarea(attrs={"rows": 3}))
    left_out_domains = forms.CharField(
        label=_("Leave out meetings with people of these mail domains"), required=False,
        widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("left_out_categories", "left_out_domains"):
            self.initial[name] = "\n".join(getattr(self.instance, name))
        for name, field in self.fields.items():
            field.help_text = GUIDANCE.get(name, field.help_text)

    def clean_left_out_categories(self) -> list[str]:
        return self._lines("left_out_categories")

    def clean_left_out_domains(self) -> list[str]:
        domains = [name.lstrip("@").lower() for name in self._lines("left_out_domains")]
        for domain in domains:
            if not DOMAIN.fullmatch(domain):
                raise forms.ValidationError(gettext("%(text)s is not a mail domain, such as example.com.") % {
                    "text": domain})
        return domains

    def _lines(self, name: str) -> list[str]:
        names = (line.strip() for line in self.cleaned_data[name].splitlines())
        return list({line.casefold(): line for line in names if line}.values())

    def clean_activation_key(self) -> str:
        return "".join(self.cleaned_data["activation_key"].split())

    def clean_tenant_id(self) -> str:
        tenant_id: str = self.cleaned_data["tenant_id"].strip().lower()
        if tenant_id and not is_guid(tenant_id):
            raise forms.ValidationError(gettext("This is not a Microsoft tenant id: 36 characters such as "
                                                "b7149e11-5a1e-4d0c-9c5e-2f1d0b9a7c10. Authorise fills it in."))
        return tenant_id

    def clean(self) -> dict[str, Any]:
        """The sync is switched on only with a good key (ORG-03). One that has expired since stays as it is, so that
        other settings can be saved; the sync stands still anyway."""
        cleaned = super().clean() or {}
        key, tenant_id = cleaned.get("activation_key", ""), cleaned.get("tenant_id", self.instance.tenant_id)
        judged = SyncSettings(tenant=self.instance.tenant, tenant_id=tenant_id, activation_key=key)
        asked = {"enabled", "activation_key"} & set(self.changed_data)
        if (cleaned.get("enabled") or key) and asked and (reason := activation.why_invalid(judged)):
            self.add_error("activation_key" if "activation_key" in self.fields else None, reason)
        return cleaned

    def save(self, commit: bool = True) -> Any:
        if "tenant_id" in self.changed_data:            # typed, not proven: nobody has authorised this one
            self.instance.tenant_name = self.instance.authorised_by = ""
            self.instance.authorised_at = None
        return super().save(commit)

    def clean_deletion_guard_percent(self) -> int:
        share: int = self.cleaned_data["deletion_guard_percent"]
        if not 1 <= share <= 100:
            raise forms.ValidationError(gettext("Give a share from 1 to 100 percent."))
        return share


DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
CONTACTS = ("sync_contacts", "contact_direction", "match_by", "left_out_categories")
ACTIVITIES = ("sync_activities", "activity_direction", "attendees_future", "attendees_historic", "private_display",
              "mail_guard", "left_out_private", "left_out_domains")


@admin.register(SyncSettings)
class SyncSettingsAdmin(admin.ModelAdmin):
    """One row for each organisation; where there is only one, its page opens at once."""

    form = SettingsForm
    readonly_fields = ("overview", "authorise", "activated", "tenant", "tenant_name", "authorised_by", "authorised_at")
    actions = None

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        activated = ("activation_key", "activated") if activation.is_needed() else ()
        head = ("overview", *(() if one_organisation() else ("tenant",)), "enabled", *activated, "paused")
        sections: list[Any] = [(None, {"fields": head})]
        authorised = ("tenant_name", "authorised_by", "authorised_at") if obj and obj.authorised_at else ()
        microsoft = ("authorise", *authorised, "tenant_id")
        sections.append((_("Microsoft 365"), {"fields": microsoft}))
        sections.append((_("Users"), {"fields": ("users_may_edit",)}))
        offered = kinds_offered()
        if offered["contacts"]:
            sections.append((_("Contacts"), {"fields": CONTACTS}))
        if offered["events"] or offered["tasks"]:
            sections.append((_("Calendar and tasks"), {"fields": ACTIVITIES}))
        sections.append((_("When both sides disagree"), {"fields": (
            "conflict_rule", "microsoft_deletion", "deletion_guard_percent")}))
        return sections

    def get_list_display(self, request: HttpRequest) -> Any:
        return (*(() if one_organisation() else ("tenant",)), "__str__", "enabled", "paused", "tenant_name")

    @admin.display(description=_("overview"))
    def overview(self, row: SyncSettings) -> str:
        """How everything does, in two lines."""
        links = UserLink.objects.filter(tenant=row.tenant)
        connected = links.running().count()
        broken = links.filter(status="sign_in_again").count()
        syncing = ngettext("%(n)s user is syncing.", "%(n)s users are syncing.", connected) % {"n": connected}
        waiting = ngettext("%(n)s user must sign in again.", "%(n)s users must sign in again.", broken) % {"n": broken}
        stands_still = standstill(row)
        told = stands_still.sentence if stands_still else activation.warning(row)
        trouble = format_html("<strong>{}</strong><br>", told) if told else ""
        return format_html(
            '{}{} {}<br>{}<br><a href="{}">{}</a>', trouble, syncing, waiting if broken else "", heartbeat.sentence(),
            reverse("ms365:people"), gettext("Look at all users"))

    @admin.display(description=_("authorisation"))
    def authorise(self, row: SyncSettings) -> str:
        """The way to Microsoft's consent page (ORG-01). It is about the organisation that one works in."""
        request = getattr(row, "_viewer", None)
        if request is None or tenant_of(request) != row.tenant or not rights.is_administrator(request.user, row.tenant):
            return gettext("An administrator who works in this organisation can authorise it.")
        label = gettext("Authorise again") if row.authorised_at else gettext("Authorise")
        return format_html(
            '<a class="button" href="{}">{}</a><br><span class="help">{}</span>',
            reverse("ms365:authorise"), label, gettext(
                "Opens Microsoft's page on which an administrator of Microsoft 365 allows this CRM to sync for "
                "everybody, and then a sign-in that proves it. Save your changes here first."))

    @admin.display(description=_("activated for"))
    def activated(self, row: SyncSettings) -> str:
        """What the key says."""
        try:
            says = activation.read(row.activation_key)
        except Refused:
            return gettext("nobody yet")
        return gettext("%(organisation)s, %(users)s users, until %(day)s (%(used)s connected)") % {
            "organisation": says.organisation, "users": says.users,
            "day": date_format(says.expires), "used": activation.users_of(row, row.activation_key)}

    def get_queryset(self, request: HttpRequest) -> Any:
        return administered(super().get_queryset(request), request)

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        row = super().get_object(request, *args, **kwargs)
        if row is not None:
            row._viewer = request
        return row

    def save_model(self, request: HttpRequest, obj: SyncSettings, form: Any, change: bool) -> None:
        """Save; what was switched on starts at once, and belongs to this installation from now on (ORG-16)."""
        super().save_model(request, obj, form, change)
        if obj.enabled:
            installation.remember(obj)
            if {"enabled", "paused", "activation_key"} & set(form.changed_data):
                UserLink.objects.running().filter(tenant=obj.tenant, settings_saved_at__isnull=False).update(
                    due_at=timezone.now())

    # One row for one organisation: nothing to add, nothing to delete, and no list to click through.

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if one_organisation() and self.has_view_or_change_permission(request):
            row = SyncSettings.of("")
            return HttpResponseRedirect(reverse("admin:opencrm_ms365_syncsettings_change", args=[row.pk]))
        return super().changelist_view(request, extra_context)
