"""An administrator authorises the app for the whole organisation (ORG-01), and says which installation syncs (ORG-16).

Both need an administrator of the organisation; what happens between the two journeys to Microsoft is in
`access.consent`.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from ..access import consent, installation, outage
from ..access.attempts import TooMany, count
from ..access.refused import Refused
from ..models import SyncSettings
from .door import Visit, door, forbid
from .signin import address_of

AGAIN_AFTER_S = 10


@door(methods=["GET"], asks_microsoft=True)
def authorise(visit: Visit) -> HttpResponse:
    """Send the administrator to Microsoft's consent page; with `attempt`, to the sign-in that follows it, again."""
    _administrators_only(visit)
    query = visit.request.GET
    arguments = visit.user, visit.request.session, visit.tenant, address_of(visit.request, "authorise-callback")
    try:
        count(visit.user)
        if query.get("attempt", "").isdecimal():
            attempt = min(int(query["attempt"][:3]), consent.MOST_ATTEMPTS)
            return _to_microsoft(consent.begin_sign_in(*arguments, attempt=attempt))
        return _to_microsoft(consent.begin(*arguments))
    except Refused as refused:
        return _refused(visit, refused)


@door(methods=["GET"], asks_microsoft=True)
def callback(visit: Visit) -> HttpResponse:
    """Where Microsoft sends the administrator back to, twice: after the consent page and after the sign-in."""
    _administrators_only(visit)
    try:
        count(visit.user)
        done = consent.complete(visit.user, visit.request.session, visit.tenant,
                                address_of(visit.request, "authorise-callback"), visit.request.GET.dict())
    except Refused as refused:
        return _refused(visit, refused)
    if isinstance(done, SyncSettings):
        return _shown(visit, {"authorised": done})
    return _to_microsoft(done.url)


@door(methods=["POST"])
def confirm_installation(visit: Visit) -> HttpResponse:
    """Let this installation go on with the organisation's sync."""
    _administrators_only(visit)
    installation.confirm(visit.organisation)
    visit.tell(_("This installation syncs from now on."), messages.SUCCESS)
    return HttpResponseRedirect(reverse("ms365:people"))


@door(methods=["POST"])
def try_access(visit: Visit) -> HttpResponse:
    """Ask Microsoft at once whether it lets the organisation in again; the worker does it."""
    _administrators_only(visit)
    outage.try_now(visit.tenant)
    visit.tell(_("The next sync tries at once whether Microsoft lets us in again."), messages.SUCCESS)
    return HttpResponseRedirect(reverse("ms365:people"))


def _administrators_only(visit: Visit) -> None:
    if not visit.is_administrator:
        forbid(_("Only an administrator can do this."))


def _to_microsoft(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _refused(visit: Visit, refused: Refused) -> HttpResponse:
    context: dict[str, object] = {"refused": refused.reason}
    again = isinstance(refused, consent.NotYet) and refused.may_try_again
    if isinstance(refused, consent.NotYet) and again:
        context["again"] = f"{reverse('ms365:authorise')}?attempt={refused.attempt + 1}"
        context["again_after_s"] = AGAIN_AFTER_S
    response = _shown(visit, context, status=429 if isinstance(refused, TooMany) else 200 if again else 400)
    if isinstance(refused, TooMany):
        response.headers["Retry-After"] = str(refused.retry_after_s)
    if again:
        response.headers["Refresh"] = f"{AGAIN_AFTER_S}; url={context['again']}"
    return response


def _shown(visit: Visit, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = visit.render("ms365/authorise.html", {"page": "people", "settings_url": settings_page(visit), **context},
                            status=status)
    response.headers["Referrer-Policy"] = "no-referrer"      # the address of this page holds Microsoft's answer
    return response


def settings_page(visit: Visit) -> str:
    """The organisation's settings in Django's admin; empty where the project has none, or the person may not in."""
    if not (getattr(visit.user, "is_staff", False) and visit.user.has_perm("opencrm_ms365.change_syncsettings")):
        return ""
    try:
        return reverse("admin:opencrm_ms365_syncsettings_change", args=[visit.organisation.pk])
    except NoReverseMatch:
        return ""
