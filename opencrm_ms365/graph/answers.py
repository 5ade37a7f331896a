"""What an answer is, and how its body is read: JSON of limited size and depth, whoever sent it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NoReturn

import requests
from requests.structures import CaseInsensitiveDict

MAX_ANSWER_BYTES = 64 * 1024 * 1024
MAX_DEPTH = 64


class Unreadable(Enum):
    """The place of a body that was there but is no JSON."""

    BODY = "unreadable"


UNREADABLE: Final = Unreadable.BODY


class TooMuch(ValueError):
    """An answer of a size or depth that no answer of Microsoft's has."""


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """A successful answer. `body` is the JSON, None when there was none. `headers` are found without case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=CaseInsensitiveDict)
    body: Any = None
    request_id: str = ""

    def __repr__(self) -> str:
        return f"<Answer {self.status} {self.request_id}>"


def content(response: requests.Response) -> bytes:
    """The whole body, unpacked. The limit holds for what was unpacked: a small answer can hold a very large one."""
    parts, size = [], 0
    for part in response.iter_content(64 * 1024):
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise TooMuch("Microsoft's answer is larger than anything that was asked for.")
        parts.append(part)
    return b"".join(parts)


def parse(content: bytes) -> Any:
    """JSON of limited depth; None for nothing. Raises `ValueError` for what is no JSON."""
    if not content.strip():
        return None
    try:
        body = json.loads(content, parse_constant=_refuse_constant)
    except RecursionError:
        raise TooMuch("Microsoft's answer is nested too deeply.") from None
    _check_depth(body)
    return body


def _check_depth(body: Any) -> None:
    level = [body]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item) if isinstance(child, (dict, list))]
        if not level:
            return
    raise TooMuch("Microsoft's answer is nested too deeply.")


def _children(item: Any) -> Iterable[Any]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
