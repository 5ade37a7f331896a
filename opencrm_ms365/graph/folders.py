"""The contact folders of a mailbox, as a tree with the default folder at its head.

The listing does not contain the default folder, its name is translated, and folders can nest (facts 5.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import GraphError, NotFound, OutcomeUnknown, ProtocolError, Rejected, Stale
from . import batch, pages
from .answers import Answer
from .batch import Inner
from .client import GraphClient
from .items import Folder
from .origin import segment
from .refusals import access_denied, consent_missing

#: By this name the default folder answers (seen in practice, documented for the beta version only).
WELL_KNOWN = "contacts"
PAGE = 100
MAX_DEPTH = 20
MAX_FOLDERS = 2000


def top_url(base: str) -> str:
    """The folders of the first level."""
    return f"{base}/contactFolders?$top={PAGE}"


def folder_url(base: str, folder_id: str) -> str:
    """One folder."""
    return f"{base}/contactFolders/{segment(folder_id)}"


def children_url(base: str, folder_id: str) -> str:
    """The folders inside a folder."""
    return f"{folder_url(base, folder_id)}/childFolders?$top={PAGE}"


def tree(client: GraphClient, base: str) -> tuple[Folder, ...]:
    """All folders, the default one first. Raises `ConsentRequired` when the permission is missing."""
    try:
        top = [folder for folder in map(read, pages.items(client, top_url(base))) if folder]
        return walk(client, base, default(client, base), top, {})
    except Rejected as error:
        if access_denied(error):
            raise consent_missing(error) from error
        raise


def default(client: GraphClient, base: str) -> Folder:
    """The default folder: by its well-known name, else by a contact that lies in it.

    If it has no contact either, its id remains unknown: `WELL_KNOWN` stands for it, which `contacts` understands.
    """
    try:
        found = read(client.get(folder_url(base, WELL_KNOWN)).body, is_default=True)
        if found:
            return found
    except (NotFound, Rejected) as error:
        if access_denied(error):
            raise
    answer = client.get(f"{base}/contacts", params={"$top": 1, "$select": "id,parentFolderId"})
    for item in pages.values(answer):
        folder_id = item.get("parentFolderId") if isinstance(item, dict) else None
        if isinstance(folder_id, str) and folder_id:
            return _named(client, base, folder_id)
    return Folder(WELL_KNOWN, "", "", True)


def _named(client: GraphClient, base: str, folder_id: str) -> Folder:
    try:
        found = read(client.get(folder_url(base, folder_id)).body, is_default=True)
    except (NotFound, Rejected):
        found = None
    return found or Folder(folder_id, "", "", True)


def walk(
    client: GraphClient, base: str, head: Folder, top: Sequence[Folder], children: Mapping[str, Sequence[Folder]]
) -> tuple[Folder, ...]:
    """The whole tree from its first level. `children` are those folders' listings that are here already."""
    found: dict[str, Folder] = {head.id: head}
    level: list[Folder] = [head, *top]
    for folder in top:
        found.setdefault(folder.id, folder)
    for _ in range(MAX_DEPTH):
        level = [*{folder.id: folder for folder in level}.values()]
        below = _children(client, base, [folder.id for folder in level], children)
        level = [child for folder in level for child in below.get(folder.id, ()) if child.id not in found]
        for folder in level:
            found.setdefault(folder.id, folder)
        if not level:
            return tuple(found.values())
        if len(found) > MAX_FOLDERS:
            break
    raise ProtocolError("The contact folders of this mailbox are nested or many beyond reason.")


def _children(
    client: GraphClient, base: str, folder_ids: Iterable[str], known: Mapping[str, Sequence[Folder]]
) -> Mapping[str, Sequence[Folder]]:
    wanted = [folder_id for folder_id in folder_ids if folder_id not in known]
    inners = [Inner(folder_id, "GET", children_url(base, folder_id)) for folder_id in wanted]
    outcomes = batch.run(client, inners)
    return {**known, **{folder_id: read_children(client, outcome) for folder_id, outcome in outcomes.items()}}


def read_children(client: GraphClient, outcome: Answer | GraphError) -> list[Folder]:
    """The folders of a listing. A folder that has gone meanwhile, or whose inside is closed to us, has none."""
    if isinstance(outcome, (NotFound, Rejected)):
        return []
    return read_all(client, outcome)


def read_all(client: GraphClient, outcome: Answer | GraphError) -> list[Folder]:
    """The folders of a listing and of its further pages; raises the error that came instead."""
    if isinstance(outcome, GraphError):
        raise outcome
    return [folder for folder in map(read, pages.following(client, outcome)) if folder]


def read(item: Any, *, is_default: bool = False) -> Folder | None:
    """A folder; None for what is none."""
    folder_id = item.get("id") if isinstance(item, dict) else None
    if not isinstance(folder_id, str) or not folder_id:
        return None
    name, parent_id = item.get("displayName"), item.get("parentFolderId")
    return Folder(
        folder_id, name if isinstance(name, str) else "", parent_id if isinstance(parent_id, str) else "", is_default
    )


def create(client: GraphClient, base: str, name: str) -> Folder:
    """Make a folder of the first level, or give the one of that name: names are unique beside each other."""
    try:
        made = read(client.post(f"{base}/contactFolders", {"displayName": name.strip()}).body)
        if made:
            return made
    except (Stale, OutcomeUnknown) as error:
        return _existing(client, base, name, error)
    except Rejected as error:
        if error.code.lower() != "errorfolderexists":
            raise
        return _existing(client, base, name, error)
    return _existing(client, base, name, ProtocolError("Microsoft made a folder but did not say which."))


def _existing(client: GraphClient, base: str, name: str, error: GraphError) -> Folder:
    for item in pages.items(client, top_url(base)):
        folder = read(item)
        if folder and folder.name.strip().casefold() == name.strip().casefold():
            return folder
    raise error
