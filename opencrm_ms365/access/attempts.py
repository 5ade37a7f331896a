"""How often one person may use the sign-in endpoints (each sends requests to Microsoft, or tries an access key).

Counted in the database, so that it holds for all processes and needs no cache. The access key is too long to be guessed
anyway; this keeps one browser from keeping us, or Microsoft, busy.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import SignInAttempt
from .refused import Refused

MOST = 60
WITHIN_MINUTES = 10


class TooMany(Refused):
    """Too many attempts; it goes on after `retry_after_s`."""

    retry_after_s = WITHIN_MINUTES * 60


def count(user: Any) -> None:
    """Count one attempt. Raises `TooMany`, and then counts nothing: waiting always helps."""
    now = timezone.now()
    since = now - datetime.timedelta(minutes=WITHIN_MINUTES)
    mine = SignInAttempt.objects.filter(user=user)
    mine.filter(at__lt=since).delete()
    if mine.count() >= MOST:
        raise TooMany(_("There have been too many attempts to sign in. Wait ten minutes, then try again."))
    SignInAttempt.objects.create(user=user, at=now)
