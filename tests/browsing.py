"""A person's browser without a browser: the pages of the app, and Microsoft's, over Django's test client and HTTP."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client
from django.urls import reverse

KEY = re.compile(r'id="access-key"[^>]*>([^<]*)<')


class Browser:
    """One browser of one CRM user. `with Browser(...)` is not needed: it holds nothing open."""

    def __init__(self, world: Any, person: str | None = "ada", **options: Any) -> None:
        self.world = world
        self.client = Client(**options)
        if person is not None:
            self.client.force_login(world.user(person))

    def get(self, name: str, *args: Any, query: str = "", **headers: Any) -> Any:
        return self.client.get(reverse(f"ms365:{name}", args=args) + query, **headers)

    def post(self, name: str, *args: Any, data: Any = None, **options: Any) -> Any:
        return self.client.post(reverse(f"ms365:{name}", args=args), data or {}, **options)

    def patch(self, name: str, *args: Any, data: Any) -> Any:
        return self.client.patch(reverse(f"ms365:{name}", args=args), data, content_type="application/json")

    def send_to_microsoft(self) -> str:
        """Press *Sign in with Microsoft*; the address that the browser is sent to."""
        answer = self.get("sign-in")
        assert answer.status_code == 302, text_of(answer)
        return answer.headers["Location"]

    def agree(self, address: str, account: Any = None, person: str = "ada") -> dict[str, str]:
        """Sign in there; what the browser comes back with."""
        address = re.sub(r"&login_hint=[^&]*", "", address)      # whoever is asked for, somebody else can sign in
        return self.world._agree(address, account or self.world.account(person))

    def come_back(self, query: dict[str, str]) -> Any:
        return self.client.get(reverse("ms365:sign-in-callback"), query)

    def access_key(self, account: Any = None, person: str = "ada") -> str:
        """The whole way through the pop-up; the key it shows."""
        return key_on(self.come_back(self.agree(self.send_to_microsoft(), account, person)))

    def connect(self, key: str) -> Any:
        return self.post("connect", data={"access_key": key})


def key_on(page: Any) -> str:
    found = KEY.search(page.content.decode())
    assert found, text_of(page)
    return html.unescape(found.group(1))


def text_of(page: Any) -> str:
    """What a person reads on a page, on one line."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page.content.decode(), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
