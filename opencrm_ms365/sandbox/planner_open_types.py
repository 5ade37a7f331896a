"""Planner's open types: assignments, labels, checklist, references, the people a plan is shared with (facts 9.3).

Clients make the property names. A PATCH merges key by key: what is not mentioned stays, null removes. Complex values
must say their `@odata.type`. Pure: takes the stored keys and what was sent, gives the new ones, or raises `Refusal`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import planner_hints
from .options import Options
from .planner_items import Actor
from .refusal import Refusal
from .validation import check_body

MAX_ITEM_TITLE = 100
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CATEGORY = re.compile(r"category([1-9]|1\d|2[0-5])")
# The name of a reference is a URL in which at least these characters are encoded; "%" stands only before two digits.
_ENCODED_URL = re.compile(r"(?:[^.:%@#]|%[0-9A-Fa-f]{2})+")

Merge = Callable[[Mapping[str, Any], Any, "Writing"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Writing:
    """One write: by whom, when, and the number of the version that comes of it."""

    actor: Actor
    now: datetime
    number: int
    options: Options

    @property
    def now_text(self) -> str:
        return precise(self.now)

    def signature(self) -> dict[str, Any]:
        """What the service adds to a changed entry of a checklist or reference list."""
        return {"lastModifiedDateTime": self.now_text, "lastModifiedBy": self.actor.identity()}


def precise(instant: datetime) -> str:
    """An instant as Planner writes the ones that it sets itself: seven fractional digits."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond:06}0Z"


def invalid(message: str) -> Refusal:
    """400 as Planner says it: no code, words for developers."""
    return Refusal(400, "", f"The request is invalid: {message}")


def limit_exceeded(code: str) -> Refusal:
    """403 for a limit of the service; the code says which."""
    return Refusal(403, code, "The request exceeds a limit of the service.")


def merged_assignments(old: Mapping[str, Any], sent: Any, writing: Writing) -> dict[str, Any]:
    """The people of a task by object id. Whether there are such people is not decided here."""
    new = dict(old)
    for user_id, value in _entries("assignments", sent):
        if _GUID.fullmatch(user_id) is None:
            raise invalid(f"'{user_id}' in 'assignments' is not the id of a user.")
        if value is None:
            new.pop(user_id, None)
            continue
        given = _complex("assignments", value, "plannerAssignment", writing.options)
        if not isinstance(given.get("orderHint"), str):
            raise invalid("an assignment needs an 'orderHint'.")
        hint = planner_hints.checked("orderHint", given["orderHint"])
        others = [entry["orderHint"] for key, entry in new.items() if key != user_id]
        # The one who assigned first stays named: a second assignment of the same person only reorders.
        new[user_id] = {
            "@odata.type": "#microsoft.graph.plannerAssignment", "assignedDateTime": writing.now_text,
            "assignedBy": writing.actor.identity(), **dict(new.get(user_id, {})),
            "orderHint": planner_hints.computed(hint, others)}
    if len(new) > writing.options.planner_max_assignees:
        raise limit_exceeded("MaximumAssigneesInTasks")
    return new


def merged_categories(old: Mapping[str, Any], sent: Any, writing: Writing) -> dict[str, Any]:
    """The labels that a task has; false takes one away as null does."""
    new = dict(old)
    for name, value in _entries("appliedCategories", sent):
        if _CATEGORY.fullmatch(name) is None:
            raise invalid(f"'{name}' in 'appliedCategories' is not one of category1 to category25.")
        if value is not None and not isinstance(value, bool):
            raise invalid(f"the value of '{name}' in 'appliedCategories' must be true, false or null.")
        if value:
            new[name] = True
        else:
            new.pop(name, None)
    return new


def merged_checklist(old: Mapping[str, Any], sent: Any, writing: Writing) -> dict[str, Any]:
    """The items of a checklist by the GUIDs that clients have made; members not sent stay, too."""
    new = dict(old)
    for key, value in _entries("checklist", sent):
        if _GUID.fullmatch(key) is None:
            raise invalid(f"'{key}' in 'checklist' is not a GUID.")
        if value is None:
            new.pop(key, None)
            continue
        given = _complex("checklist", value, "plannerChecklistItem", writing.options)
        entry = {"@odata.type": "#microsoft.graph.plannerChecklistItem", "isChecked": False, **new.get(key, {})}
        entry |= {name: given[name] for name in ("title", "isChecked") if given.get(name) is not None}
        if not 0 < len(entry.get("title") or "") <= MAX_ITEM_TITLE:
            raise invalid(f"an item of 'checklist' needs a title of at most {MAX_ITEM_TITLE} characters.")
        entry["orderHint"] = _hint(new, key, given, "orderHint", writing)
        if entry != new.get(key):
            new[key] = entry | writing.signature()
    if len(new) > writing.options.planner_max_checklist:
        raise limit_exceeded("MaximumChecklistItemsOnTask")
    return new


def merged_references(old: Mapping[str, Any], sent: Any, writing: Writing) -> dict[str, Any]:
    """The links of a task by their encoded URL."""
    new = dict(old)
    for url, value in _entries("references", sent):
        if _ENCODED_URL.fullmatch(url) is None:
            raise invalid("the name of a reference is its URL with the characters . : % @ # encoded.")
        if value is None:
            new.pop(url, None)
            continue
        given = _complex("references", value, "plannerExternalReference", writing.options)
        entry = {"@odata.type": "#microsoft.graph.plannerExternalReference", "alias": None, "type": None,
                 **new.get(url, {})}
        entry |= {name: given[name] for name in ("alias", "type") if name in given}
        entry["previewPriority"] = _hint(new, url, given, "previewPriority", writing)
        if entry != new.get(url):
            new[url] = entry | writing.signature()
    if len(new) > writing.options.planner_max_references:
        raise limit_exceeded("MaximumReferencesOnTask")
    return new


def merged_user_ids(old: Mapping[str, Any], sent: Any, writing: Writing) -> dict[str, Any]:
    """The people a plan is shared with: true adds, false and null remove."""
    new = dict(old)
    for user_id, value in _entries("sharedWith", sent):
        if _GUID.fullmatch(user_id) is None or not (value is None or isinstance(value, bool)):
            raise invalid("'sharedWith' has ids of users as names and true or false as values.")
        if value:
            new[user_id] = True
        else:
            new.pop(user_id, None)
    if len(new) > writing.options.planner_max_shared_with:
        raise limit_exceeded("MaximumUsersSharedWithProject")
    return new


def _entries(name: str, sent: Any) -> list[tuple[str, Any]]:
    """What was sent, without annotations. An open type without any property is refused (documented)."""
    if not isinstance(sent, dict):
        raise invalid(f"'{name}' must be an object.")
    entries = [(key, value) for key, value in sent.items() if not key.startswith("@")]
    if not entries:
        raise invalid(f"'{name}' does not contain any properties.")
    return entries


def _complex(name: str, value: Any, type_name: str, options: Options) -> dict[str, Any]:
    """The checked members of a value that must name its type."""
    if not isinstance(value, dict):
        raise invalid(f"a value in '{name}' must be an object or null.")
    if str(value.get("@odata.type", "")).lstrip("#") != f"microsoft.graph.{type_name}":
        raise invalid(f"a value in '{name}' needs '@odata.type' with the value 'microsoft.graph.{type_name}'.")
    given = check_body(type_name, value, options)
    if not given:
        raise invalid(f"a value in '{name}' does not contain any properties.")
    return given


def _hint(entries: Mapping[str, Any], key: str, given: Mapping[str, Any], name: str, writing: Writing) -> str:
    """The entry's new hint: computed from the sent one, else the one it has, else a fresh one."""
    if given.get(name) is not None:
        hint = planner_hints.checked(name, given[name])
        return planner_hints.computed(hint, [entry[name] for other, entry in entries.items() if other != key])
    if key in entries:
        return str(entries[key][name])
    # Several entries of one request keep the order in which they were sent, the first one on top.
    return planner_hints.between(max((entry[name] for entry in entries.values()), default=""), "") \
        if entries else planner_hints.fresh(writing.number)


OPEN: dict[str, dict[str, Merge]] = {
    "plannerTask": {"assignments": merged_assignments, "appliedCategories": merged_categories},
    "plannerTaskDetails": {"checklist": merged_checklist, "references": merged_references},
    "plannerPlanDetails": {"sharedWith": merged_user_ids},
}
