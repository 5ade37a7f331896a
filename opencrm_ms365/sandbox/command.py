"""What `manage.py ms365_sandbox` and `python -m opencrm_ms365.sandbox` have in common: options, start, words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from . import seed
from .server import DEFAULT_PORT, PortInUse, serve
from .simulator import Sandbox
from .state_file import StateFileUnusable

HELP = "Start a local Microsoft 365 for trying things out and for tests: sign-in, Graph, and Outlook's web pages."
#: Reaching it from other machines would let them read and change everything.
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class CannotStart(Exception):
    """The sandbox does not start; the message is for people."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="port to listen on (default %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--demo", action="store_true", help="begin with Brightwell & Sons, its people and contacts")
    parser.add_argument("--state", metavar="FILE", default="", help="keep everything in this JSON file")
    parser.add_argument("--auto-approve", action="store_true", help="sign in whoever the application names, unasked")


def run(*, port: int, host: str, demo: bool, state: str, auto_approve: bool, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C. A state file that exists wins over `demo`. Raises `CannotStart`."""
    if not 0 <= port <= 65535:
        raise CannotStart(f"{port} is not a port: it must be between 0 and 65535.")
    sandbox = Sandbox(state_file=state or None)
    continues = bool(state) and Path(state).exists()
    if demo and not continues:
        seed.demo(sandbox)

    def ready(base_url: str) -> None:
        if auto_approve:
            sandbox.options.set(auto_approve=True)
        for line in welcome(sandbox, base_url, state, continues=continues, host=host):
            say(line)

    try:
        serve(sandbox, host, port, ready)
    except (PortInUse, StateFileUnusable) as error:
        raise CannotStart(str(error)) from error
    except OSError as error:
        raise CannotStart(f"The state file {state} cannot be written: {os.strerror(error.errno or 0)}.") from error
    say("The sandbox has stopped." + (f" Its state is in {state}." if state else ""))


def welcome(sandbox: Sandbox, base_url: str, state: str, *, continues: bool, host: str) -> list[str]:
    """What somebody wants to know who has just started it."""
    lines = [
        f"The Microsoft 365 sandbox is running at {base_url}/",
        f"  Outlook pages     {base_url}/outlook/",
        f"  Sign-in address   {base_url}    (LOGIN_URL)",
        f"  Graph address     {base_url}    (GRAPH_URL)",
    ]
    lines += [f"  Client            {c.client_id}, secret {c.secret}" for c in sandbox.world.clients.values()]
    lines += [f"  Account           {account.upn}" for account in sandbox.world.accounts.values()]
    if not sandbox.world.accounts:
        lines.append("  It is empty: start it with --demo, or fill it through /control/.")
    if state:
        lines.append(f"  State             {state}" + (" (taken up again)" if continues else ""))
    if host not in LOOPBACK:
        lines.append("Whoever can reach this address can read and change everything: it has no passwords.")
    return [*lines, "Stop it with Ctrl-C."]
