"""Turning the simulator's objects into JSON and back, whatever services there will be.

Objects of the sandbox's own classes are written field by field, each once; later mentions refer to the first. Only
such classes can be read back: a file cannot name any other. What lives (the world, its clock, its switches) is
mentioned by name and put in again. A field that a newer version has added gets its default.
"""

from __future__ import annotations

import base64
import dataclasses
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

_PACKAGE = __package__ or ""
_SEQUENCES: dict[str, Any] = {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}
_NOT_KEPT = "NOT_KEPT"      # a class may name fields that live only as long as the process


class NotReadable(ValueError):
    """The text is no snapshot, or one of another version of the sandbox."""


class Writer:
    """Encodes values. `living` gives the names of objects that are mentioned, not written."""

    def __init__(self, living: Mapping[str, object]) -> None:
        self._living = {id(value): name for name, value in living.items()}
        self._numbers: dict[int, int] = {}
        self._kept: list[object] = []       # so that no id() is used again while we write

    def encode(self, value: Any) -> Any:
        """JSON-able. Raises `TypeError` for what cannot be kept in a file."""
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, list):
            return [self.encode(entry) for entry in value]
        if isinstance(value, (dict, OrderedDict)):
            return self._mapping(value)
        for name, kind in _SEQUENCES.items():
            if type(value) is kind:
                # A set has no order of its own: the same state is the same text.
                entries = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
                return {"$": name, "of": [self.encode(entry) for entry in entries]}
        if isinstance(value, datetime):
            return {"$": "time", "of": value.isoformat()}
        if isinstance(value, bytes):
            return {"$": "bytes", "of": base64.b64encode(value).decode()}
        if isinstance(value, type):
            return {"$": "class", "of": _name(value)}
        return self._object(value)

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        plain = type(value) is dict and all(isinstance(key, str) for key in value) and "$" not in value
        if plain:
            return {key: self.encode(entry) for key, entry in value.items()}
        kind = "ordered" if isinstance(value, OrderedDict) else "pairs"
        return {"$": kind, "of": [[self.encode(key), self.encode(entry)] for key, entry in value.items()]}

    def _object(self, value: Any) -> Any:
        if id(value) in self._living:
            return {"$": "living", "of": self._living[id(value)]}
        if id(value) in self._numbers:
            return {"$": "same", "of": self._numbers[id(value)]}
        name = _name(type(value))
        number = self._numbers[id(value)] = len(self._numbers) + 1
        self._kept.append(value)
        fields = {field: self.encode(getattr(value, field)) for field in _fields(value) if hasattr(value, field)}
        return {"$": "object", "of": name, "number": number, "fields": fields}


class Reader:
    """Decodes what a `Writer` has made."""

    def __init__(self, living: Mapping[str, object]) -> None:
        self._living = living
        self._objects: dict[int, Any] = {}

    def decode(self, value: Any) -> Any:
        """The value. Raises `NotReadable`."""
        if isinstance(value, list):
            return [self.decode(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        if "$" not in value:
            return {key: self.decode(entry) for key, entry in value.items()}
        try:
            return self._special(value["$"], value)
        except (KeyError, AttributeError, ImportError, TypeError) as error:
            raise NotReadable(f"{value.get('$')} {value.get('of')!s:.80}") from error

    def _special(self, kind: str, value: dict[str, Any]) -> Any:
        content = value["of"]
        if kind in _SEQUENCES:
            return _SEQUENCES[kind](self.decode(entry) for entry in content)
        if kind in ("pairs", "ordered"):
            pairs = [(self.decode(key), self.decode(entry)) for key, entry in content]
            return OrderedDict(pairs) if kind == "ordered" else dict(pairs)
        if kind == "time":
            return datetime.fromisoformat(content)
        if kind == "bytes":
            return base64.b64decode(content)
        if kind == "class":
            return _class(content)
        if kind == "living":
            return self._living[content]
        if kind == "same":
            return self._objects[content]
        if kind == "object":
            return self._object(_class(content), value)
        raise NotReadable(f"unknown kind {kind}")

    def _object(self, cls: type, value: dict[str, Any]) -> Any:
        made: Any = object.__new__(cls)
        self._objects[value["number"]] = made
        for field, content in value["fields"].items():
            object.__setattr__(made, field, self.decode(content))
        for field, default in _defaults(cls):
            if not hasattr(made, field):
                object.__setattr__(made, field, default)
        return made


def _fields(value: object) -> list[str]:
    slots = [name for cls in type(value).__mro__ for name in _as_tuple(vars(cls).get("__slots__", ()))]
    named = list(dict.fromkeys([*slots, *vars(value)])) if hasattr(value, "__dict__") else slots
    not_kept = getattr(type(value), _NOT_KEPT, ())
    return [name for name in named if name not in not_kept and name not in ("__weakref__", "__dict__")]


def _as_tuple(slots: str | Iterable[str]) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _defaults(cls: type) -> Iterable[tuple[str, Any]]:
    if not dataclasses.is_dataclass(cls):
        return
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            yield field.name, field.default
        elif field.default_factory is not dataclasses.MISSING:
            yield field.name, field.default_factory()


def _name(cls: type) -> str:
    if not cls.__module__.startswith(f"{_PACKAGE}."):
        raise TypeError(f"The sandbox cannot keep a {cls.__module__}.{cls.__qualname__} in a file.")
    return f"{cls.__module__[len(_PACKAGE) + 1:]}:{cls.__qualname__}"


def _class(name: str) -> type:
    module, _, qualname = name.partition(":")
    found = getattr(import_module(f"{_PACKAGE}.{module}"), qualname)
    if not isinstance(found, type) or not found.__module__.startswith(f"{_PACKAGE}."):
        raise NotReadable(f"{name} is no class of the sandbox")
    return found
