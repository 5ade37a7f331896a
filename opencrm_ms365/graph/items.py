"""What reading a mailbox yields: contacts, removals, folders, pages; and what writing takes.

Where a value can hold contents of a record or a delta token, its `repr` shows nothing of it (I-5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from ..errors import GraphError
from ..records import ContactData
from .wire.contact import email_names, to_record
from .wire.values import Unreadable, instant, text

Item = TypeVar("Item")

#: The extended property in which a contact or an event carries the identity that we gave it. Never to be changed: it
#: is how lost links are found again (SYNC-09). Compared without case: the GUID comes back in lower case (facts 7).
IDENTITY_PROPERTY = "String {6b1f3c52-7d0e-4a86-9c1b-5f2e8d40a7b3} Name OpenCrmMs365"


@dataclass(frozen=True, slots=True, repr=False)
class Kept:
    """What Outlook holds beside the record and a write could destroy. Hand it from the item to the write.

    file_as       under which name Outlook files the contact; made anew by Outlook when a name changes.
    email_names   the names beside the e-mail addresses, by address in lower case.
    """

    file_as: str | None = None
    email_names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContactItem:
    """A contact as Microsoft holds it. `folder` is the id of its folder; `etag` is `""` if Microsoft gave none."""

    graph_id: str
    folder: str
    etag: str
    data: ContactData
    created_at: datetime | None
    changed_at: datetime | None
    marker: str = ""
    kept: Kept = field(default_factory=Kept, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class RemovedItem:
    """No longer in this folder: deleted, or moved to another one (facts 8.1). Not yet a reason to delete anything."""

    graph_id: str


@dataclass(frozen=True, slots=True)
class BrokenItem:
    """An item that cannot be read. `graph_id` is `""` if not even that could be. `reason` is a sentence for people."""

    graph_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeltaPage(Generic[Item]):
    """One page of a round; exactly one of the links is non-empty. Store a `delta_link` once all before it is durable.

    Each id occurs once; the last word of the page on it counts.
    """

    items: tuple[Item | RemovedItem | BrokenItem, ...]
    next_link: str = field(default="", repr=False)
    delta_link: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Folder:
    """A contact folder. `parent_id` is `""` where Microsoft names none."""

    id: str
    name: str = field(repr=False)
    parent_id: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Poll:
    """The answer to "what is new?". `folders` is the whole tree, or None when nothing can be said about it."""

    folders: tuple[Folder, ...] | None
    pages: dict[str, DeltaPage[ContactItem] | GraphError]


@dataclass(frozen=True, slots=True)
class ContactWrite:
    """One change to send.

    key       the caller's name for it; the result comes under it.
    values    record field to canonical value; None and `()` erase, absent fields are not touched.
    current   what Microsoft holds now, when known: needed for changes of names and of parts of addresses.
    marker    written as `IDENTITY_PROPERTY` when not empty.
    kept      of the item that `current` comes from.
    """

    key: str
    action: Literal["create", "update", "delete"]
    folder: str = ""
    graph_id: str = ""
    etag: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    current: ContactData | None = None
    marker: str = ""
    kept: Kept = field(default_factory=Kept, repr=False)


def read_item(item: object, *, folder: str = "", marker: str = "") -> ContactItem | RemovedItem | BrokenItem:
    """One entry of a listing or an answer. `folder` is taken where the entry does not name its own."""
    graph_id = item.get("id") if isinstance(item, Mapping) else None
    if not isinstance(item, Mapping) or not isinstance(graph_id, str) or not graph_id:
        return BrokenItem("", "Microsoft sent an entry without an id.")
    if "@removed" in item:
        return RemovedItem(graph_id)
    try:
        return ContactItem(
            graph_id=graph_id,
            folder=text(item, "parentFolderId") or folder,
            etag=etag_of(item),
            data=to_record(item),
            created_at=instant(item, "createdDateTime"),
            changed_at=instant(item, "lastModifiedDateTime"),
            marker=marker_of(item) or marker,
            kept=Kept(text(item, "fileAs"), email_names(item)),
        )
    except Unreadable as error:
        return BrokenItem(graph_id, str(error))


def marker_of(item: Mapping[str, Any]) -> str:
    """The identity that the item carries; `""` if it carries none, or was read without asking for it."""
    properties = item.get("singleValueExtendedProperties")
    for entry in properties if isinstance(properties, list) else ():
        if isinstance(entry, Mapping) and _same_property(entry.get("id")) and isinstance(entry.get("value"), str):
            return str(entry["value"])
    return ""


def _same_property(identifier: object) -> bool:
    return isinstance(identifier, str) and " ".join(identifier.split()).casefold() == IDENTITY_PROPERTY.casefold()


def etag_of(item: Mapping[str, Any]) -> str:
    """The version of an item as `If-Match` takes it; `""` if Microsoft gave none."""
    etag, change_key = item.get("@odata.etag"), item.get("changeKey")
    if isinstance(etag, str) and etag:
        return etag
    return f'W/"{change_key}"' if isinstance(change_key, str) and change_key else ""
