"""The adapter for tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..records.task import TASK_FIELDS, TaskData
from .conversion import Shape
from .fields import FieldSpec, Stored
from .privacy import PrivateRecords

_SHAPES = dict.fromkeys(TASK_FIELDS, Shape.TEXT) | {
    "start": Shape.INSTANT, "due": Shape.INSTANT, "completed_at": Shape.INSTANT, "percent": Shape.NUMBER,
    "status": Shape.STATUS, "priority": Shape.PRIORITY, "checklist": Shape.TEXTS, "categories": Shape.TEXTS,
}


class TaskAdapter(PrivateRecords):
    """Tasks. The task list is kept in this app's own table where the CRM has no column for it."""

    kind = "tasks"
    record_type = TaskData
    shapes = _SHAPES
    roles = {**PrivateRecords.roles, "private": Shape.FLAG}
    body_field = "body"
    default_fields: ClassVar[Mapping[str, FieldSpec]] = {"task_list": Stored()}

    #: Whether a task is private in the CRM. Planner knows no such thing: it only decides who sees the task here.
    private: Any = None
