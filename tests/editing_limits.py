"""The same people, with limits that change: who sees what, who syncs what, who is connected at all.

The limits are worked out here a second time, in plain Python, from what the rules say (CON-02, CON-07 to CON-11), so
that a mistake in the app's own queries cannot prove itself right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from opencrm_ms365.access import links, user_settings
from opencrm_ms365.models import LinkStatus, MappingState
from tests.editing import Editing, Person

UNTOUCHED = ("@odata.etag", "changeKey", "lastModifiedDateTime")


@dataclass(frozen=True)
class Limits:
    """What a user's settings say. `folders` are names of CRM folders, `""` for none; None: all."""

    only_my_items: bool
    folders: tuple[str, ...] | None


@dataclass(frozen=True)
class Seen:
    """One person in one mailbox, just before a cycle."""

    items: tuple[dict[str, Any], ...]
    is_sent: bool       # linked, and not inwards only: the only ones that a cycle may take away


class Limited(Editing):
    """Three users of one team, each with limits of their own."""

    names = ("ann", "bob", "cid")
    told = ("not_permitted", "folder_not_synced")

    def __init__(self, *args: Any, **options: Any) -> None:
        self.applied: dict[str, list[Limits]] = {}
        self.met: set[int] = set()      # the numbers of people who have been in the CRM
        self.is_one_way = False         # somebody has synced in one direction: the sides may differ since
        super().__init__(*args, **options)

    # What people change

    def change(self, user: str, **settings: Any) -> None:
        user_settings.save_settings(self.world.link(user), settings, self.world.user("admin"))

    def choose_crm_folders(self, user: str, names: tuple[str, ...] | None) -> None:
        chosen = None if names is None else [str(self.world.crm.folder(name).pk) if name else "" for name in names]
        self.change(user, crm_folders=chosen)

    def choose_microsoft_folders(self, user: str, names: tuple[str, ...] | None) -> None:
        """Not while something unknown to the sync lies in a folder: left out and met again, it would be two."""
        box = self.box(user)
        linked = {row.graph_id for row in self.world.link(user).mappings.all()}
        if any(item["id"] not in linked for item in box.contacts()):
            return
        chosen = [folder["id"] for folder in box.folders() if folder["isDefault"] or folder["displayName"] in names] \
            if names is not None else None
        self.change(user, microsoft_folders=chosen)

    def choose_direction(self, user: str, direction: str | None) -> None:
        self.is_one_way = self.is_one_way or direction in ("to_microsoft", "to_crm")
        self.change(user, contact_direction=direction)

    def leave_or_join(self, user: str) -> None:
        members, person = self.team.members, self.world.user(user)
        members.remove(person) if members.filter(pk=person.pk).exists() else members.add(person)

    def disconnect_or_connect(self, user: str) -> None:
        if self.is_active(user):
            links.disconnect(self.world.link(user))
        else:
            self.world.connect(user)

    # What follows from it

    def is_active(self, user: str) -> bool:
        return self.world.link(user).status == LinkStatus.CONNECTED

    def active(self) -> tuple[str, ...]:
        return tuple(user for user in self.users if self.is_active(user))

    def limits(self, user: str) -> Limits:
        link = self.world.link(user)
        names = {str(self.world.crm.folder(name).pk): name for name in ("Customers", "Suppliers")} | {"": ""}
        return Limits(link.only_my_items,
                      None if link.crm_folders is None else tuple(names[key] for key in link.crm_folders))

    def may_see(self, user: str, row: Any) -> bool:
        """As `demo_crm` has it: one's own records, and those of the members of one's team."""
        members = set(self.team.members.values_list("username", flat=True))
        owner = row.assigned_to.username if row.assigned_to_id else None
        return owner == user or {owner, user} <= members

    def is_within(self, user: str, row: Any, limits: Limits) -> bool:
        mine = row.assigned_to_id is not None and row.assigned_to.username == user
        folders = {folder.name for folder in row.folders.all()} or {""}
        return bool(row.sync_to_microsoft and self.may_see(user, row) and (mine or not limits.only_my_items)
                    and (limits.folders is None or folders & set(limits.folders)))

    def is_in_scope(self, user: str, row: Any) -> bool:
        link = self.world.link(user)
        return (self.is_active(user) and link.microsoft_folders is None and link.contact_direction != "to_crm"
                and self.is_within(user, row, self.limits(user)))

    # The law: nobody's address book ever loses what the rules do not take

    def sync(self, user: str, **options: Any) -> Any:
        if not self.is_active(user):
            return None
        before = {person.number: self._seen(user, person) for person in self.people}
        today = self.limits(user)
        since = self.applied.setdefault(user, [])
        if today not in since:
            since.append(today)
        direction = self.world.link(user).contact_direction
        try:
            ran = super().sync(user, **options)
        finally:
            for person in self.people:
                self._nothing_is_taken(user, person, before[person.number], since, direction)
        self.met |= {person.number for person in self.people if self.row(person) is not None}
        if ran is not None and ran.outcomes[user].finished:
            self.applied[user] = [today]
        return ran

    def settle(self) -> None:
        for user in self.active():      # everything is looked at under the law at least once
            self.calm_down()
            self.sync(user)
        super().settle()

    def _seen(self, user: str, person: Person) -> Seen:
        row = self.row(person)
        mapping = self.mapping(user, row) if row is not None else None
        if mapping is None:             # of a record that is gone: the mapping is found by its item
            ids = [item["id"] for item in self.items(user, person)]
            mapping = self.world.link(user).mappings.filter(graph_id__in=ids).first()
        is_sent = mapping is not None and mapping.in_scope and mapping.state == MappingState.LINKED
        return Seen(tuple(self.items(user, person)), is_sent)

    def _nothing_is_taken(self, user: str, person: Person, before: Seen, since: list[Limits],
                          direction: str | None) -> None:
        row, now = self.row(person), self.items(user, person)
        if before.items and not now:
            assert before.is_sent, f"{person} was not synced and was taken from {user}"
            assert direction != "to_crm", f"{person} was taken from {user}, who only lets things in"
            assert row is None or not any(self.is_within(user, row, limits) for limits in since), (
                f"{person} was taken from {user} by a change of settings")
            deleted = {item["id"] for item in self.box(user).deleted_items()}
            assert {item["id"] for item in before.items} <= deleted, f"{person} is not in Deleted Items of {user}"
        if row is None or self.is_within(user, row, self.limits(user)):
            return
        assert len(now) <= len(before.items), f"{person} went out to {user} against the limits"
        if not before.is_sent and len(now) == len(before.items) == 1:
            assert _contents(now[0]) == _contents(before.items[0]), f"{person} was written to {user} against the limits"

    # What must be true in the end

    def check(self) -> None:
        self.nothing_is_doubled()
        self.nobody_is_lost()
        if not self.is_one_way:
            self.both_sides_agree()
            self.no_value_is_lost()
        self.nothing_waits()

    def may_be_missing(self, person: Person) -> bool:
        """Besides those who were deleted: people whom no cycle could have brought in."""
        bringing = [user for user in self.active() if self.world.link(user).contact_direction != "to_microsoft"
                    and self.world.link(user).microsoft_folders is None]
        is_new = person.number not in self.met and not person.is_from_crm
        return self.may_be_gone(person) or (is_new and not any(self.items(user, person) for user in bringing))

    def linked(self) -> list[Any]:
        return [entry for entry in super().linked() if self.is_in_scope(entry[0], entry[2])]

    def folder_agrees(self, user: str) -> bool:
        link = self.world.link(user)
        return link.crm_folders is None and link.microsoft_folders is None


def _contents(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in UNTOUCHED}
