"""Making HTML by hand, safely: every value goes through `Markup.format`, which escapes it.

The simulator's pages need no template engine: they are few, and this keeps Werkzeug its only requirement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup
from werkzeug.wrappers import Response

_PAGE = Markup(
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    '<meta name="color-scheme" content="light dark">\n<title>{title}</title>\n'
    '<link rel="icon" href="/static/mark.svg" type="image/svg+xml">\n'
    '<link rel="stylesheet" href="/static/sandbox.css">\n{style}</head>\n'
    '<body class="page-{kind}">\n{body}\n</body>\n</html>\n'
)

#: No scripts, no frames of other sites; forms may lead on to the application's address after a sign-in.
POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
AVATAR_COLOURS = 10
#: Kinds of page with a style sheet of their own, besides.
STYLED = frozenset({"calendar"})


def page(title: str, body: Markup, *, kind: str, status: int = 200) -> Response:
    """A whole page. `kind` names its layout, in the class of its body."""
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
    style = Markup('<link rel="stylesheet" href="/static/{}.css">\n').format(kind) if kind in STYLED else ""
    return Response(_PAGE.format(title=title, body=body, kind=kind, style=style), status, headers, mimetype="text/html")


def each(template: Markup, rows: Iterable[Mapping[str, Any]]) -> Markup:
    """The template once for each row."""
    return Markup("").join(template.format(**row) for row in rows)


def avatar(name: str, *, large: bool = False) -> Markup:
    """A round sign with the initials, in a colour that goes with the name."""
    words = [word for word in name.replace("(", " ").split() if word[:1].isalnum()]
    initials = "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper() or "·"
    colour = str(sum(name.casefold().encode()) % AVATAR_COLOURS) if initials != "·" else "none"
    size = " large" if large else ""
    return Markup('<span class="avatar c{}{}" aria-hidden="true">{}</span>').format(colour, size, initials)
