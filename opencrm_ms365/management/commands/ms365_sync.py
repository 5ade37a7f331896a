"""`manage.py ms365_sync`: sync at once, in the foreground."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core import checks
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.db.models import Q

from ... import adapters
from ...access.standstill import standstill
from ...errors import ConfigurationError
from ...models import LinkStatus, SyncSettings, UserLink
from ...sync.eligible import eligible_links
from ...sync.foreground import Report, sync_now

KINDS = ("contacts", "events", "tasks")
TAG = "opencrm_ms365"
SOME_FAILED, CANNOT_RUN = 1, 2
NO_DATABASE = "The CRM's database cannot be read. Is it running, and is it up to date (manage.py migrate)?"
BAR = 30
CLEAR = "\r\x1b[K"
#: Links that somebody has to mend are reported as failed, those that are switched off or paused are left out.
BROKEN = (LinkStatus.SIGN_IN_AGAIN, LinkStatus.NO_MAILBOX)
#: The same for all links of an organisation. A copy of the database that runs elsewhere is left out: it only pauses.
STANDSTILLS = ("activation", "authorise_again", "client_refused")


class Command(BaseCommand):
    help = (
        "Syncs now and waits for the end. Without --user: every link that may sync. Exits with 0 when all went well, 1 "
        "when some records or links failed, 2 on a usage or configuration error. The `status` of a link in --json is "
        "the link's own (connected, sign_in_again, no_mailbox, ...), or failed, or busy while another sync of it runs.")
    requires_system_checks = []         # a wrong setting is exit code 2 here; see `_check_configuration`

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", action="append", default=[], metavar="NAME", dest="users",
                            help="only this CRM user's link; can be given several times")
        parser.add_argument("--kind", action="append", default=[], choices=KINDS, dest="kinds",
                            help="only this kind of records; can be given several times")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be done; nothing is written")
        parser.add_argument("--full", action="store_true", help="compare all records, not only those that changed")
        parser.add_argument("--json", action="store_true", help="print one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        self._check_configuration()
        self._check_kinds(options["kinds"])
        try:
            links = self._links(options["users"])
        except DatabaseError as error:
            raise CommandError(f"{NO_DATABASE} ({type(error).__name__})", returncode=CANNOT_RUN) from error
        if not links:
            self.stderr.write("No link is ready to sync.")
        try:
            reports = [(link, self._sync(link, options)) for link in links]
        except ConfigurationError as error:
            raise CommandError(str(error), returncode=CANNOT_RUN) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. What was done is kept, and the rest goes on with the next sync.",
                               returncode=130) from None
        if options["json"]:
            self.stdout.write(json.dumps(as_json(reports), ensure_ascii=False))
        if not all(report.went_well for _link, report in reports):
            raise SystemExit(SOME_FAILED)

    def _check_configuration(self) -> None:
        wrong = [item for item in checks.run_checks(tags=[TAG]) if item.is_serious()]
        if wrong:
            raise CommandError("\n".join(str(item) for item in wrong), returncode=CANNOT_RUN)

    def _check_kinds(self, kinds: list[str]) -> None:
        there = [kind for kind in KINDS if adapters.site.adapters(kind)]
        missing = [kind for kind in kinds if kind not in there]
        if missing:
            raise CommandError(
                f"This CRM has no adapter for {' and '.join(missing)}, so there is nothing to sync. It has adapters "
                f"for: {', '.join(there) or 'nothing'}.", returncode=CANNOT_RUN)

    def _links(self, names: list[str]) -> list[UserLink]:
        """Those of the named users, else all that may sync."""
        if not names:
            active = list(SyncSettings.objects.filter(enabled=True, paused=False))
            broken = Q(status__in=BROKEN, enabled=True, paused=False, tenant__in=[row.tenant for row in active])
            stopped = [row.tenant for row in active if (why := standstill(row)) and why.state in STANDSTILLS]
            waiting = UserLink.objects.running().filter(tenant__in=stopped, settings_saved_at__isnull=False)
            links = UserLink.objects.filter(
                broken | Q(pk__in=eligible_links().values("pk")) | Q(pk__in=waiting.values("pk")))
            return list(links.select_related("user").order_by("pk"))
        model = get_user_model()
        wanted = model._default_manager.filter(**{f"{model.USERNAME_FIELD}__in": names})
        users = {user.get_username(): user.pk for user in wanted}
        if unknown := [name for name in names if name not in users]:
            raise CommandError(f"There is no user called {' or '.join(unknown)}.", returncode=CANNOT_RUN)
        links = UserLink.objects.filter(user__in=users.values()).exclude(status=LinkStatus.DISCONNECTED)
        found = list(links.select_related("user").order_by("pk"))
        linked = {link.user_id for link in found}
        if without := [name for name, key in users.items() if key not in linked]:
            raise CommandError(f"No Microsoft account is connected for {' and '.join(without)}.",
                               returncode=CANNOT_RUN)
        return found

    def _sync(self, link: UserLink, options: dict[str, Any]) -> Report:
        name = link.user.get_username()
        bar = self.stderr.isatty()
        report = sync_now(
            link, kinds=options["kinds"] or None, full=options["full"], dry_run=options["dry_run"],
            watch=(lambda progress: self._draw(name, progress)) if bar else None)
        if bar:
            self.stderr.write(CLEAR, ending="")
        if not options["json"]:
            self.stdout.write(in_words(name, report, options["dry_run"]))
        if report.message:
            self.stderr.write(f"{name}: {report.message}")
        return report

    def _draw(self, name: str, progress: dict[str, Any]) -> None:
        done, total = int(progress.get("done") or 0), int(progress.get("total") or 0)
        filled = min(BAR, BAR * done // total) if total else 0
        numbers = f"{done} of {total}" if total else str(done)
        bar = "#" * filled + "." * (BAR - filled)
        self.stderr.write(f"{CLEAR}{name} [{bar}] {progress.get('phase', '')} {numbers}", ending="")
        self.stderr.flush()


def as_json(reports: list[tuple[UserLink, Report]]) -> dict[str, Any]:
    """The object that `--json` prints; its shape is a contract."""
    return {
        "links": [
            {"user": link.user.get_username(), "status": str(report.status), "kinds": report.counts,
             "seconds": round(report.seconds, 3)}
            for link, report in reports],
        "requests": sum(report.requests for _link, report in reports),
    }


def in_words(name: str, report: Report, dry_run: bool) -> str:
    """One line for each kind, for people and logs."""
    seconds = f"in {report.seconds:.1f} s"
    if not report.counts:
        return f"{name}: nothing to do, {seconds}" if report.went_well else f"{name}: not synced, {seconds}"
    lines = []
    for kind, counts in report.counts.items():
        sides = "; ".join(
            f"{title}: " + ", ".join(f"{number} {what}" for what, number in counts[side].items())
            for side, title in (("crm", "CRM"), ("microsoft", "Microsoft")))
        would = "would be " if dry_run else ""
        lines.append(
            f"{name}: {kind}, {counts['pulled']} read from Microsoft; {would}{sides}; {counts['conflicts']} conflicts, "
            f"{counts['problems']} problems, {counts['invitations']} invitations; {seconds}")
    return "\n".join(lines)
