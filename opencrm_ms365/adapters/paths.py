"""Paths such as `company__name`: what they lead to in a model, and the value at their end."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

SEPARATOR = "__"


class BadPath(Exception):
    """A path leads nowhere. The message says which part, the hint what may have been meant."""

    def __init__(self, message: str, hint: str = ""):
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Target:
    """Where a path ends. `relations` are the relation fields on the way; `field` is None for a property or method."""

    path: str
    relations: tuple[Any, ...]
    model: type[models.Model]
    field: Any | None

    @property
    def is_column(self) -> bool:
        """True for a column of the record's own table."""
        return not self.relations and self.field is not None and getattr(self.field, "concrete", False)

    @property
    def select_related(self) -> tuple[str, ...]:
        return (SEPARATOR.join(item.name for item in self.relations),) if self.relations else ()


def resolve(model: type[models.Model], path: str) -> Target:
    """Follow a path over forward relations. Raises `BadPath`; a path over a to-many relation is one too."""
    *way, last = path.split(SEPARATOR)
    relations: list[Any] = []
    current = model
    for part in way:
        field = _field(current, part, path)
        if field is None or not field.is_relation or not (field.many_to_one or field.one_to_one):
            raise BadPath(f"{path!r}: {part!r} is no single related record.",
                          "For many related records use M2M(...) or Rows(...).")
        relations.append(field)
        current = field.related_model
    return Target(path, tuple(relations), current, _field(current, last, path))


def relation(model: type[models.Model], name: str) -> Any:
    """The relation called `name`, reverse ones by their accessor. Raises `BadPath`."""
    every: Any = model._meta.get_fields(include_hidden=True)
    for field in every:
        if not field.is_relation:
            continue
        accessor = field.get_accessor_name() if hasattr(field, "get_accessor_name") else field.name
        if accessor == name:
            return field
    raise BadPath(f"{model.__name__} has no relation {name!r}.", nearest(name, relation_names(model)))


def relation_names(model: type[models.Model]) -> list[str]:
    names = []
    every: Any = model._meta.get_fields()
    for field in every:
        if field.is_relation:
            name = field.get_accessor_name() if field.auto_created and not field.concrete else field.name
            if name:
                names.append(name)
    return names


def _field(model: type[models.Model], name: str, path: str) -> Any | None:
    name = model._meta.pk.name if name == "pk" else name
    try:
        return model._meta.get_field(name)
    except FieldDoesNotExist:
        for field in model._meta.concrete_fields:
            if field.attname == name:
                return field
        if hasattr(model, name):
            return None
    names = [field.name for field in model._meta.get_fields()]
    raise BadPath(f"{path!r}: {model.__name__} has no field {name!r}.", nearest(name, names))


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name; the known names where none is near."""
    known = sorted(set(known))
    near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known are: {', '.join(known)}."


def value_at(obj: Any, path: str) -> Any:
    """The value at the end of a path; None where a relation on the way is empty. Methods are called."""
    for part in path.split(SEPARATOR):
        if obj is None:
            return None
        try:
            obj = getattr(obj, part)
        except models.ObjectDoesNotExist:
            return None
    return obj() if callable(obj) and not isinstance(obj, type) else obj
