"""Signing in with Microsoft in a pop-up window, the access key, connecting and disconnecting (USER-02 to USER-04)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as django_render
from django.urls import reverse
from django.utils.translation import gettext as _

from ..access import attempts, links, signin
from ..access.refused import Refused
from ..conf import settings
from .door import Visit, door, forbid, guarded
from .profile import show_profile

# The pop-up travels to Microsoft and back; any stricter policy on its own pages would cut it off from its opener.
POPUP_OPENER_POLICY = "unsafe-none"


@door(methods=["GET"], asks_microsoft=True)
def sign_in(visit: Visit) -> HttpResponse:
    """Send the pop-up to Microsoft's sign-in page."""
    try:
        attempts.count(visit.user)
        url = signin.begin(visit.user, visit.request.session, visit.tenant,
                           address_of(visit.request, "sign-in-callback"))
    except attempts.TooMany as refused:
        return _too_many(_popup(visit, {"refused": refused.reason}, status=429), refused)
    except Refused as refused:
        return _popup(visit, {"refused": refused.reason}, status=503)
    response = HttpResponseRedirect(url)
    response.headers["Cross-Origin-Opener-Policy"] = POPUP_OPENER_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@door(methods=["GET"], asks_microsoft=True)
def callback(visit: Visit) -> HttpResponse:
    """The page that the pop-up ends on: the access key, or a sentence that says why there is none."""
    try:
        attempts.count(visit.user)
        key = signin.complete(visit.user, visit.request.session, visit.request.GET.dict())
    except attempts.TooMany as refused:
        return _too_many(_popup(visit, {"refused": refused.reason}, status=429), refused)
    except Refused as refused:
        return _popup(visit, {"refused": refused.reason}, status=400)
    return _popup(visit, {"access_key": key, "minutes": settings.ACCESS_KEY_MINUTES})


@door(methods=["POST"])
def connect(visit: Visit) -> HttpResponse:
    """Exchange the pasted access key for a connected account."""
    try:
        attempts.count(visit.user)
        links.connect(visit.user, visit.request.session, visit.tenant, visit.request.POST.get("access_key", ""))
    except attempts.TooMany as refused:
        return _too_many(show_profile(visit, connect_error=refused.reason, status=429), refused)
    except Refused as refused:
        return show_profile(visit, connect_error=refused.reason, status=400)
    return HttpResponseRedirect(reverse("ms365:profile"))


@door(methods=["POST"])
def disconnect(visit: Visit) -> HttpResponse:
    """Delete the tokens and stop the sync; by the user, or by an administrator for a user."""
    link = visit.the_link()
    if not visit.is_own and not visit.is_administrator:
        forbid(_("Only the user or an administrator can disconnect this account."))
    links.disconnect(link)
    visit.tell(_("The account is disconnected. All records stay where they are."), messages.SUCCESS)
    return visit.go("profile")


def address_of(request: HttpRequest, name: str) -> str:
    """Where Microsoft sends the browser back to: registered with Microsoft, so it must always be spelt the same."""
    path = reverse(f"ms365:{name}")
    return settings.PUBLIC_URL.rstrip("/") + path if settings.PUBLIC_URL else request.build_absolute_uri(path)


def _too_many(response: HttpResponse, refused: attempts.TooMany) -> HttpResponse:
    response.headers["Retry-After"] = str(refused.retry_after_s)
    return response


def _popup(visit: Visit, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = django_render(visit.request, "ms365/popup.html", context, status=status)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = POPUP_OPENER_POLICY
    response.headers["X-Robots-Tag"] = "noindex"
    return guarded(response, own_layout=True)
