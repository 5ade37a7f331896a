"""What permissions exist, what each lets an application do in plain words, and which only an administrator grants.

Source: "Microsoft Graph permissions reference"; facts, section 2. `email` and the other OpenID scopes are in it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

OPENID = ("openid", "profile", "email", "offline_access")
GRAPH_HOSTS = (
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
    "graph.microsoft.de",
)

#: Scope to what it means for the user whose consent is asked.
WORDS: dict[str, str] = {
    "openid": "Sign you in",
    "profile": "View your basic profile",
    "email": "View your e-mail address",
    "offline_access": "Keep the access you have given it",
    "User.Read": "Sign you in and read your profile",
    "User.ReadBasic.All": "Read the names and addresses of your colleagues",
    "User.Read.All": "Read the full profiles of all users",
    "Contacts.Read": "Read your contacts",
    "Contacts.ReadWrite": "Read, add, change and delete your contacts",
    "Contacts.Read.Shared": "Read contacts that are shared with you",
    "Contacts.ReadWrite.Shared": "Change contacts that are shared with you",
    "Calendars.Read": "Read your calendars",
    "Calendars.ReadWrite": "Read, add, change and delete your appointments",
    "Calendars.Read.Shared": "Read calendars that are shared with you",
    "Calendars.ReadWrite.Shared": "Change calendars that are shared with you",
    "Tasks.Read": "Read your tasks and plans",
    "Tasks.ReadWrite": "Read, add, change and delete your tasks and plans",
    "Mail.Read": "Read your mail",
    "Mail.ReadBasic": "Read your mail without its contents",
    "Mail.Send": "Send mail as you",
    "MailboxSettings.Read": "Read your mailbox settings, such as the time zone",
    "MailboxSettings.ReadWrite": "Change your mailbox settings",
    "Group.Read.All": "Read all groups",
    "Group.ReadWrite.All": "Read and change all groups",
    "GroupMember.Read.All": "Read who is in which group",
}
ADMIN_ONLY = frozenset({"User.Read.All", "Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All"})
_BY_LOWER = {scope.lower(): scope for scope in WORDS}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A `scope` parameter taken apart. `names` are short, in Microsoft's spelling; `unknown` is what nobody knows.

    `resources` holds the hosts that were named; more than one cannot be had in one token. `default` stands for
    `/.default`: all that was consented.
    """

    names: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    default: bool = False

    @property
    def offline(self) -> bool:
        return "offline_access" in self.names

    @property
    def of_graph(self) -> tuple[str, ...]:
        """Without the OpenID scopes."""
        return tuple(name for name in self.names if name not in OPENID)


def parse(text: str, own_host: str) -> Wanted:
    """Take a `scope` parameter apart. `own_host` is the simulator's address, which counts as Graph's, too."""
    names: list[str] = []
    unknown: list[str] = []
    resources: list[str] = []
    default = False
    for word in text.split():
        short = word
        if "://" in word:
            resource, _, short = word.rpartition("/")
            host = urlsplit(resource).netloc.lower()
            host = "graph" if host in GRAPH_HOSTS or host == own_host.lower() else host
            if host not in resources:
                resources.append(host)
        elif short.lower() not in OPENID and "graph" not in resources:
            resources.append("graph")
        if short.lower() == ".default":
            default = True
        elif resources and resources[-1] != "graph" and "://" in word:
            names.append(word)
        elif short.lower() in _BY_LOWER:
            names.append(_BY_LOWER[short.lower()])
        else:
            unknown.append(word)
    return Wanted(tuple(dict.fromkeys(names)), tuple(unknown), tuple(resources), default)


def registered() -> tuple[str, ...]:
    """What `/.default` asks for at the admin consent page: the simulator registers every scope for every client."""
    return tuple(scope for scope in WORDS if scope not in OPENID and not scope.endswith(".Shared"))
