"""Activation keys (ORG-03): a vendor's signed statement who may use the sync, until when, and for how many users.

    OCM1.<base64url of JSON>.<base64url of the Ed25519 signature of everything before the last dot>

Checked offline against `ACTIVATION_PUBLIC_KEY`. Where that setting is empty nobody sells keys, and none is asked for.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import functools
import hmac
import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..conf import settings
from ..models import HOLDS_ACCOUNT, SyncSettings, UserLink
from .refused import Refused

PREFIX = "OCM1"
KEY_BYTES = 32
LONGEST_KEY = 4000
#: Administrators are told of the end of a key so many days before.
WARN_DAYS = 30


@dataclass(frozen=True, slots=True)
class Activation:
    """What a key says. It is good through the whole day of `expires`. `tenant_id`: a Microsoft tenant's GUID, or
    empty for any."""

    organisation: str
    expires: datetime.date
    users: int
    tenant_id: str = ""


# The vendor's side


def generate_keys() -> tuple[str, str]:
    """A new private and public key, base64url."""
    private = Ed25519PrivateKey.generate()
    return _text(private.private_bytes_raw()), _text(private.public_key().public_bytes_raw())


def issue(private_key: str, activation: Activation) -> str:
    """The key to give to a customer. Raises `ValueError` for a private key that is none, or a senseless statement."""
    if not activation.organisation.strip() or activation.users < 1:
        raise ValueError("A key names an organisation and allows at least one user.")
    try:
        signer = Ed25519PrivateKey.from_private_bytes(_bytes(private_key))
    except ValueError as error:
        raise ValueError("This is not a private key made by generate-keys.") from error
    says = {"organisation": activation.organisation.strip(), "expires": activation.expires.isoformat(),
            "users": activation.users, "tenant_id": activation.tenant_id.strip().lower()}
    statement = f"{PREFIX}.{_text(json.dumps(says, ensure_ascii=False, separators=(',', ':')).encode())}"
    return f"{statement}.{_text(signer.sign(statement.encode()))}"


# The customer's side


def is_needed() -> bool:
    return bool(settings.ACTIVATION_PUBLIC_KEY)


def read(key: str) -> Activation:
    """What a key says, once its signature has been checked. Raises `Refused`."""
    activation = _read("".join(key.split())[:LONGEST_KEY], str(settings.ACTIVATION_PUBLIC_KEY))
    if activation is None:
        raise Refused(_("This is not a valid activation key. Copy the whole key from your vendor's message; a key of "
                        "another vendor does not work."))
    return activation


@functools.lru_cache(maxsize=2048)
def _read(key: str, public_key: str) -> Activation | None:
    statement, _dot, signature = key.rpartition(".")
    prefix, _dot, content = statement.partition(".")
    if prefix != PREFIX:
        return None
    try:
        # Ed25519 verification takes the same time wherever a forged signature goes wrong.
        Ed25519PublicKey.from_public_bytes(_bytes(public_key)).verify(_bytes(signature), statement.encode())
        return _activation(json.loads(_bytes(content)))
    except (InvalidSignature, ValueError, KeyError, TypeError):
        return None


def _activation(says: dict[str, Any]) -> Activation:
    return Activation(str(says["organisation"]), datetime.date.fromisoformat(says["expires"]), int(says["users"]),
                      str(says.get("tenant_id") or ""))


def why_invalid(organisation: SyncSettings, key: str | None = None, used: int | None = None) -> str:
    """Why the organisation may not sync by its key, or would not by `key`, in a sentence; empty: it may.

    `used` is how many users count for the key, where the caller knows; one query otherwise.
    """
    if not is_needed():
        return ""
    text = organisation.activation_key if key is None else key
    if not text.strip():
        return _("There is no activation key. The sync can be switched on with a key of your vendor.")
    try:
        says = read(text)
    except Refused as refused:
        return refused.reason
    if timezone.localdate() > says.expires:
        return _("The activation key of %(organisation)s expired on %(day)s. Ask your vendor for a new one; nothing "
                 "has been deleted.") % {"organisation": says.organisation, "day": says.expires.isoformat()}
    if says.tenant_id and organisation.tenant_id and not _same(says.tenant_id, organisation.tenant_id):
        return _("The activation key of %(organisation)s is for another Microsoft tenant than the one this CRM is "
                 "authorised for.") % {"organisation": says.organisation}
    used = users_of(organisation, text) if used is None else used
    if used > says.users:
        return _("The activation key of %(organisation)s allows %(allowed)s users, and %(used)s are connected. Ask "
                 "your vendor for a larger one, or disconnect or switch off some users.") % {
                     "organisation": says.organisation, "allowed": says.users, "used": used}
    return ""


def users_of(organisation: SyncSettings, key: str) -> int:
    """How many users count for a key: all that hold an account and are switched on, in every organisation of this
    database that has the same key."""
    sharing = SyncSettings.objects.filter(activation_key=key).exclude(activation_key="").values("tenant")
    return _counting().filter(Q(tenant=organisation.tenant) | Q(tenant__in=sharing)).count()


def without_good_key() -> list[int]:
    """The primary keys of organisations that are switched on and may not sync by their key. Three queries; none where
    no key is needed."""
    rows = list(SyncSettings.objects.filter(enabled=True, paused=False)) if is_needed() else []
    counted = dict(_counting().order_by().values_list("tenant").annotate(Count("pk"))) if rows else {}
    used: dict[str, int] = defaultdict(int)
    for tenant, key in SyncSettings.objects.values_list("tenant", "activation_key") if rows else ():
        used[key] += counted.get(tenant, 0)
    return [row.pk for row in rows if why_invalid(row, used=used[row.activation_key])]


def _counting() -> QuerySet[UserLink]:
    return UserLink.objects.filter(status__in=HOLDS_ACCOUNT, enabled=True)


def check_room(organisation: SyncSettings, user: Any) -> None:
    """Raise `Refused` if one more user would be one too many; who is connected already takes no more room."""
    if not is_needed() or not organisation.activation_key:
        return
    if UserLink.objects.filter(tenant=organisation.tenant, user=user, status__in=HOLDS_ACCOUNT).exists():
        return
    try:
        says = read(organisation.activation_key)
    except Refused:
        return                                           # the sync stands still anyway, and says why
    if users_of(organisation, organisation.activation_key) >= says.users:
        raise Refused(_("Your organisation's activation key allows %(allowed)s users, and as many are connected "
                        "already. Ask your administrator.") % {"allowed": says.users})


def days_left(organisation: SyncSettings) -> int | None:
    """How many days the key is still good for; None without a key that can be read."""
    try:
        return (read(organisation.activation_key).expires - timezone.localdate()).days if is_needed() else None
    except Refused:
        return None


def warning(organisation: SyncSettings) -> str:
    """That a good key runs out within `WARN_DAYS`, in a sentence for administrators; empty otherwise. No query."""
    left = days_left(organisation)
    if left is None or not 0 <= left <= WARN_DAYS:
        return ""
    says = read(organisation.activation_key)
    return ngettext(
        "The activation key of %(organisation)s is good until %(day)s, %(left)s more day. Ask your vendor for a new "
        "one in time: when it expires the sync stops; nothing is deleted.",
        "The activation key of %(organisation)s is good until %(day)s, %(left)s more days. Ask your vendor for a new "
        "one in time: when it expires the sync stops; nothing is deleted.", left) % {
            "organisation": says.organisation, "day": says.expires.isoformat(), "left": left}


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.lower().encode(), other.lower().encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Raises `ValueError` for what is no base64url."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
