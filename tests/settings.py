"""Settings of the test run: the demo project's, with nothing in them that leaves this process.

SQLite in a throw-away file by default; `TEST_DATABASE_URL=postgres://...` runs the same tests on PostgreSQL. The
addresses of Microsoft point at a closed port: a test that talks to the sandbox says so with the `sandbox` fixture.
"""

import os
import tempfile
from pathlib import Path
from unittest import mock

import environ

#: In memory where the machine has such a folder: nothing of a test run needs to outlive it.
_SCRATCH = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
_KEY = "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMDA="

# The demo project reads the environment. What the developer's shell or a running demo has set must not reach the
# tests, and the tests must leave nothing in the source tree.
_ENVIRONMENT = {
    "DEMO_DATA_DIR": str(Path(tempfile.gettempdir()) / f"opencrm-ms365-tests-{os.getuid()}"),
    "DATABASE_URL": "sqlite://:memory:",
    "MS365_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
    "MS365_CLIENT_SECRET": "demo-secret",
    "MS365_ENCRYPTION_KEYS": _KEY,
    "SECRET_KEY": "only-for-the-tests",
}
_KEPT = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}

with mock.patch.dict(os.environ, {**_KEPT, **_ENVIRONMENT}, clear=True):
    from demo_crm.settings import *

#: Other CRMs beside the demo: the tests have their own adapters for them.
INSTALLED_APPS = [*INSTALLED_APPS, "tests.adapters.awkward", "tests.foreign.strangers"]

DEBUG = False
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
LOGGING = {"version": 1, "disable_existing_loggers": False}

DATABASES = {"default": environ.Env.db_url_config(os.environ.get("TEST_DATABASE_URL") or "sqlite://:memory:")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
    }
    # A file, not memory: the tests kill processes that work on it. Not even the name of the database that is never
    # opened says memory: pytest-django's live server would then share one connection between threads, and crash.
    DATABASES["default"]["NAME"] = str(Path(_SCRATCH) / f"opencrm-ms365-{os.getpid()}-unused.sqlite3")
    DATABASES["default"]["TEST"] = {"NAME": str(Path(_SCRATCH) / f"opencrm-ms365-{os.getpid()}.sqlite3")}

#: Nothing listens on this port: an accidental request fails at once and stays on this machine.
NOWHERE = "http://127.0.0.1:9"

OPENCRM_MS365 = {
    "CLIENT_ID": "11111111-2222-3333-4444-555555555555",
    "CLIENT_SECRET": "demo-secret",
    "LOGIN_URL": NOWHERE,
    "GRAPH_URL": NOWHERE,
    "ENCRYPTION_KEYS": [_KEY],
}
