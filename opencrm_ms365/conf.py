"""The settings of the app: one dictionary `OPENCRM_MS365` in the project's settings.

Each setting stands here once: name, type, default, unit and why one would change it. They are read late, so that
`override_settings` works; unknown names and bad values are system-check errors (`opencrm_ms365.checks`).
What an administrator decides is not here but in the database (`SyncSettings`).
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings as django_settings

from .errors import ConfigurationError

DICTIONARY = "OPENCRM_MS365"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how it is called, what it may be, what it is when nothing is said, and what it is for."""

    name: str
    type: type | tuple[type, ...]
    default: Any
    help: str
    unit: str = ""
    minimum: float | None = None
    required: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("CLIENT_ID", str, "", "The application (client) id of the app registration with Microsoft.", required=True),
    Setting("CLIENT_SECRET", str, "", "The client secret of the app registration; give this or CLIENT_CERTIFICATE."),
    Setting(
        "CLIENT_CERTIFICATE",
        dict,
        None,
        "Instead of a secret: {'private_key': PEM text, 'public_certificate': PEM text}.",
    ),
    Setting(
        "LOGIN_URL",
        str,
        "https://login.microsoftonline.com",
        "Microsoft's login host. National clouds have others; http:// only on loopback (the sandbox).",
    ),
    Setting(
        "GRAPH_URL",
        str,
        "https://graph.microsoft.com",
        "Microsoft Graph's host. National clouds have others; http:// only on loopback (the sandbox).",
    ),
    Setting(
        "AUTHORITY_TENANT",
        str,
        "organizations",
        "The tenant part of the sign-in address before an administrator has authorised the app.",
    ),
    Setting(
        "ENCRYPTION_KEYS",
        (list, tuple),
        (),
        "Fernet keys for what is encrypted at rest. The first encrypts, all decrypt: put a new one in front to rotate.",
        required=True,
    ),
    Setting(
        "ACTIVATION_PUBLIC_KEY",
        str,
        "",
        "The vendor's public key (base64url) that activation keys are checked against. Empty: none is asked for.",
    ),
    Setting(
        "PUBLIC_URL",
        str,
        "",
        "The CRM's public https address, for Microsoft's change notifications and for "
        "redirect addresses. Empty: polling only, and addresses are made from the request.",
    ),
    Setting(
        "INSTALLATION_ID",
        str,
        "",
        "Fingerprint of this installation; empty: the host of PUBLIC_URL, else the first name in ALLOWED_HOSTS. A "
        "copy of the database that is started under another one pauses (ORG-16).",
    ),
    Setting("WINDOW_PAST_DAYS", int, 61, "Activities that start earlier are not newly synced.", "days", 0),
    Setting("WINDOW_FUTURE_DAYS", int, 366, "Activities that start later are not newly synced.", "days", 0),
    Setting("CYCLE_MINUTES", int, 10, "How often every link is synced.", "minutes", 1),
    Setting(
        "FULL_PASS_HOURS",
        int,
        24,
        "How often all records of a link are compared, not only those whose modification stamp moved.",
        "hours",
        1,
    ),
    Setting("GRAPH_TIMEOUT_S", (int, float), 30, "How long to wait for an answer of Microsoft.", "seconds", 1),
    Setting(
        "LEASE_S", int, 120, "How long a link stays reserved for a worker that gives no sign of life.", "seconds", 1
    ),
    Setting("SLICE_S", int, 60, "How long one background task works before it lets others in.", "seconds", 1),
    Setting(
        "HEARTBEAT_S",
        int,
        180,
        "After how long without a sign of life the background worker counts as stopped.",
        "seconds",
        1,
    ),
    Setting("CHUNK", int, 200, "How many records are read, decided and written together.", "records", 1),
    Setting("PAGE_SIZE", int, 200, "How many items are asked for in one page of Microsoft's.", "items", 1),
    Setting(
        "MAIL_GUARD", int, 20, "More recipients than this in one cycle wait for a confirmation (ORG-15).", "people", 0
    ),
    Setting(
        "DELETION_GUARD_MINIMUM",
        int,
        10,
        "So many deletions in a cycle are never stopped by the deletion guard (ORG-13).",
        "records",
        0,
    ),
    Setting(
        "RETENTION_DAYS", int, 30, "How long runs, solved problems, conflicts and undo values are kept.", "days", 1
    ),
    Setting(
        "DEFAULT_PHONE_REGION",
        str,
        "",
        "Two-letter country of phone numbers without an international prefix, for "
        "matching by phone. Empty: such numbers are compared by their digits.",
    ),
    Setting("BASE_TEMPLATE", str, "ms365/base.html", "The template that the app's pages extend."),
    Setting("LOGIN_PATH", str, "", "Where to send people who are not signed in to the CRM. Empty: Django's LOGIN_URL."),
    Setting("ACCESS_KEY_MINUTES", int, 10, "How long an access key from the sign-in pop-up can be used.", "minutes", 1),
)
BY_NAME = {item.name: item for item in SETTINGS}


class AppSettings:
    """Reads one setting at a time: `conf.settings.GRAPH_URL`."""

    def __getattr__(self, name: str) -> Any:
        try:
            setting = BY_NAME[name]
        except KeyError:
            raise AttributeError(f"{DICTIONARY} has no setting {name!r}") from None
        value = self._given().get(name, setting.default)
        return setting.default if value is None else value

    @staticmethod
    def _given() -> dict[str, Any]:
        given = getattr(django_settings, DICTIONARY, {})
        return given if isinstance(given, dict) else {}


settings = AppSettings()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a setting, and what to do about it."""

    id: str
    message: str
    hint: str = ""


def faults() -> Iterator[Fault]:
    """Everything that is wrong with the dictionary as it stands. The ids are part of the documentation."""
    given = getattr(django_settings, DICTIONARY, None)
    if given is None:
        yield Fault(
            "E001",
            f"The setting {DICTIONARY} is missing.",
            f"Add {DICTIONARY} = {{'CLIENT_ID': ..., 'CLIENT_SECRET': ..., 'ENCRYPTION_KEYS': [...]}}.",
        )
        return
    if not isinstance(given, dict):
        yield Fault("E001", f"The setting {DICTIONARY} must be a dictionary.")
        return
    for name in given:
        if name not in BY_NAME:
            near = difflib.get_close_matches(str(name).upper(), BY_NAME, n=1)
            yield Fault(
                "E002",
                f"{DICTIONARY} has an unknown setting {name!r}.",
                f"Did you mean {near[0]!r}?" if near else "Remove it.",
            )
    for setting in SETTINGS:
        yield from _faults_of(setting, given)
    yield from _faults_of_credentials()
    yield from _faults_of_keys()
    yield from _faults_of_activation()
    for name in ("LOGIN_URL", "GRAPH_URL"):
        yield from _faults_of_url(name)


def _faults_of(setting: Setting, given: dict[str, Any]) -> Iterator[Fault]:
    value = given.get(setting.name)
    if value is None:
        if setting.required:
            yield Fault("E003", f"{DICTIONARY}[{setting.name!r}] is missing.", setting.help)
        return
    wanted = setting.type if isinstance(setting.type, tuple) else (setting.type,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        names = " or ".join(item.__name__ for item in wanted)
        yield Fault("E004", f"{DICTIONARY}[{setting.name!r}] must be {names}.", setting.help)
    elif setting.minimum is not None and isinstance(value, (int, float)) and value < setting.minimum:
        unit = f" {setting.unit}" if setting.unit else ""
        yield Fault("E004", f"{DICTIONARY}[{setting.name!r}] must be at least {setting.minimum:g}{unit}.", setting.help)
    elif setting.required and not value:
        yield Fault("E003", f"{DICTIONARY}[{setting.name!r}] is empty.", setting.help)


def _faults_of_credentials() -> Iterator[Fault]:
    secret, certificate = settings.CLIENT_SECRET, settings.CLIENT_CERTIFICATE
    if bool(secret) == bool(certificate):
        yield Fault(
            "E005",
            f"{DICTIONARY} needs either CLIENT_SECRET or CLIENT_CERTIFICATE" + (", not both." if secret else "."),
            "Take it from the app registration, page `Certificates & secrets`.",
        )
    elif isinstance(certificate, dict) and not {"private_key", "public_certificate"} <= certificate.keys():
        yield Fault(
            "E005",
            f"{DICTIONARY}['CLIENT_CERTIFICATE'] needs `private_key` and `public_certificate`.",
            "Both are PEM texts.",
        )


def _faults_of_keys() -> Iterator[Fault]:
    from cryptography.fernet import Fernet

    keys = settings.ENCRYPTION_KEYS
    if not isinstance(keys, (list, tuple)):
        return
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except (ValueError, TypeError):
            yield Fault(
                "E006",
                f"{DICTIONARY}['ENCRYPTION_KEYS']: key {position} is not a Fernet key.",
                "Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'",
            )


def _faults_of_activation() -> Iterator[Fault]:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    given = settings.ACTIVATION_PUBLIC_KEY
    if not given or not isinstance(given, str):
        return
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True))
    except ValueError:
        yield Fault(
            "E011",
            f"{DICTIONARY}['ACTIVATION_PUBLIC_KEY'] is not a public key, so no activation key can be valid.",
            "Copy what stands behind `public:` in the output of `manage.py ms365_activation_key generate-keys`.",
        )


def _faults_of_url(name: str) -> Iterator[Fault]:
    value = getattr(settings, name)
    if not isinstance(value, str):
        return
    try:
        check_base_url(value, name)
    except ConfigurationError as error:
        yield Fault("E007", str(error), BY_NAME[name].help)


def check_base_url(url: str, name: str) -> str:
    """Return `url` without a trailing slash. Raises `ConfigurationError` unless it is https, or http on loopback."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(f"{name} is not the address of a host: expected something like https://host.")
    if parts.scheme == "http" and host not in LOOPBACK_HOSTS:
        raise ConfigurationError(f"{name} must be https: http is accepted on this machine's own addresses only.")
    return url.rstrip("/")
