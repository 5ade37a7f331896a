"""What the forms of a calendar do. Each ends with a redirect, so that reloading a page repeats nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ..refusal import Refusal
from ..world import Account
from . import event_form
from .calendar import Week, page_of
from .frame import mailbox_url

if TYPE_CHECKING:
    from ..simulator import Sandbox

CHANGED_MEANWHILE = (
    "This event was changed while you were writing, perhaps by the CRM. What you typed is below; Save writes it over "
    "the newer version."
)
GONE = "This is not there any more; perhaps the CRM has deleted or moved it."


def answer(sandbox: Sandbox, request: Request, account: Account, rest: str) -> Response:
    """Show the calendar, or carry out a form. `rest`: the path below the mailbox's."""
    if request.method != "POST":
        if rest == "/calendar/":
            return page_of(sandbox, request, account)
        if rest == "/calendar":
            return redirect(mailbox_url(account, "calendar/"))
        raise NotFound("This page does not exist.")
    action = Action(sandbox, request, account)
    for pattern, name in _ACTIONS:
        found = pattern.fullmatch(rest)
        if found is not None:
            try:
                method: Callable[..., Response] = getattr(action, name)
                return method(*found.groups())
            except Refusal as refused:
                return page_of(sandbox, request, account, problem=GONE if refused.status == 404 else refused.message)
    raise NotFound("This form does not exist.")


class Action:
    """One posted form."""

    def __init__(self, sandbox: Sandbox, request: Request, account: Account) -> None:
        self.sandbox, self.request, self.form, self.account = sandbox, request, request.form, account
        self.week = Week(sandbox, request, account)
        self.user = self.week.user

    def add(self) -> Response:
        try:
            sent = event_form.changes(self.week, {}, self.form)
            made = self.user.add_event(self.form.get("into") or None, **sent)
        except (Refusal, ValueError) as refused:
            return self._again({}, "New event", self.week.action("events"), _words(refused))
        day = self.week.wall(made).date().isoformat()
        return self._back("invited" if made["attendees"] else "added", day=day, event=made["id"])

    def edit(self, event_id: str) -> Response:
        event = self.user.event(event_id)
        action = self.week.action(f"events/{event_id}")
        if self.form.get("changeKey", event["changeKey"]) != event["changeKey"]:
            return self._again(event, "Edit event", action, CHANGED_MEANWHILE)
        try:
            sent = event_form.changes(self.week, event, self.form)
            if not sent:
                return self._back("unchanged", event=event_id)
            saved = self.user.edit_event(event_id, **sent)
        except (Refusal, ValueError) as refused:
            return self._again(event, "Edit event", action, _words(refused))
        return self._back("saved", day=self.week.wall(saved).date().isoformat(), event=event_id)

    def move(self, event_id: str) -> Response:
        self.user.move_event(event_id, self.form.get("to", ""))
        return self._back("moved", event=event_id)

    def restore(self, event_id: str) -> Response:
        self.user.move_event(event_id, self.form.get("to", ""))
        return self._back("restored", calendar="", event=event_id)

    def delete(self, event_id: str) -> Response:
        self.user.delete_event(event_id)
        return self._back("deleted")

    def cancel(self, event_id: str) -> Response:
        self.user.cancel_event(event_id, self.form.get("comment", "").strip())
        return self._back("cancelled")

    def answer(self, event_id: str) -> Response:
        response = self.form.get("response", "")
        try:
            self.user.answer(event_id, response, sends=bool(self.form.get("sends")))
        except ValueError:
            raise NotFound("This form does not exist.") from None
        return self._back("answered", event="" if response == "declined" else event_id)

    def add_calendar(self) -> Response:
        made = self.user.add_calendar(self.form.get("name", "").strip())
        return self._back("calendar-added", calendar=made["id"])

    def rename_calendar(self, calendar_id: str) -> Response:
        self.user.rename_calendar(calendar_id, self.form.get("name", "").strip())
        return self._back("calendar-renamed")

    def delete_calendar(self, calendar_id: str) -> Response:
        self.user.delete_calendar(calendar_id)
        return self._back("calendar-deleted", calendar="")

    def _back(self, done: str, **query: str) -> Response:
        return redirect(self.week.url(done=done, **query), 303)

    def _again(self, event: dict[str, Any], title: str, action: str, note: str) -> Response:
        cancel = self.week.url(event=str(event.get("id", "")))
        panel = event_form.form(self.week, event, action, cancel, title=title, typed=self.form, note=note)
        return page_of(self.sandbox, self.request, self.account, panel=panel)


def _words(refused: Exception) -> str:
    return refused.message if isinstance(refused, Refusal) else str(refused)


_ACTIONS = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"/calendar/events", "add"),
        (r"/calendar/events/([^/]+)", "edit"),
        (r"/calendar/events/([^/]+)/move", "move"),
        (r"/calendar/events/([^/]+)/restore", "restore"),
        (r"/calendar/events/([^/]+)/delete", "delete"),
        (r"/calendar/events/([^/]+)/cancel", "cancel"),
        (r"/calendar/events/([^/]+)/answer", "answer"),
        (r"/calendar/calendars", "add_calendar"),
        (r"/calendar/calendars/([^/]+)/rename", "rename_calendar"),
        (r"/calendar/calendars/([^/]+)/delete", "delete_calendar"),
    )
)
