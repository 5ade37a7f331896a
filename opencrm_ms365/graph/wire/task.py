"""A Planner task and its details: Microsoft's JSON to our record and back. Pure.

Only members of fields that are mapped and changed are written, so Planner's own start date, labels, references and
everything that we do not know stay. `assignments` and `checklist` are open types: a key that is not mentioned stays,
null removes one, and an added value must name its type and carry an order hint (facts 9.3).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ...records import UNSET, is_set
from ...records.base import clean_text
from ...records.task import Priority, TaskData, planner_ids, planner_list
from .values import Unreadable, instant, storable, text

#: The fields that the `details` of a task hold; they have an address and an etag of their own.
DETAILS_FIELDS = frozenset({"body", "checklist"})
NOT_STARTED, IN_PROGRESS, COMPLETED = 0, 50, 100
#: What Planner's own pages write for each of its four urgencies.
PRIORITY_NUMBERS = {Priority.URGENT: 1, Priority.IMPORTANT: 3, Priority.MEDIUM: 5, Priority.LOW: 9}
DEFAULT_PRIORITY = 5
ASSIGNMENT_TYPE = "#microsoft.graph.plannerAssignment"
CHECKLIST_TYPE = "microsoft.graph.plannerChecklistItem"
REFERENCE_TYPE = "microsoft.graph.plannerExternalReference"
#: Put it last: the hint for something that has no neighbours (facts 9.3).
FIRST_HINT = " !"


@dataclass(frozen=True, slots=True, repr=False)
class CheckItem:
    """One line of a checklist as Planner holds it. `hint` sorts by the ordinal values of its characters."""

    id: str
    title: str
    is_checked: bool
    hint: str


def to_record(task: Mapping[str, Any], details: Mapping[str, Any] | None = None) -> TaskData:
    """The record. Raises `Unreadable`.

    `start` and `due` are Planner's own. `status` and `categories` stay UNSET, for Planner has a percentage and labels;
    `body` and `checklist` are UNSET without the details.
    """
    fields: dict[str, Any] = {
        "subject": text(task, "title"),
        "start": _instant(task, "startDateTime"),
        "due": _instant(task, "dueDateTime"),
        "completed_at": _instant(task, "completedDateTime"),
        "percent": _percent(task),
        "priority": _priority(task),
        "task_list": planner_list(text(task, "planId") or "", text(task, "bucketId") or ""),
    }
    if details is not None:
        fields["body"] = text(details, "description")
        fields["checklist"] = tuple(item.title for item in checklist(details))
    return TaskData(**fields)


def to_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The members of the task to send for these fields; those of the details are left out. None erases a date.

    The bucket of `task_list` is sent, the plan is not: another plan needs a request of its own.
    """
    body: dict[str, Any] = {}
    for field, value in values.items():
        if not is_set(value) or field in DETAILS_FIELDS:
            continue
        match field:
            case "subject":
                body["title"] = storable(value or "")
            case "due":
                body["dueDateTime"] = _instant_json(value)
            case "percent":
                body["percentComplete"] = value
            case "priority":
                body["priority"] = PRIORITY_NUMBERS.get(value, DEFAULT_PRIORITY)
            case "task_list":
                if bucket_id := (planner_ids(value) or ("", ""))[1]:
                    body["bucketId"] = bucket_id
            case _:
                raise KeyError(f"Planner takes no field {field!r}.")
    return body


def assignments_json(assign: Iterable[str], unassign: Iterable[str] = ()) -> dict[str, Any]:
    """`assignments` to send. Nobody else's assignment is mentioned, so it stays."""
    added = {user_id: {"@odata.type": ASSIGNMENT_TYPE, "orderHint": FIRST_HINT} for user_id in assign}
    return {**dict.fromkeys(unassign), **added}


def assignees(task: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the people to whom it is assigned, whoever was first assigned first."""
    found = _open(task, "assignments")
    when = {user_id: instant(value, "assignedDateTime") or datetime.max.replace(tzinfo=UTC)
            for user_id, value in found.items()}
    return tuple(sorted(found, key=lambda user_id: (when[user_id], user_id)))


def user_id(item: Mapping[str, Any], member: str) -> str:
    """The user of an identity set such as `createdBy`; `""` where it names none."""
    identity = item.get(member)
    user = identity.get("user") if isinstance(identity, Mapping) else None
    found = user.get("id") if isinstance(user, Mapping) else None
    return found if isinstance(found, str) else ""


def checklist(details: Mapping[str, Any]) -> tuple[CheckItem, ...]:
    """The lines in their order, those without a text included."""
    items = [
        CheckItem(key, text(value, "title") or "", value.get("isChecked") is True, text(value, "orderHint") or "")
        for key, value in _open(details, "checklist").items()
    ]
    return tuple(sorted(items, key=lambda item: (item.hint, item.id)))


def _new_id() -> str:
    return str(uuid.uuid4())


def details_json(
    values: Mapping[str, Any], current: Sequence[CheckItem] = (), *, new_id: Callable[[], str] = _new_id
) -> dict[str, Any]:
    """The members of the details to send for these fields. `current` are the lines that Planner holds now."""
    body: dict[str, Any] = {}
    if is_set(description := values.get("body", UNSET)):
        body["description"] = storable(description or "")
    if is_set(titles := values.get("checklist", UNSET)) and (lines := _checklist_json(titles or (), current, new_id)):
        body["checklist"] = lines
    return body


def _checklist_json(titles: Sequence[str], current: Sequence[CheckItem], new_id: Callable[[], str]) -> dict[str, Any]:
    """What turns the lines of `current` into `titles`. A line that stays keeps its tick, a renamed one too."""
    kept: dict[str, CheckItem] = {}
    spare: list[CheckItem] = []
    wanted = {title.casefold(): title for title in titles}
    for item in current:
        key = (clean_text(item.title) or "").casefold()
        if key in wanted and key not in kept:
            kept[key] = item
        elif key and key not in wanted:
            spare.append(item)
    position = {item.id: number for number, item in enumerate(current)}
    lines: list[tuple[str, CheckItem | None]] = []
    for number, (key, title) in enumerate(wanted.items()):
        held = kept.get(key) or next((item for item in spare if position[item.id] == number), None)
        spare = [other for other in spare if other is not held]
        lines.append((title, held))
    body: dict[str, Any] = {item.id: None for item in spare}
    hints = _hints([item.hint if item else "" for _, item in lines])
    for (title, line), hint in zip(lines, hints, strict=True):
        if line is None:
            body[new_id()] = _line(title, False, hint)
        elif line.hint != hint:
            body[line.id] = _line(title, line.is_checked, hint)
        elif clean_text(line.title) != title:
            body[line.id] = _line(title, line.is_checked)
    return body


def _line(title: str, is_checked: bool, hint: str = "") -> dict[str, Any]:
    """A hint that Planner gave out must not be sent back (facts 9.3): without one the line stays where it is."""
    line = {"@odata.type": CHECKLIST_TYPE, "title": storable(title), "isChecked": is_checked}
    return {**line, "orderHint": hint} if hint else line


def _hints(held: Sequence[str]) -> list[str]:
    """A hint for each line of the wanted order: the held one where it is in order already, else one between neighbours.

    `<before> <after>!` asks for a place between two hints, an empty one standing for the end. What was asked for last
    can stand before the next one at once, because the hints that are sent sort in place by themselves.
    """
    stay = _longest_rising(held)
    found: list[str] = []
    before = ""
    for number, hint in enumerate(held):
        if number not in stay:
            after = next((held[later] for later in sorted(stay) if later > number), "")
            hint = f"{before} {after}!"
        found.append(hint)
        before = hint
    return found


def _longest_rising(hints: Sequence[str]) -> set[int]:
    """The places of the most hints that are in order as they stand. `""` is no hint."""
    best: list[tuple[int, ...]] = []
    for number, hint in enumerate(hints):
        if hint:
            before = _longest(run for run in best if hints[run[-1]] < hint)
            best.append((*before, number))
    return set(_longest(best))


def _longest(runs: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return max(runs, key=lambda run: len(run), default=())


def copy_json(task: Mapping[str, Any]) -> dict[str, Any]:
    """The members with which a task is made again in another plan, without its plan, bucket and people.

    Labels are left out: each plan has names of its own for them.
    """
    members = ("title", "percentComplete", "priority", "startDateTime", "dueDateTime")
    return {name: task[name] for name in members if task.get(name) is not None}


def copy_details_json(details: Mapping[str, Any], *, new_id: Callable[[], str] = _new_id) -> dict[str, Any]:
    """The members of details that are made again: the text, the checklist with its ticks, the attachments."""
    body: dict[str, Any] = {}
    if description := text(details, "description"):
        body["description"] = description
    if lines := checklist(details):
        hints = _hints([""] * len(lines))
        body["checklist"] = {new_id(): _line(line.title, line.is_checked, hint)
                             for line, hint in zip(lines, hints, strict=True)}
    if references := _open(details, "references"):
        body["references"] = {url: {
            "@odata.type": REFERENCE_TYPE, "alias": entry.get("alias"), "type": entry.get("type"),
            "previewPriority": FIRST_HINT} for url, entry in references.items()}
    return body


def _open(item: Mapping[str, Any], member: str) -> dict[str, Mapping[str, Any]]:
    """The values of an open type, without its own annotations and without what was removed."""
    value = item.get(member)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Unreadable(member)
    found = {key: entry for key, entry in value.items() if not key.startswith("@") and "@odata" not in key}
    if not all(entry is None or isinstance(entry, Mapping) for entry in found.values()):
        raise Unreadable(member)
    return {key: entry for key, entry in found.items() if entry is not None}


def _percent(task: Mapping[str, Any]) -> int:
    value = _number(task, "percentComplete", NOT_STARTED)
    if value <= NOT_STARTED:
        return NOT_STARTED
    return COMPLETED if value >= COMPLETED else IN_PROGRESS


def _priority(task: Mapping[str, Any]) -> Priority:
    """Bands of Planner's 0 to 10, the lower the more urgent (facts 9.3)."""
    value = _number(task, "priority", DEFAULT_PRIORITY)
    if value <= 1:
        return Priority.URGENT
    if value <= 4:
        return Priority.IMPORTANT
    return Priority.MEDIUM if value <= 7 else Priority.LOW


def _number(item: Mapping[str, Any], member: str, missing: int) -> int:
    value = item.get(member)
    if value is None:
        return missing
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(member)
    return value


def _instant(item: Mapping[str, Any], member: str) -> datetime | None:
    """A date that cannot be read must not pass for none: that would erase it on the other side."""
    found = instant(item, member)
    if found is None and item.get(member) is not None:
        raise Unreadable(member)
    return found


def _instant_json(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat() + "Z"
