"""The form of an event, and reading it: only what the person has changed is written."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from ..event_bodies import to_text
from ..html import each
from ..recurrence import DAYS
from .event_card import SHOWN_AS

if TYPE_CHECKING:
    from .calendar import Week

REPEATS = {"": "Does not repeat", "daily": "Every day", "weekdays": "Every weekday", "weekly": "Every week",
           "monthly": "Every month", "yearly": "Every year"}
REMINDERS = {"": "No reminder", "0": "At the start", "15": "15 minutes before", "60": "1 hour before",
             "1080": "18 hours before", "1440": "1 day before"}
_SHARED = ("subject", "startDay", "startTime", "endDay", "endTime", "isAllDay", "location", "required", "optional",
           "body")
_FIELD = Markup('<label class="field"><span>{}</span>{}</label>')
_CHECK = Markup('<label class="check"><input type="checkbox" name="{name}" value="yes"{checked}> {text}</label>')


def form(week: Week, event: dict[str, Any], action: str, cancel: str, *, title: str,
         typed: MultiDict[str, str] | None = None, note: str = "") -> Markup:
    """The form. `event` is empty for a new one; `typed` is what a person had typed when the form was refused."""
    shown = typed if typed is not None else MultiDict(flat(week, event) if event else _fresh(week))
    is_guest = bool(event) and not event["isOrganizer"]
    own = Markup('<p class="notice">This meeting is {}’s. What you change here is for you alone.</p>').format(
        event["organizer"]["emailAddress"]["name"]) if is_guest else _shared_fields(week, event, shown)
    return Markup(
        '<aside class="panel"><form method="post" action="{action}"><h2>{title}</h2>{note}'
        '<input type="hidden" name="changeKey" value="{key}">{own}<div class="pairs">{shown_as}{reminder}</div>'
        '{categories}{private}<p class="buttons"><a class="button plain" href="{cancel}">Cancel</a>'
        '<button class="primary">{save}</button></p></form></aside>'
    ).format(
        action=action, title=title, cancel=cancel, key=event.get("changeKey", ""), own=own,
        note=Markup('<p class="notice bad">{}</p>').format(note) if note else "",
        shown_as=_select("Shown as", "showAs", SHOWN_AS, shown),
        reminder=_select("Reminder", "reminder", REMINDERS, shown),
        categories=_text("Categories, with commas between", "categories", shown),
        private=_CHECK.format(name="private", text="Private", checked=_checked(shown, "private")),
        save="Save" if event else "Add it")


def changes(week: Week, event: dict[str, Any], typed: MultiDict[str, str]) -> dict[str, Any]:
    """Graph's properties that differ from the event's. Raises `ValueError` with words for people."""
    before = flat(week, event) if event else {"reminder": "15"}
    changed = {name for name in (*_SHARED, "showAs", "reminder", "categories", "private", "repeats", "online")
               if name in typed or name in ("isAllDay", "private", "online")}
    if event and not event["isOrganizer"]:
        changed -= {*_SHARED, "repeats", "online"}
    changed = {name for name in changed if _clean(typed.get(name)) != before.get(name, "")}
    sent: dict[str, Any] = {}
    for name in changed & {"subject", "showAs"}:
        sent[name] = _clean(typed.get(name))
    if changed & {"startDay", "startTime", "endDay", "endTime", "isAllDay"}:
        sent |= _times(week, event, typed)
    if "location" in changed:
        sent["location"] = {"displayName": _clean(typed.get("location"))}
    if changed & {"required", "optional"}:
        sent["attendees"] = _attendees(event, typed)
    if "body" in changed:
        sent["body"] = {"contentType": "text", "content": _clean(typed.get("body"))}
    if "categories" in changed:
        sent["categories"] = _listed(typed.get("categories", ""))
    if "private" in changed:
        sent["sensitivity"] = "private" if typed.get("private") else "normal"
    if "reminder" in changed:
        minutes = _clean(typed.get("reminder"))
        sent["isReminderOn"] = bool(minutes)
        sent |= {"reminderMinutesBeforeStart": int(minutes)} if minutes.isdigit() else {}
    if not event:
        sent |= _only_new(typed, sent)
    return sent


def flat(week: Week, event: dict[str, Any]) -> dict[str, str]:
    """The form's fields and their texts."""
    start, end = week.wall(event), week.wall(event, "end")
    if event["isAllDay"]:
        end -= timedelta(days=1)
    return {
        "subject": event["subject"], "isAllDay": "yes" if event["isAllDay"] else "",
        "startDay": f"{start:%Y-%m-%d}", "startTime": f"{start:%H:%M}", "endDay": f"{end:%Y-%m-%d}",
        "endTime": f"{end:%H:%M}", "location": event["location"]["displayName"],
        "required": _addresses(event, "required"), "optional": _addresses(event, "optional"),
        "body": _clean(to_text(event["body"]["content"])), "categories": ", ".join(event["categories"]),
        "showAs": event["showAs"], "private": "yes" if event["sensitivity"] == "private" else "",
        "reminder": str(event["reminderMinutesBeforeStart"]) if event["isReminderOn"] else "",
        "online": "yes" if event["isOnlineMeeting"] else "", "repeats": "",
    }


def _fresh(week: Week) -> dict[str, str]:
    day = week.args.get("on") or max(week.now.date(), week.monday).isoformat()
    hour = min(week.now.hour + 1, 22) if day == week.now.date().isoformat() else 9
    return {"startDay": day, "endDay": day, "startTime": f"{hour:02}:00", "endTime": f"{hour + 1:02}:00",
            "showAs": "busy", "reminder": "15"}


def _shared_fields(week: Week, event: dict[str, Any], shown: MultiDict[str, str]) -> Markup:
    more = Markup("")
    if not event:
        writable = {found["id"]: found["name"] for found in week.calendars if found["canEdit"]}
        more = Markup('<div class="pairs">{}{}</div>{}').format(
            _select("Calendar", "into", writable, MultiDict({"into": shown.get("into") or week.calendar})),
            _select("Repeats", "repeats", REPEATS, shown),
            _CHECK.format(name="online", text="Teams meeting", checked=_checked(shown, "online")))
    return Markup(
        '{subject}<div class="pairs">{start_day}{start_time}{end_day}{end_time}</div>{all_day}{location}{required}'
        "{optional}{body}{more}"
    ).format(
        subject=_text("Subject", "subject", shown), start_day=_text("Begins", "startDay", shown, kind="date"),
        start_time=_text("at", "startTime", shown, kind="time"), end_day=_text("Ends", "endDay", shown, kind="date"),
        end_time=_text("at", "endTime", shown, kind="time"),
        all_day=_CHECK.format(name="isAllDay", text="All day", checked=_checked(shown, "isAllDay")),
        location=_text("Place", "location", shown),
        required=_text("Invite (addresses, with commas between)", "required", shown),
        optional=_text("Invite, optional", "optional", shown),
        body=_FIELD.format("Notes", Markup('<textarea name="body" rows="5">{}</textarea>').format(
            _clean(shown.get("body")))), more=more)


def _times(week: Week, event: dict[str, Any], typed: MultiDict[str, str]) -> dict[str, Any]:
    """Start and end in the zone of the mailbox; an all-day event ends with the day that is named."""
    is_all_day = bool(typed.get("isAllDay"))
    moments = {}
    for name in ("start", "end"):
        text = f"{_clean(typed.get(f'{name}Day'))}T{'00:00' if is_all_day else _clean(typed.get(f'{name}Time'))}"
        try:
            moments[name] = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError("A day or a time is missing.") from None
    if is_all_day:
        moments["end"] += timedelta(days=1)
    if moments["end"] < moments["start"]:
        raise ValueError("It would end before it begins.")
    return {"isAllDay": is_all_day, **{
        name: {"dateTime": moment.isoformat(), "timeZone": week.zone} for name, moment in moments.items()}}


def _attendees(event: dict[str, Any], typed: MultiDict[str, str]) -> list[dict[str, Any]]:
    """The whole list; who was there keeps his name, rooms stay."""
    known = {person["emailAddress"]["address"].lower(): person["emailAddress"] for person in
             event.get("attendees", ())}
    rooms = [{"type": "resource", "emailAddress": dict(person["emailAddress"])}
             for person in event.get("attendees", ()) if person["type"] == "resource"]
    return rooms + [{"type": kind, "emailAddress": dict(known.get(address.lower()) or {"address": address})}
                    for kind in ("required", "optional") for address in _listed(typed.get(kind, ""))]


def _only_new(typed: MultiDict[str, str], sent: dict[str, Any]) -> dict[str, Any]:
    more: dict[str, Any] = {"isOnlineMeeting": True} if typed.get("online") else {}
    repeats = typed.get("repeats", "")
    if repeats not in REPEATS or not repeats:
        return more
    day = datetime.fromisoformat(sent["start"]["dateTime"]).date()
    patterns: dict[str, dict[str, Any]] = {
        "daily": {"type": "daily"}, "weekdays": {"type": "weekly", "daysOfWeek": list(DAYS[:5])},
        "weekly": {"type": "weekly", "daysOfWeek": [DAYS[day.weekday()]]},
        "monthly": {"type": "absoluteMonthly", "dayOfMonth": day.day},
        "yearly": {"type": "absoluteYearly", "dayOfMonth": day.day, "month": day.month}}
    return more | {"recurrence": {"pattern": {"interval": 1, **patterns[repeats]},
                                  "range": {"type": "noEnd", "startDate": day.isoformat()}}}


def _addresses(event: dict[str, Any], kind: str) -> str:
    return ", ".join(person["emailAddress"]["address"] for person in event["attendees"] if person["type"] == kind)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.replace(";", ",").replace("\n", ",").split(",") if part.strip()]


def _text(title: str, name: str, shown: MultiDict[str, str], *, kind: str = "text") -> Markup:
    return _FIELD.format(title, Markup('<input name="{}" value="{}" type="{}" autocomplete="off">').format(
        name, shown.get(name, ""), kind))


def _select(title: str, name: str, choices: dict[str, str], shown: MultiDict[str, str]) -> Markup:
    value = shown.get(name, "")
    known = choices if value in choices or not value else {value: f"{value} minutes before", **choices}
    options = each(Markup('<option value="{value}"{selected}>{text}</option>'), (
        {"value": key, "text": text, "selected": Markup(" selected") if key == value else ""}
        for key, text in known.items()))
    return _FIELD.format(title, Markup('<select name="{}">{}</select>').format(name, options))


def _checked(shown: MultiDict[str, str], name: str) -> Markup | str:
    return Markup(" checked") if shown.get(name) else ""


def _clean(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()
