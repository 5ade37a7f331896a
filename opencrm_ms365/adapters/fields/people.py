"""The spec for people: who owns a record, who takes part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.core import checks
from django.db import models
from django.db.models import Prefetch, Q
from django.db.models.signals import m2m_changed

from ..context import SyncContext
from ..conversion import Shape
from ..paths import relation, value_at
from .base import FieldSpec


class Users(FieldSpec):
    """A foreign key or many-to-many field to users, or to what stands for them (the directory's `person_model`).

    `also` are further paths whose people are read, never written. `first_is_owner`: of a many-to-many field, the first
    one (by its rows' order) is the owner.
    """

    shapes = frozenset({Shape.ANY})

    def __init__(self, path: str, also: Iterable[str] = (), first_is_owner: bool = False, **options: Any):
        super().__init__(**options)
        self.path = path
        self.also = tuple(also)
        self.first_is_owner = first_is_owner

    @cached_property
    def is_many(self) -> bool:
        return bool(self._relation(self.path).many_to_many)

    @property
    def is_deferred(self) -> bool:  # type: ignore[override]  # told by the column, not by the class
        return self.is_many

    @property
    def is_read_only(self) -> bool:
        return self.read_only or "__" in self.path

    @property
    def columns(self) -> tuple[str, ...]:
        return () if self.is_many or self.is_read_only else (self.path,)

    def _relation(self, path: str) -> Any:
        *way, last = path.split("__")
        model = self.model
        for part in way:
            model = relation(model, part).related_model
        return relation(model, last)

    def _holds_person(self, path: str) -> bool:
        """Whether the column holds the directory's person rather than the user."""
        person = self.adapter.directory.person_model
        return person is not None and issubclass(self._relation(path).related_model, _model(person))

    @property
    def _user_path(self) -> tuple[str, ...]:
        path = self.adapter.directory.person_user_path
        return (path,) if path else ()

    @property
    def select_related(self) -> tuple[str, ...]:
        paths = []
        for path in (self.path, *self.also):
            if not self._relation(path).many_to_many:
                paths += ["__".join((path, *self._user_path)) if self._holds_person(path) else path]
        return tuple(paths)

    def _attribute(self, path: str) -> str:
        return f"_ms365_people_{self.name}_{path}"

    def prefetches(self, ctx: SyncContext) -> tuple[Any, ...]:
        found = []
        for path in (self.path, *self.also):
            if self._relation(path).many_to_many and "__" not in path:
                found.append(Prefetch(path, queryset=self._queryset(path), to_attr=self._attribute(path)))
        return tuple(found)

    def _queryset(self, path: str) -> models.QuerySet:
        """The people behind a many-to-many field, in the order in which they were added."""
        related = self._relation(path).related_model
        people = related._base_manager.all()
        if self._holds_person(path) and self._user_path:
            people = people.select_related(*self._user_path)
        return people.order_by(f"{self._through_name(path)}__pk") if self._through_name(path) else people

    def _through_name(self, path: str) -> str:
        """The query name of the rows between record and person, seen from the person; "" where it has none."""
        through = self._through(path)
        related = self._relation(path).related_model
        for field in through._meta.concrete_fields:
            if field.is_relation and field.related_model is related:
                name = field.related_query_name()
                return "" if name.endswith("+") else name
        return ""

    def _through(self, path: str) -> Any:
        field = self._relation(path)
        return field.through if field.auto_created else field.remote_field.through

    def _people_at(self, obj: Any, path: str) -> list[Any]:
        if not self._relation(path).many_to_many:
            person = value_at(obj, path)
            return [] if person is None else [person]
        known = obj.__dict__.get(self._attribute(path))
        if known is not None:
            return list(known)
        if obj.pk is None:
            return []
        rows = self._through(path)._base_manager.filter(**{self._source_name(path): obj}).order_by("pk")
        keys = list(rows.values_list(self._target_name(path), flat=True))
        people = self._relation(path).related_model._base_manager.in_bulk(keys)
        return [people[key] for key in keys if key in people]

    def _source_name(self, path: str) -> str:
        field = self._relation(path)
        return field.field.m2m_reverse_field_name() if field.auto_created else field.m2m_field_name()

    def _target_name(self, path: str) -> str:
        field = self._relation(path)
        return field.field.m2m_field_name() if field.auto_created else field.m2m_reverse_field_name()

    def people(self, obj: Any) -> list[Any]:
        """Users or persons as the columns hold them: the primary field's first, without repetition."""
        found: dict[Any, Any] = {}
        for path in (self.path, *self.also):
            for person in self._people_at(obj, path):
                found.setdefault((type(person), person.pk), person)
        return list(found.values())

    def users(self, obj: Any) -> list[Any]:
        """The users behind them; a person without a user is left out."""
        user_model = get_user_model()
        directory = self.adapter.directory
        users = (item if isinstance(item, user_model) else directory.user_of(item) for item in self.people(obj))
        return list({user.pk: user for user in users if user is not None}.values())

    def owners(self, obj: Any) -> list[Any]:
        users = self.users(obj)
        return users[:1] if self.first_is_owner else users

    def read(self, obj: Any, ctx: SyncContext) -> Any:
        return tuple(self.users(obj))

    def holding(self, ctx: SyncContext) -> Q:
        """Records that have ctx's user among their people."""
        found = Q(pk__in=[])
        for path in (self.path, *self.also):
            person = ctx.person if self._holds_person(path) else ctx.user
            if person is None or person.pk is None:
                continue
            if self._relation(path).many_to_many:
                holders = self.model._base_manager.filter(**{path: person.pk}).order_by().values("pk")
                found |= Q(pk__in=holders)
            else:
                found |= Q(**{path: person.pk})
        return found

    # -- writing

    def _as_person(self, user: Any, ctx: SyncContext) -> Any | None:
        if not self._holds_person(self.path):
            return user
        return ctx.person if user.pk == ctx.user.pk else self.adapter.directory.person(user, ctx.tenant)

    def write(self, obj: Any, value: Iterable[Any], ctx: SyncContext) -> str:
        """Set the foreign key to the first of these users."""
        users = list(value)
        person = self._as_person(users[0], ctx) if users else None
        if users and person is None:
            return "cannot hold this user: they have no profile in the CRM"
        setattr(obj, self.path, person)
        return ""

    def save(self, obj: Any, value: Iterable[Any], ctx: SyncContext) -> str:
        """Make the many-to-many field hold exactly these users; persons without a user are left alone."""
        obj.__dict__.pop(self._attribute(self.path), None)
        directory, user_model = self.adapter.directory, get_user_model()
        wanted = [person for user in value if (person := self._as_person(user, ctx)) is not None]
        keys = {person.pk for person in wanted}
        manager = getattr(obj, self.path)
        present = self._people_at(obj, self.path)
        gone = [item for item in present if item.pk not in keys
                and (isinstance(item, user_model) or directory.user_of(item) is not None)]
        manager.remove(*gone)
        held = {item.pk for item in present}
        missing = [person for person in wanted if person.pk not in held]
        for part in (missing[:1], missing[1:]):     # whoever comes first may be the owner and stays first
            if part:
                manager.add(*part)
        return ""

    # -- hints and checks

    def touches(self) -> list[Any]:
        found = []
        for path in (self.path, *self.also):
            field = self._relation(path)
            if field.many_to_many and "__" not in path:
                found.append((m2m_changed, self._through(path), _touched_by(not field.auto_created)))
        return found

    def faults(self) -> Iterator[checks.CheckMessage]:
        known: list[Any] = [get_user_model()]
        if self.adapter.directory.person_model is not None:
            known.append(_model(self.adapter.directory.person_model))
        for path in (self.path, *self.also):
            target = self._relation(path).related_model
            if not any(issubclass(target, model) for model in known):
                names = " or ".join(model.__name__ for model in known)
                yield self.error("E112", f"{path!r} leads to {target.__name__}, not to {names}.",
                                 "Set person_model and person_user_path in the DirectoryAdapter, or name the path on "
                                 f"to the user: '{path}__user'.")
        if self.first_is_owner and not self.is_many:
            yield self.error("E108", "first_is_owner is for many-to-many fields.", "Leave it out.")


def _touched_by(forward: bool) -> Any:
    def changed(instance: Any, reverse: bool, action: str, pk_set: Any, **_: Any) -> list[Any]:
        if action.startswith("pre_"):
            return []
        return [instance.pk] if reverse is not forward else list(pk_set or ())

    return changed


def _model(model: Any) -> type[models.Model]:
    from django.apps import apps

    return apps.get_model(model) if isinstance(model, str) else model


