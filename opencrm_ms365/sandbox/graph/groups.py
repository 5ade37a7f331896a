"""Groups of the directory: which ones a user is in, and who is in them (facts 9.2, 13).

Without a scope that reads groups, `memberOf` still tells the ids; every other member is null, as the directory does.
"""

from __future__ import annotations

from typing import Any

from ..clock import timestamp
from ..planner_groups import Group, Groups
from ..refusal import Refusal
from ..world import Account
from . import filters
from .call import Call, Reply
from .query import allow, page, selected
from .routing import Routes
from .users import READ_OWN

routes = Routes()

READ = ("GroupMember.Read.All", "Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All")
KNOWN = ("id", "createdDateTime", "description", "displayName", "groupTypes", "mail", "mailEnabled", "mailNickname",
         "securityEnabled", "visibility")
FILTERABLE = frozenset({"id", "displayName", "mail", "mailNickname", "mailEnabled", "securityEnabled"})
PEOPLE = ("id", "businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
          "preferredLanguage", "surname", "userPrincipalName")


@routes.add("GET", "{user}/memberOf", scopes=(*READ_OWN, *READ))
@routes.add("GET", "{user}/memberOf/group", scopes=(*READ_OWN, *READ))
@routes.add("GET", "{user}/transitiveMemberOf", scopes=(*READ_OWN, *READ))
@routes.add("GET", "{user}/transitiveMemberOf/group", scopes=(*READ_OWN, *READ))
def list_memberships(call: Call) -> Reply:
    """The groups of which the user is a member; groups within groups are not simulated."""
    if call.account.id != call.grant.account_id and not call.grant.allows(READ):
        raise denied()
    return _listing(call, call.sandbox.world.part(Groups).of_member(call.account), "directoryObjects")


@routes.add("GET", "groups", scopes=("Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All"))
def list_groups(call: Call) -> Reply:
    """All groups of the tenant."""
    return _listing(call, call.sandbox.world.part(Groups).of_tenant(call.grant.tenant_id), "groups")


@routes.add("GET", "groups/{group}", scopes=READ)
def get_group(call: Call, group: str) -> Reply:
    """One group."""
    allow(call, "$select")
    found = call.sandbox.world.part(Groups).group(group, call.grant.tenant_id)
    names = selected(call, KNOWN, "group")
    return Reply(200, {"@odata.context": call.context("groups/$entity"), **_shown(call, found, names)})


@routes.add("GET", "groups/{group}/members", scopes=READ)
@routes.add("GET", "groups/{group}/members/user", scopes=READ)
def list_members(call: Call, group: str) -> Reply:
    """The people in a group."""
    return _people(call, call.sandbox.world.part(Groups).group(group, call.grant.tenant_id).members)


@routes.add("GET", "groups/{group}/owners", scopes=READ)
@routes.add("GET", "groups/{group}/owners/user", scopes=READ)
def list_owners(call: Call, group: str) -> Reply:
    """Those who administer a group; they need not be members."""
    return _people(call, call.sandbox.world.part(Groups).group(group, call.grant.tenant_id).owners)


def denied() -> Refusal:
    """403 of the directory."""
    return Refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _listing(call: Call, groups: list[Group], context: str) -> Reply:
    allow(call, "$select", "$top", "$count", "$filter", "$skip")
    names = selected(call, KNOWN, "group")
    if call.query.get("$filter"):
        meets = filters.compiled(filters.parse(call.query["$filter"]), _condition)
        groups = [group for group in groups if meets(_everything(group))]
    return page(call, groups, lambda group: {"@odata.type": "#microsoft.graph.group", **_shown(call, group, names)},
                context, default_size=100)


def _shown(call: Call, group: Group, names: frozenset[str] | None) -> dict[str, Any]:
    everything = _everything(group)
    if not call.grant.allows(READ):
        everything = dict.fromkeys(everything) | {"id": group.id}
    return {name: everything[name] for name in KNOWN if names is None or name in names or name == "id"}


def _everything(group: Group) -> dict[str, Any]:
    nickname = "".join(letter for letter in group.name.casefold() if letter.isalnum() and letter.isascii())
    return {
        "id": group.id, "createdDateTime": timestamp(group.created_at), "description": group.description or None,
        "displayName": group.name, "groupTypes": ["Unified"] if group.is_unified else [], "mail": None,
        "mailEnabled": group.is_unified, "mailNickname": nickname, "securityEnabled": not group.is_unified,
        "visibility": "Private" if group.is_unified else None,
    }


def _condition(node: filters.Compare | filters.AnyOf) -> filters.Predicate:
    """Plain members, and `groupTypes/any(t:t eq 'Unified')`. Raises `Refusal` (400) for everything else."""
    if isinstance(node, filters.AnyOf):
        inner = node.condition
        if node.path[0].lower() == "grouptypes" and isinstance(inner, filters.Compare) and \
                inner.path == (node.variable,):
            return lambda group: any(filters.holds(inner.operator, kind, inner.value) for kind in group["groupTypes"])
        raise Refusal(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause.")
    name = {name.lower(): name for name in FILTERABLE}.get(node.path[0].lower())
    if name is None or len(node.path) > 1:
        raise Refusal(400, "Request_UnsupportedQuery",
                      f"Unsupported or invalid query filter clause specified for property '{node.path[0]}'.")
    return lambda group: filters.holds(node.operator, group[name], node.value)


def _people(call: Call, ids: list[str]) -> Reply:
    allow(call, "$select", "$top", "$count", "$skip")
    names = selected(call, PEOPLE, "user")
    accounts = [call.sandbox.world.accounts[key] for key in ids if key in call.sandbox.world.accounts]
    return page(call, accounts, lambda account: _person(account, names), "directoryObjects", default_size=100)


def _person(account: Account, names: frozenset[str] | None) -> dict[str, Any]:
    everything: dict[str, Any] = {
        "id": account.id, "businessPhones": [], "displayName": account.display_name,
        "givenName": account.given_name or None, "jobTitle": None, "mail": account.mail or None, "mobilePhone": None,
        "officeLocation": None, "preferredLanguage": None, "surname": account.surname or None,
        "userPrincipalName": account.upn}
    return {"@odata.type": "#microsoft.graph.user",
            **{name: value for name, value in everything.items() if names is None or name in names or name == "id"}}
