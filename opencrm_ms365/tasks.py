"""What Django-Q runs. Each task takes ids only; running it twice, late or never harms nothing.

Django-Q shows the error of a failed task in its admin. So what leaves these functions is an error without contents.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .sync import doorbell, heartbeat, schedule
from .sync import sweep as sweeping
from .sync.attempt import place_of

log = logging.getLogger("opencrm_ms365.sync")
P = ParamSpec("P")
R = TypeVar("R")


class TaskFailed(Exception):
    """A task could not do its work; the sweep sees to it that it is done later."""


def _without_contents(task: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(task)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return task(*args, **kwargs)
        except Exception as error:
            name, place = type(error).__name__, place_of(error)
        log.error("The task %s failed with %s at %s", task.__name__, name, place)
        raise TaskFailed(f"{name} at {place}")

    return run


@_without_contents
def cycle() -> int:
    """Every `CYCLE_MINUTES`: mark links due and have workers start on them."""
    marked = schedule.mark_due()
    doorbell.ring(schedule.number_waiting())
    return marked


@_without_contents
def work() -> int:
    """Work on due links for one time slice."""
    return schedule.work()


@_without_contents
def preview(run_id: int) -> bool:
    """Work out one preview."""
    return schedule.preview(run_id)


@_without_contents
def sweep() -> dict[str, int]:
    """Every minute: pick up what was missed."""
    return sweeping.sweep()


@_without_contents
def prune() -> dict[str, int]:
    """Every hour: delete what is older than `RETENTION_DAYS`."""
    return sweeping.prune()


@_without_contents
def beat() -> None:
    """Show that this worker takes tasks."""
    heartbeat.beat()
