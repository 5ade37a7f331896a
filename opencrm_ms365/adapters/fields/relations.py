"""Specs for other records named by a natural value: one (`Related`) or several (`M2M`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from django.core import checks
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import Prefetch, Q
from django.db.models.signals import m2m_changed

from ..context import SyncContext
from ..conversion import CannotHold, Shape, from_column, to_column
from ..paths import BadPath, Target, relation, resolve, value_at
from .base import FieldSpec, as_text

QuerySetSource = models.QuerySet | Callable[[SyncContext], models.QuerySet] | None
Defaults = Mapping[str, Any] | Callable[[SyncContext], Mapping[str, Any]] | None


class _Named(FieldSpec):
    """Finds, and where allowed makes, records of another model by the text in their `lookup` column.

    `queryset` narrows the choice (a queryset, or a function of ctx where it depends on the organisation), `create`
    makes missing ones, `defaults` are further columns of those (a mapping, or a function of ctx).
    """

    path: str

    def __init__(self, lookup: str, queryset: QuerySetSource, create: bool, defaults: Defaults, **options: Any):
        super().__init__(**options)
        self.lookup = lookup
        self.queryset = queryset
        self.create = create
        self.defaults = defaults

    @property
    def related(self) -> type[models.Model]:
        raise NotImplementedError

    def choices(self, ctx: SyncContext) -> models.QuerySet:
        if callable(self.queryset):
            return self.queryset(ctx)
        return self.related._default_manager.all() if self.queryset is None else self.queryset.all()

    def ordered(self, ctx: SyncContext) -> models.QuerySet:
        found = self.choices(ctx)
        return found if found.ordered else found.order_by("pk")

    def find(self, name: str, ctx: SyncContext) -> Any | None:
        """The one record with this name; without case where only that finds one; else made where allowed, or None."""
        found = list(self.choices(ctx).filter(**{f"{self.lookup}__iexact": name})[:2])
        if len(found) == 1:
            return found[0]
        if found:
            exact = list(self.choices(ctx).filter(**{self.lookup: name})[:2])
            return exact[0] if len(exact) == 1 else None
        return self._make(name, ctx) if self.create else None

    def _make(self, name: str, ctx: SyncContext) -> Any | None:
        defaults = self.defaults(ctx) if callable(self.defaults) else (self.defaults or {})
        try:
            stored, left_out = to_column(resolve(self.related, self.lookup).field, name, ctx.tz)
            if left_out:
                return None
            made = self.related(**{**defaults, self.lookup: stored})
            made.full_clean()
            with transaction.atomic():
                made.save()
        except (CannotHold, ValidationError):
            return None
        except IntegrityError:
            return self.choices(ctx).filter(**{self.lookup: name}).first()
        return made

    def name_of(self, related: Any) -> str:
        return as_text(getattr(related, self.lookup)).strip()

    def folder_choices(self, ctx: SyncContext) -> list[tuple[str, str]]:
        return [(str(item.pk), self.name_of(item)) for item in self.ordered(ctx)]

    def _folder_keys(self, ids: Iterable[str]) -> list[Any]:
        keys = []
        for text in ids:
            try:
                keys.append(self.related._meta.pk.to_python(text))
            except ValidationError:
                continue
        return keys

    def faults(self) -> Iterator[checks.CheckMessage]:
        resolve(self.related, self.lookup)
        return iter(())


class Related(_Named):
    """A foreign key to a record that is known by a text, such as a company's name.

    Without `create` an unknown name leaves the CRM as it is, and is reported; it never fails the record.
    """

    is_single = True
    shapes = frozenset({Shape.TEXT, Shape.ANY})

    def __init__(self, path: str, lookup: str = "name", create: bool = False, defaults: Defaults = None,
                 queryset: QuerySetSource = None, **options: Any):
        super().__init__(lookup, queryset, create, defaults, **options)
        self.path = path

    @cached_property
    def target(self) -> Target:
        return self.path_target(self.path)

    @property
    def related(self) -> type[models.Model]:
        if self.target.field is None or not (self.target.field.many_to_one or self.target.field.one_to_one):
            raise BadPath(f"{self.path!r} is no foreign key.", "Use a plain path for a column, M2M(...) for many.")
        return self.target.field.related_model

    @property
    def is_read_only(self) -> bool:
        return self.read_only or not self.target.is_column

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.target.field.name,) if self.target.is_column and self.target.field else ()

    @property
    def select_related(self) -> tuple[str, ...]:
        return (self.path,)

    def searchable(self) -> tuple[str, ...] | None:
        return (f"{self.path}__{self.lookup}",) if self.from_crm is None else None

    def _other(self, obj: Any) -> Any | None:
        return value_at(obj, self.path)

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        other = self._other(obj)
        value = self.outgoing(getattr(other, self.lookup)) if other is not None else None
        return from_column(value, Shape.TEXT, ctx.tz)

    def write(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        field: Any = self.target.field
        name = as_text(self.incoming(value)).strip()
        if not name:
            if not field.null:
                return "must not be empty in the CRM"
            setattr(obj, field.name, None)
            return ""
        other = self.find(name, ctx)
        if other is None:
            return "has no such entry in the CRM" if not self.create else "cannot hold this value in the CRM"
        setattr(obj, field.name, other)
        return ""

    def is_true(self, ctx: SyncContext) -> Q | None:
        return Q(**{f"{self.path}__isnull": False})

    def in_folders(self, ids: Iterable[str], ctx: SyncContext) -> Q | None:
        ids = list(ids)
        found = Q(**{f"{self.path}__in": self._folder_keys(item for item in ids if item)})
        return found | Q(**{f"{self.path}__isnull": True}) if "" in ids else found


class M2M(_Named):
    """The names of many-to-many records, in the order of `queryset` (else of their model, else of their keys).

    Only records of `queryset` are read and written; others that the record has are left alone.
    """

    is_deferred = True
    shapes = frozenset({Shape.TEXTS, Shape.ANY})

    def __init__(self, path: str, lookup: str = "name", queryset: QuerySetSource = None, create: bool = False,
                 defaults: Defaults = None, **options: Any):
        super().__init__(lookup, queryset, create, defaults, **options)
        self.path = path

    @cached_property
    def field(self) -> Any:
        return relation(self.model, self.path)

    @property
    def related(self) -> type[models.Model]:
        if not self.field.many_to_many:
            raise BadPath(f"{self.path!r} is no many-to-many field.",
                          f"Use Related({self.path!r}, ...) for one record.")
        return self.field.related_model

    @property
    def through(self) -> type[models.Model]:
        return self.field.through if self.field.auto_created else self.field.remote_field.through

    @property
    def _query_name(self) -> str:
        return self.field.name

    @property
    def _attribute(self) -> str:
        return f"_ms365_m2m_{self.name}"

    def prefetches(self, ctx: SyncContext) -> tuple[Any, ...]:
        return (Prefetch(self.path, queryset=self.ordered(ctx), to_attr=self._attribute),)

    def _others(self, obj: Any, ctx: SyncContext) -> list[Any]:
        known = obj.__dict__.get(self._attribute)
        if known is not None:
            return list(known)
        if obj.pk is None:
            return []
        held = getattr(obj, self.path).order_by().values("pk")
        return list(self.ordered(ctx).filter(pk__in=held))

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        names = tuple(self.name_of(other) for other in self._others(obj, ctx))
        return from_column(self.outgoing(names), Shape.TEXTS, ctx.tz)

    def save(self, obj: Any, value: Any, ctx: SyncContext) -> str:
        obj.__dict__.pop(self._attribute, None)
        present = {self.name_of(other).casefold(): other for other in self._others(obj, ctx)}
        wanted = {name.strip().casefold(): name.strip() for name in self.incoming(value) or ()}
        manager = getattr(obj, self.path)
        manager.remove(*(other for name, other in present.items() if name not in wanted))
        found = {name: self.find(text, ctx) for name, text in wanted.items() if name not in present}
        manager.add(*(other for other in found.values() if other is not None))
        return "has entries that the CRM does not know" if None in found.values() else ""

    def is_true(self, ctx: SyncContext) -> Q | None:
        return self._holding(self.choices(ctx).order_by().values("pk"))

    def _holding(self, keys: Any) -> Q:
        holders = self.model._base_manager.filter(**{f"{self._query_name}__in": keys}).order_by().values("pk")
        return Q(pk__in=holders)

    def in_folders(self, ids: Iterable[str], ctx: SyncContext) -> Q | None:
        ids = list(ids)
        found = self._holding(self._folder_keys(item for item in ids if item))
        return found | ~self._holding(self.choices(ctx).order_by().values("pk")) if "" in ids else found

    def change_folder(self, obj: Any, leave: str | None, enter: str | None, ctx: SyncContext) -> str:
        obj.__dict__.pop(self._attribute, None)
        manager = getattr(obj, self.path)
        entered = self.find(enter.strip(), ctx) if enter else None
        if enter and entered is None:
            return "cannot be changed to this folder: the CRM has no such folder"
        if leave:
            name = leave.strip().casefold()
            manager.remove(*(other for other in self._others(obj, ctx) if self.name_of(other).casefold() == name))
        if entered is not None:
            manager.add(entered)
        return ""

    def touches(self) -> list[Any]:
        forward = not self.field.auto_created

        def changed(instance: Any, reverse: bool, action: str, pk_set: Any, **_: Any) -> list[Any]:
            if reverse is not forward:
                return [instance.pk] if not action.startswith("pre_") else []
            if action == "pre_clear":
                accessor = self.field.remote_field.get_accessor_name() if forward else self.field.field.name
                return list(getattr(instance, accessor).values_list("pk", flat=True)) if accessor else []
            return list(pk_set or ()) if action in ("post_add", "post_remove") else []

        return [(m2m_changed, self.through, changed)]

    def faults(self) -> Iterator[checks.CheckMessage]:
        yield from super().faults()
        if self.create and not self.read_only and not self.through._meta.auto_created:
            columns = [f for f in self.through._meta.concrete_fields if not f.is_relation and not f.primary_key]
            required = [f.name for f in columns if not (f.has_default() or f.null or f.blank)]
            if required:
                yield self.error("E107", f"rows of {self.through.__name__} need {', '.join(required)}.",
                                 "Declare it read_only=True, or use Method(...).")


