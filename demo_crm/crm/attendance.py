"""Who else comes to a meeting, and who has said yes: whoever knows that (the sync, say) is asked here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ANSWERS = {"accepted": "Accepted", "tentative": "Tentative", "declined": "Declined", "organizer": "Organiser",
           "none": "No answer yet"}


@dataclass(frozen=True)
class Outsider:
    """Somebody from outside the CRM who is invited. `answer` is a key of `ANSWERS`."""

    address: str
    name: str = ""
    answer: str = "none"

    @property
    def answer_label(self) -> str:
        return ANSWERS.get(self.answer, "")


@dataclass(frozen=True)
class Attendance:
    """`answers`: primary key of a user to a key of `ANSWERS`; a user without one has not been invited."""

    answers: Mapping[Any, str] = field(default_factory=dict)
    outsiders: tuple[Outsider, ...] = ()


Source = Callable[[Any, Any], Attendance | None]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """A function of (activity, viewer) that is asked for each activity that is opened; None: it does not know."""
    _sources.append(source)
    return source


def attendance_of(activity: Any, viewer: Any) -> Attendance:
    """What is known of an activity, from the first source that knows anything."""
    for source in _sources:
        if (found := source(activity, viewer)) is not None:
            return found
    return Attendance()
