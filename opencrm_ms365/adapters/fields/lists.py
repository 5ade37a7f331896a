"""Specs for lists in the record's own table: spread over columns, or joined in one text column."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core import checks

from ...records import UNSET
from ..context import SyncContext
from ..conversion import Shape, from_column, storable
from .base import FieldSpec, as_text
from .columns import Col

#: Lists that say the same in any order.
UNORDERED = frozenset({"categories"})


class Columns(FieldSpec):
    """A list spread over columns, in order. What does not fit stays on the Microsoft side.

    For a text field, the lines of the text: `street=ms.Columns("street1", "street2")`.
    """

    shapes = frozenset({Shape.TEXTS, Shape.TEXT})

    def __init__(self, *specs: str | FieldSpec, **options: Any):
        super().__init__(**options)
        self.specs = tuple(Col(spec) if isinstance(spec, str) else spec for spec in specs)

    def bind(self, adapter: Any, name: str, shape: Shape) -> Any:
        bound = super().bind(adapter, name, shape)
        bound.specs = tuple(spec.bind(adapter, name, Shape.TEXT) for spec in self.specs)
        return bound

    @property
    def is_read_only(self) -> bool:
        return self.read_only or not self._writable

    @property
    def _writable(self) -> list[FieldSpec]:
        return [spec for spec in self.specs if not spec.is_read_only]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for spec in self._writable for column in spec.columns)

    @property
    def select_related(self) -> tuple[str, ...]:
        return tuple(path for spec in self.specs for path in spec.select_related)

    def prefetches(self, ctx: SyncContext) -> tuple[Any, ...]:
        return tuple(item for spec in self.specs for item in spec.prefetches(ctx))

    def items(self) -> int | None:
        return len(self.specs) if self.shape is Shape.TEXTS else None

    def characters(self) -> dict[str, int]:
        lengths = [spec.characters().get("") for spec in self.specs]
        known = [length for length in lengths if length is not None]
        if not known or (self.shape is Shape.TEXT and len(known) < len(lengths)):
            return {}
        return {"": min(known) if self.shape is Shape.TEXTS else sum(known)}

    def searchable(self) -> tuple[str, ...] | None:
        paths = [spec.searchable() for spec in self.specs]
        if self.shape is not Shape.TEXTS or self.from_crm or any(found is None for found in paths):
            return None
        return tuple(path for found in paths for path in found or ())

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        values = [as_text(spec.read(obj, ctx) or None) for spec in self.specs]
        found = tuple(value for value in values if value)
        return self.outgoing(found if self.shape is Shape.TEXTS else "\n".join(found) or None)

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        value = self.incoming(value)
        if self.shape is Shape.TEXT:
            return self._write_lines(obj, value, ctx)
        specs = self._writable
        fixed = {as_text(spec.read(obj, ctx)).casefold() for spec in self.specs if spec.is_read_only}
        entries = [item for item in value or () if item.casefold() not in fixed]
        whole = [item for item in entries if self._fits(item)]
        kept = whole[: len(specs)]
        present = [as_text(spec.read(obj, ctx) or None) for spec in specs]
        refused = ""
        for spec, old, new in zip(specs, present, _placed(present, kept), strict=True):
            if old.casefold() != new.casefold():
                refused = spec.write(obj, new or None, ctx) or refused
        if len(kept) < len(entries):
            return f"has room for {len(specs)} entries in the CRM; what did not fit stays in Microsoft"
        return refused

    def _fits(self, entry: str) -> bool:
        longest = self.characters().get("")
        return longest is None or len(storable(entry)) <= longest

    def _write_lines(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        specs = self._writable
        lines = [line.strip() for line in (value or "").split("\n") if line.strip()]
        if len(lines) > len(specs):
            lines[len(specs) - 1:] = [", ".join(lines[len(specs) - 1:])]
        refused = ""
        for spec, line in itertools.zip_longest(specs, lines):
            if as_text(spec.read(obj, ctx) or None) != as_text(line):
                refused = spec.write(obj, line or None, ctx) or refused
        return refused

    def faults(self) -> Iterator[checks.CheckMessage]:
        if not self.specs:
            yield self.error("E108", "Columns() names no column.", "Name at least one.")
        for spec in self.specs:
            if spec.is_single and Shape.TEXT in spec.shapes:
                yield from spec.check()
            else:
                yield self.error("E108", f"{type(spec).__name__} cannot stand for one entry of Columns().",
                                 "Name columns; for child rows use Rows(...) instead of Columns(...).")


def _placed(present: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """`wanted`, in order, spread over as many places as `present` has, so that most of them stay as they are."""
    best: list[str] = []
    most = -1
    for places in itertools.combinations(range(len(present)), len(wanted)):
        row = [""] * len(present)
        for place, value in zip(places, wanted, strict=True):
            row[place] = value
        unchanged = sum(old.casefold() == new.casefold() for old, new in zip(present, row, strict=True))
        if unchanged > most:
            best, most = row, unchanged
    return best


class Split(FieldSpec):
    """A list in one text column, joined by a separator. Entries are whole or not at all."""

    shapes = frozenset({Shape.TEXTS})

    def __init__(self, path: str, sep: str = ",", **options: Any):
        super().__init__(**options)
        self.path = path
        self.sep = sep

    def bind(self, adapter: Any, name: str, shape: Shape) -> Any:
        bound = super().bind(adapter, name, shape)
        bound.column = Col(self.path).bind(adapter, name, Shape.TEXT)
        return bound

    column: Col

    @property
    def is_read_only(self) -> bool:
        return self.read_only or self.column.is_read_only

    @property
    def columns(self) -> tuple[str, ...]:
        return self.column.columns

    @property
    def select_related(self) -> tuple[str, ...]:
        return self.column.select_related

    def characters(self) -> dict[str, int]:
        return self.column.characters()

    def searchable(self) -> tuple[str, ...] | None:
        return None

    def contains(self) -> str | None:
        """The path of the column in whose text an entry can be looked for."""
        return self.path if self.from_crm is None and self.column.field is not None else None

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        value = self.column.read(obj, ctx)
        if value is UNSET:
            return UNSET
        return self.outgoing(from_column(as_text(value).split(self.sep), Shape.TEXTS, ctx.tz))

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        present: dict[str, str] = {}
        for item in self.read(obj, ctx) or ():
            present.setdefault(item.casefold(), item)
        joiner = self.sep if self.sep.endswith((" ", "\n")) else self.sep + " "
        joiner = self.sep if self.sep.strip() == "" else joiner
        longest = self.characters().get("")
        kept: list[str] = []
        left_out = False
        for item in self._in_order(self.incoming(value) or (), present):
            entry = present.get(item.casefold(), item)
            splits = bool(self.sep.strip()) and self.sep.strip() in entry
            too_long = longest is not None and len(joiner.join([*kept, entry])) > longest
            if splits or too_long:
                left_out = True
            else:
                kept.append(entry)
        refused = self.column.write(obj, joiner.join(kept) or None, ctx)
        return refused or ("has no room for all entries; what did not fit stays in Microsoft" if left_out else "")

    def _in_order(self, wanted: Iterable[str], present: Iterable[str]) -> list[str]:
        """Categories have no order of their own (a record sorts them): those that are there stay where they are."""
        if self.name not in UNORDERED:
            return list(wanted)
        places = {text: place for place, text in enumerate(present)}
        return sorted(wanted, key=lambda item: places.get(item.casefold(), len(places)))

    def faults(self) -> Iterator[checks.CheckMessage]:
        yield from self.column.check()
