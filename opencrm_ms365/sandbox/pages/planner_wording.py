"""What a request to Planner or about groups means, in plain words: "Completed the task “Order oak”"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..planner_groups import Groups
from ..planner_items import Kind
from ..planner_store import Planner
from ..requestlog import LoggedRequest

if TYPE_CHECKING:
    from ..simulator import Sandbox

#: Properties as people call them; what is not in it is called by its own name.
PROPERTIES = {
    "title": "title", "bucketId": "bucket", "planId": "plan", "percentComplete": "progress", "priority": "priority",
    "dueDateTime": "due date", "startDateTime": "start date", "assignments": "people", "appliedCategories": "labels",
    "orderHint": "place", "description": "description", "checklist": "checklist", "references": "links",
    "previewType": "preview",
}
#: Method, path below the version, and words; {names} are filled in as they are now.
_RULES = tuple((method, re.compile(pattern, re.IGNORECASE), words) for method, pattern, words in (
    ("GET", r"/(me|users/[^/]+)/(transitiveM|m)emberOf(/.*)?", "Asked which groups somebody is in"),
    ("GET", r"/groups", "Listed the groups"),
    ("GET", r"/groups/(?P<group>[^/]+)", "Looked at the group {group}"),
    ("GET", r"/groups/(?P<group>[^/]+)/members(/.*)?", "Listed who is in the group {group}"),
    ("GET", r"/groups/(?P<group>[^/]+)/planner/plans", "Listed the plans of the group {group}"),
    ("GET", r"/(me|users/[^/]+)/planner/plans", "Listed the plans shared with somebody"),
    ("GET", r"/(me|users/[^/]+)/planner/tasks", "Listed the tasks assigned to somebody"),
    ("POST", r"/planner/plans", "Added the plan “{title}”"),
    ("GET", r"/planner/plans/(?P<plan>[^/]+)(/details)?", "Looked at the plan {plan}"),
    ("GET", r"/planner/plans/(?P<plan>[^/]+)/buckets", "Listed the buckets of {plan}"),
    ("GET", r"/planner/plans/(?P<plan>[^/]+)/tasks", "Listed the tasks of {plan}"),
    ("PATCH", r"/planner/plans/(?P<plan>[^/]+)(/details)?", "Changed the plan {plan}"),
    ("DELETE", r"/planner/plans/[^/]+", "Deleted a plan"),
    ("POST", r"/planner/buckets", "Added the bucket “{name}” to {plan}"),
    ("GET", r"/planner/buckets/(?P<bucket>[^/]+)/tasks", "Listed the tasks of the bucket {bucket}"),
    ("GET", r"/planner/buckets/(?P<bucket>[^/]+)", "Looked at the bucket {bucket}"),
    ("PATCH", r"/planner/buckets/(?P<bucket>[^/]+)", "Changed the bucket {bucket}"),
    ("DELETE", r"/planner/buckets/[^/]+", "Deleted a bucket"),
    ("POST", r"/planner/tasks", "Added the task “{title}” to {plan}"),
    ("GET", r"/planner/tasks/(?P<task>[^/]+)", "Read {task}"),
    ("GET", r"/planner/tasks/(?P<task>[^/]+)/details", "Read the details of {task}"),
    ("PATCH", r"/planner/tasks/(?P<task>[^/]+)(/details)?", "{changed} {task}"),
    ("DELETE", r"/planner/tasks/[^/]+", "Deleted a task"),
))


def words_for(sandbox: Sandbox, entry: LoggedRequest) -> str | None:
    """One sentence without a full stop; None when the request is about something else."""
    path = re.sub(r"^/v1\.0", "", entry.path, flags=re.IGNORECASE)
    for method, pattern, words in _RULES:
        found = pattern.fullmatch(path) if method == entry.method else None
        if found is not None:
            return words.format_map(_names(sandbox, entry, found.groupdict()))
    return None


def _names(sandbox: Sandbox, entry: LoggedRequest, ids: dict[str, str | None]) -> dict[str, str]:
    body: dict[str, Any] = entry.body if isinstance(entry.body, dict) else {}
    planner, group = sandbox.world.part(Planner), sandbox.world.part(Groups).by_id.get(ids.get("group") or "")

    def stored(kind: Kind, key: Any, member: str, gone: str) -> str:
        item = planner.items[kind].get(key) if isinstance(key, str) else None
        return f"“{item.values[member]}”" if item is not None else gone

    return {
        "title": str(body.get("title") or ""), "name": str(body.get("name") or ""), "changed": _changed(body),
        "group": f"“{group.name}”" if group is not None else "that is gone",
        "plan": stored(Kind.PLAN, ids.get("plan") or body.get("planId"), "title", "a plan that is gone"),
        "bucket": stored(Kind.BUCKET, ids.get("bucket"), "name", "that is gone"),
        "task": stored(Kind.TASK, ids.get("task"), "title", "a task that is gone"),
    }


def _changed(body: dict[str, Any]) -> str:
    if body.get("percentComplete") == 100 and len(body) == 1:
        return "Completed"
    names = [PROPERTIES.get(name, name) for name in body]
    if not names or len(names) > 4:
        return f"Changed {len(names)} fields of" if names else "Changed"
    return f"Changed {' and '.join(part for part in (', '.join(names[:-1]), names[-1]) if part)} of"
