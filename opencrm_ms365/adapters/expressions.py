"""Database expressions that say the same on SQLite and PostgreSQL: keys as text, folded text, ends of phone numbers.

SQLite knows no case of letters beyond ASCII and no regular replacement; there these are small Python functions,
registered with the connection when the query is compiled.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db.models import F, Func, TextField
from django.db.models.functions import Cast

#: Country and trunk prefixes stand in front: two spellings of one number share at least these last digits.
TAIL_DIGITS = 6
_NOT_A_DIGIT = re.compile(r"[^0-9]+")
_EXTENSION = re.compile(r"[xX#;,].*$", re.DOTALL)
_UUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


def fold(text: str | None) -> str | None:
    """Text as it is compared in searches: composed, without case, with single spaces."""
    return None if text is None else " ".join(unicodedata.normalize("NFC", str(text)).casefold().split())


def phone_tail(text: str | None) -> str | None:
    """The last digits of a phone number without its extension: equal for all spellings of one number."""
    if text is None:
        return None
    number = _EXTENSION.sub("", unicodedata.normalize("NFKC", str(text)))
    return _NOT_A_DIGIT.sub("", number)[-TAIL_DIGITS:]


class IdText(Func):
    """The primary key as the same text that `str(obj.pk)` is, dashes of a UUID included."""

    output_field = TextField()

    def __init__(self, expression: Any = "pk", *, is_uuid: bool = False, **extra: Any):
        super().__init__(F(expression) if isinstance(expression, str) else expression, **extra)
        self.is_uuid = is_uuid

    # Django hands over more by name.
    def as_sql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:  # type: ignore[override]
        sql, params = compiler.compile(self.get_source_expressions()[0])
        if self.is_uuid and not connection.features.has_native_uuid_field:
            parts = [f"SUBSTR({sql}, {start}, {length})" for start, length in _UUID_PARTS]
            if connection.vendor == "mysql":
                return f"CONCAT_WS('-', {', '.join(parts)})", [*params] * len(parts)
            return "(" + " || '-' || ".join(parts) + ")", [*params] * len(parts)
        kind = "CHAR" if connection.vendor == "mysql" else "TEXT"
        return f"CAST({sql} AS {kind})", params


class _PythonOnSqlite(Func):
    output_field = TextField()
    sqlite_name = ""
    arity = 1

    @staticmethod
    def python(text: str | None) -> str | None:
        raise NotImplementedError

    def __init__(self, expression: Any, **extra: Any):
        super().__init__(Cast(expression, TextField()), **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        connection.ensure_connection()
        connection.connection.create_function(self.sqlite_name, 1, self.python, deterministic=True)
        return super().as_sql(compiler, connection, function=self.sqlite_name, **extra)


class Folded(_PythonOnSqlite):
    """Text composed, without case, with single spaces. PostgreSQL folds as the database's character type says."""

    function = "LOWER"
    sqlite_name = "ms365_fold"
    python = staticmethod(fold)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        template = "LOWER(BTRIM(REGEXP_REPLACE(NORMALIZE(%(expressions)s, NFC), '[\\s\u00a0]+', ' ', 'g')))"
        return self.as_sql(compiler, connection, template=template, **extra)


class PhoneTail(_PythonOnSqlite):
    """The last digits of a phone number without its extension, as `phone_tail`."""

    function = "RIGHT"
    sqlite_name = "ms365_phone_tail"
    python = staticmethod(phone_tail)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        number = "REGEXP_REPLACE(%(expressions)s, '[xX#;,].*$', '')"
        template = f"RIGHT(REGEXP_REPLACE({number}, '[^0-9]+', '', 'g'), {TAIL_DIGITS})"
        return self.as_sql(compiler, connection, template=template, **extra)
