"""What the sync has to know of this CRM."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from opencrm_ms365 import adapters as ms

from .models import Activity, Contact, ContactFolder


@ms.directory
class Directory(ms.DirectoryAdapter):
    """Default user model: every default is right, nothing to override."""


def team_scope(rows: QuerySet[Any], ctx: Any, owner: str) -> QuerySet[Any]:
    """One's own records and those of the members of one's teams; superusers see all."""
    if ctx.user.is_superuser:
        return rows
    return rows.filter(Q(**{owner: ctx.user}) | Q(**{f"{owner}__teams__members": ctx.user})).distinct()


@ms.register(Contact)
class ContactAdapter(ms.ContactAdapter):
    fields = dict(  # noqa: C408 - reads like a table
        given_name="first_name", surname="last_name", job_title="job_title",
        company_name="company", department="department",
        emails=ms.Columns("email", "email2", "email3"),
        business_phone="phone", home_phone="home_phone", mobile_phone="mobile",
        business_address=ms.Address(
            street="street", city="city", state="state", postal_code="postcode", country="country"),
        web="website", birthday="birthday", notes="notes",
    )
    owner = ms.Users("assigned_to")
    folders = ms.M2M("folders", lookup="name", queryset=ContactFolder.objects.all(), create=True)
    sync_flag = ms.Col("sync_to_microsoft")
    soft_delete = Q(deleted_at__isnull=False)
    modified_field = "updated_at"

    def visible_to(self, rows: QuerySet[Any], ctx: Any) -> QuerySet[Any]:
        return team_scope(rows, ctx, "assigned_to")


@ms.register(Activity, name="meetings")
class MeetingAdapter(ms.EventAdapter):
    base_filter = Q(kind__in=["meeting", "call"])
    fields = dict(  # noqa: C408 - reads like a table
        subject="subject", body="notes", start="start", end="end", all_day="all_day", time_zone="time_zone",
        location="location", private="private", recurrence="recurrence", series_key="series",
        status=ms.Choice("status", {"cancelled": ms.CANCELLED}, default=ms.UNSET),
    )
    owner = ms.Users("assigned_to")
    users = ms.Users("users")
    soft_delete = Q(deleted_at__isnull=False)
    modified_field = "updated_at"

    def visible_to(self, rows: QuerySet[Any], ctx: Any) -> QuerySet[Any]:
        return team_scope(rows, ctx, "assigned_to")

    def create_defaults(self, data: Any, ctx: Any) -> dict[str, Any]:
        return {"kind": "meeting"}
