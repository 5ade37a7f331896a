"""A served sandbox with two people. Nothing here needs Django."""

import pytest

from opencrm_ms365.sandbox import Sandbox
from opencrm_ms365.sandbox.server import running

from .person import Person


@pytest.fixture
def sandbox():
    """An empty sandbox; `seed` makes ids and shuffling the same in each run."""
    return Sandbox(seed=1)


@pytest.fixture
def base_url(sandbox):
    with running(sandbox) as url:
        yield url


@pytest.fixture
def tenant(sandbox):
    return sandbox.add_tenant("brightwell.example", "Brightwell & Sons")


@pytest.fixture
def ada(sandbox, base_url, tenant):
    return Person(sandbox, base_url, sandbox.add_user(tenant, "ada@brightwell.example", "Ada Lindqvist"))


@pytest.fixture
def ben(sandbox, base_url, tenant):
    return Person(sandbox, base_url, sandbox.add_user(tenant, "ben@brightwell.example", "Ben Okafor"))
