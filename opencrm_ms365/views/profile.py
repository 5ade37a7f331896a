"""The Microsoft Sync page: who is connected, how it is doing, and the way to everything else (USER-01)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from ..access import links, rights
from ..access.user_settings import effective_settings
from ..models import Direction, Trigger
from ..sync.doorbell import ring_soon
from .door import Visit, door, forbid
from .seen import kinds_offered
from .work import active_run

RECENT_RUNS = 5


@door()
def profile(visit: Visit) -> HttpResponse:
    return show_profile(visit)


def show_profile(visit: Visit, *, connect_error: str = "", status: int = 200) -> HttpResponse:
    """The page itself; also the answer to an access key that was refused."""
    context: dict[str, Any] = {"page": "profile", "connect_error": connect_error}
    if visit.link is not None:
        context |= {
            "active_run": active_run(visit.link),
            "runs": visit.link.runs.exclude(trigger=Trigger.PREVIEW).order_by("-queued_at")[:RECENT_RUNS],
            "conflict_count": visit.link.conflicts.filter(taken_other_at=None).count(),
            "areas": areas(visit),
        }
    return visit.render("ms365/profile.html", context, status=status)


def areas(visit: Visit) -> list[dict[str, Any]]:
    """One line for each kind that this CRM has: whether it syncs, and in which direction."""
    chosen = effective_settings(visit.the_link(), visit.organisation)
    offered = kinds_offered()
    rows = (
        ("contacts", _("Contacts"), chosen.sync_contacts, chosen.contact_direction),
        ("events", _("Calendar"), chosen.sync_calendar, chosen.activity_direction),
        ("tasks", _("Tasks"), chosen.sync_tasks, chosen.activity_direction),
    )
    return [{"kind": kind, "name": name, "on": is_on, "direction": direction, "label": Direction(direction).label}
            for kind, name, is_on, direction in rows if offered[kind]]


@door(methods=["POST"])
def pause(visit: Visit) -> HttpResponse:
    """ORG-14, for one link."""
    _may_run(visit)
    links.pause(visit.the_link())
    visit.tell(_("The sync is paused. Nothing is lost meanwhile."), messages.SUCCESS)
    return visit.go("profile")


@door(methods=["POST"])
def resume(visit: Visit) -> HttpResponse:
    _may_run(visit)
    links.resume(visit.the_link())
    ring_soon()
    visit.tell(_("The sync goes on. What changed meanwhile is synced now."), messages.SUCCESS)
    return visit.go("profile")


def _may_run(visit: Visit) -> None:
    if not rights.may_run(visit.user, visit.tenant, visit.the_link()):
        forbid(_("Only the user or an administrator can do this."))
