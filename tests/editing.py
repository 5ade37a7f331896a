"""People who edit both sides, with a memory of what they did: what must be true afterwards follows from that memory.

Each person of the stories (`Person`) is one or more entries that share a surname and an address: a row of the CRM,
items in mailboxes. Every value that somebody types is new in the world, so that one can ask of it what became of it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from opencrm_ms365.errors import SyncError
from opencrm_ms365.models import (
    Conflict,
    CrmTouch,
    HeldDecision,
    InboxItem,
    MappingState,
    RecordMapping,
    SharedRecord,
    SyncProblem,
    UserLink,
    decrypt,
)
from tests.world import World

#: Fields that are edited: the CRM's column, and how a value of it looks in Graph's JSON.
COLUMNS = {"job_title": "job_title", "notes": "notes", "mobile": "mobile", "phone": "phone", "city": "city"}
FIELDS = tuple(COLUMNS)
FOLDERS = ("", "Customers", "Suppliers")
ROUNDS = 6


def to_graph(name: str, value: str) -> dict[str, Any]:
    return {"job_title": {"jobTitle": value or None}, "notes": {"personalNotes": value or None},
            "mobile": {"mobilePhone": value or None}, "phone": {"businessPhones": [value] if value else []},
            "city": {"businessAddress": {"city": value} if value else {}}}[name]


def from_graph(name: str, item: dict[str, Any]) -> str:
    members = {"job_title": "jobTitle", "notes": "personalNotes", "mobile": "mobilePhone"}
    if name == "city":
        return (item.get("businessAddress") or {}).get("city") or ""
    if name == "phone":
        return (item.get("businessPhones") or [""])[0]
    return item.get(members[name]) or ""


@dataclass
class Person:
    """Somebody who is in address books, and what was done with their entries."""

    number: int
    is_from_crm: bool = False           # and not found by a sync
    deleted_in_crm: bool = False
    deleted_in_microsoft: bool = False
    deleted_unseen: bool = False        # in Microsoft, before the CRM had heard of it
    typed: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in FIELDS})
    overwritten: set[str] = field(default_factory=set)

    @property
    def surname(self) -> str:
        return f"Person {self.number}"

    @property
    def email(self) -> str:
        return f"person{self.number}@people.example"


class Editing:
    """One organisation with linked users in one team, from an empty start."""

    _worlds = itertools.count(1)
    names: tuple[str, ...] = ("ann", "bob")
    told: tuple[str, ...] = ("not_permitted",)      # problems that rightly stay

    def __init__(self, world: World, *, organisation: dict[str, Any] | None = None, folders: bool = True,
                 **settings: Any) -> None:
        self.world = world
        self.values = itertools.count(1)
        self.people: list[Person] = []
        _empty(world)
        number = next(self._worlds)
        self.users = tuple(f"{name}{number}" for name in self.names)
        self.world.organisation(**{"contact_direction": "both", "conflict_rule": "crm", "microsoft_deletion": "restore",
                                   **(organisation or {})})
        for user in self.users:
            world.connect(user, **settings)
            for name in FOLDERS[1:] if folders else ():
                self.box(user).add_folder(name)
        for name in FOLDERS[1:]:
            world.crm.folder(name)
        self.team = world.crm.team(f"Team {number}", *self.users)

    # Looking

    def box(self, user: str) -> Any:
        return self.world.mailbox(user)

    def row(self, person: Person) -> Any:
        """The person's record in the CRM, None if there is none."""
        return self.world.crm.contacts().filter(last_name=person.surname).first()

    def items(self, user: str, person: Person) -> list[dict[str, Any]]:
        return self.box(user).find(surname=person.surname)

    def kept(self, user: str, person: Person) -> list[dict[str, Any]]:
        """The person's entries in a mailbox, those among the deleted ones included."""
        gone = [item for item in self.box(user).deleted_items() if item.get("surname") == person.surname]
        return [*self.items(user, person), *gone]

    def folder_of(self, user: str, item: dict[str, Any]) -> str:
        folder = next(found for found in self.box(user).folders() if found["id"] == item["parentFolderId"])
        return "" if folder["isDefault"] else folder["displayName"]

    # Making and editing

    def new_person(self) -> Person:
        self.people.append(Person(len(self.people) + 1))
        return self.people[-1]

    def _type(self, person: Person, name: str, old: str, erase: bool = False) -> str:
        value = "" if erase else f"{name} {next(self.values)}"
        if old:
            person.overwritten.add(old)
        if value:
            person.typed[name].append(value)
        return value

    def add_in_crm(self, person: Person, owner: str | None, names: list[str]) -> Any:
        person.is_from_crm = True
        values = {COLUMNS[name]: self._type(person, name, "") for name in names}
        return self.world.crm.contact(
            owner=owner, first_name="Ann", last_name=person.surname, email=person.email, **values)

    def add_in_microsoft(self, person: Person, user: str, names: list[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in names:
            values |= to_graph(name, self._type(person, name, ""))
        return self.box(user).add_contact(
            givenName="Ann", surname=person.surname, emailAddresses=[{"address": person.email}], **values)

    def edit_in_crm(self, person: Person, name: str, *, erase: bool = False, behind_its_back: bool = False) -> None:
        row = self.row(person)
        value = self._type(person, name, getattr(row, COLUMNS[name]), erase)
        if behind_its_back:     # no signal, no stamp: only digests can tell
            type(row).objects.filter(pk=row.pk).update(**{COLUMNS[name]: value})
        else:
            setattr(row, COLUMNS[name], value)
            row.save()

    def edit_in_microsoft(self, person: Person, user: str, name: str, *, erase: bool = False) -> None:
        [item] = self.items(user, person)
        value = self._type(person, name, from_graph(name, item), erase)
        self.box(user).edit_contact(item["id"], **to_graph(name, value))

    def delete_in_crm(self, person: Person, how: str) -> None:
        row = self.row(person)
        person.deleted_in_crm = True
        if how == "softly":
            row.deleted_at = timezone.now()
            row.save()
        elif how == "by query":
            type(row).objects.filter(pk=row.pk).delete()
        else:
            row.delete()

    def delete_in_microsoft(self, person: Person, user: str) -> None:
        [item] = self.items(user, person)
        person.deleted_in_microsoft = True
        person.deleted_unseen = self.row(person) is None
        for name in FIELDS:
            person.overwritten.add(from_graph(name, item))
        self.box(user).delete_contact(item["id"])

    # Syncing

    def active(self) -> tuple[str, ...]:
        """Those whose account is connected."""
        return self.users

    def sync(self, user: str, **options: Any) -> Any:
        """A cycle that may be stopped by what it meets; the next one goes on."""
        try:
            return self.world.sync(user, **options)
        except SyncError:
            return None

    def calm_down(self) -> None:
        """Nothing goes wrong any more, nothing is late, and everything that waits for its time is due."""
        self.world.sandbox.faults.clear()
        self.world.sandbox.options.reset()
        due = timezone.now()
        RecordMapping.objects.filter(next_try_at__isnull=False).update(next_try_at=due)
        InboxItem.objects.filter(next_try_at__isnull=False).update(next_try_at=due)

    def settle(self) -> None:
        """Everybody syncs until nobody writes any more, at last with a comparison of everything."""
        for number in range(ROUNDS):
            self.calm_down()
            writes = [self.world.sync(user, full=number == 1).writes for user in self.active()]
            if number > 2 and not any(writes):
                return
        raise AssertionError(f"still writing after {ROUNDS} rounds: {writes}")

    # What must be true

    def check(self) -> None:
        self.nothing_is_doubled()
        self.nobody_is_lost()
        self.both_sides_agree()
        self.no_value_is_lost()
        self.nothing_waits()

    def nothing_is_doubled(self) -> None:
        for person in self.people:
            rows = self.world.crm.contacts().filter(last_name=person.surname)
            assert rows.count() <= 1, f"{person} is doubled in the CRM"
            for user in self.users:
                assert len(self.items(user, person)) <= 1, f"{person} is doubled in the mailbox of {user}"

    def nobody_is_lost(self, among: list[Person] | None = None) -> None:
        for person in self.people if among is None else among:
            row = self.row(person)
            assert row is not None or self.may_be_missing(person), f"{person} is lost in the CRM"
            for user in self.users:
                mapping = self.mapping(user, row) if row is not None else None
                if row is not None and self.is_in_scope(user, row) and (
                        mapping is None or mapping.state != MappingState.RELEASED):
                    assert self.items(user, person), f"{person} is lost in the mailbox of {user}"

    def may_be_missing(self, person: Person) -> bool:
        """Whether nobody has to find them in the CRM."""
        return self.may_be_gone(person)

    def may_be_gone(self, person: Person) -> bool:
        """Whether a person deleted them, in the CRM or where such a deletion counts (ORG-12)."""
        counts = self.world.organisation().microsoft_deletion == "delete"
        return person.deleted_in_crm or person.deleted_unseen or (person.deleted_in_microsoft and counts)

    def everybody_in_microsoft_is_in_the_crm(self) -> None:
        for person in self.people:
            if self.row(person) is None and not person.deleted_in_crm:
                for user in self.users:
                    assert not self.items(user, person), f"{person} has not reached the CRM"

    def is_in_scope(self, user: str, row: Any) -> bool:
        mine = row.assigned_to_id == self.world.user(user).pk
        seen = row.assigned_to_id is not None       # the team's members see each other's, nobody's are hidden
        return row.sync_to_microsoft and (mine or (seen and not self.world.link(user).only_my_items))

    def mapping(self, user: str, row: Any) -> RecordMapping | None:
        return RecordMapping.objects.filter(link__user__username=user, object_id=str(row.pk)).first()

    def linked(self) -> list[tuple[str, Person, Any, dict[str, Any], RecordMapping]]:
        """(user, person, the CRM's record, the item, mapping) of everything that is in sync in both directions."""
        found = []
        for user, person in itertools.product(self.users, self.people):
            row = self.row(person)
            items = self.items(user, person)
            mapping = self.mapping(user, row) if row is not None else None
            if mapping and items and mapping.state == MappingState.LINKED and mapping.in_scope:
                assert mapping.graph_id == items[0]["id"]
                found.append((user, person, row, items[0], mapping))
        return found

    def both_sides_agree(self) -> None:
        for user, person, row, item, _mapping in self.linked():
            for name in FIELDS:
                if name == "notes" and person.deleted_in_microsoft:
                    continue        # a restored contact has no notes (ORG-12)
                crm, microsoft = getattr(row, COLUMNS[name]), from_graph(name, item)
                assert crm == microsoft, f"{person}: {name} is {crm!r} in the CRM, {microsoft!r} for {user}"
            if not self.folder_agrees(user):
                continue
            folders = [folder.name for folder in row.folders.all()]
            crm, microsoft = folders[0] if folders else "", self.folder_of(user, item)
            assert crm == microsoft, f"{person} is in {folders} in the CRM, in {microsoft!r} for {user}"

    def folder_agrees(self, user: str) -> bool:
        """Whether the folder of a contact is the same on both sides: always, where nobody left folders out."""
        return True

    def no_value_is_lost(self) -> None:
        """What somebody typed is still there, or was overwritten by one who saw it, or is kept as a conflict."""
        kept: set[str] = set()
        for conflict in Conflict.objects.filter(link__user__username__in=self.users):
            values = decrypt(conflict.values)
            for side in ("crm", "microsoft"):
                kept |= set(_texts(values[side]))
        for person in self.people:
            row = self.row(person)
            if row is None or person.deleted_in_crm:
                continue        # a deletion in the CRM beats an edit in Microsoft (ORG-09)
            items = [item for user in self.users for item in self.kept(user, person)]
            for name in FIELDS:
                there = {getattr(row, COLUMNS[name]), *(from_graph(name, item) for item in items)}
                lost = set(person.typed[name]) - person.overwritten - there - kept
                assert not lost, f"{person}: {name} {sorted(lost)} is lost; there are {sorted(there)}"

    def nothing_waits(self) -> None:
        assert not HeldDecision.objects.filter(link__user__username__in=self.active()).exists()
        assert not InboxItem.objects.filter(link__user__username__in=self.active(), state="waiting").exists()
        assert not RecordMapping.objects.filter(link__user__username__in=self.active()).filter(
            state=MappingState.INTENDED).exists()
        problems = SyncProblem.objects.filter(
            link__user__username__in=self.active(), resolved_at=None, is_warning=False)
        found = list(problems.exclude(code__in=self.told).values_list("code", "reason"))
        assert not found, f"these problems are still there: {found}"

    def snapshot_of_crm(self) -> list[Any]:
        return [*self.world.crm.contacts().values(), *self.world.crm.contacts().values("pk", "folders__name")]

    def snapshot_of_microsoft(self) -> list[Any]:
        return [(user, self.box(user).contacts(), self.box(user).deleted_items(), self.box(user).folders())
                for user in self.users]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for text in value.values() if text]
    return list(value) if isinstance(value, list) else [value]


def _empty(world: World) -> None:
    """Without what an earlier story left behind."""
    from django.contrib.auth import get_user_model

    from demo_crm.crm.models import Contact, ContactFolder, Team

    world.sandbox.faults.clear()
    world.sandbox.options.reset()
    for model in (UserLink, SharedRecord, CrmTouch, Contact, ContactFolder, Team):
        model.objects.all().delete()
    get_user_model().objects.all().delete()
