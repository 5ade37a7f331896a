"""Small things for the CRM's own templates."""

from __future__ import annotations

import zlib
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .. import times

register = template.Library()
TONES = 6


@register.simple_tag
def icon(name: str) -> SafeString:
    """A symbol from the sprite `icons.svg`; it says nothing to a screen reader, the text beside it does."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        static("crm/icons.svg"), name)


@register.filter
def tone(thing: Any) -> int:
    """A number from 1 to `TONES` that is always the same for the same name: the colour of its initials."""
    return zlib.crc32(str(thing).encode()) % TONES + 1


@register.filter
def initials(person: Any) -> str:
    """Of a user."""
    words = (person.get_full_name() or person.get_username()).split()
    return "".join(word[0] for word in words[:2]).upper()


@register.filter
def person_name(person: Any) -> str:
    """A user as people call them."""
    return person.get_full_name() or person.get_username() if person else "Nobody"


@register.filter
def when(activity: Any) -> str:
    """When something is, in the person's zone; whole days are the same everywhere."""
    if activity.start is None:
        return "No date"
    if activity.all_day:
        return times.days(*activity.days)
    end = getattr(activity, "end", None)
    return times.span(timezone.localtime(activity.start), timezone.localtime(end) if end else None)


@register.filter
def clock(activity: Any) -> str:
    """The time of day only, for lists of one day."""
    if activity.all_day:
        return "All day"
    start, end = timezone.localtime(activity.start), activity.end and timezone.localtime(activity.end)
    return f"{start:%H:%M}–{end:%H:%M}" if end and end != start else f"{start:%H:%M}"


@register.filter
def when_there(activity: Any) -> str:
    """When it is on the clocks of its own zone; empty where those show the same as the person's."""
    if activity.start is None or activity.all_day:
        return ""
    here, there = timezone.localtime(activity.start), activity.start.astimezone(activity.zone)
    if here.utcoffset() == there.utcoffset():
        return ""
    end = activity.end.astimezone(activity.zone) if activity.end else None
    return f"{times.span(there, end)} ({activity.time_zone.replace('_', ' ')})"


@register.inclusion_tag("crm/parts/sort_heading.html", takes_context=True)
def sort_heading(context: Any, key: str, label: str) -> dict[str, Any]:
    """The heading of a column that can be sorted by; a second click turns the order round."""
    order = context["order"]
    is_current = order.removeprefix("-") == key
    return {
        "request": context["request"], "label": label, "next_order": f"-{key}" if order == key else key,
        "direction": ("descending" if order.startswith("-") else "ascending") if is_current else "",
    }
