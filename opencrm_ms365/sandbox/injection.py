"""Carrying out the faults around a request of the login; Graph's own pipeline uses the same pieces.

`before` waits, cuts or answers in place of the work; `after` spoils the answer of work that was done.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from .faults import ConnectionCut, Fault

if TYPE_CHECKING:
    from .requestlog import LoggedRequest
    from .simulator import Sandbox


def around(sandbox: Sandbox, request: Request, entry: LoggedRequest,
           handle: Callable[[Sandbox, Request], Response]) -> Response:
    """Answer a request of the login, with whatever fault is waiting for it."""
    drawn = sandbox.faults.draw(request.method, request.full_path.rstrip("?"))
    entry.faults += map(str, drawn)
    sandbox.faults.wait(drawn)
    blow = next((fault for fault in drawn if not fault.is_latency_only), None)
    if blow is not None and blow.cut == "before":
        raise ConnectionCut("cut before the effect")
    if blow is not None and blow.status is not None and not blow.after_effect:
        response = _in_place(sandbox, blow)
    else:
        response = handle(sandbox, request)
        if blow is not None and blow.cut == "after":
            raise ConnectionCut("cut after the effect")
        if blow is not None and blow.status is not None:
            response = _in_place(sandbox, blow)
        elif blow is not None and blow.truncate:
            response = truncated(response, blow)
    entry.status = response.status_code
    return response


def retry_after_text(sandbox: Sandbox, value: float | str) -> str:
    """The Retry-After header for so many seconds in the form of `options.retry_after_form`; text as it is."""
    if isinstance(value, str):
        return value
    form = sandbox.options.retry_after_form
    if form == "date":
        # HTTP dates have whole seconds: round up, so that nobody is told to come too early.
        return format_datetime(sandbox.clock.now() + timedelta(seconds=math.ceil(value)), usegmt=True)
    if form == "fractional":
        return f"{float(value):.3f}"
    return str(int(value)) if float(value).is_integer() else str(value)


def fault_headers(sandbox: Sandbox, fault: Fault) -> dict[str, str]:
    """The headers that a fault adds to its answer."""
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = retry_after_text(sandbox, fault.retry_after)
    return headers


def truncated(response: Response, fault: Fault) -> Response:
    """Half of the answer: with a fitting Content-Length ("json"), or with the whole one's ("length")."""
    whole = response.get_data()
    half = Response(whole[: len(whole) // 2], response.status_code, dict(response.headers))
    half.automatically_set_content_length = False
    half.headers["Content-Length"] = str(len(whole) if fault.truncate == "length" else len(whole) // 2)
    return half


def _in_place(sandbox: Sandbox, fault: Fault) -> Response:
    body = fault.body if fault.body is not None else {
        "error": fault.code or "temporarily_unavailable", "error_description": "A fault was asked for."}
    return Response(json.dumps(body), fault.status, fault_headers(sandbox, fault), mimetype="application/json")
