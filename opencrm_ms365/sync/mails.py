"""The mail guard: what would make Microsoft write to people waits until the whole cycle is known (ORG-15).

The rest of the cycle goes on. Up to the limit the steps are kept and sent at the end of the cycle; beyond it they are
dropped, for the next cycle finds them again, and a person is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _

from ..conf import settings
from ..models import HeldDecision, RecordMapping
from . import held
from .report import Report
from .steps import Step
from .work import Work


class Mails:
    """The steps of one cycle that mail somebody, and to whom."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.steps: list[Step] = []
        self.recipients: dict[str, int] = {}
        self.confirmed = self._confirmed()
        guard = work.organisation.mail_guard
        self.limit = max(int(settings.MAIL_GUARD) if guard is None else guard, self._allowed())

    def _confirmed(self) -> HeldDecision | None:
        return HeldDecision.objects.filter(
            link=self.work.link, key=held.key_of("mails", self.work.kind), state=HeldDecision.State.CONFIRMED).first()

    def _allowed(self) -> int:
        return int(self.confirmed.summary.get("people", 0)) if self.confirmed else 0

    def keep_back(self, steps: Sequence[Step]) -> list[Step]:
        """Those of the steps that mail nobody. The others wait here for the end of the cycle."""
        quiet = []
        for step in steps:
            addresses = step.recipients
            if not addresses:
                quiet.append(step)
                continue
            for address in addresses:
                self.recipients[address] = self.recipients.get(address, 0) + 1
            self.steps.append(step)
        if len(self.recipients) > self.limit:
            self.let_go()
        return quiet

    def let_go(self) -> None:
        """The steps are not kept: too many, or no time. The next cycle looks at the changes among them again."""
        keys = [step.mapping.pk for step in self.steps if step.mapping is not None and step.mapping.pk]
        if keys and not self.work.preview:
            RecordMapping.objects.filter(pk__in=keys).update(next_try_at=self.work.now)
        self.steps.clear()

    def release(self, report: Report, send: Callable[[list[Step]], None]) -> None:
        """At the end of a cycle: send what may be sent, or ask."""
        if len(self.recipients) > self.limit:
            self._hold(report)
            return
        steps, self.steps = self.steps, []
        for start in range(0, len(steps), self.work.chunk):
            send(steps[start : start + self.work.chunk])
        if self.confirmed is not None and self.recipients:
            self.work.decided.add(self.confirmed.pk)

    def _hold(self, report: Report) -> None:
        people = sorted(self.recipients)
        summary: dict[str, object] = {"people": len(people), "mails": sum(self.recipients.values())}
        decision = held.hold(
            self.work, HeldDecision.Reason.MAIL_GUARD, held.key_of("mails", self.work.kind), summary,
            {"people": people})
        if decision is not None and decision.state == HeldDecision.State.CONFIRMED:
            held.ask_again(decision, summary, {"people": people})
        report.problem(
            code="mail_guard",
            reason=_("This cycle would make Microsoft write to %(count)d people. The meetings concerned wait until "
                     "the user or an administrator confirms it; everything else is synced.") % {"count": len(people)},
        )
