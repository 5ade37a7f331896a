"""Serving a sandbox over real HTTP: in a thread for tests, in the foreground for people.

A plain threaded server with HTTP/1.1. Werkzeug's own handler closes the connection after each request and waits
10 ms for a body that may be left over; ours reads the body first and keeps the connection, so many small requests are
quick. It is meant for this machine only: there are no passwords, and whoever can reach it can change everything.
"""

from __future__ import annotations

import io
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

from werkzeug.serving import DechunkedInput, ThreadedWSGIServer, WSGIRequestHandler

from .faults import ConnectionCut
from .simulator import Sandbox
from .state_file import Keeper

logger = logging.getLogger(__name__)

#: The port of the command. Tests take a free one.
DEFAULT_PORT = 8365
#: A kept connection that says nothing for so many seconds is closed.
IDLE_S = 30.0
#: A longer body is not read at all.
MAX_BODY_BYTES = 64 * 1024 * 1024


class PortInUse(Exception):
    """Another program listens on that port; the message is for people."""


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 with kept connections, and no line on the terminal for each request."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def run_wsgi(self) -> None:
        """One request: read all of it, ask the application, send the whole answer in one write."""
        body = self._body()
        if body is None:
            self._send("413 Content Too Large", [], b"", close=True)
            return
        environ = self.make_environ()
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ.pop("wsgi.input_terminated", None)
        begun: list[Any] = ["500 Internal Server Error", []]

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            begun[:] = [status, headers]

        try:
            answer = self.server.app(environ, start_response)
            try:
                content = b"".join(answer)
            finally:
                if hasattr(answer, "close"):
                    answer.close()
        except ConnectionCut:
            self.close_connection = True
            return
        except Exception:       # the border of one request: the others go on
            logger.exception("The sandbox could not answer %s %s", self.command, self.path.split("?")[0])
            begun[:], content = ["500 Internal Server Error", []], b"The sandbox has a fault; see its terminal.\n"
        self._send(begun[0], begun[1], content)

    def _body(self) -> bytes | None:
        """The whole body; None when it is longer than any that Microsoft would read."""
        if self.headers.get("Expect", "").lower().strip() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = b""
            chunks = DechunkedInput(self.rfile)     # type: ignore[arg-type]  # a binary stream all the same
            while len(body) <= MAX_BODY_BYTES and (chunk := chunks.read(65536)):
                body += chunk
            return body if len(body) <= MAX_BODY_BYTES else None
        length = self.headers.get("Content-Length", "0").strip()
        if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            return None
        return self.rfile.read(int(length))

    def _send(self, status: str, headers: list[tuple[str, str]], content: bytes, *, close: bool = False) -> None:
        code = int(status.split()[0])
        names = {name.lower() for name, _ in headers}
        declared = next((value for name, value in headers if name.lower() == "content-length"), None)
        has_body = self.command != "HEAD" and code >= 200 and code not in (204, 304)
        # An answer shorter than it says (a fault) can only be ended by closing.
        cut_short = has_body and declared is not None and declared != str(len(content))
        self.close_connection = self.close_connection or close or cut_short
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        if "date" not in names:
            lines.append(f"Date: {self.date_time_string()}")
        if declared is None and has_body:
            lines.append(f"Content-Length: {len(content)}")
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        self.wfile.write(head + content if has_body else head)

    def log(self, type: str, message: str, *args: Any) -> None:
        """Nothing: the sandbox has a request log of its own."""


class _Server(ThreadedWSGIServer):
    daemon_threads = True

    def __init__(self, application: Callable[..., Iterable[bytes]], host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.connections: set[socket.socket] = set()
        try:
            listening = socket.create_server((host, port), family=family, backlog=128)
        except OSError as error:
            raise PortInUse(
                f"The sandbox cannot listen on {host}, port {port}: {os.strerror(error.errno or 0)}. "
                "If another program has the port, stop it or choose another one with --port."
            ) from error
        with closing(listening):
            super().__init__(host, port, application, handler=_Handler, fd=listening.fileno())

    @property
    def base_url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def stop(self) -> None:
        """Hang up on everybody: a client with a kept connection must notice that nobody is there any more."""
        self.server_close()
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass        # it has closed by itself


@contextmanager
def _listening(sandbox: Sandbox, host: str, port: int) -> Iterator[_Server]:
    """A server that has the port, and the state file's content if there is a state file."""
    with ExitStack() as stack:
        application: Callable[..., Iterable[bytes]] = sandbox.wsgi
        if sandbox.state_file:
            application = stack.enter_context(Keeper(sandbox, sandbox.state_file)).watch(application)
        server = _Server(application, host, port)
        stack.callback(server.stop)
        yield server


@contextmanager
def running(sandbox: Sandbox, port: int = 0, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve in a thread while the block runs; gives the base URL without a slash at its end.

    With a state file, its content replaces what the sandbox holds. Raises `PortInUse` and `StateFileUnusable`.
    """
    with _listening(sandbox, host, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True, name="sandbox")
        thread.start()
        try:
            yield server.base_url
        finally:
            server.shutdown()
            thread.join(timeout=5)


def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = DEFAULT_PORT,
          ready: Callable[[str], None] | None = None) -> None:
    """Serve in the foreground until Ctrl-C or SIGTERM; `ready` is told the base URL once the port is open.

    Raises `PortInUse` and `StateFileUnusable`.
    """
    with _listening(sandbox, host, port) as server, _stopped_by_sigterm():
        if ready is not None:
            ready(server.base_url)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            pass


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that the state is saved."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
