"""Contacts by their ids, for those who cannot go on without them."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import NotFound
from ..graph.contacts import ContactItem
from .work import Work


def read_items(work: Work, graph_ids: Sequence[str], *, with_marker: bool = False) -> dict[str, ContactItem]:
    """Those of the contacts that are there. Raises what keeps the others from being read, unless they are gone."""
    found: dict[str, ContactItem] = {}
    answers = work.contacts.get(list(graph_ids), with_marker=with_marker) if graph_ids else {}
    for key, item in answers.items():
        if isinstance(item, ContactItem):
            found[key] = item
        elif not isinstance(item, NotFound):
            raise item
    return found
