"""What changed among contacts, folder by folder, and among the folders themselves (facts 8.2)."""

from __future__ import annotations

from typing import Any

from ..changelog import ChangeLog, Entry
from ..contact_store import ContactStore
from ..refusal import Refusal
from . import folders
from .call import Call, Reply
from .contacts import IN_FOLDER, KNOWN, READ, shown
from .delta import Feed, Round, is_link, removed, selection, serve
from .query import unknown_property
from .routing import Routes

routes = Routes()


@routes.add("GET", "{user}/contacts/delta", scopes=READ, outlook=True)
def default_folder_delta(call: Call) -> Reply:
    """The default folder's contacts."""
    return _contacts(call, call.mailbox.part(ContactStore).default_folder.id)


@routes.add("GET", f"{IN_FOLDER}/delta", scopes=READ, outlook=True)
def folder_delta(call: Call, folder: str) -> Reply:
    """One folder's contacts; those of its subfolders are their own."""
    store = call.mailbox.part(ContactStore)
    if is_link(call) and folder in store.logs and store.logs[folder].is_deleted:
        raise Refusal(404, "ErrorSyncFolderNotFound", "The specified folder could not be found in the store.")
    return _contacts(call, store.folder(folder).id)


@routes.add("GET", "{user}/contactFolders/delta", scopes=READ, outlook=True)
def folders_delta(call: Call) -> Reply:
    """The tree of contact folders; whether it tells the default one is not known (switch)."""
    store = call.mailbox.part(ContactStore)
    names = _names(call, folders.KNOWN, "contactFolder")

    def render(entry: Entry) -> list[dict[str, Any]]:
        if not entry.is_present:
            return [removed("contactFolder", entry.key)]
        folder = store.folders[entry.key]
        if folder.is_default and not call.sandbox.options.folder_delta_default:
            return []
        body = {name: value for name, value in folders.shown(folder).items()
                if names is None or name in names or name == "id"}
        return [{"@odata.type": "#microsoft.graph.contactFolder", **body}]

    return serve(call, Feed("contactFolders", "contactFolder", store.folder_log, render), selection(call))


def _contacts(call: Call, folder_id: str) -> Reply:
    store = call.mailbox.part(ContactStore)
    log: ChangeLog = store.logs[folder_id]
    names = _names(call, KNOWN, "contact")

    def render(entry: Entry) -> list[dict[str, Any]]:
        contact = store.by_immutable_id(entry.key)
        if not entry.is_present or contact is None or contact.folder_id != folder_id:
            return [removed("contact", entry.key if call.wants_immutable_ids else entry.default_id)]
        return [{"@odata.type": "#microsoft.graph.contact", **shown(call, contact, names)}]

    def matters(entry: Entry, state: Round) -> bool:
        """With `delta_select_narrows`, changes of properties that were not selected do not show."""
        contact = store.by_immutable_id(entry.key)
        if names is None or not entry.is_present or contact is None or not call.sandbox.options.delta_select_narrows:
            return True
        since = state.since
        return contact.entered_seq > since or any(contact.property_seqs.get(name, 0) > since for name in names)

    return serve(call, Feed(folder_id, "contact", log, render, matters), selection(call))


def _names(call: Call, known: tuple[str, ...], type_name: str) -> frozenset[str] | None:
    names = {name.strip().lower() for name in selection(call).split(",") if name.strip()}
    by_lower = {name.lower(): name for name in known}
    for name in names:
        if name not in by_lower:
            raise unknown_property(name, type_name)
    return frozenset(by_lower[name] for name in names) or None
