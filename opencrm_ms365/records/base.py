"""What all records share: the value for *not mapped*, canonical text, and digests of fields."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import Any, Final, Self


class _Unset(Enum):
    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


#: The CRM has no such field: never sent, never compared, never cleared on the other side. Falsy, but not `None`.
UNSET: Final = _Unset.UNSET
Unset = _Unset


def is_set(value: object) -> bool:
    """True unless the value is `UNSET`. Note that *empty* (`None`, `()`) is set."""
    return value is not UNSET


_CONTROLS = {code: None for code in range(32) if chr(code) not in "\n\t"} | {127: None}


def clean_text(value: str | None) -> str | None:
    """Canonical text: NFC, `\\n` line ends, no surrounding space; nothing left is `None`.

    Control characters and halves of surrogate pairs go: neither JSON nor a database column keeps them.
    """
    if value is None:
        return None
    lines = value.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    text = unicodedata.normalize("NFC", lines.encode("utf-8", "ignore").decode()).strip()
    return text or None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Record:
    """A frozen value. Its `repr` names the fields that are set, never their contents: it may reach a log (PRIV-03)."""

    def set_fields(self) -> Iterator[str]:
        """Names of the fields that the CRM maps, in the order of declaration."""
        for field in dataclasses.fields(self):
            if is_set(getattr(self, field.name)):
                yield field.name

    def values(self) -> dict[str, Any]:
        """Field name to value, without the fields that are not mapped."""
        return {name: getattr(self, name) for name in self.set_fields()}

    def only(self, names: set[str] | frozenset[str]) -> Self:
        """The same record with every field outside `names` not mapped."""
        return type(self)(**{name: value for name, value in self.values().items() if name in names})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {', '.join(self.set_fields()) or 'nothing'}>"


def digest(value: object, key: bytes) -> str:
    """A keyed digest of one canonical value: 22 characters that reveal nothing of it without the key.

    Equal values have equal digests in every process and Python version.
    """
    text = json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    mac = hmac.new(key, text.encode(), hashlib.sha256).digest()[:16]
    return _base64url(mac)


def _base64url(raw: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return {name: _plain(item) for name, item in value.values().items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return ["instant", value.isoformat()]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if isinstance(value, Enum):
        return ["enum", value.name]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{type(value).__name__} has no digest")
