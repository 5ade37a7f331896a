"""The log of requests: everything that a client sent, for tests and for people who look at the simulator.

Requests inside a `$batch` have entries of their own, with the number of the batch they came in.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

LENGTH = 50_000      # older entries are forgotten


@dataclass(slots=True)
class LoggedRequest:
    """One request. `status` is 0 while it is being answered and when its connection was cut."""

    number: int
    at: datetime
    method: str
    path: str                       # decoded, with the leading /v1.0
    query: str                      # as sent, without "?"
    headers: dict[str, str]
    body: Any = None                # parsed JSON, else text
    account: str = ""               # user principal name, when the bearer was good
    client_id: str = ""
    status: int = 0
    request_id: str = ""
    batch: int | None = None        # number of the $batch request that it came in
    faults: list[str] = field(default_factory=list)

    def header(self, name: str) -> str:
        """A header's value, whatever the case of its name; empty when it was not sent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.isoformat()}


class RequestLog:
    """The requests in the order of their arrival. Thread-safe; behaves like a sequence."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[LoggedRequest] = deque(maxlen=LENGTH)
        self._count = 0

    def begin(self, at: datetime, method: str, path: str, query: str, headers: dict[str, str], body: Any,
              batch: int | None = None) -> LoggedRequest:
        """Note a request's arrival; the entry is completed while it is answered."""
        with self._lock:
            self._count += 1
            entry = LoggedRequest(self._count, at, method, path, query, headers, body, batch=batch)
            self._entries.append(entry)
            return entry

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def find(self, method: str = "", path: str = "", account: str = "", *, outer_only: bool = False,
             since: int = 0) -> list[LoggedRequest]:
        """Entries by method, regular expression on the path (searched), account and number greater than `since`."""
        pattern = re.compile(path, re.IGNORECASE)
        return [entry for entry in self
                if (not method or entry.method == method.upper()) and pattern.search(entry.path)
                and (not account or entry.account.lower() == account.lower())
                and not (outer_only and entry.batch is not None) and entry.number > since]

    def graph(self, *, outer_only: bool = False) -> list[LoggedRequest]:
        """The requests to Graph, without the login's."""
        return self.find(path=r"^/v1\.0(/|$)", outer_only=outer_only)

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> LoggedRequest:
        with self._lock:
            return self._entries[index]
