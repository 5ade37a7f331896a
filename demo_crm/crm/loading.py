"""Puts the company of the demo into the database.

Safe to run again: people, teams, folders and task lists are made where they are missing. Contacts are loaded only into
a CRM that has never had any, and so are activities: what a visitor deleted or changed stays as they left it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from opencrm_ms365.access import activation
from opencrm_ms365.models import SyncSettings

from ..keys import vendor_keys
from . import times
from .company import (
    AWKWARD,
    COLLEAGUES,
    FOLDERS,
    MICROSOFT_TENANT_NAME,
    SHARED_PEOPLE,
    TASK_LISTS,
    TEAMS,
    shared_owner,
)
from .diary import activities as invented_activities
from .invented import contacts as invented_contacts
from .invented import plain
from .models import Activity, Contact, ContactFolder, OwnTaskList, Team

CONTACTS = 400
ACTIVATED_USERS = 25
VALID_FOR = datetime.timedelta(days=3650)
UNEVEN = datetime.timedelta(minutes=17)           # so that not all was entered at the same time of day
SHARED_JOBS = ("Managing director", "Buyer", "Office manager", "Partner", "Workshop manager")


class Loaded(NamedTuple):
    """How many records were made."""

    contacts: int
    activities: int


@transaction.atomic
def load(*, tenant_id: str = "") -> Loaded:
    """Load everything that is missing; returns how many records were made.

    With a `tenant_id` the organisation is authorised for that Microsoft tenant and the sync is switched on.
    """
    people = {colleague.username: _user(colleague) for colleague in COLLEAGUES}
    for name, members in TEAMS.items():
        team, is_new = Team.objects.get_or_create(name=name)
        if is_new:
            team.members.set(people[member] for member in members)
    folders = {
        name: ContactFolder.objects.get_or_create(name=name, defaults={"position": position})[0]
        for position, name in enumerate(FOLDERS, start=1)
    }
    for position, (key, name) in enumerate(TASK_LISTS, start=1):
        OwnTaskList.objects.get_or_create(key=key, defaults={"name": name, "position": position})
    if tenant_id:
        _authorise(tenant_id)
        _activate()
    return Loaded(
        contacts=0 if Contact.objects.exists() else _contacts(people, folders),
        activities=0 if Activity.objects.exists() else _activities(people))


def _user(colleague: Any) -> Any:
    users = get_user_model()._default_manager
    user = users.filter(username=colleague.username).first()
    if user is None:
        make = users.create_superuser if colleague.is_superuser else users.create_user
        user = make(
            colleague.username, email=colleague.email, password=colleague.password,
            first_name=colleague.first_name, last_name=colleague.last_name)
    return user


def _authorise(tenant_id: str) -> None:
    organisation = SyncSettings.of()
    if organisation.tenant_id == tenant_id:
        return                                  # an administrator may have switched it off: that is left alone
    organisation.tenant_id, organisation.tenant_name = tenant_id, MICROSOFT_TENANT_NAME
    organisation.authorised_by, organisation.authorised_at = COLLEAGUES[-1].email, timezone.now()
    organisation.enabled = True
    organisation.save()


def _activate() -> None:
    """Give the organisation a key of the demo's own vendor, unless it has one or another vendor's are checked."""
    organisation = SyncSettings.of()
    vendor = vendor_keys(settings.DATA_DIR)
    if organisation.activation_key or settings.OPENCRM_MS365.get("ACTIVATION_PUBLIC_KEY") != vendor["public"]:
        return
    organisation.activation_key = activation.issue(vendor["private"], activation.Activation(
        organisation=MICROSOFT_TENANT_NAME, expires=timezone.localdate() + VALID_FOR, users=ACTIVATED_USERS))
    organisation.save(update_fields=["activation_key"])


def everybody() -> Iterator[dict[str, Any]]:
    """All contacts of the demo as column values, with user names, folder names and the age in days."""
    for position, (first, last, company, email) in enumerate(SHARED_PEOPLE):
        yield {
            "first_name": first, "last_name": last, "company": company, "email": email, "age_days": 20 + position * 7,
            "job_title": SHARED_JOBS[position % len(SHARED_JOBS)], "phone": f"01632 960{500 + position:03d}",
            "assigned_to": shared_owner(position), "folders": (FOLDERS[position % 2],),
            "website": f"https://www.{plain(company)}.example", "country": "",
        }
    for values in AWKWARD:
        yield {"age_days": 400, **values}
    yield from invented_contacts(CONTACTS - len(SHARED_PEOPLE) - len(AWKWARD))


def _contacts(people: dict[str, Any], folders: dict[str, ContactFolder]) -> int:
    now = timezone.now()
    rows, ages, places = [], [], []
    for values in everybody():
        values = dict(values)
        places.append(values.pop("folders", ()))
        ages.append(datetime.timedelta(days=values.pop("age_days")))
        rows.append(Contact(**{**values, "assigned_to": people[values["assigned_to"]]}))
    Contact.objects.bulk_create(rows)
    for position, (row, age) in enumerate(zip(rows, ages, strict=True)):
        row.created_at = now - age - UNEVEN * (position % 37)
        row.updated_at = now - age / 3 - UNEVEN * (position % 41)
    Contact.objects.bulk_update(rows, ["created_at", "updated_at"], batch_size=200)
    member = Contact.folders.through
    member.objects.bulk_create(
        member(contact_id=row.pk, contactfolder_id=folders[name].pk)
        for row, names in zip(rows, places, strict=True) for name in names)
    return len(rows)


def _activities(people: dict[str, Any]) -> int:
    """The company's diary around today, in its own time zone unless an entry says another."""
    now, company_zone = timezone.now(), ZoneInfo(settings.TIME_ZONE)
    rows, places = [], []
    for values in invented_activities(timezone.localdate(timezone=company_zone)):
        values = dict(values)
        zone = times.zone_named(values.setdefault("time_zone", settings.TIME_ZONE)) or company_zone
        places.append([people[name] for name in values.pop("users", ())])
        for name in ("start", "end"):
            if (moment := values.get(name)) is not None:
                values[name] = times.at(moment.date(), moment.time(), zone)
        rows.append(Activity(**{**values, "assigned_to": people[values["assigned_to"]]}))
    Activity.objects.bulk_create(rows)
    for position, row in enumerate(rows):
        made = min(now, row.start or now) - datetime.timedelta(days=3 + position % 11) - UNEVEN * (position % 37)
        row.created_at, row.updated_at = made, made + datetime.timedelta(days=position % 3)
    Activity.objects.bulk_update(rows, ["created_at", "updated_at"], batch_size=200)
    member = Activity.users.through
    member.objects.bulk_create(
        member(activity_id=row.pk, user_id=user.pk) for row, users in zip(rows, places, strict=True) for user in users)
    return len(rows)
