"""Runs, problems, conflicts, decisions and deletions in the admin: to look at. They are settled on our own pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..models import Conflict, DeletedRecord, HeldDecision, SyncProblem, SyncRun
from ..templatetags.ms365 import ms365_duration, ms365_run_sentence
from ..views.deciding import described_decisions
from ..views.fieldnames import field_name
from ..views.seen import context_for, directory
from ..views.undoing import described_deletions
from .readonly import ReadOnlyAdmin, one_organisation, shown_name, when


class LogAdmin(ReadOnlyAdmin):
    """Rows of a link. `columns` and `details` are for the list and the page; the organisation comes first if there are
    several."""

    list_select_related = ("link__user",)
    columns: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    def get_list_display(self, request: HttpRequest) -> Any:
        return self.columns if one_organisation() else ("tenant", *self.columns)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.details

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.details

    def get_object(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The row, and who looks at it: this admin object serves many requests at once and must not remember one."""
        row = super().get_object(request, *args, **kwargs)
        if row is not None:
            row._viewer = request
        return row

    @admin.display(description=gettext_lazy("user"), ordering="link__user")
    def person(self, row: Any) -> str:
        return str(directory().display_name(row.link.user))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"title": self.opts.verbose_name_plural, **(extra_context or {})})


@admin.register(SyncRun)
class SyncRunAdmin(LogAdmin):
    columns = ("asked", "person", "trigger", "state", "outcome", "took", "requests")
    details = ("person", "trigger", "state", "outcome", "queued_at", "started_at", "finished_at", "took", "counts",
               "requests")
    list_filter = ("state", "trigger")
    date_hierarchy = "queued_at"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("operations")

    @admin.display(description=gettext_lazy("asked for"), ordering="queued_at")
    def asked(self, run: SyncRun) -> str:
        return when(run.queued_at)

    @admin.display(description=gettext_lazy("what it did"))
    def outcome(self, run: SyncRun) -> str:
        return ms365_run_sentence(run)

    @admin.display(description=gettext_lazy("took"))
    def took(self, run: SyncRun) -> str:
        return ms365_duration(run)


@admin.register(SyncProblem)
class SyncProblemAdmin(LogAdmin):
    columns = ("seen", "person", "kind", "reason", "times", "is_warning", "ignored")
    details = ("person", "kind", "record", "reason", "code", "request_id", "first_at", "last_at", "times",
               "next_try_at", "is_warning", "ignored", "resolved_at")
    list_filter = ("kind", "is_warning", "ignored", ("resolved_at", admin.EmptyFieldListFilter), "code")
    search_fields = ("reason", "request_id")

    @admin.display(description=gettext_lazy("last seen"), ordering="last_at")
    def seen(self, row: SyncProblem) -> str:
        return when(row.last_at)

    @admin.display(description=gettext_lazy("record"))
    def record(self, row: Any) -> str:
        return shown_name(row._viewer, row)


@admin.register(Conflict)
class ConflictAdmin(LogAdmin):
    columns = ("seen", "person", "kind", "field_in_words", "winner", "taken_other_at")
    details = ("person", "kind", "record", "field_in_words", "winner", "at", "taken_other_at")
    list_filter = ("kind", "winner")

    @admin.display(description=gettext_lazy("at"), ordering="at")
    def seen(self, row: Conflict) -> str:
        return when(row.at)

    @admin.display(description=gettext_lazy("field"), ordering="field")
    def field_in_words(self, row: Conflict) -> str:
        return field_name(row.field)

    @admin.display(description=gettext_lazy("record"))
    def record(self, row: Any) -> str:
        return shown_name(row._viewer, row)


@admin.register(HeldDecision)
class HeldDecisionAdmin(LogAdmin):
    columns = ("seen", "person", "kind", "reason", "state", "decided_at")
    details = ("person", "kind", "reason", "sentence", "state", "at", "decided_at", "decided")
    list_filter = ("state", "reason", "kind")

    @admin.display(description=gettext_lazy("since"), ordering="at")
    def seen(self, row: HeldDecision) -> str:
        return when(row.at)

    @admin.display(description=gettext_lazy("what waits"))
    def sentence(self, row: Any) -> str:
        return str(described_decisions(row._viewer.user, row.tenant, [row])[0]["sentence"])

    @admin.display(description=gettext_lazy("decided by"))
    def decided(self, row: HeldDecision) -> str:
        return str(directory().display_name(row.decided_by)) if row.decided_by else _("nobody yet")


@admin.register(DeletedRecord)
class DeletedRecordAdmin(LogAdmin):
    """Undoing is done on the user's page “Deleted”, where the CRM's own rules are asked."""

    columns = ("seen", "person", "kind", "undone_at")
    details = ("person", "kind", "record", "at", "undone_at", "undone")
    list_filter = ("kind", ("undone_at", admin.EmptyFieldListFilter))

    @admin.display(description=gettext_lazy("at"), ordering="at")
    def seen(self, row: DeletedRecord) -> str:
        return when(row.at)

    @admin.display(description=gettext_lazy("record"))
    def record(self, row: Any) -> str:
        """Its name, for those who could see the record."""
        viewer = row._viewer.user
        with directory().activate(context_for(viewer, row.tenant)):
            return str(described_deletions(viewer, row.tenant, [row])[0]["label"])

    @admin.display(description=gettext_lazy("undone by"))
    def undone(self, row: DeletedRecord) -> str:
        return str(directory().display_name(row.undone_by)) if row.undone_by else _("nobody yet")
