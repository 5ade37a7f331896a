"""The directory's groups, to which plans belong: who is in them decides who may see and write a plan (facts 9.1).

Owners who are not members have no access to the plans. A deleted group can be restored, its plans with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from .refusal import Refusal
from .world import Account, World

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(slots=True)
class Group:
    """A group. Only a unified one ("Microsoft 365 group") can have plans. `members` and `owners` are account ids."""

    id: str
    tenant_id: str
    name: str
    created_at: datetime
    members: list[str] = field(default_factory=list)
    owners: list[str] = field(default_factory=list)
    is_unified: bool = True
    is_deleted: bool = False
    description: str = ""

    def has_member(self, account_id: str) -> bool:
        """Whether that account has the rights of a member now."""
        return not self.is_deleted and account_id in self.members


class Groups:
    """All groups of all tenants (part of the world). Callers hold the world's lock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.by_id: dict[str, Group] = {}

    def add(self, tenant_id: str, name: str, *, is_unified: bool = True, description: str = "") -> Group:
        """A new group without anybody in it."""
        group = Group(self.world.ids.guid(), tenant_id, name, self.world.clock.now(), is_unified=is_unified,
                      description=description)
        self.by_id[group.id] = group
        return group

    def group(self, key: str, tenant_id: str) -> Group:
        """A group of that tenant by id. Raises `Refusal` (400, 404)."""
        if _GUID.fullmatch(key) is None:
            raise Refusal(400, "Request_BadRequest", f"Invalid object identifier '{key}'.")
        found = self.by_id.get(key.lower())
        if found is None or found.is_deleted or found.tenant_id != tenant_id:
            raise Refusal(404, "Request_ResourceNotFound", f"Resource '{key}' does not exist or one of its queried "
                          "reference-property objects are not present.")
        return found

    def of_tenant(self, tenant_id: str) -> list[Group]:
        return [group for group in self.by_id.values() if group.tenant_id == tenant_id and not group.is_deleted]

    def of_member(self, account: Account) -> list[Group]:
        """The groups that account is a member of, not those that it only owns."""
        return [group for group in self.by_id.values() if group.has_member(account.id)]

    def join(self, group: Group, account_id: str) -> None:
        """Make somebody a member; nothing happens when they are."""
        if account_id not in group.members:
            group.members.append(account_id)

    def leave(self, group: Group, account_id: str) -> None:
        """End somebody's membership. What they are assigned to stays assigned."""
        if account_id in group.members:
            group.members.remove(account_id)
