"""Encryption at rest with rotating keys: the first key encrypts, all of them decrypt."""

from __future__ import annotations

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ..conf import settings
from ..errors import ConfigurationError


class DecryptionFailed(Exception):
    """None of the configured keys can read this value: it was encrypted with a key that is gone."""


def _fernet() -> MultiFernet:
    try:
        keys = [Fernet(key) for key in settings.ENCRYPTION_KEYS]
        return MultiFernet(keys)
    except (ValueError, TypeError) as error:
        raise ConfigurationError("OPENCRM_MS365['ENCRYPTION_KEYS'] holds no usable Fernet key.") from error


def encrypt(value: Any) -> bytes:
    """Encrypt a value that JSON can express."""
    return _fernet().encrypt(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def decrypt(token: bytes | memoryview) -> Any:
    """The value back. Raises `DecryptionFailed` if no configured key fits."""
    try:
        return json.loads(_fernet().decrypt(bytes(token)))
    except (InvalidToken, ValueError) as error:
        raise DecryptionFailed("A stored value cannot be read with the configured encryption keys.") from error


def rotate(token: bytes | memoryview) -> bytes:
    """The same value encrypted with the first key. Raises `DecryptionFailed` if no configured key fits."""
    try:
        return _fernet().rotate(bytes(token))
    except InvalidToken as error:
        raise DecryptionFailed("A stored value cannot be read with the configured encryption keys.") from error
