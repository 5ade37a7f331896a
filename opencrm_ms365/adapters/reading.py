"""Reading CRM records: one record for each object, a constant number of queries for each chunk of objects."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import Q, QuerySet
from django.db.models.lookups import In
from django.utils import timezone

from ..records import Limits
from .body import html_to_text
from .context import SyncContext
from .conversion import Shape, from_column
from .declaration import Declaration
from .expressions import IdText
from .outcome import SkipRecord
from .paths import value_at

CHUNK = 500


class Reading(Declaration):
    """The part of an adapter that reads."""

    # -- which records there are -----------------------------------------------------------------

    def get_queryset(self, ctx: SyncContext) -> QuerySet:
        """All records of the organisation that are not deleted, whoever may see them. Must not depend on a request."""
        found = self.model._default_manager.filter(self.base_filter).filter(self._of_tenant(ctx))
        return found if self.soft_delete is None else found.exclude(self.soft_delete)

    def existing(self, ctx: SyncContext) -> QuerySet:
        """As `get_queryset`. What is missing here counts as deleted in the CRM: never narrow it to what a user sees."""
        return self.get_queryset(ctx)

    def with_deleted(self, ctx: SyncContext) -> QuerySet:
        """All records of the organisation, soft-deleted ones too."""
        return self.model._base_manager.filter(self.base_filter).filter(self._of_tenant(ctx))

    def _of_tenant(self, ctx: SyncContext) -> Q:
        return Q(**{self.tenant_field: ctx.tenant}) if self.tenant_field else Q()

    # -- references --------------------------------------------------------------------------------

    def object_id(self, obj: Any) -> str:
        """The primary key as text: with the adapter's name, what links refer to."""
        return str(obj.pk)

    def id_text(self) -> IdText:
        """The primary key as the same text, for `annotate()`."""
        return IdText("pk", is_uuid=isinstance(self.key_field, models.UUIDField))

    def keys(self, ids: Iterable[str]) -> list[Any]:
        """Primary keys from their text; what is no key of this model is left out."""
        found = []
        for text in ids:
            try:
                key = self.key_field.to_python(text)
            except (ValidationError, ValueError, TypeError):
                continue
            if str(key) == text and self._in_range(key):
                found.append(key)
        return found

    def _in_range(self, key: Any) -> bool:
        if not isinstance(key, int):
            return True
        operations = connections[self.model._default_manager.db].ops
        low, high = operations.integer_field_range(self.key_field.get_internal_type())
        return (low is None or low <= key) and (high is None or key <= high)

    def pk_among(self, ids: QuerySet) -> Q:
        """A condition: the primary key is among these texts (a subquery)."""
        return Q(In(self.id_text(), ids))

    # -- objects -----------------------------------------------------------------------------------

    def by_ids(self, ids: Iterable[str], ctx: SyncContext) -> dict[str, Any]:
        """Existing records by id, ready to be read; unknown and malformed ids are left out."""
        keys = self.keys(ids)
        found = self.prepared(self.existing(ctx).filter(pk__in=keys), ctx) if keys else []
        return {self.object_id(obj): obj for obj in found}

    def lock(self, ids: Iterable[str], ctx: SyncContext) -> dict[str, Any]:
        """As `by_ids`, with the rows locked until the end of the transaction where the database can do that."""
        keys = sorted(self.keys(ids), key=str)
        if keys:
            list(self.model._base_manager.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk"))
        return self.by_ids(map(str, keys), ctx)

    def prepared(self, queryset: QuerySet, ctx: SyncContext) -> list[Any]:
        """The objects of a queryset with everything that reading them needs."""
        return self.prepare(list(self.with_related(queryset, ctx)), ctx)

    def with_related(self, queryset: QuerySet, ctx: SyncContext) -> QuerySet:
        """With all that reading a record needs fetched along."""
        specs = list(self.all_specs())
        direct = {path for spec in specs for path in spec.select_related} | set(self.select_related)
        if direct:
            queryset = queryset.select_related(*sorted(direct))
        prefetches = [item for spec in specs for item in spec.prefetches(ctx)]
        return queryset.prefetch_related(*prefetches, *self.prefetch_related)

    def prepare(self, objs: list[Any], ctx: SyncContext) -> list[Any]:
        """Fetch at once what is kept for these objects in the app's own table."""
        if objs and ctx.stored is not None and self.keeps_values:
            kept = ctx.stored.get_many(self.name, [self.object_id(obj) for obj in objs])
            for obj in objs:
                obj._ms365_stored = kept.get(self.object_id(obj), {})
        return objs

    def chunks(self, queryset: QuerySet, ctx: SyncContext) -> Iterator[list[Any]]:
        """All objects of a queryset in prepared chunks, with bounded memory."""
        rows = iter(self.with_related(queryset, ctx).iterator(chunk_size=CHUNK))
        while chunk := list(islice(rows, CHUNK)):
            yield self.prepare(chunk, ctx)

    def stored_values(self, obj: Any, ctx: SyncContext) -> dict[str, Any]:
        """What is kept for one object in the app's own table."""
        if "_ms365_stored" not in obj.__dict__:
            if obj.pk is None or ctx.stored is None:
                return {}
            self.prepare([obj], ctx)
        return obj.__dict__.get("_ms365_stored", {})

    def forget_stored(self, obj: Any) -> None:
        """Have the values in the app's own table read anew for this object."""
        obj.__dict__.pop("_ms365_stored", None)

    # -- the record --------------------------------------------------------------------------------

    def read(self, obj: Any, ctx: SyncContext) -> Any | None:
        """The object as a record; None if it cannot be synced (`skip_reason` says why)."""
        obj.__dict__.pop("_ms365_skipped", None)
        try:
            return self.record_type(**self.values(obj, ctx))
        except SkipRecord as skip:
            obj._ms365_skipped = skip.reason
            return None

    def values(self, obj: Any, ctx: SyncContext) -> dict[str, Any]:
        """The record's fields as the specs read them. May raise `SkipRecord`."""
        return {name: self.read_field(name, obj, ctx) for name in self.specs}

    def read_field(self, name: str, obj: Any, ctx: SyncContext) -> Any:
        """One field of the record."""
        value = self.specs[name].read(obj, ctx)
        return html_to_text(value) if name == self.body_field and self.body_format == "html" and value else value

    def skip_reason(self, obj: Any, ctx: SyncContext) -> str:
        """Why `read` gave None, as a sentence for people."""
        return obj.__dict__.get("_ms365_skipped", "")

    def limits(self) -> Limits:
        """How much the CRM can hold, for each field that can be written."""
        items: dict[str, int] = {}
        characters: dict[str, int] = {}
        for name in self.writable:
            spec = self.specs[name]
            if (count := spec.items()) is not None:
                items[name] = count
            for part, length in spec.characters().items():
                characters[f"{name}.{part}" if part else name] = length
        return Limits(items=items, characters=characters)

    # -- when it was modified ----------------------------------------------------------------------

    def modified_since(self, queryset: QuerySet, instant: datetime.datetime) -> QuerySet | None:
        """Those whose stamp says that they were modified at or after an instant; None: the CRM keeps no stamp."""
        if not self.modified_field:
            return None
        bound: Any = instant
        if not isinstance(self.modified_target, models.DateTimeField):
            bound = (instant - datetime.timedelta(days=1)).date()
        elif not self.uses_time_zones:
            bound = timezone.make_naive(instant, timezone.get_default_timezone())
        return queryset.filter(**{f"{self.modified_field}__gte": bound})

    def modified_at(self, obj: Any) -> datetime.datetime | None:
        """The stamp as a UTC instant; None if there is none."""
        if not self.modified_field:
            return None
        value = from_column(value_at(obj, self.modified_field), Shape.INSTANT, timezone.get_default_timezone())
        return value or None

    # -- for people --------------------------------------------------------------------------------

    def label(self, obj: Any) -> str:
        """What people call this record."""
        return str(obj)

    def url(self, obj: Any) -> str | None:
        """Where people look at this record; None if nowhere."""
        address = getattr(obj, "get_absolute_url", None)
        return address() if address else None
