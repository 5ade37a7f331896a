"""What the organisation's administrator decides (ORG). One row for each organisation."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_digest_key() -> bytes:
    return secrets.token_bytes(16)


class Direction(models.TextChoices):
    BOTH = "both", _("Both ways")
    TO_MICROSOFT = "to_microsoft", _("CRM to Microsoft")
    TO_CRM = "to_crm", _("Microsoft to CRM")


class ConflictRule(models.TextChoices):
    CRM = "crm", _("The CRM wins")
    MICROSOFT = "microsoft", _("Microsoft wins")
    LATEST = "latest", _("The latest change wins")


class PrivateDisplay(models.TextChoices):
    HIDDEN = "hidden", _("Hidden")
    BUSY = "busy", _("Shown as a block called Private")


class MicrosoftDeletion(models.TextChoices):
    RESTORE = "restore", _("Restore it in Microsoft")
    UNLINK = "unlink", _("Keep it in the CRM and stop syncing it")
    DELETE = "delete", _("Delete it in the CRM, with 30 days to undo")


class AccessProblem(models.TextChoices):
    """Why Microsoft lets nobody of the organisation in; each with another person who can mend it (USER-06)."""

    CONSENT = "consent", _("The administrator must authorise again")
    CLIENT = "client", _("The app's secret or certificate is refused")


MATCH_RULES = ("email", "name_company", "phone")


def default_match_by() -> list[str]:
    return ["email", "name_company"]


class SyncSettings(models.Model):
    """The organisation's settings. `tenant` is the CRM's own key for it; empty where there is only one.

    `access_problem` holds while Microsoft refuses the whole organisation, `access_retry_at` (UTC) is when one link may
    try whether that is over. `installation_fingerprint` names the installation that syncs (ORG-16); empty: none yet.
    `digest_key` is for digests of what belongs to no single link: tasks.
    """

    tenant = models.CharField(_("organisation"), max_length=200, default="", blank=True, unique=True)
    enabled = models.BooleanField(_("enabled"), default=False)
    activation_key = models.TextField(_("activation key"), blank=True, default="")
    tenant_id = models.CharField(_("Microsoft tenant id"), max_length=64, blank=True, default="")
    tenant_name = models.CharField(_("Microsoft tenant"), max_length=255, blank=True, default="")
    authorised_by = models.CharField(_("authorised by"), max_length=255, blank=True, default="")
    authorised_at = models.DateTimeField(_("authorised at"), null=True, blank=True)
    sync_contacts = models.BooleanField(_("sync contacts"), default=True)
    sync_activities = models.BooleanField(_("sync calendar and tasks"), default=True)
    contact_direction = models.CharField(
        _("direction of contacts"), max_length=20, choices=Direction.choices, default=Direction.BOTH
    )
    activity_direction = models.CharField(
        _("direction of calendar and tasks"), max_length=20, choices=Direction.choices, default=Direction.BOTH
    )
    users_may_edit = models.BooleanField(_("users edit their own settings"), default=True)
    match_by = models.JSONField(_("match contacts by"), default=default_match_by, blank=True)
    left_out_categories = models.JSONField(
        _("contacts and events with these Outlook categories are left out"), default=list, blank=True
    )
    left_out_private = models.BooleanField(_("private events are left out"), default=False)
    left_out_domains = models.JSONField(_("attendees of these mail domains are left out"), default=list, blank=True)
    conflict_rule = models.CharField(
        _("when both sides changed the same field"),
        max_length=20,
        choices=ConflictRule.choices,
        default=ConflictRule.CRM,
    )
    attendees_historic = models.BooleanField(_("add attendees to historic meetings"), default=False)
    attendees_future = models.BooleanField(_("add attendees to future meetings"), default=False)
    private_display = models.CharField(
        _("private activities of others"), max_length=20, choices=PrivateDisplay.choices, default=PrivateDisplay.HIDDEN
    )
    microsoft_deletion = models.CharField(
        _("when a record is deleted in Microsoft"),
        max_length=20,
        choices=MicrosoftDeletion.choices,
        default=MicrosoftDeletion.RESTORE,
    )
    deletion_guard_percent = models.PositiveSmallIntegerField(_("deletion guard (percent)"), default=20)
    mail_guard = models.PositiveIntegerField(_("mail guard (people)"), null=True, blank=True)
    paused = models.BooleanField(_("paused"), default=False)
    installation_fingerprint = models.CharField(max_length=255, blank=True, default="", editable=False)
    access_problem = models.CharField(
        max_length=20, choices=AccessProblem.choices, blank=True, default="", editable=False
    )
    access_problem_reason = models.TextField(blank=True, default="", editable=False)
    access_problem_since = models.DateTimeField(null=True, blank=True, editable=False)
    access_retry_at = models.DateTimeField(null=True, blank=True, editable=False)
    digest_key = models.BinaryField(default=new_digest_key, editable=False)

    class Meta:
        verbose_name = _("Microsoft 365 sync settings")
        verbose_name_plural = _("Microsoft 365 sync settings")

    def __str__(self) -> str:
        return self.tenant or str(_("Microsoft 365 sync settings"))

    @classmethod
    def of(cls, tenant: str = "") -> SyncSettings:
        """The row of an organisation, made with its defaults where it is missing."""
        return cls.objects.get_or_create(tenant=tenant)[0]
