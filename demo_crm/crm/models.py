"""What this CRM keeps: contacts in folders, activities, and the teams that decide who sees what."""

from __future__ import annotations

import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, Q, Value
from django.urls import reverse
from django.utils import timezone

from .times import zone_named


class Team(models.Model):
    """People who see each other's records."""

    name = models.CharField(max_length=80, unique=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="teams", blank=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ContactFolder(models.Model):
    """A folder of contacts. A contact may be in several; the one with the lowest position comes first."""

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveIntegerField(default=0, help_text="Folders are listed by this number, then by name.")

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "folder"

    def __str__(self) -> str:
        return self.name


class RecordQuerySet(models.QuerySet[Any]):
    """What contacts and activities have in common: soft deletion, and who may see them."""

    def alive(self) -> RecordQuerySet:
        """Those that are not deleted."""
        return self.filter(deleted_at__isnull=True)

    def visible_to(self, user: Any) -> RecordQuerySet:
        """Those that `user` may see: their own and those of the members of their teams; superusers see all."""
        if user.is_superuser:
            return self
        if not user.is_authenticated:
            return self.none()
        colleagues = Team.members.through.objects.filter(team__members=user).values("user_id")
        return self.filter(Q(assigned_to=user) | Q(assigned_to__in=colleagues))

    def soft_delete(self, now: datetime.datetime) -> int:
        """Mark all of these as deleted; returns how many there were."""
        return self.alive().update(deleted_at=now, updated_at=now)


class Record(models.Model):
    """The columns that contacts and activities share. Deleted records keep their row, with `deleted_at` set."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True, db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False, db_index=True)

    objects = RecordQuerySet.as_manager()

    class Meta:
        abstract = True


class Contact(Record):
    """A person or a company that one deals with. Nothing is obligatory: Outlook's contacts may hold anything."""

    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    company = models.CharField(max_length=160, blank=True)
    job_title = models.CharField(max_length=120, blank=True)
    department = models.CharField(max_length=120, blank=True)
    email = models.EmailField("e-mail", blank=True, db_index=True)
    email2 = models.EmailField("second e-mail", blank=True)
    email3 = models.EmailField("third e-mail", blank=True)
    phone = models.CharField(max_length=60, blank=True)
    home_phone = models.CharField(max_length=60, blank=True)
    mobile = models.CharField(max_length=60, blank=True)
    street = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField("county or state", max_length=100, blank=True)
    postcode = models.CharField(max_length=30, blank=True)
    country = models.CharField(max_length=80, blank=True)
    website = models.CharField(max_length=255, blank=True)
    birthday = models.DateField(null=True, blank=True)
    notes = models.TextField(blank=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="contacts")
    folders = models.ManyToManyField(ContactFolder, related_name="contacts", blank=True)
    sync_to_microsoft = models.BooleanField("sync to Microsoft", default=True)

    class Meta:
        ordering = ["last_name", "first_name", "company", "pk"]
        indexes = [
            models.Index(fields=["last_name", "first_name"], name="crm_contact_name"),
            models.Index(fields=["company"], name="crm_contact_company"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.company or self.email or "Unnamed contact"

    def get_absolute_url(self) -> str:
        return reverse("crm:contact", args=[self.pk])

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def initials(self) -> str:
        words = self.full_name.split() or str(self).split()
        return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()

    @property
    def emails(self) -> list[str]:
        return [address for address in (self.email, self.email2, self.email3) if address]

    @property
    def address_lines(self) -> list[str]:
        town = " ".join(part for part in (self.city, self.postcode) if part)
        return [line for line in (self.street, town, self.state, self.country) if line]

    @property
    def website_url(self) -> str:
        """An address that is safe to link to, or an empty text."""
        if not self.website or " " in self.website:
            return ""
        if self.website.lower().startswith(("http://", "https://")):
            return self.website
        return "" if ":" in self.website.split("/")[0] else f"https://{self.website}"


def project_time_zone() -> str:
    return settings.TIME_ZONE


class OwnTaskList(models.Model):
    """A task list of the company's own. Tasks keep its `key`, so that it can be renamed."""

    key = models.SlugField(max_length=60, unique=True, help_text="Tasks refer to it; it must not change later.")
    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveIntegerField(default=0, help_text="Lists are shown by this number, then by name.")

    class Meta:
        ordering = ["position", "name"]
        verbose_name = "task list"

    def __str__(self) -> str:
        return self.name


class ActivityQuerySet(RecordQuerySet):
    """Who may see an activity, and what of it: private ones are for those who take part (PRIV-02)."""

    def visible_to(self, user: Any) -> ActivityQuerySet:
        """As for contacts, and besides those in which `user` takes part, whoever they are assigned to."""
        if not user.is_authenticated or user.is_superuser:
            return super().visible_to(user)                     # type: ignore[return-value]  # the same queryset class
        colleagues = Team.members.through.objects.filter(team__members=user).values("user_id")
        return self.filter(taking_part(user) | Q(assigned_to__in=colleagues))

    def in_full(self, user: Any) -> ActivityQuerySet:
        """Those that `user` may open, search, change and delete. Superusers have no special right to private ones."""
        return self.visible_to(user).filter(Q(private=False) | taking_part(user)).annotate(
            is_block=Value(False, BooleanField()))

    def for_viewer(self, user: Any, *, with_blocks: bool) -> ActivityQuerySet:
        """Those of which `user` sees anything. Of one with `is_block` they see the time and whose it is, no more."""
        if not with_blocks:
            return self.in_full(user)
        others_private = ExpressionWrapper(Q(private=True) & ~taking_part(user), output_field=BooleanField())
        return self.visible_to(user).annotate(is_block=others_private)


def taking_part(user: Any) -> Q:
    """Activities that are assigned to `user`, or have them among their users."""
    return Q(assigned_to=user.pk) | Q(pk__in=Activity.users.through.objects.filter(user=user.pk).values("activity_id"))


class Activity(Record):
    """A meeting, a call or a task.

    `start` and `end` are instants. Those of an all-day activity are local midnights in `time_zone`, and `end` is that
    of the last day itself: one day has both the same.
    """

    class Kind(models.TextChoices):
        MEETING = "meeting", "Meeting"
        CALL = "call", "Call"
        TASK = "task", "Task"

    class Status(models.TextChoices):
        NOT_STARTED = "not_started", "Not started"
        IN_PROGRESS = "in_progress", "In progress"
        ON_HOLD = "on_hold", "On hold"
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    class Priority(models.TextChoices):
        LOW = "low", "Low"
        MEDIUM = "medium", "Medium"
        IMPORTANT = "important", "Important"
        URGENT = "urgent", "Urgent"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.MEETING)
    subject = models.CharField(max_length=255, blank=True)
    notes = models.TextField(blank=True)
    location = models.CharField(max_length=255, blank=True)
    start = models.DateTimeField(null=True, blank=True, db_index=True)
    end = models.DateTimeField(null=True, blank=True)
    all_day = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=64, blank=True, default=project_time_zone)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.NOT_STARTED)
    private = models.BooleanField(default=False)
    priority = models.CharField(max_length=10, choices=Priority.choices, default=Priority.MEDIUM)
    task_list = models.CharField(
        max_length=200, blank=True, help_text="A list of the CRM's own, or `planner:PLAN/BUCKET`.")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="activities")
    users = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="shared_activities", blank=True)
    recurrence = models.CharField(
        max_length=500, blank=True, help_text="An RRULE (RFC 5545) on the first activity of a series.")
    series = models.CharField(
        max_length=200, blank=True, db_index=True, help_text="Ties the activities of a series; empty for single ones.")

    objects: ClassVar[Any] = ActivityQuerySet.as_manager()

    class Meta:
        ordering = ["start", "pk"]
        verbose_name_plural = "activities"
        indexes = [models.Index(fields=["kind", "start"], name="crm_activity_kind_start")]

    def __str__(self) -> str:
        """What ends up in histories, logs and error pages, where nobody asks who reads it: not what is private."""
        return f"Private {self.get_kind_display().lower()}" if self.private else self.title

    def get_absolute_url(self) -> str:
        return reverse("crm:activity", args=[self.pk])

    @property
    def title(self) -> str:
        """For pages that have made sure that the person may see it."""
        return self.subject or self.get_kind_display()

    @property
    def is_task(self) -> bool:
        return self.kind == self.Kind.TASK

    @property
    def is_closed(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.CANCELLED)

    @property
    def is_overdue(self) -> bool:
        """Of a task whose day is over."""
        if not self.is_task or self.is_closed or self.start is None:
            return False
        return timezone.localtime(self.start).date() < timezone.localdate()

    @property
    def zone(self) -> ZoneInfo:
        """The activity's own zone; the project's where it has none, or an unknown one."""
        return zone_named(self.time_zone) or ZoneInfo(settings.TIME_ZONE)

    @property
    def days(self) -> tuple[datetime.date, datetime.date] | None:
        """The first and the last day of an all-day activity, which do not depend on where one looks from."""
        if self.start is None:
            return None
        first = self.start.astimezone(self.zone).date()
        return first, max(first, self.end.astimezone(self.zone).date()) if self.end else first
