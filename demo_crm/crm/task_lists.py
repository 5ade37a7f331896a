"""The task lists that a task can be put on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .models import OwnTaskList

OWN, PLANNER = "The CRM's own", "Planner"
PLANNER_KEYS = "planner:"
NO_LIST = "No list"


@dataclass(frozen=True)
class TaskListChoice:
    """One list. `key` is what `Activity.task_list` holds, `group` where it comes from."""

    key: str
    name: str
    group: str = OWN


def task_lists(user: Any) -> list[TaskListChoice]:
    """The lists that `user` may choose, in the order in which they are shown."""
    return [TaskListChoice(key, name) for key, name in OwnTaskList.objects.values_list("key", "name")]


def name_of(key: str, lists: Iterable[TaskListChoice]) -> str:
    """The name of the list that a task is on; one that this person cannot reach has none for them."""
    if not key:
        return NO_LIST
    known = {item.key: item.name for item in lists}
    return known.get(key) or ("A Planner list of others" if key.startswith(PLANNER_KEYS) else "A list that is gone")


def grouped(lists: Iterable[TaskListChoice], current: str = "") -> list[Any]:
    """Choices for a form or filter, by group. The list that a task is on stays possible, whoever edits it."""
    lists = list(lists)
    choices: list[Any] = [("", NO_LIST)]
    if current and current not in {item.key for item in lists}:
        choices.append((current, name_of(current, lists)))
    for group in dict.fromkeys(item.group for item in lists):
        choices.append((group, [(item.key, item.name) for item in lists if item.group == group]))
    return choices
