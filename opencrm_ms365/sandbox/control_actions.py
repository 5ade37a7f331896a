"""The actions of the control API that are not a mailbox owner's or the login's. Each takes and gives JSON.

A further service adds its own with `@action`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .world import Account, Tenant

if TYPE_CHECKING:
    from .simulator import Sandbox

ACTIONS: dict[str, Callable[..., Any]] = {}
READING: set[str] = set()       # may be asked with GET

CHANGEABLE = frozenset({"display_name", "mail", "password", "given_name", "surname", "aliases", "is_admin",
                        "is_enabled", "has_mailbox", "time_zone", "language"})


def action(function: Callable[..., Any]) -> Callable[..., Any]:
    """Offer a function `(sandbox, ...)` under its name."""
    ACTIONS[function.__name__] = function
    return function


def reading(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same, for one that changes nothing."""
    READING.add(function.__name__)
    return action(function)


# Who is there


@reading
def world(sandbox: Sandbox) -> dict[str, Any]:
    """Tenants, accounts and registered clients."""
    with sandbox.lock:
        return {"tenants": [asdict(tenant) for tenant in sandbox.world.tenants.values()],
                "accounts": [asdict(account) for account in sandbox.world.accounts.values()],
                "clients": [asdict(client) for client in sandbox.world.clients.values()]}


@action
def add_tenant(sandbox: Sandbox, domain: str, name: str = "", id: str = "") -> dict[str, Any]:
    """A new tenant."""
    return asdict(sandbox.add_tenant(domain, name, id=id))


@action
def add_user(sandbox: Sandbox, tenant: Tenant, upn: str, **values: Any) -> dict[str, Any]:
    """A new account; `values` are its other fields (display_name, mail, password, is_admin, has_mailbox ...)."""
    return asdict(sandbox.add_user(tenant, upn, **values))


@action
def change_user(sandbox: Sandbox, account: str, **values: Any) -> dict[str, Any]:
    """Change fields of an account, such as has_mailbox, mail, aliases, time_zone."""
    found = sandbox.account(account)
    if unknown := set(values) - CHANGEABLE:
        raise ValueError(f"An account has no field {sorted(unknown)[0]!r} that can be changed.")
    with sandbox.lock:
        for name, value in values.items():
            setattr(found, name, tuple(value) if name == "aliases" else value)
    return asdict(found)


@action
def register_client(sandbox: Sandbox, client_id: str, secret: str = "", redirect_uris: Any = "*loopback",
                    **values: Any) -> dict[str, Any]:
    """An app registration."""
    return asdict(sandbox.register_client(client_id, secret, redirect_uris, **values))


# Sign-ins and tokens


@action
def token_for(sandbox: Sandbox, account: str, scopes: Any, client_id: str = "test-client",
              lifetime_s: float = 3599) -> str:
    """An access token without any sign-in."""
    return sandbox.token_for(account, scopes, client_id=client_id, lifetime_s=lifetime_s)


@action
def revoke(sandbox: Sandbox, account: str, claims: str = "") -> None:
    """Revoke all sessions of an account; `claims` makes it a claims challenge."""
    sandbox.revoke(account, claims=claims)


@action
def disable(sandbox: Sandbox, account: str) -> None:
    """Block an account."""
    sandbox.disable(account)


@action
def enable(sandbox: Sandbox, account: str) -> None:
    """Unblock an account."""
    sandbox.enable(account)


@action
def expire_access_tokens(sandbox: Sandbox, account: str | None = None) -> None:
    """Let access tokens run out, all or one account's."""
    sandbox.expire_access_tokens(account)


@action
def expire_delta_tokens(sandbox: Sandbox, account: str | None = None, folder: str = "") -> None:
    """Make delta links and nextLinks unusable: all, one mailbox's, or one folder's (id or name)."""
    sandbox.expire_delta_tokens(account, folder)


# Switches, clock, faults, log


@reading
def options(sandbox: Sandbox) -> dict[str, Any]:
    """All switches and their values."""
    return sandbox.options.as_dict()


@action
def set_options(sandbox: Sandbox, **values: Any) -> dict[str, Any]:
    """Change switches."""
    sandbox.options.set(**values)
    return sandbox.options.as_dict()


@action
def reset_options(sandbox: Sandbox) -> dict[str, Any]:
    """All switches back to their defaults."""
    sandbox.options.reset()
    return sandbox.options.as_dict()


@reading
def clock(sandbox: Sandbox) -> str:
    """What time it is in the simulator."""
    return sandbox.clock.now().isoformat()


@action
def set_clock(sandbox: Sandbox, at: str) -> str:
    """Jump to an instant (ISO 8601 with a zone)."""
    sandbox.clock.set(datetime.fromisoformat(at))
    return clock(sandbox)


@action
def advance_clock(sandbox: Sandbox, seconds: float) -> str:
    """Move the clock."""
    sandbox.clock.advance(seconds)
    return clock(sandbox)


@action
def freeze_clock(sandbox: Sandbox, at: str = "") -> str:
    """Let the clock stand still."""
    sandbox.clock.freeze(datetime.fromisoformat(at) if at else None)
    return clock(sandbox)


@action
def resume_clock(sandbox: Sandbox) -> str:
    """Let the clock run again."""
    sandbox.clock.resume()
    return clock(sandbox)


@reading
def faults(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The faults that wait."""
    return [fault.as_dict() for fault in sandbox.faults.waiting()]


@action
def add_fault(sandbox: Sandbox, **values: Any) -> dict[str, Any]:
    """A fault for the next matching requests; the fields of `faults.Fault`."""
    return sandbox.faults.add(**values).as_dict()


@action
def remove_fault(sandbox: Sandbox, number: int) -> bool:
    """Take a waiting fault away."""
    return sandbox.faults.remove(number)


@action
def clear_faults(sandbox: Sandbox) -> None:
    """Take all faults away."""
    sandbox.faults.clear()


@reading
def requests(sandbox: Sandbox, method: str = "", path: str = "", account: str = "",
             since: int | str = 0) -> list[dict[str, Any]]:
    """The request log, narrowed by method, regular expression on the path, account, and number."""
    return [entry.as_dict() for entry in sandbox.requests.find(method, path, account, since=int(since))]


@action
def clear_requests(sandbox: Sandbox) -> None:
    """Empty the request log."""
    sandbox.requests.clear()


@reading
def mails(sandbox: Sandbox, kind: str = "", sender: str = "", recipient: str = "") -> list[dict[str, Any]]:
    """The mail that meetings caused, oldest first, narrowed by kind, sender and recipient."""
    wanted = {name: value.lower() for name, value in (("kind", kind), ("sender", sender), ("recipient", recipient))
              if value}
    return [{**asdict(mail), "at": mail.at.isoformat()} for mail in sandbox.mails
            if all(getattr(mail, name) == value for name, value in wanted.items())]


@action
def clear_mails(sandbox: Sandbox) -> None:
    """Forget the mail so far."""
    sandbox.clear_mails()


@reading
def throttling(sandbox: Sandbox) -> dict[str, Any]:
    """The highest number of concurrent requests so far, by client and account."""
    return {f"{client} {account_name(sandbox, account)}": count
            for (client, account), count in sandbox.throttle.highest_concurrency.items()}


@action
def reset_throttling(sandbox: Sandbox) -> None:
    """Forget the requests that have been counted."""
    sandbox.throttle.reset()


def account_name(sandbox: Sandbox, account_id: str) -> str:
    """The account's user principal name, or its id when it is gone."""
    found: Account | None = sandbox.world.accounts.get(account_id)
    return found.upn if found else account_id
