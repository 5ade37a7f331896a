"""Sync now, the preview, and what the last runs did (USER-07, USER-08)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from ..access import rights
from ..access.refused import Refused
from ..models import SyncRun, Trigger
from .door import Visit, door
from .operations import stored_operations, visible_operations
from .work import start_preview, start_sync

PER_PAGE = 50


@door(methods=["POST"])
def sync_now(visit: Visit) -> HttpResponse:
    """Ask for a sync and show its progress; it runs in the background."""
    try:
        run = start_sync(visit.the_link(), visit.user)
    except Refused as refused:
        visit.tell(refused.reason, messages.WARNING)
        return visit.go("profile")
    return HttpResponseRedirect(reverse("ms365:run", args=[run.pk]))


@door(methods=["GET", "HEAD", "POST"])
def preview(visit: Visit) -> HttpResponse:
    """The newest preview; POST works out a new one."""
    link = visit.the_link()
    if visit.request.method == "POST":
        try:
            start_preview(link, visit.user)
        except Refused as refused:
            visit.tell(refused.reason, messages.WARNING)
        return visit.go("preview")
    run = link.runs.filter(trigger=Trigger.PREVIEW).order_by("-queued_at").first()
    return _show(visit, run, "ms365/preview.html", page="preview")


@door()
def detail(visit: Visit, run_id: int) -> HttpResponse:
    """One run. It says itself whose it is."""
    run = SyncRun.objects.select_related("link", "link__user").filter(
        pk=run_id, link__in=rights.visible_links(visit.user, visit.tenant)).first()
    if run is None:
        raise Http404(_("There is no such run."))
    visit.link = run.link
    visit.link_id = None if run.link.user_id == visit.user.pk else run.link_id
    if run.is_preview:
        return _show(visit, run, "ms365/preview.html", page="preview")
    return _show(visit, run, "ms365/run.html", page="runs")


@door()
def history(visit: Visit) -> HttpResponse:
    """The last runs, the newest first."""
    runs = visit.the_link().runs.exclude(trigger=Trigger.PREVIEW).order_by("-queued_at", "-pk")
    page = Paginator(runs, PER_PAGE).get_page(visit.request.GET.get("page"))
    return visit.render("ms365/runs.html", {"page": "runs", "runs": page})


def _show(visit: Visit, run: SyncRun | None, template: str, *, page: str) -> HttpResponse:
    context: dict[str, Any] = {"page": page, "run": run}
    if run is not None and run.is_preview and run.operations:
        shown = Paginator(stored_operations(run), PER_PAGE).get_page(visit.request.GET.get("page"))
        context |= {"operations": visible_operations(run, visit.user, list(shown)), "operations_page": shown}
    return visit.render(template, context)

