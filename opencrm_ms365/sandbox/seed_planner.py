"""The demo's Planner: two groups of Brightwell & Sons with three plans, and the tasks of a joinery's ordinary weeks.

Due dates are counted from the day the demo starts, so that it never looks deserted. Everything is made up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from .planner_items import Kind
from .planner_open_types import precise
from .planner_store import Planner
from .simulator import Sandbox


@dataclass(frozen=True, slots=True)
class _Task:
    """A task; people by first name. `due`: days from today, None for none. The first of `people` has made it."""

    title: str
    due: int | None = None
    people: tuple[str, ...] = ()
    percent: int = 0
    priority: int = 5
    description: str = ""
    checklist: tuple[str, ...] = ()         # a line that begins with "+" is ticked off
    label: str = ""


# Group: its members, the first one its owner; its plans with their buckets from left to right, top to bottom.
GROUPS: dict[str, tuple[tuple[str, ...], dict[str, dict[str, tuple[_Task, ...]]]]] = {
    "Sales": (("ada", "ben"), {
        "Trade fair Newcastle": {
            "To do": (
                _Task("Order the carpet for the stand", 3, ("ada",), priority=1),
                _Task("Invite the twenty best customers", 6, ("ben", "ada"), priority=3,
                      description="Letters, not e-mail. Ask Grace for the good paper.",
                      checklist=("+Choose the twenty", "Write the letter", "Sign them all", "Post them")),
                _Task("Price list for the new chairs", 9, ("ada",)),
                _Task("Book rooms for the night before", 12, ("ben",), priority=9),
                _Task("Who looks after the stand on Sunday?", None),
            ),
            "Under way": (
                _Task("Samples: oak, ash, walnut", 2, ("ben",), 50, checklist=(
                    "+Oak", "+Ash", "Walnut", "Label them"), label="category1"),
                _Task("New brochure", 5, ("ada", "ben"), 50, 3,
                      "Sixteen pages. The photographer comes on Tuesday.",
                      ("+Texts", "Photographs", "Printer’s proof")),
            ),
            "Done": (
                _Task("Book the stand", -20, ("ada",), 100),
                _Task("Insurance for the exhibits", -6, ("ben",), 100, description="It is in the blue folder."),
            ),
        },
        "Follow-ups": {
            "This week": (
                _Task("Send Harbour Hotels the quotation for 40 bedside tables", 1, ("ada",), priority=1,
                      description="Priya Raman asked for oak and for painted beech.\nDelivery in two parts."),
                _Task("Ring Callum Fraser about the counter", 0, ("ben",), priority=3),
                _Task("Thank Margaret Ashworth for the recommendation", 4, ("ada",), priority=9),
            ),
            "Waiting for an answer": (
                _Task("Vane & Partner: drawings approved?", 7, ("ben",), 50),
                _Task("Liffey Interiors: discount on the second order", 14, ("ada",), 50),
            ),
            "Some day": (
                _Task("Find out who buys for the theatres", None, ("ben",)),
                _Task("A page about repairs for the web site", None),
            ),
        },
    }),
    "Workshop": (("cleo", "ben"), {
        "Orders": {
            "Cutting list": (
                _Task("Library shelves, Dovetail Schools", 8, ("cleo",), priority=3, checklist=(
                    "Uprights, 12 of 2100 mm", "Shelves, 60 of 900 mm", "Back panels")),
                _Task("Six stools for the Old Post Hotel", 15, ("cleo", "ben")),
            ),
            "At the bench": (
                _Task("Dining table, extending, for the Pembertons", 2, ("cleo",), 50, 1,
                      "Runners from Großmann, not the cheap ones.", ("+Top glued", "+Legs turned", "Runners fitted",
                                                                    "Leaves numbered")),
                _Task("Counter for Fraser Fit-Out", 6, ("ben", "cleo"), 50),
            ),
            "Finishing": (
                _Task("Oil the four walnut boxes", 1, ("cleo",), 50, label="category2"),
            ),
            "Delivered": (
                _Task("Reception desk, Cedar Offices", -3, ("ben",), 100),
                _Task("Repair of the Carrick display case", -40, ("cleo",), 100),
            ),
        },
    }),
}
LABELS = {"category1": "At the fair", "category2": "Needs two coats"}


def fill(sandbox: Sandbox, upns: dict[str, str]) -> None:
    """Make the groups with everything in them. `upns`: the accounts by the names that the tasks call them."""
    today = sandbox.clock.now().date()
    for name, (members, plans) in GROUPS.items():
        group = sandbox.planner(upns[members[0]]).add_group(name, [upns[member] for member in members])
        for title, buckets in plans.items():
            plan = sandbox.planner(upns[members[0]]).add_plan(group, title)
            sandbox.planner(upns[members[0]]).name_labels(plan, **LABELS)
            for bucket_name, tasks in buckets.items():
                bucket = sandbox.planner(upns[members[0]]).add_bucket(plan, bucket_name)
                for task in reversed(tasks):        # a new task comes to the top
                    maker = upns[(task.people or members)[0]]
                    due = None if task.due is None else (today + timedelta(days=task.due)).isoformat()
                    _add(sandbox, maker, plan["id"], bucket["id"], task, due, [upns[who] for who in task.people])


def _add(sandbox: Sandbox, maker: str, plan_id: str, bucket_id: str, task: _Task, due: str | None,
         assignees: list[str]) -> None:
    user = sandbox.planner(maker)
    made = user.add_task(
        plan_id, bucket_id, assignees, title=task.title, priority=task.priority, percentComplete=task.percent,
        dueDateTime=due, description=task.description, previewType="checklist" if task.checklist else "automatic",
        **({"appliedCategories": {task.label: True}} if task.label else {}))
    _date(sandbox, made["id"], task)
    for line in task.checklist:
        user.add_checklist_item(made["id"], line.removeprefix("+"), is_checked=line.startswith("+"))


def _date(sandbox: Sandbox, task_id: str, task: _Task) -> None:
    """Let a task be as old as it looks: nobody completes on the first day what was due a month ago."""
    due = min(task.due or 0, 0)
    values, now = sandbox.world.part(Planner).items[Kind.TASK][task_id].values, sandbox.clock.now()
    values["createdDateTime"] = precise(now - timedelta(days=6 - due, hours=2))
    if values["completedDateTime"]:
        values["completedDateTime"] = precise(now + timedelta(days=due))
