"""The demo's own keys: made at the first start, kept in the data folder, readable by their owner only.

They serve where the environment gives none, so that a newcomer has nothing to configure. An installation that runs on
more than one machine sets SECRET_KEY and MS365_ENCRYPTION_KEYS in the environment instead.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.exceptions import ImproperlyConfigured

FILE_NAME = "keys.json"
NAMES = ("secret_key", "encryption_key")
VENDOR_FILE_NAME = "vendor.json"
VENDOR_NAMES = ("private", "public")


def own_keys(folder: Path) -> dict[str, str]:
    """The keys of this data folder: `secret_key` and `encryption_key`, made and stored if there are none yet.

    Two processes that start at the same moment end with the same keys. Raises `ImproperlyConfigured` when the folder
    cannot be written or the file is damaged: new keys would make what the old ones encrypted unreadable.
    """
    return _kept(folder / FILE_NAME, NAMES, lambda: (secrets.token_urlsafe(50), Fernet.generate_key().decode()))


def vendor_keys(folder: Path) -> dict[str, str]:
    """The demo is its own vendor: the `private` and `public` key that its activation key is issued and checked with."""
    return _kept(folder / VENDOR_FILE_NAME, VENDOR_NAMES, _vendor_pair)


def _vendor_pair() -> tuple[str, str]:
    pair = Ed25519PrivateKey.generate()
    return _text(pair.private_bytes_raw()), _text(pair.public_key().public_bytes_raw())


def _text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def _kept(path: Path, names: tuple[str, ...], make: Callable[[], tuple[str, ...]]) -> dict[str, str]:
    try:
        if not path.exists():
            _make(path, dict(zip(names, make(), strict=True)))
        keys = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ImproperlyConfigured(
            f"The demo keeps its keys in {path}, and that does not work: {error.strerror}. Set DEMO_DATA_DIR to a "
            "folder that can be written, or set SECRET_KEY and MS365_ENCRYPTION_KEYS."
        ) from error
    except ValueError as error:
        raise ImproperlyConfigured(_damaged(path)) from error
    if not isinstance(keys, dict) or not all(isinstance(keys.get(name), str) and keys[name] for name in names):
        raise ImproperlyConfigured(_damaged(path))
    return {name: keys[name] for name in names}


def _damaged(path: Path) -> str:
    return f"The key file {path} is damaged. Restore it from a backup; or delete the data folder to start anew."


def _make(path: Path, keys: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".keys-")     # mkstemp: mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(keys, stream)
        os.link(temporary, path)            # fails where another process was quicker: its keys are the keys
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
