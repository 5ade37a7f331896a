"""Which Planner task is which CRM task when the links are lost, as after a restored backup (SYNC-09).

Planner keeps no identity of ours on a task (facts 9.3). So a task that no mapping knows is taken for the CRM's in the
same list, with the same subject and on the same day, if there is exactly one such task on each side. Copies that a
person made look alike, and with two of them nobody can tell which is which: they are new tasks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from ..records.task import TaskData
from .planner_words import Terms, date_field, day_in_crm, due_day, list_out, said_by_crm

_Likeness = tuple[str, str, date | None]


def rejoin(crm: Mapping[str, TaskData], planner: Mapping[str, TaskData], terms: Terms) -> dict[str, str]:
    """Planner's ids to the CRM's keys, of the tasks that have no mapping on either side.

    `terms.default_list` counts for tasks without a list. A task that Planner has no date for matches the CRM's of any
    date: the CRM got one of its own (TASK-07).
    """
    ours = _by_likeness((key, _of_crm(task, terms)) for key, task in crm.items())
    theirs = _by_likeness((graph_id, _of_planner(task)) for graph_id, task in planner.items())
    found = {ids[0]: ours[like][0] for like, ids in theirs.items() if len(ids) == 1 and len(ours.get(like, ())) == 1}
    rest = {key: task for key, task in crm.items() if key not in found.values()}
    dateless = _by_likeness((key, like and (*like[:2], None)) for key, like in (
        (key, _of_crm(task, terms)) for key, task in rest.items()))
    for like, ids in theirs.items():
        if like[2] is None and len(ids) == 1 and ids[0] not in found and len(dateless.get(like, ())) == 1:
            found[ids[0]] = dateless[like][0]
    return found


def _of_crm(task: TaskData, terms: Terms) -> _Likeness | None:
    key = list_out(task.task_list or None, terms)
    name = date_field(task)
    day = day_in_crm(getattr(task, name), terms) if name else None
    return (key, str(said_by_crm("subject", task.subject or None, terms)), day) if key else None


def _of_planner(task: TaskData) -> _Likeness:
    return str(task.task_list), str(task.subject), due_day(task)


def _by_likeness(items: Iterable[tuple[str, Any]]) -> dict[_Likeness, list[str]]:
    found: dict[_Likeness, list[str]] = defaultdict(list)
    for key, like in items:
        if like is not None:
            found[like].append(key)
    return dict(found)
