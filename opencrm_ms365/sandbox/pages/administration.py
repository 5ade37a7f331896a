"""What an administrator of the simulated Microsoft 365 can do to sign-ins, to see how the CRM bears it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from markupsafe import Markup
from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from ..html import avatar, each
from ..world import Account
from .frame import framed

if TYPE_CHECKING:
    from ..simulator import Sandbox

ADDRESS = "/outlook/administration"
DONE = {
    "revoke": "All sessions were revoked: the CRM must ask for a new sign-in.",
    "expire-access": "The access tokens have run out: the CRM fetches new ones by itself.",
    "expire-refresh": "The sign-in has expired, as if it had not been used for 90 days.",
    "disable": "The account is disabled.",
    "enable": "The account is enabled again; it must sign in anew.",
    "multi-factor": "From now on this account needs multi-factor authentication.",
    "no-multi-factor": "Multi-factor authentication is no longer demanded.",
    "withdraw": "The permissions were taken back; the next token request is refused.",
    "expire-delta": "The CRM’s delta links are unusable: it must read everything again.",
    "expire-secret": "The client secret has expired: no token can be had with it.",
    "renew-secret": "The client secret works again.",
    "let-consent": "Users may agree to permissions by themselves.",
    "forbid-consent": "Only an administrator may agree to permissions.",
}
#: What only the token endpoint notices: access tokens are let run out as well, so that it shows without an hour's wait.
AT_ONCE = ("expire-refresh", "multi-factor", "withdraw")
_BUTTON = Markup('<button name="do" value="{do}"{kind}>{words}</button>')
_PERSON = Markup(
    '<li class="person"><div class="who">{avatar}<span><b>{name}</b><span class="quiet">{upn}</span></span></div>'
    '<form method="post"><input type="hidden" name="account" value="{upn}">{buttons}</form></li>'
)


def answer(sandbox: Sandbox, request: Request) -> Response:
    """The page, or what one of its buttons does."""
    if request.method == "POST":
        _do(sandbox, request.form.get("do", ""), request.form.get("account", ""))
        return redirect(f"{ADDRESS}?done={request.form['do']}", 303)
    done = DONE.get(request.args.get("done", ""), "")
    people = each(_PERSON, (_person(sandbox, account) for account in sandbox.world.accounts.values()))
    content = Markup(
        '{message}<main class="narrow wide"><h1>Administration</h1><p class="lead">What happens in a company’s '
        "Microsoft 365 without asking the CRM. Try it, and watch what the CRM makes of it.</p><h2>The application</h2>"
        '<form method="post" class="row">{application}</form><h2>Accounts</h2><ul class="people">{people}</ul></main>'
    ).format(message=Markup('<p class="toast" role="status">{}</p>').format(done) if done else "",
             application=_application(sandbox), people=people)
    return framed("Administration", content, kind="plain", current="administration")


def _buttons(*pairs: tuple[str, str]) -> Markup:
    danger = ("revoke", "disable", "expire-secret")
    return each(_BUTTON, ({"do": do, "words": words, "kind": Markup(' class="danger"') if do in danger else ""}
                          for do, words in pairs))


def _application(sandbox: Sandbox) -> Markup:
    expired = any(client.secret_expired for client in sandbox.world.clients.values())
    secret = ("expire-secret", "Let the client secret expire")
    if expired:
        secret = ("renew-secret", "Renew the client secret")
    allowed = sandbox.options.user_consent == "allowed"
    consent = ("forbid-consent", "Let only administrators consent") if allowed else ("let-consent", "Let users consent")
    return _buttons(secret, consent)


def _person(sandbox: Sandbox, account: Account) -> dict[str, object]:
    strong = sandbox.login.state.demands_of(account).multi_factor
    return {
        "avatar": avatar(account.display_name),
        "name": account.display_name,
        "upn": account.upn,
        "buttons": _buttons(
            ("revoke", "Revoke sessions"),
            ("expire-access", "Expire access tokens"),
            ("expire-refresh", "Expire the sign-in"),
            ("withdraw", "Withdraw consent"),
            ("expire-delta", "Expire delta links"),
            ("no-multi-factor", "No second factor") if strong else ("multi-factor", "Demand a second factor"),
            ("disable", "Disable") if account.is_enabled else ("enable", "Enable"),
        ),
    }


def _do(sandbox: Sandbox, what: str, upn: str) -> None:
    if what in ("expire-secret", "renew-secret"):
        for client in sandbox.world.clients.values():
            client.secret_expired = what == "expire-secret"
    elif what in ("let-consent", "forbid-consent"):
        sandbox.options.set(user_consent="allowed" if what == "let-consent" else "refused")
    else:
        account = sandbox.world.account(upn)
        if what not in DONE or account is None:
            raise NotFound("This button does not exist.")
        _do_to(sandbox, what, account)


def _do_to(sandbox: Sandbox, what: str, account: Account) -> None:
    login = sandbox.login
    doings: dict[str, Callable[[Account], None]] = {
        "revoke": sandbox.revoke,
        "expire-access": sandbox.expire_access_tokens,
        "expire-refresh": login.expire_refresh_tokens,
        "disable": sandbox.disable,
        "enable": sandbox.enable,
        "multi-factor": login.require_multi_factor,
        "no-multi-factor": lambda account: login.require_multi_factor(account, False),
        "withdraw": login.withdraw_all,
        "expire-delta": sandbox.expire_delta_tokens,
    }
    doings[what](account)
    if what in AT_ONCE:
        sandbox.expire_access_tokens(account)
