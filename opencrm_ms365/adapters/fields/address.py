"""The spec for a postal address made of several columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from django.core import checks

from ...records import UNSET, PostalAddress
from ..context import SyncContext
from ..conversion import Shape
from ..paths import nearest
from .base import FieldSpec
from .columns import Col

PARTS = tuple(item.name for item in dataclasses.fields(PostalAddress))


class Address(FieldSpec):
    """An address: `street`, `city`, `state`, `postal_code`, `country`, each a path or a spec.

    Parts that are not given are not mapped.
    """

    shapes = frozenset({Shape.ADDRESS})

    def __init__(self, *, read_only: bool = False, to_crm: Any = None, from_crm: Any = None,
                 **parts: str | FieldSpec):
        super().__init__(read_only=read_only, to_crm=to_crm, from_crm=from_crm)
        self.parts = {name: Col(part) if isinstance(part, str) else part for name, part in parts.items()}

    def bind(self, adapter: Any, name: str, shape: Shape) -> Any:
        bound = super().bind(adapter, name, shape)
        bound.parts = {part: spec.bind(adapter, f"{name}.{part}", Shape.TEXT) for part, spec in self.parts.items()}
        return bound

    def _mapped(self) -> dict[str, FieldSpec]:
        return {part: spec for part, spec in self.parts.items() if part in PARTS}

    @property
    def is_read_only(self) -> bool:
        return self.read_only or all(spec.is_read_only for spec in self.parts.values())

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for spec in self.parts.values() if not spec.is_read_only for column in spec.columns)

    @property
    def select_related(self) -> tuple[str, ...]:
        return tuple(path for spec in self.parts.values() for path in spec.select_related)

    def prefetches(self, ctx: SyncContext) -> tuple[Any, ...]:
        return tuple(item for spec in self.parts.values() for item in spec.prefetches(ctx))

    def characters(self) -> dict[str, int]:
        found = {}
        for part, spec in self.parts.items():
            longest = spec.characters().get("")
            if longest is not None:
                found[part] = longest
        return found

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        values = {part: spec.read(obj, ctx) for part, spec in self._mapped().items()}
        unmapped = {part: UNSET for part in PARTS if part not in values}
        return self.outgoing(PostalAddress(**values, **unmapped))

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        address = self.incoming(value) or PostalAddress()
        refused = []
        for part, spec in self._mapped().items():
            new = getattr(address, part)
            if spec.is_read_only or new is UNSET or new == spec.read(obj, ctx):
                continue
            if reason := spec.write(obj, new, ctx):
                refused.append(f"part {part.replace('_', ' ')} {reason}")
        return "; ".join(refused)

    def faults(self) -> Iterator[checks.CheckMessage]:
        for part, spec in self.parts.items():
            if part not in PARTS:
                yield self.error("E101", f"an address has no part {part!r}.", nearest(part, PARTS))
            elif Shape.TEXT not in spec.shapes or spec.is_deferred:
                yield self.error("E108", f"{type(spec).__name__} cannot stand for the part {part!r} of an address.",
                                 "Use a path, Columns(...) for lines, Related(...) or CountryCode(...).")
            else:
                yield from spec.check()
