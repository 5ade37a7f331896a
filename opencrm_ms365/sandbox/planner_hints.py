"""Order hints: how Planner says in which order things stand (facts 9.3; "Using order hints in Planner").

Hints are sorted by the ordinal value of their characters. To put something between two others a client sends
`<hint before> <hint after>!`, an empty text where there is none; the service makes a short value of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .refusal import Refusal

_TOKEN = re.compile(r"[ !]|[\"-~]+")
_LOWEST, _HIGHEST = 35, 126         # characters of our own values: "#" to "~", above the space, "!" and '"'
MAX_LENGTH = 2000
_TICKS = 8_585_999_999_999_999_999


def checked(name: str, hint: str) -> str:
    """The hint as sent. Raises `Refusal` (400) for what is none, also for a value that the service has given out."""
    if len(hint) > MAX_LENGTH or _sides(hint) is None:
        raise Refusal(400, "", f"The request is invalid: the value of '{name}' is not a valid order hint.")
    return hint


def computed(sent: str, others: Iterable[str]) -> str:
    """A short hint for the place that a checked one asks for, next to what comes before (or else after) it.

    `others` are the values of the things it is ordered among; the result is none of them.
    """
    before, after = _sides(sent) or ("", "")
    if before:
        following = min((other for other in others if other > before), default="")
        after = min(filter(None, (following, after if after > before else "")), default="")
    elif after:
        before = max((other for other in others if other < after), default="")
    else:
        after = min(others, default="")
    return between(before, after)


def _sides(hint: str) -> tuple[str, str] | None:
    """What a sent hint stands between; None when it is none.

    The two may be composed themselves, of hints that the client has not sent yet: those get the value that the service
    would give them. Read from left to right, "!" takes what is on both sides of the last space before it.
    """
    stack: list[str] = []
    sides = None
    place = 0
    while place < len(hint):
        found = _TOKEN.match(hint, place)
        if found is None:
            return None
        place = found.end()
        sides = None
        if found[0] != "!":
            stack.append(found[0])
            continue
        after = stack.pop() if stack and stack[-1] != " " else ""
        if not stack or stack.pop() != " ":
            return None
        before = stack.pop() if stack and stack[-1] != " " else ""
        sides = (before, after)
        stack.append(between(before, after if after > before else ""))
    return sides if len(stack) == 1 else None


def fresh(number: int) -> str:
    """The hint of something new that was sent without: before all older ones, as Planner puts new tasks on top."""
    return f"{_TICKS - number}P"


def between(before: str, after: str) -> str:
    """A short text that sorts after `before` and before `after`; an empty text means there is none."""
    made = ""
    place = 0
    while True:
        low = ord(before[place]) if place < len(before) else _LOWEST - 1
        high = ord(after[place]) if after and place < len(after) else _HIGHEST + 1
        if high - low > 1 and (middle := (low + high + 1) // 2) > _LOWEST and middle < high:
            return made + chr(middle)
        made += before[place] if place < len(before) else chr(max(_LOWEST, low))
        if low < high:
            after = after if made == after[:len(made)] else ""
        place += 1
