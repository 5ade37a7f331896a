"""Carries out writes to Planner: which requests a change needs, in which order, and what becomes of each part.

    another plan?  PATCH planId, bucketId          refused: the rest is written where the task is
    the task       POST, PATCH or DELETE           people refused: once more without them
    the details    GET its etag if unknown, PATCH  after the task: they move its etag (facts 9.2, 9.4)
    the task       GET                             for its new etag, or where an answer said nothing

Each line is one batch for all writes that need it. `If-Match` goes with every change, `return=representation` with
every PATCH, so that the next write needs no reading.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import GraphError, NotFound, OutcomeUnknown, ProtocolError, Rejected
from ..records import is_set
from ..records.task import planner_ids
from . import batch
from .answers import Answer
from .batch import Inner
from .client import GraphClient, prefer_header
from .origin import segment
from .planner_items import Partial, TaskItem, TaskWrite, Written, etag_of, read_task, with_details, with_details_of
from .planner_refusals import DUE_BEFORE_START, NOT_ASSIGNED, NOT_MOVED, because, in_words
from .wire.task import DETAILS_FIELDS, assignments_json, details_json, to_json

REPRESENTATION = "return=representation"
#: Details can be missing for a moment after their task was created (facts 9.3): seconds before each new look.
DETAILS_PAUSES_S = (0.5, 1.0, 2.0)
#: The name under which refused assignments stand in `Partial.refused`.
PEOPLE = "assignees"


def task_path(graph_id: str) -> str:
    """A task's address below the version root."""
    return f"/planner/tasks/{segment(graph_id)}"


def details_path(graph_id: str) -> str:
    """The address of a task's details."""
    return f"{task_path(graph_id)}/details"


def target_of(write: TaskWrite) -> tuple[str, str]:
    """Plan and bucket that a write names: its list's, else its own ids."""
    return planner_ids(write.values.get("task_list")) or (write.plan_id, write.bucket_id)


@dataclass(slots=True, repr=False, eq=False)
class _Going:
    """One write on its way.

    values      what is still to be written; what Planner refused goes over to `refused`.
    item        the task as far as it is known now.
    is_written  Planner has carried something out. is_silent: but its answer did not say what the task is now.
    is_moved    it is in another plan now.
    """

    write: TaskWrite
    values: dict[str, Any]
    item: TaskItem | None
    etag: str
    refused: dict[str, GraphError] = field(default_factory=dict)
    outcome: Written = None
    is_settled: bool = False
    is_written: bool = False
    is_moved: bool = False
    is_silent: bool = False
    has_new_details: bool = False

    @property
    def graph_id(self) -> str:
        return self.item.graph_id if self.item else self.write.graph_id

    def settle(self, outcome: Written) -> None:
        self.outcome, self.is_settled = outcome, True

    def refuse(self, names: Iterable[str], error: GraphError) -> None:
        for name in list(names):
            self.refused[name] = error
            self.values.pop(name, None)

    def take(self, answer: Answer) -> bool:
        """Take an answer for the task as it is now; False if it says nothing of it."""
        read = read_task(answer.body)
        if not isinstance(read, TaskItem):
            return False
        self.item, self.is_silent = with_details_of(read, self.item), False
        self.etag = read.etag
        return True

    def take_details(self, answer: Answer) -> bool:
        read = with_details(self.item, answer.body) if self.item and etag_of(answer.body) else None
        if isinstance(read, TaskItem):
            self.item = read
            return True
        return False

    def details(self) -> dict[str, Any]:
        """The values that belong to the details. Something new has empty ones by itself."""
        values = {name: value for name, value in self.values.items() if name in DETAILS_FIELDS and is_set(value)}
        return {name: value for name, value in values.items() if value or self.write.action == "update"}

    def details_body(self) -> dict[str, Any]:
        """What to send to the details; `item` has been read with its own."""
        return {**details_json(self.details(), self.item.lines if self.item else ()), **self.write.copied_details}

    def result(self) -> Written:
        if self.is_settled:
            return self.outcome
        assert self.item is not None
        item = self.item
        if self.write.action == "create" and not item.has_details:
            item = dataclasses.replace(item, data=dataclasses.replace(item.data, body=None, checklist=()))
        return Partial(item, self.refused) if self.refused else item


class Writing:
    """A set of writes with different keys. `run` carries them out, once."""

    def __init__(self, client: GraphClient, writes: Sequence[TaskWrite]) -> None:
        self.client = client
        self.sent = False
        self.going = [_Going(write, dict(write.values), write.current,
                             write.etag or (write.current.etag if write.current else "")) for write in writes]

    def run(self) -> dict[str, Written]:
        """The outcome of each by its key. Raises what stops everything only as long as nothing was written."""
        self._learn_tasks()
        self._move()
        self._write_tasks(self._open())
        self._write_details()
        self._read_again()
        return {going.write.key: going.result() for going in self.going}

    def _learn_tasks(self) -> None:
        """Planner takes no change without `If-Match`, and none with `*` (facts 9.3)."""
        blind = [going for going in self._open() if going.write.action != "create"
                 and (not going.etag or (going.item is None and going.write.action == "update"))]
        for going, outcome in self._send(blind, _read_task):
            if isinstance(outcome, NotFound) and going.write.action == "delete":
                going.settle(None)
            elif isinstance(outcome, GraphError):
                going.settle(outcome)
            elif not going.take(outcome):
                going.settle(_unreadable(outcome))
            going.etag = going.write.etag or going.etag

    # Another plan

    def _move(self) -> None:
        movers = [going for going in self._open() if _changes_plan(going)]
        for going, outcome in self._send(movers, _move_request):
            if isinstance(outcome, Rejected):
                going.refuse(["task_list"], because(NOT_MOVED, outcome))
            elif isinstance(outcome, GraphError):
                going.settle(outcome)
            elif not going.take(outcome):
                going.settle(OutcomeUnknown("Microsoft's answer to the move of a task was lost.",
                                            request_id=outcome.request_id))
            elif _changes_plan(going):
                going.refuse(["task_list"], Rejected(NOT_MOVED, status=outcome.status, request_id=outcome.request_id))
            else:
                going.is_moved = going.is_written = True
                going.values.pop("task_list")

    # The tasks themselves

    def _write_tasks(self, goings: Sequence[_Going], *, with_people: bool = True) -> None:
        for going in goings:
            _mind_the_start(going)
        bodies = {going.write.key: _body(going, with_people) for going in goings}
        due = [going for going in goings if going.write.action != "update" or bodies[going.write.key]]
        without: list[_Going] = []
        for going, outcome in self._send(due, lambda going: _task_request(going, bodies[going.write.key])):
            if isinstance(outcome, Rejected) and "assignments" in bodies[going.write.key]:
                going.refuse([PEOPLE], because(NOT_ASSIGNED, outcome))
                without.append(going)
            else:
                _task_done(going, outcome)
        if without:  # then it is known whether the people were what Planner refused
            self._write_tasks(without, with_people=False)

    # The details

    def _write_details(self) -> None:
        wanted = [going for going in self._open() if going.details() or going.write.copied_details]
        self._learn_details([going for going in wanted if going.item and not going.item.has_details])
        bodies = {going.write.key: going.details_body()
                  for going in wanted if going.item and going.item.has_details and not going.is_settled}
        changed = [going for going in wanted if bodies.get(going.write.key)]
        silent = []
        for going, outcome in self._send(changed, lambda going: _details_request(going, bodies[going.write.key])):
            going.has_new_details = True
            if isinstance(outcome, GraphError):
                _details_failed(going, in_words(outcome))
            elif not going.take_details(outcome):
                silent.append(going)
            going.is_written = going.is_written or not isinstance(outcome, GraphError)
        self._learn_details(silent)

    def _learn_details(self, wanted: Sequence[_Going]) -> None:
        for pause_s in (*DETAILS_PAUSES_S, None):
            late = []
            for going, outcome in self._send(wanted, _read_details):
                if isinstance(outcome, NotFound) and going.write.action == "create" and pause_s is not None:
                    late.append(going)
                elif isinstance(outcome, GraphError):
                    _details_failed(going, outcome)
                elif not going.take_details(outcome):
                    _details_failed(going, _unreadable(outcome))
            wanted = late
            if not wanted:
                return
            self.client.pause(pause_s or 0.0)

    # After

    def _read_again(self) -> None:
        """A failure here undoes no write: a silent one has to be looked at again, else only the etag is an old one."""
        moved = [going for going in self._open() if going.is_silent or going.has_new_details]
        for going, outcome in self._send(moved, _read_task):
            if (isinstance(outcome, GraphError) or not going.take(outcome)) and going.is_silent:
                going.settle(OutcomeUnknown("Microsoft took a change but did not say what the task is now."))

    # Parts

    def _open(self) -> list[_Going]:
        return [going for going in self.going if not going.is_settled]

    def _send(
        self, goings: Sequence[_Going], request: Callable[[_Going], Inner]
    ) -> list[tuple[_Going, Answer | GraphError]]:
        """One batch; the outcome of each write in it. Once something was sent, an error of the whole is each one's."""
        inners = [dataclasses.replace(request(going), id=going.write.key) for going in goings]
        outcomes: Mapping[str, Answer | GraphError]
        try:
            outcomes = batch.run(self.client, inners)
        except GraphError as error:
            if not self.sent:
                raise
            outcomes = dict.fromkeys((inner.id for inner in inners), error)
        self.sent = self.sent or bool(inners)
        return [(going, outcomes[going.write.key]) for going in goings]


def _changes_plan(going: _Going) -> bool:
    target = planner_ids(going.values.get("task_list")) if going.write.action == "update" else None
    return bool(target and going.item and target[0] != going.item.plan_id)


def _read_task(going: _Going) -> Inner:
    return Inner("", "GET", task_path(going.graph_id))


def _read_details(going: _Going) -> Inner:
    return Inner("", "GET", details_path(going.graph_id))


def _move_request(going: _Going) -> Inner:
    plan_id, bucket_id = target_of(going.write)
    return _patch(task_path(going.graph_id), {"planId": plan_id, **({"bucketId": bucket_id} if bucket_id else {})},
                  going.etag)


def _task_request(going: _Going, body: Mapping[str, Any]) -> Inner:
    match going.write.action:
        case "create":
            return Inner("", "POST", "/planner/tasks", body)
        case "delete":
            return Inner("", "DELETE", task_path(going.graph_id), headers={"If-Match": going.etag})
        case _:
            return _patch(task_path(going.graph_id), body, going.etag)


def _details_request(going: _Going, body: Mapping[str, Any]) -> Inner:
    return _patch(details_path(going.graph_id), body, going.item.details_etag if going.item else "")


def _patch(url: str, body: Mapping[str, Any], etag: str) -> Inner:
    return Inner("", "PATCH", url, body, {"If-Match": etag, "Prefer": prefer_header([REPRESENTATION])})


def _body(going: _Going, with_people: bool) -> dict[str, Any]:
    write = going.write
    if write.action == "delete":
        return {}
    body = to_json(going.values)
    if write.action == "create":
        plan_id, bucket_id = target_of(write)
        body = {**write.copied, "planId": plan_id, "bucketId": bucket_id, **body}
        body = {name: value for name, value in body.items() if value not in (None, "")}
    people = assignments_json(write.assign, write.unassign)
    return {**body, "assignments": people} if people and with_people else body


def _mind_the_start(going: _Going) -> None:
    """Planner refuses a start after the due date (facts 9.3), and its start is not ours to change (TASK-07)."""
    start = going.item.data.start if going.item else None
    due = going.values.get("due")
    if not isinstance(start, datetime) or not due or start <= due:
        return
    if start.date() == due.date():
        going.values["due"] = start
    else:
        going.refuse(["due"], Rejected(DUE_BEFORE_START))


def _task_done(going: _Going, outcome: Answer | GraphError) -> None:
    if going.write.action == "delete":
        gone = isinstance(outcome, NotFound) or getattr(outcome, "status", None) == 410
        going.settle(in_words(outcome) if isinstance(outcome, GraphError) and not gone else None)
    elif isinstance(outcome, GraphError) and going.is_moved:  # the move stands
        going.refuse([name for name in going.values if name not in DETAILS_FIELDS], in_words(outcome))
    elif isinstance(outcome, GraphError):
        going.settle(in_words(outcome))
    elif going.take(outcome):
        going.is_written = True
    elif going.write.action == "create":
        going.settle(OutcomeUnknown("Microsoft created a task but did not say which.", status=outcome.status,
                                    request_id=outcome.request_id))
    else:
        going.is_written = going.is_silent = True


def _details_failed(going: _Going, error: GraphError) -> None:
    """What was written of the task stands; where nothing was, the whole write failed."""
    if going.is_written:
        going.refuse([*going.details(), *(["details"] if going.write.copied_details else [])], error)
    else:
        going.settle(error)


def _unreadable(answer: Answer) -> ProtocolError:
    return ProtocolError("Microsoft's answer is not the task that was asked for.", status=answer.status,
                         request_id=answer.request_id)
