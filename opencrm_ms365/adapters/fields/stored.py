"""The spec for what the CRM has no column for: the value is kept in a table of this app."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from ...records import PostalAddress
from ..context import SyncContext
from ..conversion import Shape, from_column
from .base import FieldSpec, as_text


class Stored(FieldSpec):
    """A value in this app's own table, by organisation, adapter and primary key. `default` where none is kept.

    A folder is kept by its name.
    """

    is_deferred = True

    def __init__(self, default: Any = None, **options: Any):
        super().__init__(**options)
        self.default = default

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        kept = self.adapter.stored_values(obj, ctx)
        value = kept.get(self.name, self.default)
        if self.shape is Shape.ADDRESS and isinstance(value, dict):
            value = PostalAddress(**value)
        return from_column(self.outgoing(value), self.shape, ctx.tz)

    def save(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        if ctx.stored is None:
            return "cannot be kept: this context has no table for it"
        self.adapter.forget_stored(obj)
        ctx.stored.set(self.adapter.name, self.adapter.object_id(obj), self.name, _plain(self.incoming(value)))
        return ""

    write = save

    def is_true(self, ctx: SyncContext) -> Q | None:
        if ctx.stored is None:
            return Q() if self.default else Q(pk__in=[])
        kept = self.adapter.pk_among(ctx.stored.ids_with(self.adapter.name, self.name))
        true = self.adapter.pk_among(ctx.stored.ids_with(self.adapter.name, self.name, [True]))
        return (true | ~kept) if self.default else true

    def in_folders(self, ids: Iterable[str], ctx: SyncContext) -> Q | None:
        ids = list(ids)
        if ctx.stored is None:
            return Q() if as_text(self.default) in ids else Q(pk__in=[])
        named = [item for item in ids if item]
        found = self.adapter.pk_among(ctx.stored.ids_with(self.adapter.name, self.name, named))
        if as_text(self.default) in ids:
            found |= ~self.adapter.pk_among(ctx.stored.ids_with(self.adapter.name, self.name))
        if "" in ids:
            found |= self.adapter.pk_among(ctx.stored.ids_with(self.adapter.name, self.name, ["", None]))
        return found

    def folder_choices(self, ctx: SyncContext) -> list[tuple[str, str]]:
        used = ctx.stored.values(self.adapter.name, self.name) if ctx.stored is not None else []
        names = sorted({as_text(item) for item in [*used, self.default]} - {""})
        return [(name, name) for name in names]


def _plain(value: Any) -> Any:
    if isinstance(value, PostalAddress):
        return value.values()
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value
