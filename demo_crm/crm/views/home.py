"""The page that one lands on, and the page about oneself."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import LoginView
from django.db.models import Count, Q
from django.utils import timezone
from django.views.generic import TemplateView

from ..activity_filters import OPEN, lasting_until
from ..company import COLLEAGUES
from ..models import Activity, Contact, ContactFolder, taking_part

RECENT = 8
COMING_UP = 6
NEW_WITHIN = datetime.timedelta(days=7)


class Home(LoginRequiredMixin, TemplateView):
    template_name = "crm/home.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        visible = Contact.objects.alive().visible_to(user)
        numbers = visible.aggregate(
            all=Count("pk"), mine=Count("pk", filter=Q(assigned_to=user)),
            changed=Count("pk", filter=Q(updated_at__gte=timezone.now() - NEW_WITHIN)),
            synced=Count("pk", filter=Q(sync_to_microsoft=True)))
        folders = ContactFolder.objects.annotate(size=Count("contacts", filter=Q(contacts__in=visible), distinct=True))
        coming_up = Activity.objects.alive().filter(taking_part(user), OPEN, lasting_until(timezone.now()))
        return super().get_context_data(
            numbers=numbers, folders=folders, coming_up=coming_up.order_by("start", "pk")[:COMING_UP],
            recent=visible.select_related("assigned_to").prefetch_related("folders").order_by("-updated_at")[:RECENT],
            **kwargs)


class Profile(LoginRequiredMixin, TemplateView):
    template_name = "crm/profile.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user: Any = self.request.user
        teams = user.teams.prefetch_related("members")
        contacts = Contact.objects.alive().filter(assigned_to=user).count()
        return super().get_context_data(teams=teams, contact_count=contacts, **kwargs)


class SignIn(LoginView):
    """The sign-in page; in the demo it offers the demo's people."""

    template_name = "crm/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        known = set(get_user_model()._default_manager.values_list("username", flat=True)[:100])
        people = [colleague for colleague in COLLEAGUES if colleague.username in known]
        return super().get_context_data(colleagues=people, **kwargs)
