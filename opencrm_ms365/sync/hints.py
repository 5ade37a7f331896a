"""Signals of the CRM's models become hints for the next cycle: which records may have changed, which are gone.

A hint only narrows the search. A lost one costs time until the daily full pass, one too many costs one reading.
So the sync's own writes leave hints as well: another user's link has to learn of them (CON-06).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import Signal
from django.utils import timezone

from ..adapters import RecordAdapter, site
from ..adapters.paths import BadPath
from ..models import CrmTouch, StoredValue

_UID = "opencrm_ms365.hints"


def connect() -> None:
    """Connect the handlers for all registered adapters. Calling it again changes nothing."""
    for adapter in site.adapters():
        # What is wrong with a declaration is for the system checks to say, and they run after this.
        with contextlib.suppress(BadPath, FieldDoesNotExist, LookupError):
            connect_adapter(adapter)


def connect_adapter(adapter: RecordAdapter) -> None:
    for signal, sender, handler, uid in _handlers(adapter):
        signal.connect(handler, sender=sender, weak=False, dispatch_uid=uid)


def disconnect_adapter(adapter: RecordAdapter) -> None:
    for signal, sender, _, uid in _handlers(adapter):
        signal.disconnect(sender=sender, dispatch_uid=uid)


def _handlers(adapter: RecordAdapter) -> Iterator[tuple[Signal, Any, Callable[..., None], str]]:
    for place, (signal, sender, ids) in enumerate(adapter.touch_models()):
        yield signal, sender, _Touched(adapter, ids), f"{_UID}.{adapter.name}.{place}"
    yield post_delete, adapter.model, _Deleted(adapter), f"{_UID}.{adapter.name}.deleted"


class _Touched:
    def __init__(self, adapter: RecordAdapter, ids: Callable[..., Iterable[str]]):
        self.adapter = adapter
        self.ids = ids

    def __call__(self, **arguments: Any) -> None:
        if arguments.get("raw"):
            return
        touch(self.adapter.name, self.ids(**arguments))


class _Deleted:
    """What is kept for a record goes with it."""

    def __init__(self, adapter: RecordAdapter):
        self.adapter = adapter

    def __call__(self, instance: Any, **_: Any) -> None:
        object_id = self.adapter.object_id(instance)
        transaction.on_commit(partial(_forget, self.adapter.name, object_id), robust=True)


def touch(adapter: str, object_ids: Iterable[str]) -> None:
    """Note that these records may have changed, as soon as the transaction is committed.

    After the commit, since inside it the rows would lock each other, and a failure of ours must not harm the CRM's.
    """
    ids = sorted(set(object_ids))
    if ids:
        transaction.on_commit(partial(_mark, adapter, ids), robust=True)


def _mark(adapter: str, object_ids: list[str]) -> None:
    now = timezone.now()
    CrmTouch.objects.bulk_create(
        [CrmTouch(adapter=adapter, object_id=object_id, at=now) for object_id in object_ids],
        update_conflicts=True, unique_fields=["adapter", "object_id"], update_fields=["at"])


def _forget(adapter: str, object_id: str) -> None:
    CrmTouch.objects.filter(adapter=adapter, object_id=object_id).delete()
    # In a database of several organisations primary keys are unique across them.
    StoredValue.objects.filter(adapter=adapter, object_id=object_id).delete()
