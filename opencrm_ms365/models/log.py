"""What the screens show: runs, problems, conflicts, and what waits for a person."""

from __future__ import annotations

from django.conf import settings as django_settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .link import UserLink


class Trigger(models.TextChoices):
    SCHEDULE = "schedule", _("Every few minutes")
    MANUAL = "manual", _("Sync now")
    COMMAND = "command", _("Command")
    NOTIFICATION = "notification", _("Microsoft's notification")
    PREVIEW = "preview", _("Preview")


class RunState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    PARTLY = "partly", _("Done with problems")
    FAILED = "failed", _("Failed")


class SyncRun(models.Model):
    """One cycle or preview of one link. `counts` has the shape of the command's `kinds` object.

    `operations` (previews only) is encrypted: a list of what would be done, with the names of records.
    """

    link = models.ForeignKey(UserLink, models.CASCADE, related_name="runs")
    tenant = models.CharField(max_length=200, default="", blank=True)
    trigger = models.CharField(max_length=20, choices=Trigger.choices, default=Trigger.SCHEDULE)
    state = models.CharField(max_length=20, choices=RunState.choices, default=RunState.QUEUED)
    requested_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    queued_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    progress = models.JSONField(default=dict, blank=True)
    requests = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True, default="")
    operations = models.BinaryField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        indexes = [models.Index(fields=["link", "-queued_at"], name="ms365_run_recent")]

    def __str__(self) -> str:
        return f"run {self.pk}"

    @property
    def is_preview(self) -> bool:
        return self.trigger == Trigger.PREVIEW


class SyncProblem(models.Model):
    """Why one record is not synced, in a sentence for people that names no contents (SYNC-03).

    `key` tells the same problem from another: a second occurrence counts up instead of making a second row.
    """

    link = models.ForeignKey(UserLink, models.CASCADE, related_name="problems")
    tenant = models.CharField(max_length=200, default="", blank=True)
    kind = models.CharField(max_length=20)
    adapter = models.CharField(max_length=100, blank=True, default="")
    object_id = models.CharField(max_length=255, blank=True, default="")
    graph_id = models.CharField(max_length=512, blank=True, default="")
    code = models.CharField(max_length=40)
    key = models.CharField(max_length=64)
    reason = models.TextField()
    request_id = models.CharField(max_length=64, blank=True, default="")
    is_warning = models.BooleanField(default=False)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    next_try_at = models.DateTimeField(null=True, blank=True)
    ignored = models.BooleanField(default=False)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("problem")
        verbose_name_plural = _("problems")
        constraints = [
            models.UniqueConstraint(
                fields=["link", "key"], condition=Q(resolved_at__isnull=True), name="ms365_problem_once"
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Conflict(models.Model):
    """Both sides changed one field (ORG-09). Both values are kept, encrypted, so that a person can take the other."""

    link = models.ForeignKey(UserLink, models.CASCADE, related_name="conflicts")
    tenant = models.CharField(max_length=200, default="", blank=True)
    kind = models.CharField(max_length=20)
    adapter = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    graph_id = models.CharField(max_length=512, blank=True, default="")
    field = models.CharField(max_length=64)
    key = models.CharField(max_length=40, blank=True, default="")
    values = models.BinaryField(null=True, blank=True, editable=False)
    winner = models.CharField(max_length=20)
    at = models.DateTimeField()
    taken_other_at = models.DateTimeField(null=True, blank=True)
    taken_other_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("conflict")
        verbose_name_plural = _("conflicts")
        indexes = [
            models.Index(fields=["link", "-at"], name="ms365_conflict_recent"),
            models.Index(fields=["link", "key"], name="ms365_conflict_key"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.field}"


class HeldDecision(models.Model):
    """What waits for a person: a guard that stopped deletions, or a match that is not clear (ORG-08, ORG-13)."""

    class Reason(models.TextChoices):
        DELETION_GUARD = "deletion_guard", _("Many deletions at once")
        VANISHED = "vanished", _("The CRM shows far fewer records than before")
        AMBIGUOUS = "ambiguous", _("Several records match")
        MAIL_GUARD = "mail_guard", _("Many people would get mail")

    class State(models.TextChoices):
        OPEN = "open", _("Waiting")
        CONFIRMED = "confirmed", _("Confirmed")
        DISMISSED = "dismissed", _("Dismissed")
        DONE = "done", _("Done")

    link = models.ForeignKey(UserLink, models.CASCADE, related_name="held")
    tenant = models.CharField(max_length=200, default="", blank=True)
    kind = models.CharField(max_length=20)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    state = models.CharField(max_length=20, choices=State.choices, default=State.OPEN)
    key = models.CharField(max_length=64)
    summary = models.JSONField(default=dict, blank=True)
    details = models.BinaryField(null=True, blank=True, editable=False)
    choice = models.CharField(max_length=300, blank=True, default="")
    at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        verbose_name = _("decision to take")
        verbose_name_plural = _("decisions to take")
        constraints = [
            models.UniqueConstraint(
                fields=["link", "key"], condition=Q(state__in=["open", "confirmed"]), name="ms365_held_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.reason}"
