"""Who makes the CRM record of something that more than one link can bring in (design, section 4: `SharedRecord`).

The unique constraint decides: two links that meet the same new contact at the same moment end with one record, because
the second one waits for the first one's transaction, and then finds the record by matching.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.crypto import salted_hmac

from ..models import SharedRecord
from .steps import Step
from .work import Work


@dataclass
class Claims:
    """The claims of some steps: `mine` by step, and the steps that must wait because another link was first."""

    mine: dict[Step, SharedRecord] = field(default_factory=dict)
    deferred: set[Step] = field(default_factory=set)

    def save(self) -> None:
        """Note which records were made for the claims."""
        rows = []
        for step, claim in self.mine.items():
            claim.object_id = step.object_id
            rows.append(claim)
        SharedRecord.objects.bulk_update(rows, ["adapter", "object_id", "claimed_by", "claimed_at"])


def identity_of(work: Work, step: Step) -> str:
    """What the kind calls the item's identity, as a digest that is the same for all links of a tenant.

    Empty where it has none.
    """
    return digest_of(work.link.tenant, work.how.identity(work, step)) if step.item is not None else ""


def digest_of(tenant: str, identity: str) -> str:
    """An identity as `SharedRecord` keeps it; empty for none."""
    return identity and salted_hmac("ms365.shared", f"{tenant}\x1f{identity}", algorithm="sha256").hexdigest()


def claim_all(work: Work, steps: Sequence[Step]) -> Claims:
    """Claim the identities of records that are about to be made, in a constant number of queries.

    Two contacts in one mailbox with one address are two records: the first one has the claim, the other one none.
    """
    claims = Claims()
    by_identity: dict[str, Step] = {}
    for step in steps:
        identity = identity_of(work, step)
        if identity:
            by_identity.setdefault(identity, step)
    if not by_identity:
        return claims
    SharedRecord.objects.bulk_create(
        [
            SharedRecord(
                tenant=work.link.tenant,
                kind=work.kind,
                identity=identity,
                adapter=by_identity[identity].adapter.name,
                object_id="",
                claimed_by=work.link,
                claimed_at=work.now,
            )
            for identity in sorted(by_identity)  # one order for all links: no dead-locks
        ],
        ignore_conflicts=True,
    )
    found = SharedRecord.objects.filter(tenant=work.link.tenant, kind=work.kind, identity__in=by_identity)
    known = list(found.select_for_update().order_by("identity"))
    taken = _taken(work, [claim for claim in known if claim.object_id])
    for claim in known:
        step = by_identity[claim.identity]
        verdict = taken.get(claim.pk, "free")
        if verdict == "theirs" and _still_matches(work, step, claim):
            claims.deferred.add(step)
        elif verdict != "ours":
            claim.claimed_by, claim.claimed_at, claim.adapter = work.link, work.now, step.adapter.name
            claims.mine[step] = claim
    return claims


def _taken(work: Work, claims: list[SharedRecord]) -> dict[int, str]:
    """`ours` where this link has the claimed record, `theirs` where it exists otherwise; missing: it is gone."""
    verdicts: dict[int, str] = {}
    for adapter in work.adapters:
        own = {claim.object_id: claim.pk for claim in claims if claim.adapter == adapter.name}
        if not own:
            continue
        existing = adapter.by_ids(list(own), work.ctx)
        mapped = set(
            work.mappings().filter(adapter=adapter.name, object_id__in=list(own)).values_list("object_id", flat=True)
        )
        verdicts |= {own[key]: "ours" if key in mapped else "theirs" for key in existing}
    return verdicts


def _still_matches(work: Work, step: Step, claim: SharedRecord) -> bool:
    """Whether the claimed record is still the item's partner: if not, it will never be found."""
    adapter = work.adapter(claim.adapter)
    return adapter is not None and work.how.still_matches(work, step, adapter, claim.object_id)
