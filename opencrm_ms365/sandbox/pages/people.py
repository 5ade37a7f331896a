"""A mailbox: folders on the left, people in the middle, one of them (or a form) on the right."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from werkzeug.wrappers import Request, Response

from ..html import avatar, each
from ..refusal import Refusal
from ..world import Account
from . import contact_form
from .frame import ago, framed, mailbox_url
from .search import by_letter, matching, name_of

if TYPE_CHECKING:
    from ..simulator import Sandbox

ALL, DELETED = "", "deleted"
#: What a form has done, told on the page that follows it.
DONE = {
    "added": "The contact is in.",
    "saved": "Saved.",
    "unchanged": "Nothing was different, so nothing was written.",
    "moved": "Moved.",
    "deleted": "Moved to Deleted Items.",
    "restored": "Brought back.",
    "purged": "Gone for good.",
    "emptied": "Deleted Items is empty.",
    "folder-added": "The folder is there.",
    "folder-renamed": "The folder has its new name.",
    "folder-deleted": "The folder is gone; its contacts are in Deleted Items.",
}
_FOLDER = Markup(
    '<li class="d{depth}"><a href="{url}"{current}><span>{name}</span><span class="count">{count}</span></a></li>'
)
_ROW = Markup(
    '<li id="{id}"><a href="{url}"{current}>{avatar}'
    '<span><b>{name}</b><span class="quiet">{below}</span></span></a></li>'
)


class Mailbox:
    """One look at a mailbox: what the address asks for, and the pieces of the page."""

    def __init__(self, sandbox: Sandbox, request: Request, account: Account) -> None:
        self.sandbox = sandbox
        self.account = account
        self.user = sandbox.mailbox(account)
        self.args = request.args
        self.query = self.args.get("q", "").strip()
        self.folders = self.user.folders()
        wanted = self.args.get("folder", ALL)
        known = {folder["id"] for folder in self.folders} | {ALL, DELETED}
        self.folder = wanted if wanted in known else ALL

    def url(self, **query: str) -> str:
        """This view with something else open."""
        return mailbox_url(self.account, folder=self.folder, q=self.query, **query)

    def action(self, rest: str) -> str:
        """Where a form of this view posts to."""
        return mailbox_url(self.account, rest, folder=self.folder, q=self.query)

    def folder_named(self) -> dict[str, Any] | None:
        return next((folder for folder in self.folders if folder["id"] == self.folder), None)

    def contacts(self) -> list[dict[str, Any]]:
        if self.folder == DELETED:
            return matching(self.user.deleted_items(), self.query)
        return matching(self.user.contacts(self.folder or None), self.query)

    def contact(self) -> dict[str, Any] | None:
        """The one that is open; None when none is, or it is gone."""
        try:
            return self.user.contact(self.args["contact"]) if self.args.get("contact") else None
        except Refusal:
            return None


def page_of(sandbox: Sandbox, request: Request, account: Account, *, form: Markup | None = None,
            problem: str = "") -> Response:
    """The mailbox. `form` goes to the right instead of what the address asks for, when a form was refused."""
    if not account.has_mailbox:
        return framed(account.display_name, Markup('<main class="narrow empty"><h1>No mailbox</h1><p>{} has no '
                      "mailbox in Exchange Online.</p></main>").format(account.upn), kind="plain", account=account)
    view = Mailbox(sandbox, request, account)
    right = form if form is not None else _right(view)
    search = Markup(
        '<form class="search" role="search" action="{action}"><input type="hidden" name="folder" value="{folder}">'
        '<input type="search" name="q" value="{query}" placeholder="Search {whom}" aria-label="Search contacts"></form>'
    ).format(action=mailbox_url(account), folder=view.folder, query=view.query, whom=_place(view).lower())
    content = Markup(
        '{message}<div class="panes{open}"><nav class="folders" aria-label="Folders">{folders}</nav>'
        '<section class="list" aria-label="Contacts">{people}</section><main class="detail">{right}</main></div>'
    ).format(
        message=_message(request, problem),
        open=" open" if form is not None or view.args.get("contact") or view.args.get("do") else "",
        folders=_folders(view),
        people=_people(view),
        right=right,
    )
    status = 400 if problem else 200
    return framed(f"{account.display_name}: {_place(view)}", content, kind="people", middle=search, account=account,
                  status=status)


def _message(request: Request, problem: str) -> Markup | str:
    if problem:
        return Markup('<p class="toast bad" role="alert">{}</p>').format(problem)
    done = DONE.get(request.args.get("done", ""), "")
    return Markup('<p class="toast" role="status">{}</p>').format(done) if done else ""


def _place(view: Mailbox) -> str:
    if view.folder == DELETED:
        return "Deleted Items"
    named = view.folder_named()
    return named["displayName"] if named else "All contacts"


# On the left

def _folders(view: Mailbox) -> Markup:
    rows = [_folder_row(view, ALL, "All contacts", sum(folder["count"] for folder in view.folders), 0)]
    roots = [folder for folder in view.folders if not any(f["id"] == folder["parentFolderId"] for f in view.folders)]
    for root in sorted(roots, key=lambda folder: (not folder["isDefault"], folder["displayName"].casefold())):
        rows += _branch(view, root, 0)
    deleted = _folder_row(view, DELETED, "Deleted Items", len(view.user.deleted_items()), 0)
    return Markup(
        '<a class="button primary wide" href="{new}">New contact</a><ul>{rows}</ul><ul class="apart">{deleted}</ul>'
        '<details class="new-folder"><summary>New folder</summary><form method="post" action="{action}">'
        '<input name="name" required maxlength="100" placeholder="Name" aria-label="Name of the new folder">'
        "{parent}<button>Add</button></form></details>"
    ).format(
        new=view.url(do="new"),
        rows=each(_FOLDER, rows),
        deleted=each(_FOLDER, [deleted]),
        action=view.action("folders"),
        parent=_parent_choice(view),
    )


def _branch(view: Mailbox, folder: dict[str, Any], depth: int) -> list[dict[str, Any]]:
    rows = [_folder_row(view, folder["id"], folder["displayName"], folder["count"], depth)]
    children = [child for child in view.folders if child["parentFolderId"] == folder["id"]]
    for child in sorted(children, key=lambda child: child["displayName"].casefold()):
        rows += _branch(view, child, depth + 1)
    return rows


def _folder_row(view: Mailbox, key: str, name: str, count: int, depth: int) -> dict[str, Any]:
    current = Markup(' aria-current="page"') if view.folder == key else ""
    return {"url": mailbox_url(view.account, folder=key), "name": name, "count": count, "depth": min(depth, 4),
            "current": current}


def _parent_choice(view: Mailbox) -> Markup | str:
    named = view.folder_named()
    if named is None or named["isDefault"]:
        return ""
    return Markup('<label class="check"><input type="checkbox" name="parent" value="{}"> inside {}</label>').format(
        named["id"], named["displayName"])


# In the middle

def _people(view: Mailbox) -> Markup:
    contacts = view.contacts()
    opened = view.args.get("contact", "")
    groups = Markup("").join(
        Markup('<h3>{}</h3><ul>{}</ul>').format(letter, each(_ROW, (_row(view, c, opened) for c in group)))
        for letter, group in by_letter(contacts)
    )
    counted = "1 contact" if len(contacts) == 1 else f"{len(contacts)} contacts"
    head = Markup('<div class="list-head"><div><h1>{}</h1><p class="quiet">{}</p></div>{}</div>').format(
        _place(view), counted if not view.query else f"{counted} with “{view.query}”", _folder_menu(view))
    return head + (groups if contacts else _nobody(view))


def _row(view: Mailbox, contact: dict[str, Any], opened: str) -> dict[str, Any]:
    name = name_of(contact)
    emails = [entry.get("address") for entry in contact["emailAddresses"]]
    below = [contact["companyName"], contact["jobTitle"], next((e for e in emails if e), None), contact["mobilePhone"]]
    return {
        "id": contact["id"],
        "url": f"{view.url(contact=contact['id'])}#{contact['id']}",     # so that the list stays where it was
        "current": Markup(' aria-current="true"') if contact["id"] == opened else "",
        "avatar": avatar(name),
        "name": name,
        "below": next((text for text in below if text and text != name), ""),
    }


def _nobody(view: Mailbox) -> Markup:
    text = "Nothing was deleted." if view.folder == DELETED else "There is nobody in this folder yet."
    if view.query:
        text = "Nobody was found. The search looks at names, companies, addresses, numbers and notes."
    return Markup('<p class="nobody quiet">{}</p>').format(text)


def _folder_menu(view: Mailbox) -> Markup | str:
    named = view.folder_named()
    if view.folder == DELETED and view.user.deleted_items():
        return Markup('<details class="menu"><summary>Empty</summary><form method="post" action="{}"><p>All of it goes '
                      'for good.</p><button class="danger">Empty Deleted Items</button></form></details>'
                      ).format(view.action("deleted/empty"))
    if named is None or named["isDefault"]:
        return ""
    return Markup(
        '<details class="menu"><summary>Folder</summary><div><form method="post" action="{rename}">'
        '<input name="name" value="{name}" required maxlength="100" aria-label="New name">'
        "<button>Rename</button></form>"
        '<form method="post" action="{delete}"><button class="danger">Delete folder and its contacts</button></form>'
        "</div></details>"
    ).format(rename=view.action(f"folders/{named['id']}/rename"), delete=view.action(f"folders/{named['id']}/delete"),
             name=named["displayName"])


# On the right

def _right(view: Mailbox) -> Markup:
    if view.args.get("do") == "new":
        return contact_form.form({}, view.action("contacts"), view.url(), title="New contact",
                                 place=_place(view) if view.folder not in (ALL, DELETED) else "")
    contact = view.contact()
    if contact is None:
        gone = "This contact is not here any more." if view.args.get("contact") else "Pick somebody to see more."
        return Markup('<div class="empty"><p class="quiet">{}</p></div>').format(gone)
    if view.args.get("do") == "edit":
        return contact_form.form(contact, view.action(f"contacts/{contact['id']}"), view.url(contact=contact["id"]),
                                 title=f"Edit {name_of(contact)}")
    return _card(view, contact)


def _card(view: Mailbox, contact: dict[str, Any]) -> Markup:
    name = name_of(contact)
    work = ", ".join(part for part in (contact["jobTitle"], contact["department"], contact["companyName"])
                     if part and part != name)
    changed = ago(datetime.fromisoformat(contact["lastModifiedDateTime"]), view.sandbox.clock.now())
    tags = each(Markup('<span class="tag">{name}</span>'), ({"name": c} for c in contact["categories"]))
    return Markup(
        '<article class="card"><a class="back" href="{back}">Back to the list</a><header>{avatar}<div><h2>{name}</h2>'
        '<p class="quiet">{work}</p><p class="tags">{tags}</p></div></header>{actions}<dl>{facts}</dl>{notes}'
        '<footer class="quiet">In {folder} · last changed {changed}</footer></article>'
    ).format(back=view.url(), avatar=avatar(name, large=True), name=name, work=work, tags=tags,
             actions=_actions(view, contact), facts=_facts(contact), notes=_notes(contact),
             folder=_folder_of(view, contact), changed=changed)


def _folder_of(view: Mailbox, contact: dict[str, Any]) -> str:
    names = {folder["id"]: folder["displayName"] for folder in view.folders}
    return names.get(contact["parentFolderId"], "Deleted Items")


def _actions(view: Mailbox, contact: dict[str, Any]) -> Markup:
    here = f"contacts/{contact['id']}"
    places = [folder for folder in view.folders if folder["id"] != contact["parentFolderId"]]
    options = each(Markup('<option value="{id}">{displayName}</option>'), places)
    if _folder_of(view, contact) == "Deleted Items":
        return Markup(
            '<div class="actions"><form method="post" action="{restore}"><select name="to" aria-label="Folder">'
            '{options}</select><button class="primary">Bring back</button></form><form method="post" action="{purge}">'
            '<button class="danger">Delete for good</button></form></div>'
        ).format(restore=view.action(f"{here}/restore"), purge=view.action(f"{here}/purge"), options=options)
    move = Markup(
        '<form method="post" action="{}"><select name="to" aria-label="Move to">{}</select><button>Move</button></form>'
    ).format(view.action(f"{here}/move"), options) if places else ""
    return Markup(
        '<div class="actions"><a class="button primary" href="{edit}">Edit</a>{move}'
        '<form method="post" action="{delete}"><button class="danger">Delete</button></form></div>'
    ).format(edit=view.url(contact=contact["id"], do="edit"), move=move, delete=view.action(f"{here}/delete"))


def _facts(contact: dict[str, Any]) -> Markup:
    rows = [("E-mail", entry.get("address") or entry.get("name")) for entry in contact["emailAddresses"]]
    rows += [("Mobile", contact["mobilePhone"])]
    rows += [("Work", phone) for phone in contact["businessPhones"]] + [("Home", p) for p in contact["homePhones"]]
    rows += [(title, contact_form.address_lines(contact[name] or {})) for name, title in contact_form.ADDRESSES.items()]
    if contact["birthday"]:
        rows.append(("Birthday", f"{datetime.fromisoformat(contact['birthday']):%-d %B %Y}"))
    rows += [(title, contact[name]) for name, title in contact_form.CARD_TEXTS.items()]
    return each(Markup("<div><dt>{term}</dt><dd>{value}</dd></div>"),
                ({"term": term, "value": value} for term, value in rows if value))


def _notes(contact: dict[str, Any]) -> Markup | str:
    notes = contact["personalNotes"]
    return Markup('<section class="notes"><h3>Notes</h3><p>{}</p></section>').format(notes) if notes else ""
