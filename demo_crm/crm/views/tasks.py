"""The pages of tasks: a list with filters, and a board with a column for each status."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.views import View

from .. import activity_filters as filters
from ..models import Activity
from ..task_lists import grouped, name_of, task_lists
from .activities import ActivitiesInFull, ActivityRows
from .contacts import safe_way_back

#: A board is for what is going on: of what is closed, the last ones.
CLOSED_SHOWN = 15
OPEN_SHOWN = 100
CLOSED = (Activity.Status.DONE, Activity.Status.CANCELLED)


class _Tasks(ActivityRows):
    kinds = (Activity.Kind.TASK,)
    filter_class = filters.TaskFilter
    sorts = filters.TASK_SORTS
    extra_context: Any = {"section": "tasks", "dues": filters.DUE, "priorities": Activity.Priority.choices}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        lists = task_lists(self.request.user)
        for task in context["activities"]:
            if not task.is_block:
                task.list_name = name_of(task.task_list, lists) if task.task_list else ""
        return {**context, "lists": grouped(lists)[1:]}


class TaskList(_Tasks):
    template_name = "crm/tasks/list.html"
    filter_names = ("q", "status", "list", "priority", "due", "who")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "statuses": filters.TASK_STATUSES}


class TaskBoard(_Tasks):
    """Private tasks of others are not on it: a column would tell their status."""

    template_name = "crm/tasks/board.html"
    filter_names = ("q", "list", "priority", "due", "who")
    paginate_by = None

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(is_block=False)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = self.object_list
        tasks: list[Any] = []
        counts: dict[str, int] = {}
        for status in Activity.Status.values:
            column = rows.filter(status=status)
            counts[status] = column.count()
            tasks += column.order_by("-updated_at")[:CLOSED_SHOWN] if status in CLOSED else column[:OPEN_SHOWN]
        context = super().get_context_data(object_list=tasks, **kwargs)
        context["columns"] = [
            {"status": status, "label": label, "count": counts[status],
             "tasks": [task for task in context["activities"] if task.status == status]}
            for status, label in Activity.Status.choices]
        return context


class TaskStatus(ActivitiesInFull, View):
    """Moves a task to another column: by a button of its card, or, with JSON as the answer, by dragging."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        task = get_object_or_404(self.get_queryset(), pk=pk, kind=Activity.Kind.TASK)
        status = request.POST.get("status", "")
        by_script = request.headers.get("Accept") == "application/json"
        if status not in Activity.Status.values:
            if by_script:
                return JsonResponse({"error": "There is no such status."}, status=400)
            messages.error(request, "There is no such status. Nothing is changed.")
        elif status != task.status:
            task.status = status
            task.save(update_fields=["status", "updated_at"])
        if by_script:
            return JsonResponse({"status": task.status, "label": task.get_status_display()})
        return HttpResponseRedirect(safe_way_back(request, "crm:task-board"))
