"""Contacts: folders, matching, the user's limits (CON)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from ..adapters.context import Scope
from ..conf import settings
from ..errors import GraphError
from ..graph.batch import Inner
from ..graph.contacts import ContactItem, Contacts, ContactWrite, DeltaPage, Folder
from ..graph.items import Kept
from ..models import InboxItem, RecordMapping, SyncSettings, UserLink
from ..reconcile import matching
from ..reconcile.decide import Release
from ..reconcile.policy import Direction
from ..records import CONTACT_FIELDS, MICROSOFT_CONTACT_LIMITS, UNSET, ContactData, PostalAddress, is_set
from . import deletions, outgoing, unknown
from .folders import Cursors
from .items import Item
from .kind import Kind
from .merging import is_left_out, merge_contact
from .steps import Step
from .work import Work


class ContactKind(Kind):
    """A CRM contact and a contact in one of the user's contact folders."""

    name = "contacts"
    noun = "contact"
    nouns = "contacts"
    limits = MICROSOFT_CONTACT_LIMITS

    def is_on(self, organisation: SyncSettings, link: UserLink) -> bool:
        return organisation.sync_contacts and link.sync_contacts

    def direction(self, organisation: SyncSettings, link: UserLink) -> Direction | None:
        wish = Direction(link.contact_direction) if link.contact_direction else None
        return Direction(organisation.contact_direction).narrowed(wish)

    def scope(self, link: UserLink) -> Scope:
        folders = tuple(link.crm_folders) if link.crm_folders is not None else None
        return Scope(only_my_items=link.only_my_items, folders=folders)

    def open_store(self, client: Any) -> Contacts:
        return Contacts(client, page_size=int(settings.PAGE_SIZE))

    def rules(self, work: Work) -> list[Any]:
        return [sorted(work.rules)]

    def poll_requests(self, work: Work, cursors: Cursors) -> list[Inner]:
        found: list[Inner] = work.store.poll_requests(cursors.settled(), known=cursors.known())
        return found

    def poll(self, work: Work, cursors: Cursors) -> dict[str, DeltaPage | GraphError]:
        links, known = cursors.settled(), cursors.known()
        outcomes = work.ask_news(self.poll_requests(work, cursors))
        answer = work.store.polled(links, outcomes, known=known)
        if answer.folders is not None:
            cursors.note(answer.folders)
        return dict(answer.pages)

    def folders(self, work: Work) -> tuple[Folder, ...]:
        found: tuple[Folder, ...] = work.store.folders()
        return found

    def chosen(self, work: Work, cursors: Cursors) -> tuple[str, ...]:
        return cursors.chosen(work.link.microsoft_folders)

    def page(self, work: Work, cursors: Cursors, folder_id: str, link: str) -> DeltaPage:
        found: DeltaPage = work.store.page(folder_id, link)
        return found

    def is_left_out(self, work: Work, crm: Any, item: Item | None) -> bool:
        return is_left_out(work, crm, item.data if item is not None else None)

    def is_alive(self, work: Work, cursors: Cursors, item: Item) -> bool:
        return item.folder in cursors.names

    def keys(self, work: Work, item: Item) -> Iterator[tuple[str, str]]:
        for rule in work.rules:
            for key in matching.keys(item.data, rule, work.region):
                yield rule, key

    def payload(self, item: Item) -> dict[str, Any]:
        return {"data": _to_json(item.data), "kept": dataclasses.asdict(item.kept)}

    def item(self, row: InboxItem, payload: Mapping[str, Any]) -> ContactItem:
        return ContactItem(
            graph_id=row.graph_id,
            folder=row.folder,
            etag=row.etag,
            data=_from_json(payload["data"]),
            kept=Kept(**payload["kept"]),
            created_at=row.created_in_microsoft,
            changed_at=row.changed_in_microsoft,
            marker=row.marker,
        )

    def stays_released(self, work: Work, mapping: RecordMapping, item: Item, *, in_scope: bool, visible: bool) -> bool:
        out = mapping.released_by in (Release.NARROWED, Release.LEFT_OUT) or not visible
        return mapping.released_by == Release.CRM_DELETED or (not in_scope and out) or is_left_out(work, item.data)

    def target(self, work: Work, cursors: Cursors, name: str | None) -> str:
        return cursors.id_of(name or "") or cursors.default

    def merge_step(self, work: Work, cursors: Cursors, step: Step) -> Step:
        return merge_contact(work, cursors, step)

    def plan_unknown(self, work: Work, cursors: Cursors, found: list[tuple[InboxItem, Item]]) -> list[Step]:
        return unknown.plan_unknown(work, cursors, found)

    def plan_new(self, work: Work, cursors: Cursors, adapter: Any) -> Iterator[list[Step]]:
        return outgoing.plan_new(work, cursors, adapter)

    def plan_widened(self, work: Work, cursors: Cursors, adapter: Any) -> Iterator[list[Step]]:
        return outgoing.plan_widened(work, cursors, adapter)

    def gone_in_crm(self, work: Work, step: Step) -> None:
        deletions.contact_gone_in_crm(work, step)

    def gone_in_microsoft(self, work: Work, step: Step) -> None:
        deletions.contact_gone_in_microsoft(work, step)

    def fallen_out(self, work: Work, step: Step, before: str, today: str) -> None:
        deletions.contact_fallen_out(work, step, before, today)

    def create_in_crm(self, work: Work, step: Step) -> Any:
        assert step.item is not None
        data = step.item.data.only(step.adapter.mapped)
        return step.adapter.create(data, work.ctx, folder=step.folder_to_crm or None)

    def identity(self, work: Work, step: Step) -> str:
        """The strongest matching key; empty where it has no key at all."""
        return next((f"{rule}\x1f{key}" for rule, key in self.keys(work, step.item)), "")

    def still_matches(self, work: Work, step: Step, adapter: Any, object_id: str) -> bool:
        """Whether the claimed record still bears a key of the item: if not, matching will never find it."""
        assert step.item is not None
        theirs = step.item.data
        obj = adapter.by_ids([object_id], work.ctx).get(object_id)
        record = adapter.read(obj, work.ctx) if obj is not None else None
        return record is not None and any(
            set(matching.keys(record, rule, work.region)) & set(matching.keys(theirs, rule, work.region))
            for rule in work.rules
        )

    def write(self, work: Work, step: Step | None, key: str, action: str, **values: Any) -> ContactWrite:
        if step is not None and step.item is not None and action == "update":
            values |= {"current": step.item.data, "kept": step.item.kept}
        # Members of ContactWrite by name.
        return ContactWrite(key=key, action=action, **values)  # type: ignore[arg-type]


def _to_json(data: ContactData) -> dict[str, Any]:
    # Under an empty name: what Microsoft holds but a record cannot say, such as a birthday without its year.
    plain: dict[str, Any] = {"": [name for name in CONTACT_FIELDS if not is_set(getattr(data, name))]}
    for name, value in data.values().items():
        if isinstance(value, PostalAddress):
            value = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
        elif isinstance(value, (date, datetime)):
            value = value.isoformat()
        if value not in (None, ()):
            plain[name] = value
    return plain


def _from_json(plain: Mapping[str, Any]) -> ContactData:
    values: dict[str, Any] = {**dict.fromkeys(CONTACT_FIELDS), **dict.fromkeys(plain.get("", ()), UNSET)}
    for name, value in plain.items():
        if not name:
            continue
        if name.endswith("_address"):
            value = PostalAddress(**value)
        elif name == "birthday":
            value = date.fromisoformat(value)
        values[name] = value
    return ContactData(**values)
