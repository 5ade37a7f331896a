"""Which process is which: a name that no other process on any machine has, and whether its bearer is dead for certain.

The name is the host, the kernel's boot, the process number's name space, the process number and the moment at which the
process started. Containers of one machine have their own name spaces, so a process number alone says nothing.
"""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

SEPARATOR = "/"
UNKNOWN = "-"
HOST_LENGTH = 60
STATE, STARTED = 0, 19      # fields of /proc/PID/stat after the command's name, see proc(5)
DEAD_STATES = frozenset("ZXx")


def identity() -> str:
    """The name of this process, at most 150 characters. Threads share it, a fork has its own."""
    return _identity_of(os.getpid())


@lru_cache(maxsize=4)
def _identity_of(pid: int) -> str:
    return SEPARATOR.join([machine(), str(pid), _started(pid) or UNKNOWN])


@lru_cache(maxsize=1)
def machine() -> str:
    """The part of the name that all processes share which can see one another: host, boot, name space."""
    host = socket.gethostname().replace(SEPARATOR, "_")[:HOST_LENGTH] or UNKNOWN
    return SEPARATOR.join([host, _boot(), _name_space()])


def pid_of(name: str) -> int | None:
    """The process number in `name`, None when that process is not one that this process could see."""
    own, parts = machine(), name.split(SEPARATOR)
    if UNKNOWN in own.split(SEPARATOR) or not name.startswith(own + SEPARATOR) or len(parts) < 5:
        return None
    return int(parts[3]) if parts[3].isdecimal() else None


def is_dead(name: str) -> bool:
    """Whether the process of this name has certainly ended. False for every process that cannot be looked at."""
    pid = pid_of(name)
    if pid is None or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass        # alive, and somebody else's: its start tells whether it is still the same process
    started, now_started = name.split(SEPARATOR)[4], _started(pid)
    if started != UNKNOWN and now_started is not None and started != now_started:
        return True     # the number belongs to another process by now
    return _is_zombie(pid)


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip() or UNKNOWN
    except OSError:
        return UNKNOWN


def _name_space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid").strip("pid:[]") or UNKNOWN
    except OSError:
        return UNKNOWN


def _stat(pid: int) -> list[str] | None:
    try:
        # The command's name stands in brackets and may hold blanks and brackets itself.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _started(pid: int) -> str | None:
    """When a process started, in the kernel's clock ticks since the boot."""
    fields = _stat(pid)
    return fields[STARTED] if fields and len(fields) > STARTED else None


def _is_zombie(pid: int) -> bool:
    """A process that has ended and waits for its parent; one whose other threads still run is none."""
    fields = _stat(pid)
    if not fields or fields[STATE] not in DEAD_STATES:
        return False
    try:
        return len(os.listdir(f"/proc/{pid}/task")) <= 1
    except OSError:
        return False
