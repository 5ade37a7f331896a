"""Whether background workers live."""

from __future__ import annotations

from django.db import models


class Heartbeat(models.Model):
    """The last sign of life of one worker: `name` is its lease identity, `at` a UTC instant."""

    name = models.CharField(max_length=200, unique=True)
    at = models.DateTimeField()
    doing = models.CharField(max_length=40, blank=True, default="")

    def __str__(self) -> str:
        return self.name
