"""What a task is (TASK), and the states and urgencies that both sides know."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from enum import Enum

from .base import UNSET, Record, Unset, clean_text
from .contact import Limits, Text, Texts


class Status(Enum):
    """The states of a task or an event. Planner knows only a percentage (TASK-03, TASK-04)."""

    NOT_STARTED = "not_started"
    IN_PROGRESS = "in_progress"
    ON_HOLD = "on_hold"
    DONE = "done"
    CANCELLED = "cancelled"


class Priority(Enum):
    """Planner's four priorities (graph facts, plannerTask)."""

    LOW = "low"
    MEDIUM = "medium"
    IMPORTANT = "important"
    URGENT = "urgent"


Instant = datetime | None | Unset
Number = int | None | Unset


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TaskData(Record):
    """A task as both sides can mean it; every field defaults to `UNSET` (not mapped).

    Instants are aware and in UTC; on which day they are depends on the reader's zone (`start_date`, `due_date`).
    `percent` is 0, 50 or 100; `task_list` a list's key, `planner:PLANID/BUCKETID` for one of Planner's.
    `checklist` has the texts of its lines in their order; what is ticked off is not part of it.
    """

    subject: Text = UNSET
    body: Text = UNSET
    start: Instant = UNSET
    due: Instant = UNSET
    percent: Number = UNSET
    status: Status | Unset | None = UNSET
    priority: Priority | Unset | None = UNSET
    task_list: Text = UNSET
    completed_at: Instant = UNSET
    checklist: Texts = UNSET
    categories: Texts = UNSET

    def __post_init__(self) -> None:
        clean(self, texts=("subject", "body", "task_list"), lists=("checklist",), sets=("categories",))

    def label(self) -> str:
        """What people call the task; empty without a subject."""
        return self.subject if isinstance(self.subject, str) else ""

    def start_date(self, tz: tzinfo) -> date | None:
        """The day of `start` in a zone; None where there is none."""
        return self.start.astimezone(tz).date() if isinstance(self.start, datetime) else None

    def due_date(self, tz: tzinfo) -> date | None:
        """The day of `due` in a zone; None where there is none."""
        return self.due.astimezone(tz).date() if isinstance(self.due, datetime) else None


#: What a Planner task can hold (facts 9.3 and 9.4; the lengths are unconfirmed and on the safe side).
MICROSOFT_TASK_LIMITS = Limits(items={"checklist": 20}, characters={"subject": 255, "checklist": 100, "body": 32_000})

PLANNER_LIST = "planner:"


def planner_list(plan_id: str, bucket_id: str) -> str:
    """The key of one of Planner's lists. `bucket_id` is `""` for the tasks of a plan that are in no bucket."""
    return f"{PLANNER_LIST}{plan_id}/{bucket_id}"


def planner_ids(key: object) -> tuple[str, str] | None:
    """Plan and bucket of a list's key; None for a list of the CRM's own, for no list, and for a damaged key."""
    if not isinstance(key, str) or not key.startswith(PLANNER_LIST):
        return None
    plan_id, slash, bucket_id = key.removeprefix(PLANNER_LIST).partition("/")
    return (plan_id, bucket_id) if plan_id and slash and "/" not in bucket_id else None


def clean(record: Record, *, texts: tuple[str, ...], lists: tuple[str, ...], sets: tuple[str, ...]) -> None:
    """Bring the fields of a new record into their canonical form. `sets` have no order and are sorted."""
    for item in dataclasses.fields(record):
        value = getattr(record, item.name)
        if value is UNSET:
            continue
        if item.name in texts:
            value = clean_text(value)
        elif item.name in lists or item.name in sets:
            entries = {text.casefold(): text for entry in value or () if (text := clean_text(entry))}
            value = tuple(entries.values())
            value = tuple(sorted(value, key=str.casefold)) if item.name in sets else value
        elif isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError(f"{item.name} must say its zone")
            value = value.astimezone(UTC)
        object.__setattr__(record, item.name, value)


TASK_FIELDS: tuple[str, ...] = tuple(item.name for item in dataclasses.fields(TaskData))
