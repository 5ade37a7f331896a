"""Deleting in the CRM what was deleted in Microsoft (ORG-12), where possible so that it can be undone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models

from ..errors import RecordError
from .context import SyncContext, syncing
from .writing import Writing


class Deleting(Writing):
    """The part of an adapter that deletes and restores."""

    def delete(self, obj: Any, ctx: SyncContext) -> None:
        """Delete a record: by its soft-delete columns where they are known, else for good."""
        with syncing(ctx):
            columns = self._deleting_columns()
            if columns is None:
                obj.delete()
            else:
                self._assign(obj, columns, ctx)

    def restore(self, object_id: str, ctx: SyncContext) -> Any:
        """Undo a recoverable deletion and return the record. Raises `RecordError` if that is not possible."""
        columns = self._restoring_columns()
        obj = self.with_deleted(ctx).filter(pk__in=self.keys([object_id])).first()
        if columns is None or obj is None:
            raise RecordError("The record is gone for good and cannot be restored.")
        with syncing(ctx):
            self._assign(obj, columns, ctx)
        restored = self.by_ids([object_id], ctx).get(object_id)
        if restored is None:
            raise RecordError("The CRM still hides the record after it was restored.")
        return restored

    @property
    def recoverable(self) -> bool:
        """Whether a deletion can be undone."""
        return self._deleting_columns() is not None and self._restoring_columns() is not None

    @staticmethod
    def _assign(obj: Any, columns: Mapping[str, Any], ctx: SyncContext) -> None:
        for name, value in columns.items():
            setattr(obj, name, value(ctx) if callable(value) else value)
        obj.save()

    def _deleting_columns(self) -> Mapping[str, Any] | None:
        if self.soft_delete_set is not None:
            return self.soft_delete_set
        told = self._told_by_condition()
        return told and told[0]

    def _restoring_columns(self) -> Mapping[str, Any] | None:
        if self.restore_set is not None:
            return self.restore_set
        told = self._told_by_condition()
        return told and told[1]

    def _told_by_condition(self) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
        """Columns that delete and restore, read off a condition such as `Q(is_deleted=True)`; None if it is another."""
        condition = self.soft_delete
        if condition is None or condition.negated or len(condition.children) != 1:
            return None
        child = condition.children[0]
        if not isinstance(child, tuple):
            return None
        path, value = child
        name, _, lookup = path.partition("__")
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        if isinstance(field, models.BooleanField) and lookup in ("", "exact") and isinstance(value, bool):
            return {name: value}, {name: not value}
        if lookup == "isnull" and value is False and isinstance(field, models.DateField):
            return {name: _stamp(field)}, {name: None}
        return None


def _stamp(field: Any) -> Any:
    from .conversion import to_column

    return lambda ctx: to_column(field, ctx.now, ctx.tz)[0]
