"""What needs a person: problems, conflicts, decisions; and why a record is, or is not, synced (USER-08, ORG-08)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from ..access import decisions, rights
from ..access.refused import Refused
from ..conf import settings
from ..models import Conflict, DeletedRecord, HeldDecision, SyncProblem
from .conflicting import described_conflicts, take_the_other
from .deciding import checked_choice, described_decisions
from .door import Visit, door, forbid
from .explaining import explain
from .seen import shown_records
from .undoing import described_deletions, undo_deletion

PER_PAGE = 25


@door()
def problems(visit: Visit) -> HttpResponse:
    """Records that cannot sync, each with the reason (SYNC-03)."""
    rows = visit.the_link().problems.filter(resolved_at=None).order_by("ignored", "is_warning", "-last_at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(visit.request.GET.get("page"))
    shown = shown_records(visit.user, visit.tenant, [(row.adapter, row.object_id) for row in page])
    return visit.render("ms365/problems.html", {
        "page": "problems", "rows": page,
        "problems": [{"row": row, "record": shown.get((row.adapter, row.object_id))} for row in page]})


@door(methods=["POST"])
def retry(visit: Visit, pk: int) -> HttpResponse:
    problem = _mine(visit, SyncProblem.objects.all(), pk)
    decisions.retry(problem)
    visit.tell(_("It is tried again at once."), messages.SUCCESS)
    return _back(visit, "problems", problem)


@door(methods=["POST"])
def ignore(visit: Visit, pk: int) -> HttpResponse:
    problem = _mine(visit, SyncProblem.objects.all(), pk)
    decisions.ignore(problem)
    visit.tell(_("This problem no longer counts."), messages.SUCCESS)
    return _back(visit, "problems", problem)


@door()
def conflicts(visit: Visit) -> HttpResponse:
    """Fields that both sides changed, with both values, where the viewer may see the record (ORG-09)."""
    rows = visit.the_link().conflicts.order_by("-at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(visit.request.GET.get("page"))
    return visit.render("ms365/conflicts.html", {
        "page": "conflicts", "rows": page, "conflicts": described_conflicts(visit.user, visit.tenant, list(page))})


@door(methods=["POST"])
def take_other(visit: Visit, pk: int) -> HttpResponse:
    conflict = _mine(visit, Conflict.objects.all(), pk)
    try:
        take_the_other(conflict, visit.user)
    except Refused as refused:
        visit.tell(refused.reason, messages.WARNING)
    else:
        visit.tell(_("The other value is taken. It reaches the other side with the next sync."), messages.SUCCESS)
    return _back(visit, "conflicts", conflict)


@door()
def deleted(visit: Visit) -> HttpResponse:
    """What a deletion in Microsoft deleted in the CRM, to be undone (ORG-12)."""
    rows = DeletedRecord.objects.filter(link=visit.the_link()).order_by("-at", "-pk")
    page = Paginator(rows, PER_PAGE).get_page(visit.request.GET.get("page"))
    return visit.render("ms365/deleted.html", {
        "page": "deleted", "rows": page, "days": settings.RETENTION_DAYS,
        "deletions": described_deletions(visit.user, visit.tenant, list(page))})


@door(methods=["POST"])
def undo(visit: Visit, pk: int) -> HttpResponse:
    row = _mine(visit, DeletedRecord.objects.all(), pk)
    try:
        undo_deletion(row, visit.user)
    except Refused as refused:
        visit.tell(refused.reason, messages.WARNING)
    else:
        visit.tell(_("The record is back in the CRM. It comes back into Outlook with the next sync."), messages.SUCCESS)
    return _back(visit, "deleted", row)


@door()
def held(visit: Visit) -> HttpResponse:
    """What a guard stopped, and what is not clear: it waits for a person."""
    rows = visit.the_link().held.order_by("-at", "-pk").select_related("decided_by")
    page = Paginator(rows, PER_PAGE).get_page(visit.request.GET.get("page"))
    return visit.render("ms365/held.html", {
        "page": "held", "rows": page, "decisions": described_decisions(visit.user, visit.tenant, list(page))})


@door(methods=["POST"])
def confirm(visit: Visit, pk: int) -> HttpResponse:
    row = _mine(visit, HeldDecision.objects.all(), pk)
    if not rights.may_confirm(visit.user, visit.tenant, row.reason):
        forbid(_("Only an administrator can let these deletions go on."))
    choice = visit.request.POST.get("choice", "")
    return _decided(visit, row, lambda: decisions.confirm(
        row, visit.user, checked_choice(visit.user, visit.tenant, row, choice)))


@door(methods=["POST"])
def dismiss(visit: Visit, pk: int) -> HttpResponse:
    row = _mine(visit, HeldDecision.objects.all(), pk)
    if not rights.may_confirm(visit.user, visit.tenant, row.reason):
        forbid(_("Only an administrator can decide about these deletions."))
    return _decided(visit, row, lambda: decisions.dismiss(row, visit.user))


def _decided(visit: Visit, row: HeldDecision, decide: Any) -> HttpResponse:
    try:
        decide()
    except Refused as refused:
        visit.tell(refused.reason, messages.WARNING)
    else:
        visit.tell(_("Your decision is noted. It is carried out with the next sync."), messages.SUCCESS)
    return _back(visit, "held", row)


@door()
def why(visit: Visit) -> HttpResponse:
    """Why a record is, or is not, synced: `?record=ADAPTER:PK`, for the person's own link or (`link`) another's."""
    reference = visit.request.GET.get("record", "").strip()
    answer = explain(visit.link, visit.user, visit.tenant, reference) if visit.link and reference else None
    return visit.render("ms365/why.html", {"page": "problems", "reference": reference, "answer": answer})


def _mine(visit: Visit, rows: QuerySet[Any], pk: int) -> Any:
    """The row, if it belongs to a link that the person may see; 404 otherwise."""
    row = rows.select_related("link", "link__user").filter(
        pk=pk, link__in=rights.visible_links(visit.user, visit.tenant)).first()
    if row is None:
        raise Http404(_("There is no such entry."))
    return row


def _back(visit: Visit, name: str, row: Any) -> HttpResponse:
    args = [] if row.link.user_id == visit.user.pk else [row.link_id]
    return HttpResponseRedirect(reverse(f"ms365:{name}", args=args))
