"""Whether a form was sent from another site: the protection of all pages that change something.

Browsers say where a POST comes from, in `Sec-Fetch-Site` and in `Origin`; other programs say nothing and are let in.
"""

from __future__ import annotations

from werkzeug.wrappers import Request


def is_foreign_post(request: Request) -> bool:
    """True for a request that changes something and that a browser sent for a page of another site."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return False
    site = request.headers.get("Sec-Fetch-Site", "")
    if site in ("same-origin", "none"):
        return False
    if site:
        return True
    origin = request.headers.get("Origin", "")
    return bool(origin) and origin != request.host_url.rstrip("/")
