"""What a cycle tells people: counts, problems in plain words, conflicts with both values (SYNC-03, ORG-09)."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from ..models import Conflict, HeldDecision, RecordMapping, SyncProblem, UserLink, encrypt
from ..reconcile.merge import FieldConflict
from ..reconcile.plan import Counts
from ..records import UNSET, PostalAddress, digest
from ..records.task import Priority, Status
from ..signals import conflict_found
from .steps import Step

#: Minutes until a record that failed is tried again; the last one repeats (SYNC-03).
DELAYS_MIN = (0, 10, 30, 60, 180, 720, 1440)


#: A record that cannot be synced as it is, in the CRM's own judgement or because it says nothing.
NOT_SYNCABLE = "not_syncable"

#: The same two values met again within this time are the same conflict.
SAME_CONFLICT_WITHIN = timedelta(days=1)


def retry_delay(attempts: int) -> timedelta:
    """How long to wait before the next try after `attempts` failures."""
    return timedelta(minutes=DELAYS_MIN[min(max(attempts, 0), len(DELAYS_MIN) - 1)])


class Report:
    """Collects what one cycle of one link and kind has to say. A preview's report writes no rows."""

    def __init__(self, link: UserLink, kind: str, counts: Counts, now: Any, *, silent: bool = False) -> None:
        self.link, self.kind, self.counts, self.now, self.silent = link, kind, counts, now, silent

    def problem(
        self,
        *,
        code: str,
        reason: str,
        adapter: str = "",
        object_id: str = "",
        graph_id: str = "",
        request_id: str = "",
        warning: bool = False,
        next_try_at: Any = None,
        detail: str = "",
    ) -> None:
        """Note why a record is not synced, or not wholly. The same problem again counts up (CON-10: reported once)."""
        self.problems([SyncProblem(
            code=code, reason=reason, adapter=adapter, object_id=object_id, graph_id=graph_id, request_id=request_id,
            is_warning=warning, next_try_at=next_try_at,
            key=problem_key(self.kind, adapter, object_id, graph_id, code, detail))])

    def problems(self, rows: Iterable[SyncProblem]) -> None:
        """As `problem`, for many at once with a constant number of queries."""
        by_key = {row.key: row for row in rows}
        self.counts.problems += sum(not row.is_warning for row in by_key.values())
        if self.silent or not by_key:
            return
        for row in by_key.values():
            row.link, row.tenant, row.kind = self.link, self.link.tenant, self.kind
            row.first_at = row.last_at = self.now
        known = list(SyncProblem.objects.filter(link=self.link, key__in=by_key, resolved_at__isnull=True))
        for row in known:
            met = by_key.pop(row.key)
            row.reason, row.next_try_at, row.request_id = met.reason, met.next_try_at, met.request_id
            row.last_at, row.times = self.now, row.times + 1
        SyncProblem.objects.bulk_update(
            known, ["reason", "next_try_at", "request_id", "last_at", "times"], batch_size=100)
        SyncProblem.objects.bulk_create(by_key.values(), ignore_conflicts=True)

    def failure(self, step: Step, *, code: str, reason: str, next_try_at: Any = None, request_id: str = "",
                warning: bool = False) -> None:
        """A problem with the record of a step."""
        self.problems([self.about(
            step, code=code, reason=reason, next_try_at=next_try_at, request_id=request_id, warning=warning)])

    def about(self, step: Step, *, code: str, reason: str, next_try_at: Any = None, request_id: str = "",
              warning: bool = False) -> SyncProblem:
        """A problem with the record of a step, for `problems`."""
        adapter = step.adapter.name if step.adapter else ""
        return SyncProblem(
            code=code, reason=reason, adapter=adapter, object_id=step.object_id, graph_id=step.graph_id,
            next_try_at=next_try_at, request_id=request_id, is_warning=warning,
            key=problem_key(self.kind, adapter, step.object_id, step.graph_id, code, ""))

    def solved(self, mappings: Iterable[RecordMapping]) -> None:
        """The problems of these records are over. Warnings stay, for they say what is left out; but that a record could
        not be synced at all is over too."""
        mappings = list(mappings)
        if not mappings or self.silent:
            return
        of_record = Q(object_id__in=[row.object_id for row in mappings])
        of_item = Q(object_id="", graph_id__in=[row.graph_id for row in mappings if row.graph_id])
        over = Q(is_warning=False) | Q(code=NOT_SYNCABLE)
        SyncProblem.objects.filter(
            (of_record | of_item) & over, link=self.link, kind=self.kind, resolved_at__isnull=True
        ).update(resolved_at=self.now)
        close_ambiguous(self.link, self.kind, [row.graph_id for row in mappings if row.graph_id])

    def conflicts(self, step: Step, found: Iterable[FieldConflict]) -> None:
        """Keep both values of every conflict, encrypted, so that a person can take the other one."""
        found = tuple(found)
        self.counts.conflicts += len(found)
        if self.silent:
            return
        for item in found:
            key = conflict_key(self.link, step, item)
            if Conflict.objects.filter(link=self.link, key=key, at__gt=self.now - SAME_CONFLICT_WITHIN).exists():
                continue  # the cycle was cut off after noting it, and meets it again
            row = Conflict.objects.create(
                key=key,
                link=self.link,
                tenant=self.link.tenant,
                kind=self.kind,
                adapter=step.adapter.name,
                object_id=step.object_id,
                graph_id=step.graph_id,
                field=item.name,
                winner=str(item.winner),
                at=self.now,
                values=encrypt({"crm": plain(item.crm), "microsoft": plain(item.microsoft)}),
            )
            transaction.on_commit(partial(conflict_found.send_robust, sender=Conflict, conflict=row, link=self.link))


def conflict_key(link: UserLink, step: Step, item: FieldConflict) -> str:
    """Tells the same conflict from another one; keyed, so that it reveals nothing of the values."""
    values = (step.adapter.name, step.object_id, item.name, str(plain(item.crm)), str(plain(item.microsoft)))
    return digest(values, bytes(link.digest_key))


def ambiguous_key(kind: str, graph_id: str) -> str:
    """Tells the decision about one unclear match from another one."""
    return hashlib.sha256("\x1f".join(("ambiguous", kind, graph_id)).encode()).hexdigest()


def close_ambiguous(link: UserLink, kind: str, graph_ids: Iterable[str]) -> None:
    """Nothing is left to decide about these: they are linked, or gone."""
    keys = [ambiguous_key(kind, graph_id) for graph_id in graph_ids]
    HeldDecision.objects.filter(link=link, key__in=keys, state=HeldDecision.State.OPEN).update(
        state=HeldDecision.State.DONE
    )


def problem_key(kind: str, adapter: str, object_id: str, graph_id: str, code: str, detail: str = "") -> str:
    subject = f"{adapter}:{object_id}" if object_id else graph_id
    return hashlib.sha256("\x1f".join((kind, subject, code, detail)).encode()).hexdigest()


INSTANTS = frozenset({"start", "end", "due", "completed_at"})
WORDS: dict[str, type[Enum]] = {"status": Status, "priority": Priority}


def plain(value: Any) -> Any:
    """A record value as JSON can hold it (conflicts, held decisions)."""
    if isinstance(value, PostalAddress):
        return value.values()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def from_plain(name: str, value: Any) -> Any:
    """The record value of a field back from `plain`."""
    if isinstance(value, dict):
        return PostalAddress(**{item.name: value.get(item.name, UNSET) for item in dataclasses.fields(PostalAddress)})
    if name == "birthday" and value:
        return date.fromisoformat(value)
    if name in INSTANTS and value:
        return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    if name in WORDS and value:
        return WORDS[name](value)
    return tuple(value) if isinstance(value, list) else value
