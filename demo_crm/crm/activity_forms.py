"""The forms of meetings, calls and tasks. Times are wall clock times in the activity's own zone."""

from __future__ import annotations

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone

from . import times
from .forms import Versioned, full_name, people_for
from .models import Activity
from .task_lists import grouped, task_lists

MEETING_KINDS = [choice for choice in Activity.Kind.choices if choice[0] != Activity.Kind.TASK]
HOUR = datetime.timedelta(hours=1)
START_OF_WORK = datetime.time(9)


def day_field(**options: Any) -> forms.DateField:
    return forms.DateField(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **options)


def time_field(**options: Any) -> forms.TimeField:
    return forms.TimeField(
        required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **options)


class _ActivityForm(Versioned):
    """What both forms share: people, privacy, and the way from wall clock times to instants."""

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self._offer_people(user)
        if not self.instance.pk:
            self.initial.setdefault("assigned_to", user.pk)
            self.fields["subject"].widget.attrs["autofocus"] = True
        self.fields["subject"].required = True

    def _offer_people(self, user: Any) -> None:
        owner: Any = self.fields["assigned_to"]
        owner.queryset = people_for(user, self.instance.assigned_to_id)
        owner.label_from_instance = full_name
        owner.required = not user.is_superuser
        owner.empty_label = "Nobody" if user.is_superuser else None
        users: Any = self.fields["users"]
        possible = Q(is_active=True)
        if self.instance.pk:
            possible |= Q(pk__in=self.instance.users.values("pk"))
        users.queryset = get_user_model()._default_manager.filter(possible).order_by("first_name", "username")
        users.label_from_instance = full_name
        users.required = False

    def zone_of(self, cleaned: dict[str, Any]) -> ZoneInfo:
        return times.zone_named(cleaned.get("time_zone") or "") or self.instance.zone

    def instant(self, name: str, day: datetime.date, clock: datetime.time, zone: ZoneInfo) -> datetime.datetime | None:
        """The instant; None, with an error at the field, where clocks never show that time."""
        if not times.exists(datetime.datetime.combine(day, clock, zone)):
            self.add_error(name, f"The clocks go forward on {times.day(day)}: there is no {clock:%H:%M} on that day.")
            return None
        return times.at(day, clock, zone)

    def clean_notes(self) -> str:
        return self.cleaned_data["notes"].replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            self.set_times(cleaned)
        self.check_version(cleaned)
        return cleaned

    def set_times(self, cleaned: dict[str, Any]) -> None:
        """Puts instants into the instance, or adds errors."""
        raise NotImplementedError


class MeetingForm(_ActivityForm):
    """A meeting or a call. Without an end it is open; all-day ones go from day to day."""

    start_day = day_field(label="Starts on")
    start_time = time_field(label="at")
    end_day = day_field(label="Ends on", required=False)
    end_time = time_field(label="at")
    time_zone = forms.ChoiceField(label="Time zone")

    class Meta:
        model = Activity
        fields = ["kind", "subject", "location", "all_day", "time_zone", "status", "private", "assigned_to", "users",
                  "notes"]
        widgets = {"users": forms.CheckboxSelectMultiple, "notes": forms.Textarea(attrs={"rows": 5}),
                   "kind": forms.RadioSelect, "subject": forms.TextInput(attrs={"autocomplete": "off"})}
        labels = {"all_day": "All day", "assigned_to": "Organised by"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A choice field.
        self.fields["kind"].choices = MEETING_KINDS                             # type: ignore[attr-defined]
        own = self.instance.zone.key if self.instance.pk else timezone.get_current_timezone_name()
        names = sorted({*times.all_zones(), own})
        # A choice field.
        self.fields["time_zone"].choices = [(name, name.replace("_", " ")) for name in names]  # type: ignore[attr-defined]
        self.initial["time_zone"] = own
        if self.instance.pk:
            self.initial |= self._stored_times()

    def _stored_times(self) -> dict[str, Any]:
        instance = self.instance
        if instance.start is None:
            return {}
        if instance.all_day:
            first, last = instance.days
            return {"start_day": first, "end_day": last}
        start = instance.start.astimezone(instance.zone)
        found: dict[str, Any] = {"start_day": start.date(), "start_time": start.time()}
        if instance.end:
            end = instance.end.astimezone(instance.zone)
            found |= {"end_day": end.date(), "end_time": end.time()}
        return found

    def set_times(self, cleaned: dict[str, Any]) -> None:
        zone = self.zone_of(cleaned)
        first, last = cleaned["start_day"], cleaned.get("end_day") or cleaned["start_day"]
        if cleaned["all_day"]:
            if last < first:
                self.add_error("end_day", "It cannot end before it starts.")
            self.instance.start, self.instance.end = times.midnight(first, zone), times.midnight(last, zone)
            return
        if cleaned.get("start_time") is None:
            self.add_error("start_time", "Enter the time at which it starts, or tick All day.")
            return
        start = self.instant("start_time", first, cleaned["start_time"], zone)
        end = None
        if cleaned.get("end_time") is not None:
            end = self.instant("end_time", last, cleaned["end_time"], zone)
        elif last != first:
            self.add_error("end_time", "Enter the time at which it ends, or clear the day.")
        if start and end and end < start:
            self.add_error("end_time", "It cannot end before it starts.")
        self.instance.start, self.instance.end = start, end


class TaskForm(_ActivityForm):
    """A task. Its start is the day on which it is due in Planner (TASK-07)."""

    start_day = day_field(label="Start", required=False)
    start_time = time_field(label="at")

    class Meta:
        model = Activity
        fields = ["subject", "task_list", "status", "priority", "private", "assigned_to", "users", "notes"]
        widgets = {"users": forms.CheckboxSelectMultiple, "notes": forms.Textarea(attrs={"rows": 5}),
                   "subject": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = Activity.Kind.TASK
        if not self.instance.pk:
            self.instance.time_zone = timezone.get_current_timezone_name()
        elif self.instance.start:
            start = self.instance.start.astimezone(self.instance.zone)
            self.initial |= {"start_day": start.date(), "start_time": start.time()}
        self.fields["task_list"] = forms.ChoiceField(
            label="Task list", required=False, help_text="Where the task stands in the CRM, and in Planner.",
            choices=grouped(task_lists(self.user), self.instance.task_list))

    def set_times(self, cleaned: dict[str, Any]) -> None:
        day = cleaned.get("start_day")
        if day is None:
            if cleaned.get("start_time") is not None:
                self.add_error("start_day", "Enter the day as well, or clear the time.")
            self.instance.start = None
        else:
            clock = cleaned.get("start_time") or START_OF_WORK
            self.instance.start = self.instant("start_time", day, clock, self.zone_of(cleaned))


def proposed_times(wanted: dict[str, str]) -> dict[str, Any]:
    """What a new form begins with: what was clicked in the calendar, else the next full hour.

    `wanted` are the address's `start` and `end`, wall clock times such as `2026-11-23T09:00`, or days; what cannot be
    understood counts as nothing.
    """
    start, end = _moment(wanted.get("start", "")), _moment(wanted.get("end", ""))
    if isinstance(start, datetime.datetime):
        end = end if isinstance(end, datetime.datetime) and end >= start else start + HOUR
        return {"start_day": start.date(), "start_time": start.time(), "end_day": end.date(), "end_time": end.time()}
    if start is not None:
        last = end if end is not None and not isinstance(end, datetime.datetime) and end >= start else start
        return {"start_day": start, "end_day": last, "all_day": True}
    soon = times.next_hour(timezone.localtime())
    later = soon + HOUR
    return {"start_day": soon.date(), "start_time": soon.time(), "end_day": later.date(), "end_time": later.time()}


def _moment(text: str) -> datetime.datetime | datetime.date | None:
    try:
        if len(text) == len("2026-11-23"):
            return datetime.date.fromisoformat(text)
        return datetime.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None
