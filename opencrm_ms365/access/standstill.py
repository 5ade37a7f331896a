"""Why a whole organisation stands still although it is switched on: one reason, for the worker and for the screens.

In this order: it is another installation's (ORG-16), its activation key is not good (ORG-03), Microsoft lets nobody in
(ORG-01, USER-06). None of them deletes anything; each ends when the person named in the sentence has acted.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..models import AccessProblem, SyncSettings
from . import activation, installation


@dataclass(frozen=True, slots=True)
class Standstill:
    """`state` is one of `other_installation`, `activation`, `authorise_again`, `client_refused`; the title is one to
    three words, the sentence says what has happened and who can mend it."""

    state: str
    title: str
    sentence: str


def standstill(organisation: SyncSettings) -> Standstill | None:
    """The gravest reason; None: nothing is in the way. Whether it is switched on or paused is not asked here."""
    if installation.is_other(organisation):
        return Standstill("other_installation", _("Standing still"), _(
            "This database belongs to another installation of the CRM (%(theirs)s), so nothing is synced here. If this "
            "one has replaced it, an administrator can confirm that on the page “All users”; in a copy, leave it so.")
            % {"theirs": organisation.installation_fingerprint})
    if invalid := activation.why_invalid(organisation):
        return Standstill("activation", _("Not activated"), invalid)
    return _access_problem(organisation)


def _access_problem(organisation: SyncSettings) -> Standstill | None:
    match organisation.access_problem:
        case AccessProblem.CONSENT:
            return Standstill("authorise_again", _("Authorise again"), _(
                "The administrator must authorise again: the organisation's permission for this CRM was withdrawn in "
                "Microsoft 365, so nothing is synced for anybody. Nothing is lost, and everything goes on by itself "
                "afterwards; users have nothing to do."))
        case AccessProblem.CLIENT:
            return Standstill("client_refused", _("Standing still"), _(
                "Microsoft does not accept this CRM's registration, so nothing is synced for anybody: %(reason)s "
                "Nothing is lost, and everything goes on by itself afterwards; users have nothing to do.")
                % {"reason": organisation.access_problem_reason})
    return None


def reason_now(organisation: SyncSettings) -> str:
    """The sentence, for somebody who wants to sync at this moment: empty also where it is time to try whether
    Microsoft lets us in again."""
    found = standstill(organisation)
    if found is None or (found.state in ("authorise_again", "client_refused") and _is_time(organisation)):
        return ""
    return found.sentence


def _is_time(organisation: SyncSettings) -> bool:
    return organisation.access_retry_at is None or organisation.access_retry_at <= timezone.now()


def free_to_sync() -> Q:
    """The same for a query of `SyncSettings`: organisations in whose way nothing stands. No query of its own where no
    activation keys are needed."""
    mine = Q(installation_fingerprint__in=("", installation.fingerprint()))
    let_in = Q(access_problem="") | Q(access_retry_at=None) | Q(access_retry_at__lte=timezone.now())
    return mine & let_in & ~Q(pk__in=activation.without_good_key())
