"""Which records the user's limits let out, and which the user may see at all (CON-02)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..models import MappingState
from .steps import Step
from .work import Work


class Limits:
    """Which of the given records the user sends out today, and which the user may see at all; one or two queries."""

    def __init__(self, work: Work, adapter: Any, object_ids: Sequence[str]) -> None:
        self.inside = scope_ids(work, adapter, object_ids)
        self.visible = set(self.inside)
        outside = [key for key in object_ids if key not in self.inside]
        if outside:
            self.visible |= visible_ids(work, adapter, outside)

    def note(self, step: Step) -> None:
        """Say on a step of a linked record what its limits, as they are today, still allow."""
        mapping = step.mapping
        assert mapping is not None
        linked = mapping.state == MappingState.LINKED
        step.is_leaving = linked and mapping.in_scope and mapping.object_id not in self.inside
        step.is_unseen = mapping.object_id not in self.visible


def visible_ids(work: Work, adapter: Any, object_ids: Sequence[str]) -> set[str]:
    rows = adapter.in_sight(adapter.existing(work.ctx), work.ctx).annotate(ms365_id=adapter.id_text())
    return set(rows.filter(ms365_id__in=list(object_ids)).order_by().values_list("ms365_id", flat=True))


def scope_ids(work: Work, adapter: Any, object_ids: Sequence[str]) -> set[str]:
    """Those of the given records that the user's limits let out (CON-02), in one query."""
    rows = adapter.in_scope(work.ctx, work.scope, object_ids).annotate(ms365_id=adapter.id_text())
    return set(rows.order_by().values_list("ms365_id", flat=True))
