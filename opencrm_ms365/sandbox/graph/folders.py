"""Contact folders (facts 5.3). The default folder is in no listing, but reachable by its id."""

from __future__ import annotations

from typing import Any

from .. import extended
from ..contact_store import ContactStore, Folder
from ..refusal import Refusal
from ..validation import check_body
from . import filters
from .call import Call, Reply
from .expand import asked_properties
from .query import allow, order, page, selected, unknown_property
from .routing import Routes

routes = Routes()

READ = ("Contacts.Read", "Contacts.ReadWrite")
WRITE = ("Contacts.ReadWrite",)
KNOWN = ("id", "parentFolderId", "displayName")


@routes.add("GET", "{user}/contactFolders", scopes=READ, outlook=True)
def list_folders(call: Call) -> Reply:
    """The folders directly below the mailbox's root, without the default one."""
    store = call.mailbox.part(ContactStore)
    found = [folder for folder in store.children(call.mailbox.root_folder_id) if not folder.is_default]
    return _listing(call, found, "contactFolders")


@routes.add("GET", "{user}/contactFolders/{folder}/childFolders", scopes=READ, outlook=True)
def list_child_folders(call: Call, folder: str) -> Reply:
    """The folders directly below one."""
    store = call.mailbox.part(ContactStore)
    parent = store.folder(folder)
    return _listing(call, store.children(parent.id), f"contactFolders('{parent.id}')/childFolders")


@routes.add("GET", "{user}/contactFolders/{folder}", scopes=READ, outlook=True)
def get_folder(call: Call, folder: str) -> Reply:
    """One folder, also the default one by its id (and by `contacts`, switchable)."""
    allow(call, "$select", "$expand")
    return _single(call, call.mailbox.part(ContactStore).folder(folder), 200)


@routes.add("POST", "{user}/contactFolders", scopes=WRITE, outlook=True)
def create_folder(call: Call) -> Reply:
    """A new folder below the root."""
    return _create(call, call.mailbox.root_folder_id)


@routes.add("POST", "{user}/contactFolders/{folder}/childFolders", scopes=WRITE, outlook=True)
def create_child_folder(call: Call, folder: str) -> Reply:
    """A new folder below one."""
    return _create(call, call.mailbox.part(ContactStore).folder(folder).id)


@routes.add("PATCH", "{user}/contactFolders/{folder}", scopes=WRITE, outlook=True)
def update_folder(call: Call, folder: str) -> Reply:
    """Rename; `parentFolderId` hangs it elsewhere."""
    store = call.mailbox.part(ContactStore)
    found = store.folder(folder)
    sent = check_body("contactFolder", call.json(), call.sandbox.options)
    parent_id = sent.get("parentFolderId")
    if parent_id and parent_id != call.mailbox.root_folder_id:
        parent_id = store.folder(parent_id).id
    properties = extended.written(found.extended, sent.get("singleValueExtendedProperties", ()))
    store.update_folder(found, sent.get("displayName"), parent_id)
    found.extended = properties
    return _single(call, found, 200)


@routes.add("DELETE", "{user}/contactFolders/{folder}", scopes=WRITE, outlook=True)
def delete_folder(call: Call, folder: str) -> Reply:
    """The folder goes, its contacts go to Deleted Items."""
    store = call.mailbox.part(ContactStore)
    store.delete_folder(store.folder(folder))
    return Reply(204)


@routes.add("POST", "{user}/contactFolders/{folder}/permanentDelete", scopes=WRITE, outlook=True)
def purge_folder(call: Call, folder: str) -> Reply:
    """The folder and its contacts go for good."""
    store = call.mailbox.part(ContactStore)
    store.delete_folder(store.folder(folder), purge=True)
    return Reply(204)


def shown(folder: Folder) -> dict[str, Any]:
    """A folder as answers show it."""
    return {"id": folder.id, "parentFolderId": folder.parent_id, "displayName": folder.name}


def _create(call: Call, parent_id: str) -> Reply:
    sent = check_body("contactFolder", call.json(), call.sandbox.options)
    folder = call.mailbox.part(ContactStore).add_folder(
        sent.get("displayName") or "", parent_id, sent.get("singleValueExtendedProperties", ()))
    return _single(call, folder, 201)


def _single(call: Call, folder: Folder, status: int) -> Reply:
    context = {"@odata.context": call.context(f"users('{call.account.id}')/contactFolders/$entity")}
    return Reply(status, context | _render(call, folder))


def _listing(call: Call, folders: list[Folder], context: str) -> Reply:
    allow(call, "$select", "$top", "$skip", "$orderby", "$count", "$filter", "$expand")
    if call.query.get("$filter"):
        meets = filters.compiled(filters.parse(call.query["$filter"]), _condition)
        folders = [folder for folder in folders if meets(folder)]
    folders = order(call, folders, lambda folder, name: shown(folder)[name], KNOWN, "contactFolder")
    return page(call, folders, lambda folder: _render(call, folder), f"users('{call.account.id}')/{context}")


def _render(call: Call, folder: Folder) -> dict[str, Any]:
    names = selected(call, KNOWN, "contactFolder")
    body = {name: value for name, value in shown(folder).items() if names is None or name in names or name == "id"}
    properties = extended.shown(folder.extended, asked_properties(call)) if call.method == "GET" else []
    return body | ({"singleValueExtendedProperties": properties} if properties else {})


def _condition(node: filters.Compare | filters.AnyOf) -> filters.Predicate:
    if isinstance(node, filters.AnyOf):
        raise Refusal(501, "NotImplemented", "The sandbox does not simulate this filter on folders.")
    by_lower = {name.lower(): name for name in KNOWN}
    if len(node.path) > 1 or node.path[0].lower() not in by_lower:
        raise unknown_property("/".join(node.path), "contactFolder")
    name = by_lower[node.path[0].lower()]
    return lambda folder: filters.holds(node.operator, shown(folder)[name], node.value)
