"""Which activities the lists show. Whatever looks at contents is asked of those only that the person sees in full."""

from __future__ import annotations

import datetime
from typing import Any

import django_filters
from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from .filters import search_in
from .models import Activity

SEARCHED = ("subject", "location", "notes")
OPEN = ~Q(status__in=(Activity.Status.DONE, Activity.Status.CANCELLED))
WHEN = [("today", "Today"), ("week", "Next seven days"), ("upcoming", "Upcoming"), ("past", "Past"),
        ("none", "Without a date")]
DUE = [("overdue", "Overdue"), ("today", "Today"), ("week", "Next seven days"), ("none", "Without a date")]
OPEN_ONES = "open"
TASK_STATUSES = [(OPEN_ONES, "Open"), *Activity.Status.choices]
#: Filters and orders that tell nothing about contents: with these alone, blocks are shown too.
HARMLESS = ("when", "who", "page")
MEETING_SORTS = {"start": ("start",), "subject": ("subject", "start"), "changed": ("updated_at",)}
TASK_SORTS = {"start": ("start",), "subject": ("subject",), "status": ("status", "start"), "changed": ("updated_at",)}


def looks_at_contents(asked: Any) -> bool:
    """Whether an address asks for more than when and whose: then blocks would tell what they hide."""
    return any(value and name not in HARMLESS and not (name == "sort" and value.removeprefix("-") == "start")
               for name, value in asked.items())


def today() -> tuple[datetime.datetime, datetime.datetime]:
    """The instants at which the person's day begins and ends."""
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + datetime.timedelta(days=1)


def lasting_until(moment: datetime.datetime) -> Q:
    """What is not over at that instant. All-day activities keep the midnight that their last day begins with."""
    return (Q(all_day=True, end__gt=moment - datetime.timedelta(days=1)) | Q(all_day=False, end__gt=moment)
            | Q(end=None, start__gte=moment))


class ActivityFilter(django_filters.FilterSet):
    """Words, status and people, for every kind."""

    q = django_filters.CharFilter(method="by_words")
    status = django_filters.ChoiceFilter(choices=Activity.Status.choices)
    who = django_filters.CharFilter(method="by_person")

    class Meta:
        model = Activity
        fields: list[str] = []

    def by_words(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return search_in(rows, SEARCHED, value.replace("\x00", ""))

    def by_person(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """`mine`, or a user's key. Of a block one learns whose time it is, but not who else takes part."""
        if value != "mine" and not (value.isascii() and value.isdecimal() and len(value) < 18):
            return rows.none()
        key = self.request.user.pk if value == "mine" else int(value)
        member = Activity.users.through.objects.filter(user=key).values("activity_id")
        return rows.filter(Q(assigned_to=key) | Q(is_block=False, pk__in=member))


class MeetingFilter(ActivityFilter):
    """Meetings and calls."""

    kind = django_filters.ChoiceFilter(choices=[("meeting", "Meetings"), ("call", "Calls")])
    when = django_filters.ChoiceFilter(choices=WHEN, method="by_time")

    def by_time(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        begin, end = today()
        match value:
            case "today":
                return rows.filter(lasting_until(begin), start__lt=end)
            case "week":
                return rows.filter(lasting_until(begin), start__lt=begin + datetime.timedelta(days=7))
            case "upcoming":
                return rows.filter(lasting_until(timezone.now()))
            case "past":
                return rows.filter(start__lt=timezone.now()).exclude(lasting_until(timezone.now()))
        return rows.filter(start=None)


class TaskFilter(ActivityFilter):
    """Tasks."""

    status = django_filters.ChoiceFilter(choices=TASK_STATUSES, method="by_status")
    list = django_filters.CharFilter(method="by_list")
    priority = django_filters.ChoiceFilter(choices=Activity.Priority.choices)
    due = django_filters.ChoiceFilter(choices=DUE, method="by_day")

    NO_LIST = "none"

    def by_status(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(OPEN) if value == OPEN_ONES else rows.filter(status=value)

    def by_list(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(task_list="" if value == self.NO_LIST else value)

    def by_day(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        begin, end = today()
        match value:
            case "overdue":
                return rows.filter(OPEN, start__lt=begin)
            case "today":
                return rows.filter(start__gte=begin, start__lt=end)
            case "week":
                return rows.filter(start__gte=begin, start__lt=begin + datetime.timedelta(days=7))
        return rows.filter(start=None)


def sort(rows: QuerySet[Any], order: str, sorts: dict[str, tuple[str, ...]]) -> QuerySet[Any]:
    """Sorted by a key of `sorts`, backwards with a minus in front; what is not known sorts by start. Dateless last."""
    key = order.removeprefix("-")
    backwards = order.startswith("-") and key in sorts
    columns = sorts.get(key, sorts["start"])
    ordered = [F(column).desc(nulls_last=True) if backwards else F(column).asc(nulls_last=True) for column in columns]
    return rows.order_by(*ordered, "pk")


def people(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those to whom any of these activities is assigned, for the choice of a person."""
    owners = rows.order_by().values("assigned_to")
    return get_user_model()._default_manager.filter(pk__in=owners).order_by("first_name", "username")
