"""What the forms of a mailbox do. Each ends with a redirect, so that reloading a page repeats nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ..refusal import Refusal
from ..world import Account
from . import contact_form
from .frame import mailbox_url
from .people import Mailbox, page_of
from .search import name_of

if TYPE_CHECKING:
    from ..simulator import Sandbox

CHANGED_MEANWHILE = (
    "This contact was changed while you were writing, perhaps by the CRM. What you typed is below; "
    "Save writes it over the newer version."
)
GONE = "This is not there any more; perhaps the CRM has deleted or moved it."


def do(sandbox: Sandbox, request: Request, account: Account, rest: str) -> Response:
    """Carry out a form. What Exchange refuses is shown on the page that the form came from."""
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
        self.sandbox = sandbox
        self.request = request
        self.form = request.form
        self.account = account
        self.view = Mailbox(sandbox, request, account)
        self.user = self.view.user

    def add(self) -> Response:
        sent = contact_form.changes({}, self.form)
        if not sent:
            return self._again({}, "New contact", self.view.action("contacts"), "There is nothing in the form yet.")
        try:
            made = self.user.add_contact(self._folder(), **sent)
        except Refusal as refused:
            return self._again({}, "New contact", self.view.action("contacts"), refused.message)
        return self._back("added", contact=made["id"])

    def edit(self, contact_id: str) -> Response:
        contact = self.user.contact(contact_id)
        action, title = self.view.action(f"contacts/{contact_id}"), f"Edit {name_of(contact)}"
        if self.form.get("changeKey", contact["changeKey"]) != contact["changeKey"]:
            return self._again(contact, title, action, CHANGED_MEANWHILE)
        sent = contact_form.changes(contact, self.form)
        if not sent:
            return self._back("unchanged", contact=contact_id)
        try:
            self.user.edit_contact(contact_id, **sent)
        except Refusal as refused:
            return self._again(contact, title, action, refused.message)
        return self._back("saved", contact=contact_id)

    def move(self, contact_id: str) -> Response:
        self.user.move_contact(contact_id, self.form.get("to", ""))
        return self._back("moved", contact=contact_id)

    def delete(self, contact_id: str) -> Response:
        self.user.delete_contact(contact_id)
        return self._back("deleted")

    def restore(self, contact_id: str) -> Response:
        self.user.restore_contact(contact_id, self.form.get("to") or None)
        return self._back("restored")

    def purge(self, contact_id: str) -> Response:
        self.user.purge_contact(contact_id)
        return self._back("purged")

    def empty(self) -> Response:
        self.user.empty_deleted_items()
        return self._back("emptied")

    def add_folder(self) -> Response:
        made = self.user.add_folder(self.form.get("name", "").strip(), self.form.get("parent") or None)
        return redirect(mailbox_url(self.account, folder=made["id"], done="folder-added"), 303)

    def rename_folder(self, folder_id: str) -> Response:
        self.user.rename_folder(folder_id, self.form.get("name", "").strip())
        return self._back("folder-renamed")

    def delete_folder(self, folder_id: str) -> Response:
        self.user.delete_folder(folder_id)
        return redirect(mailbox_url(self.account, done="folder-deleted"), 303)

    def _folder(self) -> str | None:
        named = self.view.folder_named()
        return named["id"] if named is not None else None

    def _back(self, done: str, **query: str) -> Response:
        place = f"#{query['contact']}" if "contact" in query else ""
        return redirect(self.view.url(done=done, **query) + place, 303)

    def _again(self, contact: dict[str, object], title: str, action: str, note: str) -> Response:
        cancel = self.view.url(contact=str(contact.get("id", "")))
        form: Markup = contact_form.form(contact, action, cancel, title=title, typed=self.form, note=note)
        return page_of(self.sandbox, self.request, self.account, form=form)


_ACTIONS = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"/contacts", "add"),
        (r"/contacts/([^/]+)", "edit"),
        (r"/contacts/([^/]+)/move", "move"),
        (r"/contacts/([^/]+)/delete", "delete"),
        (r"/contacts/([^/]+)/restore", "restore"),
        (r"/contacts/([^/]+)/purge", "purge"),
        (r"/deleted/empty", "empty"),
        (r"/folders", "add_folder"),
        (r"/folders/([^/]+)/rename", "rename_folder"),
        (r"/folders/([^/]+)/delete", "delete_folder"),
    )
)
