"""Outgoing mail: what meetings have caused, the newest first. Nothing of it was really sent."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ..html import avatar, each
from ..mails import Mail
from .frame import day, framed

if TYPE_CHECKING:
    from ..simulator import Sandbox

ADDRESS = "/outlook/mail"
SHOWN = 300
KINDS = {"invitation": "Invitation", "update": "Update", "cancellation": "Cancellation", "answer": "Answer"}
_TONES = {"invitation": "good", "update": "", "cancellation": "bad", "answer": "wait"}
_MAIL = Markup(
    '<li><span class="time">{time}</span>{who}<div><div class="line"><p><span class="tag {tone}">{kind}</span> '
    '<b>{subject}</b></p></div><p class="quiet">{sender} → {recipient}{comment}</p></div></li>'
)
_CHIP = Markup('<a class="chip" href="{url}"{current}>{name}</a>')


def page_of(sandbox: Sandbox, request: Request) -> Response:
    """The page; a POST forgets the mail so far."""
    if request.method == "POST":
        sandbox.clear_mails()
        return redirect(ADDRESS, 303)
    kind = request.args.get("kind", "")
    mails = [mail for mail in sandbox.mails if kind in ("", mail.kind)]
    content = Markup(
        '<main class="narrow wide"><div class="title"><h1>Outgoing mail</h1><div class="buttons">'
        '<a class="button" href="{here}">Refresh</a><form method="post"><button>Clear</button></form></div></div>'
        '<p class="lead">What meetings made Exchange send: invitations, updates, cancellations and answers. Here '
        'nothing leaves the sandbox.</p><div class="chips"><span>{chips}</span></div>{log}</main>'
    ).format(here=_link(kind), chips=each(_CHIP, (_chip(sandbox, name, kind) for name in ("", *KINDS))),
             log=_log(sandbox, mails[::-1][:SHOWN]))
    return framed("Outgoing mail", content, kind="plain", current="mail")


def _log(sandbox: Sandbox, mails: list[Mail]) -> Markup:
    if not mails:
        return Markup('<p class="nobody quiet">Nothing was sent. Invite somebody to a meeting.</p>')
    now = sandbox.clock.now()
    days = Markup("")
    for title, group in groupby(mails, key=lambda mail: day(mail.at, now)):
        rows = each(_MAIL, (_row(sandbox, mail) for mail in group))
        days += Markup('<h2>{}</h2><ol class="log">{}</ol>').format(title, rows)
    return days


def _row(sandbox: Sandbox, mail: Mail) -> dict[str, Any]:
    return {
        "time": f"{mail.at.astimezone():%H:%M:%S}", "who": avatar(_name(sandbox, mail.sender)),
        "kind": KINDS[mail.kind], "tone": _TONES[mail.kind], "subject": mail.subject or "(no subject)",
        "sender": _name(sandbox, mail.sender), "recipient": _name(sandbox, mail.recipient),
        "comment": f": “{mail.comment}”" if mail.comment else "",
    }


def _name(sandbox: Sandbox, address: str) -> str:
    account = sandbox.world.account(address)
    return account.display_name if account is not None else address


def _chip(sandbox: Sandbox, kind: str, current: str) -> dict[str, Any]:
    count = sum(kind in ("", mail.kind) for mail in sandbox.mails)
    return {"url": _link(kind), "name": f"{KINDS[kind] + 's' if kind else 'Everything'} {count}",
            "current": Markup(' aria-current="true"') if kind == current else ""}


def _link(kind: str) -> str:
    return f"{ADDRESS}?{urlencode({'kind': kind})}" if kind else ADDRESS
