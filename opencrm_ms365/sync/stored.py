"""Where the values of `Stored()` specs are kept: a table of our own, by organisation, adapter and primary key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from ..adapters import RecordAdapter, SyncContext
from ..models import StoredValue
from .hints import touch


class StoredValues:
    """The port that adapters get as `ctx.stored`, for one organisation."""

    def __init__(self, tenant: str = ""):
        self.tenant = tenant

    def _rows(self, adapter: str, name: str | None = None) -> QuerySet[StoredValue]:
        found = StoredValue.objects.filter(tenant=self.tenant, adapter=adapter)
        return found if name is None else found.filter(name=name)

    def get_many(self, adapter: str, object_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Object id to {name: value}; objects without any value are left out. One query."""
        found: dict[str, dict[str, Any]] = {}
        rows = self._rows(adapter).filter(object_id__in=list(object_ids))
        for object_id, name, value in rows.values_list("object_id", "name", "value"):
            found.setdefault(object_id, {})[name] = value
        return found

    def set(self, adapter: str, object_id: str, name: str, value: Any) -> None:
        """Keep a value that JSON can express. No stamp of the CRM's tells of it: it leaves a hint."""
        StoredValue.objects.update_or_create(
            tenant=self.tenant, adapter=adapter, object_id=object_id, name=name, defaults={"value": value})
        touch(adapter, [object_id])

    def delete(self, adapter: str, object_ids: Iterable[str], name: str | None = None) -> None:
        """Forget one value, or (None) all values, of these objects."""
        ids = list(object_ids)
        self._rows(adapter, name).filter(object_id__in=ids).delete()
        touch(adapter, ids)

    def ids_with(self, adapter: str, name: str, values: Sequence[Any] | None = None) -> QuerySet:
        """Object ids that hold one of `values` (None: any value), to be used as a subquery."""
        found = self._rows(adapter, name)
        if values is not None:
            # A list of JSON values is not comparable on every database: one comparison for each.
            condition = Q(pk__in=[])
            for value in values:
                condition |= Q(value__isnull=True) if value is None else Q(value=value)
            found = found.filter(condition)
        return found.order_by().values("object_id")

    def values(self, adapter: str, name: str) -> list[Any]:
        """The different values that are in use under a name."""
        found: list[Any] = []
        for value in self._rows(adapter, name).order_by("value").values_list("value", flat=True).distinct():
            if value not in found:
                found.append(value)
        return found


def forget_vanished(adapter: RecordAdapter, ctx: SyncContext) -> int:
    """Drop the values of records that are gone for good (deletions that sent no signal). Returns how many went."""
    present = adapter.model._base_manager.annotate(ms365_id=adapter.id_text()).order_by().values("ms365_id")
    gone = StoredValue.objects.filter(tenant=ctx.tenant, adapter=adapter.name).exclude(object_id__in=present)
    return gone.delete()[0]
