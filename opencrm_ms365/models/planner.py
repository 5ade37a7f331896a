"""Planner's plans, read once for the whole organisation, and the task lists that people choose from (TASK-01)."""

from __future__ import annotations

from django.db import models

from .link import UserLink


class PlanCursor(models.Model):
    """One plan. `reader` is the link that read it last: it reads on, until it cannot, and then another one does.

    `due_at` is when another link may take over (UTC), `read_at` when the plan was last read to its end, `watermark` up
    to when the CRM's changes were carried into it. `lost_since`: no link that tried could read it since then.
    """

    tenant = models.CharField(max_length=200, default="", blank=True)
    plan_id = models.CharField(max_length=64)
    reader = models.ForeignKey(UserLink, models.SET_NULL, null=True, blank=True, related_name="+")
    due_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    watermark = models.DateTimeField(null=True, blank=True)
    full_at = models.DateTimeField(null=True, blank=True)
    lost_since = models.DateTimeField(null=True, blank=True)
    lease_owner = models.CharField(max_length=200, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "plan_id"], name="ms365_plan_once")]

    def __str__(self) -> str:
        return f"plan {self.plan_id}"


class TaskList(models.Model):
    """One of Planner's task lists: a bucket, or what of a plan is in no bucket (then `name` is empty and it is not
    offered). `links` can reach it (TASK-01)."""

    tenant = models.CharField(max_length=200, default="", blank=True)
    key = models.CharField(max_length=200)
    plan_id = models.CharField(max_length=64)
    name = models.CharField(max_length=600, blank=True, default="")
    position = models.PositiveIntegerField(default=0)
    links = models.ManyToManyField(UserLink, related_name="reachable_lists", blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="ms365_task_list_once")]
        indexes = [models.Index(fields=["tenant", "plan_id"], name="ms365_task_list_plan")]

    def __str__(self) -> str:
        return self.key
