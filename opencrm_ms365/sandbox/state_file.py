"""Keeping the simulated Microsoft 365 in one JSON file, so that a restart forgets neither contacts nor sign-ins.

Kept: tenants, accounts, clients, mailboxes with the delta log, consents, tokens, the signing key and the switches.
Not kept: the request log, faults that wait, and how far the clock was moved.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .login import LoginState
from .options import Options
from .simulator import Sandbox
from .snapshot import NotReadable, Reader, Writer

FORMAT = "opencrm-ms365 sandbox"
#: Raised when older files can no longer be read.
VERSION = 1
#: How long changes wait before they are written, in seconds; a crash loses no more than that ...
DELAY_S = 0.5
#: ... unless writing takes long: then it waits so many times as long as the last one took.
SHARE = 5

_WORLD = ("tenants", "accounts", "clients", "mailboxes", "_parts")


class StateFileUnusable(Exception):
    """The file cannot be read; the message says why and what to do."""


def save(sandbox: Sandbox, path: str | Path) -> None:
    """Write the state; the old file stays whole until the new one is."""
    with sandbox.lock:
        sandbox.world.part(LoginState).signing_key()
        writer = Writer(_living(sandbox))
        document = {
            "format": FORMAT,
            "version": VERSION,
            "saved_at": sandbox.clock.now().isoformat(timespec="seconds"),
            "options": writer.encode(sandbox.options.as_dict()),
            "world": {name: writer.encode(getattr(sandbox.world, name)) for name in _WORLD},
            "access_tokens": writer.encode(sandbox.bearers.grants()),
        }
    _replace(Path(path), json.dumps(document, ensure_ascii=False, indent=None, separators=(",", ":")))


def load(sandbox: Sandbox, path: str | Path) -> None:
    """Replace what the sandbox holds by the file's content. Raises `StateFileUnusable`; then nothing is changed."""
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise NotReadable("It is not a state file of the sandbox.")
        if document.get("version") != VERSION:
            raise NotReadable(f"It has format version {document.get('version')}, this sandbox reads version {VERSION}.")
        reader = Reader(_living(sandbox))
        world = {name: reader.decode(document["world"][name]) for name in _WORLD}
        grants = reader.decode(document["access_tokens"])
        switches = _known(document["options"], reader)
    except (OSError, ValueError, KeyError) as error:
        raise StateFileUnusable(
            f"The state file {path} cannot be used: {error} Delete it or name another one to start afresh."
        ) from error
    with sandbox.lock:
        for name, value in world.items():
            setattr(sandbox.world, name, value)
        sandbox.bearers.restore(grants)
        sandbox.options.set(**switches)


def _living(sandbox: Sandbox) -> dict[str, object]:
    return {
        "world": sandbox.world,
        "options": sandbox.options,
        "clock": sandbox.clock,
        "ids": sandbox.world.ids,
        "lock": sandbox.lock,
    }


def _known(options: dict[str, Any], reader: Reader) -> dict[str, Any]:
    """The switches that this version knows, with values that it knows."""
    known: dict[str, Any] = {}
    for name, value in options.items():
        try:
            Options().set(**{name: reader.decode(value)})
        except ValueError:
            continue
        known[name] = reader.decode(value)
    return known


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)      # mkstemp made it readable for its owner only: it holds tokens
    except BaseException:
        os.unlink(name)
        raise


class Keeper:
    """Writes the file soon after something happened, in a thread, and once more at the end."""

    def __init__(self, sandbox: Sandbox, path: str | Path) -> None:
        self._sandbox = sandbox
        self._path = Path(path)
        self._dirty = threading.Event()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True, name="sandbox-state")

    def __enter__(self) -> Keeper:
        """Read the file if there is one. Raises `StateFileUnusable`."""
        if self._path.exists():
            load(self._sandbox, self._path)
        save(self._sandbox, self._path)     # an unwritable place is noticed now, not after an hour's work
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._ends.set()
        self._dirty.set()
        self._thread.join(timeout=30)
        save(self._sandbox, self._path)

    def watch(self, application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """The WSGI application, with each request taken for a possible change."""

        def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            try:
                return application(environ, start_response)
            finally:
                self._dirty.set()

        return watched

    def _work(self) -> None:
        took_s = 0.0
        while not self._ends.is_set():
            self._dirty.wait()
            # With a large mailbox writing takes long: most of the time should go to those who ask for something.
            if self._ends.wait(max(DELAY_S, SHARE * took_s)):
                return
            self._dirty.clear()
            began = time.monotonic()
            save(self._sandbox, self._path)
            took_s = time.monotonic() - began
