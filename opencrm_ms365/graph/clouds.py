"""What differs between Microsoft's clouds, as data: hosts, and which services each offers.

Source: Graph docs, "national cloud deployments" (facts 1). An app is registered in one cloud, and its tokens are
refused by every other. Availability changes; where pages disagree the careful answer stands here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud. `has_planner`: the Planner API is offered (documented; unconfirmed for each cloud)."""

    name: str
    login_hosts: tuple[str, ...]
    graph_host: str
    has_planner: bool = True


GLOBAL = Cloud(
    "global", ("login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"),
    "graph.microsoft.com",
)
CLOUDS: tuple[Cloud, ...] = (
    GLOBAL,
    Cloud("us-government-l4", ("login.microsoftonline.us",), "graph.microsoft.us"),
    Cloud("us-government-l5", ("login.microsoftonline.us",), "dod-graph.microsoft.us"),
    Cloud("china", ("login.chinacloudapi.cn", "login.partner.microsoftonline.cn"), "microsoftgraph.chinacloudapi.cn",
          has_planner=False),
)
LOGIN_HOSTS = frozenset(host for cloud in CLOUDS for host in cloud.login_hosts)

#: The delegated permissions for each purpose. Least privilege: a sign-in asks for what is synced (facts 2).
SCOPES: dict[str, tuple[str, ...]] = {
    "profile": ("User.Read",),
    "contacts": ("Contacts.ReadWrite",),
    "calendar": ("Calendars.ReadWrite",),
    "tasks": ("Tasks.ReadWrite",),
    "colleagues": ("User.ReadBasic.All",),
    "groups": ("GroupMember.Read.All",),
}
#: What a sign-in asks for unless told otherwise.
PURPOSES = ("profile", "contacts", "calendar", "colleagues")


def cloud_of(graph_url: str) -> Cloud:
    """The cloud of a Graph address; an unknown host (a simulator, a gateway) stands for the global cloud."""
    host = (urlsplit(graph_url).hostname or "").lower()
    return next((cloud for cloud in CLOUDS if cloud.graph_host == host), GLOBAL)


def scopes_for(graph_url: str, purposes: Sequence[str] = PURPOSES) -> list[str]:
    """The permissions to ask for. Short names mean the global cloud; elsewhere they carry the Graph host."""
    names = [scope for purpose in purposes for scope in SCOPES[purpose]]
    cloud = cloud_of(graph_url)
    return names if cloud is GLOBAL else [f"https://{cloud.graph_host}/{name}" for name in names]


def admin_scopes(graph_url: str, purposes: Sequence[str] = PURPOSES) -> list[str]:
    """The same permissions for the admin consent page, which wants them as addresses, with those of every sign-in."""
    host = cloud_of(graph_url).graph_host
    asked = [f"https://{host}/{scope}" for purpose in purposes for scope in SCOPES[purpose]]
    return [*asked, "openid", "profile", "offline_access"]
