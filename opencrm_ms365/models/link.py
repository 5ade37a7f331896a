"""One CRM user's connection to one Microsoft account, with the user's settings, cursors and lease."""

from __future__ import annotations

import datetime

from django.conf import settings as django_settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .organisation import Direction, new_digest_key


class LinkStatus(models.TextChoices):
    AWAITING_SETTINGS = "awaiting_settings", _("Waiting for settings")
    CONNECTED = "connected", _("Connected")
    SIGN_IN_AGAIN = "sign_in_again", _("Sign in again")
    NO_MAILBOX = "no_mailbox", _("No mailbox")
    DISCONNECTED = "disconnected", _("Disconnected")


#: A link that has, or could soon have, its account's tokens.
HOLDS_ACCOUNT = (LinkStatus.AWAITING_SETTINGS, LinkStatus.CONNECTED, LinkStatus.SIGN_IN_AGAIN, LinkStatus.NO_MAILBOX)


class UserLinkQuerySet(models.QuerySet["UserLink"]):
    def running(self) -> UserLinkQuerySet:
        """Links that may sync at all: connected, switched on, not paused. The organisation has a say besides."""
        return self.filter(status=LinkStatus.CONNECTED, enabled=True, paused=False)

    def due(self, now: datetime.datetime) -> UserLinkQuerySet:
        """Running links whose turn it is and that nobody works on, the longest-waiting first."""
        return (
            self.running()
            .filter(due_at__lte=now)
            .filter(Q(lease_until__isnull=True) | Q(lease_until__lt=now))
            .filter(Q(not_before__isnull=True) | Q(not_before__lte=now))
            .order_by("due_at", "pk")
        )


class UserLink(models.Model):
    """A CRM user's link.

    `status` says whether Microsoft lets us in; `paused` and `enabled` are decisions of people and stand apart from it.
    All times are UTC instants. `due_at` is when the next cycle is wanted (None: nothing is wanted), `not_before` how
    long Microsoft asked us to stay away. `status_reason` of a connected link says why Microsoft refused it last, as one
    of a whole organisation that it refuses; empty: it did not.
    """

    tenant = models.CharField(max_length=200, default="", blank=True)
    user = models.ForeignKey(django_settings.AUTH_USER_MODEL, models.CASCADE, related_name="ms365_links")
    microsoft_tenant_id = models.CharField(max_length=64, blank=True, default="")
    microsoft_user_id = models.CharField(max_length=64, blank=True, default="")
    account = models.CharField(_("account"), max_length=320, blank=True, default="")
    account_name = models.CharField(_("account name"), max_length=255, blank=True, default="")
    status = models.CharField(max_length=20, choices=LinkStatus.choices, default=LinkStatus.AWAITING_SETTINGS)
    status_reason = models.TextField(blank=True, default="")
    status_since = models.DateTimeField(null=True, blank=True)
    paused = models.BooleanField(_("paused"), default=False)
    enabled = models.BooleanField(_("switched on by the administrator"), default=True)
    connected_at = models.DateTimeField(null=True, blank=True)

    token_cache = models.BinaryField(null=True, blank=True, editable=False)
    token_version = models.PositiveIntegerField(default=0, editable=False)
    token_lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    sign_in_claims = models.TextField(blank=True, default="", editable=False)

    sync_contacts = models.BooleanField(default=True)
    sync_calendar = models.BooleanField(default=True)
    sync_tasks = models.BooleanField(default=True)
    contact_direction = models.CharField(max_length=20, choices=Direction.choices, null=True, blank=True)
    activity_direction = models.CharField(max_length=20, choices=Direction.choices, null=True, blank=True)
    only_my_items = models.BooleanField(default=True)
    crm_folders = models.JSONField(null=True, blank=True)
    microsoft_folders = models.JSONField(null=True, blank=True)
    calendar = models.CharField(max_length=512, null=True, blank=True)
    task_lists = models.JSONField(null=True, blank=True)
    default_task_list = models.CharField(max_length=200, null=True, blank=True)
    task_start_time = models.TimeField(default=datetime.time(9, 0))
    time_zone = models.CharField(max_length=64, blank=True, default="")
    settings_saved_at = models.DateTimeField(null=True, blank=True)

    digest_key = models.BinaryField(default=new_digest_key, editable=False)
    cursors = models.JSONField(default=dict, blank=True, editable=False)
    progress = models.JSONField(default=dict, blank=True, editable=False)
    applied_scope = models.JSONField(default=dict, blank=True, editable=False)

    due_at = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=200, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    last_run_at = models.DateTimeField(null=True, blank=True)
    next_run_at = models.DateTimeField(null=True, blank=True)

    objects = UserLinkQuerySet.as_manager()

    class Meta:
        verbose_name = _("user link")
        verbose_name_plural = _("user links")
        constraints = [
            models.UniqueConstraint("tenant", "user", name="ms365_link_one_for_user"),
            models.UniqueConstraint(
                "tenant",
                "microsoft_tenant_id",
                "microsoft_user_id",
                condition=~Q(microsoft_user_id=""),
                name="ms365_link_one_for_account",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="ms365_link_due")]

    def __str__(self) -> str:
        return f"link {self.pk}"

    def set_status(self, status: str, reason: str = "", *, now: datetime.datetime) -> None:
        """Change the status and save only that; `reason` is a sentence for people."""
        if status != self.status:
            self.status_since = now
        self.status, self.status_reason = status, reason
        self.save(update_fields=["status", "status_reason", "status_since"])
