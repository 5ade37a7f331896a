"""Which address shows which page, and which form does what."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ..origin import is_foreign_post
from . import actions, activity, administration, calendar_actions, home, mail, people, planner_actions
from .frame import error_page

if TYPE_CHECKING:
    from ..simulator import Sandbox

STATIC = {"sandbox.css": "text/css", "calendar.css": "text/css", "mark.svg": "image/svg+xml"}
_MAILBOX = re.compile(r"/outlook/(?P<upn>[^/]+@[^/]+)(?P<rest>/.*)?")


def handle(sandbox: Sandbox, request: Request) -> Response:
    """Answer a request for a page; 404 with a friendly page for an address that there is not."""
    if is_foreign_post(request):
        return error_page(403, "This form was sent from another site", "Open the page here and try it again.")
    try:
        with sandbox.lock:
            return _answer(sandbox, request)
    except NotFound as error:
        return error_page(404, "There is nothing here", error.description or "")
    except HTTPException as error:
        return error_page(error.code or 400, error.name, error.description or "")


def _answer(sandbox: Sandbox, request: Request) -> Response:
    path = request.path
    if path.startswith("/static/"):
        return _static(path.removeprefix("/static/"))
    if path in ("/", "/outlook"):
        return redirect("/outlook/")
    if path == "/favicon.ico":
        return redirect("/static/mark.svg")
    if path == "/outlook/":
        return home.page_of(sandbox)
    if path == "/outlook/activity":
        return activity.page_of(sandbox, request)
    if path == "/outlook/mail":
        return mail.page_of(sandbox, request)
    if path == "/outlook/administration":
        return administration.answer(sandbox, request)
    found = _MAILBOX.fullmatch(path)
    account = sandbox.world.account(found["upn"]) if found else None
    if found is None or account is None:
        raise NotFound("Perhaps the mailbox has another name, or the sandbox was started without it.")
    if not found["rest"]:
        return redirect(f"{path}/")
    if found["rest"].startswith("/calendar"):
        return calendar_actions.answer(sandbox, request, account, found["rest"])
    if found["rest"].startswith("/planner"):
        return planner_actions.answer(sandbox, request, account, found["rest"])
    if request.method == "POST":
        return actions.do(sandbox, request, account, found["rest"])
    if found["rest"] == "/":
        return people.page_of(sandbox, request, account)
    raise NotFound("This page does not exist.")


def _static(name: str) -> Response:
    if name not in STATIC:
        raise NotFound("This file does not exist.")
    content = files(__package__).joinpath("../static").joinpath(name).read_bytes()
    return Response(content, 200, {"Cache-Control": "max-age=60"}, content_type=f"{STATIC[name]}; charset=utf-8")
