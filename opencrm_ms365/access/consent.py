"""An administrator authorises the app for a whole Microsoft tenant (ORG-01).

Two journeys in one window: to Microsoft's admin consent page, and at once to a sign-in. The answer to the first can be
forged and is believed in nothing but a refusal; the verified token of the second says which tenant it is, and who did
it. Nothing is stored before that. The sign-in is dropped afterwards: no link comes of it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ..conf import settings
from ..errors import ClientRefused, ConfigurationError, ConsentRequired, GraphError, Rejected, Throttled, Unavailable
from ..graph.client import GraphClient
from ..graph.consent import admin_consent_url, judge_answer, was_declined
from ..graph.identity import is_guid
from ..graph.organisation import tenant_name
from ..graph.tokens import SignedIn, SignIn
from ..models import SyncSettings
from . import flows, outage
from .permissions import purposes
from .refused import Refused
from .signin import PERSONAL_TENANT, client

log = logging.getLogger("opencrm_ms365.access")

CONSENT, VERIFY = "consent", "consent-verify"
#: So often the sign-in is begun again by itself while Microsoft spreads the consent over its servers (facts 3.5).
MOST_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class GoOn:
    """The browser has to go to `url` next."""

    url: str


class NotYet(Refused):
    """Microsoft has taken the permission down, but not all of its servers know. `attempt` counts from 1."""

    def __init__(self, reason: str, attempt: int) -> None:
        super().__init__(reason)
        self.attempt = attempt

    @property
    def may_try_again(self) -> bool:
        return self.attempt < MOST_ATTEMPTS


def begin(user: Any, session: MutableMapping[str, Any], tenant: str, redirect_uri: str) -> str:
    """Where to send the administrator's browser first. Asks nobody."""
    state = flows.new_state()
    flows.keep(CONSENT, user, session, tenant, state, {})
    return admin_consent_url(
        settings.LOGIN_URL, tenant=SyncSettings.of(tenant).tenant_id or settings.AUTHORITY_TENANT,
        client_id=settings.CLIENT_ID, graph_url=settings.GRAPH_URL, redirect_uri=redirect_uri, state=state,
        purposes=purposes())


def begin_sign_in(user: Any, session: MutableMapping[str, Any], tenant: str, redirect_uri: str, *,
                  attempt: int = 1) -> str:
    """Where to send it next: the sign-in that proves who agreed. Raises `Refused`."""
    state = flows.new_state()
    try:
        # No prompt: Microsoft knows the administrator, who has just been on its consent page.
        flow = client(SyncSettings.of(tenant).tenant_id).begin(redirect_uri, state=state, prompt="")
    except GraphError as error:
        raise _in_words(error, SyncSettings.of(tenant)) from error
    flows.keep(VERIFY, user, session, tenant, state, {"flow": flow, "attempt": attempt})
    return str(flow["auth_uri"])


def complete(user: Any, session: MutableMapping[str, Any], tenant: str, redirect_uri: str,
             query: Mapping[str, str]) -> GoOn | SyncSettings:
    """Take what Microsoft sent the browser back with: on to the sign-in, or the organisation, authorised.

    Raises `Refused` with a sentence; then nothing has changed. The caller has checked that `user` administers `tenant`.
    """
    row = flows.take((CONSENT, VERIFY), user, session, query.get("state", ""))
    if row.tenant != tenant:
        raise Refused(_("This authorisation was begun for another organisation of the CRM. Begin again."))
    organisation = SyncSettings.of(tenant)
    if row.purpose == CONSENT:
        _judge_consent(query, organisation)
        return GoOn(begin_sign_in(user, session, tenant, redirect_uri))
    kept = flows.content(row)
    signing_in = client(organisation.tenant_id)
    try:
        signed_in = signing_in.finish(kept["flow"], dict(query))
    except GraphError as error:
        log.info("An authorisation was not finished: %s", type(error).__name__)
        raise _in_words(error, organisation, kept["attempt"]) from error
    _check_tenant(signed_in.tenant_id, organisation)
    return _store(user, organisation, signed_in, _name_of(signing_in, signed_in))


def _judge_consent(query: Mapping[str, str], organisation: SyncSettings) -> None:
    try:
        judge_answer(query)
    except ConsentRequired as error:
        raise Refused(_("The Microsoft account that was used is not an administrator of %(tenant)s, so it cannot give "
                        "this permission for everybody. Nothing has changed. Begin again and use the account of an "
                        "administrator.") % {"tenant": organisation.tenant_name or "Microsoft 365"}) from error
    except GraphError as error:
        raise _in_words(error, organisation) from error
    claimed = query.get("tenant", "")
    if claimed:
        _check_tenant(claimed, organisation)            # to refuse early; what it says is not believed otherwise


def _check_tenant(tenant_id: str, organisation: SyncSettings) -> None:
    """Raises `Refused` for personal accounts and for another tenant than the one already authorised."""
    if tenant_id.lower() == PERSONAL_TENANT:
        raise Refused(_("This is a personal Microsoft account. Nothing has changed. Use the account of an "
                        "administrator of your organisation's Microsoft 365."))
    if not is_guid(tenant_id):
        raise Refused(_("Microsoft's answer could not be understood. Nothing has changed. Begin again."))
    if organisation.tenant_id and tenant_id.lower() != organisation.tenant_id.lower():
        raise Refused(_("This CRM is authorised for %(tenant)s already, and the account that was used belongs to "
                        "another organisation. Nothing has changed. To move to another organisation, empty the "
                        "Microsoft tenant id in the settings first.")
                      % {"tenant": organisation.tenant_name or organisation.tenant_id})


def _name_of(signing_in: SignIn, signed_in: SignedIn) -> str:
    """What Microsoft calls the organisation, else the domain of the account."""
    try:
        token = signing_in.acquire(signed_in.cache).access_token
        name = tenant_name(GraphClient(settings.GRAPH_URL, _OneToken(token), timeout_s=settings.GRAPH_TIMEOUT_S,
                                       max_wait_s=2.0), signed_in.tenant_id)
    except (GraphError, ConfigurationError) as error:
        log.info("The name of a Microsoft tenant could not be asked: %s", type(error).__name__)
        name = ""
    return (name or signed_in.account.rpartition("@")[2] or signed_in.tenant_id)[:255]


class _OneToken:
    """A token source (`graph.client`) that has one and cannot get another."""

    def __init__(self, token: str) -> None:
        self._token = token

    def token(self, *, refused: str = "", claims: str = "") -> str:
        if refused:
            raise Unavailable("Microsoft does not accept the token it has just given.")
        return self._token


def _store(user: Any, organisation: SyncSettings, signed_in: SignedIn, name: str) -> SyncSettings:
    with transaction.atomic():
        row = SyncSettings.objects.select_for_update().get(pk=organisation.pk)
        _check_tenant(signed_in.tenant_id, row)         # two administrators at the same moment: the first one counts
        row.tenant_id, row.tenant_name = signed_in.tenant_id, name
        row.authorised_by = (signed_in.account or user.get_username())[:255]
        row.authorised_at = timezone.now()
        row.save(update_fields=["tenant_id", "tenant_name", "authorised_by", "authorised_at"])
    outage.over(row.tenant)
    row.refresh_from_db()
    log.info("The organisation is authorised for Microsoft tenant %s.", row.tenant_id)
    return row


def _in_words(error: GraphError, organisation: SyncSettings, attempt: int = 1) -> Refused:
    """What a failure means for the administrator in front of the screen."""
    match error:
        case ConsentRequired():
            return NotYet(
                _("Microsoft has not spread the permission to all of its servers yet. That takes a moment.")
                if attempt < MOST_ATTEMPTS else
                _("Microsoft still does not know of the permission. Nothing has changed. Begin again in a few minutes, "
                  "and accept the permissions as an administrator of Microsoft 365."), attempt)
        case ClientRefused():
            reason = _("Microsoft does not accept this CRM's registration, so nothing has changed. What it says: "
                       "%(reason)s") % {"reason": str(error)}
        case Throttled() | Unavailable():
            reason = _("Microsoft cannot be reached at the moment. Nothing has changed. Please try again in a few "
                       "minutes.")
        case Rejected() if was_declined(error) or error.code == "access_denied":
            reason = _("The permission was declined on Microsoft's page. Nothing has changed. Begin again if that was "
                       "not intended.")
        case Rejected() if error.code in ("AADSTS50020", "AADSTS16000", "AADSTS50034") and organisation.tenant_id:
            reason = _("This CRM is authorised for %(tenant)s already, and the account that was used belongs to "
                       "another organisation. Nothing has changed.") % {
                           "tenant": organisation.tenant_name or organisation.tenant_id}
        case Rejected():
            reason = _("%(reason)s Nothing has changed.") % {"reason": str(error)}
        case _:
            reason = _("Microsoft did not finish the authorisation. Nothing has changed. Begin again.")
    return Refused(reason)
