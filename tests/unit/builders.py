"""Builders for the pure core: pairs with valid defaults, and what the sync makes of a merge, without a sync.

`settle` does to two values what a cycle does to two records: it writes what the merge asks for, as far as each side can
hold it, and notes the new base. So the laws can be tested in thousands of small worlds in a second.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from opencrm_ms365.reconcile.fit import PARTS, fit
from opencrm_ms365.reconcile.merge import Base, Merge, Pair, merge
from opencrm_ms365.reconcile.policy import Policy
from opencrm_ms365.records import CONTACT_FIELDS, LIST_FIELDS, UNSET, ContactData, Limits, PostalAddress
from opencrm_ms365.records import digest as keyed_digest
from opencrm_ms365.records.contact import canonical

KEY = b"a key for the tests"
EMPTY = {name: () if name in LIST_FIELDS else None for name in CONTACT_FIELDS}
NO_LIMITS = Limits()


def digest(value: object) -> str:
    return keyed_digest(value, KEY)


def digests(record: ContactData, names: Any = None) -> dict[str, str]:
    """Digests by field, as the sync keeps them in a mapping."""
    chosen = tuple(record.set_fields()) if names is None else names
    return {name: digest(canonical(name, getattr(record, name))) for name in chosen}


def microsoft_contact(**values: Any) -> ContactData:
    """A contact as Graph gives it: every field is set, most are empty."""
    return ContactData(**{**EMPTY, **values})


def base_of(crm: ContactData, microsoft: ContactData | None = None, **pending: tuple[Any, Any]) -> Base:
    """What both sides held when they last agreed. `pending`: field to (CRM's value, value that was sent)."""
    names = tuple(crm.set_fields())
    return Base(
        crm=digests(crm),
        microsoft=digests(microsoft if microsoft is not None else crm, names),
        pending={name: (digest(canonical(name, mine)), digest(canonical(name, sent)))
                 for name, (mine, sent) in pending.items()},
    )


def pair(crm: ContactData, microsoft: ContactData | None, base: Base | None = None, **changes: Any) -> Pair:
    """A pair whose sides hold everything, and whose CRM takes every change, unless told otherwise."""
    values: dict[str, Any] = {"writable": frozenset(CONTACT_FIELDS), "crm_limits": NO_LIMITS,
                              "microsoft_limits": NO_LIMITS, **changes}
    return Pair(crm=crm, microsoft=microsoft, base=base, **values)


@dataclass
class Link:
    """Two sides that hold one contact, with what the sync remembers of them."""

    crm: ContactData
    microsoft: ContactData
    policy: Policy = field(default_factory=Policy)
    writable: frozenset[str] = frozenset(CONTACT_FIELDS)
    crm_limits: Limits = NO_LIMITS
    microsoft_limits: Limits = NO_LIMITS
    base: Base | None = None

    def __post_init__(self) -> None:
        self.crm = held(self.crm, self.crm_limits)
        self.microsoft = held(self.microsoft, self.microsoft_limits)

    def edit_crm(self, **values: Any) -> None:
        self.crm = held(dataclasses.replace(self.crm, **values), self.crm_limits)

    def edit_microsoft(self, **values: Any) -> None:
        self.microsoft = held(dataclasses.replace(self.microsoft, **values), self.microsoft_limits)

    def merge(self) -> Merge:
        return merge(pair(self.crm, self.microsoft, self.base, writable=self.writable, crm_limits=self.crm_limits,
                          microsoft_limits=self.microsoft_limits), self.policy, digest)

    def settle(self) -> Merge:
        """Merge, write, and note on what both sides agree now (`apply_crm._link`, `apply_microsoft._written`)."""
        result = self.merge()
        self.crm = dataclasses.replace(self.crm, **result.to_crm)
        self.microsoft = dataclasses.replace(self.microsoft, **{
            name: whole(value, getattr(self.microsoft, name)) for name, value in result.to_microsoft.items()})
        names = result.settled | frozenset(result.to_microsoft)
        before = self.base or Base()
        self.base = Base(crm={**before.crm, **digests(self.crm, names)},
                         microsoft={**before.microsoft, **digests(self.microsoft, names)})
        return result


def whole(value: Any, current: Any) -> Any:
    """What the client sends: an address is replaced as a whole, with what Microsoft holds in the unmapped parts."""
    if not isinstance(value, PostalAddress):
        return value
    parts = {name: getattr(current, name, None) for name in PARTS if getattr(value, name) is UNSET}
    return dataclasses.replace(value, **parts)


def held(record: ContactData, limits: Limits) -> ContactData:
    """The record as a side with these limits keeps it."""
    return ContactData(**{name: fit(name, value, limits) for name, value in record.values().items()})
