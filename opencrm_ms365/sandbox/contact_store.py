"""The contacts of one mailbox: folders, items, and the log of what changed where.

A contact is in exactly one folder; Deleted Items is one, too, which no listing shows. Items are known by two ids: the
immutable one, and the default one that a move replaces (facts 4). Callers hold the world's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from . import contact_rules, extended
from .changelog import ChangeLog, Entry
from .ids import is_well_formed
from .refusal import Refusal, item_not_found, malformed_id
from .world import Change, Mailbox


@dataclass(slots=True)
class Folder:
    """A contact folder. `is_default` marks the mailbox's "Contacts"."""

    id: str
    name: str
    parent_id: str
    is_default: bool = False
    extended: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Contact:
    """A stored contact. `values` are the writable properties under Graph's names."""

    immutable_id: str
    default_id: str
    folder_id: str
    values: dict[str, Any]
    change_key: str
    created_at: datetime
    changed_at: datetime
    extended: dict[str, str] = field(default_factory=dict)
    photo: bytes | None = None
    entered_seq: int = 0                                              # when it came into its folder
    property_seqs: dict[str, int] = field(default_factory=dict)       # when each property last changed

    @property
    def etag(self) -> str:
        return f'W/"{self.change_key}"'


class ContactStore:
    """One mailbox's contacts. Lookups by id take either kind."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.world = mailbox.world
        self.seq = 0
        self.folders: dict[str, Folder] = {}
        self.folder_log = ChangeLog()
        self.logs: dict[str, ChangeLog] = {}
        self._members: dict[str, dict[str, Contact]] = {mailbox.deleted_items_id: {}}
        self._contacts: dict[str, Contact] = {}
        self._by_default_id: dict[str, Contact] = {}
        options = self.world.options
        self.default_folder = self.add_folder(options.default_folder_name, mailbox.root_folder_id, is_default=True)
        for name in options.system_folders:
            self.add_folder(name, mailbox.root_folder_id)

    # Reading

    def folder(self, key: str) -> Folder:
        """A folder by id, or the default one by its well-known name. Raises `Refusal` (400, 404)."""
        if key in self.folders:
            return self.folders[key]
        if key.lower() == "contacts" and self.world.options.well_known_contacts:
            return self.default_folder
        raise item_not_found() if is_well_formed(key) else malformed_id()

    def children(self, parent_id: str) -> list[Folder]:
        return [folder for folder in self.folders.values() if folder.parent_id == parent_id]

    def contact(self, key: str, folder: Folder | None = None, *, deleted_too: bool = False) -> Contact:
        """A contact by either id, in that folder when one is given. Raises `Refusal` (400, 404)."""
        found = self._contacts.get(key) or self._by_default_id.get(key)
        if found is None and not is_well_formed(key):
            raise malformed_id()
        if found is None or (folder is not None and found.folder_id != folder.id):
            raise item_not_found()
        if found.folder_id == self.mailbox.deleted_items_id and not deleted_too:
            raise item_not_found()
        return found

    def by_immutable_id(self, key: str) -> Contact | None:
        return self._contacts.get(key)

    def members(self, folder_id: str) -> Iterable[Contact]:
        """The contacts directly in a folder, in the order in which they came."""
        return self._members.get(folder_id, {}).values()

    def count(self, folder_id: str) -> int:
        return len(self._members.get(folder_id, ()))

    def all_contacts(self) -> Iterator[Contact]:
        """All contacts outside Deleted Items, folder by folder."""
        for folder_id in self.folders:
            yield from self.members(folder_id)

    def change_logs(self, collection: str = "") -> list[ChangeLog]:
        """The logs whose tokens can expire: all, or that of the folder with this id or name."""
        if not collection:
            return [self.folder_log, *self.logs.values()]
        wanted = {folder.id for folder in self.folders.values()
                  if collection in (folder.id, folder.name) or (folder.is_default and collection == "contacts")}
        return [log for folder_id, log in self.logs.items() if folder_id in wanted]

    # Contacts

    def create(self, folder: Folder, sent: Mapping[str, Any]) -> Contact:
        """A new contact of checked properties. Raises `Refusal` (400)."""
        values = contact_rules.created(sent, self.world.options)
        properties = extended.written({}, sent.get("singleValueExtendedProperties", ()))
        now, ids = self.world.clock.now(), self.world.ids
        contact = Contact(ids.immutable(), ids.item(), folder.id, values, ids.change_key(), now, now, properties)
        self._contacts[contact.immutable_id] = contact
        self._enter(contact, folder.id)
        self._announce("created", contact)
        return contact

    def update(self, contact: Contact, sent: Mapping[str, Any]) -> bool:
        """Write checked properties; whether anything was written. Raises `Refusal` (400), then nothing is changed."""
        options = self.world.options
        values = contact_rules.updated(contact.values, sent, options)
        properties = extended.written(contact.extended, sent.get("singleValueExtendedProperties", ()))
        changed = [name for name in values if values[name] != contact.values[name]]
        if not changed and properties == contact.extended and options.patch_without_change == "quiet":
            return False
        contact.values, contact.extended = values, properties
        self.touch(contact, changed)
        return True

    def touch(self, contact: Contact, changed: Iterable[str] = ()) -> None:
        """A new change key and date; with no property named, nothing else changed (the service does that, too)."""
        contact.change_key = self.world.ids.change_key()
        contact.changed_at = self.world.clock.now()
        seq = self._note(contact, is_present=True)
        contact.property_seqs.update(dict.fromkeys(changed, seq))
        self._announce("updated", contact)

    def move(self, contact: Contact, folder_id: str) -> None:
        """To another folder: a new default id, the same immutable id; the old folder's log says removed."""
        if folder_id == contact.folder_id:
            return
        self._leave(contact)
        contact.change_key = self.world.ids.change_key()
        contact.changed_at = self.world.clock.now()
        contact.default_id = self.world.ids.item()
        self._enter(contact, folder_id)
        self._announce("deleted" if folder_id == self.mailbox.deleted_items_id else "updated", contact)

    def delete(self, contact: Contact) -> None:
        """To Deleted Items, from where its owner can bring it back."""
        self.move(contact, self.mailbox.deleted_items_id)

    def purge(self, contact: Contact) -> None:
        """For good."""
        self._leave(contact)
        del self._contacts[contact.immutable_id]
        self._announce("deleted", contact)

    # Folders

    def add_folder(self, name: str, parent_id: str, sent: Iterable[Mapping[str, Any]] = (), *,
                   is_default: bool = False) -> Folder:
        """A new folder. Raises `Refusal` (409) for a name that its siblings have."""
        self._check_name(name, parent_id)
        folder = Folder(self.world.ids.folder(), name, parent_id, is_default, extended.written({}, sent))
        self.folders[folder.id] = folder
        self._members[folder.id] = {}
        self.logs[folder.id] = ChangeLog()
        self._note_folder(folder, is_present=True)
        return folder

    def update_folder(self, folder: Folder, name: str | None, parent_id: str | None = None) -> None:
        """Rename or hang elsewhere; None: as it is. Raises `Refusal` (409)."""
        new_name, new_parent = name or folder.name, parent_id or folder.parent_id
        if (new_name.lower(), new_parent) != (folder.name.lower(), folder.parent_id):
            self._check_name(new_name, new_parent)
        folder.name, folder.parent_id = new_name, new_parent
        self._note_folder(folder, is_present=True)

    def delete_folder(self, folder: Folder, *, purge: bool = False) -> None:
        """With its subfolders; their contacts go to Deleted Items, or for good. The default one stays (`Refusal`)."""
        if folder.is_default:
            raise Refusal(400, "ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
        for child in self.children(folder.id):
            self.delete_folder(child, purge=purge)
        for contact in list(self.members(folder.id)):
            (self.purge if purge else self.delete)(contact)
        del self.folders[folder.id], self._members[folder.id]
        self.logs[folder.id].is_deleted = True      # kept: a delta link of it is answered in its own way
        self._note_folder(folder, is_present=False)

    # Within

    def _check_name(self, name: str, parent_id: str) -> None:
        if not name.strip():
            raise Refusal(400, "ErrorInvalidProperty", "The folder's display name is missing.")
        if self.world.options.duplicate_folder == "refused" and any(
                sibling.name.lower() == name.lower() for sibling in self.children(parent_id)):
            raise Refusal(409, "ErrorFolderExists", "A folder with the specified name already exists.")

    def _enter(self, contact: Contact, folder_id: str) -> None:
        contact.folder_id = folder_id
        self._members[folder_id][contact.immutable_id] = contact
        self._by_default_id[contact.default_id] = contact
        contact.entered_seq = self._note(contact, is_present=True)

    def _leave(self, contact: Contact) -> None:
        self._note(contact, is_present=False)
        del self._members[contact.folder_id][contact.immutable_id], self._by_default_id[contact.default_id]

    def _note(self, contact: Contact, *, is_present: bool) -> int:
        self.seq += 1
        log = self.logs.get(contact.folder_id)      # Deleted Items has none
        if log is not None:
            log.note(Entry(contact.immutable_id, self.seq, is_present, self.world.clock.now(), contact.default_id))
        return self.seq

    def _note_folder(self, folder: Folder, *, is_present: bool) -> None:
        self.seq += 1
        self.folder_log.note(Entry(folder.id, self.seq, is_present, self.world.clock.now(), folder.id))

    def _announce(self, kind: str, contact: Contact) -> None:
        self.world.announce(Change(self.mailbox.account.id, "contacts", kind, contact.immutable_id, contact.etag))
