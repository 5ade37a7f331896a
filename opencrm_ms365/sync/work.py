"""Everything that one cycle of one link needs, gathered once: who, what, by which rules, and how long."""

from __future__ import annotations

import time
import zoneinfo
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from .. import adapters
from ..access.tokens import LinkTokens
from ..adapters.context import SyncContext
from ..conf import settings
from ..errors import GraphError, OutOfTime
from ..graph import batch
from ..graph.answers import Answer
from ..graph.batch import Inner
from ..graph.client import GraphClient
from ..models import RecordMapping, SyncSettings, UserLink
from ..reconcile.plan import Counts
from ..reconcile.policy import AfterDeletion, ConflictRule, Direction, Policy
from ..records import Limits, Record, digest
from ..records.contact import canonical
from .kind import Kind
from .lease import Lease
from .markers import installation_key
from .stored import StoredValues


@dataclass(kw_only=True)
class Work:
    """One link and one kind of record in one cycle. `how` knows what is particular to the kind, `store` is Microsoft's
    side of it.

    `deadline` is a value of `time.monotonic()`, None for no end. `preview` is the id of the preview run, empty for the
    sync itself: a preview plans with the same code, and nothing of its plan is applied. `assumed` are the CRM records
    that the plan has found a partner for (only a preview needs to remember them; the sync sees their mappings).
    `choices` are people's decisions about unclear matches: Microsoft's id to `ADAPTER:PK`, or to `new`. `failed` are
    keys of mappings that the CRM refused in this cycle: they are not tried twice in it. `decided` are keys of people's
    decisions that this cycle carries out. `compared` is up to which mapping each adapter's records have been compared;
    `listed` are the folders whose identities have been noted in the inbox in this cycle.
    """

    link: UserLink
    organisation: SyncSettings
    kind: str
    adapters: list[Any]
    ctx: SyncContext
    how: Kind
    store: Any
    client: GraphClient
    policy: Policy
    scope: Any
    lease: Lease | None = None
    deadline: float | None = None
    full: bool = False
    preview: str = ""
    counts: Counts = field(default_factory=Counts)
    assumed: set[tuple[str, str]] = field(default_factory=set)
    suspects: set[str] = field(default_factory=set)
    vanished_confirmed: bool = False
    choices: dict[str, str] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    decided: set[int] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    compared: dict[str, int] = field(default_factory=dict)
    people: Any = None
    news: dict[str, Answer | GraphError] = field(default_factory=dict)
    mails: Any = None
    on_progress: Callable[[str, int], None] | None = None

    @property
    def now(self) -> datetime:
        return self.ctx.now

    @cached_property
    def window(self) -> tuple[datetime, datetime]:
        """Between which instants what is new is synced (SYNC-02)."""
        return window_of(self.now)

    def ask_news(self, requests: list[Inner]) -> batch.Outcomes:
        """The answers to the requests of a poll: those that were asked together with the other kinds', once, or new
        ones."""
        asked, self.news = self.news, {}
        if requests and all(inner.id in asked for inner in requests):
            return asked
        return batch.run(self.client, requests)

    @property
    def microsoft_limits(self) -> Limits:
        return self.how.limits

    @property
    def rules(self) -> tuple[str, ...]:
        return tuple(self.organisation.match_by)

    @cached_property
    def left_out_categories(self) -> frozenset[str]:
        """The organisation's choice, ready to be compared (ORG-17)."""
        return frozenset(str(name).strip().casefold() for name in self.organisation.left_out_categories)

    @property
    def region(self) -> str:
        return str(settings.DEFAULT_PHONE_REGION)

    @property
    def installation(self) -> str:
        return installation_key(self.link.tenant)

    @cached_property
    def sibling_installations(self) -> frozenset[str]:
        """What the markers of the CRM's other organisations say; empty where there is only one organisation."""
        tenants = (str(tenant) for tenant in adapters.site.directory.tenants())
        return frozenset(installation_key(tenant) for tenant in tenants if tenant != self.link.tenant)

    @property
    def chunk(self) -> int:
        return int(settings.CHUNK)

    def digest(self, value: object) -> str:
        """The keyed digest of a canonical value; the key is the link's own."""
        return digest(value, bytes(self.link.digest_key))

    def digests(self, record: Record, names: frozenset[str]) -> dict[str, str]:
        """Digests by field of what a record holds in the named fields."""
        return {name: self.digest(canonical(name, getattr(record, name))) for name in sorted(names)}

    def adapter(self, name: str) -> Any | None:
        return next((item for item in self.adapters if item.name == name), None)

    @property
    def creator(self) -> Any | None:
        """The adapter that makes CRM records of this kind, None where none does."""
        return adapters.site.creator(self.kind)

    @property
    def owner_of_mappings(self) -> UserLink | None:
        """The link that new mappings belong to; None: the organisation."""
        return self.link

    def mappings(self) -> Any:
        return RecordMapping.objects.filter(link=self.link, kind=self.kind)

    def check_lease(self) -> None:
        """Keep the lease while working. Raises `LeaseLost`."""
        if self.lease is not None:
            self.lease.ensure()

    def check_time(self) -> None:
        """Called between chunks: keeps the lease, and raises `OutOfTime` when the slice is over."""
        self.check_lease()
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime("the time slice is over")

    def progress(self, phase: str, done: int = 0) -> None:
        if self.on_progress:
            self.on_progress(phase, done)

    def save_link(self, **values: Any) -> None:
        """Save fields of the link, provided that the lease is still ours."""
        rows = UserLink.objects.filter(pk=self.link.pk)
        if self.lease is not None:
            rows = rows.filter(lease_owner=self.lease.owner)
        if not rows.update(**values) and self.lease is not None:
            from ..errors import LeaseLost

            raise LeaseLost("another worker has taken over this link")
        for name, value in values.items():
            setattr(self.link, name, value)


def window_of(now: datetime) -> tuple[datetime, datetime]:
    """Between which instants what is new is synced, bounds included (SYNC-02)."""
    return (now - timedelta(days=int(settings.WINDOW_PAST_DAYS)),
            now + timedelta(days=int(settings.WINDOW_FUTURE_DAYS)))


def chunks(items: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """Lists of at most `size` items, in order."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


def context_of(link: UserLink, now: datetime | None = None) -> SyncContext:
    """Who the sync acts for, as adapters see it."""
    directory = adapters.site.directory
    user = link.user
    return SyncContext(
        user=user,
        tenant=link.tenant,
        person=directory.person(user, link.tenant),
        tz=_zone(link, directory),
        is_org_admin=bool(directory.is_org_admin(user, link.tenant)),
        settings=_settings(link),
        now=now or timezone.now(),
        stored=StoredValues(link.tenant),
    )


def _zone(link: UserLink, directory: Any) -> zoneinfo.ZoneInfo:
    named = link.time_zone or directory.timezone(link.user)
    if isinstance(named, zoneinfo.ZoneInfo):
        return named
    try:
        return zoneinfo.ZoneInfo(str(named or timezone.get_default_timezone_name()))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def _settings(link: UserLink) -> Mapping[str, Any]:
    return {
        "sync_contacts": link.sync_contacts,
        "only_my_items": link.only_my_items,
        "crm_folders": link.crm_folders,
        "microsoft_folders": link.microsoft_folders,
        "contact_direction": link.contact_direction,
    }


def policy_of(link: UserLink, organisation: SyncSettings, direction: Direction) -> Policy:
    return Policy(
        direction=direction,
        conflict_rule=ConflictRule(organisation.conflict_rule),
        after_deletion=AfterDeletion(organisation.microsoft_deletion),
    )


def open_client(link: UserLink, on_request: Any = None) -> GraphClient:
    """A Graph client that speaks for the link's account."""
    return GraphClient(
        settings.GRAPH_URL, LinkTokens(link.pk), timeout_s=float(settings.GRAPH_TIMEOUT_S), on_request=on_request
    )


@contextmanager
def acting_for(ctx: SyncContext) -> Iterator[None]:
    """The CRM's own surroundings for a tenant and user (row-level security, thread-locals, time zone)."""
    with adapters.site.directory.activate(ctx):
        yield
