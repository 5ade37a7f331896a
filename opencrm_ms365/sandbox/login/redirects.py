"""Sending the browser back to the application, in one of the three response modes (facts 3.2)."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from markupsafe import Markup
from werkzeug.wrappers import Response

MODES = ("query", "fragment", "form_post")
_FORM = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Back to the application</title></head>'
    '<body><form method="post" action="{address}">{fields}'
    "<p>You are being taken back to the application.</p><button>Continue</button></form>"
    "<script>document.forms[0].submit()</script></body></html>"
)
_FIELD = Markup('<input type="hidden" name="{}" value="{}">')


def back(redirect_uri: str, mode: str, values: dict[str, str]) -> Response:
    """The answer that takes `values` to the application's address; empty values are left out."""
    values = {name: value for name, value in values.items() if value}
    if mode == "form_post":
        fields = Markup("").join(_FIELD.format(*pair) for pair in values.items())
        return Response(_FORM.format(address=redirect_uri, fields=fields), 200, mimetype="text/html")
    return Response("", 302, {"Location": location(redirect_uri, mode, values), "Cache-Control": "no-store"})


def location(redirect_uri: str, mode: str, values: dict[str, str]) -> str:
    """The address with the values in its query (kept beside those it has) or in its fragment."""
    if mode == "fragment":
        return f"{redirect_uri}#{urlencode(values)}"
    joint = "&" if urlsplit(redirect_uri).query else "?"
    return f"{redirect_uri}{joint}{urlencode(values)}"
