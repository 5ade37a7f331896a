"""The pages of the sign-in: pick an account, prove it is you, agree; and the page that says what went wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.wrappers import Response

from ..html import avatar, each, page
from ..world import Account, Client, Tenant, World
from .aadsts import SignInRefused
from .scopes import OPENID, WORDS

if TYPE_CHECKING:
    from ..simulator import Sandbox

_CARD = Markup(
    '<main class="card"><p class="brand"><img src="/static/mark.svg" alt="" width="22" height="22"> Sandbox sign-in</p>'
    '{content}</main><p class="small">A local Microsoft 365 for trying things out. Nothing leaves this machine.</p>'
)
_ACCOUNT = Markup(
    '<li><button name="account" value="{upn}"{focus}>{avatar}<span><b>{name}</b><span class="quiet">{upn}</span></span>'
    '<span class="tag">{tag}</span></button></li>'
)
_WHO = Markup('<p class="who">{avatar}<span><b>{name}</b><span class="quiet">{upn}</span></span></p>')
_HIDDEN = Markup('<input type="hidden" name="account" value="{}">')


def _card(title: str, content: Markup, status: int = 200) -> Response:
    return page(title, _CARD.format(content=content), kind="login", status=status)


def _who(account: Account) -> Markup:
    return _WHO.format(avatar=avatar(account.display_name), name=account.display_name, upn=account.upn)


def picker(
    sandbox: Sandbox, client: Client, accounts: Sequence[Account], world: World, hint: str, action: str
) -> Response:
    """Who are you? Each account is a button; the one of the login hint comes first."""
    hinted = world.account(hint) if hint else None
    ordered = sorted(accounts, key=lambda account: account is not hinted)
    rows = (
        {
            "upn": account.upn,
            "name": account.display_name,
            "avatar": avatar(account.display_name),
            "tag": _tag(world, account),
            "focus": Markup(" autofocus") if account is hinted else "",
        }
        for account in ordered
    )
    content = Markup(
        "<h1>Pick an account</h1><p>to continue to <b>{client}</b></p>{note}"
        '<form method="post" action="{action}"><ul class="accounts">{rows}</ul>'
        '<p class="buttons"><button name="step" value="cancel" class="plain">Cancel</button></p></form>'
    ).format(client=client.name, action=action, rows=each(_ACCOUNT, rows), note=_note(hint, hinted))
    return _card("Pick an account", content)


def _note(hint: str, hinted: Account | None) -> Markup | str:
    if not hint or hinted is not None:
        return ""
    return Markup('<p class="notice">There is no account called {}. Pick one of these.</p>').format(hint)


def _tag(world: World, account: Account) -> str:
    if not account.is_enabled:
        return "disabled"
    if world.tenants[account.tenant_id].is_personal:
        return "personal"
    return "administrator" if account.is_admin else ""


def multi_factor(sandbox: Sandbox, client: Client, account: Account, action: str) -> Response:
    """The second factor: one button in place of a telephone."""
    content = Markup(
        "{who}<h1>Approve the sign-in</h1><p>Your organisation asks for a second proof that it is you. "
        'Imagine your telephone showing this number:</p><p class="number">{number}</p>'
        '<form method="post" action="{action}">{hidden}<p class="buttons">'
        '<button name="step" value="cancel" class="plain">Cancel</button>'
        '<button name="step" value="approved" class="primary">Approve</button></p></form>'
    ).format(
        who=_who(account),
        number=10 + len(account.id + account.upn) % 90,
        action=action,
        hidden=_HIDDEN.format(account.upn),
    )
    return _card("Approve the sign-in", content)


def _permissions(scopes: Iterable[str]) -> Markup:
    shown = [scope for scope in scopes if scope not in OPENID] or ["User.Read"]
    return each(
        Markup("<li><span>{words}</span><code>{scope}</code></li>"),
        ({"words": WORDS.get(scope, scope), "scope": scope} for scope in shown),
    )


def consent(
    sandbox: Sandbox,
    client: Client,
    account: Account,
    scopes: Sequence[str],
    action: str,
    *,
    tenant: Tenant,
    whole_tenant: bool = False,
) -> Response:
    """Does the user, or the administrator for everybody, agree to what the application asks for?"""
    everybody = Markup(
        '<label class="check"><input type="checkbox" name="everybody"> Consent on behalf of everybody at {}</label>'
    ).format(tenant.name)
    content = Markup(
        "{who}<h1>Permissions requested</h1><p><b>{client}</b> would like to{extent}:</p>"
        '<ul class="permissions">{permissions}</ul>'
        '<form method="post" action="{action}">{hidden}{everybody}<p class="buttons">'
        '<button name="step" value="cancel" class="plain">Cancel</button>'
        '<button name="step" value="accept" class="primary">Accept</button></p></form>'
    ).format(
        who=_who(account),
        client=client.name,
        extent=f", for everybody at {tenant.name}" if whole_tenant else "",
        permissions=_permissions(scopes),
        action=action,
        hidden=_HIDDEN.format(account.upn),
        everybody=everybody if account.is_admin and not whole_tenant else "",
    )
    return _card("Permissions requested", content)


def approval_needed(
    sandbox: Sandbox, client: Client, account: Account, scopes: Sequence[str], way_back: str, action: str
) -> Response:
    """The user may not consent: an administrator must."""
    content = Markup(
        "{who}<h1>Need admin approval</h1><p><b>{client}</b> needs permissions that only an administrator of your "
        'organisation can grant:</p><ul class="permissions">{permissions}</ul>'
        '<form method="post" action="{action}"><p class="buttons">'
        '<a class="button plain" href="{way_back}">Return to the application without granting consent</a>'
        '<button class="primary">Have an admin account? Sign in with it</button></p></form>'
    ).format(who=_who(account), client=client.name, permissions=_permissions(scopes), way_back=way_back, action=action)
    return _card("Need admin approval", content)


def refusal(sandbox: Sandbox, refused: SignInRefused, *, way_back: str = "", try_again: str = "") -> Response:
    """What went wrong, with the number. `way_back`: to the application with the error; `try_again`: to the picker."""
    guid = sandbox.world.ids.guid
    description = refused.description(sandbox.clock.now(), guid(), guid())
    links = Markup("")
    if way_back:
        links += Markup('<a class="button plain" href="{}">Return to the application</a>').format(way_back)
    if try_again:
        links += Markup('<a class="button primary" href="{}">Use another account</a>').format(try_again)
    content = Markup(
        '<h1>Sorry, but we’re having trouble signing you in.</h1><p class="notice bad">{description}</p>'
        '<p class="buttons">{links}</p>'
    ).format(description=description, links=links)
    return _card("Sign-in error", content, 400)


def signed_out(sandbox: Sandbox) -> Response:
    return _card("Signed out", Markup("<h1>You signed out</h1><p>It is a good idea to close the browser now.</p>"))
