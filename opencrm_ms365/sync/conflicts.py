"""Taking the other value of a conflict afterwards (ORG-09)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from .. import adapters
from ..errors import RecordError
from ..models import Conflict, decrypt
from .report import from_plain
from .stored import StoredValues
from .work import acting_for


def take_other(conflict: Conflict, by: Any) -> None:
    """Write the value that lost into the CRM, on behalf of `by`; the next cycle carries it on.

    If the CRM's value won, Microsoft's comes into the CRM; if Microsoft's won, the CRM's old value is put back. Either
    goes to Microsoft as any edit does. Raises `RecordError` if the CRM does not take it or the values are
    no longer kept. No request to Microsoft is made (SYNC-07).
    """
    if not conflict.values:
        raise RecordError("The values of this conflict are no longer kept.")
    adapter = adapters.site.get(conflict.adapter)
    ctx = adapters.site.directory.context(by, conflict.tenant, stored=StoredValues(conflict.tenant))
    values = decrypt(conflict.values)
    other = "microsoft" if conflict.winner == "crm" else "crm"
    with acting_for(ctx), transaction.atomic():
        row = Conflict.objects.select_for_update().get(pk=conflict.pk)
        if row.taken_other_at is not None:
            raise RecordError("The other value has been taken already.")
        obj = adapter.by_ids([conflict.object_id], ctx).get(conflict.object_id)
        if obj is None:
            raise RecordError("The record is no longer in the CRM.")
        adapter.update(obj, {conflict.field: from_plain(conflict.field, values[other])}, ctx)
        row.taken_other_at, row.taken_other_by = timezone.now(), by
        row.save(update_fields=["taken_other_at", "taken_other_by"])
