"""Delta rounds over a change log: pages, tokens, expiry (facts 8.1, 8.4). What an item looks like is the caller's.

A round covers the changes with numbers in (`since`, `up_to`]; `place` is how far its pages have come. What changes
while a round runs has a higher number, leaves the round, and comes in the next one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from ..changelog import ChangeLog, Entry
from ..refusal import Refusal
from ..world import World
from .call import Call, Reply
from .query import invalid_query

Render = Callable[[Entry], list[dict[str, Any]]]      # none: leave the entry out; several: the parts of a series


@dataclass(frozen=True, slots=True)
class Round:
    """What a token holds. A delta token is a round that has not begun: `place` -1."""

    account: str
    feed: str
    select: str
    generation: int
    since: int
    up_to: int = 0
    place: int = -1
    pages: int = 0
    is_first: bool = False          # the initial round: tells what is there, no removals
    is_empty_told: bool = False     # the empty page before this one was sent
    again: str = ""                 # key of an item of the page before that is told again


@dataclass(frozen=True, slots=True)
class Feed:
    """A collection that can be followed. `name` binds tokens to it, `kind` is for Microsoft's messages.

    `matters`: whether an entry is told in a round at all. `resource` is what the message about `$top` calls it.
    """

    name: str
    kind: str
    log: ChangeLog
    render: Render
    matters: Callable[[Entry, Round], bool] = lambda entry, state: True
    resource: str = ""
    takes_select: bool = True
    restart: Mapping[str, str] = field(default_factory=dict)       # the options of a fresh initial request


class TokenKey:
    """The simulator's key for its delta tokens: those of another run are not known (part of the world)."""

    def __init__(self, world: World) -> None:
        self.key = world.ids.random.randbytes(32)


def serve(call: Call, feed: Feed, select: str = "") -> Reply:
    """Answer a delta request: the initial one, a nextLink or a deltaLink. Raises `Refusal` (400, 404, 410)."""
    _check_options(call, feed)
    state = _resumed(call, feed) if is_link(call) else _begun(call, feed, Round(
        call.account.id, feed.name, select, feed.log.generation, 0, is_first=True))
    size = min(call.max_page_size or call.sandbox.options.delta_page_size, call.sandbox.options.delta_max_page_size)
    call.applied.append("odata.track-changes")
    if call.max_page_size:
        call.applied.append(f"odata.maxpagesize={size}")
    body: dict[str, Any] = {"@odata.context": call.context(f"Collection({feed.kind})")}
    if call.sandbox.options.delta_empty_pages and not state.is_empty_told:
        return Reply(200, body | {"value": [], "@odata.nextLink": _link(call, replace(state, is_empty_told=True))})
    items, rest = _page(call, feed, state, size)
    if rest is not None:
        return Reply(200, body | {"value": items, "@odata.nextLink": _link(call, rest)})
    done = Round(state.account, state.feed, state.select, feed.log.next_generation(), state.up_to)
    return Reply(200, body | {"value": items, "@odata.deltaLink": _link(call, done)})


def removed(type_name: str, item_id: str) -> dict[str, Any]:
    """A tombstone. Outlook's reason is always the same, also for what was moved or left a window (facts 8.1)."""
    return {"@odata.type": f"#microsoft.graph.{type_name}", "id": item_id, "@removed": {"reason": "deleted"}}


def selection(call: Call) -> str:
    """The `$select` that is in force: of this initial request, or the one that the token holds."""
    return _read(call, _token(call)).select if is_link(call) else call.query.get("$select", "")


def _page(call: Call, feed: Feed, state: Round, size: int) -> tuple[list[dict[str, Any]], Round | None]:
    """The items of one page, and where the round goes on (None: it ends)."""
    options = call.sandbox.options
    entries = [entry for entry in feed.log.since(state.place, state.up_to)
               if (entry.is_present or not state.is_first) and feed.matters(entry, state)]
    extra = [entry for entry in feed.log if state.again and entry.key == state.again]
    if options.delta_replays and not state.is_first and not state.pages:
        extra += feed.log.before(state.since, min(options.delta_replays, size - 1 if entries else size))
    extra = extra[:size - 1] if entries else extra[:size]
    told, fresh = _fitting(feed, entries, size - len(extra))
    is_last = len(told) == len(entries)
    if options.delta_duplicates and is_last and told and not state.pages and len(told) + len(extra) < size:
        extra.append(told[0])
    items = [item for entry in extra for item in feed.render(entry)] + fresh
    if options.delta_shuffled:
        call.sandbox.world.ids.random.shuffle(items)
    if is_last:
        return items, None
    return items, replace(state, place=told[-1].seq, pages=state.pages + 1, is_empty_told=False,
                          again=told[-1].key if options.delta_duplicates else "")


def _fitting(feed: Feed, entries: list[Entry], room: int) -> tuple[list[Entry], list[dict[str, Any]]]:
    """So many entries as a page has room for, and their items. A series is not split: it may make a page too long."""
    told: list[Entry] = []
    items: list[dict[str, Any]] = []
    for entry in entries:
        rendered = feed.render(entry) if len(told) < room else []
        if len(told) >= room or (items and len(items) + len(rendered) > room):
            break
        told.append(entry)
        items += rendered
    return told, items


def _begun(call: Call, feed: Feed, state: Round) -> Round:
    horizon = feed.log.visible(call.sandbox.clock.now(), call.sandbox.options.delta_delay_s)
    return replace(state, place=state.since, up_to=max(state.since, horizon))


def _resumed(call: Call, feed: Feed) -> Round:
    """The round of a link. Raises `Refusal` when the token is not usable any more, or not of this collection."""
    state = _read(call, _token(call))
    options = call.sandbox.options
    if (state.account, state.feed) != (call.account.id, feed.name):
        raise _invalid_state("The sync state data does not belong to this collection.")
    pages_over = 0 < options.delta_next_link_pages <= state.pages
    if pages_over or not feed.log.is_alive(state.generation, options.delta_generations):
        raise _expired(call, feed, state)
    return _begun(call, feed, state) if state.place < 0 else state


def _check_options(call: Call, feed: Feed) -> None:
    names = [name for name in call.query if name not in ("$skiptoken", "$deltatoken")]
    if is_link(call):
        if names:
            raise invalid_query("A delta link is followed as it is: no query option may be added to it.")
        return
    if call.query.get("$deltatoken", "").lower() == "latest":
        raise invalid_query("'$deltatoken=latest' is not supported for this resource.")
    for name in names:
        if name == "$top":
            raise invalid_query(f"The '$top' parameter is not supported with change tracking over the "
                                f"'{feed.resource or feed.kind}' resource as page size cannot be guaranteed. Express "
                                "page size preferences using the Prefer: odata.maxpagesize= header instead.")
        if name == "$expand":
            status = call.sandbox.options.delta_expand_status
            raise Refusal(status, "InternalServerError" if status == 500 else "BadRequest",
                          "Value cannot be null.\r\nParameter name: source")
        if name.startswith("$") and name != "$format" and not (name == "$select" and feed.takes_select):
            raise invalid_query(f"The query parameter '{name}' is not supported with change tracking.")


def is_link(call: Call) -> bool:
    """Whether the request follows a nextLink or a deltaLink."""
    token = call.query.get("$deltatoken", "")
    return bool(call.query.get("$skiptoken")) or (bool(token) and token.lower() != "latest")


def _token(call: Call) -> str:
    return call.query.get("$skiptoken") or call.query.get("$deltatoken") or ""


def _link(call: Call, state: Round) -> str:
    name = "$skiptoken" if state.place >= 0 else "$deltatoken"
    text = json.dumps(list(asdict(state).values()), separators=(",", ":")).encode()
    token = base64.urlsafe_b64encode(_signature(call, text) + text).decode().rstrip("=")
    return f"{call.url(quote(call.path))}?{name}={token}"


def _read(call: Call, token: str) -> Round:
    """A token's content. Raises `Refusal`: 400 for what is no token, 410 for one of another run."""
    try:
        signed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        state = Round(*json.loads(signed[16:]))
    except (ValueError, TypeError):
        raise _invalid_state("The sync state data is not valid.") from None
    if not hmac.compare_digest(signed[:16], _signature(call, signed[16:])):
        raise Refusal(410, "SyncStateNotFound", "The sync state generation is not found.")
    return state


def _signature(call: Call, text: bytes) -> bytes:
    return hmac.new(call.sandbox.world.part(TokenKey).key, text, hashlib.sha256).digest()[:16]


def _invalid_state(message: str) -> Refusal:
    return Refusal(400, "ErrorInvalidSyncStateData", message)


def _expired(call: Call, feed: Feed, state: Round) -> Refusal:
    options, highest = call.sandbox.options, feed.log.generation
    headers = {}
    if options.delta_expired_location:
        restart = feed.restart or ({"$select": state.select} if state.select else {})
        query = f"?{urlencode(restart, safe='$,:')}" if restart else ""
        headers["Location"] = call.url(quote(call.path)) + query
    return Refusal(options.delta_expired_status, options.delta_expired_code,
                   f"The sync state generation is not found; generation={state.generation};[highest={highest}]"
                   f"[{highest}].", headers=headers)
