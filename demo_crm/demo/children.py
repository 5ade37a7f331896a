"""Child processes that live and die together.

Each runs in a process group of its own, so that a Ctrl-C in the terminal reaches the supervisor only and the children
end in order; and each is told to end when the supervisor itself is killed (on Linux).
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
LAST_LINES = 15
#: How long a child may take to end by itself, the worker's running task included.
PATIENCE_S = 20.0


class ChildEnded(Exception):
    """A child ended that should not have; the message is for people and holds the end of what it wrote."""


class Child:
    """One process. Everything it writes goes to a file."""

    def __init__(self, title: str, command: Sequence[str], env: Mapping[str, str], folder: Path, log: Path) -> None:
        self.title, self.log = title, log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs only
                list(command), env=dict(env), cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=_end_with(os.getpid()))

    def check(self) -> None:
        """Raises `ChildEnded` if it has ended."""
        code = self.process.poll()
        if code is not None:
            raise ChildEnded(f"{self.title} has ended{_how(code)}. What it wrote last ({self.log}):\n\n{self.tail()}")

    def wait(self, timeout_s: float) -> None:
        """For a child that does one thing and ends. Raises `ChildEnded` when it fails or takes too long."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise ChildEnded(f"{self.title} has not finished after {timeout_s:.0f} seconds; see {self.log}.") from None
        if code:
            self.check()

    def tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LAST_LINES:]) or "    (nothing)"

    def signal(self, number: int) -> None:
        """To the whole group: also to what the child has started."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def stop(self, patience_s: float = PATIENCE_S) -> None:
        """Ask it to end; insist when it does not. Nothing of its group is left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(patience_s)
            except subprocess.TimeoutExpired:
                pass
        self.signal(signal.SIGKILL)
        self.process.wait()


class Children:
    """All children, in the order of their start. They are stopped the other way round."""

    def __init__(self) -> None:
        self.all: list[Child] = []

    def add(self, child: Child) -> Child:
        self.all.append(child)
        return child

    def check(self) -> None:
        for child in self.all:
            child.check()

    def stop(self) -> None:
        while self.all:
            self.all.pop().stop()

    def watch(self, pause_s: float = 0.3) -> None:
        """For ever. Raises `ChildEnded` when a child ends."""
        while True:
            self.check()
            time.sleep(pause_s)


def _how(code: int) -> str:
    if code < 0:
        return f", killed by {signal.Signals(-code).name}"
    return f" with code {code}" if code else ""


def _end_with(parent: int) -> Callable[[], None] | None:
    """Run in the child before its program: SIGTERM when the supervisor dies without having been able to say so."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)

    def run() -> None:
        library.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return run
