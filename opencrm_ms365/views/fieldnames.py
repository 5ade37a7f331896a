"""The fields of records and their values in words that people read."""

from __future__ import annotations

import datetime
from typing import Any

from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

NAMES = {
    "given_name": gettext_lazy("First name"), "middle_name": gettext_lazy("Middle name"),
    "surname": gettext_lazy("Last name"), "display_name": gettext_lazy("Full name"),
    "nickname": gettext_lazy("Nickname"), "title": gettext_lazy("Title"), "job_title": gettext_lazy("Job title"),
    "department": gettext_lazy("Department"), "company_name": gettext_lazy("Company"),
    "emails": gettext_lazy("E-mail addresses"), "business_phones": gettext_lazy("Business phones"),
    "home_phones": gettext_lazy("Home phones"), "mobile_phone": gettext_lazy("Mobile phone"),
    "business_address": gettext_lazy("Business address"), "home_address": gettext_lazy("Home address"),
    "other_address": gettext_lazy("Other address"), "birthday": gettext_lazy("Birthday"),
    "web": gettext_lazy("Web page"), "notes": gettext_lazy("Notes"), "categories": gettext_lazy("Categories"),
    "folder": gettext_lazy("Folder"), "subject": gettext_lazy("Subject"), "start": gettext_lazy("Start"),
    "end": gettext_lazy("End"), "location": gettext_lazy("Location"), "body": gettext_lazy("Notes"),
    "all_day": gettext_lazy("All day"), "time_zone": gettext_lazy("Time zone"), "private": gettext_lazy("Private"),
    "show_as": gettext_lazy("Shown as"), "reminder_minutes": gettext_lazy("Reminder"),
    "status": gettext_lazy("Status"), "users": gettext_lazy("Users"), "attendees": gettext_lazy("Attendees"),
}
KINDS = {"contacts": gettext_lazy("Contacts"), "events": gettext_lazy("Calendar"), "tasks": gettext_lazy("Tasks")}
ACTIONS = {
    "create": gettext_lazy("Create"), "update": gettext_lazy("Change"), "delete": gettext_lazy("Delete"),
    "move": gettext_lazy("Move"), "link": gettext_lazy("Link"), "release": gettext_lazy("Stop syncing"),
    "forget": gettext_lazy("Forget the link"), "hold": gettext_lazy("Wait for a decision"),
    "skip": gettext_lazy("Leave out"), "restore": gettext_lazy("Restore"),
}
SIDES = {"crm": gettext_lazy("in the CRM"), "microsoft": gettext_lazy("in Outlook")}

PHASES = {
    "reading": gettext_lazy("Reading changes from Microsoft"), "writing": gettext_lazy("Writing what has changed"),
}


def progress_text(run: Any) -> str:
    """How far a run is, in words: `Writing what has changed: 40 of 200`."""
    if run.started_at is None:
        return _("Waiting for its turn.")
    progress = run.progress or {}
    phase = str(progress.get("phase") or "")
    if not phase:
        return _("Working.")
    words, done, total = str(PHASES.get(phase, phase)), progress.get("done") or 0, progress.get("total") or 0
    if total and phase != "reading":
        return _("%(phase)s: %(done)s of %(total)s") % {"phase": words, "done": done, "total": total}
    return f"{words}: {done}" if done else f"{words}."


def progress_share(run: Any) -> float | None:
    """From 0 to 1; None while nobody knows."""
    progress = run.progress or {}
    done, total = progress.get("done") or 0, progress.get("total") or 0
    return None if not total or progress.get("phase") == "reading" else round(min(done / total, 1.0), 3)


def field_name(name: str) -> str:
    """`emails` -> "E-mail addresses"; an unknown name with its underscores as spaces."""
    return str(NAMES.get(name) or name.replace("_", " ").capitalize())


def shown_value(value: Any) -> str:
    """A value as `sync.report.plain` stores it, on one or more lines; an empty one in words."""
    if value in (None, "", [], {}):
        return _("(empty)")
    if isinstance(value, dict):
        return "\n".join(str(part) for part in value.values() if part)
    if isinstance(value, (list, tuple)):
        return "\n".join(str(part) for part in value)
    if isinstance(value, str):
        day = parse_date(value) if len(value) == len("2000-01-01") and value[4] == value[7] == "-" else None
        return date_format(day, "DATE_FORMAT") if isinstance(day, datetime.date) else value
    return str(value)
