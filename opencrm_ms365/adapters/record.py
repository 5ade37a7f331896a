"""The base class of all adapters: declaration, reading, scope, writing, deletion, hints."""

from __future__ import annotations

from typing import Any

from ..records import digest
from .context import SyncContext
from .touches import Touching


class RecordAdapter(Touching):
    """Maps the rows of one model to records. Subclass `ContactAdapter`, `EventAdapter` or `TaskAdapter`.

    The parts of it stand in modules of their own: `declaration` (attributes), `reading`, `scoping`, `writing`,
    `deletion`, `touches`.
    """

    def fingerprint(self, obj: Any, ctx: SyncContext, key: bytes = b"") -> str:
        """A digest of all that the sync knows of a record: its fields, people, folders and tick box."""
        data = self.read(obj, ctx)
        roles: dict[str, Any] = {}
        for name, spec in self.role_specs.items():
            value = spec.read(obj, ctx)
            roles[name] = [str(getattr(item, "pk", item)) for item in value] if isinstance(value, tuple) else str(value)
        known = [[name, value] for name, value in (data.values() if data is not None else {}).items()]
        return digest([known, sorted([name, value] for name, value in roles.items())], key)
