"""Who works on a link: a reservation in the link's own row, taken by one conditional UPDATE (I-2, SYNC-01).

A lease ends by itself `LEASE_S` seconds after its last renewal, so that a worker that died on another machine blocks
nobody for long. One whose holder is a dead process of this very machine can be taken over at once. Machines are assumed
to agree on the time to within a small part of `LEASE_S`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from ..conf import settings
from ..errors import LeaseLost
from ..models import UserLink
from . import heartbeat, process

#: A lease is renewed when this part of it has passed.
RENEW_AFTER = 1 / 3


class Lease:
    """The reservation of one link by the one who made it: `owner` is the process's name and a token of its own.

    `taken_over_from` is the owner that vanished without releasing it, empty in the normal case. `doing` is what the
    heartbeat says meanwhile; empty: renewing is no sign of life of a background worker (the foreground command).
    `on_ensure` is called at each `ensure()`.
    """

    def __init__(self, link_id: int, owner: str, now: datetime, *, taken_over_from: str = "",
                 doing: str = heartbeat.SYNCING, on_ensure: Callable[[], None] | None = None) -> None:
        self.link_id = link_id
        self.owner = owner
        self.taken_over_from = taken_over_from
        self.doing = doing
        self.on_ensure = on_ensure
        self._note_renewal(now)

    def renew(self, now: datetime | None = None) -> None:
        """Extend the lease by `LEASE_S` from now. Raises `LeaseLost` if the link is somebody else's, or gone.

        Inside the transaction of a chunk it is a fence: until the commit nobody else can take the link.
        """
        now = now or timezone.now()
        if not self._rows().update(lease_until=_until(now)):
            raise LeaseLost("Another worker has taken over this link.")
        self._note_renewal(now)
        if self.doing:
            heartbeat.stamp(self.doing, now)

    def ensure(self) -> None:
        """Renew when a third of `LEASE_S` has passed; cheap enough to be called for each chunk. Raises `LeaseLost`."""
        # Both clocks: the monotonic one stands still while a machine sleeps, the other one can be set back.
        passed = max((timezone.now() - self._renewed_at).total_seconds(), time.monotonic() - self._renewed_mono)
        if passed >= settings.LEASE_S * RENEW_AFTER:
            self.renew()
        if self.on_ensure:
            self.on_ensure()

    def release(self, **values: Any) -> bool:
        """Give the link free and set `values` on its row, in one UPDATE. False if it was no longer ours."""
        return bool(self._rows().update(lease_owner="", lease_until=None, **values))

    def _rows(self) -> QuerySet[UserLink]:
        return UserLink.objects.filter(pk=self.link_id, lease_owner=self.owner)

    def _note_renewal(self, now: datetime) -> None:
        self._renewed_at, self._renewed_mono = now, time.monotonic()


def acquire(link_id: int, now: datetime | None = None, *, among: QuerySet[UserLink] | None = None,
            doing: str = heartbeat.SYNCING, **values: Any) -> Lease | None:
    """Reserve a link, if it is free and one of `among`; `values` are set on its row in the same UPDATE.

    None when somebody works on it. A lease that ran out, or whose holder is provably dead, is taken over.
    """
    now = now or timezone.now()
    owner = f"{process.identity()}{process.SEPARATOR}{secrets.token_hex(6)}"
    held_by = UserLink.objects.filter(pk=link_id).values_list("lease_owner", flat=True).first()
    if held_by is None:
        return None
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    if held_by and process.is_dead(held_by):
        free |= Q(lease_owner=held_by)
    # The conditions on the lease must stand on the updated row itself: PostgreSQL looks at them again after it has
    # waited for another transaction; at those of a sub-query it does not.
    rows = UserLink.objects.filter(free, pk=link_id)
    if among is not None:
        rows = rows.filter(pk__in=among.order_by().values("pk"))
    if not rows.update(lease_owner=owner, lease_until=_until(now), **values):
        return None
    if doing:
        heartbeat.stamp(doing, now)
    return Lease(link_id, owner, now, taken_over_from=held_by, doing=doing)


def is_held(link: UserLink, now: datetime | None = None) -> bool:
    """Whether somebody works on the link, as far as its row and this machine's processes tell."""
    now = now or timezone.now()
    return bool(link.lease_until and link.lease_until >= now and not process.is_dead(link.lease_owner))


def abandoned(now: datetime | None = None) -> list[tuple[int, str]]:
    """Links and owners of leases whose holder vanished: provably dead, or not seen for `LEASE_S` seconds.

    A holder that is alive on this machine keeps its lease until somebody needs the link.
    """
    now = now or timezone.now()
    held = UserLink.objects.exclude(lease_owner="").values_list("pk", "lease_owner", "lease_until")
    return [(pk, owner) for pk, owner, until in held
            if process.is_dead(owner) or ((until is None or until < now) and process.pid_of(owner) is None)]


def clear(link_id: int, owner: str) -> bool:
    """Free a link from a holder that vanished; False if it has another by now."""
    rows = UserLink.objects.filter(pk=link_id, lease_owner=owner)
    return bool(rows.update(lease_owner="", lease_until=None))


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=settings.LEASE_S)
