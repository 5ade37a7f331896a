"""The form of a task, and reading it: only what the person has changed is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from ..html import each
from .frame import ago

if TYPE_CHECKING:
    from .planner_board import Board

PROGRESS = {0: "Not started", 50: "In progress", 100: "Completed"}
PRIORITIES = {1: "Urgent", 3: "Important", 5: "Medium", 9: "Low"}
PREVIEWS = {"automatic": "Nothing", "checklist": "The checklist", "description": "The description"}
_OPTION = Markup('<option value="{value}"{selected}>{name}</option>')
_CHECK = Markup('<label class="check"><input type="checkbox" name="{name}" value="{value}"{checked}> {title}</label>')
_LINE = Markup(
    '<li><label class="check"><input type="checkbox" name="ticked" value="{key}"{checked}> {title}</label>'
    '<label class="check drop"><input type="checkbox" name="dropped" value="{key}"> remove</label></li>')


def form(board: Board, task: Mapping[str, Any], details: Mapping[str, Any], *,
         typed: MultiDict[str, str] | None = None, note: str = "") -> Markup:
    """The panel of a task. `typed` is what a person had typed when the form was refused."""
    shown = typed if typed is not None else MultiDict(flat(task, details))
    percent = {int(shown["percent"]): f"{shown['percent']} %"} if shown["percent"].isdigit() else {}
    return Markup(
        '<aside class="panel"><form method="post" action="{action}"><header><h2>Task</h2>'
        '<a class="button plain" href="{close}">Close</a></header>{note}'
        '<input type="hidden" name="etags" value="{etags}">'
        '<label class="field"><span>Title</span><textarea name="title" rows="2" maxlength="255" required>{title}'
        '</textarea></label><div class="pairs">{bucket}{progress}{priority}{preview}'
        '<label class="field"><span>Start</span><input type="date" name="start" value="{start}"></label>'
        '<label class="field"><span>Due</span><input type="date" name="due" value="{due}"></label></div>'
        '<fieldset><legend>Assigned to</legend>{people}</fieldset>'
        '<label class="field"><span>Description</span><textarea name="description" rows="5">{description}</textarea>'
        '</label><fieldset><legend>Checklist</legend><ul class="checklist">{lines}</ul>'
        '<input name="line" maxlength="100" placeholder="Add a line" aria-label="New line of the checklist"></fieldset>'
        '<details><summary>Labels</summary><div class="choices">{labels}</div></details>'
        '<p class="buttons"><button class="primary">Save</button></p></form>'
        '<form method="post" action="{delete}"><button class="danger">Delete task</button></form>'
        '<footer class="quiet">{story}</footer></aside>'
    ).format(
        action=board.action(f"tasks/{task['id']}"), delete=board.action(f"tasks/{task['id']}/delete"),
        close=board.url(), etags=shown["etags"], title=shown["title"], description=shown["description"],
        note=Markup('<p class="notice">{}</p>').format(note) if note else "",
        start=shown["start"], due=shown["due"],
        bucket=_buckets(board, task, shown["bucket"]),
        progress=_select("percent", "Progress", percent | PROGRESS, shown["percent"]),
        priority=_select("priority", "Priority", PRIORITIES, shown["priority"]),
        preview=_select("preview", "Show on the card", PREVIEWS | _other_preview(details), shown["preview"]),
        people=_people(board, shown), lines=_lines(details, shown), labels=_labels(board, shown),
        story=_story(board, task))


def flat(task: Mapping[str, Any], details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The form's fields and their texts."""
    return [
        ("etags", etags(task, details)), ("title", task["title"]), ("description", details["description"]),
        ("bucket", task["bucketId"] or ""), ("percent", str(task["percentComplete"])),
        ("priority", str(_known(task["priority"]))), ("preview", details["previewType"]),
        ("start", (task["startDateTime"] or "")[:10]), ("due", (task["dueDateTime"] or "")[:10]), ("line", ""),
        *(("assignee", key) for key in task["assignments"]), *(("label", key) for key in task["appliedCategories"]),
        *(("ticked", key) for key, line in details["checklist"].items() if line["isChecked"]),
    ]


def etags(task: Mapping[str, Any], details: Mapping[str, Any]) -> str:
    """The versions that the form shows."""
    return f"{task['@odata.etag']} {details['@odata.etag']}"


def task_changes(task: Mapping[str, Any], typed: MultiDict[str, str]) -> dict[str, Any]:
    """Graph's properties of the task that differ; without its bucket and people, who are moved and assigned apart."""
    sent: dict[str, Any] = {}
    if _clean(typed.get("title", task["title"])) != task["title"]:
        sent["title"] = _clean(typed.get("title"))
    for name, field in (("percentComplete", "percent"), ("priority", "priority")):
        text = typed.get(field, "")
        number = task[name] if field == "percent" else _known(task[name])
        if text.isdigit() and int(text) != number:
            sent[name] = int(text)
    for name, field in (("startDateTime", "start"), ("dueDateTime", "due")):
        before = (task[name] or "")[:10]
        if typed.get(field, before) != before:
            sent[name] = typed.get(field) or None
    labels = set(typed.getlist("label"))
    if labels != set(task["appliedCategories"]):
        sent["appliedCategories"] = {key: key in labels for key in labels ^ set(task["appliedCategories"])}
    return sent


def details_changes(details: Mapping[str, Any], typed: MultiDict[str, str]) -> dict[str, Any]:
    """Graph's properties of the details that differ; a new line of the checklist is added on its own."""
    sent: dict[str, Any] = {}
    if _clean(typed.get("description", details["description"])) != _clean(details["description"]):
        sent["description"] = _clean(typed.get("description"))
    if typed.get("preview", details["previewType"]) != details["previewType"]:
        sent["previewType"] = typed["preview"]
    ticked, dropped = set(typed.getlist("ticked")), set(typed.getlist("dropped"))
    checklist: dict[str, Any] = {}
    for key, line in details["checklist"].items():
        if key in dropped:
            checklist[key] = None
        elif (key in ticked) != line["isChecked"]:
            checklist[key] = {"@odata.type": "#microsoft.graph.plannerChecklistItem", "isChecked": key in ticked}
    return sent | ({"checklist": checklist} if checklist else {})


def in_order(checklist: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The lines of a checklist from top to bottom."""
    return sorted(checklist.items(), key=lambda entry: str(entry[1]["orderHint"]))


def _known(priority: int) -> int:
    """The priority that Planner's page shows for a number: it writes 1, 3, 5 and 9 (facts 9.3)."""
    return 1 if priority <= 1 else 3 if priority <= 4 else 5 if priority <= 7 else 9


def _other_preview(details: Mapping[str, Any]) -> dict[str, str]:
    kind = details["previewType"]
    return {} if kind in PREVIEWS else {kind: kind}


def _select(name: str, title: str, options: Mapping[Any, str], chosen: str) -> Markup:
    rows = each(_OPTION, ({"value": value, "name": text, "selected": _flag("selected", str(value) == chosen)}
                          for value, text in options.items()))
    return Markup('<label class="field"><span>{}</span><select name="{}">{}</select></label>').format(title, name, rows)


def _buckets(board: Board, task: Mapping[str, Any], chosen: str) -> Markup:
    """The buckets of all plans: choosing one of another plan moves the task there."""
    def options(buckets: list[dict[str, Any]]) -> Markup:
        return each(_OPTION, ({"value": bucket["id"], "name": bucket["name"],
                               "selected": _flag("selected", bucket["id"] == chosen)} for bucket in buckets))

    own = options([*([] if task["bucketId"] else [{"id": "", "name": "none"}]), *board.buckets])
    others = [plan for plans in board.plans.values() for plan in plans if plan["id"] != task["planId"]]
    elsewhere = each(Markup('<optgroup label="{title}">{options}</optgroup>'), (
        {"title": plan["title"], "options": options(board.user.buckets(plan))} for plan in others))
    return Markup('<label class="field"><span>Bucket</span><select name="bucket">{}{}</select></label>').format(
        own, elsewhere)


def _people(board: Board, shown: MultiDict[str, str]) -> Markup:
    members = board.members()
    chosen = shown.getlist("assignee")
    outside = [person for key in chosen if (person := board.person(key)) is not None and person not in members]
    return each(_CHECK, ({"name": "assignee", "value": person.id, "title": person.display_name,
                          "checked": _flag("checked", person.id in chosen)} for person in [*members, *outside]))


def _labels(board: Board, shown: MultiDict[str, str]) -> Markup:
    chosen = shown.getlist("label")
    labels = [(key, name) for number, (key, name) in enumerate(board.labels().items()) if number < 6 or key in chosen]
    return each(_CHECK, ({"name": "label", "value": key, "title": name, "checked": _flag("checked", key in chosen)}
                         for key, name in labels))


def _lines(details: Mapping[str, Any], shown: MultiDict[str, str]) -> Markup:
    ticked = shown.getlist("ticked")
    return each(_LINE, ({"key": key, "title": line["title"], "checked": _flag("checked", key in ticked)}
                        for key, line in in_order(details["checklist"])))


def _story(board: Board, task: Mapping[str, Any]) -> str:
    now = board.sandbox.clock.now()
    told = f"Made by {_name(board, task['createdBy'])} {ago(_instant(task['createdDateTime']), now)}"
    if task["completedDateTime"]:
        told += f", completed by {_name(board, task['completedBy'])} {ago(_instant(task['completedDateTime']), now)}"
    return told


def _name(board: Board, identity: Mapping[str, Any]) -> str:
    person = board.person(identity["user"]["id"])
    return person.display_name if person is not None else "somebody who has left"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text[:19] + "+00:00")


def _flag(name: str, is_set: bool) -> Markup | str:
    return Markup(f" {name}") if is_set else ""     # noqa: S704 - our own two words


def _clean(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()
