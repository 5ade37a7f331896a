"""The directory: the signed-in user, colleagues, the organisation, mailbox settings (facts 13)."""

from __future__ import annotations

from typing import Any

from ..refusal import Refusal, access_denied
from ..world import Account
from . import filters
from .call import Call, Reply
from .query import allow, order, page, selected
from .routing import Routes

routes = Routes()

DEFAULT = ("businessPhones", "displayName", "givenName", "jobTitle", "mail", "mobilePhone", "officeLocation",
           "preferredLanguage", "surname", "userPrincipalName", "id")
KNOWN = (*DEFAULT, "accountEnabled", "proxyAddresses", "userType", "mailNickname", "companyName", "department",
         "createdDateTime", "otherMails", "mailboxSettings")
FILTERABLE = frozenset({"id", "mail", "userPrincipalName", "displayName", "givenName", "surname", "accountEnabled",
                        "userType", "mailNickname"})
READ_OWN = ("User.Read", "User.ReadWrite", "User.ReadBasic.All", "User.Read.All", "Directory.Read.All")
READ_ALL = ("User.ReadBasic.All", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All")
READ_SETTINGS = ("MailboxSettings.Read", "MailboxSettings.ReadWrite")


@routes.add("GET", "{user}", scopes=READ_OWN)
def get_user(call: Call) -> Reply:
    """`/me` and `/users/{id}`; a default set of properties without `$select`."""
    if call.account.id != call.grant.account_id and not call.grant.allows(READ_ALL):
        raise Refusal(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    allow(call, "$select")
    names = selected(call, KNOWN, "user")
    if names is not None and "mailboxSettings" in names and not call.grant.allows(READ_SETTINGS):
        raise access_denied()
    context = {"@odata.context": call.context("users" + (f"({','.join(sorted(names))})" if names else "") + "/$entity")}
    return Reply(200, context | _shown(call.account, names))


@routes.add("GET", "users", scopes=READ_ALL)
def list_users(call: Call) -> Reply:
    """The tenant's users, by `$filter` (`mail eq 'x' or userPrincipalName eq 'x'`, `startswith`)."""
    allow(call, "$select", "$filter", "$top", "$orderby", "$count", "$skip")
    names = selected(call, KNOWN, "user")
    accounts = [account for account in call.sandbox.world.accounts.values()
                if account.tenant_id == call.grant.tenant_id]
    if call.query.get("$filter"):
        meets = filters.compiled(filters.parse(call.query["$filter"]), _condition)
        accounts = [account for account in accounts if meets(account)]
    accounts = order(call, accounts, lambda account, name: _everything(account).get(name), KNOWN, "user")
    return page(call, accounts, lambda account: _shown(account, names), "users", default_size=100)


@routes.add("GET", "organization", scopes=READ_OWN)
def list_organization(call: Call) -> Reply:
    """The tenant of the token, as a list of one."""
    tenant = call.sandbox.world.tenants[call.account.tenant_id]
    domains = [{"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": True, "isInitial": True,
                "name": tenant.domain, "type": "Managed"}]
    return Reply(200, {"@odata.context": call.context("organization"), "value": [
        {"id": tenant.id, "displayName": tenant.name, "tenantType": "AAD", "verifiedDomains": domains}]})


@routes.add("GET", "{user}/mailboxSettings", scopes=READ_SETTINGS, outlook=True)
def get_mailbox_settings(call: Call) -> Reply:
    """The mailbox's time zone (a Windows name, or sometimes an IANA one) and language."""
    return Reply(200, {"@odata.context": call.context(f"users('{call.account.id}')/mailboxSettings"),
                       **_settings(call.account)})


def _shown(account: Account, names: frozenset[str] | None) -> dict[str, Any]:
    everything = _everything(account)
    return {name: everything[name] for name in KNOWN if name in (names if names is not None else DEFAULT)}


def _everything(account: Account) -> dict[str, Any]:
    addresses = [f"SMTP:{account.mail}"] if account.mail else []
    return {
        "id": account.id, "displayName": account.display_name, "givenName": account.given_name or None,
        "surname": account.surname or None, "mail": account.mail or None, "userPrincipalName": account.upn,
        "businessPhones": [], "jobTitle": None, "mobilePhone": None, "officeLocation": None,
        "preferredLanguage": account.language, "accountEnabled": account.is_enabled, "userType": "Member",
        "mailNickname": account.upn.split("@")[0], "companyName": None, "department": None, "createdDateTime": None,
        "otherMails": [], "proxyAddresses": addresses + [f"smtp:{alias}" for alias in account.aliases],
        "mailboxSettings": _settings(account),
    }


def _settings(account: Account) -> dict[str, Any]:
    return {"timeZone": account.time_zone, "dateFormat": "dd/MM/yyyy", "timeFormat": "HH:mm",
            "language": {"locale": account.language, "displayName": account.language}}


def _condition(node: filters.Compare | filters.AnyOf) -> filters.Predicate:
    if isinstance(node, filters.AnyOf):
        raise Refusal(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause.")
    by_lower = {name.lower(): name for name in FILTERABLE}
    name = by_lower.get(node.path[0].lower())
    if name is None or len(node.path) > 1 or node.operator == "contains":
        raise Refusal(400, "Request_UnsupportedQuery",
                      f"Unsupported or invalid query filter clause specified for property '{node.path[0]}'.")
    return lambda account: filters.holds(node.operator, _everything(account)[name], node.value)
