"""Problems, conflicts, decisions and explanations over REST."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from ..access import decisions, rights
from ..models import Conflict, DeletedRecord, HeldDecision, SyncProblem
from ..views.conflicting import described_conflicts, take_the_other
from ..views.deciding import checked_choice, described_decisions
from ..views.explaining import explain
from ..views.seen import shown_records
from ..views.undoing import described_deletions, undo_deletion
from .base import Endpoint
from .serializers import (
    ChoiceSerializer,
    ConflictSerializer,
    DeletedSerializer,
    HeldSerializer,
    NothingSerializer,
    ProblemSerializer,
    WhySerializer,
)


class Problems(Endpoint):
    """Records that cannot sync, each with the reason. `?all=1` includes solved and ignored ones."""

    serializer_class = ProblemSerializer

    def get(self, request: Any) -> Response:
        rows = SyncProblem.objects.filter(link__in=self.asked_links()).order_by("-last_at", "-pk")
        if not request.query_params.get("all"):
            rows = rows.filter(resolved_at=None, ignored=False)
        return self.listing(rows, lambda page: ProblemSerializer(self.described(page), many=True).data)

    def described(self, rows: Sequence[SyncProblem]) -> list[dict[str, Any]]:
        shown = shown_records(self.request.user, self.tenant, [(row.adapter, row.object_id) for row in rows])
        names = ("kind", "code", "reason", "is_warning", "ignored", "times", "first_at", "last_at", "next_try_at",
                 "request_id")
        found = []
        for row in rows:
            record = shown.get((row.adapter, row.object_id))
            found.append({
                "id": row.pk, "link": row.link_id, **{name: getattr(row, name) for name in names},
                "record": f"{row.adapter}:{row.object_id}" if record else "", "label": record.label if record else ""})
        return found


class ProblemAction(Endpoint):
    serializer_class = NothingSerializer

    def post(self, request: Any, pk: int) -> Response:
        problem = self.mine(SyncProblem.objects.all(), pk)
        self.act(problem)
        return Response({"id": problem.pk, "ignored": problem.ignored})

    def act(self, problem: SyncProblem) -> None:
        raise NotImplementedError


class RetryProblem(ProblemAction):
    """Try the record again at once."""

    def act(self, problem: SyncProblem) -> None:
        decisions.retry(problem)


class IgnoreProblem(ProblemAction):
    """Do not count this problem any more."""

    def act(self, problem: SyncProblem) -> None:
        decisions.ignore(problem)


class Conflicts(Endpoint):
    """Fields that both sides changed, with both values as long as they are kept (ORG-09)."""

    serializer_class = ConflictSerializer

    def get(self, request: Any) -> Response:
        rows = Conflict.objects.filter(link__in=self.asked_links()).order_by("-at", "-pk")
        return self.listing(rows, self.described)

    def described(self, rows: Sequence[Conflict]) -> Any:
        found = []
        for item in described_conflicts(self.request.user, self.tenant, rows):
            row, record, values = item["row"], item["record"], item["values"] or {}
            found.append({
                "id": row.pk, "link": row.link_id, "kind": row.kind, "field": row.field, "winner": row.winner,
                "record": f"{row.adapter}:{row.object_id}" if record else "", "label": record.label if record else "",
                "crm": values.get("crm"), "microsoft": values.get("microsoft"), "at": row.at,
                "taken_other_at": row.taken_other_at})
        return ConflictSerializer(found, many=True).data


class TakeOther(Endpoint):
    """Take the value that lost."""

    serializer_class = NothingSerializer

    def post(self, request: Any, pk: int) -> Response:
        conflict = self.mine(Conflict.objects.all(), pk)
        take_the_other(conflict, request.user)
        conflict.refresh_from_db()
        return Response({"id": conflict.pk, "taken_other_at": conflict.taken_other_at})


class Deleted(Endpoint):
    """What a deletion in Microsoft deleted in the CRM (ORG-12). `?all=1` includes what is undone or too old."""

    serializer_class = DeletedSerializer

    def get(self, request: Any) -> Response:
        rows = DeletedRecord.objects.all() if request.query_params.get("all") else DeletedRecord.objects.undoable()
        return self.listing(rows.filter(link__in=self.asked_links()).order_by("-at", "-pk"), self.described)

    def described(self, rows: Sequence[DeletedRecord]) -> Any:
        found = []
        for item in described_deletions(self.request.user, self.tenant, rows):
            row = item["row"]
            found.append({
                "id": row.pk, "link": row.link_id, "kind": row.kind, "label": item["label"],
                "record": f"{row.adapter}:{row.object_id}" if item["is_seen"] else "", "is_back": item["is_back"],
                "may_undo": item["may_undo"], "at": row.at, "undone_at": row.undone_at})
        return DeletedSerializer(found, many=True).data


class UndoDeletion(Endpoint):
    """Bring the record back into the CRM; the next sync makes it in Microsoft again."""

    serializer_class = NothingSerializer

    def post(self, request: Any, pk: int) -> Response:
        row = self.mine(DeletedRecord.objects.all(), pk)
        undo_deletion(row, request.user)
        row.refresh_from_db()
        return Response({"id": row.pk, "undone_at": row.undone_at})


class Held(Endpoint):
    """What waits for a person. `?all=1` includes what has been decided."""

    serializer_class = HeldSerializer

    def get(self, request: Any) -> Response:
        rows = HeldDecision.objects.filter(link__in=self.asked_links()).select_related("link").order_by("-at", "-pk")
        if not request.query_params.get("all"):
            rows = rows.filter(state=HeldDecision.State.OPEN)
        return self.listing(rows, self.described)

    def described(self, rows: Sequence[HeldDecision]) -> Any:
        found = []
        for item in described_decisions(self.request.user, self.tenant, rows):
            row = item["row"]
            found.append({
                "id": row.pk, "link": row.link_id, "kind": row.kind, "reason": row.reason, "state": row.state,
                "text": item["sentence"], "summary": row.summary, "people": item["people"],
                "candidates": [{"record": text, "label": record.label} for text, record in item["records"]],
                "may_decide": item["may_decide"], "at": row.at, "decided_at": row.decided_at})
        return HeldSerializer(found, many=True).data


class HeldAction(Endpoint):
    serializer_class = ChoiceSerializer

    def post(self, request: Any, pk: int) -> Response:
        row = self.mine(HeldDecision.objects.all(), pk)
        if not rights.may_confirm(request.user, self.tenant, row.reason):
            raise PermissionDenied(_("Only an administrator can decide about this."))
        serializer = ChoiceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        self.act(row, serializer.validated_data.get("choice", ""))
        return Response({"id": row.pk, "state": row.state})

    def act(self, row: HeldDecision, choice: str) -> None:
        raise NotImplementedError


class ConfirmHeld(HeldAction):
    """Let what was stopped go on; of several candidates, `choice` is the `record` to take."""

    def act(self, row: HeldDecision, choice: str) -> None:
        decisions.confirm(row, self.request.user, checked_choice(self.request.user, self.tenant, row, choice))


class DismissHeld(HeldAction):
    """Leave what was stopped undone."""

    def act(self, row: HeldDecision, choice: str) -> None:
        decisions.dismiss(row, self.request.user)


class Why(Endpoint):
    """`?record=ADAPTER:PK`: why the record is, or is not, synced, by which rule. `link`: whose (administrators)."""

    serializer_class = WhySerializer

    def get(self, request: Any) -> Response:
        reference = request.query_params.get("record", "").strip()
        if ":" not in reference:
            raise ValidationError({"record": [_("Name the record as ADAPTER:KEY.")]})
        return Response(WhySerializer(explain(self.asked_link(), request.user, self.tenant, reference).as_dict()).data)
