"""What changed in a calendar's view (facts 8.3): a window that stays as it is, and series that come whole.

    single event            in full
    series                  its master in full, each remaining occurrence of the window with few members, exceptions
                            in full; an occurrence that is gone is simply missing
    left the window         `@removed`, as is (switch) what was touched without ever having been in it
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..changelog import Entry
from ..event_store import Event, EventStore
from ..event_times import meets, parse_bound
from ..refusal import Refusal
from ..series import instances, occurrence_id
from .calendar_view import window
from .calendars import READ, find
from .call import Call, Reply
from .delta import Feed, Round, is_link, removed, selection, serve
from .event_shown import note_preferences, reduced, shown, zone_of
from .routing import Routes

routes = Routes()


@routes.add("GET", "{user}/calendarView/delta", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendar/calendarView/delta", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendars/{calendar}/calendarView/delta", scopes=READ, outlook=True)
def view_delta(call: Call, calendar: str = "") -> Reply:
    """What changed among the events of one calendar in a window."""
    store = call.mailbox.part(EventStore)
    if is_link(call) and calendar in store.logs and store.logs[calendar].is_deleted:
        raise Refusal(404, "ErrorSyncFolderNotFound", "The specified folder could not be found in the store.")
    zone_of(call)
    note_preferences(call)
    return _View(call, store, find(call, calendar).id).serve()


@routes.add("GET", "{user}/events/delta", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendar/events/delta", scopes=READ, outlook=True)
@routes.add("GET", "{user}/calendars/{calendar}/events/delta", scopes=READ, outlook=True)
def events_delta(call: Call, calendar: str = "") -> Reply:
    """Delta without a window exists in beta only."""
    raise Refusal(400, "BadRequest", "Unsupported request: Change tracking is not supported against "
                  "'microsoft.graph.event'.")


class _View:
    """One calendar seen through one window, which is in the token once a round has begun."""

    def __init__(self, call: Call, store: EventStore, calendar_id: str) -> None:
        self.call, self.store, self.calendar_id = call, store, calendar_id
        self.options = call.sandbox.options

    def serve(self) -> Reply:
        text = selection(self.call) if is_link(self.call) else self._asked()
        first, _, last = text.partition("/")
        self.window = datetime.fromisoformat(first), datetime.fromisoformat(last)
        feed = Feed(self.calendar_id, "event", self.store.logs[self.calendar_id], self.render, self.matters,
                    resource="CalendarView", takes_select=self.options.calendar_delta_select == "ignored",
                    restart={"startDateTime": _plain(first), "endDateTime": _plain(last)})
        return serve(self.call, feed, text)

    def render(self, entry: Entry) -> list[dict[str, Any]]:
        event = self._present(entry)
        parts = instances(event, self.window) if event is not None else []
        if event is None or not parts:
            return self._removals(entry)
        if event.kind != "seriesMaster":
            return [self._full(event)]
        return [self._full(event)] + [
            _typed(reduced(self.call, part)) if part.kind == "occurrence" else self._full(part) for part in parts]

    def matters(self, entry: Entry, state: Round) -> bool:
        event = self._present(entry)
        if event is not None and instances(event, self.window):
            return True
        if state.is_first:
            return False
        return self.options.delta_outside_removals or self._was_inside(entry, state.since)

    def _asked(self) -> str:
        if "$top" in self.call.query:       # refused with its own message, even without a window
            return "/".join(["2000-01-01T00:00:00+00:00"] * 2)
        first, last = window(self.call)
        return f"{first.isoformat()}/{last.isoformat()}"

    def _present(self, entry: Entry) -> Event | None:
        event = self.store.by_immutable_id(entry.key)
        if not entry.is_present or event is None or event.calendar_id != self.calendar_id:
            return None
        return event

    def _full(self, event: Event) -> dict[str, Any]:
        return _typed(shown(self.call, event))

    def _removals(self, entry: Entry) -> list[dict[str, Any]]:
        """Of a series that is gone: for the master, for its occurrences, or both (unconfirmed)."""
        own = entry.key if self.call.wants_immutable_ids else entry.default_id
        event, form = self.store.by_immutable_id(entry.key), self.options.deleted_series
        if event is None or event.kind != "seriesMaster" or form == "master":
            return [removed("event", own)]
        gone = [occurrence_id(own, part.original_day) for part in instances(event, self.window)]
        return [removed("event", item_id) for item_id in ([own] if form == "both" or not gone else []) + gone]

    def _was_inside(self, entry: Entry, since: int) -> bool:
        event = self.store.by_immutable_id(entry.key)
        if event is None:
            return True         # purged: nobody knows any more where it was
        spans = [span for span in event.spans if span[0] <= since]
        return bool(spans) and meets(spans[-1][1], spans[-1][2], self.window)


def _typed(item: dict[str, Any]) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.event", **item}


def _plain(bound: str) -> str:
    return parse_bound(bound).strftime("%Y-%m-%dT%H:%M:%SZ")
