"""The form of a user's settings (USER-05), with the guidance that stands beside each of them (ORG-18)."""

from __future__ import annotations

import functools
import zoneinfo
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from .access.user_settings import allowed_directions
from .models import Direction, SyncSettings, UserLink

ALL, CHOSEN = "all", "chosen"
GONE = _("A folder that is no longer there")
GONE_CALENDAR = _("A calendar that is no longer there")


@functools.lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    return tuple(sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone and not zone.startswith("Etc/")))


class SettingsForm(forms.Form):
    """Only what this CRM has and the organisation has switched on is asked for; `values` has only that.

    `microsoft_folders`, `calendars` and `crm_folders` are the choices; None for one of Microsoft's: it did not answer,
    and the stored choice stays as it is.
    """

    sync_contacts = forms.BooleanField(
        label=_("Sync my contacts"), required=False,
        help_text=_("Contacts in the CRM and in Outlook are kept the same."))
    contact_direction = forms.ChoiceField(
        label=_("Direction"), required=False,
        help_text=_("Both ways: what you create or edit on either side reaches the other. One way: changes made on the "
                    "receiving side stay there."))
    only_my_items = forms.BooleanField(
        label=_("Only my items"), required=False,
        help_text=_("Only contacts that are assigned to you in the CRM go to Outlook. If one is reassigned to somebody "
                    "else, it is removed from your Outlook; the CRM keeps it."))
    crm_folders_which = forms.ChoiceField(label=_("Folders in the CRM"), required=False, widget=forms.RadioSelect,
                                          choices=[(ALL, _("All folders")), (CHOSEN, _("Only these:"))])
    crm_folders = forms.MultipleChoiceField(label=_("Chosen folders in the CRM"), required=False,
                                            widget=forms.CheckboxSelectMultiple)
    microsoft_folders_which = forms.ChoiceField(label=_("Folders in Outlook"), required=False, widget=forms.RadioSelect,
                                                choices=[(ALL, _("All folders")), (CHOSEN, _("Only these:"))])
    microsoft_folders = forms.MultipleChoiceField(label=_("Chosen folders in Outlook"), required=False,
                                                  widget=forms.CheckboxSelectMultiple)
    sync_calendar = forms.BooleanField(
        label=_("Sync my calendar"), required=False,
        help_text=_("Meetings and calls in the CRM and events in Outlook are kept the same."))
    calendar = forms.ChoiceField(
        label=_("Calendar"), required=False,
        help_text=_("New meetings go into this calendar of your Outlook, and events in it come into the CRM. Events "
                    "that are in sync already stay where they are."))
    sync_tasks = forms.BooleanField(
        label=_("Sync my tasks"), required=False,
        help_text=_("Tasks in the CRM and in Planner are kept the same."))
    activity_direction = forms.ChoiceField(label=_("Direction of calendar and tasks"), required=False)
    task_start_time = forms.TimeField(
        label=_("Start time of tasks"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Planner knows only the day of a task. This is the time of day it gets in the CRM."))
    time_zone = forms.CharField(
        label=_("Time zone"), required=False, max_length=64,
        widget=forms.TextInput(attrs={"list": "ms365-zones", "autocomplete": "off"}),
        help_text=_("Leave it empty to use the CRM's own time zone."))

    def __init__(self, *args: Any, link: UserLink, organisation: SyncSettings, offered: dict[str, bool],
                 crm_folders: list[tuple[str, str]], microsoft_folders: list[tuple[str, str]] | None,
                 has_owner: bool, may_edit: bool, calendars: list[tuple[str, str]] | None = None,
                 **kwargs: Any) -> None:
        self.link = link
        self.microsoft_answered = microsoft_folders is not None
        kwargs["initial"] = _initial(link)
        super().__init__(*args, **kwargs)
        self._offer_contacts(organisation, offered, crm_folders, microsoft_folders, has_owner)
        self._offer_activities(organisation, offered)
        self._offer_calendars(calendars)
        for field in self.fields.values():
            field.disabled = field.disabled or not may_edit

    def _offer_contacts(self, organisation: SyncSettings, offered: dict[str, bool], crm_folders: list[tuple[str, str]],
                        microsoft_folders: list[tuple[str, str]] | None, has_owner: bool) -> None:
        if not (offered["contacts"] and organisation.sync_contacts):
            self._leave_out("sync_contacts", "contact_direction", "only_my_items", "crm_folders_which", "crm_folders",
                            "microsoft_folders_which", "microsoft_folders")
            return
        self._directions("contact_direction", organisation.contact_direction)
        if not has_owner:
            self._leave_out("only_my_items")
        if crm_folders:
            self._choices("crm_folders", crm_folders, self.link.crm_folders)
        else:
            self._leave_out("crm_folders_which", "crm_folders")
        if microsoft_folders is None:
            self._leave_out("microsoft_folders_which", "microsoft_folders")
        else:
            self._choices("microsoft_folders", microsoft_folders, self.link.microsoft_folders)

    def _offer_activities(self, organisation: SyncSettings, offered: dict[str, bool]) -> None:
        calendar, tasks = (offered[kind] and organisation.sync_activities for kind in ("events", "tasks"))
        if not calendar:
            self._leave_out("sync_calendar")
        if not tasks:
            self._leave_out("sync_tasks", "task_start_time")
        if calendar or tasks:
            self._directions("activity_direction", organisation.activity_direction)
        else:
            self._leave_out("activity_direction", "time_zone")

    def _offer_calendars(self, calendars: list[tuple[str, str]] | None) -> None:
        """None: Microsoft did not answer, and the stored choice stays as it is."""
        if calendars is None or "sync_calendar" not in self.fields:
            self._leave_out("calendar")
            return
        field = self.fields["calendar"]
        assert isinstance(field, forms.ChoiceField)
        stored = self.link.calendar
        gone = [(stored, GONE_CALENDAR)] if stored and stored not in dict(calendars) else []
        field.choices = [("", _("The default calendar")), *calendars, *gone]

    def _leave_out(self, *names: str) -> None:
        for name in names:
            del self.fields[name]

    def _directions(self, name: str, organisation: str) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        default = format_lazy(_("As the organisation has it ({direction})"), direction=Direction(organisation).label)
        narrower = [value for value in allowed_directions(organisation) if value != organisation]
        field.choices = [("", default), *((value, Direction(value).label) for value in narrower)]
        if getattr(self.link, name) not in narrower:
            self.initial[name] = ""

    def _choices(self, name: str, choices: list[tuple[str, str]], stored: list[str] | None) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)
        known = {key for key, _name in choices}
        field.choices = [*choices, *((key, GONE) for key in stored or () if key not in known)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("crm_folders", "microsoft_folders"):
            if name in self.fields and cleaned.get(f"{name}_which") == CHOSEN and not cleaned.get(name):
                self.add_error(name, _("Choose at least one folder, or choose all folders."))
        if self.fields.get("task_start_time") and not cleaned.get("task_start_time"):
            cleaned["task_start_time"] = self.link.task_start_time
        return cleaned

    @property
    def values(self) -> dict[str, Any]:
        """What the form says, by the names that `save_settings` knows."""
        values: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if name.endswith("_which"):
                continue
            if name in ("crm_folders", "microsoft_folders"):
                value = value if self.cleaned_data.get(f"{name}_which") == CHOSEN else None
            values[name] = (value or None) if name.endswith("_direction") or name == "calendar" else value
        return values


def _initial(link: UserLink) -> dict[str, Any]:
    names = ("sync_contacts", "only_my_items", "sync_calendar", "sync_tasks", "contact_direction", "activity_direction",
             "crm_folders", "microsoft_folders", "calendar", "task_start_time", "time_zone")
    initial = {name: getattr(link, name) for name in names}
    for name in ("crm_folders", "microsoft_folders"):
        initial[f"{name}_which"] = ALL if initial[name] is None else CHOSEN
    return initial
