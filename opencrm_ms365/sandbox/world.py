"""The state of the simulated Microsoft 365: tenants, accounts, registered clients, mailboxes.

Nothing here knows HTTP. Each service (contacts, later calendar, Planner, subscriptions, the login) keeps its state in
a *part*: `mailbox.part(ContactStore)` or `world.part(Planner)` makes it on first use, so a new service needs no change
here. One lock guards everything; hold it (`with world.lock`) for each request or action, never while waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .clock import Clock
from .ids import IdFactory
from .options import Options

PERSONAL_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad"    # personal Microsoft accounts (facts 3.6)

P = TypeVar("P")
Owner = TypeVar("Owner")


@dataclass(slots=True)
class Tenant:
    """A customer of Microsoft 365 with its verified domain; personal accounts live in a tenant of their own."""

    id: str
    domain: str
    name: str

    @property
    def is_personal(self) -> bool:
        return self.id == PERSONAL_TENANT_ID


@dataclass(slots=True)
class Account:
    """A user of the directory. `mail` may be empty although there is a mailbox (facts 13)."""

    id: str
    tenant_id: str
    upn: str
    display_name: str
    mail: str = ""
    password: str = ""
    given_name: str = ""
    surname: str = ""
    aliases: tuple[str, ...] = ()
    is_admin: bool = False
    is_enabled: bool = True
    has_mailbox: bool = True
    time_zone: str = "GMT Standard Time"
    language: str = "en-GB"
    revision: int = 0       # raised when sessions are revoked: refresh tokens of a lower revision are dead


@dataclass(slots=True)
class Client:
    """An app registration. `redirect_uris` may hold "*loopback": any address on this machine."""

    client_id: str
    secret: str = ""
    redirect_uris: tuple[str, ...] = ()
    name: str = "CRM"
    tenant_id: str = ""     # empty: multi-tenant
    secret_expired: bool = False
    certificates: tuple[str, ...] = ()      # PEM, for signed client assertions


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed in a mailbox; listeners (subscriptions) get one of these for each write."""

    account_id: str
    resource: str           # "contacts", later "events"
    kind: str               # "created" | "updated" | "deleted"
    item_id: str            # immutable id
    etag: str = ""


class Parts(Generic[Owner]):
    """Keeps one object of each service's state class for its owner."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._parts: dict[type, Any] = {}

    def get(self, kind: Callable[[Owner], P]) -> P:
        """The part of that class, made with the owner as only argument when it is not there yet."""
        if kind not in self._parts:
            self._parts[kind] = kind(self._owner)     # type: ignore[index]  # a part is kept under its own class
        return self._parts[kind]                      # type: ignore[index]  # a part is kept under its own class

    def __iter__(self) -> Iterator[Any]:
        return iter(self._parts.values())


class Mailbox:
    """What one account has in Exchange. The services' parts hold the items."""

    def __init__(self, world: World, account: Account) -> None:
        self.world = world
        self.account = account
        self.root_folder_id = world.ids.folder()
        self.deleted_items_id = world.ids.folder()
        self._parts: Parts[Mailbox] = Parts(self)

    def part(self, kind: Callable[[Mailbox], P]) -> P:
        return self._parts.get(kind)

    def parts(self) -> list[Any]:
        """All parts made so far."""
        return list(self._parts)


@dataclass(slots=True)
class World:
    """Everything that is simulated. `options` and `clock` are the sandbox's own."""

    options: Options = field(default_factory=Options)
    clock: Clock = field(default_factory=Clock)
    seed: int | str | None = None       # makes ids, tokens and shuffling repeatable
    lock: threading.RLock = field(default_factory=threading.RLock)
    tenants: dict[str, Tenant] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    listeners: list[Callable[[Change], None]] = field(default_factory=list)
    ids: IdFactory = field(init=False)
    _parts: Parts[World] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = IdFactory(self.seed, lambda: self.options.case_twin_ids)
        self._parts = Parts(self)

    def part(self, kind: Callable[[World], P]) -> P:
        """The world-wide part of a service (a login's sessions, Planner's plans)."""
        return self._parts.get(kind)

    def tenant(self, key: str) -> Tenant | None:
        """A tenant by id or domain (without case); None when there is none."""
        wanted = key.lower()
        return next((t for t in self.tenants.values() if wanted in (t.id.lower(), t.domain.lower())), None)

    def account(self, key: str | Account) -> Account | None:
        """An account by object id, user principal name, mail or alias (without case); None when there is none."""
        if isinstance(key, Account):
            return key
        if key in self.accounts:
            return self.accounts[key]
        wanted = key.lower()
        for account in self.accounts.values():
            names = (account.id, account.upn, account.mail, *account.aliases)
            if wanted in (name.lower() for name in names if name):
                return account
        return None

    def mailbox(self, account: Account) -> Mailbox:
        """The account's mailbox, made on first use."""
        if account.id not in self.mailboxes:
            self.mailboxes[account.id] = Mailbox(self, account)
        return self.mailboxes[account.id]

    def announce(self, change: Change) -> None:
        """Tell every listener. Called with the lock held: a listener notes the change and works later."""
        for listener in self.listeners:
            listener(change)
