"""Tasks and their details (facts 9.2, 9.3). There is no delta, and a list shows no time of change."""

from __future__ import annotations

from .. import planner_rules as rules
from ..planner_items import Item, Kind
from ..refusal import not_simulated
from .call import Call, Reply
from .planner_answers import READ, WRITE, actor, delete, find, listing, no_change_tracking, planner, single, update
from .routing import Routes

routes = Routes()

TASKS = "planner/tasks"


@routes.add("GET", "{user}/planner/tasks", scopes=READ)
def list_own_tasks(call: Call) -> Reply:
    """The tasks that are assigned to the user, in all plans; not those that they only created."""
    service = planner(call)
    if call.account.id != call.grant.account_id:
        raise service.no_access()
    tasks = [task for task in service.assigned_to(call.account.id) if service.is_open_to(task, actor(call))]
    return _listing(call, tasks, "Collection(microsoft.graph.plannerTask)")


@routes.add("GET", "planner/plans/{plan}/tasks", scopes=READ)
def list_plan_tasks(call: Call, plan: str) -> Reply:
    """The tasks of a plan, also those in no bucket."""
    service = planner(call)
    found = service.find(Kind.PLAN, plan, actor(call))
    return _listing(call, service.tasks_of(found), "Collection(microsoft.graph.plannerTask)")


@routes.add("GET", "planner/buckets/{bucket}/tasks", scopes=READ)
def list_bucket_tasks(call: Call, bucket: str) -> Reply:
    """The tasks of a bucket."""
    service = planner(call)
    found = service.find(Kind.BUCKET, bucket, actor(call))
    tasks = [task for task in service.tasks_of(service.plan_of(found)) if task.values["bucketId"] == found.id]
    return _listing(call, tasks, "Collection(microsoft.graph.plannerTask)")


@routes.add("POST", TASKS, scopes=WRITE)
def create_task(call: Call) -> Reply:
    """A new task. It has no key of the client's: sent twice, there are two."""
    sent = rules.checked(Kind.TASK, call.json(), call.sandbox.options)
    return single(call, planner(call).create_task(actor(call), sent), TASKS, 201)


@routes.add("GET", f"{TASKS}/{{task}}", scopes=READ)
def get_task(call: Call, task: str) -> Reply:
    """One task."""
    return single(call, find(call, Kind.TASK, task), TASKS)


@routes.add("PATCH", f"{TASKS}/{{task}}", scopes=WRITE)
def update_task(call: Call, task: str) -> Reply:
    """Change what is sent; a stale version is merged where that is possible (facts 9.4)."""
    return update(call, Kind.TASK, task, TASKS)


@routes.add("DELETE", f"{TASKS}/{{task}}", scopes=WRITE)
def delete_task(call: Call, task: str) -> Reply:
    """For good."""
    return delete(call, Kind.TASK, task)


@routes.add("GET", f"{TASKS}/{{task}}/details", scopes=READ)
def get_task_details(call: Call, task: str) -> Reply:
    """Description, checklist and references, under an etag of their own; 404 for a moment after the creation."""
    return single(call, find(call, Kind.TASK_DETAILS, task), f"{TASKS}('{task}')/details")


@routes.add("PATCH", f"{TASKS}/{{task}}/details", scopes=WRITE)
def update_task_details(call: Call, task: str) -> Reply:
    """Change the details; the task's etag and counters follow."""
    return update(call, Kind.TASK_DETAILS, task, f"{TASKS}('{task}')/details")


@routes.add("GET", f"{TASKS}/{{task}}/assignedToTaskBoardFormat", scopes=READ)
@routes.add("GET", f"{TASKS}/{{task}}/bucketTaskBoardFormat", scopes=READ)
@routes.add("GET", f"{TASKS}/{{task}}/progressTaskBoardFormat", scopes=READ)
def no_board_format(call: Call, task: str) -> Reply:
    """Where a task stands in each of Planner's views."""
    raise not_simulated("the task board formats of Planner")


@routes.add("GET", f"{TASKS}/delta", scopes=READ)
@routes.add("GET", "{user}/planner/tasks/delta", scopes=READ)
@routes.add("GET", "{user}/planner/all/delta", scopes=READ)
@routes.add("GET", "planner/plans/{plan}/tasks/delta", scopes=READ)
@routes.add("GET", "planner/buckets/{bucket}/tasks/delta", scopes=READ)
def no_delta(call: Call, plan: str = "", bucket: str = "") -> Reply:
    """Version 1.0 follows no changes of tasks: a client lists them and compares etags (facts 9.2)."""
    raise no_change_tracking("plannerTask")


def _listing(call: Call, tasks: list[Item], context: str) -> Reply:
    return listing(call, planner(call).listed(tasks), context)
