"""Which organisation a page is about, for people who belong to several and whose CRM does not say."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ..conf import settings
from .seen import CHOSEN_ENTRY, directory


def ask(request: HttpRequest) -> HttpResponse:
    """The page that asks."""
    tenants = [str(tenant) for tenant in directory().tenants_of(request.user)]
    if not tenants:
        raise PermissionDenied(_("You belong to no organisation of this CRM."))
    return render(request, "ms365/choose.html", {"ms365_base": settings.BASE_TEMPLATE, "tenants": tenants})


@login_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the choice for this browser session."""
    tenant = request.POST.get("tenant", "")
    if tenant not in [str(item) for item in directory().tenants_of(request.user)]:
        raise PermissionDenied(_("You do not belong to this organisation."))
    request.session[CHOSEN_ENTRY] = tenant
    return HttpResponseRedirect(reverse("ms365:profile"))
