"""Reads listings page by page, without ever holding a whole mailbox."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import ProtocolError
from .answers import Answer
from .client import GraphClient

NEXT_LINK = "@odata.nextLink"
DELTA_LINK = "@odata.deltaLink"
#: More empty pages in a row than this are taken for a circle.
MAX_EMPTY_PAGES = 200


def max_page_size(items: int) -> str:
    """A wish for the page size, as a value of `Prefer`. Microsoft may send fewer, never more."""
    return f"odata.maxpagesize={items}"


def values(answer: Answer) -> list[Any]:
    """The items of one page. An answer without a list is no empty list: `ProtocolError` (I-4)."""
    found = answer.body.get("value") if isinstance(answer.body, dict) else None
    if not isinstance(found, list):
        raise ProtocolError("Microsoft's answer is not the list that was asked for.", status=answer.status,
                            request_id=answer.request_id)
    return found


def link(client: GraphClient, answer: Answer, name: str) -> str:
    """The absolute next or delta link of a page, checked to lead to Microsoft; `""` when there is none."""
    found = answer.body.get(name) if isinstance(answer.body, dict) else None
    if found is None or found == "":
        return ""
    if not isinstance(found, str):
        raise ProtocolError("Microsoft's answer contains a link that cannot be read.", request_id=answer.request_id)
    return client.origin.url(found)


def items(
    client: GraphClient, path: str, *, params: Mapping[str, str | int] | None = None, prefer: Iterable[str] = ()
) -> Iterator[Any]:
    """All items of a listing. Ends early only with an error, so that a listing that ended is complete (I-4)."""
    yield from following(client, client.get(path, params=params, prefer=prefer), prefer=prefer)


def following(client: GraphClient, answer: Answer, *, prefer: Iterable[str] = ()) -> Iterator[Any]:
    """The items of a page that is already here, and of all pages after it."""
    wishes, seen, empty = tuple(prefer), set[str](), 0
    while True:
        page = values(answer)
        yield from page
        empty = 0 if page else empty + 1
        url = link(client, answer, NEXT_LINK)
        if not url:
            return
        if url in seen or empty > MAX_EMPTY_PAGES:
            raise ProtocolError("Microsoft's pages lead in a circle.")
        seen.add(url)
        answer = client.get(url, prefer=wishes)
