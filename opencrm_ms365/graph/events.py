"""The calendars of one mailbox: what changed, what is there, and writing to it.

Translation is in `wire`, single requests are in `client`. Nothing here decides what should happen, nor whom it mails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from ..errors import AlreadyCreated, GraphError, NotFound, OutcomeUnknown, ProtocolError, Rejected
from . import batch, delta, pages
from .answers import Answer
from .batch import Inner
from .client import GraphClient, prefer_header
from .event_items import (
    IDENTITY_PROPERTY,
    Attendee,
    BrokenItem,
    Calendar,
    DeltaPage,
    EventItem,
    EventWrite,
    KeptEvent,
    OccurrenceItem,
    RemovedItem,
    read_event,
)
from .event_writing import as_event, body, knowing, needs_reading, second_try, written
from .items import marker_of
from .origin import encode, segment
from .refusals import access_denied, consent_missing
from .wire.event import PREFER_HTML, PREFER_UTC, SELECT
from .wire.recurrence import Inexpressible

__all__ = [
    "IDENTITY_PROPERTY",
    "Attendee",
    "BrokenItem",
    "Calendar",
    "DeltaPage",
    "EventItem",
    "EventWrite",
    "Events",
    "KeptEvent",
    "OccurrenceItem",
    "RemovedItem",
]

FIELDS = ",".join(SELECT)
MAX_PAGE = 1000
CALENDARS_PAGE = 100
#: How every event is asked for: instants in UTC, the body as it is kept.
PREFER = (PREFER_UTC, PREFER_HTML)

#: An all-day event lies in other days elsewhere.
AROUND = timedelta(days=2)

Page = DeltaPage[EventItem | OccurrenceItem]
Window = tuple[datetime, datetime]


class Events:
    """The events of one mailbox. `mailbox` is a base path: `/me`, or `/users/{id}`."""

    def __init__(self, client: GraphClient, mailbox: str = "/me", *, page_size: int = 200) -> None:
        self.client = client
        self.base = mailbox.rstrip("/")
        self.page_size = max(1, min(page_size, MAX_PAGE))

    def calendars(self) -> tuple[Calendar, ...]:
        """All of them, the default one first. Raises `ConsentRequired`, `MailboxUnavailable`."""
        try:
            listed = pages.items(self.client, f"{self.base}/calendars", params={"$top": CALENDARS_PAGE})
            found = [calendar for calendar in map(_calendar, listed) if calendar]
        except Rejected as error:
            if access_denied(error):
                raise consent_missing(error) from error
            raise
        return tuple(sorted(found, key=lambda calendar: not calendar.is_default))

    # Reading

    def poll_requests(self, links: Mapping[str, str]) -> list[Inner]:
        """The requests that ask what is new: the delta links by calendar id. They may share a batch with others."""
        return [Inner(f"calendar {calendar_id}", "GET", url, headers=self._headers(*self._wishes()))
                for calendar_id, link in links.items() if (url := delta.relative(self.client, link))]

    def polled(self, links: Mapping[str, str], outcomes: batch.Outcomes) -> dict[str, Page | GraphError]:
        """What the answers to `poll_requests` say, by calendar id. A calendar's own trouble stands in its place."""
        return {calendar_id: delta.polled(outcomes.get(f"calendar {calendar_id}"), link,
                                          partial(self.page, calendar_id, link),
                                          partial(self._page, calendar_id, asked=link))
                for calendar_id, link in links.items()}

    def page(self, calendar_id: str, link: str = "", window: Window | None = None) -> Page:
        """One page of a calendar's changes. Without a link: the first page of an initial round over the window.

        The window is fixed in the links that follow. It cuts by instants, so an all-day event at its edge may be in
        or out: ask for a day more on each side (facts 6.3). Of a series its master comes in full and every occurrence
        in the window; an occurrence that does not come is deleted, without a word about it (facts 8.3).
        Raises `DeltaExpired` when the link can no longer be used, `NotFound` when the calendar has gone.
        """
        if not link and window is None:
            raise ValueError("An initial round needs a window.")
        try:
            if link or window is None:
                return self._page(calendar_id, self.client.get(link, prefer=self._wishes()), link)
            path = f"{self._calendar_path(calendar_id)}/calendarView/delta"
            return self._page(calendar_id, self.client.get(path, params=_between(window), prefer=self._wishes()))
        except Rejected as error:
            raise delta.of_a_link(error, link) from error

    def get(self, graph_ids: Iterable[str], *, with_marker: bool = False) -> dict[str, EventItem | GraphError]:
        """Single events by id, whatever calendar they are in. `NotFound` says that one is really gone."""
        more = {"$expand": _expand()} if with_marker else {}
        inners = [self._reading(graph_id, graph_id, **more) for graph_id in dict.fromkeys(graph_ids)]
        return {graph_id: as_event(outcome) for graph_id, outcome in batch.run(self.client, inners).items()}

    def markers(self, calendar_id: str, window: Window) -> Iterator[tuple[str, str]]:
        """Graph id and identity of each event in the window that bears one of ours; of a series, its master's."""
        params: dict[str, str | int] = {
            **_between(window), "$select": "id,type,seriesMasterId", "$expand": _expand(), "$top": self.page_size,
        }
        masters: dict[str, None] = {}
        path = f"{self._calendar_path(calendar_id)}/calendarView"
        for item in pages.items(self.client, path, params=params):
            if not isinstance(item, dict):
                continue
            master_id, graph_id, marker = item.get("seriesMasterId"), item.get("id"), marker_of(item)
            if isinstance(master_id, str) and master_id:
                masters[master_id] = None
            if str(item.get("type")).lower() != "occurrence" and isinstance(graph_id, str) and marker:
                yield graph_id, marker
        for graph_id, found in self.get(masters, with_marker=True).items():
            if isinstance(found, EventItem):
                if found.marker:
                    yield graph_id, found.marker
            elif not isinstance(found, (NotFound, ProtocolError)):
                raise found  # a listing that ends is complete (I-4)

    def find_marker(self, calendar_ids: Iterable[str], marker: str) -> tuple[EventItem, ...]:
        """The events in these calendars that bear this identity: more than one if a person copied one.

        An event created a moment ago may not be found yet: look again before creating it a second time (I-1).
        """
        condition = (f"singleValueExtendedProperties/Any(ep: ep/id eq '{IDENTITY_PROPERTY}' "
                     f"and ep/value eq '{_quoted(marker)}')")
        query = encode({"$filter": condition, "$select": FIELDS})
        inners = [Inner(calendar_id, "GET", f"{self._calendar_path(calendar_id)}/events?{query}",
                        headers=self._headers())
                  for calendar_id in dict.fromkeys(calendar_ids)]
        found: dict[str, EventItem] = {}
        for calendar_id, outcome in batch.run(self.client, inners).items():
            for item in self._listed(outcome, calendar_id, marker):
                found[item.graph_id] = item
        return tuple(found.values())

    def find_uid(self, uids: Iterable[str], *, calendar_ids: Iterable[str] = ("",)) -> dict[str, EventItem]:
        """The copies that this mailbox has of meetings, by `iCalUId`; those it does not have are left out.

        Looked for in the default calendar, where invitations arrive, unless other calendars are named.
        """
        wanted = [(uid, calendar_id) for uid in dict.fromkeys(uids) for calendar_id in dict.fromkeys(calendar_ids)]
        inners = []
        for number, (uid, calendar_id) in enumerate(wanted):
            query = encode({"$filter": f"iCalUId eq '{_quoted(uid)}'", "$select": FIELDS})
            inners.append(Inner(str(number), "GET", f"{self._calendar_path(calendar_id)}/events?{query}",
                                headers=self._headers()))
        found: dict[str, EventItem] = {}
        outcomes = batch.run(self.client, inners)
        for number, (uid, calendar_id) in enumerate(wanted):
            for item in self._listed(outcomes[str(number)], calendar_id):
                found.setdefault(uid, item)
        return found

    # Writing

    def write(self, writes: Sequence[EventWrite]) -> dict[str, EventItem | GraphError | None]:
        """Send these changes, in batches of twenty; the outcome of each by its key. None: it is deleted or cancelled.

        What is to be deleted or cancelled and is gone already counts as that. A repeated creation gives the event
        that the first one made; `AlreadyCreated` if that is not to be found. `OutcomeUnknown` for a creation: look
        for its marker, or repeat it with the same transaction id; for a change: read it again. `Stale`: it was
        changed since the etag was given.
        """
        results: dict[str, EventItem | GraphError | None] = {}
        ready, inners = self._informed(writes, results), list[Inner]()
        for write in ready:
            try:
                inners.append(self._inner(write))
            except Inexpressible as error:
                results[write.key] = Rejected(error.reason)
        ready = [write for write in ready if write.key not in results]
        outcomes = batch.run(self.client, inners)
        again = [other for write in ready if (other := second_try(write, outcomes[write.key]))]
        outcomes |= self._afterwards([self._inner(write) for write in again])
        for write in ready:
            result = written(write, outcomes[write.key])
            results[write.key] = self._made_before(write, result) if isinstance(result, AlreadyCreated) else result
        results |= self._reread(write for write in ready if write.action == "update" and results[write.key] is None)
        return {write.key: results[write.key] for write in writes}

    # Parts

    def _informed(
        self, writes: Sequence[EventWrite], results: dict[str, EventItem | GraphError | None]
    ) -> list[EventWrite]:
        """The writes that can be sent, those that need it with what the event holds now. The others get a result."""
        found = self.get(write.graph_id for write in writes if needs_reading(write))
        ready = []
        for write in writes:
            item = found.get(write.graph_id) if needs_reading(write) else None
            if isinstance(item, GraphError):
                results[write.key] = item
            else:
                ready.append(write if item is None else knowing(write, item))
        return ready

    def _afterwards(self, inners: Sequence[Inner]) -> batch.Outcomes:
        """The outcomes of what follows upon writes: trouble that stops everything must not lose their answers."""
        try:
            return batch.run(self.client, inners)
        except GraphError as error:
            return {inner.id: error for inner in inners}

    def _reread(self, writes: Iterable[EventWrite]) -> dict[str, EventItem | GraphError | None]:
        """The events that were changed without an answer that shows them. Unreadable now, their outcome is unknown."""
        by_key = {write.key: write for write in writes}
        outcomes = self._afterwards([self._reading(key, write.graph_id) for key, write in by_key.items()])
        results: dict[str, EventItem | GraphError | None] = {}
        for key, write in by_key.items():
            item = _placed(as_event(outcomes[key]), write)
            is_known = isinstance(item, (EventItem, NotFound))
            results[key] = item if is_known else OutcomeUnknown("Microsoft changed an event but did not show it.")
        return results

    def _reading(self, key: str, graph_id: str, **more: str) -> Inner:
        """The request for one event, in full."""
        return Inner(key, "GET", f"{self._item_path(graph_id)}?{encode({'$select': FIELDS, **more})}",
                     headers=self._headers())

    def _inner(self, write: EventWrite) -> Inner:
        headers = self._headers() | ({"If-Match": write.etag} if write.etag else {})
        match write.action:
            case "create":
                return Inner(write.key, "POST", f"{self._calendar_path(write.folder)}/events", body(write),
                             self._headers())
            case "update":
                changes = body(write)
                if not changes:
                    return self._reading(write.key, write.graph_id)
                return Inner(write.key, "PATCH", self._item_path(write.graph_id), changes, headers)
            case "delete":
                return Inner(write.key, "DELETE", self._item_path(write.graph_id), headers=headers)
            case "cancel":
                return Inner(write.key, "POST", f"{self._item_path(write.graph_id)}/cancel",
                             {"comment": write.comment}, self._headers())

    def _made_before(self, write: EventWrite, error: AlreadyCreated) -> EventItem | GraphError:
        """The event that an earlier creation with this transaction id made: by its id, its marker, or its time."""
        try:
            if error.existing_id:
                item = self.get([error.existing_id], with_marker=True)[error.existing_id]
                if not isinstance(item, (NotFound, Rejected)):
                    return _placed(item, write)
            marked = self.find_marker([write.folder], write.marker) if write.marker else ()
            return next(iter(marked), None) or self._of_transaction(write) or error
        except GraphError as trouble:
            return trouble

    def _of_transaction(self, write: EventWrite) -> EventItem | None:
        """Looked for around its time: a transaction id cannot be filtered by (facts 6.4)."""
        start, end = write.values.get("start"), write.values.get("end")
        if not write.transaction_id or not isinstance(start, date):
            return None
        window = (_instant(start) - AROUND, _instant(end if isinstance(end, date) else start) + AROUND)
        path = f"{self._calendar_path(write.folder)}/calendarView"
        params: dict[str, str | int] = {**_between(window), "$top": self.page_size}
        for entry in pages.items(self.client, path, params=params, prefer=PREFER):
            item = read_event(entry, folder=write.folder, marker=write.marker)
            if isinstance(item, EventItem) and item.transaction_id == write.transaction_id:
                return item
        return None

    def _item_path(self, graph_id: str) -> str:
        return f"{self.base}/events/{segment(graph_id)}"

    def _calendar_path(self, calendar_id: str) -> str:
        return f"{self.base}/calendars/{segment(calendar_id)}" if calendar_id else self.base

    def _wishes(self) -> tuple[str, ...]:
        return (*PREFER, pages.max_page_size(self.page_size))

    def _headers(self, *wishes: str) -> dict[str, str]:
        return {"Prefer": prefer_header(wishes or PREFER)}

    def _page(self, calendar_id: str, answer: Answer, asked: str = "") -> Page:
        return delta.read_page(self.client, answer, lambda entry: read_event(entry, folder=calendar_id), asked)

    def _listed(self, outcome: Answer | GraphError, calendar_id: str, marker: str = "") -> Iterator[EventItem]:
        """The events of a listing that was found; none where the calendar has gone. Raises any other trouble."""
        if isinstance(outcome, NotFound):
            return
        if isinstance(outcome, GraphError):
            raise outcome
        for entry in pages.following(self.client, outcome, prefer=PREFER):
            item = read_event(entry, folder=calendar_id, marker=marker)
            if isinstance(item, EventItem):
                yield item


def _between(window: Window) -> dict[str, str]:
    start, end = (at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in window)
    return {"startDateTime": start, "endDateTime": end}


def _instant(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def _placed(item: EventItem | GraphError, write: EventWrite) -> EventItem | GraphError:
    """The item with what the writer knows of it and an answer by id does not tell."""
    if isinstance(item, GraphError):
        return item
    return replace(item, folder=item.folder or write.folder, marker=item.marker or write.marker)


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _expand() -> str:
    return f"singleValueExtendedProperties($filter=id eq '{IDENTITY_PROPERTY}')"


def _calendar(item: object) -> Calendar | None:
    graph_id = item.get("id") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(graph_id, str) or not graph_id:
        return None
    name = item.get("name")
    return Calendar(graph_id, name if isinstance(name, str) else "", item.get("isDefaultCalendar") is True,
                    item.get("canEdit") is True)
