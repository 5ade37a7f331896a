"""What all field specs share: they convert one thing in two directions and say what the CRM can hold.

A spec is declared in a class body, and bound to its adapter when that is registered. A bound spec is asked by the
adapter to `read`, to `write` (before the record is saved), to `save` (after it, for what needs a primary key), and
for conditions by which the database can search. A spec never sees Microsoft's JSON.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.core import checks
from django.db.models import Q

from ..context import SyncContext
from ..conversion import Shape
from ..paths import BadPath

if TYPE_CHECKING:
    from ..record import RecordAdapter

Convert = Callable[[Any], Any]
SearchExpression = Callable[[str], Any]


class FieldSpec:
    """One entry of an adapter's declaration.

    `read_only`: the CRM's value goes to Microsoft, never the reverse. `from_crm` is applied to what the CRM holds
    before it is read, `to_crm` to what comes from Microsoft before it is written; both take and return one value.
    """

    #: True where the spec stands for one value; a list field then takes it as its only entry.
    is_single: ClassVar[bool] = False
    #: The shapes of record fields that it can stand for.
    shapes: ClassVar[frozenset[Shape]] = frozenset(Shape)
    #: Written after the record is saved, since it needs the record's primary key.
    is_deferred: bool = False

    #: The adapter that a bound spec belongs to.
    adapter: RecordAdapter
    #: The record's field, or the role, that it stands for.
    name: str
    #: What sort of value that is.
    shape: Shape

    def __init__(self, *, read_only: bool = False, to_crm: Convert | None = None, from_crm: Convert | None = None):
        self.read_only = read_only
        self.to_crm = to_crm
        self.from_crm = from_crm

    def bind(self, adapter: RecordAdapter, name: str, shape: Shape) -> Self:
        """The same spec, for the field or role `name` of one adapter. Looks nothing up yet: that may fail."""
        bound = copy.copy(self)
        bound.adapter, bound.name, bound.shape = adapter, name, shape
        return bound

    @property
    def model(self) -> Any:
        """The adapter's model."""
        return self.adapter.model

    # -- what the record says -------------------------------------------------------------------

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        """What the object holds, as the record says it."""
        raise NotImplementedError

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        """Put a value into the unsaved object. Returns why something was left out, `""` if nothing was."""
        raise NotImplementedError

    def save(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        """As `write`, for a deferred spec, once the object is in the database."""
        raise NotImplementedError

    def outgoing(self, value: Any) -> Any:
        """A value of the CRM's after `from_crm`."""
        return self.from_crm(value) if self.from_crm else value

    def incoming(self, value: Any) -> Any:
        """A value of Microsoft's after `to_crm`."""
        return self.to_crm(value) if self.to_crm else value

    # -- what the CRM can hold --------------------------------------------------------------------

    @property
    def is_read_only(self) -> bool:
        """Whether Microsoft's changes stay away from it."""
        return self.read_only

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the record's own columns that `write` sets."""
        return ()

    def items(self) -> int | None:
        """How many entries fit, None for no limit."""
        return None

    def characters(self) -> dict[str, int]:
        """Longest text for each part (`""`: the field itself); no entry means no limit."""
        return {}

    # -- reading many at once ---------------------------------------------------------------------

    @property
    def select_related(self) -> tuple[str, ...]:
        """Paths to single rows that reading needs fetched along."""
        return ()

    def prefetches(self, ctx: SyncContext) -> tuple[Any, ...]:
        """The same for many rows, as `prefetch_related` takes them."""
        return ()

    # -- conditions for the database; None: it has to be found out in Python ----------------------

    def searchable(self) -> tuple[str, ...] | None:
        """Lookup paths whose text can be compared in the database with what `read` says."""
        return None

    def is_true(self, ctx: SyncContext) -> Q | None:
        """Records for which `read` gives something true."""
        return None

    def in_folders(self, ids: Iterable[str], ctx: SyncContext) -> Q | None:
        """Records in one of these folders. `""` stands for *no folder*."""
        return None

    # -- folders ------------------------------------------------------------------------------------

    def folder_choices(self, ctx: SyncContext) -> list[tuple[str, str]]:
        """(id, name) of the folders that exist, in the CRM's order."""
        return []

    def folder_names(self, obj: Any, ctx: SyncContext) -> tuple[str, ...]:
        """The names of the folders that the object is in, in the CRM's order."""
        value = self.read(obj, ctx)
        if not value:
            return ()
        return (str(value),) if isinstance(value, str) else tuple(str(item) for item in value)

    def change_folder(self, obj: Any, leave: str | None, enter: str | None, ctx: SyncContext) -> str:
        """Take the record out of one folder and put it into another (`""`, None: none); others stay."""
        if (self.save if self.is_deferred else self.write)(obj, enter or None, ctx):
            return "cannot be changed to this folder"
        return ""

    # -- hints and checks ---------------------------------------------------------------------------

    def touches(self) -> list[Any]:
        """(signal, sender, function from the signal's arguments to object ids): changes that save no record."""
        return []

    def check(self) -> Iterator[checks.CheckMessage]:
        """What `manage.py check` says about this declaration."""
        try:
            yield from self.faults()
        except BadPath as bad:
            yield self.error("E102", str(bad), bad.hint)

    def faults(self) -> Iterator[checks.CheckMessage]:
        """What is wrong with this declaration. May raise `BadPath`."""
        return iter(())

    def error(self, number: str, message: str, hint: str = "") -> checks.CheckMessage:
        """A message of `faults`, with class and field in front."""
        where = f"{type(self.adapter).__module__}.{type(self.adapter).__qualname__}.{self.name}"
        return checks.Error(f"{where}: {message}", hint=hint or None, obj=None, id=f"opencrm_ms365.{number}")

    def path_target(self, path: str) -> Any:
        """What a path of the model leads to. Raises `BadPath`."""
        from ..paths import resolve

        return resolve(self.model, path)


def as_text(value: Any) -> str:
    return "" if value is None else str(value)
