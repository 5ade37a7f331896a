"""Which tasks come in and go out at all, what a task's absence from Planner means, and which details are read.

Bounds decide about new links only: a linked task that leaves the window keeps its link (SYNC-02).
"""

from __future__ import annotations

import enum
from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from ..records import UNSET, is_set
from ..records.task import TaskData
from .decide import Decision, Delete, Let, Recreate, Release, within_direction
from .merge import Digest, Pair
from .planner import is_edited, is_long_completed
from .planner_people import People, first_owner
from .planner_words import (
    DETAILS,
    Terms,
    arriving,
    date_field,
    day_in_crm,
    due_day,
    leaving,
    list_out,
)
from .policy import AfterDeletion, Policy, Side

#: Notes stay inside when a task is restored (ORG-12).
NOTES = frozenset({"body"})
#: A text can change in Planner without a sign of it on the task (facts 9.2): how long a reading is good for.
DETAILS_GOOD_FOR = timedelta(days=1)


class Seen(Protocol):
    """What is asked of a task as Planner holds it; `graph.planner.TaskItem` has it."""

    @property
    def graph_id(self) -> str: ...
    @property
    def etag(self) -> str: ...
    @property
    def data(self) -> TaskData: ...
    @property
    def assignees(self) -> tuple[str, ...]: ...
    @property
    def created_by(self) -> str: ...
    @property
    def has_description(self) -> bool | None: ...
    @property
    def checklist_count(self) -> int | None: ...


class Why(enum.StrEnum):
    """Why a task is not synced, in words for people."""

    OUTSIDE_WINDOW = "its date is outside the time that is synced"
    LONG_COMPLETED = "it was completed in Planner more than two weeks ago"
    NOBODY_LINKED = "it is assigned only to people who are not linked"
    NOT_CHOSEN = "its list is none of those that are synced"
    OWN_LIST = "its list is one of the CRM's own"
    NO_LIST = "it has no list, and the user has no default list"
    UNREACHABLE = "its list is none that the user can reach in Planner"
    ONE_WAY = "nothing goes that way"
    PRIVATE = "it is private, and a plan shows it to a whole group: choose a list for it to go there all the same"


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are synced, the first and the last included (SYNC-02)."""

    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        """A task without a date is inside (TASK-07)."""
        return day is None or self.first <= day <= self.last


def is_frozen(crm: TaskData, planner: TaskData, window: Window, terms: Terms) -> bool:
    """SYNC-02: whether a linked task is left alone, for both sides are outside the window.

    An edit that takes it out of the window is itself still synced: then one side is still inside.
    """
    name = date_field(crm)
    inside = window.holds(due_day(planner)) or window.holds(day_in_crm(getattr(crm, name), terms) if name else None)
    return not inside


@dataclass(frozen=True, slots=True)
class Stays:
    """The task is not synced."""

    why: Why


@dataclass(frozen=True, slots=True, repr=False)
class Arrives:
    """A task of Planner's becomes one of the CRM's: its values, and its people by the CRM's keys (TASK-10)."""

    data: TaskData
    owner: str
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Leaves:
    """A task of the CRM's becomes one of Planner's.

    values      in Planner's fields, `task_list` among them.
    assign      directory ids of those to whom it is assigned.
    to_crm      what the CRM's record gets besides: the list it was put in, where it had none (TASK-02).
    """

    list_key: str
    values: Mapping[str, Any]
    assign: tuple[str, ...]
    to_crm: Mapping[str, Any]


def comes_in(
    seen: Seen, *, reader: str, accounts: Mapping[str, str], chosen: Collection[str] | None, window: Window,
    terms: Terms, policy: Policy
) -> Arrives | Stays:
    """Whether a task that no mapping knows becomes a task of the CRM's.

    reader    the CRM's key of the linked user through whose lists it came.
    accounts  directory id of each linked user, by the CRM's key.
    chosen    the lists that are synced; None: all.
    """
    if not policy.may_write(Side.CRM):
        return Stays(Why.ONE_WAY)
    if chosen is not None and seen.data.task_list not in chosen:
        return Stays(Why.NOT_CHOSEN)
    if is_long_completed(seen.data, terms):
        return Stays(Why.LONG_COMPLETED)
    if not window.holds(due_day(seen.data)):
        return Stays(Why.OUTSIDE_WINDOW)
    known = {account: person for person, account in accounts.items()}
    if seen.assignees and not any(account in known for account in seen.assignees):
        return Stays(Why.NOBODY_LINKED)
    owner = first_owner(seen.assignees, seen.created_by, reader, accounts)
    users = tuple(known[account] for account in seen.assignees if known.get(account) not in (None, owner))
    return Arrives(arriving(seen.data, terms), owner, users)


def goes_out(
    crm: TaskData, people: People, *, reachable: Collection[str], chosen: Collection[str] | None, window: Window,
    terms: Terms, policy: Policy, without: Iterable[str] = (), is_private: bool = False
) -> Leaves | Stays:
    """Whether a task of the CRM's that is not in Planner goes there (TASK-02).

    reachable   the lists that the account can reach; chosen: those that are synced, None: all of them.
    without     fields that are not sent (`Recreate.without`).
    is_private  the CRM's task is private. Planner has nothing like it (PRIV-01), and a plan is open to its group: such
                a task goes out only where somebody chose its list, never by default.
    """
    if not policy.may_write(Side.MICROSOFT):
        return Stays(Why.ONE_WAY)
    own = crm.task_list if is_set(crm.task_list) else None
    key = list_out(own, terms)
    if key is None:
        return Stays(Why.OWN_LIST if own else Why.NO_LIST)
    if is_private and not own:
        return Stays(Why.PRIVATE)
    if key not in reachable:
        return Stays(Why.UNREACHABLE)
    if chosen is not None and key not in chosen:
        return Stays(Why.NOT_CHOSEN)
    name = date_field(crm)
    if not window.holds(day_in_crm(getattr(crm, name), terms) if name else None):
        return Stays(Why.OUTSIDE_WINDOW)
    values = {**leaving(crm, terms, without), "task_list": key}
    fills = policy.may_write(Side.CRM) and crm.task_list is not UNSET and not own
    return Leaves(key, values, tuple(sorted(people.targets)), {"task_list": key} if fills else {})


# Absence

class Absence(enum.StrEnum):
    """What it means that a linked task is not in its plan's listing."""

    UNKNOWN = "unknown"            # nothing can be said: look again
    MOVED = "moved"                # it is in another list
    OUT_OF_REACH = "out_of_reach"  # it is in a plan that the account cannot read: not a deletion
    DELETED = "deleted"


def absence(*, listed: bool, found: bool, status: int | None) -> Absence:
    """SYNC-08: what a task's absence means, once it was asked for by its id.

    listed   its plan could be listed to the end in this cycle, by the same account. A plan that cannot be read says
             nothing about its tasks (facts 9.4).
    found    the task answered: it was moved to another plan, or the listing missed it.
    status   of the error that came instead (None: no answer).
    """
    if found:
        return Absence.MOVED
    if not listed:
        return Absence.UNKNOWN
    if status == 403:
        return Absence.OUT_OF_REACH
    return Absence.DELETED if status in (404, 410) else Absence.UNKNOWN


def moved_to(list_key: str, chosen: Collection[str] | None) -> Let | None:
    """A linked task was moved in Planner to a list that is not synced: it is let go, and nothing is deleted.

    None: the list is synced, so the merge takes the new list in (TASK-02).
    """
    return None if chosen is None or list_key in chosen else Let(Release.MOVED_AWAY)


def gone_in_planner(
    pair: Pair | None, people: People, policy: Policy, digest: Digest, *, recoverable: bool
) -> Decision:
    """The Planner task was deleted and that is confirmed (`Absence.DELETED`): ORG-12.

    `pair` is None when the CRM's record is out of the user's limits, `pair.microsoft` is None. An edit in the CRM beats
    the deletion (ORG-09). A task that is only restored is sent without its notes; it mails nobody.
    """
    if policy.takes_in_only or pair is None:
        return Let(Release.UNLINKED)
    if pair.base is not None and is_edited(pair, people, digest) and policy.may_write(Side.MICROSOFT):
        return Recreate("edited in the CRM after it was deleted in Planner")
    if policy.after_deletion is AfterDeletion.RESTORE:
        return within_direction(Recreate("restored in Planner", NOTES), policy)
    if policy.after_deletion is AfterDeletion.DELETE and recoverable:
        return within_direction(Delete(Side.CRM, "deleted in Planner"), policy)
    return Let(Release.UNLINKED)


# Details

@dataclass(frozen=True, slots=True)
class LastReading:
    """What is remembered of a task: its etag then, and when its details were read (UTC; None: never)."""

    etag: str = ""
    details_at: datetime | None = None


def in_month(day: date | None, now: datetime | date) -> bool:
    """TASK-09: whether a day lies within one month of now, before or after, both bounds included."""
    today = now.date() if isinstance(now, datetime) else now
    return day is not None and _months(today, -1) <= day <= _months(today, 1)


def _months(day: date, count: int) -> date:
    """The same day of another month; its last one where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def details_to_read(
    seen: Iterable[Seen], last: Mapping[str, LastReading], mapped: Collection[str], terms: Terms,
    starts: Mapping[str, date | None] | None = None
) -> tuple[str, ...]:
    """The ids of the tasks whose details this cycle reads (TASK-09).

    last     by task id, of linked tasks; a task that is missing was never seen.
    mapped   the fields of the CRM: without `body` and `checklist` nothing is read.
    starts   the CRM's day of tasks that have no due date; without an entry it is today (TASK-07).

    Read is what is due within a month, has something to be read, and moved since (another etag) or was last read more
    than a day ago. So an idle plan costs its listing and nothing else.
    """
    wanted = DETAILS & set(mapped)
    if not wanted:
        return ()
    return tuple(item.graph_id for item in seen
                 if in_month(_day_of(item, terms, starts or {}), terms.today)
                 and _needs_reading(item, last.get(item.graph_id, LastReading()), wanted, terms))


def _day_of(item: Seen, terms: Terms, starts: Mapping[str, date | None]) -> date | None:
    return due_day(item.data) or starts.get(item.graph_id, terms.today)


def _needs_reading(item: Seen, last: LastReading, wanted: Collection[str], terms: Terms) -> bool:
    if not _holds_details(item, wanted):
        return False  # `without_details` knows them without asking
    if last.details_at is None or item.etag != last.etag:
        return True
    return terms.now - last.details_at >= DETAILS_GOOD_FOR


def _holds_details(item: Seen, wanted: Collection[str]) -> bool:
    """Whether there is something to be read. What Planner does not say has to be looked at."""
    return ("body" in wanted and item.has_description is not False) or (
        "checklist" in wanted and item.checklist_count != 0)


def without_details(item: Seen, terms: Terms, starts: Mapping[str, date | None] | None = None) -> TaskData:
    """The task's record with those details that are known to be empty, if it is due within a month.

    Outside, nothing of the details is taken in, not even that they were emptied (TASK-09).
    """
    data = item.data
    if not in_month(_day_of(item, terms, starts or {}), terms.today):
        return data
    known: dict[str, Any] = {}
    if data.body is UNSET and item.has_description is False:
        known["body"] = None
    if data.checklist is UNSET and item.checklist_count == 0:
        known["checklist"] = ()
    return TaskData(**{**data.values(), **known})
