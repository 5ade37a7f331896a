"""A list in child rows, such as the e-mail addresses of a contact in a table of their own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Prefetch, Q
from django.db.models.signals import post_delete, post_save

from ..context import SyncContext
from ..conversion import CannotHold, Shape, from_column, to_column
from ..paths import relation, resolve
from .base import FieldSpec, as_text


class Rows(FieldSpec):
    """One-to-many rows, one for each entry. A row whose value does not change keeps its primary key.

    `relation` is the accessor (`"email_set"`), `value` the column with the entry. `kind` are columns that make a row
    one of these (`{"type": "work"}`): other rows are left alone, new rows get them. `where` is a further condition for
    reading. `defaults` are columns of new rows, or a function of (obj, ctx) that gives them. `position` names a column
    with the order, `primary` a yes-or-no column that marks the first entry; without them the order is the child
    model's own, else that of the primary keys. For a text field, the first row.
    """

    is_deferred = True
    shapes = frozenset({Shape.TEXTS, Shape.TEXT})

    def __init__(self, relation: str, value: str, kind: Mapping[str, Any] | None = None, where: Q | None = None,
                 defaults: Mapping[str, Any] | Callable[[Any, SyncContext], Mapping[str, Any]] | None = None, *,
                 position: str | None = None, primary: str | None = None, **options: Any):
        super().__init__(**options)
        self.relation = relation
        self.value = value
        self.kind = dict(kind or {})
        self.where = where
        self.defaults = defaults
        self.position = position
        self.primary = primary

    @cached_property
    def reverse(self) -> Any:
        return relation(self.model, self.relation)

    @property
    def child(self) -> type[models.Model]:
        return self.reverse.related_model

    @property
    def is_generic(self) -> bool:
        """Whether the rows belong to records of any model, by content type and key."""
        return hasattr(self.reverse, "object_id_field_name")

    @property
    def _links(self) -> tuple[str, ...]:
        """The columns of a row that say whose it is."""
        if self.is_generic:
            return self.reverse.content_type_field_name, self.reverse.object_id_field_name
        return (self.reverse.field.name,)

    @cached_property
    def column(self) -> Any:
        return resolve(self.child, self.value).field

    def rows(self) -> models.QuerySet:
        found = self.child._default_manager.filter(**self.kind)
        if self.where is not None:
            found = found.filter(self.where)
        return found.order_by(*self._order())

    def _order(self) -> tuple[Any, ...]:
        marks = [f"-{self.primary}"] if self.primary else []
        if self.position:
            return (*marks, self.position, "pk")
        return (*marks, *(self.child._meta.ordering or ()), "pk")

    @property
    def _attribute(self) -> str:
        return f"_ms365_rows_{self.name}"

    def prefetches(self, ctx: SyncContext) -> tuple[Any, ...]:
        return (Prefetch(self.relation, queryset=self.rows(), to_attr=self._attribute),)

    def _read_rows(self, obj: Any) -> list[Any]:
        known = obj.__dict__.get(self._attribute)
        if known is not None:
            return list(known)
        if obj.pk is None:
            return []
        found = getattr(obj, self.relation).filter(**self.kind)
        if self.where is not None:
            found = found.filter(self.where)
        return list(found.order_by(*self._order()))

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        values = [self.outgoing(getattr(row, self.value)) for row in self._read_rows(obj)]
        texts = from_column(values, Shape.TEXTS, ctx.tz)
        return texts if self.shape is Shape.TEXTS else (texts[0] if texts else None)

    def characters(self) -> dict[str, int]:
        longest = getattr(self.column, "max_length", None)
        return {"": longest} if longest is not None else {}

    def searchable(self) -> tuple[str, ...] | None:
        name = self.relation if self.is_generic else self.reverse.field.related_query_name()
        return (f"{name}__{self.value}",) if self.from_crm is None else None

    # -- writing

    def save(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        obj.__dict__.pop(self._attribute, None)
        rows = self._read_rows(obj)
        if self.shape is Shape.TEXT:
            wanted = [value] if value else []
            others, rows = rows[1:], rows[:1]
            wanted += [] if not others else [as_text(getattr(row, self.value)) for row in others]
            rows = [*rows, *others]
        else:
            wanted = list(value or ())
        fitting = [item for item in wanted if self._fits(item, ctx)]
        refused = self._replace(obj, rows, fitting, ctx)
        left_out = "has entries that do not fit into the CRM; they stay in Microsoft"
        return left_out if refused or len(fitting) < len(wanted) else ""

    def _stored(self, entry: str, ctx: SyncContext) -> Any:
        stored, left_out = to_column(self.column, self.incoming(entry), ctx.tz)
        if left_out:
            raise CannotHold(left_out)
        return stored

    def _fits(self, entry: str, ctx: SyncContext) -> bool:
        try:
            self._stored(entry, ctx)
        except CannotHold:
            return False
        return True

    def _replace(self, obj: Any, rows: list[Any], wanted: list[str], ctx: SyncContext) -> bool:
        """Make the rows say `wanted`: the same text keeps its row, the rest takes over rows that are left, in order."""
        places = _paired([as_text(getattr(row, self.value)).strip().casefold() for row in rows],
                         [item.casefold() for item in wanted])
        used = {place for place in places if place is not None}
        spare = [row for index, row in enumerate(rows) if index not in used]
        refused = False
        for index, (entry, place) in enumerate(zip(wanted, places, strict=True)):
            row = rows[place] if place is not None else (spare.pop(0) if spare else self._new_row(obj, ctx))
            refused |= not self._put(row, entry if place is None else None, index, ctx)
        for row in spare:
            row.delete()
        return refused

    def _new_row(self, obj: Any, ctx: SyncContext) -> Any:
        from django.contrib.contenttypes.models import ContentType

        defaults = self.defaults(obj, ctx) if callable(self.defaults) else (self.defaults or {})
        if self.is_generic:
            content_type = ContentType.objects.get_for_model(obj, for_concrete_model=self.reverse.for_concrete_model)
            owner = dict(zip(self._links, (content_type, obj.pk), strict=True))
        else:
            owner = {self._links[0]: obj}
        return self.child(**{**defaults, **self.kind, **owner})

    def _put(self, row: Any, entry: str | None, index: int, ctx: SyncContext) -> bool:
        """Save a row if anything about it differs; False if the CRM's rules refuse it."""
        wanted: dict[str, Any] = {} if entry is None else {self.value: self._stored(entry, ctx)}
        if self.position:
            wanted[self.position] = index
        if self.primary:
            wanted[self.primary] = index == 0
        if row.pk is not None and not row._state.adding and all(getattr(row, k) == v for k, v in wanted.items()):
            return True
        for name, stored in wanted.items():
            setattr(row, name, stored)
        try:
            row.full_clean(exclude=set(self._links))
        except ValidationError:
            return False
        row.save()
        return True

    # -- hints and checks

    def touches(self) -> list[Any]:
        attname = self._links[-1] if self.is_generic else self.reverse.field.attname

        def owner(instance: Any, **_: Any) -> list[Any]:
            return [getattr(instance, attname)]

        return [(post_save, self.child, owner), (post_delete, self.child, owner)]

    def faults(self) -> Iterator[checks.CheckMessage]:
        if not self.reverse.one_to_many:
            yield self.error("E107", f"{self.relation!r} is no relation from many rows to one record.",
                             "Name the accessor of the child model's foreign key.")
            return
        for path in [self.value, *self.kind, *filter(None, [self.position, self.primary])]:
            resolve(self.child, path)


def _paired(present: list[str], wanted: list[str]) -> list[int | None]:
    """For each wanted text the place of the row that has it already, in rising order; None for new ones."""
    places: list[int | None] = [None] * len(wanted)
    for block in difflib.SequenceMatcher(None, present, wanted, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            places[block.b + offset] = block.a + offset
    return places
