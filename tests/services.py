"""What the tests can use of this machine beyond Python: PostgreSQL, Redis, a browser.

Each function returns where the service is, or None. `HOW_TO_GET` says what to do about a missing one.
`python -m tests.services postgres` prints the address and exits with 1 where there is none; the Makefile asks so.
"""

import os
import shutil
import sys
from functools import cache

HOW_TO_GET = {
    "postgres": (
        "PostgreSQL does not answer. Get it: sudo apt-get install postgresql, then "
        "sudo -u postgres psql -c \"create role ms365 login createdb password 'ms365'\" -c 'create database ms365'; "
        "or set MS365_TEST_POSTGRES=postgres://user:password@host/database."),
    "redis": (
        "Redis does not answer. Get it: sudo apt-get install redis-server; or set MS365_TEST_REDIS=redis://host:port/0."),
    "browser": (
        "Chromium is not there. Get it: sudo apt-get install chromium; or set MS365_TEST_BROWSER to its path."),
}


def required() -> bool:
    """In CI nothing is skipped: a missing service fails the run."""
    return any(os.environ.get(name, "").lower() in ("1", "true", "yes") for name in ("CI", "MS365_REQUIRE_SERVICES"))


@cache
def postgres() -> str | None:
    """The address of a PostgreSQL in which the tests may make databases."""
    url = os.environ.get("MS365_TEST_POSTGRES") or "postgres://ms365:ms365@127.0.0.1:5432/ms365"
    try:
        import psycopg
    except ImportError:
        return None
    try:
        with psycopg.connect(url, connect_timeout=3):
            return url
    except (OSError, psycopg.Error):
        return None


@cache
def redis() -> str | None:
    """The address of a Redis; the tests use keys of their own in it."""
    url = os.environ.get("MS365_TEST_REDIS") or "redis://127.0.0.1:6379/0"
    try:
        import redis as client
    except ImportError:
        return None
    try:
        client.Redis.from_url(url, socket_connect_timeout=3).ping()
    except (OSError, client.RedisError):
        return None
    return url


@cache
def browser() -> str | None:
    """The path of a Chromium."""
    given = os.environ.get("MS365_TEST_BROWSER")
    return shutil.which(given) if given else shutil.which("chromium") or shutil.which("chromium-browser")


FIND = {"postgres": postgres, "redis": redis, "browser": browser}


def main(names: list[str]) -> int:
    missing = 0
    for name in names or FIND:
        where = FIND[name]()
        print(where or HOW_TO_GET[name], file=sys.stdout if where else sys.stderr)
        missing += where is None
    return 1 if missing else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
