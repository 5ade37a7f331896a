"""What the CRM did: the request log in plain words, the newest first."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from markupsafe import Markup
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ..html import avatar, each
from ..requestlog import LoggedRequest
from .frame import day, framed
from .wording import Wording, is_write, status_words

if TYPE_CHECKING:
    from ..simulator import Sandbox

SHOWN = 300
ADDRESS = "/outlook/activity"
_ENTRY = Markup(
    '<li class="{kind}"><span class="time">{time}</span>{who}<div><div class="line"><p>{words} '
    '<span class="tag {tone}">{status}</span>{faults}</p>{details}</div>{inside}</div></li>'
)
_INNER = Markup(
    '<li class="{kind} line"><p>{words} <span class="tag {tone}">{status}</span>{faults}</p>{details}</li>'
)


def page_of(sandbox: Sandbox, request: Request) -> Response:
    """The log, of one mailbox or all, with everything or only what changed something."""
    if request.method == "POST":
        sandbox.requests.clear()
        return redirect(ADDRESS, 303)
    mailbox, only = request.args.get("mailbox", ""), request.args.get("only", "")
    entries = [entry for entry in sandbox.requests if not mailbox or entry.account.lower() == mailbox.lower()]
    inner: dict[int, list[LoggedRequest]] = defaultdict(list)
    for entry in entries:
        if entry.batch is not None:
            inner[entry.batch].append(entry)
    outer = [entry for entry in entries if entry.batch is None]
    if only == "changes":
        inner = defaultdict(list, {key: [e for e in group if is_write(e)] for key, group in inner.items()})
        outer = [entry for entry in outer if is_write(entry) or inner[entry.number]]
    outer = outer[::-1][:SHOWN]
    content = Markup(
        '<main class="narrow wide"><div class="title"><h1>What the CRM did</h1><div class="buttons">'
        '<a class="button" href="{here}">Refresh</a><form method="post"><button>Clear</button></form></div></div>'
        '<p class="lead">Every request that came in, the newest first.</p>'
        '<div class="chips">{filters}</div>{log}</main>'
    ).format(here=_link(mailbox, only), filters=_filters(sandbox, mailbox, only), log=_log(sandbox, outer, inner))
    return framed("What the CRM did", content, kind="plain", current="activity")


def _link(mailbox: str, only: str) -> str:
    query = urlencode({k: v for k, v in (("mailbox", mailbox), ("only", only)) if v})
    return f"{ADDRESS}?{query}" if query else ADDRESS


def _filters(sandbox: Sandbox, mailbox: str, only: str) -> Markup:
    chips = [("Everything", _link(mailbox, ""), not only), ("Changes only", _link(mailbox, "changes"), bool(only))]
    people = [("Everybody", _link("", only), not mailbox)]
    people += [(account.display_name, _link(account.upn, only), account.upn == mailbox)
               for account in sandbox.world.accounts.values()]
    template = Markup('<a class="chip" href="{url}"{current}>{name}</a>')

    def rows(links: list[tuple[str, str, bool]]) -> Markup:
        return each(template, ({"name": name, "url": url, "current": Markup(' aria-current="true"') if current else ""}
                               for name, url, current in links))

    return Markup("<span>{}</span><span>{}</span>").format(rows(chips), rows(people))


def _log(sandbox: Sandbox, outer: list[LoggedRequest], inner: dict[int, list[LoggedRequest]]) -> Markup:
    if not outer:
        return Markup('<p class="nobody quiet">Nothing yet. Connect an account in the CRM, or let it sync.</p>')
    wording, now = Wording(sandbox), sandbox.clock.now()
    days = Markup("")
    for title, group in groupby(outer, key=lambda entry: day(entry.at, now)):
        rows = each(_ENTRY, (_row(sandbox, wording, entry, inner) for entry in group))
        days += Markup('<h2>{}</h2><ol class="log">{}</ol>').format(title, rows)
    return days


def _row(sandbox: Sandbox, wording: Wording, entry: LoggedRequest,
         inner: dict[int, list[LoggedRequest]]) -> dict[str, Any]:
    account = sandbox.world.account(entry.account) if entry.account else None
    inside = each(_INNER, (_common(wording, e) for e in inner.get(entry.number, ())))
    return _common(wording, entry) | {
        "inside": Markup('<ul class="inner">{}</ul>').format(inside) if inside else "",
        "time": f"{entry.at.astimezone():%H:%M:%S}",
        "who": avatar(account.display_name) if account is not None else avatar("·"),
    }


def _common(wording: Wording, entry: LoggedRequest) -> dict[str, Any]:
    tone = "good" if 0 < entry.status < 400 else "wait" if entry.status == 429 else "bad"
    faults = Markup(' <span class="tag wait">on command: {}</span>').format(", ".join(entry.faults))
    return {
        "words": wording.of(entry),
        "status": status_words(entry.status),
        "tone": tone,
        "kind": "write" if is_write(entry) else "read",
        "faults": faults if entry.faults else "",
        "details": Markup("<details><summary>{} {}</summary><code>{} {}{}</code></details>").format(
            entry.method, entry.status or "–", entry.method, entry.path, f"?{entry.query}" if entry.query else ""),
    }
