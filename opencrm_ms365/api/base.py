"""What every endpoint has in common: the browser session of the CRM, the organisation, and whose link it is about.

The classes name everything they need themselves, so that the project's REST framework defaults change nothing here.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.authentication import SessionAuthentication
from rest_framework.generics import GenericAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from ..access import rights
from ..access.refused import Refused
from ..models import UserLink
from ..views.failing import without_contents
from ..views.seen import context_for, directory, tenant_of

try:
    from drf_spectacular.openapi import AutoSchema
except ImportError:                                     # the extra `api` is not installed: no schema, same endpoints
    # Stands in where drf-spectacular is missing.
    from rest_framework.schemas.inspectors import DefaultSchema as AutoSchema  # type: ignore[assignment]


class BrowserSession(SessionAuthentication):
    """The CRM's own session, with its CSRF check. Who is not signed in gets 401, not 403."""

    def authenticate_header(self, request: Any) -> str:
        return "Session"


class Pages(PageNumberPagination):
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class NotNow(exceptions.APIException):
    """What was asked for cannot be done in this state; the sentence says why."""

    status_code = 409
    default_code = "conflict"


class Endpoint(GenericAPIView[Any]):
    """The base of all endpoints."""

    authentication_classes = [BrowserSession]
    permission_classes = [IsAuthenticated]
    renderer_classes = [JSONRenderer]
    parser_classes = [JSONParser, FormParser, MultiPartParser]
    pagination_class = Pages
    throttle_classes = ()
    filter_backends = ()
    schema = AutoSchema()
    tenant: str

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        tenant = tenant_of(request)
        if tenant is None:
            raise NotNow(_("Choose your organisation on the Microsoft Sync page first."))
        self.tenant = tenant

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        user = getattr(request, "user", None)
        tenant = tenant_of(request) if user is not None and user.is_authenticated else None
        if tenant is None:
            return super().dispatch(request, *args, **kwargs)
        return without_contents(request, lambda: self._dispatch_for(user, tenant, request, *args, **kwargs))

    def _dispatch_for(self, user: Any, tenant: str, request: Any, *args: Any, **kwargs: Any) -> Any:
        with directory().activate(context_for(user, tenant)):
            return super().dispatch(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(NotNow(exc.reason) if isinstance(exc, Refused) else exc)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        return response

    # -- whose

    def visible_links(self) -> Any:
        return rights.visible_links(self.request.user, self.tenant)

    def own_link(self) -> UserLink:
        """The person's own link. Raises 409 before there is one."""
        link = rights.own_link(self.request.user, self.tenant)
        if link is None:
            raise NotNow(_("No Microsoft account is connected."))
        return link

    def link_by_id(self, pk: Any) -> UserLink:
        """A link that the person may see; any other does not exist for them (404)."""
        try:
            link = self.visible_links().filter(pk=int(pk)).first()
        except (TypeError, ValueError, OverflowError):
            link = None
        if link is None:
            raise Http404
        return link

    def asked_link(self) -> UserLink:
        """The link that `link` in the body or the query names; without it the person's own."""
        data = self.request.data
        pk = self.request.query_params.get("link") or (data.get("link") if hasattr(data, "get") else None)
        return self.link_by_id(pk) if pk else self.own_link()

    def asked_links(self) -> Any:
        """For listings: the person's own link, `?link=ID`, or `?link=all` (administrators: everybody's)."""
        asked = self.request.query_params.get("link")
        if asked == "all":
            return self.visible_links()
        if asked:
            return UserLink.objects.filter(pk=self.link_by_id(asked).pk)
        return self.visible_links().filter(user_id=self.request.user.pk)

    def mine(self, rows: Any, pk: int) -> Any:
        """A row of a link that the person may see (404 otherwise)."""
        row = rows.select_related("link", "link__user").filter(pk=pk, link__in=self.visible_links()).first()
        if row is None:
            raise Http404
        return row

    def listing(self, rows: Any, describe: Any) -> Response:
        """One page of rows; `describe` turns the rows of the page into their descriptions at once."""
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(describe(list(page or ())))
