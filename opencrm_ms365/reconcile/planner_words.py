"""How a CRM task and a Planner task say the same thing (TASK-03, TASK-04, TASK-07).

    the CRM's words            Planner's words
    start, an instant      <-> due date, a day written as an instant
    status, five of them   <-> 0, 50 or 100 percent
    priority, maybe none   <-> one of four
    list, maybe its own    <-> plan and bucket

Two values agree when they come to the same in Planner's words, the poorer ones. What agrees is not rewritten: so a
time of day, an *on hold*, a *cancelled* and the CRM's own word for *in progress* survive.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, tzinfo
from typing import Any, TypeGuard

from ..records import UNSET, Limits, is_set
from ..records.task import MICROSOFT_TASK_LIMITS, Priority, Status, TaskData, planner_ids
from .fit import fit

NOT_STARTED, IN_PROGRESS, COMPLETED = 0, 50, 100
#: The time of day of a due date, in UTC, that Planner's own pages write (facts 9.3, unconfirmed). It lies in the middle
#: of the day nearly everywhere, so other programs show the same day too.
TIME_OF_DUE = time(10, tzinfo=UTC)
#: Planner takes no task without a title.
NO_SUBJECT = "(no subject)"

PERCENT_OUT = {Status.NOT_STARTED: NOT_STARTED, Status.DONE: COMPLETED, Status.CANCELLED: COMPLETED}
STATUS_IN = {NOT_STARTED: Status.NOT_STARTED, IN_PROGRESS: Status.IN_PROGRESS, COMPLETED: Status.DONE}
#: What can change on both sides, in the CRM's names. `due` only where the CRM has no `start`, `percent` no `status`.
BOTH_WAYS = ("subject", "body", "start", "due", "status", "percent", "priority", "task_list", "checklist")
#: What Planner alone says.
INWARDS = ("percent", "completed_at")
DETAILS = frozenset({"body", "checklist"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is agreed for reading and writing a task: the settings of the user it belongs to, and the moment.

    zone           in which the CRM's instants are on a day.
    start_time     the time of day that a date from Planner gets (TASK-07).
    now            a UTC instant.
    default_list   where a CRM task without a list goes (TASK-02); None: it stays in the CRM.
    """

    zone: tzinfo
    now: datetime
    start_time: time = time(9)
    default_list: str | None = None

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()


def date_field(crm: TaskData) -> str | None:
    """The CRM's field that goes with Planner's due date: `start`, else `due`, else None (TASK-07)."""
    return next((name for name in ("start", "due") if is_set(getattr(crm, name))), None)


def synced_fields(crm: TaskData) -> tuple[str, ...]:
    """The fields that can change on both sides, of those that the CRM maps."""
    left_out = {"due" if date_field(crm) == "start" else "", "percent" if is_set(crm.status) else ""}
    return tuple(name for name in BOTH_WAYS if is_set(getattr(crm, name)) and name not in left_out)


def inward_fields(crm: TaskData) -> tuple[str, ...]:
    """The fields of the CRM that only ever follow Planner."""
    return tuple(name for name in INWARDS if is_set(getattr(crm, name)) and name not in synced_fields(crm))


# Days

def due_day(data: TaskData) -> date | None:
    """The day of Planner's due date: the one that is written in the instant.

    Planner's pages show dates only, and write a fixed time of day in UTC. Read in another zone, the day would shift.
    """
    return data.due.astimezone(UTC).date() if _is_date(data.due) else None


def due_on(day: date) -> datetime:
    """A due date as Planner's own pages write it."""
    return datetime.combine(day, TIME_OF_DUE)


def start_on(day: date, terms: Terms) -> datetime:
    """The instant at which the CRM's task starts on that day: the user's time of day, in UTC."""
    return datetime.combine(day, terms.start_time.replace(tzinfo=None), terms.zone).astimezone(UTC)


def day_in_crm(value: object, terms: Terms) -> date | None:
    """The day of an instant of the CRM's for the user."""
    return value.astimezone(terms.zone).date() if _is_date(value) else None


def _is_date(value: object) -> TypeGuard[datetime]:
    """The first and the last year that a computer knows stand for *no date*."""
    return isinstance(value, datetime) and MINYEAR < value.year < MAXYEAR


# One value

def percent_out(status: Status | None) -> int:
    """TASK-03. A task whose status is empty in the CRM has not been started."""
    return NOT_STARTED if status is None else PERCENT_OUT.get(status, IN_PROGRESS)


def percent_class(percent: int | None) -> int:
    """The one of Planner's three states that a percentage stands for."""
    if not percent or percent <= NOT_STARTED:
        return NOT_STARTED
    return COMPLETED if percent >= COMPLETED else IN_PROGRESS


def status_in(percent: int, current: Status | None) -> Status:
    """TASK-04: the CRM's status keeps as long as Planner's percentage does not contradict it."""
    if current is not None and percent_out(current) == percent:
        return current
    return STATUS_IN[percent]


def list_out(key: Any, terms: Terms) -> str | None:
    """The list of Planner's that a CRM task belongs to; None for one that stays in the CRM (TASK-02)."""
    return key if planner_ids(key) else (None if key else terms.default_list)


def said_by_crm(name: str, value: Any, terms: Terms) -> Any:
    """A value of the CRM's in the form in which it is compared with Planner's."""
    match name:
        case "start" | "due":
            return day_in_crm(value, terms)
        case "status":
            return percent_out(value)
        case "percent":
            return percent_class(value)
        case "priority":
            return value or Priority.MEDIUM
        case "task_list":
            return list_out(value, terms)
        case "subject":
            return fitted(name, value, MICROSOFT_TASK_LIMITS) or NO_SUBJECT
        case _:
            return fitted(name, value, MICROSOFT_TASK_LIMITS)


def said_by_planner(name: str, planner: TaskData) -> Any:
    """A value of Planner's in the form in which it is compared; UNSET where it was not read."""
    match name:
        case "start" | "due":
            return due_day(planner)
        case "status" | "percent":
            return planner.percent
        case "subject" if planner.subject is None:
            return NO_SUBJECT
        case _:
            return getattr(planner, name)


def taken_in(name: str, planner: TaskData, current: Any, terms: Terms) -> Any:
    """What the CRM's field should hold after Planner's: `current` itself where that says the same.

    Without a due date the CRM keeps the date it has (TASK-07).
    """
    value = said_by_planner(name, planner)
    if name in BOTH_WAYS and said_by_crm(name, current, terms) == value:
        return current
    match name:
        case "start" | "due":
            return current if value is None else start_on(value, terms)
        case "status":
            return status_in(value, current)
        case _:
            return value


def fitted(name: str, value: Any, limits: Limits) -> Any:
    """The part of a value that a side with these limits can hold."""
    if name != "checklist" or not isinstance(value, tuple):
        return fit(name, value, limits)
    longest = limits.characters.get(name)
    lines = {line.casefold(): line for text in value if (line := text[:longest].strip())}
    return tuple(lines.values())[: limits.items.get(name)]


# Whole records

def in_crm_words(planner: TaskData) -> TaskData:
    """Planner's task with the CRM's names: the form in which it is digested, the same for every user's settings.

    `start` and `due` are both Planner's due date, in one form for each day; `status` is the plainest one.
    """
    day = due_day(planner)
    at = UNSET if planner.due is UNSET else due_on(day) if day else None
    status = STATUS_IN[planner.percent] if isinstance(planner.percent, int) else UNSET
    return dataclasses.replace(planner, start=at, due=at, status=status)


def for_planner(values: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
    """Values of the CRM's fields as Planner's fields: what a write takes."""
    sent: dict[str, Any] = {}
    for name, value in values.items():
        said = said_by_crm(name, value, terms)
        match name:
            case "start" | "due":
                sent["due"] = due_on(said) if said else None
            case "status":
                sent["percent"] = said
            case "completed_at" | "categories":
                continue
            case _:
                sent[name] = said
    return sent


def as_echo(values: Mapping[str, Any], terms: Terms) -> dict[str, Any]:
    """What Planner will be found to say, by the CRM's fields, once these values of the CRM's are written to it."""
    words = in_crm_words(TaskData(**for_planner(values, terms)))
    return {name: getattr(words, name) for name in values if is_set(getattr(words, name))}


def arriving(planner: TaskData, terms: Terms) -> TaskData:
    """A new CRM task of Planner's, with every field that was read. Without a due date it starts today (TASK-07)."""
    at = start_on(due_day(planner) or terms.today, terms)
    percent = planner.percent if isinstance(planner.percent, int) else NOT_STARTED
    return dataclasses.replace(planner, subject=planner.subject or NO_SUBJECT, start=at, due=at,
                               status=STATUS_IN[percent])


def leaving(crm: TaskData, terms: Terms, without: Iterable[str] = ()) -> dict[str, Any]:
    """What a new Planner task gets of the CRM's, in Planner's fields. `without` are fields that are not sent."""
    names = [name for name in synced_fields(crm) if name not in set(without)]
    return for_planner({name: getattr(crm, name) for name in names}, terms)
