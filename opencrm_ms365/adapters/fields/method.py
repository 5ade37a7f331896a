"""The spec for what no other spec can say: the adapter's own methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from django.core import checks

from ..context import SyncContext
from ..conversion import CannotHold, Shape, from_column
from ..paths import nearest
from .base import FieldSpec

Reader = str | Callable[[Any, SyncContext], Any]
Writer = str | Callable[[Any, Any, SyncContext], Any]


class Method(FieldSpec):
    """`read` names a method `(obj, ctx)` of the adapter that returns the value, `write` one `(obj, value, ctx)`.

    Functions with these arguments will do too. `write` None: read only. It may raise `RejectChange` or `SkipRecord`.
    `after_save` calls it once the object is in the database, for rows of other tables. What a method reads cannot be
    searched in the database: as tick box or folder it costs a reading of all the records in question.
    """

    is_single = False
    shapes = frozenset(Shape)

    def __init__(self, read: Reader, write: Writer | None = None, *, after_save: bool = False, **options: Any):
        super().__init__(**options)
        self.reader = read
        self.writer = write
        self.is_deferred = after_save

    @property
    def is_read_only(self) -> bool:
        return self.read_only or self.writer is None

    def _call(self, method: Any, *arguments: Any) -> Any:
        return (getattr(self.adapter, method) if isinstance(method, str) else method)(*arguments)

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        return from_column(self.outgoing(self._call(self.reader, obj, ctx)), self.shape, ctx.tz)

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        try:
            self._call(self.writer, obj, self.incoming(value), ctx)
        except CannotHold as cannot:
            return cannot.reason
        return ""

    save = write

    def folder_choices(self, ctx: SyncContext) -> list[tuple[str, str]]:
        every = self.adapter.chunks(self.adapter.existing(ctx), ctx)
        names = {name for chunk in every for obj in chunk for name in self.folder_names(obj, ctx)}
        return [(name, name) for name in sorted(names)]

    def faults(self) -> Iterator[checks.CheckMessage]:
        methods = [name for name, _ in inspect.getmembers(type(self.adapter), callable) if not name.startswith("_")]
        for method in filter(None, [self.reader, self.writer]):
            if isinstance(method, str) and not callable(getattr(self.adapter, method, None)):
                yield self.error("E111", f"the adapter has no method {method!r}.", nearest(method, methods))
