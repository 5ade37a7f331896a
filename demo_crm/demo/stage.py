"""Brings the demo up: data folder, environment, local Microsoft 365, database, web server, worker."""

from __future__ import annotations

import fcntl
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from opencrm_ms365.sandbox import seed

from .children import Child, ChildEnded, Children
from .ports import HOST

PROJECT = Path(__file__).resolve().parent.parent.parent
STATE_FILE = "microsoft.json"
ENVIRONMENT_FILE = "demo.env"
READY_S = 60.0
PREPARED_S = 180.0
#: What of the app's own environment stays when the demo says where Microsoft is.
KEPT = ("MS365_ENCRYPTION_KEYS", "MS365_ACTIVATION_PUBLIC_KEY")


class AlreadyRunning(Exception):
    """Another demo uses the same data folder."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other demos out of a data folder, which is made if it is not there. Raises `AlreadyRunning`."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise AlreadyRunning(
                f"The demo is running already with the data folder {folder}. Stop it first, or give this one a folder "
                "of its own with DEMO_DATA_DIR.") from None
        yield


def last_microsoft_port(folder: Path) -> int:
    """Where the local Microsoft 365 was the last time, so that it is found there again; 0 if there was no last time."""
    try:
        text = (folder / ENVIRONMENT_FILE).read_text(encoding="utf-8")
    except OSError:
        return 0
    found = re.search(r"^MS365_LOGIN_URL=http://[\d.]+:(\d{1,5})$", text, re.M)
    return int(found[1]) if found else 0


@dataclass(frozen=True)
class Stage:
    """Where everything of one demo is. `alone`: nothing of the surroundings is used, no database server, no Redis."""

    folder: Path
    crm_port: int
    microsoft_port: int
    alone: bool = False

    @property
    def crm_url(self) -> str:
        return f"http://{HOST}:{self.crm_port}"

    @property
    def microsoft_url(self) -> str:
        return f"http://{HOST}:{self.microsoft_port}"

    @property
    def settings(self) -> dict[str, str]:
        """What the demo adds to the environment, and leaves behind for commands that are started beside it."""
        return {
            "DEMO": "1",
            "MS365_CLIENT_ID": seed.CLIENT_ID,
            "MS365_CLIENT_SECRET": seed.CLIENT_SECRET,
            "MS365_LOGIN_URL": self.microsoft_url,
            "MS365_GRAPH_URL": self.microsoft_url,
        }

    @property
    def environment(self) -> dict[str, str]:
        """Of the child processes."""
        inherited = {name: value for name, value in os.environ.items()
                     if not name.startswith("MS365_") or name in KEPT}
        if self.alone:
            for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", *KEPT):
                inherited.pop(name, None)
        here = {"NO_PROXY": HOST, "no_proxy": HOST, "PYTHONUNBUFFERED": "1"}
        return {**inherited, **here, **self.settings, "DJANGO_SETTINGS_MODULE": "demo_crm.settings",
                "DEMO_DATA_DIR": str(self.folder)}

    def clear(self) -> None:
        """Forget both sides' data, but not the keys."""
        for pattern in ("demo.sqlite3*", f"{STATE_FILE}*"):
            for path in self.folder.glob(pattern):
                path.unlink()

    def bring_up(self, children: Children, say: Callable[[str], None]) -> None:
        """Start everything and wait until it answers. Raises `ChildEnded`."""
        lines = "".join(f"{name}={value}\n" for name, value in self.settings.items())
        (self.folder / ENVIRONMENT_FILE).write_text(lines, encoding="utf-8")
        say("Starting the local Microsoft 365 and preparing the CRM's database ...")
        microsoft = children.add(self._child(
            "The local Microsoft 365", "microsoft", "-m", "opencrm_ms365.sandbox", "--demo",
            "--port", str(self.microsoft_port), "--state", str(self.folder / STATE_FILE)))
        preparing = self._manage("Preparing the database", "prepare", "demo_data", "--migrate",
                                 "--tenant-id", seed.TENANT_ID)
        try:
            preparing.wait(PREPARED_S)
        finally:
            preparing.stop()
        say("Starting the CRM and its background worker ...")
        web = children.add(self._child(
            "The CRM's web server", "web", "-m", "waitress", "--threads=8",
            f"--listen={HOST}:{self.crm_port}", "demo_crm.wsgi:application"))
        children.add(self._manage("The background worker", "worker", "ms365_worker", "--grace", "10"))
        answers(f"{self.microsoft_url}/outlook/", microsoft)
        answers(f"{self.crm_url}/accounts/login/", web)
        children.check()

    def _manage(self, title: str, log: str, *arguments: str) -> Child:
        return self._child(title, log, str(PROJECT / "manage.py"), *arguments)

    def _child(self, title: str, log: str, *arguments: str) -> Child:
        command = [sys.executable, *arguments]
        return Child(title, command, self.environment, PROJECT, self.folder / "logs" / f"{log}.log")


def answers(url: str, child: Child) -> None:
    """Wait until a page is there. Raises `ChildEnded` when its process ends, or takes too long."""
    until = time.monotonic() + READY_S
    with requests.Session() as session:
        session.trust_env = False
        while True:
            child.check()
            try:
                if session.get(url, timeout=10).ok:
                    return
            except requests.RequestException:
                pass
            if time.monotonic() > until:
                raise ChildEnded(f"{child.title} does not answer at {url}. What it wrote last:\n\n{child.tail()}")
            time.sleep(0.1)
