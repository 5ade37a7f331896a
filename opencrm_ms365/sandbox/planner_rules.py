"""What Planner does to the properties of its resources when they are written (facts 9.3).

Pure: takes the stored values and a checked body, gives the new values or raises `Refusal` (400, 403). What needs other
resources (is the bucket in the plan, is the person in the group) is the store's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import planner_hints
from .clock import timestamp
from .options import Options
from .planner_items import Kind
from .planner_open_types import OPEN, Writing, invalid
from .refusal import Refusal
from .validation import check_body, parse_instant

MAX_TITLE = 255
MAX_DESCRIPTION = 32_000
DONE = 100
COUNTERS = ("hasDescription", "previewType", "checklistItemCount", "activeChecklistItemCount", "referenceCount")
READ_ONLY = frozenset({"createdBy", "completedBy", "completedDateTime", *COUNTERS})
# `previewType` is read-only on the task and written through its details.
_WRITTEN_THROUGH = {Kind.TASK_DETAILS: frozenset({"previewType"})}
_DATES = ("startDateTime", "dueDateTime")
_NAMES = {Kind.PLAN: "title", Kind.BUCKET: "name", Kind.TASK: "title"}

EMPTY_TASK: dict[str, Any] = {
    "planId": "", "bucketId": None, "title": "", "orderHint": "", "assigneePriority": "", "percentComplete": 0,
    "startDateTime": None, "createdDateTime": "", "dueDateTime": None, "hasDescription": False,
    "previewType": "automatic", "completedDateTime": None, "completedBy": None, "referenceCount": 0,
    "checklistItemCount": 0, "activeChecklistItemCount": 0, "conversationThreadId": None, "priority": 5,
    "createdBy": None, "appliedCategories": {}, "assignments": {},
}
EMPTY_DETAILS: dict[str, Any] = {"description": "", "previewType": "automatic", "references": {}, "checklist": {}}
EMPTY_PLAN_DETAILS: dict[str, Any] = {
    "sharedWith": {}, "categoryDescriptions": {f"category{number}": None for number in range(1, 26)}}


def checked(kind: Kind, body: Any, options: Options) -> dict[str, Any]:
    """The properties of a body that may be written; those of open types as they were sent. Raises `Refusal` (400)."""
    if not isinstance(body, dict):
        raise invalid("the body must be an object.")
    opened = {name: body[name] for name in OPEN.get(kind.type_name, ()) if name in body}
    plain = check_body(kind.type_name, {name: body[name] for name in body if name not in opened}, options)
    read_only = READ_ONLY - _WRITTEN_THROUGH.get(kind, frozenset())
    if options.read_only_properties == "refused" and (found := read_only & set(plain)):
        raise invalid(f"the property '{min(found)}' is read-only.")
    return {name: value for name, value in plain.items() if name not in read_only} | opened


def check_name(kind: Kind, values: Mapping[str, Any]) -> None:
    """Check the title of a plan or task, the name of a bucket. Raises `Refusal` (400)."""
    member = _NAMES[kind]
    text = values.get(member)
    if not isinstance(text, str) or not text.strip():
        raise invalid(f"Schema validation has failed. Validation for field '{member.title()}', on entity "
                      f"'{kind.value}' has failed: A null value was specified for a non-nullable field.")
    if len(text) > MAX_TITLE:
        raise invalid(f"'{member}' is longer than {MAX_TITLE} characters.")


def written_task(old: Mapping[str, Any], sent: Mapping[str, Any], writing: Writing,
                 hints: Iterable[str]) -> dict[str, Any]:
    """A task's values after a write; `hints` are the order hints of the plan's other tasks."""
    new = dict(old) | {name: value for name, value in sent.items()
                       if name not in OPEN["plannerTask"] and name not in ("orderHint", "assigneePriority")}
    for name in _DATES:
        if sent.get(name) is not None:
            instant = parse_instant(sent[name])
            assert instant is not None          # the body was checked
            new[name] = timestamp(instant)
    check_name(Kind.TASK, new)
    _check_number(new, "percentComplete", 0, DONE)
    _check_number(new, "priority", 0, 10)
    if new["startDateTime"] and new["dueDateTime"] and new["startDateTime"] > new["dueDateTime"]:
        raise invalid("the start date of a task cannot be later than its due date.")
    for name, merge in OPEN["plannerTask"].items():
        if name in sent:
            new[name] = merge(old[name], sent[name], writing)
    _order(new, sent, writing, hints)
    _complete(old, new, writing)
    return new


def written_details(old: Mapping[str, Any], sent: Mapping[str, Any], writing: Writing) -> dict[str, Any]:
    """The values of a task's details after a write."""
    new = dict(old)
    if "description" in sent:
        new["description"] = _with_line_ends(sent["description"] or "", writing.options)
        if len(new["description"]) > MAX_DESCRIPTION:
            raise invalid(f"'description' is longer than {MAX_DESCRIPTION} characters.")
    if "previewType" in sent:
        if sent["previewType"] is None:
            raise invalid("'previewType' cannot be null.")
        new["previewType"] = sent["previewType"]
    for name, merge in OPEN["plannerTaskDetails"].items():
        if name in sent:
            new[name] = merge(old[name], sent[name], writing)
    return new


def counters(details: Mapping[str, Any]) -> dict[str, Any]:
    """What a task tells of its details."""
    items = details["checklist"].values()
    return {
        "hasDescription": bool(details["description"]), "previewType": details["previewType"],
        "checklistItemCount": len(items), "activeChecklistItemCount": sum(not item["isChecked"] for item in items),
        "referenceCount": len(details["references"]),
    }


def written_bucket(old: Mapping[str, Any], sent: Mapping[str, Any], writing: Writing,
                   hints: Iterable[str]) -> dict[str, Any]:
    """A bucket's values after a write. Its plan cannot be changed."""
    if sent.get("planId", old["planId"]) != old["planId"]:
        raise invalid("the plan of a bucket cannot be changed.")
    new = dict(old) | {"name": sent.get("name", old["name"])}
    check_name(Kind.BUCKET, new)
    _order(new, sent, writing, hints)
    return new


def written_plan(old: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    """A plan's values after a write. Its container cannot be changed."""
    for name in ("container", "owner"):
        if name in sent and sent[name] != old[name]:
            raise invalid("the container of a plan cannot be changed.")
    new = dict(old) | {"title": sent.get("title", old["title"])}
    check_name(Kind.PLAN, new)
    return new


def written_plan_details(old: Mapping[str, Any], sent: Mapping[str, Any], writing: Writing) -> dict[str, Any]:
    """A plan's details after a write: names of labels and people key by key."""
    new = dict(old)
    if "categoryDescriptions" in sent:
        new["categoryDescriptions"] = {**old["categoryDescriptions"], **(sent["categoryDescriptions"] or {})}
    for name, merge in OPEN["plannerPlanDetails"].items():
        if name in sent:
            new[name] = merge(old[name], sent[name], writing)
    return new


def conflict() -> Refusal:
    """409 with Planner's words."""
    return Refusal(409, "", "The attempted changes conflicted with already accepted changes. Read the latest state "
                   "and resolve differences.")


def _with_line_ends(text: str, options: Options) -> str:
    if options.planner_line_ends == "as_sent":
        return text
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return plain if options.planner_line_ends == "lf" else plain.replace("\n", "\r\n")


def _check_number(values: Mapping[str, Any], name: str, lowest: int, highest: int) -> None:
    if values[name] is None or not lowest <= values[name] <= highest:
        raise invalid(f"'{name}' must be a number from {lowest} to {highest}.")


def _order(new: dict[str, Any], sent: Mapping[str, Any], writing: Writing, hints: Iterable[str]) -> None:
    if sent.get("orderHint") is not None:
        new["orderHint"] = planner_hints.computed(planner_hints.checked("orderHint", sent["orderHint"]), hints)
    elif not new["orderHint"]:
        new["orderHint"] = planner_hints.fresh(writing.number)
    if sent.get("assigneePriority"):
        hint = planner_hints.checked("assigneePriority", sent["assigneePriority"])
        new["assigneePriority"] = planner_hints.computed(hint, ())


def _complete(old: Mapping[str, Any], new: dict[str, Any], writing: Writing) -> None:
    """Who completed it and when follow the percentage."""
    if new["percentComplete"] == DONE and old["percentComplete"] != DONE:
        new["completedDateTime"], new["completedBy"] = writing.now_text, writing.actor.identity()
    elif new["percentComplete"] != DONE:
        new["completedDateTime"], new["completedBy"] = None, None
