"""What every page has in common: who is asking, for which organisation, for whose link, and the answer's headers."""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.shortcuts import render as django_render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from ..access import rights
from ..access.status import Status, status_of
from ..conf import BY_NAME, settings
from ..models import DeletedRecord, HeldDecision, SyncSettings, UserLink
from .choosing import ask
from .failing import without_contents
from .seen import context_for, directory, tenant_of

OWN_BASE = BY_NAME["BASE_TEMPLATE"].default


@dataclass
class Visit:
    """One request of a signed-in person. `link` is the link that the page is about; None before there is one."""

    request: HttpRequest
    tenant: str
    organisation: SyncSettings
    is_administrator: bool
    link: UserLink | None
    link_id: int | None

    @property
    def user(self) -> Any:
        return self.request.user

    @property
    def is_own(self) -> bool:
        return rights.may_connect(self.user, self.link)

    @property
    def may_edit(self) -> bool:
        return rights.may_edit_settings(self.user, self.tenant, self.link)

    @property
    def status(self) -> Status:
        return status_of(self.link, self.organisation)

    @functools.cached_property
    def waiting(self) -> dict[str, int]:
        """How much needs a person, or could be undone by one, for the navigation."""
        if self.link is None:
            return {}
        return {
            "problems": self.link.problems.filter(resolved_at=None, ignored=False, is_warning=False).count(),
            "held": self.link.held.filter(state=HeldDecision.State.OPEN).count(),
            "deleted": DeletedRecord.objects.undoable().filter(link=self.link).count(),
        }

    @property
    def person(self) -> str:
        """Whose link it is, as others read it."""
        return str(directory().display_name(self.link.user if self.link else self.user))

    def the_link(self) -> UserLink:
        """The link, where the page makes no sense without one. Raises `Http404`."""
        if self.link is None:
            raise Http404(_("No Microsoft account is connected."))
        return self.link

    def url(self, name: str, *args: Any) -> str:
        """The address of a page about the same link."""
        own = [] if self.link_id is None else [self.link_id]
        return reverse(f"ms365:{name}", args=[*own, *args])

    def tell(self, text: str, level: int = messages.SUCCESS) -> None:
        """Show a sentence on the next page, where the CRM has Django's messages."""
        messages.add_message(self.request, level, text, fail_silently=True)

    def go(self, name: str, *args: Any) -> HttpResponseRedirect:
        return HttpResponseRedirect(self.url(name, *args))

    def render(self, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
        values = {
            "ms365_base": settings.BASE_TEMPLATE, "visit": self, "link": self.link, "status": self.status,
            "organisation": self.organisation, "own_layout": settings.BASE_TEMPLATE == OWN_BASE, **context}
        with timezone.override(display_zone(self.link)):
            return guarded(django_render(self.request, template, values, status=status))


def door(*, methods: Iterable[str] = ("GET", "HEAD"), asks_microsoft: bool = False) -> Callable[..., Any]:
    """A page for signed-in people: `view(visit, **the other parts of the address)`.

    A `link_id` in the address is looked up among the links that the person may see: others do not exist for them.
    `asks_microsoft` keeps the request outside a transaction where the project wraps requests in one.
    """
    allowed = tuple(methods)

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        def _answer(request: HttpRequest, tenant: str, link_id: int | None, parts: dict[str, Any]) -> HttpResponse:
            with directory().activate(context_for(request.user, tenant)):
                return view(_visit(request, tenant, link_id), **parts)

        @functools.wraps(view)
        def page(request: HttpRequest, *, link_id: int | None = None, **parts: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                return _sign_in_first(request)
            if request.method not in allowed:
                return HttpResponseNotAllowed(allowed)
            tenant = tenant_of(request)
            if tenant is None:
                return guarded(ask(request))
            response = without_contents(request, lambda: _answer(request, str(tenant), link_id, parts))
            response.headers.setdefault("Cache-Control", "no-store, private")
            return response

        return transaction.non_atomic_requests(page) if asks_microsoft else page

    return wrap


def _visit(request: HttpRequest, tenant: str, link_id: int | None) -> Visit:
    user: Any = request.user
    if link_id is None:
        link = rights.own_link(user, tenant)
    else:
        link = rights.visible_links(user, tenant).filter(pk=link_id).first()
        if link is None:
            raise Http404(_("There is no such page."))
    return Visit(request, tenant, SyncSettings.of(tenant), rights.is_administrator(user, tenant), link, link_id)


def _sign_in_first(request: HttpRequest) -> HttpResponse:
    """To the CRM's sign-in page; for a program, 401 in JSON."""
    if wants_json(request):
        return JsonResponse({"detail": _("Sign in to the CRM first.")}, status=401)
    return redirect_to_login(request.get_full_path(), settings.LOGIN_PATH or None)


def wants_json(request: HttpRequest) -> bool:
    return (request.headers.get("X-Requested-With") == "XMLHttpRequest"
            or "application/json" in request.headers.get("Accept", ""))


def forbid(sentence: str) -> None:
    raise PermissionDenied(sentence)


def display_zone(link: UserLink | None) -> Any:
    """The user's own time zone for times on the page; without one, whatever the CRM has active."""
    if link is not None and link.time_zone:
        try:
            return zoneinfo.ZoneInfo(link.time_zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            pass
    return timezone.get_current_timezone()


def guarded(response: HttpResponse, *, own_layout: bool | None = None) -> HttpResponse:
    """Set the headers of a page. A layout of the CRM's may need more than our policy allows, so it keeps its own.

    The opener policy lets the sign-in pop-up reach the page that opened it (USER-02).
    """
    if own_layout is None:
        own_layout = settings.BASE_TEMPLATE == OWN_BASE
    if own_layout:
        response.headers["Content-Security-Policy"] = content_security_policy()
    response.headers["Cache-Control"] = "no-store, private"
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
    return response


def content_security_policy() -> str:
    """Only our own files, no inline script or style, no frames. Static files may lie on a host of their own."""
    static = urlsplit(django_settings.STATIC_URL or "")
    files = f"'self' {static.scheme}://{static.netloc}" if static.netloc and static.scheme else "'self'"
    return (f"default-src 'none'; script-src {files}; style-src {files}; img-src {files} data:; font-src {files}; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
