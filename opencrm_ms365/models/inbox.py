"""What Microsoft reported and nobody has worked through yet.

A page of Microsoft's changes and the cursor behind it are stored in one transaction; the work is done from here, in
chunks, and can stop and go on at any instant. The contents are encrypted and go as soon as the item is worked through.
What stays in Microsoft without a partner in the CRM is remembered with its matching keys (digests) and no contents.
"""

from __future__ import annotations

from django.db import models

from .link import UserLink


class InboxState(models.TextChoices):
    WAITING = "waiting", "to be worked through"
    UNPAIRED = "unpaired", "stays in Microsoft only"
    HELD = "held", "waits for a person"


class InboxItem(models.Model):
    """One Microsoft record. `preview` is the id of the preview run it was read for; empty for the sync itself."""

    link = models.ForeignKey(UserLink, models.CASCADE, related_name="inbox")
    kind = models.CharField(max_length=20)
    preview = models.CharField(max_length=40, blank=True, default="")
    graph_id = models.CharField(max_length=512)
    folder = models.CharField(max_length=512, blank=True, default="")
    etag = models.CharField(max_length=255, blank=True, default="")
    marker = models.CharField(max_length=255, blank=True, default="")
    payload = models.BinaryField(null=True, blank=True)
    created_in_microsoft = models.DateTimeField(null=True, blank=True)
    changed_in_microsoft = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=20, choices=InboxState.choices, default=InboxState.WAITING)
    reason = models.CharField(max_length=40, blank=True, default="")
    pulled_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "kind", "preview", "graph_id"], name="ms365_inbox_one_for_item"),
        ]
        indexes = [models.Index(fields=["link", "kind", "preview", "state"], name="ms365_inbox_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"


class InboxKey(models.Model):
    """One matching key (ORG-08) of an item that has no partner yet: `rule` and a keyed digest of the value."""

    item = models.ForeignKey(InboxItem, models.CASCADE, related_name="keys")
    rule = models.CharField(max_length=20)
    key = models.CharField(max_length=40)

    class Meta:
        indexes = [models.Index(fields=["key", "rule"], name="ms365_inbox_key")]

    def __str__(self) -> str:
        return self.rule
