"""The adapter for contacts: its fields, its tick box and folders, and the search for possible partners (ORG-08)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from django.db.models import F, Q

from ..records import CONTACT_FIELDS, LIST_FIELDS, ContactData
from ..records.contact import ADDRESS_FIELDS
from .context import SyncContext
from .conversion import Shape
from .expressions import Folded, PhoneTail, fold, phone_tail
from .fields import FieldSpec, Split, Stored
from .record import RecordAdapter

_SHAPES = dict.fromkeys(CONTACT_FIELDS, Shape.TEXT)
_SHAPES |= dict.fromkeys(LIST_FIELDS, Shape.TEXTS) | dict.fromkeys(ADDRESS_FIELDS, Shape.ADDRESS)
_SHAPES["birthday"] = Shape.DATE

PHONE_FIELDS = ("business_phones", "home_phones", "mobile_phone")

Fold = Callable[[str], str | None]


class ContactAdapter(RecordAdapter):
    """Contacts. `folders` and `sync_flag` are kept in this app's own table where the CRM has no columns for them."""

    kind = "contacts"
    record_type = ContactData
    shapes = _SHAPES
    spellings: ClassVar[dict[str, str]] = {"business_phone": "business_phones", "home_phone": "home_phones"}
    roles = {**RecordAdapter.roles, "folders": Shape.ANY, "sync_flag": Shape.FLAG}
    body_field = "notes"

    #: The CRM's folders of a contact. None: the CRM has none, everything is in Microsoft's default folder.
    folders: Any = Stored()
    #: The tick box that lets a contact be synced.
    sync_flag: Any = Stored(default=True)

    def candidates(self, rule: str, records: Sequence[ContactData], ctx: SyncContext) -> Iterable[Any]:
        """Existing objects, ready to be read, that may match one of the records by a rule; some may not.

        Rules are `email`, `name_company` and `phone`. The number of queries does not depend on that of records.
        """
        conditions = self._conditions(rule, records)
        if conditions is None:
            return []
        alternatives = [self._matching(specs, values, ctx, expression, folding)
                        for specs, values, expression, folding in conditions]
        found = self.existing(ctx)
        for keys in alternatives:
            found = found.filter(keys)
        return self.prepared(found, ctx)

    def _conditions(self, rule: str, records: Sequence[ContactData]) -> list[Any] | None:
        """What must all hold: (specs of which one must have, one of these values, as compared in the database so)."""
        if rule == "email":
            wanted = {item for record in records for item in _entries(record.emails)}
            conditions: list[Any] = [(self._of("emails"), wanted, Folded, fold)]
        elif rule == "phone":
            numbers = {number for record in records for number in _phones(record)}
            conditions = [(self._of(*PHONE_FIELDS), numbers, PhoneTail, phone_tail)]
        elif rule == "name_company":
            named = [record for record in records if record.given_name and record.surname]
            conditions = [(self._of("given_name"), {str(record.given_name) for record in named}, Folded, fold),
                          (self._of("surname"), {str(record.surname) for record in named}, Folded, fold)]
        else:
            raise ValueError(f"no matching rule is called {rule!r}")
        return None if any(not specs or not values for specs, values, _, _ in conditions) else conditions

    def _of(self, *names: str) -> list[FieldSpec]:
        return [self.specs[name] for name in names if name in self.specs]

    def _matching(self, specs: Iterable[FieldSpec], wanted: Iterable[str], ctx: SyncContext, expression: Any,
                  folding: Fold) -> Q:
        """The condition that one of the specs holds one of these values, as a subquery of keys."""
        folded = {text for value in wanted for text in (folding(value), folding(value.lower())) if text}
        # PostgreSQL's lower case is not Python's case folding for every letter: look for both.
        lowered = {" ".join(value.lower().split()) for value in wanted} if expression is Folded else set()
        values = sorted(folded | lowered)
        found = Q(pk__in=[])
        paths: list[str] = []
        for spec in specs:
            known = spec.searchable()
            if known is not None:
                paths += known
            else:
                found |= Q(pk__in=self._by_reading(spec, set(values), ctx, folding))
        for path in paths:
            rows = self.model._base_manager.alias(_ms365_text=expression(F(path))).filter(_ms365_text__in=values)
            found |= Q(pk__in=rows.order_by().values("pk"))
        return found

    def _by_reading(self, spec: FieldSpec, values: set[str], ctx: SyncContext, folding: Fold) -> list[Any]:
        """Keys of the existing records for which the spec reads one of the values: for what no query can find."""
        path = spec.contains() if isinstance(spec, Split) else None
        if path is not None and isinstance(spec, Split):
            rows = self.existing(ctx).order_by().exclude(**{path: ""}).values_list("pk", path)
            return [key for key, text in rows.iterator()
                    if any(folding(item) in values for item in (text or "").split(spec.sep))]
        return [obj.pk for chunk in self.chunks(self.existing(ctx), ctx) for obj in chunk
                if not values.isdisjoint(folding(item) or "" for item in _entries(spec.read(obj, ctx)))]


def _entries(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, tuple) else ()


def _phones(record: ContactData) -> tuple[str, ...]:
    return tuple(number for name in PHONE_FIELDS for number in _entries(getattr(record, name)))
