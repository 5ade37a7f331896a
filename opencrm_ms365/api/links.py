"""A user's settings over REST: the person's own, and everybody's for administrators."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as FieldsRefused
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from ..access import links, rights
from ..access.status import with_facts
from ..access.user_settings import FIELDS
from ..models import LinkStatus, SyncSettings, UserLink
from ..sync.doorbell import ring_soon
from ..views.work import store_settings
from .base import Endpoint
from .serializers import LinkSerializer


class LinkEndpoint(Endpoint):
    serializer_class = LinkSerializer

    def answer(self, link: UserLink) -> Response:
        return Response(self.described(link))

    def described(self, link: UserLink) -> Any:
        return LinkSerializer(link, context={"organisation": SyncSettings.of(self.tenant)}).data

    def save(self, link: UserLink) -> Response:
        """Only the names that are given change; unknown and read-only names are refused, not ignored."""
        if not rights.may_edit_settings(self.request.user, self.tenant, link):
            raise PermissionDenied(_("Only an administrator can change these settings."))
        data = self.request.data
        if not hasattr(data, "items"):
            raise ValidationError(_("Send an object with the settings to change."))
        unknown = [name for name in data if name not in FIELDS]
        if unknown:
            raise ValidationError({name: [_("There is no such setting, or it cannot be changed.")] for name in unknown})
        serializer = LinkSerializer(link, data=data, partial=True)
        serializer.is_valid(raise_exception=True)
        try:
            return self.answer(store_settings(link, dict(serializer.validated_data), self.request.user))
        except FieldsRefused as error:
            raise ValidationError(error.message_dict) from error


class OwnLink(LinkEndpoint):
    """The signed-in user's settings."""

    def get(self, request: Any) -> Response:
        link = rights.own_link(request.user, self.tenant)
        return self.answer(link or UserLink(tenant=self.tenant, user=request.user, status=LinkStatus.DISCONNECTED))

    def patch(self, request: Any) -> Response:
        return self.save(self.own_link())


class Links(LinkEndpoint):
    """The links that the person may see: an administrator's list of everybody's."""

    def get(self, request: Any) -> Response:
        context = {"organisation": SyncSettings.of(self.tenant)}
        rows = with_facts(self.visible_links()).order_by("pk")
        return self.listing(rows, lambda page: LinkSerializer(page, many=True, context=context).data)


class OneLink(LinkEndpoint):
    """One link by its id."""

    def get(self, request: Any, pk: int) -> Response:
        return self.answer(self.link_by_id(pk))

    def patch(self, request: Any, pk: int) -> Response:
        return self.save(self.link_by_id(pk))


class Pause(LinkEndpoint):
    """Pause one link (ORG-14): nothing is lost meanwhile. No body."""

    def post(self, request: Any, pk: int) -> Response:
        link = self.link_by_id(pk)
        links.pause(link)
        return self.answer(link)


class Resume(LinkEndpoint):
    """Go on: what changed meanwhile is synced once. No body."""

    def post(self, request: Any, pk: int) -> Response:
        link = self.link_by_id(pk)
        links.resume(link)
        ring_soon()
        return self.answer(link)


