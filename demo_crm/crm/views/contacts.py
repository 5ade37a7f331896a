"""The pages of contacts. Each starts from the contacts that the signed-in user may see; others do not exist for it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.messages.views import SuccessMessageMixin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views import View
from django.views.generic import CreateView, DetailView, ListView, UpdateView

from ..filters import DEFAULT_SORT, ContactFilter, sort
from ..forms import ContactForm
from ..models import Contact, ContactFolder

PAGE_SIZE = 25
NAMED_IN_CONFIRMATION = 12


class VisibleContacts(LoginRequiredMixin):
    """The contacts that are there for the signed-in user."""

    request: HttpRequest

    def get_queryset(self) -> QuerySet[Any]:
        contacts = Contact.objects.alive().visible_to(self.request.user)
        return contacts.select_related("assigned_to").prefetch_related("folders")


class LastPage:
    """For lists: a page that is not there any more, after a deletion, say, is the last one and no error."""

    page_kwarg: str
    request: HttpRequest

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        # A mixin of Django's generic views.
        paginator = self.get_paginator(queryset, page_size)                     # type: ignore[attr-defined]
        page = paginator.get_page(self.request.GET.get(self.page_kwarg))
        return paginator, page, page.object_list, page.has_other_pages()


class ContactList(LastPage, VisibleContacts, ListView):
    template_name = "crm/contacts/list.html"
    context_object_name = "contacts"
    paginate_by = PAGE_SIZE

    def get_queryset(self) -> QuerySet[Any]:
        contacts = ContactFilter(self.request.GET, super().get_queryset(), request=self.request).qs
        return sort(contacts, self.order)

    @property
    def order(self) -> str:
        return self.request.GET.get("sort", DEFAULT_SORT)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        page = context["page_obj"]
        get = self.request.GET
        context.update(
            folders=ContactFolder.objects.all(), order=self.order, q=get.get("q", ""), folder=get.get("folder", ""),
            owner=get.get("owner", ""), is_filtered=any(get.get(name) for name in ("q", "folder", "owner")),
            pages=page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
        )
        return context


class ContactDetail(VisibleContacts, DetailView):
    template_name = "crm/contacts/detail.html"
    context_object_name = "contact"


class _ContactFormView(VisibleContacts, SuccessMessageMixin):
    form_class: Any = ContactForm
    template_name: Any = "crm/contacts/form.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        # A mixin of Django's generic views.
        return {**super().get_form_kwargs(), "user": self.request.user}  # type: ignore[misc]

    def get_success_message(self, cleaned_data: dict[str, Any]) -> str:
        return f"{self.object} is saved."  # type: ignore[attr-defined]  # a mixin of Django's generic views


class ContactCreate(_ContactFormView, CreateView):
    pass


class ContactEdit(_ContactFormView, UpdateView):
    context_object_name = "contact"


class ContactBulkDelete(VisibleContacts, View):
    """Deletes what was ticked in the list, or one contact from its page: first it asks, then it does."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = self.get_queryset().filter(pk__in=chosen_ids(request))
        back = safe_way_back(request)
        if not chosen.exists():
            messages.warning(request, "Nothing was deleted: no contact was chosen.")
            return HttpResponseRedirect(back)
        if "confirmed" not in request.POST:
            return self.ask(request, chosen, back)
        count = Contact.objects.filter(pk__in=chosen.values("pk")).soft_delete(timezone.now())
        messages.success(
            request, f"{count} contact{'s' if count != 1 else ''} deleted. They can be restored from Deleted contacts.")
        return HttpResponseRedirect(back)

    def ask(self, request: HttpRequest, chosen: QuerySet[Any], back: str) -> HttpResponse:
        contacts = list(chosen)
        shown = contacts[:NAMED_IN_CONFIRMATION]
        return render(request, "crm/contacts/confirm_delete.html", {
            "contacts": contacts, "shown": shown, "more": len(contacts) - len(shown), "next": back})


class DeletedContacts(LoginRequiredMixin, ListView):
    """What was deleted and can be restored."""

    template_name = "crm/contacts/deleted.html"
    context_object_name = "contacts"
    paginate_by = PAGE_SIZE

    def get_queryset(self) -> QuerySet[Any]:
        visible = Contact.objects.visible_to(self.request.user).filter(deleted_at__isnull=False)
        return visible.select_related("assigned_to").order_by("-deleted_at", "pk")

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = Contact.objects.filter(pk__in=self.get_queryset().filter(pk__in=chosen_ids(request)).values("pk"))
        count = chosen.update(deleted_at=None, updated_at=timezone.now())
        messages.success(request, f"{count} contact{'s' if count != 1 else ''} restored.")
        return redirect("crm:deleted-contacts")


def chosen_ids(request: HttpRequest) -> list[int]:
    """The ticked rows; what is no number is nobody's row."""
    return [int(text) for text in request.POST.getlist("ids") if text.isascii() and text.isdecimal() and len(text) < 18]


def safe_way_back(request: HttpRequest, otherwise: str = "crm:contacts") -> str:
    """Where the person came from, if that is a page of ours that still exists; else the list."""
    url = request.POST.get("next", "")
    if url and url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure()):
        return url
    return reverse(otherwise)
