"""The contacts of one mailbox: what changed, what is there, and writing to it.

Translation is in `wire`, single requests are in `client`. Nothing here decides what should happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ..errors import (
    GraphError,
    NotFound,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    Throttled,
    Unavailable,
)
from . import batch, delta, folders, pages
from .answers import Answer
from .batch import MAX_INNER, Inner
from .client import GraphClient, prefer_header
from .items import (
    IDENTITY_PROPERTY,
    BrokenItem,
    ContactItem,
    ContactWrite,
    DeltaPage,
    Folder,
    Kept,
    Poll,
    RemovedItem,
    marker_of,
    read_item,
)
from .origin import encode, segment
from .refusals import access_denied, consent_missing
from .wire.contact import SELECT, to_json, to_new_json
from .wire.names import NAME_PARTS, is_made

__all__ = [
    "IDENTITY_PROPERTY",
    "BrokenItem",
    "ContactItem",
    "ContactWrite",
    "Contacts",
    "DeltaPage",
    "Folder",
    "Kept",
    "Poll",
    "RemovedItem",
]

FIELDS = ",".join(SELECT)
MAX_PAGE = 1000
#: The inner requests of a poll beside the delta links: the default folder, and the first level of the others.
LISTINGS = 2


class Contacts:
    """The contacts of one mailbox. `mailbox` is a base path: `/me`, or `/users/{id}`."""

    def __init__(self, client: GraphClient, mailbox: str = "/me", *, page_size: int = 200) -> None:
        self.client = client
        self.base = mailbox.rstrip("/")
        self.page_size = max(1, min(page_size, MAX_PAGE))

    # Folders

    def folders(self) -> tuple[Folder, ...]:
        """The whole tree, the default folder first. Raises `ConsentRequired`, `MailboxUnavailable`."""
        return folders.tree(self.client, self.base)

    def create_folder(self, name: str) -> Folder:
        """A folder of the first level by this name: a new one, or the one that exists."""
        return folders.create(self.client, self.base, name)

    # Reading

    def poll(
        self, links: Mapping[str, str], *, with_folders: bool = True, known: Sequence[Folder] = ()
    ) -> Poll:
        """What is new, in one `$batch` while that suffices: `poll_requests` and `polled` together."""
        outcomes = batch.run(self.client, self.poll_requests(links, with_folders=with_folders, known=known))
        return self.polled(links, outcomes, with_folders=with_folders, known=known)

    def poll_requests(
        self, links: Mapping[str, str], *, with_folders: bool = True, known: Sequence[Folder] = ()
    ) -> list[Inner]:
        """The requests that ask what is new: the delta links by folder id, and the folder listings.

        known   the folders as they were found last time. Without them, folders that have no delta link in `links`
                cost further requests.

        With too many folders for one batch their insides are not looked at.
        """
        inners = [Inner(f"delta {folder_id}", "GET", url, headers=self._delta_headers())
                  for folder_id, link in links.items() if (url := delta.relative(self.client, link))]
        inside = _inside(links, known) if with_folders else None
        return inners if inside is None else inners + self._listings(known, inside[:_room(links)])

    def polled(
        self, links: Mapping[str, str], outcomes: batch.Outcomes, *, with_folders: bool = True,
        known: Sequence[Folder] = (),
    ) -> Poll:
        """What the answers to `poll_requests` say, called with the same arguments; `outcomes` may hold others too.

        `folders` is None if their insides were not looked at, unless the first level shows something new: call
        `folders()` now and then. A folder's own trouble stands in its place in `pages` (`DeltaExpired`, `NotFound`,
        ...); what concerns the whole mailbox is raised.
        """
        result = {folder_id: delta.polled(outcomes.get(f"delta {folder_id}"), link,
                                          partial(self.page, folder_id, link),
                                          partial(self._delta_page, folder_id, asked=link))
                  for folder_id, link in links.items()}
        inside = _inside(links, known) if with_folders else None
        if inside is None:
            return Poll(None, result)
        try:
            return Poll(self._tree(outcomes, known, inside, complete=len(inside) <= _room(links)), result)
        except (Throttled, Unavailable, ProtocolError):
            return Poll(None, result)

    def page(self, folder_id: str, link: str = "") -> DeltaPage[ContactItem]:
        """One page of a folder's changes. Without a link: the first page of an initial round, which lists everything.

        Raises `DeltaExpired` when the link can no longer be used, `NotFound` when the folder has gone.
        """
        try:
            if link:
                return self._delta_page(folder_id, self.client.get(link, prefer=self._wishes()), link)
            path = f"{self._contacts_path(folder_id)}/delta"
            return self._delta_page(folder_id, self.client.get(path, params={"$select": FIELDS},
                                                               prefer=self._wishes()))
        except Rejected as error:
            raise delta.of_a_link(error, link) from error

    def get(self, graph_ids: Iterable[str], *, with_marker: bool = False) -> dict[str, ContactItem | GraphError]:
        """Single contacts by id, wherever they lie. `NotFound` says that one is really gone."""
        params = {"$select": FIELDS} | ({"$expand": _expand()} if with_marker else {})
        inners = [Inner(graph_id, "GET", f"{self._item_path(graph_id)}?{encode(params)}")
                  for graph_id in dict.fromkeys(graph_ids)]
        return {graph_id: _as_item(outcome) for graph_id, outcome in batch.run(self.client, inners).items()}

    def markers(self, folder_id: str) -> Iterator[tuple[str, str]]:
        """Graph id and identity of each contact of a folder that bears one of ours."""
        params: dict[str, str | int] = {"$select": "id", "$expand": _expand(), "$top": self.page_size}
        for item in pages.items(self.client, self._contacts_path(folder_id), params=params):
            if isinstance(item, dict) and isinstance(item.get("id"), str) and (marker := marker_of(item)):
                yield item["id"], marker

    def find_marker(self, folder_ids: Iterable[str], marker: str) -> tuple[ContactItem, ...]:
        """The contacts in these folders that bear this identity: more than one if a person copied one.

        A contact created a moment ago may not be found yet: look again before creating it a second time (I-1).
        """
        quoted = marker.replace("'", "''")
        condition = (f"singleValueExtendedProperties/Any(ep: ep/id eq '{IDENTITY_PROPERTY}' "
                     f"and ep/value eq '{quoted}')")
        query = encode({"$filter": condition, "$select": FIELDS})
        inners = [Inner(folder_id, "GET", f"{self._contacts_path(folder_id)}?{query}")
                  for folder_id in dict.fromkeys(folder_ids)]
        found: dict[str, ContactItem] = {}
        for folder_id, outcome in batch.run(self.client, inners).items():
            if isinstance(outcome, NotFound):
                continue
            if isinstance(outcome, GraphError):
                raise outcome
            for entry in pages.following(self.client, outcome):
                item = read_item(entry, folder=folder_id, marker=marker)
                if isinstance(item, ContactItem):
                    found[item.graph_id] = item
        return tuple(found.values())

    # Writing

    def write(self, writes: Sequence[ContactWrite]) -> dict[str, ContactItem | GraphError | None]:
        """Send these changes, in batches of twenty; the outcome of each by its key. None: it is deleted.

        Contacts that are to be deleted and are gone already count as deleted. `OutcomeUnknown` for a creation: look
        for its marker; for a change: read it again. `Stale`: it was changed since the etag was given.
        """
        outcomes = batch.run(self.client, [self._inner(write) for write in writes])
        results = {write.key: _written(write, outcomes[write.key]) for write in writes}
        silent = {write.graph_id: write.key for write in writes
                  if write.action == "update" and results[write.key] is None}
        for graph_id, item in self.get(silent).items() if silent else ():
            results[silent[graph_id]] = item
        return results

    def move(self, graph_id: str, to_folder: str, marker: str = "") -> ContactItem:
        """Move a contact to another folder, with everything it holds, or raise `Rejected` and change nothing.

        There is no action for it; a change of `parentFolderId` is documented as possible, and reported as working by
        some and as ignored by others. Only the answer is believed. Copying and deleting is no way out: unmapped
        fields and the photo would be lost (CON-03).
        """
        try:
            answer = self.client.patch(self._item_path(graph_id), {"parentFolderId": to_folder})
        except Rejected as error:
            raise Rejected(
                "Microsoft did not allow this contact to be moved to another folder. Move it in Outlook, where nothing "
                "of it is lost.", status=error.status, code=error.code, request_id=error.request_id,
            ) from error
        item = read_item(answer.body, marker=marker)
        if isinstance(item, ContactItem) and item.folder == to_folder:
            return item
        raise Rejected(
            "Microsoft left this contact in its folder although it was asked to move it. Move it in Outlook, where "
            "nothing of it is lost.", status=answer.status, request_id=answer.request_id,
        )

    # Parts

    def _item_path(self, graph_id: str) -> str:
        return f"{self.base}/contacts/{segment(graph_id)}"

    def _contacts_path(self, folder_id: str) -> str:
        if folder_id in ("", folders.WELL_KNOWN):
            return f"{self.base}/contacts"
        return f"{folders.folder_url(self.base, folder_id)}/contacts"

    def _wishes(self) -> tuple[str, ...]:
        return (pages.max_page_size(self.page_size),)

    def _delta_headers(self) -> dict[str, str]:
        return {"Prefer": prefer_header(self._wishes())}

    def _delta_page(self, folder_id: str, answer: Answer, asked: str = "") -> DeltaPage[ContactItem]:
        return delta.read_page(self.client, answer, lambda entry: read_item(entry, folder=folder_id), asked)

    def _listings(self, known: Sequence[Folder], inside: Sequence[str]) -> list[Inner]:
        head = next((folder.id for folder in known if folder.is_default), folders.WELL_KNOWN)
        return [
            Inner("default", "GET", folders.folder_url(self.base, head)),
            Inner("top", "GET", folders.top_url(self.base)),
            *(Inner(f"inside {folder_id}", "GET", folders.children_url(self.base, folder_id)) for folder_id in inside),
        ]

    def _tree(
        self, outcomes: batch.Outcomes, known: Sequence[Folder], inside: Sequence[str], *, complete: bool
    ) -> tuple[Folder, ...] | None:
        listing = outcomes["top"]
        if isinstance(listing, GraphError) and access_denied(listing):
            raise consent_missing(listing) from listing
        top = folders.read_all(self.client, listing)
        names = {folder.id: folder.name for folder in known if not folder.is_default}
        if not complete and all(folder.id in inside and names.get(folder.id, folder.name) == folder.name
                                for folder in top):
            return None
        answer = outcomes["default"]
        head = folders.read(answer.body, is_default=True) if isinstance(answer, Answer) else None
        children = {folder_id: folders.read_children(self.client, outcomes[f"inside {folder_id}"])
                    for folder_id in inside if f"inside {folder_id}" in outcomes}
        return folders.walk(self.client, self.base, head or folders.default(self.client, self.base), top, children)

    def _inner(self, write: ContactWrite) -> Inner:
        headers = {"If-Match": write.etag} if write.etag else {}
        match write.action:
            case "create":
                body = to_new_json(write.values) | _marked(write)
                return Inner(write.key, "POST", self._contacts_path(write.folder), body)
            case "update":
                body = _changes(write) | _marked(write)
                if not body:
                    return Inner(write.key, "GET", f"{self._item_path(write.graph_id)}?{encode({'$select': FIELDS})}")
                return Inner(write.key, "PATCH", self._item_path(write.graph_id), body, headers)
            case "delete":
                return Inner(write.key, "DELETE", self._item_path(write.graph_id), headers=headers)


def _room(links: Mapping[str, str]) -> int:
    """How many folders a batch can look into, beside its delta links and listings; negative: not even list them."""
    return MAX_INNER - len(links) - LISTINGS


def _inside(links: Mapping[str, str], known: Sequence[Folder]) -> list[str] | None:
    """The folders to look into; None when the batch has no room for folders at all."""
    return list(dict.fromkeys([*links, *(folder.id for folder in known)])) if _room(links) >= 0 else None


def _changes(write: ContactWrite) -> dict[str, Any]:
    body = to_json(write.values, write.current, names=write.kept.email_names)
    renamed = any(part in write.values for part in NAME_PARTS)
    if renamed and write.current is not None and not is_made(write.kept.file_as, write.current.values()):
        body["fileAs"] = write.kept.file_as  # Outlook would make it anew, and a person chose this one
    return body


def _marked(write: ContactWrite) -> dict[str, Any]:
    if not write.marker:
        return {}
    return {"singleValueExtendedProperties": [{"id": IDENTITY_PROPERTY, "value": write.marker}]}


def _expand() -> str:
    return f"singleValueExtendedProperties($filter=id eq '{IDENTITY_PROPERTY}')"


def _as_item(outcome: Answer | GraphError) -> ContactItem | GraphError:
    if isinstance(outcome, GraphError):
        return outcome
    item = read_item(outcome.body)
    if isinstance(item, ContactItem):
        return item
    if isinstance(item, RemovedItem):
        return NotFound(status=outcome.status, request_id=outcome.request_id)
    return ProtocolError(item.reason, status=outcome.status, request_id=outcome.request_id)


def _written(write: ContactWrite, outcome: Answer | GraphError) -> ContactItem | GraphError | None:
    """The outcome of one write; None for an update whose answer tells nothing: it has to be read."""
    if write.action == "delete":
        return outcome if isinstance(outcome, GraphError) and not _is_gone(outcome) else None
    if isinstance(outcome, GraphError):
        return outcome
    item = read_item(outcome.body, folder=write.folder, marker=write.marker)
    if isinstance(item, ContactItem):
        return item
    if write.action == "update":
        return None
    return OutcomeUnknown("Microsoft created a contact but did not say which.", status=outcome.status,
                          request_id=outcome.request_id)


def _is_gone(error: GraphError) -> bool:
    return isinstance(error, NotFound) or error.status == 410
