"""Specs for single columns: as it is, through a map of choices, as a country's code."""

from __future__ import annotations

import datetime
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from django.core import checks
from django.db import models
from django.db.models import Q

from ...records import UNSET
from .. import countries
from ..context import SyncContext
from ..conversion import CannotHold, Shape, from_column, to_column
from ..paths import Target, nearest, value_at
from .base import FieldSpec, as_text

SCALARS = frozenset({Shape.TEXT, Shape.DATE, Shape.INSTANT, Shape.FLAG, Shape.NUMBER, Shape.STATUS, Shape.PRIORITY,
                     Shape.ANY})


class Col(FieldSpec):
    """A column, or a path over relations (`company__name`), a property or a method: those are read only."""

    is_single = True
    shapes = SCALARS

    def __init__(self, path: str, **options: Any):
        super().__init__(**options)
        self.path = path

    @cached_property
    def target(self) -> Target:
        return self.path_target(self.path)

    @property
    def field(self) -> Any:
        return self.target.field

    @property
    def is_read_only(self) -> bool:
        return self.read_only or not self.target.is_column or self.field.primary_key

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.field.name,) if self.target.is_column else ()

    @property
    def select_related(self) -> tuple[str, ...]:
        return self.target.select_related

    def raw(self, obj: Any) -> Any:
        return value_at(obj, self.path)

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        return from_column(self.outgoing(self.raw(obj)), self.shape, ctx.tz)

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        try:
            stored, left_out = to_column(self.field, self.incoming(value), ctx.tz)
        except CannotHold as cannot:
            return cannot.reason
        setattr(obj, self.field.attname, stored)
        return left_out

    def characters(self) -> dict[str, int]:
        longest = getattr(self.field, "max_length", None) if self.target.is_column else None
        return {"": longest} if longest is not None else {}

    def searchable(self) -> tuple[str, ...] | None:
        return (self.path,) if self.field is not None and self.from_crm is None else None

    # -- as a tick box and as a folder

    def is_true(self, ctx: SyncContext) -> Q | None:
        if self.field is None or self.from_crm:
            return None
        if isinstance(self.field, models.BooleanField):
            return Q(**{self.path: True})
        empty = Q(**{f"{self.path}__isnull": True})
        if isinstance(self.field, (models.CharField, models.TextField)):
            empty |= Q(**{self.path: ""})
        elif isinstance(self.field, (models.IntegerField, models.FloatField, models.DecimalField)):
            empty |= Q(**{self.path: 0})
        return ~empty

    def _labels(self) -> dict[str, str]:
        pairs = getattr(self.field, "flatchoices", None) or ()
        return {str(key): str(label) for key, label in pairs if key not in (None, "")}

    def in_folders(self, ids: Iterable[str], ctx: SyncContext) -> Q | None:
        if self.field is None or self.from_crm:
            return None
        ids = list(ids)
        found = Q(**{f"{self.path}__in": [item for item in ids if item]})
        if "" in ids:
            found |= Q(**{f"{self.path}__isnull": True})
            if self.field.empty_strings_allowed:
                found |= Q(**{self.path: ""})
        return found

    def folder_choices(self, ctx: SyncContext) -> list[tuple[str, str]]:
        if self.field is None:
            return []
        labels = self._labels()
        if labels and not self.from_crm:
            return list(labels.items())
        used = self.adapter.existing(ctx).order_by().values_list(self.path, flat=True).distinct()
        return [(name, name) for name in sorted({as_text(self.outgoing(item)).strip() for item in used} - {""})]

    def folder_names(self, obj: Any, ctx: SyncContext) -> tuple[str, ...]:
        value = as_text(self.outgoing(self.raw(obj))).strip()
        return (self._labels().get(value, value),) if value else ()

    def change_folder(self, obj: Any, leave: str | None, enter: str | None, ctx: SyncContext) -> str:
        by_label = {label.casefold(): key for key, label in self._labels().items()}
        stored = by_label.get(enter.strip().casefold(), enter) if enter else None
        return "cannot be changed to this folder" if self.write(obj, stored, ctx) else ""

    def faults(self) -> Iterator[checks.CheckMessage]:
        target = self.target
        if target.field is not None and (target.field.auto_created or target.field.one_to_many):
            yield self.error("E107", f"{self.path!r} stands for many records.", "Use M2M(...) or Rows(...).")
        elif target.field is not None and target.field.many_to_many:
            yield self.error("E107", f"{self.path!r} is a many-to-many field.", f"Use M2M({self.path!r}, lookup=...).")
        elif target.field is not None and target.field.is_relation and self.shape is not Shape.ANY:
            yield self.error("E107", f"{self.path!r} is a relation.",
                             f"Use Related({self.path!r}, lookup='name'), or the path to a text: '{self.path}__name'.")


class Choice(Col):
    """A column with fixed values, each of which stands for one of ours; several may stand for the same.

    `values` maps what the CRM holds to what the record says. The column is written only if what the record says
    changes, with `write[value]` where given, else the first of `values` that stands for it. `default` is what any
    other value of the column stands for (`ms.UNSET`: not mapped).
    """

    def __init__(self, path: str, values: Mapping[Any, Any], write: Mapping[Any, Any] | None = None,
                 default: Any = None, **options: Any):
        super().__init__(path, **options)
        self.values = dict(values)
        self.default = default
        first: dict[Any, Any] = {}
        for crm, canonical in self.values.items():
            first.setdefault(canonical, crm)
        self.crm_value = {**first, **(write or {})}

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        raw = self.outgoing(self.raw(obj))
        return self.values.get(raw, self.default) if isinstance(raw, Hashable) else self.default

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        if value == self.read(obj, ctx):
            return ""
        value = self.incoming(value)
        if value not in self.crm_value:
            return super().write(obj, None, ctx) if value is None else "has no such value in the CRM"
        setattr(obj, self.field.attname, self.crm_value[value])
        return ""

    def characters(self) -> dict[str, int]:
        return {}

    def searchable(self) -> tuple[str, ...] | None:
        return None

    def _standing_for(self, wanted: Any) -> Q | None:
        """Records for which `wanted(canonical value)` holds."""
        if self.from_crm or self.field is None:
            return None
        known = [raw for raw in self.values if raw is not None]
        found = Q(**{f"{self.path}__in": [raw for raw in known if wanted(self.values[raw])]})
        if None in self.values and wanted(self.values[None]):
            found |= Q(**{f"{self.path}__isnull": True})
        if wanted(self.default):
            other = ~Q(**{f"{self.path}__in": known})
            if None not in self.values:
                other |= Q(**{f"{self.path}__isnull": True})
            else:
                other &= Q(**{f"{self.path}__isnull": False})
            found |= other
        return found

    def is_true(self, ctx: SyncContext) -> Q | None:
        return self._standing_for(bool)

    def in_folders(self, ids: Iterable[str], ctx: SyncContext) -> Q | None:
        wanted = set(ids)
        return self._standing_for(lambda value: as_text(value or None) in wanted)

    def folder_choices(self, ctx: SyncContext) -> list[tuple[str, str]]:
        names = dict.fromkeys(str(value) for value in self.values.values() if value)
        return [(name, name) for name in names]

    def folder_names(self, obj: Any, ctx: SyncContext) -> tuple[str, ...]:
        value = self.read(obj, ctx)
        return (str(value),) if value else ()

    def change_folder(self, obj: Any, leave: str | None, enter: str | None, ctx: SyncContext) -> str:
        by_name = {str(value).casefold(): value for value in self.crm_value if value}
        value = by_name.get((enter or "").strip().casefold()) if enter else None
        if enter and value is None:
            return "cannot be changed to this folder: the CRM has no such folder"
        return self.write(obj, value, ctx)

    def faults(self) -> Iterator[checks.CheckMessage]:
        yield from super().faults()
        choices = dict(getattr(self.field, "flatchoices", None) or ())
        if not choices:
            return
        for raw in dict.fromkeys([*self.values, *self.crm_value.values()]):
            if raw not in choices and raw not in (None, ""):
                yield self.error("E105", f"{raw!r} is not among the choices of {self.path!r}.",
                                 nearest(str(raw), map(str, choices)))


class CountryCode(Col):
    """A column with a country's two-letter code, where the record has the country's name."""

    shapes = frozenset({Shape.TEXT})

    def raw(self, obj: Any) -> Any:
        value = super().raw(obj)
        return getattr(value, "code", value)

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        code = as_text(self.outgoing(self.raw(obj))).strip()
        return countries.name(code) or code or None

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        if value is not None and not self.to_crm:
            code = countries.code(value)
            if code is None:
                return "takes only countries that are known by name or code"
            value = code
        return super().write(obj, value, ctx)

    def characters(self) -> dict[str, int]:
        return {}

    def searchable(self) -> tuple[str, ...] | None:
        return None


class Const(FieldSpec):
    """The same value for every record; read only."""

    is_read_only = True

    def __init__(self, value: Any):
        super().__init__(read_only=True)
        self.value = value

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        return from_column(self.value, self.shape, ctx.tz)

    def is_true(self, ctx: SyncContext) -> Q | None:
        return Q() if self.value else Q(pk__in=[])

    def in_folders(self, ids: Iterable[str], ctx: SyncContext) -> Q | None:
        return Q() if as_text(self.value) in set(ids) else Q(pk__in=[])

    def folder_choices(self, ctx: SyncContext) -> list[tuple[str, str]]:
        return [(str(self.value), str(self.value))] if self.value else []


class Derived(FieldSpec):
    """An instant so many minutes after that of another field of the record; read only."""

    is_read_only = True
    shapes = frozenset({Shape.INSTANT, Shape.ANY})

    def __init__(self, of: str, minutes: int):
        super().__init__(read_only=True)
        self.of = of
        self.minutes = minutes

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        start = self.adapter.specs[self.of].read(obj, ctx)
        return start + datetime.timedelta(minutes=self.minutes) if isinstance(start, datetime.datetime) else UNSET

    def faults(self) -> Iterator[checks.CheckMessage]:
        if self.of not in self.adapter.specs:
            yield self.error("E101", f"{self.of!r} is no mapped field.", nearest(self.of, self.adapter.specs))
