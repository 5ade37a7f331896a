"""Syncs and previews over REST: ask for one, poll it, read what it did or would do."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework.response import Response

from ..models import SyncRun
from ..views.operations import stored_operations, visible_operations
from ..views.work import start_preview, start_sync
from .base import Endpoint
from .serializers import NothingSerializer, OperationSerializer, RunSerializer, StartedSerializer

#: So many operations come with a preview's own description; all of them are under `operations/`.
SHOWN_WITH_RUN = 500


class StartEndpoint(Endpoint):
    serializer_class = NothingSerializer

    def started(self, run: SyncRun) -> Response:
        url = reverse("ms365:api-runs-detail", args=[run.pk])
        return Response(StartedSerializer({"id": run.pk, "state": run.state, "url": url}).data, status=202,
                        headers={"Location": url})


class Preview(StartEndpoint):
    """Work out what a sync would do; nothing is written by it (USER-07). `link`: whose (administrators)."""

    def post(self, request: Any) -> Response:
        return self.started(start_preview(self.asked_link(), request.user))


class Sync(StartEndpoint):
    """Sync now (USER-08). Asking twice is safe."""

    def post(self, request: Any) -> Response:
        return self.started(start_sync(self.asked_link(), request.user))


class Runs(Endpoint):
    """The last runs, the newest first."""

    serializer_class = RunSerializer

    def get(self, request: Any) -> Response:
        rows = SyncRun.objects.filter(link__in=self.asked_links()).defer("operations").order_by("-queued_at", "-pk")
        return self.listing(rows, lambda page: RunSerializer(page, many=True).data)


class OneRun(Endpoint):
    """One run; a finished preview comes with its first operations."""

    serializer_class = RunSerializer

    def get(self, request: Any, pk: int) -> Response:
        run = self.mine(SyncRun.objects.all(), pk)
        described = dict(RunSerializer(run).data)
        if run.is_preview and run.finished_at:
            stored = stored_operations(run)
            shown = visible_operations(run, request.user, stored[:SHOWN_WITH_RUN])
            described |= {"operations_total": len(stored), "operations": OperationSerializer(shown, many=True).data}
        return Response(described)


class Operations(Endpoint):
    """All operations of a preview."""

    serializer_class = OperationSerializer

    def get(self, request: Any, pk: int) -> Response:
        run = self.mine(SyncRun.objects.all(), pk)
        return self.listing(stored_operations(run), lambda page: OperationSerializer(
            visible_operations(run, request.user, page), many=True).data)
