"""Which contact folders (or calendars) of the mailbox are read, and where their delta links stand.

Kept in `UserLink.cursors[KIND]`:

    {"host": address of Graph, "default": id, "names": {id: name}, "links": {id: delta or next link},
     "rounds": {id: round under way}}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..conf import settings
from ..graph.contacts import Folder
from ..models import UserLink

#: Folders that Exchange makes for itself. They are read only by a user who chose them (graph facts 5.3).
SYSTEM_FOLDERS = frozenset(
    {
        "recipient cache",
        "suggested contacts",
        "skype for business contacts",
        "lync contacts",
        "gal contacts",
        "organizational contacts",
        "peoplecentricconversation buddies",
        "companies",
        "{06967759-274d-40b2-a3eb-d7f9e73727d7}",
        "{a9e2bc46-b3a0-4243-b315-60d991004455}",
    }
)


@dataclass(kw_only=True)
class Cursors:
    """The reading state of a mailbox's contact folders, or calendars.

    `rounds` names the initial round of a folder under way, `windows` the time that a calendar's delta link covers (two
    ISO instants).
    """

    default: str = ""
    names: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    rounds: dict[str, str] = field(default_factory=dict)
    windows: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, link: UserLink, kind: str = "contacts") -> Cursors:
        known = link.cursors.get(kind) or {}
        found = cls(
            default=known.get("default", ""),
            **{name: dict(known.get(name) or {}) for name in ("names", "links", "rounds", "windows")},
        )
        if known.get("host") != settings.GRAPH_URL:  # delta links are absolute: those of another host lead nowhere
            found.links, found.rounds, found.windows = {}, {}, {}
        return found

    def as_dict(self) -> dict[str, Any]:
        return {
            "host": settings.GRAPH_URL,
            "default": self.default,
            "names": dict(self.names),
            "links": dict(self.links),
            "rounds": dict(self.rounds),
            **({"windows": {key: list(bounds) for key, bounds in self.windows.items()}} if self.windows else {}),
        }

    def note(self, folders: Iterable[Folder]) -> None:
        """Remember the folders that the mailbox has now; `names` keeps the default one under an empty name."""
        self.names = {}
        for folder in folders:
            if folder.is_default:
                self.default = folder.id
            self.names[folder.id] = "" if folder.is_default else folder.name

    def known(self) -> tuple[Folder, ...]:
        """The folders as they were found last time, so that asking for news of them stays one request (I-7)."""
        return tuple(Folder(key, name, "", key == self.default) for key, name in self.names.items())

    def settled(self) -> dict[str, str]:
        """The delta links of the folders that have been listed completely."""
        return {key: link for key, link in self.links.items() if link and key not in self.rounds}

    def chosen(self, wish: Iterable[str] | None) -> tuple[str, ...]:
        """The ids of the folders to read. `wish` None: all but those that Exchange made for itself."""
        if wish is None:
            return tuple(key for key, name in self.names.items() if name.casefold() not in SYSTEM_FOLDERS)
        wanted = set(wish)
        return tuple(key for key in self.names if key in wanted)

    def id_of(self, name: str) -> str:
        """The folder for a CRM folder's name, compared without case; `""` if there is none. No name: the default."""
        if not name:
            return self.default
        folded = name.strip().casefold()
        return next((key for key, own in self.names.items() if own and own.casefold() == folded), "")

    def name_of(self, folder_id: str) -> str:
        """The name of a folder, `""` for the default one and for one that is not known."""
        return self.names.get(folder_id, "")


def names_of(raw: Mapping[str, Any]) -> dict[str, str]:
    return dict(raw.get("names") or {})
