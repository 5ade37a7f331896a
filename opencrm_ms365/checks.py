"""System checks of the settings: `manage.py check` and `manage.py check --deploy` say what is wrong before a user does.

The faults themselves are found by `conf.faults()`; here they become Django's messages. The checks of the adapters
stand with the adapters. No check asks the network, and none but those tagged `database` asks the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.core import checks

from . import conf
from .access.installation import fingerprint

TAG = "opencrm_ms365"
APP_LABEL = "opencrm_ms365"


def register() -> None:
    """Called once from `AppConfig.ready`."""
    checks.register(check_settings, TAG)
    checks.register(check_background_work, TAG)
    checks.register(check_deployment, checks.Tags.security, deploy=True)


def check_settings(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """The dictionary `OPENCRM_MS365`, and what the app needs of Django's own settings."""
    found: list[checks.CheckMessage] = [
        checks.Error(fault.message, hint=fault.hint or None, id=f"{APP_LABEL}.{fault.id}") for fault in conf.faults()]
    if not django_settings.USE_TZ:
        found.append(checks.Error(
            "USE_TZ is off.", hint="Meetings in two time zones cannot be told apart without it: set USE_TZ = True.",
            id=f"{APP_LABEL}.E008"))
    return found


def check_background_work(app_configs: Any = None, **kwargs: Any) -> Iterable[checks.CheckMessage]:
    """Django-Q's dictionary: what makes it run a task twice, or replay missed minutes."""
    cluster = getattr(django_settings, "Q_CLUSTER", None)
    if not isinstance(cluster, dict):
        return [checks.Warning(
            "Q_CLUSTER is missing: nothing will sync in the background.",
            hint="Configure Django-Q; the page `Deploy the workers` of the documentation has a Q_CLUSTER to copy.",
            id=f"{APP_LABEL}.W001")]
    if cluster.get("sync"):
        return []
    found = []
    timeout, retry = cluster.get("timeout"), cluster.get("retry", 60)
    if timeout is None or timeout >= retry:
        found.append(checks.Warning(
            "Q_CLUSTER: `timeout` must be set, and be smaller than `retry`.",
            hint="Otherwise Django-Q starts a task again while it is still running. 120 and 400 are good values.",
            id=f"{APP_LABEL}.W002"))
    elif timeout < 2 * conf.settings.SLICE_S:
        found.append(checks.Warning(
            f"Q_CLUSTER: `timeout` ({timeout} s) leaves no room for a slice of {conf.settings.SLICE_S} s.",
            hint="Make it at least twice SLICE_S, or the slice shorter.", id=f"{APP_LABEL}.W003"))
    if cluster.get("catch_up", True):
        found.append(checks.Warning(
            "Q_CLUSTER: `catch_up` is on.",
            hint="After a stop Django-Q would replay every missed minute: set 'catch_up': False.",
            id=f"{APP_LABEL}.W004"))
    return found


def check_deployment(app_configs: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """What may be so on a developer's machine, but not where people work."""
    found: list[checks.CheckMessage] = []
    for name in ("LOGIN_URL", "GRAPH_URL"):
        if str(getattr(conf.settings, name)).startswith("http://") and not django_settings.DEBUG:
            found.append(checks.Error(
                f"{conf.DICTIONARY}['{name}'] points at the sandbox on this machine.",
                hint="Take the line out of the settings to talk to Microsoft.", id=f"{APP_LABEL}.E009"))
    public = conf.settings.PUBLIC_URL
    if public and urlsplit(public).scheme != "https":
        found.append(checks.Error(
            f"{conf.DICTIONARY}['PUBLIC_URL'] must begin with https://.",
            hint="Microsoft sends people and notifications to https addresses only.", id=f"{APP_LABEL}.E010"))
    if not conf.settings.ACTIVATION_PUBLIC_KEY:
        found.append(checks.Warning(
            f"{conf.DICTIONARY}['ACTIVATION_PUBLIC_KEY'] is empty: no activation key is asked for.",
            hint="Put your vendor's public key there; or silence this if you have no vendor.",
            id=f"{APP_LABEL}.W005"))
    if not fingerprint():
        found.append(checks.Warning(
            "Nothing tells this installation from a copy of its database.",
            hint=f"Set {conf.DICTIONARY}['INSTALLATION_ID'], or PUBLIC_URL; otherwise a staging system made from a "
                 "backup would sync real mailboxes.",
            id=f"{APP_LABEL}.W007"))
    found.extend(_faults_of_databases())
    return found


def _faults_of_databases() -> Iterable[checks.CheckMessage]:
    for alias, database in django_settings.DATABASES.items():
        options = database.get("OPTIONS") or {}
        if database.get("ENGINE") == "django.db.backends.sqlite3" and options.get("transaction_mode") != "IMMEDIATE":
            yield checks.Warning(
                f"The SQLite database {alias!r} will answer `database is locked` when workers write.",
                hint="Use PostgreSQL, or OPTIONS = {'timeout': 20, 'transaction_mode': 'IMMEDIATE', 'init_command': "
                     "'PRAGMA journal_mode=WAL;'}.",
                id=f"{APP_LABEL}.W006")
