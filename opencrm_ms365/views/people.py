"""The administrator's overview: everybody's link, how it does, and what waits for a decision."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..access import activation, rights
from ..access.links import switch as switch_link
from ..access.standstill import standstill
from ..access.status import status_of, with_facts, workers_live
from ..models import HeldDecision, LinkStatus
from .authorising import settings_page
from .door import Visit, door, forbid
from .seen import directory

PER_PAGE = 50


@door()
def people(visit: Visit) -> HttpResponse:
    """Who is connected. For administrators of the organisation only."""
    if not visit.is_administrator:
        forbid(_("Only an administrator can see everybody's sync."))
    links = with_facts(rights.visible_links(visit.user, visit.tenant)).annotate(
        open_problems=Count("problems", Q(problems__resolved_at=None, problems__ignored=False), distinct=True),
        open_decisions=Count("held", Q(held__state=HeldDecision.State.OPEN), distinct=True)).order_by("pk")
    wanted = visit.request.GET.get("status", "")
    if wanted in LinkStatus.values:
        links = links.filter(status=wanted)
    page = Paginator(links, PER_PAGE).get_page(visit.request.GET.get("page"))
    rows = [{"link": link, "name": directory().display_name(link.user), "status": status_of(link, visit.organisation)}
            for link in page]
    return visit.render("ms365/people.html", {
        "page": "people", "rows": rows, "links": page, "wanted": wanted, "choices": LinkStatus.choices,
        "workers_live": workers_live(timezone.now()), "stands_still": standstill(visit.organisation),
        "key_runs_out": activation.warning(visit.organisation), "settings_url": settings_page(visit)})


@door(methods=["POST"])
def switch(visit: Visit) -> HttpResponse:
    """Switch the sync of one user on or off (ORG-07)."""
    if not visit.is_administrator:
        forbid(_("Only an administrator can do this."))
    link = visit.the_link()
    switch_link(link, on=not link.enabled)
    visit.tell(_("The sync is switched on for this user.") if link.enabled else
               _("The sync is switched off for this user."), messages.SUCCESS)
    return visit.go("profile")
