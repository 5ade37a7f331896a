"""Others' private activities on the CRM's pages (PRIV-02): what is shown of them is the organisation's choice."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from opencrm_ms365.access.privacy import private_display
from opencrm_ms365.reconcile.privacy import PrivateDisplay

from .models import Activity, ActivityQuerySet


@dataclass(frozen=True)
class PrivateBlock:
    """All that a page gets of somebody else's private activity: when, and whose time it is."""

    start: datetime.datetime | None
    end: datetime.datetime | None
    all_day: bool
    days: tuple[datetime.date, datetime.date] | None
    assigned_to: Any
    title: str = "Private"
    is_block: bool = True


def shown(activity: Any) -> Activity | PrivateBlock:
    """An activity of `ActivityQuerySet.for_viewer` as the viewer may see it."""
    if not activity.is_block:
        return activity
    return PrivateBlock(activity.start, activity.end, activity.all_day, activity.days if activity.all_day else None,
                        activity.assigned_to)


def for_viewer(request: HttpRequest) -> ActivityQuerySet:
    """The activities of which the signed-in user sees anything; show them as `shown` gives them."""
    user: Any = request.user
    with_blocks = private_display(user) is PrivateDisplay.BUSY
    return Activity.objects.alive().for_viewer(user, with_blocks=with_blocks)


def in_full(request: HttpRequest) -> ActivityQuerySet:
    """The activities that the signed-in user may open, change and delete."""
    return Activity.objects.alive().in_full(request.user)
