"""A person's calendar, a week at a time: calendars on the left, seven days in the middle, one event on the right."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from .. import zones
from ..html import each
from ..refusal import Refusal
from ..world import Account
from . import event_card, event_form
from .frame import framed, mailbox_url

if TYPE_CHECKING:
    from ..simulator import Sandbox

DELETED = "deleted"
#: What a form has done, told on the page that follows it.
DONE = {
    "added": "It is in the calendar.",
    "invited": "It is in the calendar, and the invitations are out.",
    "saved": "Saved.",
    "unchanged": "Nothing was different, so nothing was written.",
    "moved": "Moved.",
    "deleted": "Moved to Deleted Items.",
    "cancelled": "Cancelled; those who were invited have been told.",
    "answered": "Your answer is given.",
    "restored": "Brought back.",
    "calendar-added": "The calendar is there.",
    "calendar-renamed": "The calendar has its new name.",
    "calendar-deleted": "The calendar is gone; its events are in Deleted Items.",
}
_DAY = Markup(
    '<section class="day{state}" aria-label="{name}"><header><h2><span>{weekday}</span> <b>{number}</b></h2>'
    '<a class="add" href="{add}" title="New event on {name}" aria-label="New event on {name}">+</a></header>'
    "<ul>{events}</ul></section>"
)
_EVENT = Markup(
    '<li class="event c{colour}{state}"><a href="{url}"{current}><span class="when">{when}</span><b>{subject}</b>'
    '<span class="where">{where}</span>{tags}</a></li>'
)
_CALENDAR = Markup('<li><a href="{url}"{current}><span><i class="dot c{colour}"></i>{name}</span>'
                   '<span class="count">{count}</span></a></li>')
_CURRENT = Markup(' aria-current="page"')


class Week:
    """One look at a calendar: what the address asks for, in the zone of the mailbox."""

    def __init__(self, sandbox: Sandbox, request: Request, account: Account) -> None:
        self.sandbox, self.account, self.args = sandbox, account, request.args
        self.user = sandbox.mailbox(account)
        self.zone = _zone(account)
        self.now = zones.to_wall(sandbox.clock.now(), self.zone)
        self.calendars = self.user.calendars()
        wanted = self.args.get("calendar", "")
        self.calendar = wanted if wanted in {DELETED, *(found["id"] for found in self.calendars)} else ""
        day = self._day()
        self.monday = day - timedelta(days=day.weekday())
        self.days = [self.monday + timedelta(days=number) for number in range(7)]

    def url(self, **query: str) -> str:
        """This week with something else open."""
        return mailbox_url(self.account, "calendar/", **{"day": self.monday.isoformat(), "calendar": self.calendar,
                                                         **query})

    def action(self, rest: str) -> str:
        """Where a form of this view posts to."""
        return mailbox_url(self.account, f"calendar/{rest}", day=self.monday.isoformat(), calendar=self.calendar)

    def colour(self, calendar_id: str) -> int:
        """A number for the calendar's colour."""
        return next((n for n, found in enumerate(self.calendars) if found["id"] == calendar_id), 0) % 6

    def calendar_named(self, calendar_id: str) -> str:
        return next((found["name"] for found in self.calendars if found["id"] == calendar_id), "Deleted Items")

    def wall(self, event: dict[str, Any], end: str = "start") -> datetime:
        """The wall-clock time of the mailbox's owner; of an all-day event its midnight."""
        moment = datetime.fromisoformat(event[end]["dateTime"][:19])
        return moment if event["isAllDay"] else zones.to_wall(moment.replace(tzinfo=UTC), self.zone)

    def events(self) -> list[dict[str, Any]]:
        """What takes place in this week, all-day events first."""
        if self.calendar == DELETED:
            found = self.user.deleted_events()
        else:
            bounds = [zones.to_utc(datetime.combine(day, time()), self.zone).isoformat()
                      for day in (self.days[0] - timedelta(days=1), self.days[-1] + timedelta(days=2))]
            found = self.user.occurrences(*bounds, self.calendar or None)
        return sorted(found, key=lambda event: (not event["isAllDay"], self.wall(event)))

    def on(self, day: date, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of these, those that take place on that day, at least in part."""
        return [event for event in events if _touches(self.wall(event), self.wall(event, "end"), day)]

    def event(self) -> dict[str, Any] | None:
        """The one that is open; None when none is, or it is gone."""
        try:
            return self.user.event(self.args["event"]) if self.args.get("event") else None
        except Refusal:
            return None

    def _day(self) -> date:
        """The day that is asked for, or that of the event that is open, or today."""
        try:
            return date.fromisoformat(self.args.get("day", ""))
        except ValueError:
            event = self.event()
            return self.wall(event).date() if event is not None else self.now.date()


def _zone(account: Account) -> str:
    """The mailbox's zone; UTC when the calendar does not know it."""
    try:
        return zones.windows_name(account.time_zone)
    except Refusal:
        return "UTC"


def page_of(sandbox: Sandbox, request: Request, account: Account, *, panel: Markup | None = None,
            problem: str = "") -> Response:
    """The week. `panel` goes to the right instead of what the address asks for, when a form was refused."""
    if not account.has_mailbox:
        return framed(account.display_name, Markup('<main class="narrow empty"><h1>No mailbox</h1><p>{} has no '
                      "mailbox in Exchange Online.</p></main>").format(account.upn), kind="plain", account=account)
    week = Week(sandbox, request, account)
    right = panel if panel is not None else _panel(week)
    content = Markup(
        '{message}<div class="week-page{open}"><nav class="folders" aria-label="Calendars">{left}</nav>'
        '<main class="week">{head}<div class="days">{days}</div></main>{right}</div>'
    ).format(message=_message(week, problem), open=" open" if right else "", left=_calendars(week), head=_head(week),
             days=_deleted(week) if week.calendar == DELETED else _days(week), right=right)
    return framed(f"{account.display_name}: Calendar", content, kind="calendar", account=account,
                  status=400 if problem else 200)


def _message(week: Week, problem: str) -> Markup | str:
    if problem:
        return Markup('<p class="toast bad" role="alert">{}</p>').format(problem)
    done = DONE.get(week.args.get("done", ""), "")
    return Markup('<p class="toast" role="status">{}</p>').format(done) if done else ""


# On the left

def _calendars(week: Week) -> Markup:
    rows = [{"url": week.url(calendar=found["id"]), "name": found["name"], "count": found["count"],
             "colour": number % 6, "current": _CURRENT if week.calendar == found["id"] else ""}
            for number, found in enumerate(week.calendars)]
    both = {"url": week.url(calendar=""), "name": "All calendars", "colour": "none", "current":
            "" if week.calendar else _CURRENT, "count": sum(row["count"] for row in rows)}
    deleted = {"url": week.url(calendar=DELETED), "name": "Deleted Items", "colour": "none",
               "count": len(week.user.deleted_events()), "current": _CURRENT if week.calendar == DELETED else ""}
    return Markup(
        '<a class="button primary wide" href="{new}">New event</a><ul>{rows}</ul><ul class="apart">{deleted}</ul>'
        '<details class="new-folder"><summary>New calendar</summary><form method="post" action="{action}">'
        '<input name="name" required maxlength="100" placeholder="Name" aria-label="Name of the new calendar">'
        "<button>Add</button></form></details>{menu}"
    ).format(new=week.url(do="new"), rows=each(_CALENDAR, [both, *rows]), deleted=each(_CALENDAR, [deleted]),
             action=week.action("calendars"), menu=_calendar_menu(week))


def _calendar_menu(week: Week) -> Markup | str:
    found = next((found for found in week.calendars if found["id"] == week.calendar), None)
    if found is None or found["isDefaultCalendar"]:
        return ""
    return Markup(
        '<details class="new-folder"><summary>Change “{name}”</summary><form method="post" action="{rename}">'
        '<input name="name" value="{name}" required maxlength="100" aria-label="New name"><button>Rename</button>'
        '</form><form method="post" action="{delete}"><button class="danger">Delete it and its events</button></form>'
        "</details>"
    ).format(name=found["name"], rename=week.action(f"calendars/{found['id']}/rename"),
             delete=week.action(f"calendars/{found['id']}/delete"))


# In the middle

def _head(week: Week) -> Markup:
    if week.calendar == DELETED:
        return Markup('<header class="week-head"><h1>Deleted Items</h1></header>')
    first, last = week.days[0], week.days[-1]
    begin = f"{first:%-d}" if first.month == last.month else f"{first:%-d %B}"
    if first.year != last.year:
        begin += f" {first.year}"
    return Markup(
        '<header class="week-head"><div><h1>{title}</h1><p class="quiet">Week {number} · {zone}</p></div>'
        '<div class="buttons"><a class="button" href="{before}" title="Week before" aria-label="Week before">‹</a>'
        '<a class="button" href="{today}">Today</a>'
        '<a class="button" href="{after}" title="Week after" aria-label="Week after">›</a></div></header>'
    ).format(
        title=f"{begin} – {last:%-d %B %Y}", number=first.isocalendar().week, zone=week.zone,
        before=week.url(day=(first - timedelta(days=7)).isoformat()), today=week.url(day=week.now.date().isoformat()),
        after=week.url(day=(first + timedelta(days=7)).isoformat()))


def _days(week: Week) -> Markup:
    events = week.events()
    rows = []
    for day in week.days:
        state = " today" if day == week.now.date() else " weekend" if day.weekday() > 4 else ""
        rows.append({"state": state, "name": f"{day:%A, %-d %B}", "weekday": f"{day:%a}", "number": day.day,
                     "add": week.url(do="new", on=day.isoformat()),
                     "events": each(_EVENT, (_row(week, event, day) for event in week.on(day, events)))})
    return each(_DAY, rows)


def _deleted(week: Week) -> Markup:
    events = week.events()
    if not events:
        return Markup('<p class="nobody quiet">Nothing was deleted.</p>')
    return Markup('<ul class="binned">{}</ul>').format(each(_EVENT, (_row(week, event, None) for event in events)))


def _row(week: Week, event: dict[str, Any], day: date | None) -> dict[str, Any]:
    opened = event["id"] == week.args.get("event")
    state = " cancelled" if event["isCancelled"] else ""
    if not event["isOrganizer"] and event["responseStatus"]["response"] in ("notResponded", "tentativelyAccepted"):
        state += " tentative"
    tags = [title for title, holds in (
        ("private", event["sensitivity"] in ("private", "confidential")),
        ("repeats", event["type"] != "singleInstance"), ("online", event["isOnlineMeeting"]),
        (_people(event), bool(event["attendees"]))) if holds]
    return {
        "colour": week.colour(event["calendarId"]), "state": state + (" free" if event["showAs"] == "free" else ""),
        "url": week.url(event=event["id"]), "current": Markup(' aria-current="true"') if opened else "",
        "when": when(week, event, day), "subject": event["subject"] or "(no subject)",
        "where": event["location"]["displayName"],
        "tags": Markup('<span class="marks">{}</span>').format(" · ".join(tags)) if tags else "",
    }


def when(week: Week, event: dict[str, Any], day: date | None) -> str:
    """The time as it stands on a card of that day; None: with the date."""
    start, end = week.wall(event), week.wall(event, "end")
    if day is None:
        return f"{start:%-d %B %Y}" if event["isAllDay"] else f"{start:%-d %B %Y, %H:%M}"
    if event["isAllDay"]:
        return "All day"
    if start.date() < day:
        return "All day" if end.date() > day else f"until {end:%H:%M}"
    return f"{start:%H:%M}–{end:%H:%M}" if end.date() == day else f"from {start:%H:%M}"


def _people(event: dict[str, Any]) -> str:
    return "1 guest" if len(event["attendees"]) == 1 else f"{len(event['attendees'])} guests"


def _touches(start: datetime, end: datetime, day: date) -> bool:
    begin = datetime.combine(day, time())
    return start < begin + timedelta(days=1) and (end > begin or start == end == begin)


# On the right

def _panel(week: Week) -> Markup:
    if week.args.get("do") == "new":
        return event_form.form(week, {}, week.action("events"), week.url(), title="New event")
    event = week.event()
    if event is None:
        if not week.args.get("event"):
            return Markup("")
        return Markup('<aside class="panel"><p class="quiet">This event is not here any more.</p>'
                      '<a class="button" href="{}">Close</a></aside>').format(week.url())
    if week.args.get("do") == "edit":
        return event_form.form(week, event, week.action(f"events/{event['id']}"), week.url(event=event["id"]),
                               title="Edit event")
    return event_card.card(week, event)
