"""What every page of the demo may want to know."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

SANDBOX_PAGES = "/outlook/"
REAL_OUTLOOK = "https://outlook.office.com/people/"


def demo(request: HttpRequest) -> dict[str, Any]:
    """`outlook_url`: the other side, one click away; `is_demo`: whether to show the demo sign-ins."""
    login_url = settings.OPENCRM_MS365.get("LOGIN_URL", "")
    is_local = login_url.startswith("http://")              # plain http is accepted for the local Microsoft 365 only
    return {
        "is_demo": settings.DEMO,
        "outlook_url": login_url.rstrip("/") + SANDBOX_PAGES if is_local else REAL_OUTLOOK,
    }
