"""Sign in with Microsoft (USER-02): send the browser there, and judge what comes back.

A sign-in under way is kept by `flows`. The requests to Microsoft are in `graph.tokens`; no database transaction is open
while they run.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _

from ..conf import settings
from ..errors import ClientRefused, ConsentRequired, GraphError, Rejected, SignInRequired, Throttled, Unavailable
from ..graph.tokens import SignedIn, SignIn
from ..models import SyncSettings, UserLink
from . import access_key, flows
from .links import account_is_free
from .permissions import purposes
from .refused import Refused

log = logging.getLogger("opencrm_ms365.access")

PURPOSE = "user"
#: The tenant of all personal Microsoft accounts. Documented: Microsoft identity platform, "ID token claims", `tid`.
PERSONAL_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"


def client(tenant_id: str = "", *, timeout_s: float | None = None) -> SignIn:
    """The sign-in client for one Microsoft tenant; without one, for any work or school account."""
    return SignIn(
        login_url=settings.LOGIN_URL, tenant=tenant_id or settings.AUTHORITY_TENANT, client_id=settings.CLIENT_ID,
        client_secret=settings.CLIENT_SECRET, client_certificate=settings.CLIENT_CERTIFICATE,
        graph_url=settings.GRAPH_URL, purposes=purposes(), timeout_s=timeout_s or settings.GRAPH_TIMEOUT_S)


def begin(user: Any, session: MutableMapping[str, Any], tenant: str, redirect_uri: str) -> str:
    """Where to send the browser. Raises `Refused` with a sentence when Microsoft cannot be asked now."""
    state = flows.new_state()
    link = UserLink.objects.filter(tenant=tenant, user=user).first()
    try:
        flow = client(SyncSettings.of(tenant).tenant_id).begin(
            redirect_uri, state=state, login_hint=link.account if link else "",
            claims=link.sign_in_claims if link else "")
    except GraphError as error:
        raise _in_words(error) from error
    flows.keep(PURPOSE, user, session, tenant, state, flow)
    return str(flow["auth_uri"])


def complete(user: Any, session: MutableMapping[str, Any], query: Mapping[str, str]) -> str:
    """Finish the sign-in that Microsoft answered and return the access key to show. Raises `Refused`."""
    row = flows.take((PURPOSE,), user, session, query.get("state", ""))
    organisation = SyncSettings.of(row.tenant)
    flow = flows.content(row)
    try:
        signed_in = client(organisation.tenant_id).finish(flow, dict(query))
    except GraphError as error:
        log.info("A sign-in with Microsoft was not finished: %s", type(error).__name__)
        raise _in_words(error) from error
    check_account(signed_in, organisation)
    account_is_free(user, row.tenant, signed_in.tenant_id, signed_in.object_id)
    return access_key.issue(user, session, row.tenant, asdict(signed_in))


def check_account(signed_in: SignedIn, organisation: SyncSettings) -> None:
    """Business accounts of the organisation's own tenant only (ORG-02). Raises `Refused`."""
    if signed_in.personal or signed_in.tenant_id.lower() == PERSONAL_TENANT:
        raise Refused(_("This is a personal Microsoft account. Sign in with the work account that your organisation "
                        "gave you."))
    if organisation.tenant_id and signed_in.tenant_id.lower() != organisation.tenant_id.lower():
        raise Refused(_("This account belongs to another organisation. Sign in with the work account of your own "
                        "organisation."))


def _in_words(error: GraphError) -> Refused:
    """What a failed sign-in means for the person in front of the screen."""
    match error:
        case ConsentRequired():
            reason = _("Your organisation has not yet allowed this CRM to use Microsoft 365. Ask an administrator to "
                       "authorise it.")
        case ClientRefused():
            reason = _("Microsoft does not accept this CRM's registration: its secret may be wrong or may have "
                       "expired. Tell your administrator.")
        case Throttled() | Unavailable():
            reason = _("Microsoft cannot be reached at the moment. Please try again in a few minutes.")
        case SignInRequired() | Rejected():
            reason = str(error)
        case _:
            reason = _("Microsoft did not finish the sign-in. Close this window and sign in again.")
    return Refused(reason)
