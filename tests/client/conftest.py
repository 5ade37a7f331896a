import pytest

from opencrm_ms365.graph.client import GraphClient
from tests.client.scripted import Scripted


class Tokens:
    """A token source that notes what it was asked."""

    def __init__(self):
        self.asked = []
        self.number = 1
        self.error = None

    def token(self, *, refused="", claims=""):
        self.asked.append((refused, claims))
        if refused:
            if self.error:
                raise self.error
            self.number += 1
        return f"secret-token-{self.number}"


@pytest.fixture
def server():
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def tokens():
    return Tokens()


@pytest.fixture
def slept():
    return []


@pytest.fixture
def client(server, tokens, slept):
    made = GraphClient(server.url, tokens, timeout_s=5, sleep=slept.append)
    yield made
    made.close()
