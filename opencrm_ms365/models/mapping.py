"""Which record here is which record there, and what both looked like when they last agreed."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .link import UserLink


class MappingState(models.TextChoices):
    INTENDED = "intended", _("Being created in Microsoft")
    LINKED = "linked", _("In sync")
    RELEASED = "released", _("No longer synced")


class RecordMapping(models.Model):
    """One CRM record and one Microsoft record of one link.

    `crm_digests` and `microsoft_digests` map field names to keyed digests of what each side held when both were last
    seen in agreement; they differ where one side cannot hold all (CON-10). `pending` holds the digests of what is
    about to be written to Microsoft, committed before it is sent, so that a lost answer is recognised as our own echo.
    `marker` is the identity left on the Microsoft record (SYNC-09). `gone_since` is set when Microsoft reported the
    record as removed and nobody has confirmed it yet (SYNC-08). `in_scope` is false for links that only take in
    (CON-05). `starts_at` and `ends_at` are those of an event when it last synced (UTC; midnights for whole days),
    `role` is what it is to the activity (`reconcile.meetings.Role`). `intended_at` is set while a creation may be under
    way in Microsoft, `repeated_at` when one was sent again because its answer was lost: a twin may appear (I-1).
    `released_by` says why a released mapping was released, and so what may revive it.

    Tasks belong to plans, not to links: their `link` is None, `folder` is the plan and `marker` the directory id of the
    account that sent the creation. `people` are those of both sides when they last agreed (ids only), `details_at` is
    when the details were read (TASK-09), `starts_at` the start in the CRM.
    """

    link = models.ForeignKey(UserLink, models.CASCADE, related_name="mappings", null=True, blank=True)
    tenant = models.CharField(max_length=200, default="", blank=True)
    kind = models.CharField(max_length=20)
    adapter = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    graph_id = models.CharField(max_length=512, null=True, blank=True)
    folder = models.CharField(max_length=512, blank=True, default="")
    crm_folder = models.CharField(max_length=255, blank=True, default="")
    etag = models.CharField(max_length=255, blank=True, default="")
    marker = models.CharField(max_length=64, blank=True, default="")
    marked = models.BooleanField(default=False)
    role = models.CharField(max_length=20, blank=True, default="")
    series_key = models.CharField(max_length=512, blank=True, default="")
    occurrence = models.CharField(max_length=64, blank=True, default="")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)

    state = models.CharField(max_length=20, choices=MappingState.choices, default=MappingState.LINKED)
    released_by = models.CharField(max_length=30, blank=True, default="")
    in_scope = models.BooleanField(default=True)
    crm_digests = models.JSONField(default=dict, blank=True)
    microsoft_digests = models.JSONField(default=dict, blank=True)
    pending = models.JSONField(null=True, blank=True)
    people = models.JSONField(null=True, blank=True)
    details_at = models.DateTimeField(null=True, blank=True)
    gone_since = models.DateTimeField(null=True, blank=True)
    seen_round = models.CharField(max_length=40, blank=True, default="")

    intended_at = models.DateTimeField(null=True, blank=True)
    repeated_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    failure = models.TextField(blank=True, default="")

    linked_at = models.DateTimeField(null=True, blank=True)
    synced_at = models.DateTimeField(null=True, blank=True)
    last_change_from = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        verbose_name = _("record mapping")
        verbose_name_plural = _("record mappings")
        constraints = [
            models.UniqueConstraint(
                fields=["link", "kind", "adapter", "object_id"], name="ms365_mapping_one_for_record"
            ),
            models.UniqueConstraint(
                fields=["link", "kind", "graph_id"],
                condition=Q(graph_id__isnull=False),
                name="ms365_mapping_one_for_item",
            ),
            models.UniqueConstraint(
                fields=["tenant", "kind", "adapter", "object_id"],
                condition=Q(link__isnull=True),
                name="ms365_shared_mapping_for_record",
            ),
            models.UniqueConstraint(
                fields=["tenant", "kind", "graph_id"],
                condition=Q(link__isnull=True, graph_id__isnull=False),
                name="ms365_shared_mapping_for_item",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "adapter", "object_id"], name="ms365_mapping_record"),
            models.Index(fields=["link", "kind", "state"], name="ms365_mapping_state"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.adapter}:{self.object_id}"


class SharedRecord(models.Model):
    """The identity of something that more than one link can bring in. Whoever makes the CRM record claims it first.

    `identity` is a keyed digest of a contact's strongest matching key, a meeting's iCalUId, a Planner task's id.
    """

    tenant = models.CharField(max_length=200, default="", blank=True)
    kind = models.CharField(max_length=20)
    identity = models.CharField(max_length=512)
    adapter = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    claimed_by = models.ForeignKey(UserLink, models.SET_NULL, null=True, blank=True, related_name="+")
    claimed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "kind", "identity"], name="ms365_shared_identity"),
        ]
        indexes = [models.Index(fields=["tenant", "adapter", "object_id"], name="ms365_shared_record")]

    def __str__(self) -> str:
        return f"{self.kind} {self.adapter}:{self.object_id}"
