"""What the CRM has no column for (`Stored()` values), and hints that a CRM record may have changed."""

from __future__ import annotations

from django.db import models


class StoredValue(models.Model):
    """One value that an adapter keeps here instead of in a column of the CRM's."""

    tenant = models.CharField(max_length=200, default="", blank=True)
    adapter = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    name = models.CharField(max_length=64)
    value = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "adapter", "object_id", "name"], name="ms365_stored_once"),
        ]

    def __str__(self) -> str:
        return f"{self.adapter}:{self.object_id} {self.name}"


class CrmTouch(models.Model):
    """A hint that a CRM record may have changed without its modification stamp moving, such as a changed folder.

    Only narrows the search: losing one costs time until the daily full pass, an extra one costs one reading.
    """

    adapter = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["adapter", "object_id"], name="ms365_touch_once")]
        indexes = [models.Index(fields=["adapter", "at"], name="ms365_touch_recent")]

    def __str__(self) -> str:
        return f"{self.adapter}:{self.object_id}"
