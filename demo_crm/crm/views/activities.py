"""The pages of meetings and calls, and what tasks share with them.

Each starts from what the signed-in person may see (PRIV-02): what they may open, change and delete comes from
`in_full`; lists and the calendar show blocks of others' private time as well, where the organisation wants that.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views import View
from django.views.generic import CreateView, DetailView, ListView, UpdateView

from .. import activity_filters as filters
from ..activity_forms import MeetingForm, TaskForm, proposed_times
from ..models import Activity
from ..privacy import for_viewer, in_full, shown
from ..task_lists import name_of, task_lists
from .contacts import NAMED_IN_CONFIRMATION, PAGE_SIZE, LastPage, chosen_ids, safe_way_back

MEETINGS = (Activity.Kind.MEETING, Activity.Kind.CALL)


class ActivitiesInFull(LoginRequiredMixin):
    """The activities that the signed-in person may open, change and delete; others do not exist for these pages."""

    request: HttpRequest

    def get_queryset(self) -> QuerySet[Any]:
        return in_full(self.request).select_related("assigned_to").prefetch_related("users")


class ActivityRows(LastPage, LoginRequiredMixin, ListView):
    """A list with filters. Each kind of page says which kinds, filters and orders it has."""

    context_object_name = "activities"
    paginate_by: int | None = PAGE_SIZE
    kinds: tuple[str, ...]
    filter_class: Any
    filter_names: tuple[str, ...]
    sorts: dict[str, tuple[str, ...]]

    @property
    def order(self) -> str:
        return self.request.GET.get("sort", "start")

    def visible(self) -> QuerySet[Any]:
        return for_viewer(self.request).filter(kind__in=self.kinds)

    def get_queryset(self) -> QuerySet[Any]:
        rows = self.visible()
        if filters.looks_at_contents(self.request.GET):
            rows = rows.filter(is_block=False)
        rows = self.filter_class(self.request.GET, rows, request=self.request).qs
        rows = rows.select_related("assigned_to").prefetch_related("users")
        return filters.sort(rows, self.order, self.sorts)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        asked = {name: self.request.GET.get(name, "") for name in self.filter_names}
        context["activities"] = [shown(activity) for activity in context["activities"]]
        if page := context["page_obj"]:
            context["pages"] = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
        return {**context, "asked": asked, "is_filtered": any(asked.values()), "order": self.order,
                "colleagues": filters.people(self.visible()), "statuses": Activity.Status.choices}


class ActivityList(ActivityRows):
    template_name = "crm/activities/list.html"
    kinds = MEETINGS
    filter_class = filters.MeetingFilter
    filter_names = ("q", "kind", "when", "who", "status")
    sorts = filters.MEETING_SORTS
    extra_context = {"section": "calendar", "whens": filters.WHEN}


class ActivityDetail(ActivitiesInFull, DetailView):
    template_name = "crm/activities/detail.html"
    context_object_name = "activity"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        activity = self.object
        owner = [activity.assigned_to] if activity.assigned_to else []
        others = [user for user in activity.users.all() if user != activity.assigned_to]
        return super().get_context_data(
            section=section_of(activity), people=[*owner, *others],
            list_name=name_of(activity.task_list, task_lists(self.request.user)) if activity.is_task else "", **kwargs)


class _ActivityFormView(ActivitiesInFull):
    template_name: Any = "crm/activities/form.html"
    object: Any

    def get_form_kwargs(self) -> dict[str, Any]:
        # A mixin of Django's generic views.
        return {**super().get_form_kwargs(), "user": self.request.user}  # type: ignore[misc]

    def form_valid(self, form: Any) -> HttpResponse:
        """Whoever makes somebody else's private meeting does not see it afterwards: there is no page to go to."""
        self.object = form.save()
        if in_full(self.request).filter(pk=self.object.pk).exists():
            messages.success(self.request, f"{self.object.title} is saved.")
            return redirect(self.object)
        messages.success(self.request, "It is saved. It is private, and you do not take part: you do not see it.")
        return redirect("crm:tasks" if self.object.is_task else "crm:calendar")


class MeetingCreate(_ActivityFormView, CreateView):
    form_class = MeetingForm
    extra_context = {"section": "calendar"}

    def get_initial(self) -> dict[str, Any]:
        kind = self.request.GET.get("kind")
        return {**proposed_times(self.request.GET.dict()), "kind": kind if kind in MEETINGS else Activity.Kind.MEETING}


class TaskCreate(_ActivityFormView, CreateView):
    form_class = TaskForm
    extra_context = {"section": "tasks", "is_task": True}

    def get_initial(self) -> dict[str, Any]:
        status, task_list = self.request.GET.get("status", ""), self.request.GET.get("list", "")
        return {"start_day": timezone.localdate(), "task_list": task_list,
                "status": status if status in Activity.Status.values else Activity.Status.NOT_STARTED}


class ActivityEdit(_ActivityFormView, UpdateView):
    context_object_name = "activity"

    def get_form_class(self) -> Any:
        return TaskForm if self.object.is_task else MeetingForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(section=section_of(self.object), is_task=self.object.is_task, **kwargs)


class ActivityBulkDelete(ActivitiesInFull, View):
    """Deletes what was ticked in a list, or one activity from its page: first it asks, then it does."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = self.get_queryset().filter(pk__in=chosen_ids(request))
        back = safe_way_back(request, "crm:activities")
        if not chosen.exists():
            messages.warning(request, "Nothing was deleted: nothing was chosen.")
            return HttpResponseRedirect(back)
        if "confirmed" not in request.POST:
            return self.ask(request, chosen, back)
        count = Activity.objects.filter(pk__in=list(chosen.values_list("pk", flat=True))).soft_delete(timezone.now())
        messages.success(request, f"{count} deleted. What was deleted can be restored from Deleted.")
        return HttpResponseRedirect(back)

    def ask(self, request: HttpRequest, chosen: QuerySet[Any], back: str) -> HttpResponse:
        activities = list(chosen)
        named = activities[:NAMED_IN_CONFIRMATION]
        people = {user for activity in activities for user in activity.users.all() if user != request.user}
        return render(request, "crm/activities/confirm_delete.html", {
            "activities": activities, "named": named, "more": len(activities) - len(named), "next": back,
            "people": sorted(people, key=str), "section": section_of(activities[0])})


class DeletedActivities(LoginRequiredMixin, LastPage, ListView):
    """What was deleted and can be restored, private activities of others not among it."""

    template_name = "crm/activities/deleted.html"
    context_object_name = "activities"
    paginate_by = PAGE_SIZE

    @property
    def section(self) -> str:
        return "tasks" if self.request.GET.get("kind") == Activity.Kind.TASK else "calendar"

    def get_queryset(self) -> QuerySet[Any]:
        kinds = (Activity.Kind.TASK,) if self.section == "tasks" else MEETINGS
        deleted = Activity.objects.in_full(self.request.user).filter(deleted_at__isnull=False, kind__in=kinds)
        return deleted.select_related("assigned_to").order_by("-deleted_at", "pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(section=self.section, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponse:
        keys = list(self.get_queryset().filter(pk__in=chosen_ids(request)).values_list("pk", flat=True))
        count = Activity.objects.filter(pk__in=keys).update(deleted_at=None, updated_at=timezone.now())
        messages.success(request, f"{count} restored.")
        return HttpResponseRedirect(f"{reverse('crm:deleted-activities')}?kind={request.GET.get('kind', '')}")


def section_of(activity: Any) -> str:
    """The part of the navigation that an activity belongs to."""
    return "tasks" if activity.is_task else "calendar"
