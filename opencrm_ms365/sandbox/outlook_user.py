"""A mailbox as its owner uses it in Outlook: looks at contacts, edits, moves and deletes them. For tests and pages.

The calendar is in `outlook_calendar`.

Contacts are given and returned as Graph's JSON under their immutable ids; both kinds of id are understood. Folders are
named by id or by their name; none means the default folder where something is put, and all where something is shown.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import contact_rules
from .clock import timestamp
from .contact_store import Contact, ContactStore, Folder
from .extended import canonical_id, written
from .outlook_calendar import CalendarOwner
from .validation import check_body
from .world import Account

if TYPE_CHECKING:
    from .simulator import Sandbox


class OutlookUser(CalendarOwner):
    """What the owner of a mailbox sees and does. Raises `Refusal` where Exchange would refuse."""

    def __init__(self, sandbox: Sandbox, account: Account) -> None:
        self._sandbox = sandbox
        self._lock = sandbox.lock
        self.account = account
        with self._lock:
            self._mailbox = sandbox.world.mailbox(account)
            self._store = self._mailbox.part(ContactStore)

    # Looking

    def contacts(self, folder: str | None = None) -> list[dict[str, Any]]:
        """The contacts of one folder, or all that are not in Deleted Items."""
        with self._lock:
            found = self._store.all_contacts() if folder is None else self._store.members(self._folder(folder).id)
            return [self._shown(contact) for contact in found]

    def contact(self, contact_id: str) -> dict[str, Any]:
        """One contact, also from Deleted Items."""
        with self._lock:
            return self._shown(self._contact(contact_id))

    def find(self, **values: Any) -> list[dict[str, Any]]:
        """The contacts with exactly these values (`find(surname="Okafor")`)."""
        return [contact for contact in self.contacts() if all(contact.get(k) == v for k, v in values.items())]

    def deleted_items(self) -> list[dict[str, Any]]:
        """The contacts in Deleted Items."""
        with self._lock:
            return [self._shown(contact) for contact in self._store.members(self._mailbox.deleted_items_id)]

    def folders(self) -> list[dict[str, Any]]:
        """All contact folders: `id`, `displayName`, `parentFolderId`, `isDefault`, `count`."""
        with self._lock:
            return [self._shown_folder(folder) for folder in self._store.folders.values()]

    def extended_properties(self, contact_id: str) -> dict[str, str]:
        """The extended properties of a contact by id."""
        with self._lock:
            return dict(self._contact(contact_id).extended)

    @property
    def default_folder_id(self) -> str:
        return self._store.default_folder.id

    # Working with contacts

    def add_contact(self, folder: str | None = None, **values: Any) -> dict[str, Any]:
        """A new contact, by default in the default folder."""
        with self._lock:
            return self._shown(self._store.create(self._folder(folder), self._checked(values)))

    def add_contacts(self, contacts: Iterable[dict[str, Any]], folder: str | None = None) -> int:
        """Many at once; returns how many."""
        with self._lock:
            target = self._folder(folder)
            return len([self._store.create(target, self._checked(values)) for values in contacts])

    def edit_contact(self, contact_id: str, /, **values: Any) -> dict[str, Any]:
        """Change these properties; None or [] empties one."""
        with self._lock:
            contact = self._contact(contact_id)
            self._store.update(contact, self._checked(values))
            return self._shown(contact)

    def touch_contact(self, contact_id: str) -> dict[str, Any]:
        """A new change key and date without any change, as the service makes by itself at times."""
        with self._lock:
            contact = self._contact(contact_id)
            self._store.touch(contact)
            return self._shown(contact)

    def move_contact(self, contact_id: str, folder: str) -> dict[str, Any]:
        """To another folder; from Deleted Items it comes back."""
        with self._lock:
            contact = self._contact(contact_id)
            self._store.move(contact, self._folder(folder).id)
            return self._shown(contact)

    def copy_contact(self, contact_id: str, folder: str | None = None) -> dict[str, Any]:
        """A copy, which carries the extended properties along (unconfirmed)."""
        with self._lock:
            contact = self._contact(contact_id)
            made = self._store.create(self._folder(folder), copy.deepcopy(contact.values))
            made.extended = dict(contact.extended)
            return self._shown(made)

    def delete_contact(self, contact_id: str) -> None:
        """To Deleted Items."""
        with self._lock:
            self._store.delete(self._contact(contact_id))

    def restore_contact(self, contact_id: str, folder: str | None = None) -> dict[str, Any]:
        """Back from Deleted Items."""
        return self.move_contact(contact_id, folder or self.default_folder_id)

    def purge_contact(self, contact_id: str) -> None:
        """For good, wherever it is."""
        with self._lock:
            self._store.purge(self._contact(contact_id))

    def empty_deleted_items(self) -> None:
        """Purge all that is in Deleted Items."""
        with self._lock:
            for contact in list(self._store.members(self._mailbox.deleted_items_id)):
                self._store.purge(contact)

    def set_extended_property(self, contact_id: str, name: str, value: str | None) -> None:
        """Set or take away an extended property as another program would: the change key moves."""
        with self._lock:
            contact = self._contact(contact_id)
            contact.extended = written(contact.extended, [{"id": canonical_id(name), "value": value}])
            self._store.touch(contact)

    # Working with folders

    def add_folder(self, name: str, parent: str | None = None) -> dict[str, Any]:
        """A new folder, by default directly in the mailbox."""
        with self._lock:
            parent_id = self._mailbox.root_folder_id if parent is None else self._folder(parent).id
            return self._shown_folder(self._store.add_folder(name, parent_id))

    def rename_folder(self, folder: str, name: str) -> dict[str, Any]:
        with self._lock:
            found = self._folder(folder)
            self._store.update_folder(found, name)
            return self._shown_folder(found)

    def delete_folder(self, folder: str) -> None:
        """The folder goes, its contacts go to Deleted Items."""
        with self._lock:
            self._store.delete_folder(self._folder(folder))

    # Within

    def _contact(self, contact_id: str) -> Contact:
        return self._store.contact(contact_id, deleted_too=True)

    def _folder(self, key: str | None) -> Folder:
        if key is None or key.lower() == "contacts":
            return self._store.default_folder
        by_name = [folder for folder in self._store.folders.values() if folder.name == key]
        return by_name[0] if by_name else self._store.folder(key)

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        return check_body("contact", values, self._sandbox.options)

    def _shown(self, contact: Contact) -> dict[str, Any]:
        return {"@odata.etag": contact.etag, "id": contact.immutable_id, "changeKey": contact.change_key,
                "createdDateTime": timestamp(contact.created_at),
                "lastModifiedDateTime": timestamp(contact.changed_at), "parentFolderId": contact.folder_id,
                **contact_rules.shown(contact.values, self._sandbox.options)}

    def _shown_folder(self, folder: Folder) -> dict[str, Any]:
        return {"id": folder.id, "displayName": folder.name, "parentFolderId": folder.parent_id,
                "isDefault": folder.is_default, "count": self._store.count(folder.id)}
