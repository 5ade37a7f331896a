"""The diary of Brightwell & Sons: meetings, calls and tasks from six weeks ago until seven weeks from now.

The same each time for the same day. Times are wall clock times of the company, or of an entry's own time zone.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from typing import Any

SEED = 1887
WEEKS_BACK, WEEKS_AHEAD = 6, 7
DAY = datetime.timedelta(days=1)

# Every week or so: weekday (Monday is 0), time, minutes, each how many weeks, who, and what.
REGULAR: tuple[tuple[int, str, int, int, dict[str, Any]], ...] = (
    (0, "09:00", 30, 1, {"subject": "Week's start", "location": "Office", "assigned_to": "ben",
                         "users": ("ben", "ada", "cleo", "dot")}),
    (3, "16:00", 60, 2, {"subject": "Sales round", "location": "Meeting room", "assigned_to": "ada",
                         "users": ("ada", "ben")}),
    (4, "08:15", 20, 1, {"subject": "Workshop safety walk", "location": "Workshop", "assigned_to": "cleo",
                         "users": ("cleo", "dot")}),
    (1, "13:00", 60, 3, {"subject": "Physiotherapy", "assigned_to": "cleo", "private": True}),
)

MEETINGS: tuple[tuple[str, str], ...] = (
    ("Measure the reception desk", "Harbour Hotels, Whitby"), ("Show oak samples", "Pemberton Estates"),
    ("Drawings for the library shelves", "Goldberg Libraries"), ("Handover of the staircase", "Bell Care Homes"),
    ("Tender opening", "Severn Council"), ("Site visit", "Whitlock Schools Trust"),
    ("Visit to the sawmill", "Blackwood Sawmill"),
    ("Varnish trial", "Workshop"), ("Fair trade timber audit", "Office"), ("Photographs for the Review", "Showroom"),
    ("Window seats, second draft", "Hartley Design"), ("Final inspection", "Riverside Galleries"),
)
CALLS = ("Callum Fraser about the fit-out", "Price of Baltic birch", "Delivery dates with Northgate Timber",
         "Ring Frances Whitlock back", "Complaint about a hinge", "Reference for Savanna Lodges",
         "Lift access on site with Volkov", "Courier for the samples", "Insurance for the van")
TASKS: tuple[tuple[str, str], ...] = (
    ("Quote for twelve bar stools", "quotations"), ("Quote for the reception desk", "quotations"),
    ("Recalculate the staircase", "quotations"), ("Answer the council's questions", "quotations"),
    ("Sharpen the planer blades", "workshop"), ("Order brass hinges", "workshop"), ("Stack the new oak", "workshop"),
    ("Repair the dust extraction", "workshop"), ("Clear the paint store", "workshop"),
    ("Renew the van's insurance", "office"), ("Christmas cards", "office"), ("Update the price list", "office"),
    ("Pay the sawmill", ""), ("Ask Peter for the old drawings", ""), ("Photograph the showroom", ""),
    ("Send samples to Atelier Lefèvre", "quotations"), ("Prepare the fair's stand", "office"),
    ("Write up the varnish trial", "workshop"), ("Find a second glazier", ""), ("Check the guarantee list", "office"),
)
PEOPLE = ("ada", "ben", "cleo")
OPEN_STATES = ("not_started", "not_started", "in_progress", "waiting", "on_hold")


def activities(today: datetime.date) -> Iterator[dict[str, Any]]:
    """Column values, with `assigned_to` and `users` as user names, `start` and `end` as wall clock times."""
    chance = random.Random(SEED)
    monday = today - datetime.timedelta(days=today.weekday())
    for week in range(-WEEKS_BACK, WEEKS_AHEAD + 1):
        first = monday + datetime.timedelta(weeks=week)
        yield from _regular(week, first, today)
        yield from _occasional(chance, first, today)
    yield from _tasks(chance, today)
    yield from awkward(today)


def at(day: datetime.date, clock: str) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time.fromisoformat(clock))


def _status(day: datetime.date, today: datetime.date) -> str:
    return "done" if day < today else "not_started"


def _regular(week: int, monday: datetime.date, today: datetime.date) -> Iterator[dict[str, Any]]:
    for weekday, clock, minutes, each, values in REGULAR:
        if week % each == 0:
            day = monday + weekday * DAY
            start = at(day, clock)
            yield {"kind": "meeting", **values, "start": start, "end": start + datetime.timedelta(minutes=minutes),
                   "status": _status(day, today)}


def _occasional(chance: random.Random, monday: datetime.date, today: datetime.date) -> Iterator[dict[str, Any]]:
    """Three meetings and three calls a week, somewhere between nine and five."""
    slots = chance.sample([(day, hour) for day in range(5) for hour in (10, 11, 14, 15)], 6)
    for position, (weekday, hour) in enumerate(slots):
        day, owner = monday + weekday * DAY, chance.choice(PEOPLE)
        start = at(day, f"{hour:02d}:{chance.choice(('00', '00', '15', '30'))}")
        values: dict[str, Any] = {"assigned_to": owner, "start": start, "status": _status(day, today)}
        if position % 2:
            yield {**values, "kind": "call", "subject": chance.choice(CALLS),
                   "end": start + datetime.timedelta(minutes=chance.choice((15, 20, 30)))}
            continue
        subject, place = chance.choice(MEETINGS)
        users = {owner, *chance.sample(PEOPLE, chance.choice((0, 1, 1, 2)))}
        yield {**values, "kind": "meeting", "subject": subject, "location": place, "users": tuple(sorted(users)),
               "end": start + datetime.timedelta(minutes=chance.choice((45, 60, 90)))}


def _tasks(chance: random.Random, today: datetime.date) -> Iterator[dict[str, Any]]:
    for position, (subject, task_list) in enumerate(TASKS):
        day = today + chance.randrange(-14, 29) * DAY
        status = "done" if position % 5 == 0 else chance.choice(OPEN_STATES)
        if status == "done":
            day = min(day, today - DAY)
        yield {"kind": "task", "subject": subject, "task_list": task_list, "assigned_to": chance.choice(PEOPLE),
               "start": at(day, "09:00"), "status": status,
               "priority": chance.choice(("low", "medium", "medium", "medium", "important", "urgent"))}


def awkward(today: datetime.date) -> Iterator[dict[str, Any]]:
    """What a calendar and a sync must not stumble over."""
    monday = today - datetime.timedelta(days=today.weekday())
    fair = monday + 15 * DAY
    yield {"kind": "meeting", "subject": "Timber fair", "location": "NEC, Birmingham", "assigned_to": "ada",
           "users": ("ada", "ben"), "all_day": True, "start": at(fair, "00:00"), "end": at(fair + 2 * DAY, "00:00"),
           "notes": "Stand 4.12, opposite the coffee.\nTickets are in the office drawer."}
    yield {"kind": "meeting", "subject": "Holiday", "assigned_to": "ben", "all_day": True,
           "start": at(monday + 3 * DAY, "00:00"), "end": at(monday + 7 * DAY, "00:00")}
    yield {"kind": "meeting", "subject": "Stocktaking", "location": "Workshop", "assigned_to": "cleo", "all_day": True,
           "users": ("dot",), "start": at(monday + 11 * DAY, "00:00"), "end": at(monday + 11 * DAY, "00:00")}
    yield {"kind": "meeting", "subject": "Salary review", "assigned_to": "ben", "users": ("ben", "ada"),
           "private": True, "notes": "Not a word to anybody.",
           "start": at(monday + 2 * DAY, "17:00"), "end": at(monday + 2 * DAY, "18:00")}
    yield {"kind": "meeting", "subject": "Dentist", "assigned_to": "ada", "private": True,
           "start": at(monday + DAY, "08:30"), "end": at(monday + DAY, "09:15")}
    yield {"kind": "task", "subject": "Write the reference for Dot", "assigned_to": "cleo", "private": True,
           "start": at(today + 3 * DAY, "09:00"), "priority": "important"}
    yield {"kind": "call", "subject": "Somebody from the press, will ring again", "assigned_to": "ada",
           "start": at(monday + 3 * DAY, "11:40"), "notes": "No end: nobody knows how long they talk."}
    yield {"kind": "call", "subject": "Misaki Sato, drawings", "assigned_to": "ada", "time_zone": "Asia/Tokyo",
           "start": at(monday + 2 * DAY, "17:00"), "end": at(monday + 2 * DAY, "17:45"), "location": "Video"}
    yield {"kind": "meeting", "subject": "Night delivery to the gallery", "assigned_to": "cleo",
           "users": ("cleo", "dot"), "start": at(monday + 9 * DAY, "22:00"), "end": at(monday + 10 * DAY, "02:30"),
           "location": "Riverside Galleries, goods entrance"}
    yield {"kind": "meeting", "subject": "Handover of the staircase", "assigned_to": "ada", "users": ("ada", "dot"),
           "status": "cancelled", "start": at(monday + 4 * DAY, "11:00"), "end": at(monday + 4 * DAY, "12:00"),
           "location": "Bell Care Homes", "notes": "Dot has no e-mail address: she is told by word of mouth."}
    yield {"kind": "task", "subject": "Learn to sharpen chisels", "assigned_to": "dot", "task_list": "workshop",
           "status": "in_progress"}
    yield {"kind": "task", "subject": "Some day: paint the gate", "assigned_to": "ben", "priority": "low"}
    yield {"kind": "meeting", "subject": "", "assigned_to": "ben", "start": at(monday + 8 * DAY, "12:30"),
           "end": at(monday + 8 * DAY, "13:00")}
