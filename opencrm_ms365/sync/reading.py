"""Contacts by their ids, for those who cannot go on without them."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import NotFound
from .items import ITEMS, Item
from .work import Work


def read_items(work: Work, graph_ids: Sequence[str], *, with_marker: bool = False) -> dict[str, Item]:
    """Those of the contacts that are there. Raises what keeps the others from being read, unless they are gone."""
    found: dict[str, Item] = {}
    answers = work.store.get(list(graph_ids), with_marker=with_marker) if graph_ids else {}
    for key, item in answers.items():
        if isinstance(item, ITEMS):
            found[key] = item
        elif not isinstance(item, NotFound):
            raise item
    return found
