"""A plan as its board: buckets as columns, tasks as cards, and one task (or nothing) open on the right."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from ..html import avatar, each
from ..refusal import Refusal
from ..world import Account
from . import planner_form
from .frame import framed, mailbox_url

if TYPE_CHECKING:
    from ..simulator import Sandbox

#: What a form has done, told on the page that follows it.
DONE = {
    "added": "The task is there.",
    "saved": "Saved.",
    "unchanged": "Nothing was different, so nothing was written.",
    "completed": "Completed.",
    "reopened": "It is to be done again.",
    "deleted": "The task is gone for good.",
    "bucket-added": "The bucket is there.",
    "bucket-renamed": "The bucket has its new name.",
    "bucket-deleted": "The bucket is gone with its tasks.",
    "plan-added": "The plan is there.",
}
_CARD = Markup(
    '<li id="{id}" class="task{state}"><form method="post" action="{complete}">'
    '<button class="tick" title="{tick}" aria-label="{tick}: {title}">{mark}</button></form>'
    '<a href="{url}"{current}>{labels}<b>{title}</b>{lines}<span class="foot">{foot}'
    '<span class="faces" title="{names}">{people}</span></span></a></li>'
)
_PLAN = Markup('<li><a href="{url}"{current}><span>{title}</span><span class="count">{count}</span></a></li>')
_URGENCY = ((1, "bad", "Urgent"), (4, "wait", "Important"))        # up to that priority: tone and word


class Board:
    """One look at a plan: what the address asks for, and what is needed to show it."""

    def __init__(self, sandbox: Sandbox, request: Request, account: Account, plan_id: str = "") -> None:
        self.sandbox = sandbox
        self.account = account
        self.args = request.args
        self.user = sandbox.planner(account)
        self.groups = [group for group in self.user.groups() if group["isUnified"]]
        self.plans = {group["id"]: self.user.plans(group["id"]) for group in self.groups}
        everything = [plan for plans in self.plans.values() for plan in plans]
        self.plan = next((plan for plan in everything if plan["id"] == plan_id), None)
        if plan_id and self.plan is None:
            raise NotFound("This plan is gone, or it belongs to a group that you are not in.")
        if self.plan is None and everything:
            self.plan = everything[0]
        self.buckets = self.user.buckets(self.plan) if self.plan else []
        self.today = sandbox.clock.now().date()

    def url(self, **query: str) -> str:
        """This plan with something else open."""
        return mailbox_url(self.account, f"planner/{self.plan['id'] if self.plan else ''}", **query)

    def action(self, rest: str) -> str:
        """Where a form of this plan posts to."""
        return mailbox_url(self.account, f"planner/{self.plan['id'] if self.plan else 'none'}/{rest}")

    def task(self) -> dict[str, Any] | None:
        """The task that is open; None when none is, or it is gone."""
        try:
            return self.user.task(self.args["task"]) if self.args.get("task") else None
        except Refusal:
            return None

    def members(self) -> list[Account]:
        """The people of the plan's group."""
        group = next((group for group in self.groups if self.plan and group["id"] == self.plan["owner"]), None)
        accounts = self.sandbox.world.accounts
        return [accounts[key] for key in (group["members"] if group else ()) if key in accounts]

    def person(self, account_id: str) -> Account | None:
        return self.sandbox.world.accounts.get(account_id)

    def labels(self) -> dict[str, str]:
        """The labels that have a name; of the others their number."""
        names = self.user.plan_details(self.plan)["categoryDescriptions"] if self.plan else {}
        return {key: name or f"Label {key.removeprefix('category')}" for key, name in names.items()}


def page_of(sandbox: Sandbox, request: Request, account: Account, plan_id: str = "", *, panel: Markup | None = None,
            problem: str = "") -> Response:
    """The board. `panel` goes to the right instead of what the address asks for, when a form was refused."""
    board = Board(sandbox, request, account, plan_id)
    right = panel if panel is not None else _panel(board)
    content = Markup(
        '{message}<div class="board-page{open}"><nav class="folders" aria-label="Plans">{plans}</nav>'
        '<main class="board">{main}</main>{right}</div>'
    ).format(message=_message(board, problem), plans=_plans(board), open=" open" if right else "",
             main=_main(board), right=right)
    title = board.plan["title"] if board.plan else "Planner"
    return framed(f"{account.display_name}: {title}", content, kind="planner", account=account,
                  status=400 if problem else 200)


def _message(board: Board, problem: str) -> Markup | str:
    if problem:
        return Markup('<p class="toast bad" role="alert">{}</p>').format(problem)
    done = DONE.get(board.args.get("done", ""), "")
    return Markup('<p class="toast" role="status">{}</p>').format(done) if done else ""


# On the left

def _plans(board: Board) -> Markup:
    parts = [Markup('<h2>{}</h2><ul>{}</ul>').format(
        group["displayName"], each(_PLAN, (_plan_row(board, plan) for plan in board.plans[group["id"]])))
        for group in board.groups]
    options = each(Markup('<option value="{id}">{displayName}</option>'), board.groups)
    new = Markup(
        '<details class="new-folder"><summary>New plan</summary><form method="post" action="{action}">'
        '<input name="title" required maxlength="255" placeholder="Title" aria-label="Title of the new plan">'
        '<select name="group" aria-label="Group">{options}</select><button>Add</button></form></details>'
    ).format(action=mailbox_url(board.account, "planner/plans"), options=options) if board.groups else ""
    return Markup("").join(parts) + new


def _plan_row(board: Board, plan: dict[str, Any]) -> dict[str, Any]:
    is_current = board.plan is not None and plan["id"] == board.plan["id"]
    return {"url": mailbox_url(board.account, f"planner/{plan['id']}"), "title": plan["title"],
            "count": sum(task["percentComplete"] < 100 for task in board.user.tasks(plan)),
            "current": Markup(' aria-current="page"') if is_current else ""}


# In the middle

def _main(board: Board) -> Markup:
    if board.plan is None:
        return Markup('<div class="empty"><h1>No plans</h1><p class="quiet">{} is in no group that has one.</p></div>'
                      ).format(board.account.display_name)
    tasks = board.user.tasks(board.plan)
    known = {bucket["id"] for bucket in board.buckets}
    columns = [_column(board, bucket, [task for task in tasks if task["bucketId"] == bucket["id"]])
               for bucket in board.buckets]
    if homeless := [task for task in tasks if task["bucketId"] not in known]:
        columns.insert(0, _column(board, None, homeless))
    return Markup(
        '<header class="board-head"><div><h1>{title}</h1><p class="quiet">{group} · {count}</p></div>'
        '<span class="faces">{people}</span></header><div class="columns">{columns}{new}</div>'
    ).format(title=board.plan["title"], group=_group_name(board), count=_counted(tasks),
             people=Markup("").join(avatar(member.display_name) for member in board.members()),
             columns=Markup("").join(columns), new=_new_bucket(board))


def _group_name(board: Board) -> str:
    return next(group["displayName"] for group in board.groups if board.plan and group["id"] == board.plan["owner"])


def _counted(tasks: list[dict[str, Any]]) -> str:
    done = sum(task["percentComplete"] == 100 for task in tasks)
    return f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}, {done} completed"


def _new_bucket(board: Board) -> Markup:
    return Markup(
        '<section class="column new"><details><summary>New bucket</summary><form method="post" action="{}">'
        '<input name="name" required maxlength="255" placeholder="Name" aria-label="Name of the new bucket">'
        "<button>Add</button></form></details></section>").format(board.action("buckets"))


def _column(board: Board, bucket: dict[str, Any] | None, tasks: list[dict[str, Any]]) -> Markup:
    cards = each(_CARD, (_card(board, task) for task in sorted(tasks, key=_is_done)))
    return Markup(
        '<section class="column" aria-label="{name}"><header><h2>{name}</h2><span class="count">{count}</span>{menu}'
        '</header><details class="new-task"><summary>New task</summary><form method="post" action="{action}">'
        '<input type="hidden" name="bucket" value="{bucket}">'
        '<input name="title" required maxlength="255" placeholder="What is to be done?" aria-label="Title">'
        '<input name="due" type="date" aria-label="Due"><button>Add</button></form></details><ul>{cards}</ul></section>'
    ).format(name=bucket["name"] if bucket else "In no bucket", count=len(tasks),
             menu=_bucket_menu(board, bucket) if bucket else "", action=board.action("tasks"),
             bucket=bucket["id"] if bucket else "", cards=cards)


def _is_done(task: dict[str, Any]) -> bool:
    return bool(task["percentComplete"] == 100)


def _bucket_menu(board: Board, bucket: dict[str, Any]) -> Markup:
    return Markup(
        '<details class="menu"><summary aria-label="Bucket {name}">···</summary><div>'
        '<form method="post" action="{rename}"><input name="name" value="{name}" required maxlength="255" '
        'aria-label="New name"><button>Rename</button></form><form method="post" action="{delete}">'
        '<button class="danger">Delete bucket and its tasks</button></form></div></details>'
    ).format(name=bucket["name"], rename=board.action(f"buckets/{bucket['id']}/rename"),
             delete=board.action(f"buckets/{bucket['id']}/delete"))


def _card(board: Board, task: dict[str, Any]) -> dict[str, Any]:
    done = _is_done(task)
    names = board.labels() if task["appliedCategories"] else {}
    labels = each(Markup('<span class="label l{number}">{name}</span>'), (
        {"number": int(key.removeprefix("category")) % 10, "name": names[key]} for key in task["appliedCategories"]))
    people = [person for key in task["assignments"] if (person := board.person(key)) is not None]
    is_open = board.args.get("task") == task["id"]
    return {
        "id": task["id"], "title": task["title"], "state": " done" if done else "",
        "complete": board.action(f"tasks/{task['id']}/complete"), "mark": "✓" if done else "",
        "tick": "To be done again" if done else "Complete", "lines": _lines(board, task), "foot": _foot(board, task),
        "url": f"{board.url(task=task['id'])}#{task['id']}",
        "current": Markup(' aria-current="true"') if is_open else "",
        "labels": Markup('<span class="labels">{}</span>').format(labels) if labels else "",
        "people": Markup("").join(avatar(person.display_name) for person in people),
        "names": ", ".join(person.display_name for person in people),
    }


def _lines(board: Board, task: dict[str, Any]) -> Markup | str:
    """On the card what the task previews: its checklist or its description."""
    if task["previewType"] == "checklist" and task["checklistItemCount"] and not _is_done(task):
        lines = planner_form.in_order(board.user.details(task["id"])["checklist"])
        return Markup('<ul class="lines">{}</ul>').format(each(
            Markup('<li class="{state}">{title}</li>'),
            ({"state": "ticked" if line["isChecked"] else "open", "title": line["title"]} for _, line in lines)))
    if task["previewType"] == "description" and task["hasDescription"]:
        return Markup('<span class="quiet">{}</span>').format(board.user.details(task["id"])["description"])
    return ""


def _foot(board: Board, task: dict[str, Any]) -> Markup:
    parts = []
    if not _is_done(task):
        for highest, tone, word in _URGENCY:
            if task["priority"] <= highest:
                parts.append(Markup('<span class="tag {}">{}</span>').format(tone, word))
                break
        if task["percentComplete"] > 0:
            parts.append(Markup('<span class="tag">{} %</span>').format(task["percentComplete"]))
    if task["dueDateTime"]:
        due = date.fromisoformat(task["dueDateTime"][:10])
        late = " late" if due < board.today and not _is_done(task) else ""
        parts.append(Markup('<span class="due{}">{}</span>').format(late, day_words(due, board.today)))
    if count := task["checklistItemCount"]:
        parts.append(Markup('<span class="due" title="Checklist">☑ {}/{}</span>').format(
            count - task["activeChecklistItemCount"], count))
    return Markup("").join(parts)


def day_words(day: date, today: date) -> str:
    """A day as people say it on a card."""
    near = {today: "Today", today + timedelta(days=1): "Tomorrow", today - timedelta(days=1): "Yesterday"}
    return near.get(day) or (f"{day:%-d %b}" if day.year == today.year else f"{day:%-d %b %Y}")


# On the right

def _panel(board: Board) -> Markup | str:
    task = board.task()
    if task is not None:
        return planner_form.form(board, task, board.user.details(task["id"]))
    if board.args.get("task"):
        return Markup('<aside class="panel"><p class="quiet">This task is not here any more; perhaps the CRM has '
                      'deleted it.</p><a class="button" href="{}">Close</a></aside>').format(board.url())
    return ""
