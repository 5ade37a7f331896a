"""What an integrator declares, made ready for use: field specs bound to the adapter, roles, keys.

Nothing here touches the database. Faults in a declaration are not raised here but found by the system checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from .conversion import Shape
from .fields import Col, Columns, FieldSpec, Method, Stored, Users
from .paths import BadPath, resolve

if TYPE_CHECKING:
    from .directory import DirectoryAdapter
    from .registry import AdapterSite


class Declaration:
    """The attributes of an adapter. All have defaults that suit a plain model; `fields` is what one writes."""

    #: Set by `register`.
    model: Any = None
    #: What links refer to; by default `"app.model"`. It must not change later.
    name: str = ""
    #: `contacts`, `events` or `tasks`; set by the base class.
    kind: ClassVar[str] = ""
    #: The record's fields that the CRM has: name to path, spec, adapter method or function of (obj, ctx).
    fields: Mapping[str, Any] = {}
    #: Who a record is assigned to; None: nobody, and *only my items* is not offered.
    owner: Any = None
    #: Who else takes part.
    users: Any = None
    #: Which rows of the model are of this kind.
    base_filter: Q = Q()
    #: Which rows count as deleted.
    soft_delete: Q | None = None
    #: Columns and values that make a row deleted, and undo it; needed only where `soft_delete` does not tell.
    soft_delete_set: Mapping[str, Any] | None = None
    #: The values that undo it.
    restore_set: Mapping[str, Any] | None = None
    #: The column with the time of the last modification. A hint only: it narrows the search for changes.
    modified_field: str | None = None
    #: The column (or path) that holds the organisation's key, in a database of several organisations. It narrows
    #: everything, and is set on new records if it is a column.
    tenant_field: str | None = None
    #: Paths to fetch along, beyond what the specs ask for themselves.
    select_related: Iterable[str] = ()
    #: The same for relations to many rows.
    prefetch_related: Iterable[Any] = ()
    #: Whether records are validated by the model's `full_clean` before they are saved, and which columns are not.
    full_clean: bool = True
    #: Columns that `full_clean` leaves out.
    clean_exclude: Iterable[str] = ()
    #: Columns that must not be blank: a value, or a function of (data, ctx), for when they would be.
    fallbacks: Mapping[str, Any | Callable[..., Any]] = {}
    #: `"text"` or `"html"`: how the CRM keeps notes.
    body_format: str = "text"
    #: Whether what is new in Microsoft becomes a record here; None: if this is the only adapter of its kind.
    creates: bool | None = None

    #: The class of this kind's records.
    record_type: ClassVar[Any] = None
    #: The record's fields, each with what sort of value it holds.
    shapes: ClassVar[Mapping[str, Shape]] = {}
    #: Other spellings of field names in `fields`.
    spellings: ClassVar[Mapping[str, str]] = {}
    #: What an adapter of this kind can declare besides `fields`.
    roles: ClassVar[Mapping[str, Shape]] = {"owner": Shape.ANY, "users": Shape.ANY}
    #: The record's field with the long text that `body_format` is about.
    body_field: ClassVar[str] = ""
    #: Fields that have a spec even where the integrator names none.
    default_fields: ClassVar[Mapping[str, FieldSpec]] = {}

    def __init__(self, model: Any, *, name: str, creates: bool | None, site: AdapterSite):
        self.model = model
        self.name = name
        self.declared_creates = self.creates if creates is None else creates
        self.site = site

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def directory(self) -> DirectoryAdapter:
        """The project's directory of users and organisations."""
        return self.site.directory

    # -- specs -------------------------------------------------------------------------------------

    @cached_property
    def specs(self) -> dict[str, FieldSpec]:
        """The bound spec of each mapped field; names that records do not have are left to the checks."""
        bound = {}
        for given, declared in {**self.default_fields, **self.fields}.items():
            name = self.spellings.get(given, given)
            if name in self.shapes:
                spec = self._spec(declared)
                if spec is not None:
                    # Specs bind to any part of an adapter.
                    bound[name] = self._shaped(spec, self.shapes[name]).bind(self, name, self.shapes[name])  # type: ignore[arg-type]
        return bound

    @cached_property
    def role_specs(self) -> dict[str, FieldSpec]:
        """The bound spec of `owner`, `users`, `sync_flag`...; roles that are not declared are missing."""
        bound = {}
        for name, shape in self.roles.items():
            declared = getattr(self, name, None)
            spec = Users(declared) if isinstance(declared, str) and name in ("owner", "users") else self._spec(declared)
            if spec is not None:
                # Specs bind to any part of an adapter.
                bound[name] = spec.bind(self, name, shape)  # type: ignore[arg-type]
        return bound

    def _spec(self, declared: Any) -> FieldSpec | None:
        if isinstance(declared, FieldSpec):
            return declared
        if isinstance(declared, str):
            return Method(declared) if self._is_own_method(declared) else Col(declared)
        if declared is not None and callable(declared):
            return Method(declared)
        return None

    def _is_own_method(self, name: str) -> bool:
        if not callable(getattr(type(self), name, None)):
            return False
        try:
            resolve(self.model, name)
        except BadPath:
            return True
        return False

    @staticmethod
    def _shaped(spec: FieldSpec, shape: Shape) -> FieldSpec:
        return Columns(spec, read_only=spec.read_only) if shape is Shape.TEXTS and spec.is_single else spec

    def all_specs(self) -> Iterator[FieldSpec]:
        """The bound specs of fields and roles."""
        yield from self.specs.values()
        yield from self.role_specs.values()

    @cached_property
    def mapped(self) -> frozenset[str]:
        """The record's fields that the CRM has."""
        return frozenset(self.specs)

    @cached_property
    def writable(self) -> frozenset[str]:
        """The record's fields that Microsoft's changes may reach."""
        return frozenset(name for name, spec in self.specs.items() if not spec.is_read_only)

    @cached_property
    def keeps_values(self) -> bool:
        """Whether some of the values are kept in the app's own table."""
        return any(isinstance(spec, Stored) for spec in self.all_specs())

    # -- columns -----------------------------------------------------------------------------------

    @property
    def key_field(self) -> Any:
        """The field behind the primary key; of a child model, that of its parent."""
        field = self.model._meta.pk
        while field.is_relation:
            field = field.target_field
        return field

    @property
    def modified_target(self) -> Any:
        """The model field that `modified_field` names; None without one."""
        return resolve(self.model, self.modified_field).field if self.modified_field else None

    @property
    def uses_time_zones(self) -> bool:
        """Whether the project keeps instants with a time zone (`USE_TZ`)."""
        return bool(settings.USE_TZ)

    def fields_of_column(self, column: str) -> list[str]:
        """The record's fields that are written to a column."""
        return [name for name, spec in self.specs.items() if column in spec.columns]

    def column(self, name: str) -> models.Field | None:
        """The model's own column of that name; None: it has none."""
        return next((field for field in self.model._meta.concrete_fields if name in (field.name, field.attname)), None)
