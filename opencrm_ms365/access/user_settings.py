"""A user's own settings (USER-05): what they may be, how they are saved, and what they come to together with the
organisation's. The form and the API both save through here.
"""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import Direction, LinkStatus, SyncSettings, UserLink
from . import rights

SWITCHES = ("sync_contacts", "sync_calendar", "sync_tasks", "only_my_items")
DIRECTIONS = ("contact_direction", "activity_direction")
LISTS = ("crm_folders", "microsoft_folders", "task_lists")
NAMES = ("calendar", "default_task_list")
FIELDS = (*SWITCHES, *DIRECTIONS, *LISTS, *NAMES, "task_start_time", "time_zone")
MOST_ENTRIES, LONGEST_ID = 1000, 512


@dataclass(frozen=True, slots=True)
class EffectiveSettings:
    """What holds for one link, the organisation's decisions included. A kind that is off has the switch False."""

    sync_contacts: bool
    sync_calendar: bool
    sync_tasks: bool
    contact_direction: str
    activity_direction: str
    only_my_items: bool
    crm_folders: tuple[str, ...] | None
    microsoft_folders: tuple[str, ...] | None
    calendar: str | None
    task_lists: tuple[str, ...] | None
    default_task_list: str | None
    task_start_time: datetime.time
    time_zone: str


def effective_settings(link: UserLink, organisation: SyncSettings | None = None) -> EffectiveSettings:
    """The user's settings within the organisation's.

    A user who chose one direction before the organisation settled on the opposite one syncs nothing of that kind:
    taking either would widen one of the two.
    """
    org = organisation or SyncSettings.of(link.tenant)
    contacts = narrowed(org.contact_direction, link.contact_direction)
    activities = narrowed(org.activity_direction, link.activity_direction)
    return EffectiveSettings(
        sync_contacts=org.sync_contacts and link.sync_contacts and contacts is not None,
        sync_calendar=org.sync_activities and link.sync_calendar and activities is not None,
        sync_tasks=org.sync_activities and link.sync_tasks and activities is not None,
        contact_direction=contacts or org.contact_direction,
        activity_direction=activities or org.activity_direction,
        only_my_items=link.only_my_items,
        crm_folders=_tuple(link.crm_folders), microsoft_folders=_tuple(link.microsoft_folders),
        calendar=link.calendar, task_lists=_tuple(link.task_lists), default_task_list=link.default_task_list,
        task_start_time=link.task_start_time, time_zone=link.time_zone)


def narrowed(organisation: str, user: str | None) -> str | None:
    """The direction that both allow; None if they exclude each other."""
    if user is None or user == organisation or user == Direction.BOTH:
        return organisation
    return user if organisation == Direction.BOTH else None


def allowed_directions(organisation: str) -> list[str]:
    """What a user may choose besides `the organisation's` (None): narrower, never wider."""
    return [*Direction.values] if organisation == Direction.BOTH else [organisation]


def save_settings(link: UserLink, values: Mapping[str, Any], by: Any) -> UserLink:
    """Store settings; the first time starts the sync (USER-03). Only the names in `values` are changed.

    Raises `ValidationError` with a sentence for each field, `PermissionDenied` if `by` may not change them.
    """
    if not rights.may_edit_settings(by, link.tenant, link):
        raise PermissionDenied(_("Only an administrator can change these settings."))
    cleaned = clean(values, SyncSettings.of(link.tenant))
    now = timezone.now()
    changes: dict[str, Any] = {**cleaned, "settings_saved_at": link.settings_saved_at or now}
    rows = UserLink.objects.filter(pk=link.pk)
    rows.update(**changes)
    # Apart, and conditional: a sign-in that broke while the form was open must not look connected again.
    rows.filter(status=LinkStatus.AWAITING_SETTINGS, token_cache__isnull=False).update(
        status=LinkStatus.CONNECTED, status_reason="", status_since=now)
    rows.filter(status=LinkStatus.CONNECTED).update(due_at=now)
    link.refresh_from_db()
    return link


def clean(values: Mapping[str, Any], organisation: SyncSettings) -> dict[str, Any]:
    """The values as they are stored. Raises `ValidationError` with all that is wrong."""
    cleaned: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in values.items():
        try:
            cleaned[name] = _clean_one(name, value, organisation)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise ValidationError(wrong)
    return cleaned


def _clean_one(name: str, value: Any, organisation: SyncSettings) -> Any:
    if name in SWITCHES:
        if not isinstance(value, bool):
            raise ValueError(_("Choose yes or no."))
        return value
    if name in DIRECTIONS:
        return _clean_direction(value, getattr(organisation, name))
    if name in LISTS:
        return _clean_list(value)
    if name in NAMES:
        if value is not None and not (isinstance(value, str) and 0 < len(value) <= _longest(name)):
            raise ValueError(_("This is not one of the choices."))
        return value
    if name == "task_start_time":
        return _clean_time(value)
    if name == "time_zone":
        return _clean_zone(value)
    raise ValueError(_("There is no such setting."))


def _clean_direction(value: Any, organisation: str) -> str | None:
    if value is None or value == "":
        return None
    if value not in Direction.values:
        raise ValueError(_("This is not one of the directions."))
    if value not in allowed_directions(organisation):
        raise ValueError(_("Your organisation syncs in one direction only: “%(direction)s”. You can leave it at that "
                           "or switch this off.") % {"direction": Direction(organisation).label})
    return str(value)


def _clean_list(value: Any) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or len(value) > MOST_ENTRIES:
        raise ValueError(_("Give a list of choices, or nothing for all."))
    if not all(isinstance(item, str) and len(item) <= LONGEST_ID for item in value):
        raise ValueError(_("One of these is not a choice."))
    return list(dict.fromkeys(value))


def _clean_time(value: Any) -> datetime.time:
    if isinstance(value, datetime.time):
        return value.replace(second=0, microsecond=0, tzinfo=None)
    for form in ("%H:%M", "%H:%M:%S"):
        try:
            return datetime.datetime.strptime(str(value), form).time().replace(second=0)
        except ValueError:
            continue
    raise ValueError(_("Give a time of day such as 09:00."))


def _clean_zone(value: Any) -> str:
    if value in (None, ""):
        return ""
    try:
        return zoneinfo.ZoneInfo(value).key
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, AttributeError, OSError):
        raise ValueError(_("This is not a time zone; one is called Europe/London, for example.")) from None


def _longest(name: str) -> int:
    return int(getattr(UserLink._meta.get_field(name), "max_length", None) or LONGEST_ID)


def _tuple(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)
