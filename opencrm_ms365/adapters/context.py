"""For whom a sync runs, and whether one is running.

Every question to an adapter comes with a `SyncContext`. It carries no request: a sync runs from a worker or a command.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from django.db.models import QuerySet
from django.utils import timezone


class StoredPort(Protocol):
    """Where the values of `Stored()` specs are kept, for one organisation. Implemented by `sync.stored`."""

    def get_many(self, adapter: str, object_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Object id to {name: value}; objects without any value are left out. One query."""

    def set(self, adapter: str, object_id: str, name: str, value: Any) -> None:
        """Keep a value that JSON can express."""

    def delete(self, adapter: str, object_ids: Iterable[str], name: str | None = None) -> None:
        """Forget one value, or (None) all values, of these objects."""

    def ids_with(self, adapter: str, name: str, values: Sequence[Any] | None = None) -> QuerySet:
        """Object ids as text that hold one of `values` (None: any value), to be used as a subquery."""

    def values(self, adapter: str, name: str) -> list[Any]:
        """The different values that are in use under a name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A user's own limits (CON-02). `folders` are ids of `folder_choices`; None: all. `""` stands for *no folder*."""

    only_my_items: bool = False  # records of others do not go out
    folders: tuple[str, ...] | None = None  # ids; None: all


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncContext:
    """For whom, and when, the CRM is read or written.

    `person` is what the CRM's owner columns hold for the user: the user, or a profile (see `DirectoryAdapter.person`);
    None if the user has none. `settings` are the effective ones of organisation and user. `now` is a UTC instant.
    """

    user: Any  # the CRM's user
    tenant: str = ""  # the organisation's key; empty where there is only one
    person: Any = None  # what owner columns hold for the user
    tz: datetime.tzinfo = datetime.UTC  # the user's time zone
    is_org_admin: bool = False  # whether the user administers the organisation
    settings: Mapping[str, Any] = field(default_factory=dict)  # what organisation and user have chosen
    now: datetime.datetime = field(default_factory=timezone.now)  # an instant in UTC
    stored: StoredPort | None = None  # where values of `Stored()` are kept; None: nowhere


_running: ContextVar[SyncContext | None] = ContextVar("ms365_syncing", default=None)


@contextlib.contextmanager
def syncing(ctx: SyncContext) -> Iterator[None]:
    """While inside, `is_syncing()` is true. Every write of the sync to the CRM happens inside."""
    token = _running.set(ctx)
    try:
        yield
    finally:
        _running.reset(token)


def is_syncing() -> bool:
    """True inside a write of the sync: for signal handlers of the CRM that should not answer the sync's own writes."""
    return _running.get() is not None
