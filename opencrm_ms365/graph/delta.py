"""One page of a round of changes, whatever it is about, and what a refused link means (facts 8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ..errors import DeltaExpired, GraphError, NotFound, ProtocolError, Rejected, Throttled, Unavailable
from . import pages
from .answers import Answer
from .client import GraphClient
from .items import BrokenItem, DeltaPage, RemovedItem

Item = TypeVar("Item")


def read_page(
    client: GraphClient, answer: Answer, read: Callable[[object], Item | RemovedItem | BrokenItem], asked: str = ""
) -> DeltaPage[Item]:
    """The page in this answer to the link `asked`. Raises `ProtocolError` for what leads nowhere or in a circle."""
    items: dict[str, Item | RemovedItem | BrokenItem] = {}
    for number, entry in enumerate(pages.values(answer)):
        graph_id = entry.get("id") if isinstance(entry, dict) else None
        items[graph_id if isinstance(graph_id, str) and graph_id else f"#{number}"] = read(entry)
    next_link = pages.link(client, answer, pages.NEXT_LINK)
    delta_link = "" if next_link else pages.link(client, answer, pages.DELTA_LINK)
    if not next_link and not delta_link:
        raise ProtocolError("Microsoft's list of changes ends without a link.", request_id=answer.request_id)
    if next_link and next_link == asked:
        raise ProtocolError("Microsoft's pages lead in a circle.", request_id=answer.request_id)
    return DeltaPage(tuple(items.values()), next_link, delta_link)


def relative(client: GraphClient, link: str) -> str | None:
    """The link as a batch takes it; None for one that fits into no batch: asked by itself, it fails by itself."""
    try:
        return client.origin.relative(link)
    except ProtocolError:
        return None


def polled(
    outcome: Answer | GraphError | None, link: str, ask: Callable[[], DeltaPage[Item]],
    read: Callable[[Answer], DeltaPage[Item]],
) -> DeltaPage[Item] | GraphError:
    """One collection's part of a shared batch, or its own trouble. None: its link fits into no batch, so `ask` does.

    Raises what concerns more than this collection.
    """
    try:
        if outcome is None:
            return ask()
        return of_a_link(outcome, link) if isinstance(outcome, GraphError) else read(outcome)
    except (DeltaExpired, NotFound, Rejected, ProtocolError, Throttled, Unavailable) as error:
        return error


def of_a_link(error: GraphError, link: str) -> GraphError:
    """A stored link that Microsoft calls a bad request is of no more use: begin anew (facts 8.4, the 400 variant)."""
    if link and isinstance(error, Rejected) and error.status == 400:
        return DeltaExpired(str(error), status=error.status, code=error.code, request_id=error.request_id)
    return error
