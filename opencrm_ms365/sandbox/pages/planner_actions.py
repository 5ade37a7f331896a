"""What the forms of a board do. Each ends with a redirect, so that reloading a page repeats nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ..refusal import Refusal
from ..world import Account
from . import planner_form
from .frame import mailbox_url
from .planner_board import Board, page_of

if TYPE_CHECKING:
    from ..simulator import Sandbox

CHANGED_MEANWHILE = (
    "This task was changed while you were writing, perhaps by the CRM. What you typed is below; "
    "Save writes it over the newer version."
)
GONE = "This is not there any more; perhaps the CRM has deleted or moved it."
_PAGE = re.compile(r"/planner/?(?P<plan>[^/]*)")
_FORM = re.compile(r"/planner/(?P<plan>[^/]+)/(?P<rest>.+)")


def answer(sandbox: Sandbox, request: Request, account: Account, rest: str) -> Response:
    """Everything below `/outlook/{upn}/planner`: the board, or what one of its forms does."""
    if request.method == "POST" and rest == "/planner/plans":
        return _add_plan(sandbox, request, account)
    form, page = _FORM.fullmatch(rest), _PAGE.fullmatch(rest)
    if request.method == "POST" and form is not None:
        try:
            return _act(sandbox, request, account, form["plan"], form["rest"])
        except Refusal as refused:
            return page_of(sandbox, request, account, form["plan"], problem=_words(refused))
    if page is None:
        raise NotFound("This page does not exist.")
    return page_of(sandbox, request, account, page["plan"])


def _add_plan(sandbox: Sandbox, request: Request, account: Account) -> Response:
    try:
        made = sandbox.planner(account).add_plan(request.form.get("group", ""), request.form.get("title", "").strip())
    except Refusal as refused:
        return page_of(sandbox, request, account, problem=_words(refused))
    return redirect(mailbox_url(account, f"planner/{made['id']}", done="plan-added"), 303)


def _act(sandbox: Sandbox, request: Request, account: Account, plan_id: str, rest: str) -> Response:
    action = Action(sandbox, request, account, plan_id)
    for pattern, name in _ACTIONS:
        found = pattern.fullmatch(rest)
        if found is not None:
            method: Callable[..., Response] = getattr(action, name)
            return method(*found.groups())
    raise NotFound("This form does not exist.")


class Action:
    """One posted form of a plan's board."""

    def __init__(self, sandbox: Sandbox, request: Request, account: Account, plan_id: str) -> None:
        self.sandbox = sandbox
        self.request = request
        self.form = request.form
        self.account = account
        self.board = Board(sandbox, request, account, plan_id)
        self.user = self.board.user

    def add(self) -> Response:
        made = self.user.add_task(self.board.plan, self.form.get("bucket") or None,
                                  title=self.form.get("title", "").strip(), dueDateTime=self.form.get("due") or None)
        return self._back("added", made["id"])

    def save(self, task_id: str) -> Response:
        task, details = self.user.task(task_id), self.user.details(task_id)
        if self.form.get("etags", "") != planner_form.etags(task, details):
            return self._again(task_id, CHANGED_MEANWHILE)
        try:
            has_changed = self._write(task_id)
        except Refusal as refused:
            return self._again(task_id, _words(refused))
        return self._back("saved" if has_changed else "unchanged", task_id)

    def complete(self, task_id: str) -> Response:
        is_done = self.user.task(task_id)["percentComplete"] == 100
        self.user.edit_task(task_id, percentComplete=0 if is_done else 100)
        return self._back("reopened" if is_done else "completed")

    def delete(self, task_id: str) -> Response:
        self.user.delete_task(task_id)
        return self._back("deleted")

    def add_bucket(self) -> Response:
        self.user.add_bucket(self.board.plan, self.form.get("name", "").strip())
        return self._back("bucket-added")

    def rename_bucket(self, bucket_id: str) -> Response:
        self.user.rename_bucket(bucket_id, self.form.get("name", "").strip())
        return self._back("bucket-renamed")

    def delete_bucket(self, bucket_id: str) -> Response:
        self.user.delete_bucket(bucket_id)
        return self._back("bucket-deleted")

    def _write(self, task_id: str) -> bool:
        """Write what differs, the task first; whether anything did. Raises `Refusal`."""
        task, details = self.user.task(task_id), self.user.details(task_id)
        moves = self._move(task)
        sent = planner_form.task_changes(task, self.form)
        if sent:
            self.user.edit_task(task_id, **sent)
        if told := planner_form.details_changes(details, self.form):
            self.user.edit_details(task_id, **told)
        if line := self.form.get("line", "").strip():
            self.user.add_checklist_item(task_id, line)
        wanted, present = set(self.form.getlist("assignee")), set(task["assignments"])
        if come := [key for key in self.form.getlist("assignee") if key not in present]:
            self.user.assign(task_id, *come)
        if gone := present - wanted:
            self.user.unassign(task_id, *gone)
        return bool(moves or sent or told or line or come or gone)

    def _move(self, task: dict[str, Any]) -> bool:
        """To the chosen bucket, also of another plan, whose board is the one to go back to."""
        bucket_id = self.form.get("bucket", task["bucketId"] or "")
        if bucket_id == (task["bucketId"] or ""):
            return False
        plans = [plan for plans in self.board.plans.values() for plan in plans]
        plan = next((plan for plan in plans if any(bucket["id"] == bucket_id for bucket in self.user.buckets(plan))),
                    self.board.plan)
        self.user.move_task(task["id"], bucket_id or None, plan)
        self.board.plan = plan
        return True

    def _back(self, done: str, task_id: str = "") -> Response:
        place = f"#{task_id}" if task_id else ""
        return redirect(self.board.url(done=done, task=task_id) + place, 303)

    def _again(self, task_id: str, note: str) -> Response:
        """The form once more with what was typed, to be saved over the present version."""
        task, details = self.user.task(task_id), self.user.details(task_id)
        typed = self.form.copy()
        typed["etags"] = planner_form.etags(task, details)
        for name, value in planner_form.flat(task, details):
            typed.setdefault(name, value if name not in ("assignee", "label", "ticked") else "")
        panel = planner_form.form(self.board, task, details, typed=typed, note=note)
        return page_of(self.sandbox, self.request, self.account, self.board.plan["id"] if self.board.plan else "",
                       panel=panel)


def _words(refused: Refusal) -> str:
    return GONE if refused.status == 404 else refused.message


_ACTIONS = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"tasks", "add"),
        (r"tasks/([^/]+)", "save"),
        (r"tasks/([^/]+)/complete", "complete"),
        (r"tasks/([^/]+)/delete", "delete"),
        (r"buckets", "add_bucket"),
        (r"buckets/([^/]+)/rename", "rename_bucket"),
        (r"buckets/([^/]+)/delete", "delete_bucket"),
    )
)
