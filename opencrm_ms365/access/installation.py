"""Which installation of the CRM this is (ORG-16): a copy of the database that is started elsewhere must not touch real
mailboxes.

The organisation remembers the installation that it first synced from. In another one everything stands still until an
administrator says that this is the right one.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.utils import timezone

from ..conf import settings
from ..models import LinkStatus, SyncSettings, UserLink

#: Hosts that every developer's machine has, and those of test runs: they tell nothing apart.
NOBODYS = frozenset({"localhost", "testserver", "::1", "[::1]", "0.0.0.0"})  # noqa: S104 - a name, not an address


def fingerprint() -> str:
    """`INSTALLATION_ID`, else the host of `PUBLIC_URL`, else the first of `ALLOWED_HOSTS` that is a real name; empty
    where none of them says anything. The same in every process of an installation, whatever machine it runs on."""
    if settings.INSTALLATION_ID:
        return str(settings.INSTALLATION_ID)[:255]
    hosts = [urlsplit(settings.PUBLIC_URL).hostname or "", *django_settings.ALLOWED_HOSTS]
    named = (str(host).strip().lower().lstrip(".") for host in hosts)
    return next((host for host in named if host and "*" not in host and host not in NOBODYS
                 and not host.startswith("127.")), "")[:255]


def is_other(organisation: SyncSettings) -> bool:
    """Whether the organisation belongs to another installation than this one."""
    return bool(organisation.installation_fingerprint) and organisation.installation_fingerprint != fingerprint()


def remember(organisation: SyncSettings) -> None:
    """The first time: this is the installation. Does nothing once there is one."""
    mine = fingerprint()
    if mine and not organisation.installation_fingerprint:
        SyncSettings.objects.filter(pk=organisation.pk, installation_fingerprint="").update(
            installation_fingerprint=mine)
        organisation.installation_fingerprint = mine


def confirm(organisation: SyncSettings) -> None:
    """An administrator says that this installation is the one that syncs; everything goes on."""
    organisation.installation_fingerprint = fingerprint()
    organisation.save(update_fields=["installation_fingerprint"])
    UserLink.objects.filter(tenant=organisation.tenant, status=LinkStatus.CONNECTED,
                            settings_saved_at__isnull=False).update(due_at=timezone.now())
