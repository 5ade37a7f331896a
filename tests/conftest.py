"""What every test can use, and what is skipped where this machine lacks a service."""

import os

import pytest
from django.conf import settings as django_settings

from tests import services
from tests.world import DOMAIN, PEOPLE, World

DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "live_server", "world"}
ON_POSTGRES = "postgresql" in django_settings.DATABASES["default"]["ENGINE"]
BROWSER_FIXTURES = {"page", "context", "browser", "browser_context"}


def pytest_addoption(parser):
    parser.addoption("--database-only", action="store_true",
                     help="run only the tests that touch the database (used for the second run, on PostgreSQL)")


def pytest_itemcollected(item):
    if BROWSER_FIXTURES & set(item.fixturenames):
        item.add_marker("browser")
        # Playwright's event loop lives in the thread of the test; Django would take that for async code.
        os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")


#: What is slower, or in each other's way, when two workers do it at once.
ONE_AFTER_THE_OTHER = ("tests/screens/", "tests/demo/test_demo_command.py", "tests/schedule/test_processes.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Any worker takes any test, but those that want the machine for themselves all go to one."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return "one after the other" if nodeid.startswith(ONE_AFTER_THE_OTHER) else nodeid

    return Scheduling(config, log)


def pytest_collection_modifyitems(config, items):
    left_out = {item for item in items if not _belongs(item, config)}
    config.hook.pytest_deselected(items=sorted(left_out, key=lambda item: item.nodeid))
    items[:] = [item for item in items if item not in left_out]


def _belongs(item, config):
    """Whether a test is for this run: the one on SQLite, or the one on PostgreSQL that `make test` adds to it."""
    if item.get_closest_marker("postgres"):
        return ON_POSTGRES or services.postgres() is None      # without one it stays, to be skipped with the reason
    return not config.getoption("--database-only") or _touches_database(item)


def _touches_database(item):
    return item.get_closest_marker("django_db") is not None or bool(DATABASE_FIXTURES & set(item.fixturenames))


def pytest_runtest_setup(item):
    if item.get_closest_marker("browser"):
        need("browser")
    if item.get_closest_marker("redis"):
        need("redis")
    if item.get_closest_marker("postgres") and not ON_POSTGRES:
        need("postgres")


def need(service):
    """Return where a service is. Without it the test is skipped; in CI it fails."""
    where = services.FIND[service]()
    if where is None:
        message = services.HOW_TO_GET[service]
        if services.required():
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return where


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """Debian's Chromium instead of a downloaded one; it must not reach out to the network."""
    return {
        **browser_type_launch_args,
        "executable_path": need("browser"),
        "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    }


@pytest.fixture
def redis_url():
    return need("redis")


@pytest.fixture
def sandbox(ms365_sandbox):
    """A fresh local Microsoft 365 with one tenant, `brightwell.example`, and the accounts of Ada, Ben, Cleo and the
    administrator, their mailboxes empty. The settings' addresses point at it."""
    tenant = ms365_sandbox.add_tenant(DOMAIN, "Brightwell & Sons")
    for person, name in PEOPLE.items():
        ms365_sandbox.add_user(
            tenant, f"{person}@{DOMAIN}", name, password=f"{person}-demo", is_admin=person == "admin")
    return ms365_sandbox


@pytest.fixture
def world(sandbox, db):
    """Both sides with their builders; see `tests.world`."""
    return World(sandbox, sandbox.world.tenant(DOMAIN))
