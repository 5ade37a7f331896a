"""The first page: whose mailbox do you want to look at?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.wrappers import Response

from ..html import avatar, each
from ..world import Account
from .frame import framed, mailbox_url

if TYPE_CHECKING:
    from ..simulator import Sandbox

_CARD = Markup(
    '<li><a class="mailbox" href="{url}">{avatar}<span><b>{name}</b><span class="quiet">{upn}</span>'
    '<span class="meta">{count}{tag}</span></span></a></li>'
)


def page_of(sandbox: Sandbox) -> Response:
    tenants: list[Markup] = []
    for tenant in sorted(sandbox.world.tenants.values(), key=lambda tenant: tenant.is_personal):
        accounts = [account for account in sandbox.world.accounts.values() if account.tenant_id == tenant.id]
        cards = each(_CARD, (_card(sandbox, account) for account in accounts))
        tenants.append(Markup('<h2>{}</h2><ul class="mailboxes">{}</ul>').format(tenant.name, cards))
    empty = Markup(
        '<p class="notice">There is nobody here yet. Start the sandbox with <code>--demo</code>, or let a test '
        "add its accounts.</p>"
    )
    content = Markup(
        '<main class="narrow"><h1>Whose mailbox?</h1><p class="lead">Look at contacts, calendars and plans as their '
        "owner sees them in Outlook. What you change here is what the CRM finds at its next sync.</p>{}</main>"
    ).format(Markup("").join(tenants) if tenants else empty)
    return framed("Mailboxes", content, kind="plain")


def _card(sandbox: Sandbox, account: Account) -> dict[str, object]:
    mailbox = sandbox.mailbox(account)
    counts = [(len(mailbox.contacts()), "contact"), (len(mailbox.events()), "event")]
    tag = "" if account.is_enabled else Markup('<span class="tag bad">disabled</span>')
    tag = tag or (Markup('<span class="tag">administrator</span>') if account.is_admin else "")
    return {
        "url": mailbox_url(account),
        "avatar": avatar(account.display_name, large=True),
        "name": account.display_name,
        "upn": account.upn,
        "count": ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts),
        "tag": tag,
    }
