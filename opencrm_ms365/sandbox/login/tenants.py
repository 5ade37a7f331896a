"""Who may come in by which door: the `{tenant}` of a path, the client, and whether an account fits both.

Everything here raises `SignInRefused` with Microsoft's number for it, or returns what was looked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..world import Account, Client, Tenant, World
from .aadsts import SignInRefused
from .state import LoginState

COMMON, ORGANIZATIONS, CONSUMERS = "common", "organizations", "consumers"
LOOPBACK = "*loopback"
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1", "testserver")


@dataclass(frozen=True, slots=True)
class Door:
    """The `{tenant}` of a path: one of the three words, or a tenant."""

    word: str
    tenant: Tenant | None = None

    def admits(self, account: Account, world: World) -> bool:
        """Whether the picker of this door shows the account; personal ones are shown, so that they can be refused."""
        return (
            self.tenant is None or account.tenant_id == self.tenant.id or world.tenants[account.tenant_id].is_personal
        )


def door(world: World, segment: str) -> Door:
    """The door of a path segment: a word, a tenant's id or its domain. Raises 90002."""
    word = segment.lower()
    if word in (COMMON, ORGANIZATIONS, CONSUMERS):
        return Door(word)
    tenant = world.tenant(segment)
    if tenant is None:
        raise SignInRefused(90002, tenant=segment)
    return Door(CONSUMERS if tenant.is_personal else tenant.id, tenant)


def client(world: World, through: Door, client_id: str) -> Client:
    """The registered client. Raises 700016 when it is not known there, 50194 for a single-tenant one at a word."""
    found = next((c for c in world.clients.values() if c.client_id.lower() == client_id.lower()), None)
    if found is None:
        raise SignInRefused(700016, client_id=client_id, tenant=through.word)
    if found.tenant_id and through.tenant is None:
        raise SignInRefused(50194, client_id=client_id)
    if found.tenant_id and through.tenant is not None and found.tenant_id != through.tenant.id:
        raise SignInRefused(700016, client_id=client_id, tenant=through.tenant.name)
    return found


def check_redirect(found: Client, redirect_uri: str) -> None:
    """Raises 50011 unless the address is registered, to the letter."""
    if redirect_uri in found.redirect_uris:
        return
    parts = urlsplit(redirect_uri)
    if LOOPBACK in found.redirect_uris and parts.scheme in ("http", "https") and parts.hostname in LOOPBACK_HOSTS:
        return
    raise SignInRefused(50011, redirect_uri=redirect_uri, client_id=found.client_id)


def check_account(world: World, through: Door, found: Client, account: Account) -> None:
    """Raises when this account may not use this client through this door (500208, 50020, 50057, 53003)."""
    tenant = world.tenants[account.tenant_id]
    if tenant.is_personal and (through.word not in (COMMON, CONSUMERS) or found.tenant_id):
        raise SignInRefused(500208)
    if not tenant.is_personal and through.word == CONSUMERS:
        raise SignInRefused(50020, account=account.upn, tenant="consumers", client_id=found.client_id)
    if through.tenant is not None and account.tenant_id != through.tenant.id:
        raise SignInRefused(50020, account=account.upn, tenant=through.tenant.name, client_id=found.client_id)
    if not account.is_enabled:
        raise SignInRefused(50057)
    if world.part(LoginState).demands_of(account).blocked:
        raise SignInRefused(53003)


def eligible(world: World, through: Door) -> Iterator[Account]:
    """The accounts that the picker shows, administrators last."""
    shown = [account for account in world.accounts.values() if through.admits(account, world)]
    return iter(sorted(shown, key=lambda a: (world.tenants[a.tenant_id].is_personal, a.is_admin)))
