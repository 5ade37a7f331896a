"""What the CRM's validation says, in words that may be shown and logged: without the values it complains about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError

_HIDDEN = "…"
_VALUES = frozenset({"value", "show_value"})


def masked(errors: Iterable[ValidationError], obj: Any) -> str:
    """The messages of validation errors, with the values of the record taken out (PRIV-03)."""
    texts = list(dict.fromkeys(_message(error) for item in errors for error in item.error_list))
    contents = sorted(_contents(obj), key=len, reverse=True)
    return " ".join(_without(text, contents) for text in texts)


def _message(error: ValidationError) -> str:
    if isinstance(error.params, Mapping):
        return str(error.message) % {key: _HIDDEN if key in _VALUES else value for key, value in error.params.items()}
    return str(error.message)


def _contents(obj: Any) -> set[str]:
    values = (obj.__dict__.get(column.attname) for column in obj._meta.concrete_fields)
    return {value for value in values if isinstance(value, str) and value.strip()}


def _without(text: str, contents: Iterable[str]) -> str:
    for value in contents:
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", _HIDDEN, text)
    return text
