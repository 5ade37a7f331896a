"""The pytest plugin (entry point `ms365`): a local Microsoft 365 for each test that asks for it.

    def test_something(ms365_sandbox, db):
        ada = ms365_sandbox.add_user(ms365_sandbox.add_tenant("brightwell.example"), "ada@brightwell.example")
        ms365_sandbox.mailbox(ada).add_contact(givenName="Grace", surname="Hopper")

Needs pytest-django and the extra `opencrm-ms365[sandbox]`. Everything is imported late: pytest loads this module in
every run of every project that has the app installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def ms365_sandbox(settings: Any) -> Iterator[Any]:
    """A fresh `Sandbox` that answers on this machine; the settings' addresses point at it, its client is registered.

    Its address is `settings.OPENCRM_MS365["GRAPH_URL"]`.
    """
    from opencrm_ms365.sandbox import Sandbox
    from opencrm_ms365.sandbox.server import running

    given = dict(getattr(settings, "OPENCRM_MS365", {}))
    client_id = given.get("CLIENT_ID") or "11111111-2222-3333-4444-555555555555"
    secret = given.get("CLIENT_SECRET") or "sandbox-secret"
    sandbox = Sandbox()
    sandbox.register_client(client_id, secret)
    with running(sandbox) as base_url:
        settings.OPENCRM_MS365 = {**given, "CLIENT_ID": client_id, "CLIENT_SECRET": secret,
                                  "LOGIN_URL": base_url, "GRAPH_URL": base_url}
        yield sandbox
