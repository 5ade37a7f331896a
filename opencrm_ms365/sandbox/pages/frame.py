"""What all pages have around them: the bar at the top, messages, and pages that only say something."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from markupsafe import Markup
from werkzeug.wrappers import Response

from ..html import avatar, each, page
from ..world import PERSONAL_TENANT_ID, Account

_BAR = Markup(
    '<header class="bar"><a class="home" href="/outlook/"><img src="/static/mark.svg" alt="" width="26" height="26">'
    "<span>Sandbox</span></a>{apps}{middle}<nav>"
    '<a href="/outlook/activity"{activity}>What the CRM did</a>'
    '<a href="/outlook/mail"{mail}>Outgoing mail</a>'
    '<a href="/outlook/administration"{administration}>Administration</a>{who}</nav></header>'
)
_APP = Markup('<a href="{url}"{current}>{name}</a>')
#: What a person uses at Microsoft: the kind of page, its name in the bar, and its place below the person's address.
APPS = (("people", "People", ""), ("calendar", "Calendar", "calendar/"), ("planner", "Planner", "planner/"))
_CURRENT = Markup(' aria-current="page"')


def framed(title: str, content: Markup, *, kind: str, current: str = "", middle: Markup | str = "",
           account: Account | None = None, status: int = 200) -> Response:
    """A page with the bar. `current` is the name of the bar's link that leads here; `middle` goes into the bar."""
    who = Markup('<a class="who" href="{}" title="{}">{}</a>').format(
        mailbox_url(account), account.upn, avatar(account.display_name)) if account is not None else ""
    bar = _BAR.format(
        apps=_apps(account, kind) if account is not None else "",
        middle=middle or Markup('<span class="spring"></span>'),
        activity=_CURRENT if current == "activity" else "",
        mail=_CURRENT if current == "mail" else "",
        administration=_CURRENT if current == "administration" else "",
        who=who,
    )
    return page(f"{title} · Sandbox", bar + content, kind=kind, status=status)


def _apps(account: Account, kind: str) -> Markup:
    # A personal account has no Planner (facts 9.1).
    apps = [app for app in APPS if app[0] != "planner" or account.tenant_id != PERSONAL_TENANT_ID]
    links = each(_APP, ({"url": mailbox_url(account, place), "name": name, "current": _CURRENT if kind == key else ""}
                        for key, name, place in apps))
    return Markup('<div class="apps" role="navigation" aria-label="Microsoft 365">{}</div>').format(links)


def error_page(status: int, title: str, text: str) -> Response:
    content = Markup(
        '<main class="narrow empty"><h1>{}</h1><p>{}</p>'
        '<p><a class="button" href="/outlook/">All mailboxes</a></p></main>'
    ).format(title, text)
    return framed(title, content, kind="plain", status=status)


def mailbox_url(account: Account, rest: str = "", **query: str) -> str:
    """The address of a mailbox's page; empty values of the query are left out."""
    path = f"/outlook/{quote(account.upn, safe='@')}/{rest}"
    wanted = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(wanted)}" if wanted else path


def ago(instant: datetime, now: datetime) -> str:
    """How long ago, as people say it."""
    seconds = (now - instant).total_seconds()
    if seconds < 45:
        return "just now"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(seconds // length)
        if unit == "day" and count > 6:
            return f"on {instant:%-d %B %Y}"
        if count:
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "a minute ago"


def day(instant: datetime, now: datetime) -> str:
    """The day as a heading."""
    if instant.date() == now.date():
        return "Today"
    return "Yesterday" if instant.date() == (now - timedelta(days=1)).date() else f"{instant:%A, %-d %B %Y}"
