"""Undoing what a deletion in Microsoft deleted in the CRM (ORG-12)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from .. import adapters
from ..errors import RecordError
from ..models import DeletedRecord, encrypt
from .report import plain
from .steps import Step
from .stored import StoredValues
from .work import Work, acting_for


def remember_deletion(work: Work, step: Step, obj: Any) -> None:
    """Note a record that is about to be deleted in the CRM, in the same transaction."""
    held = step.crm.values() if step.crm is not None else {}
    DeletedRecord.objects.create(
        link=work.link,
        tenant=work.link.tenant,
        kind=work.kind,
        adapter=step.adapter.name,
        object_id=step.object_id,
        at=work.now,
        contents=encrypt({
            "label": str(step.adapter.label(obj)),
            "values": {name: plain(value) for name, value in held.items() if value},
        }),
    )


def undo(deleted: DeletedRecord, by: Any) -> Any:
    """Bring the record back into the CRM, on behalf of `by`, and return it; the next cycle makes it in Microsoft again.

    Raises `RecordError` if that is not possible (any more). Whether `by` may is for the caller to ask. No request to
    Microsoft is made (SYNC-07).
    """
    adapter = adapters.site.get(deleted.adapter)
    ctx = adapters.site.directory.context(by, deleted.tenant, stored=StoredValues(deleted.tenant))
    with acting_for(ctx), transaction.atomic():
        row = DeletedRecord.objects.select_for_update().undoable().filter(pk=deleted.pk).first()
        if row is None:
            raise RecordError("This deletion has been undone already, or it is too old.")
        if adapter.by_ids([row.object_id], ctx):
            raise RecordError("The record is in the CRM.")
        try:
            with transaction.atomic():
                restored = adapter.restore(row.object_id, ctx)
        except (IntegrityError, ValidationError):
            raise RecordError("Another record of the CRM stands in its way.") from None
        row.undone_at, row.undone_by = timezone.now(), by
        row.save(update_fields=["undone_at", "undone_by"])
    return restored
