"""Between what a column holds and what a record says: text, days, instants, yes and no.

Nothing is guessed. What cannot be read is *not mapped* (`UNSET`): it is then neither compared nor sent. What a column
cannot hold raises `CannotHold`, and the CRM keeps what it has.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from ..records import UNSET
from ..records.base import clean_text
from ..records.task import Priority, Status


class Shape(Enum):
    """What kind of value a field of a record has."""

    TEXT = auto()
    TEXTS = auto()
    ADDRESS = auto()
    DATE = auto()
    INSTANT = auto()
    FLAG = auto()
    NUMBER = auto()
    STATUS = auto()
    PRIORITY = auto()
    ANY = auto()


class CannotHold(Exception):
    """The column cannot hold this value; `reason` completes `The field ...`."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def from_column(value: Any, shape: Shape, tz: datetime.tzinfo) -> Any:
    """A column's value in the shape of the record's field."""
    return _READERS[shape](value, tz)


def _read_text(value: Any, tz: datetime.tzinfo) -> Any:
    if value is None or isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool):
        return UNSET
    return clean_text(str(value))


def _read_date(value: Any, tz: datetime.tzinfo) -> Any:
    if isinstance(value, datetime.datetime):
        return (timezone.localtime(value, tz) if timezone.is_aware(value) else value).date()
    if value is None or isinstance(value, datetime.date):
        return value
    text = clean_text(str(value))
    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return UNSET


def _read_instant(value: Any, tz: datetime.tzinfo) -> Any:
    if value is None:
        return None
    if isinstance(value, datetime.datetime):
        aware = value if timezone.is_aware(value) else timezone.make_aware(value, timezone.get_default_timezone())
        return aware.astimezone(datetime.UTC)
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time(), tz).astimezone(datetime.UTC)
    return UNSET


def _read_texts(value: Any, tz: datetime.tzinfo) -> Any:
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(filter(None, [clean_text(value)]))
    return tuple(text for item in value if (text := _read_text(item, tz)))


def _read_number(value: Any, tz: datetime.tzinfo) -> Any:
    if value is None or value == "":
        return None
    try:
        return int(value)
    except (ValueError, TypeError):
        return UNSET


def _enum_reader(kind: type[Enum]) -> Callable[[Any, datetime.tzinfo], Any]:
    """A column that holds our own words (`"low"`, `"done"`) needs no map; other words are not mapped."""
    known = {item.value: item for item in kind}

    def read(value: Any, tz: datetime.tzinfo) -> Any:
        return value if isinstance(value, kind) else None if value in (None, "") else known.get(str(value), UNSET)

    return read


_READERS: dict[Shape, Callable[[Any, datetime.tzinfo], Any]] = {
    Shape.TEXT: _read_text,
    Shape.TEXTS: _read_texts,
    Shape.DATE: _read_date,
    Shape.INSTANT: _read_instant,
    Shape.FLAG: lambda value, tz: bool(value),
    Shape.NUMBER: _read_number,
    Shape.STATUS: _enum_reader(Status),
    Shape.PRIORITY: _enum_reader(Priority),
    Shape.ADDRESS: lambda value, tz: value,
    Shape.ANY: lambda value, tz: value,
}


def storable(text: str) -> str:
    """Text that every database takes: without NUL and without halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def to_column(field: Any, value: Any, tz: datetime.tzinfo) -> tuple[Any, str]:
    """What to assign to a column, and why something was left out (`""`: nothing). Raises `CannotHold`."""
    if value is None:
        return _empty(field), ""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(field, (models.CharField, models.TextField)):
        return _text_column(field, value)
    if isinstance(value, str) and isinstance(field, models.BooleanField):
        raise CannotHold("holds only yes or no")
    if isinstance(field, models.DateTimeField):
        return _instant_column(value, tz), ""
    if isinstance(field, models.DateField) and isinstance(value, datetime.datetime):
        return (timezone.localtime(value, tz) if timezone.is_aware(value) else value).date(), ""
    try:
        return field.to_python(storable(value) if isinstance(value, str) else value), ""
    except (ValidationError, ValueError, TypeError):
        raise CannotHold("cannot hold this value") from None


def _empty(field: Any) -> Any:
    if field.null:
        return None
    if isinstance(field, (models.CharField, models.TextField, models.FileField)) or field.empty_strings_allowed:
        return ""
    if isinstance(field, models.BooleanField):
        return False
    raise CannotHold("must not be empty in the CRM")


def _text_column(field: Any, value: Any) -> tuple[Any, str]:
    text = storable(value.isoformat() if isinstance(value, datetime.date) else str(value))
    if field.choices and field.flatchoices and text not in {str(key) for key, _label in field.flatchoices}:
        raise CannotHold("takes only certain values in the CRM, and this is none of them")
    if field.max_length is not None and len(text) > field.max_length:
        return text[: field.max_length].rstrip(), f"was shortened to the {field.max_length} characters that fit"
    return text, ""


def _instant_column(value: Any, tz: datetime.tzinfo) -> Any:
    if isinstance(value, str):
        raise CannotHold("holds only a date and time")
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime.combine(value, datetime.time(), tz)
    if settings.USE_TZ:
        return value if timezone.is_aware(value) else timezone.make_aware(value, tz)
    return timezone.make_naive(value, timezone.get_default_timezone()) if timezone.is_aware(value) else value
