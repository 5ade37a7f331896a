"""How a link is doing, in words: one title and one sentence for the profile, the button, the API and the admin.

For lists, `with_facts` brings along what the words need, so that a page of links costs one query.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from ..conf import settings
from ..models import Heartbeat, LinkStatus, RunState, SyncProblem, SyncRun, SyncSettings, Trigger, UserLink
from .standstill import standstill
from .user_settings import effective_settings

Tone = Literal["good", "busy", "waiting", "trouble", "off"]
Action = Literal["", "sign-in", "settings", "resume", "administrator"]


@dataclass(frozen=True, slots=True)
class Status:
    """`title` is one to three words, `sentence` says what it means; `action` is what the user can do about it."""

    state: str
    tone: Tone
    title: str
    sentence: str
    action: Action = ""


def status_of(link: UserLink | None, organisation: SyncSettings, now: datetime.datetime | None = None) -> Status:
    """The first of these that holds, the gravest first. One query at most; one more where activation keys are used."""
    now = now or timezone.now()
    if link is None:
        return Status("disconnected", "off", _("Not connected"), _("No Microsoft account is connected."), "sign-in")
    return _of_the_sign_in(link) or _of_decisions(link, organisation) or _of_the_work(link, now)


def _of_the_sign_in(link: UserLink) -> Status | None:
    if link.status == LinkStatus.DISCONNECTED:
        return Status("disconnected", "off", _("Not connected"),
                      link.status_reason or _("No Microsoft account is connected."), "sign-in")
    if link.status == LinkStatus.SIGN_IN_AGAIN:
        return Status("sign_in_again", "trouble", _("Sign in again"),
                      _("Microsoft no longer accepts the sign-in of %(account)s, so nothing is synced. Sign in again "
                        "and it carries on where it stopped: nothing is lost.") % {"account": link.account}, "sign-in")
    if link.status == LinkStatus.NO_MAILBOX:
        return Status("no_mailbox", "trouble", _("No mailbox"),
                      _("The account %(account)s has no mailbox that Microsoft 365 lets us use. An administrator of "
                        "Microsoft 365 can give it a licence with Exchange Online; then press Sync now.")
                      % {"account": link.account}, "administrator")
    if link.status == LinkStatus.AWAITING_SETTINGS:
        return Status("awaiting_settings", "waiting", _("One step left"),
                      _("The account is connected. Nothing is synced before the settings have been saved once."),
                      "settings")
    return None


def _of_decisions(link: UserLink, organisation: SyncSettings) -> Status | None:
    """What people have decided: the organisation, the administrator, the user."""
    if not organisation.enabled:
        return Status("organisation_off", "off", _("Switched off"),
                      _("The sync is switched off for the whole organisation. An administrator can switch it on."),
                      "administrator")
    if organisation.paused:
        return Status("organisation_paused", "waiting", _("Paused"),
                      _("An administrator has paused the sync for the whole organisation. Nothing is lost; what "
                        "changes meanwhile is synced afterwards."), "administrator")
    if stands_still := standstill(organisation):
        return Status(stands_still.state, "trouble", stands_still.title, stands_still.sentence, "administrator")
    if not link.enabled:
        return Status("switched_off", "off", _("Switched off"),
                      _("An administrator has switched the sync off for this user."), "administrator")
    if link.paused:
        return Status("paused", "waiting", _("Paused"),
                      _("The sync is paused. Nothing is lost; what changes meanwhile is synced once it is resumed."),
                      "resume")
    chosen = effective_settings(link, organisation)
    if not (chosen.sync_contacts or chosen.sync_calendar or chosen.sync_tasks):
        return Status("nothing_chosen", "off", _("Nothing to sync"),
                      _("The settings leave nothing to sync. Switch something on in the settings."), "settings")
    return None


def _of_the_work(link: UserLink, now: datetime.datetime) -> Status:
    if link.lease_until and link.lease_until > now:
        return Status("running", "busy", _("Syncing"), _("A sync is running now. You can close this page."))
    if link.not_before and link.not_before > now:
        return Status("slowed", "waiting", _("Waiting"),
                      _("Microsoft has asked us to slow down. The sync goes on at %(time)s.")
                      % {"time": date_format(timezone.localtime(link.not_before), "TIME_FORMAT")})
    facts = _facts(link, now)
    if not facts.workers_live:
        return Status("no_worker", "trouble", _("Standing still"),
                      _("The CRM's background work is not running, so nothing is synced. Tell an administrator."),
                      "administrator")
    if not facts.last_state:
        return Status("starting", "busy", _("Starting"), _("The first sync starts in a moment."))
    if facts.last_state == RunState.FAILED:
        return Status("failed", "trouble", _("Not finished"),
                      facts.last_message or _("The last sync could not be finished. It is tried again by itself."))
    if facts.open_problems:
        return Status("partly", "waiting", _("Up to date, almost"),
                      _("Everything is in sync but for %(count)s records, which are listed under Problems.")
                      % {"count": facts.open_problems} if facts.open_problems != 1 else
                      _("Everything is in sync but for one record, which is listed under Problems."))
    return Status("up_to_date", "good", _("Up to date"), _("Everything is in sync."))


@dataclass(frozen=True, slots=True)
class _Facts:
    workers_live: bool
    last_state: str
    last_message: str
    open_problems: int


def _facts(link: UserLink, now: datetime.datetime) -> _Facts:
    found = vars(link) if "fact_workers_live" in vars(link) else with_facts(
        UserLink.objects.filter(pk=link.pk), now).values(*FACTS).first()
    row = found or {}
    return _Facts(bool(row.get("fact_workers_live")), row.get("fact_last_state") or "",
                  row.get("fact_last_message") or "", row.get("fact_open_problems") or 0)


FACTS = ("fact_workers_live", "fact_last_state", "fact_last_message", "fact_open_problems")


def with_facts(links: QuerySet[UserLink], now: datetime.datetime | None = None) -> QuerySet[UserLink]:
    """The same links with what `status_of` needs besides, in the same query."""
    now = now or timezone.now()
    runs = SyncRun.objects.filter(link=OuterRef("pk"), finished_at__isnull=False).exclude(
        trigger=Trigger.PREVIEW).order_by("-finished_at", "-pk")
    problems = SyncProblem.objects.filter(
        link=OuterRef("pk"), resolved_at=None, ignored=False, is_warning=False).order_by().values("link").annotate(
        number=Count("pk")).values("number")
    return links.annotate(
        fact_workers_live=Exists(_live_workers(now)), fact_last_state=Subquery(runs.values("state")[:1]),
        fact_last_message=Subquery(runs.values("message")[:1]), fact_open_problems=Subquery(problems))


def _live_workers(now: datetime.datetime) -> QuerySet[Heartbeat]:
    return Heartbeat.objects.filter(at__gte=now - datetime.timedelta(seconds=settings.HEARTBEAT_S))


def workers_live(now: datetime.datetime) -> bool:
    """Whether a background worker has given a sign of life lately."""
    return _live_workers(now).exists()
