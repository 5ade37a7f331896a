"""One event, as it stands on the right: when, where, who, what it is about, and what can be done with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from ..event_bodies import to_text
from ..html import avatar, each
from .frame import ago

if TYPE_CHECKING:
    from .calendar import Week

ANSWERS = {"none": "", "organizer": "organiser", "accepted": "comes", "tentativelyAccepted": "perhaps",
           "declined": "does not come", "notResponded": "has not answered"}
SHOWN_AS = {"free": "Free", "tentative": "Tentative", "busy": "Busy", "oof": "Away", "workingElsewhere":
            "Working elsewhere", "unknown": "Unknown"}
_TONES = {"accepted": " good", "declined": " bad", "tentativelyAccepted": " wait"}
_PERSON = Markup(
    '<li>{avatar}<span><b>{name}</b><span class="quiet">{address}{kind}</span></span>'
    '<span class="tag{tone}">{answer}</span></li>'
)


def card(week: Week, event: dict[str, Any]) -> Markup:
    """The open event."""
    changed = ago(datetime.fromisoformat(event["lastModifiedDateTime"]), week.sandbox.clock.now())
    tags = [name for name in (
        "cancelled" if event["isCancelled"] else "", "private" if event["sensitivity"] == "private" else "",
        *event["categories"]) if name]
    return Markup(
        '<aside class="panel event-card"><header><h2>{subject}</h2><a class="button plain" href="{close}" '
        'aria-label="Close">✕</a></header><p class="when">{when}</p>{where}<p class="tags">{tags}</p>{actions}{people}'
        '{body}<footer class="quiet">In {calendar} · shown as {shown} · {reminder}<br>Last changed {changed}</footer>'
        "</aside>"
    ).format(
        subject=event["subject"] or "(no subject)", close=week.url(), when=_when(week, event), where=_where(event),
        tags=each(Markup('<span class="tag">{name}</span>'), ({"name": name} for name in tags)),
        actions=_actions(week, event), people=_people(event), body=_body(event),
        calendar=week.calendar_named(event["calendarId"]), shown=SHOWN_AS[event["showAs"]].lower(),
        reminder=_reminder(event), changed=changed)


def _when(week: Week, event: dict[str, Any]) -> str:
    start, end = week.wall(event), week.wall(event, "end")
    if event["isAllDay"]:
        last = end - timedelta(days=1)
        return f"{start:%A, %-d %B %Y}" + ("" if last == start else f" – {last:%A, %-d %B}") + ", all day"
    if start.date() == end.date():
        return f"{start:%A, %-d %B %Y, %H:%M}–{end:%H:%M}"
    return f"{start:%A, %-d %B %Y, %H:%M} – {end:%A, %-d %B, %H:%M}"


def _where(event: dict[str, Any]) -> Markup:
    lines = [event["location"]["displayName"]]
    if event["onlineMeeting"]:
        lines.append("Microsoft Teams meeting")
    if event["recurrence"]:
        lines.append(f"Repeats {_rhythm(event['recurrence'])}")
    elif event["type"] != "singleInstance":
        lines.append("One of a series" + (", changed by itself" if event["type"] == "exception" else ""))
    return each(Markup('<p class="quiet">{line}</p>'), ({"line": line} for line in lines if line))


def _rhythm(recurrence: dict[str, Any]) -> str:
    pattern, span = recurrence["pattern"], recurrence["range"]
    unit = {"daily": "day", "weekly": "week"}.get(pattern["type"], "")
    unit = unit or ("month" if pattern["type"].endswith("Monthly") else "year")
    text = f"every {unit}" if pattern["interval"] == 1 else f"every {pattern['interval']} {unit}s"
    if pattern["type"] == "weekly":
        text += " on " + ", ".join(day.capitalize() for day in pattern["daysOfWeek"])
    if span["type"] == "numbered":
        return f"{text}, {span['numberOfOccurrences']} times"
    return text if span["type"] == "noEnd" else f"{text}, until {span['endDate']}"


def _reminder(event: dict[str, Any]) -> str:
    return f"reminder {event['reminderMinutesBeforeStart']} minutes before" if event["isReminderOn"] else "no reminder"


def _people(event: dict[str, Any]) -> Markup | str:
    if event["isOrganizer"] and not event["attendees"]:
        return ""
    organizer = event["organizer"]["emailAddress"]
    rows = [{"avatar": avatar(organizer["name"]), "name": organizer["name"], "address": organizer["address"],
             "kind": "", "answer": "organiser", "tone": ""}]
    for person in event["attendees"]:
        name, response = person["emailAddress"]["name"], person["status"]["response"]
        address = person["emailAddress"]["address"]
        rows.append({"avatar": avatar(name), "name": name, "address": "" if address == name else address,
                     "kind": "" if person["type"] == "required" else f" · {person['type']}",
                     "answer": ANSWERS[response], "tone": _TONES.get(response, "")})
    return Markup('<section><h3>People</h3><ul class="guests">{}</ul></section>').format(each(_PERSON, rows))


def _body(event: dict[str, Any]) -> Markup | str:
    text = to_text(event["body"]["content"]).replace("\r\n", "\n").strip()
    return Markup('<section><h3>Notes</h3><p class="text">{}</p></section>').format(text) if text else ""


def _actions(week: Week, event: dict[str, Any]) -> Markup:
    here = f"events/{event['id']}"
    places = [found for found in week.calendars if found["id"] != event["calendarId"] and found["canEdit"]]
    options = each(Markup('<option value="{id}">{name}</option>'), places)
    move = Markup('<form method="post" action="{}"><select name="to" aria-label="Calendar">{}</select>'
                  "<button>{}</button></form>")
    if week.calendar_named(event["calendarId"]) == "Deleted Items":
        return Markup('<div class="actions">{}</div>').format(
            move.format(week.action(f"{here}/restore"), options, "Bring back"))
    can_edit = any(found["id"] == event["calendarId"] and found["canEdit"] for found in week.calendars)
    if not can_edit:
        return Markup('<p class="quiet">This calendar can only be read.</p>')
    parts = [Markup('<a class="button primary" href="{}">Edit</a>').format(week.url(event=event["id"], do="edit"))]
    if event["seriesMasterId"]:
        parts.append(Markup('<a class="button" href="{}">Whole series</a>').format(
            week.url(event=event["seriesMasterId"])))
    elif places:
        parts.append(move.format(week.action(f"{here}/move"), options, "Move"))
    if not (event["isOrganizer"] and event["attendees"]):
        parts.append(Markup('<form method="post" action="{}"><button class="danger">Delete</button></form>').format(
            week.action(f"{here}/delete")))
    return Markup('<div class="actions">{}</div>{}{}').format(
        Markup("").join(parts), _answer(week, event, here), _cancel(week, event, here))


def _answer(week: Week, event: dict[str, Any], here: str) -> Markup | str:
    if event["isOrganizer"] or event["isCancelled"]:
        return ""
    given = ANSWERS.get(event["responseStatus"]["response"], "")
    buttons = each(Markup('<button name="response" value="{value}"{state}>{name}</button>'), (
        {"value": value, "name": name, "state": Markup(' class="primary"') if
         event["responseStatus"]["response"] == value else ""}
        for value, name in (("accepted", "Accept"), ("tentativelyAccepted", "Perhaps"), ("declined", "Decline"))))
    return Markup(
        '<form class="reply" method="post" action="{action}"><p class="quiet">{who} invited you{given}.</p>'
        '<div class="actions">{buttons}</div><label class="check"><input type="checkbox" name="sends" value="yes" '
        'checked> tell the organiser</label></form>'
    ).format(action=week.action(f"{here}/answer"), who=event["organizer"]["emailAddress"]["name"], buttons=buttons,
             given="" if given in ("", ANSWERS["notResponded"]) else f"; your answer: {given}")


def _cancel(week: Week, event: dict[str, Any], here: str) -> Markup | str:
    if not (event["isOrganizer"] and event["attendees"]):
        return ""
    return Markup(
        '<details class="reply"><summary>Cancel the meeting</summary><form method="post" action="{}">'
        '<input name="comment" maxlength="500" placeholder="A word to those invited" aria-label="A word to those '
        'invited"><button class="danger">Cancel it and tell everybody</button></form></details>'
    ).format(week.action(f"{here}/cancel"))
