"""The pages of contact folders."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.db.models import Count, Max, Q, QuerySet
from django.urls import reverse_lazy
from django.views.generic import CreateView, DeleteView, UpdateView

from ..forms import FolderForm
from ..models import Contact, ContactFolder


class _Folders(LoginRequiredMixin, SuccessMessageMixin):
    model = ContactFolder
    success_url: Any = reverse_lazy("crm:folders")

    def get_queryset(self) -> QuerySet[Any]:
        """All folders, with how many of their contacts the signed-in user sees."""
        # The view's mixin has the request.
        visible = Contact.objects.alive().visible_to(self.request.user)  # type: ignore[attr-defined]
        return ContactFolder.objects.annotate(
            size=Count("contacts", filter=Q(contacts__in=visible), distinct=True)).order_by("position", "name")


class FolderList(_Folders, CreateView):
    """All folders, and the form that adds one."""

    form_class = FolderForm
    template_name = "crm/folders/list.html"
    success_message = "The folder %(name)s is there now."

    def get_initial(self) -> dict[str, Any]:
        last = ContactFolder.objects.aggregate(last=Max("position"))["last"]
        return {"position": 1 if last is None else last + 1}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(folders=self.get_queryset(), **kwargs)


class FolderEdit(_Folders, UpdateView):
    form_class = FolderForm
    template_name = "crm/folders/form.html"
    context_object_name = "folder"
    success_message = "The folder %(name)s is saved."


class FolderDelete(_Folders, DeleteView):
    """Deletes the folder; its contacts stay."""

    template_name = "crm/folders/confirm_delete.html"
    context_object_name = "folder"
    success_message = "The folder is deleted; its contacts are still there."
