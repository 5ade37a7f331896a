"""The calendar: the page with a plain list of the week, what the script shows of it, and moving by dragging.

Between page and server all times are wall clock times in the person's zone; days stand for themselves.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views import View
from django.views.generic import TemplateView

from .. import times
from ..activity_filters import lasting_until
from ..forms import full_name
from ..models import Activity
from ..privacy import for_viewer, shown
from .activities import ActivitiesInFull

DAY = datetime.timedelta(days=1)
LONGEST = datetime.timedelta(days=100)
SHOWN_LENGTH = datetime.timedelta(minutes=30)            # of what has no end
DEFAULT_LENGTH = datetime.timedelta(hours=1)             # of what was all-day until now
LATEST_YEAR = 9000


class BadRequest(Exception):
    """What was sent makes no sense; the text says why, for people."""


def in_range(rows: QuerySet[Any], begin: datetime.datetime, end: datetime.datetime, whose: str, user: Any,
             ) -> QuerySet[Any]:
    """What happens between two instants, with a day to spare for all-day activities of other zones."""
    rows = rows.filter(Q(lasting_until(begin - DAY)), start__lt=end + DAY)
    if whose == "mine":
        member = Activity.users.through.objects.filter(user=user.pk).values("activity_id")
        rows = rows.filter(Q(assigned_to=user.pk) | Q(is_block=False, pk__in=member))
    return rows.select_related("assigned_to").prefetch_related("users").order_by("start", "pk")


class Calendar(LoginRequiredMixin, TemplateView):
    """The page. Without scripts it is a list of the week that `?day=` is in."""

    template_name = "crm/calendar/page.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        day = self.day()
        monday = day - datetime.timedelta(days=day.weekday())
        whose = self.request.GET.get("whose", "")
        zone = timezone.get_current_timezone()
        rows = in_range(for_viewer(self.request), times.midnight(monday, zone),
                        times.midnight(monday + 7 * DAY, zone), whose, self.request.user)
        return super().get_context_data(
            section="calendar", week=week_of(rows, monday), monday=monday, sunday=monday + 6 * DAY, whose=whose,
            previous=monday - 7 * DAY, next=monday + 7 * DAY, zone=timezone.get_current_timezone_name(), **kwargs)

    def day(self) -> datetime.date:
        try:
            day = datetime.date.fromisoformat(self.request.GET.get("day", ""))
        except ValueError:
            return timezone.localdate()
        return day if 1 < day.year < LATEST_YEAR else timezone.localdate()


def week_of(rows: QuerySet[Any], monday: datetime.date) -> list[tuple[datetime.date, list[Any]]]:
    """Seven days with what happens on each."""
    week: dict[datetime.date, list[Any]] = {monday + DAY * number: [] for number in range(7)}
    for activity in rows:
        item = shown(activity)
        first, last = days_of(item)
        for day in week:
            if first <= day <= last:
                week[day].append(item)
    for items in week.values():
        items.sort(key=lambda item: not item.all_day)
    return list(week.items())


def days_of(item: Any) -> tuple[datetime.date, datetime.date]:
    """The first and the last day, in the person's zone; what ends at midnight does not reach into the next day."""
    if item.all_day:
        return item.days
    first = timezone.localtime(item.start).date()
    if item.end is None or item.end <= item.start:
        return first, first
    return first, timezone.localtime(item.end - datetime.timedelta(microseconds=1)).date()


class CalendarFeed(LoginRequiredMixin, View):
    """What the calendar shows between `start` and `end` (wall clock times), as JSON; with `whose=mine` one's own."""

    def get(self, request: HttpRequest) -> HttpResponse:
        zone = timezone.get_current_timezone()
        try:
            begin, end = (moment(request.GET.get(name, ""), zone) for name in ("start", "end"))
            if not begin < end <= begin + LONGEST:
                raise BadRequest(f"The calendar shows at most {LONGEST.days} days at once, the first one first.")
        except BadRequest as error:
            return JsonResponse({"error": str(error)}, status=400)
        rows = in_range(for_viewer(request), begin, end, request.GET.get("whose", ""), request.user)
        return JsonResponse([entry(activity, request.user) for activity in rows], safe=False)


def entry(activity: Any, viewer: Any) -> dict[str, Any]:
    """One activity as the calendar's script wants it."""
    item = shown(activity)
    owner = item.assigned_to
    found: dict[str, Any] = {
        "id": f"block-{activity.pk}" if item.is_block else str(activity.pk), "allDay": item.all_day,
        **clock_times(item), "title": item.title, "editable": not item.is_block}
    extra = {"owner": full_name(owner) if owner and owner.pk != viewer.pk else "", "isBlock": item.is_block}
    if item.is_block:
        return {**found, "classNames": ["kind-block"], "extendedProps": extra}
    extra |= {"url": item.get_absolute_url(), "move": reverse("crm:activity-move", args=[item.pk]),
              "location": item.location, "kind": item.get_kind_display(), "isPrivate": item.private,
              "isSeries": bool(item.series or item.recurrence)}
    names = [f"kind-{item.kind}"] + [name for name, holds in (
        ("is-closed", item.is_closed), ("is-cancelled", item.status == Activity.Status.CANCELLED),
        ("is-others", not takes_part(item, viewer))) if holds]
    return {**found, "classNames": names, "extendedProps": extra}


def clock_times(item: Any) -> dict[str, str]:
    """Start and end as the person's clock shows them; of an all-day activity the end is the day after the last."""
    if item.all_day:
        first, last = item.days
        return {"start": first.isoformat(), "end": (last + DAY).isoformat()}
    start = timezone.localtime(item.start)
    end = timezone.localtime(item.end or item.start + SHOWN_LENGTH)
    return {"start": f"{start:%Y-%m-%dT%H:%M:%S}", "end": f"{end:%Y-%m-%dT%H:%M:%S}"}


def takes_part(activity: Any, user: Any) -> bool:
    return activity.assigned_to_id == user.pk or any(item.pk == user.pk for item in activity.users.all())


class ActivityMove(ActivitiesInFull, View):
    """Takes what was dragged: JSON with `start`, `all_day`, and `end` if the length changed too."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        activity = get_object_or_404(self.get_queryset().filter(start__isnull=False), pk=pk)
        try:
            asked = asked_for(request)
            move(activity, asked, timezone.get_current_timezone())
        except BadRequest as error:
            return JsonResponse({"error": str(error)}, status=400)
        activity.save(update_fields=["start", "end", "all_day", "updated_at"])
        return JsonResponse(entry(activity, request.user))


def asked_for(request: HttpRequest) -> dict[str, Any]:
    try:
        asked = json.loads(request.body)
    except ValueError as error:
        raise BadRequest("This is not JSON.") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("all_day"), bool):
        raise BadRequest("Say where it goes: start, all_day, and end if the length changes.")
    return asked


def move(activity: Any, asked: dict[str, Any], zone: datetime.tzinfo) -> None:
    """Set the new times. The length stays, unless an end is given; an open end stays open."""
    new_end = asked.get("end")
    if asked["all_day"]:
        if activity.is_task:
            raise BadRequest("A task starts at a time of day.")
        first = day_from(asked.get("start"))
        length = activity.days[1] - activity.days[0] if activity.all_day else datetime.timedelta()
        last = day_from(new_end) - DAY if new_end is not None else first + length
        if last < first:
            raise BadRequest("It cannot end before it starts.")
        activity.start, activity.end = times.midnight(first, activity.zone), times.midnight(last, activity.zone)
    else:
        start = moment(asked.get("start"), zone)
        if new_end is not None:
            end = moment(new_end, zone)
            if end < start:
                raise BadRequest("It cannot end before it starts.")
        elif activity.all_day:
            end = start + DEFAULT_LENGTH
        else:
            end = start + (activity.end - activity.start) if activity.end else None
        activity.start, activity.end = start, end
    activity.all_day = asked["all_day"]


def moment(text: Any, zone: datetime.tzinfo) -> datetime.datetime:
    """The instant of a wall clock time or of a day's beginning. Raises `BadRequest`."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise BadRequest("A time is written as 2026-11-23T09:00.") from error
    if found.tzinfo is not None or not 1 < found.year < LATEST_YEAR:
        raise BadRequest("A time is written without a zone, in the years of this calendar.")
    return times.at(found.date(), found.time(), zone)


def day_from(text: Any) -> datetime.date:
    return moment(text, datetime.UTC).date()
