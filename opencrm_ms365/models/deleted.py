"""What the sync deleted in the CRM because it was deleted in Microsoft, so that a person can undo it (ORG-12)."""

from __future__ import annotations

import datetime

from django.conf import settings as django_settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..conf import settings
from .link import UserLink


class DeletedRecordQuerySet(models.QuerySet["DeletedRecord"]):
    def undoable(self, now: datetime.datetime | None = None) -> DeletedRecordQuerySet:
        """Deletions that nobody has undone and whose time is not over."""
        since = (now or timezone.now()) - datetime.timedelta(days=settings.RETENTION_DAYS)
        return self.filter(undone_at__isnull=True, at__gt=since)


class DeletedRecord(models.Model):
    """One deletion. `contents` (the record's name and what it held) is encrypted.

    The CRM's own row is still there, marked as deleted: undoing takes the mark away.
    """

    link = models.ForeignKey(UserLink, models.CASCADE, related_name="deleted")
    tenant = models.CharField(max_length=200, default="", blank=True)
    kind = models.CharField(max_length=20)
    adapter = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    contents = models.BinaryField(editable=False)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        django_settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = DeletedRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("deleted record")
        verbose_name_plural = _("deleted records")
        indexes = [models.Index(fields=["link", "-at"], name="ms365_deleted_recent")]

    def __str__(self) -> str:
        return f"{self.kind} {self.adapter}:{self.object_id}"
