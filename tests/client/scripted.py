"""A web server that says what the test tells it to: for answers that no well-behaved service gives."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CUT = object()  # close the connection without an answer
CUT_IN_BODY = object()  # send half of the answer


@dataclass
class Seen:
    method: str
    path: str
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


@dataclass
class Reply:
    status: int = 200
    body: object = None
    headers: dict = field(default_factory=dict)
    cut: object = None

    def content(self):
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


class Scripted:
    """Answers with the queued replies in order, then with `otherwise`; keeps what it was asked."""

    def __init__(self):
        self.replies = []
        self.seen = []
        self.otherwise = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self):
                length = int(self.headers.get("Content-Length") or 0)
                seen = Seen(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
                outer.seen.append(seen)
                reply = outer.replies.pop(0) if outer.replies else outer.otherwise
                if callable(reply):
                    reply = reply(seen)
                if reply is None:
                    reply = Reply(500, {"error": {"code": "NothingScripted"}})
                if reply is CUT:
                    self.close_connection = True
                    with contextlib.suppress(OSError):
                        self.connection.shutdown(socket.SHUT_RDWR)
                    return
                content = reply.content()
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if reply.cut is CUT_IN_BODY:
                    content = content[: len(content) // 2]
                    self.close_connection = True
                with contextlib.suppress(OSError):
                    self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_DELETE = _any

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def say(self, *replies):
        self.replies.extend(replies)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def ok(body=None, **headers):
    return Reply(200, body, headers)


def error(status, code="", inner="innerError", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"error": {"code": code, "message": "ada@brightwell.example is not welcome",
                                    inner: {"request-id": "r", "date": "2026-11-22T10:00:00"}}},
                 {"request-id": "5f0c1d7e-0000-4000-8000-000000000001"} | headers)
