"""Which ports the demo listens on."""

from __future__ import annotations

import socket

HOST = "127.0.0.1"
CRM_PORT = 8000
MICROSOFT_PORT = 8365


def is_free(port: int) -> bool:
    """Whether one can listen on this port of this machine now. Another program may still be quicker."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)     # a port that was just left counts as free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(taken: tuple[int, ...] = ()) -> int:
    """Some free port that is not among `taken`."""
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port
