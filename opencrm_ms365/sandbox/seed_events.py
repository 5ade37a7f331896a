"""The calendars of the demo data: the weeks around today at a firm that makes furniture fittings.

Meetings among colleagues, with customers whom the CRM knows, of an organiser outside; some repeat, some are private,
some last all day. The mail that they cause is forgotten: the demo begins with none.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from . import zones
from .seed_people import SHARED_PEOPLE
from .simulator import Sandbox

ZONE = "GMT Standard Time"
_ADA, _BEN, _CLEO, _GRACE = "ada.lindqvist", "ben.okafor", "cleo.martin", "admin"

#: Organiser, week and weekday from this week's Monday, begin, minutes, subject, guests, more of Graph's properties.
_MEETINGS: tuple[tuple[str, int, int, str, int, str, tuple[str, ...], dict[str, Any]], ...] = (
    (_ADA, 0, 0, "09:30", 30, "Monday round", (_BEN, _CLEO, _GRACE), {
        "location": {"displayName": "The long table"}, "recurrence": "monday"}),
    (_ADA, 0, 1, "10:00", 60, "Northgate Timber: oak for spring", (_BEN,), {
        "location": {"displayName": "Meeting room Anvil"}, "outside": ("margaret.ashworth@northgate-timber.example",),
        "text": "Bring the price list of last year.\nMargaret wants to see the new hinges."}),
    (_ADA, 0, 2, "14:00", 45, "Quotation for Harbour Hotels", (_CLEO,), {"isOnlineMeeting": True}),
    (_ADA, 0, 3, "08:00", 60, "Dentist", (), {"sensitivity": "private", "showAs": "oof"}),
    (_ADA, 0, 4, "16:00", 30, "Desk day: no calls, please", (), {"showAs": "free", "categories": ["Focus"]}),
    (_ADA, 1, 2, "11:00", 90, "Trade fair: who goes, who stays", (_BEN, _CLEO), {
        "location": {"displayName": "Meeting room Anvil"}}),
    (_ADA, -1, 3, "15:00", 60, "Look back at the autumn catalogue", (_CLEO,), {}),
    (_BEN, 0, 1, "13:00", 60, "Fraser Fit-Out: site visit", (), {
        "outside": ("callum@fraser-fitout.example",), "location": {"displayName": "12 Bridge Street, Morpeth"},
        "text": "Helmets are at the gate."}),
    (_BEN, 0, 2, "09:00", 30, "Stock-taking", (_ADA,), {"location": {"displayName": "Store"}}),
    (_BEN, 0, 3, "12:00", 60, "Lunch with Siobhán O'Rourke", (), {
        "outside": ("siobhan.orourke@liffey-interiors.example",), "location": {"displayName": "The Anchor"}}),
    (_BEN, 1, 0, "14:00", 60, "Baltic Joinery: delivery dates", (_ADA,), {
        "isOnlineMeeting": True, "outside": ("tomasz.wisniewski@baltic-joinery.example",)}),
    (_CLEO, 0, 1, "16:00", 45, "Newsletter: pictures and texts", (_ADA,), {}),
    (_CLEO, 0, 4, "10:00", 60, "Atelier Lefèvre: new brass range", (_BEN,), {
        "outside": ("elodie@atelier-lefevre.example",), "isOnlineMeeting": True}),
    (_CLEO, 1, 3, "09:00", 30, "Doctor", (), {"sensitivity": "private", "showAs": "oof"}),
    (_GRACE, 0, 2, "15:30", 30, "New laptops: questions", (_ADA, _BEN, _CLEO), {"isOnlineMeeting": True}),
)
#: Owner, week and weekday, days, subject, more of Graph's properties.
_ALL_DAY: tuple[tuple[str, int, int, int, str, dict[str, Any]], ...] = (
    (_ADA, 1, 3, 2, "Furniture fair, Birmingham", {"showAs": "oof", "categories": ["Trade fair"],
                                                  "location": {"displayName": "NEC Birmingham"}}),
    (_BEN, 0, 4, 1, "On leave", {"showAs": "oof"}),
    (_CLEO, 0, 0, 1, "Mum’s birthday", {"showAs": "free", "sensitivity": "private"}),
    (_GRACE, 1, 0, 1, "Server room: nobody in", {"showAs": "busy"}),
)


def fill_calendars(sandbox: Sandbox, domain: str) -> None:
    """Give the demo's four colleagues their calendars, and forget the mail."""
    today = zones.to_wall(sandbox.clock.now(), ZONE).date()
    # At a weekend the week that comes is this week: a demo with everything in the past has nothing to show.
    monday = today - timedelta(days=today.weekday() if today.weekday() < 5 else today.weekday() - 7)
    for owner, week, weekday, begin, minutes, subject, guests, more in _MEETINGS:
        day = monday + timedelta(weeks=week, days=weekday)
        values = {"subject": subject, **_span(day, begin, minutes), **_details(day, more)}
        people = [f"{name}@{domain}" for name in guests] + list(more.get("outside", ()))
        if people:
            values["attendees"] = [_guest(address) for address in people]
        sandbox.mailbox(f"{owner}@{domain}").add_event(**values)
    for owner, week, weekday, days, subject, more in _ALL_DAY:
        begin_day = monday + timedelta(weeks=week, days=weekday)
        sandbox.mailbox(f"{owner}@{domain}").add_event(
            subject=subject, isAllDay=True, start=_midnight(begin_day), end=_midnight(begin_day + timedelta(days=days)),
            **more)
    _invited_from_outside(sandbox, domain, monday)
    _answered(sandbox, domain)
    for name in (_ADA, _BEN):
        sandbox.mailbox(f"{name}@{domain}").add_calendar("Trade fairs")
    sandbox.clear_mails()


def _guest(address: str) -> dict[str, Any]:
    """Somebody invited; whom the CRM knows, too, has a name, that of a colleague is in the directory."""
    names = {email: f"{first} {last}" for first, last, _, email in SHARED_PEOPLE}
    named = {"name": names[address]} if address in names else {}
    return {"type": "required", "emailAddress": {"address": address, **named}}


def _invited_from_outside(sandbox: Sandbox, domain: str, monday: date) -> None:
    ada = f"{_ADA}@{domain}"
    sandbox.mailbox(ada).receive_event(
        "priya.raman@harbour-hotels.example", "Priya Raman", subject="Harbour Hotels: reception desks",
        attendees=[{"type": "required", "emailAddress": {"address": ada}}],
        location={"displayName": "Harbour Hotels, Quayside"}, **_span(monday + timedelta(days=3), "11:00", 90),
        body={"contentType": "html", "content": "<p>Dear Ada,</p><p>shall we look at the <b>reception desks</b> "
                                                "together? The architect comes, too.</p><p>Priya</p>"})


def _answered(sandbox: Sandbox, domain: str) -> None:
    """Most have answered, some have not: as it is."""
    for person, subject, response in (
            (_BEN, "Monday round", "accepted"), (_CLEO, "Monday round", "accepted"),
            (_BEN, "Northgate Timber: oak for spring", "accepted"),
            (_CLEO, "Quotation for Harbour Hotels", "tentativelyAccepted"), (_ADA, "Stock-taking", "accepted")):
        mailbox = sandbox.mailbox(f"{person}@{domain}")
        for event in mailbox.find_events(subject=subject):
            mailbox.answer(event["id"], response)


def _details(day: date, more: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in more.items() if name not in ("outside", "text", "recurrence")}
    if "text" in more:
        values["body"] = {"contentType": "text", "content": more["text"]}
    if "recurrence" in more:
        values["recurrence"] = {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": [more["recurrence"]]},
                                "range": {"type": "noEnd", "startDate": day.isoformat()}}
    return values


def _span(day: date, begin: str, minutes: int) -> dict[str, Any]:
    start = datetime.combine(day, time.fromisoformat(begin))
    return {name: {"dateTime": moment.isoformat(), "timeZone": ZONE}
            for name, moment in (("start", start), ("end", start + timedelta(minutes=minutes)))}


def _midnight(day: date) -> dict[str, str]:
    return {"dateTime": f"{day.isoformat()}T00:00:00", "timeZone": ZONE}
