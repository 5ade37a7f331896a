"""Contacts: lists, single items, writing, deleting (facts 5)."""

from __future__ import annotations

from typing import Any, Protocol

from .. import contact_rules, extended
from ..clock import timestamp
from ..contact_store import Contact, ContactStore, Folder
from ..refusal import Refusal, item_not_found
from ..validation import check_body
from . import contact_filter
from .call import Call, Reply
from .expand import asked_properties
from .query import allow, order, page, selected
from .routing import Routes

routes = Routes()

READ = ("Contacts.Read", "Contacts.ReadWrite")
WRITE = ("Contacts.ReadWrite",)
LIST_OPTIONS = ("$select", "$top", "$skip", "$orderby", "$filter", "$count", "$expand")
BASE = ("id", "createdDateTime", "lastModifiedDateTime", "changeKey", "parentFolderId")
KNOWN = (*BASE, *contact_rules.EMPTY, *contact_rules.SINGLE_EMAILS)
IN_FOLDER = "{user}/contactFolders/{folder}/contacts"


@routes.add("GET", "{user}/contacts", scopes=READ, outlook=True)
def list_contacts(call: Call) -> Reply:
    """The default folder's contacts, or all of the mailbox's (switch `me_contacts`)."""
    store = call.mailbox.part(ContactStore)
    if call.sandbox.options.me_contacts == "all_folders":
        return _listing(call, list(store.all_contacts()))
    return _listing(call, list(store.members(store.default_folder.id)))


@routes.add("GET", IN_FOLDER, scopes=READ, outlook=True)
def list_folder_contacts(call: Call, folder: str) -> Reply:
    """The contacts directly in one folder."""
    store = call.mailbox.part(ContactStore)
    return _listing(call, list(store.members(store.folder(folder).id)))


@routes.add("GET", "{user}/contacts/$count", scopes=READ, outlook=True)
def count_contacts(call: Call) -> Reply:
    """The number of contacts in the default folder, as text."""
    store = call.mailbox.part(ContactStore)
    return Reply(200, raw=str(store.count(store.default_folder.id)).encode(), content_type="text/plain")


@routes.add("POST", "{user}/contacts", scopes=WRITE, outlook=True)
def create_contact(call: Call) -> Reply:
    """A new contact in the default folder; a `parentFolderId` in the body is ignored (switchable)."""
    store = call.mailbox.part(ContactStore)
    return _create(call, store.default_folder)


@routes.add("POST", IN_FOLDER, scopes=WRITE, outlook=True)
def create_folder_contact(call: Call, folder: str) -> Reply:
    """A new contact in the folder of the URL."""
    return _create(call, call.mailbox.part(ContactStore).folder(folder))


@routes.add("GET", "{user}/contacts/{contact}", scopes=READ, outlook=True)
@routes.add("GET", f"{IN_FOLDER}/{{contact}}", scopes=READ, outlook=True)
def get_contact(call: Call, contact: str, folder: str = "") -> Reply:
    """One contact by either id."""
    allow(call, "$select", "$expand")
    return _single(call, find(call, contact, folder, deleted_too=call.sandbox.options.deleted_items_by_id == "found"))


@routes.add("PATCH", "{user}/contacts/{contact}", scopes=WRITE, outlook=True)
@routes.add("PATCH", f"{IN_FOLDER}/{{contact}}", scopes=WRITE, outlook=True)
def update_contact(call: Call, contact: str, folder: str = "") -> Reply:
    """Change what is sent. Without `If-Match` the last write wins."""
    store = call.mailbox.part(ContactStore)
    found = find(call, contact, folder)
    check_etag(call, found)
    sent = check_body("contact", call.json(), call.sandbox.options)
    target = sent.pop("parentFolderId", None)
    goes_to = _target(call, store, found, target) if target else found.folder_id
    store.update(found, sent)
    store.move(found, goes_to)
    return _single(call, found)


@routes.add("DELETE", "{user}/contacts/{contact}", scopes=WRITE, outlook=True)
@routes.add("DELETE", f"{IN_FOLDER}/{{contact}}", scopes=WRITE, outlook=True)
def delete_contact(call: Call, contact: str, folder: str = "") -> Reply:
    """To Deleted Items."""
    found = find(call, contact, folder)
    check_etag(call, found)
    call.mailbox.part(ContactStore).delete(found)
    return Reply(204)


@routes.add("POST", "{user}/contacts/{contact}/permanentDelete", scopes=WRITE, outlook=True)
@routes.add("POST", f"{IN_FOLDER}/{{contact}}/permanentDelete", scopes=WRITE, outlook=True)
def purge_contact(call: Call, contact: str, folder: str = "") -> Reply:
    """For good."""
    call.mailbox.part(ContactStore).purge(find(call, contact, folder))
    return Reply(204)


def find(call: Call, contact: str, folder: str = "", *, deleted_too: bool = False) -> Contact:
    """The contact of the path. Raises `Refusal` (400, 404)."""
    store = call.mailbox.part(ContactStore)
    return store.contact(contact, store.folder(folder) if folder else None, deleted_too=deleted_too)


class HasChangeKey(Protocol):
    """Anything in a mailbox."""

    @property
    def change_key(self) -> str: ...


def check_etag(call: Call, item: HasChangeKey) -> None:
    """Obey `If-Match`. Raises `Refusal` (412) when the item has changed since."""
    wanted = call.headers.get("If-Match", "").strip()
    if not wanted or wanted == "*" or call.sandbox.options.if_match == "ignored":
        return
    if wanted.removeprefix("W/").strip('"') != item.change_key:
        raise Refusal(412, "ErrorIrresolvableConflict", "The send or update operation could not be performed because "
                      "the change key passed in the request does not match the current change key for the item.")


def shown(call: Call, contact: Contact, names: frozenset[str] | None, asked: list[str] | None = None) -> dict[str, Any]:
    """A contact as answers show it: `names` of `$select`, `asked` extended properties."""
    everything = {
        "id": contact.immutable_id if call.wants_immutable_ids else contact.default_id,
        "createdDateTime": timestamp(contact.created_at), "lastModifiedDateTime": timestamp(contact.changed_at),
        "changeKey": contact.change_key, "parentFolderId": contact.folder_id,
        **contact_rules.shown(contact.values, call.sandbox.options),
    }
    body = {"@odata.etag": contact.etag}
    body |= everything if names is None else {
        name: value for name, value in everything.items() if name in names or name == "id"}
    properties = extended.shown(contact.extended, asked or ())
    return body | ({"singleValueExtendedProperties": properties} if properties else {})


def _create(call: Call, folder: Folder) -> Reply:
    store = call.mailbox.part(ContactStore)
    sent = check_body("contact", call.json(), call.sandbox.options)
    wished = sent.pop("parentFolderId", None)
    if wished and call.sandbox.options.post_parent_folder == "obeyed":
        folder = store.folder(wished)
    contact = store.create(folder, sent)
    reply = _single(call, contact, status=201)
    reply.headers["Location"] = call.url(f"/users('{call.account.id}')/contacts('{reply.body['id']}')")
    return reply


def _target(call: Call, store: ContactStore, contact: Contact, folder_id: str) -> str:
    """Where a PATCH of `parentFolderId` leads. Raises `Refusal` (400, 404)."""
    match call.sandbox.options.patch_parent_folder:
        case "ignored":
            return contact.folder_id
        case "refused":
            raise Refusal(400, "ErrorInvalidPropertySet", "The property 'parentFolderId' is read-only and can't be "
                          "set.")
    if folder_id == call.mailbox.deleted_items_id:
        return folder_id
    if folder_id not in store.folders:
        raise item_not_found()
    return folder_id


def _single(call: Call, contact: Contact, status: int = 200) -> Reply:
    names, asked = selected(call, KNOWN, "contact"), asked_properties(call) if call.method == "GET" else []
    context = {"@odata.context": call.context(f"users('{call.account.id}')/contacts/$entity")}
    return Reply(status, context | shown(call, contact, names, asked))


def _listing(call: Call, contacts: list[Contact]) -> Reply:
    allow(call, *LIST_OPTIONS)
    names, asked = selected(call, KNOWN, "contact"), asked_properties(call)
    contacts = contact_filter.filtered(call, contacts)
    contacts = order(call, contacts, contact_filter.value, contact_filter.SORTABLE, "contact")
    context = f"users('{call.account.id}')/contacts" + (f"({','.join(sorted(names))})" if names else "")
    return page(call, contacts, lambda contact: shown(call, contact, names, asked), context)
