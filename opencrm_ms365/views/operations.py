"""The list of a preview, with names only where the viewer may see them (PRIV-03)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..access import rights
from ..models import DecryptionFailed, SyncRun, decrypt
from .seen import Shown, shown_records


def stored_operations(run: SyncRun) -> list[dict[str, Any]]:
    """What a preview found, in its order; [] when its contents are gone or cannot be read any more. Not for showing."""
    if not run.operations:
        return []
    try:
        operations: list[dict[str, Any]] = decrypt(run.operations)
    except DecryptionFailed:
        return []
    return operations


def visible_operations(run: SyncRun, viewer: Any, operations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """These operations as the viewer may see them; a constant number of queries for a page of them.

    An operation on a CRM record shows its name to those who may see the record. One that has no CRM record yet
    comes from the mailbox of the link's user, and only that user sees its name.
    """
    shown = shown_records(viewer, run.tenant, [_record(operation) for operation in operations])
    is_own = rights.may_connect(viewer, run.link)
    return [_visible(operation, shown.get(_record(operation)), is_own) for operation in operations]


def _record(operation: dict[str, Any]) -> tuple[str, str]:
    adapter, _colon, object_id = str(operation.get("record") or "").partition(":")
    return adapter, object_id


def _visible(operation: dict[str, Any], shown: Shown | None, is_own: bool) -> dict[str, Any]:
    has_record = bool(_record(operation)[1])
    may_see = shown is not None if has_record else is_own
    return {
        "kind": operation.get("kind", ""), "action": operation.get("action", ""), "side": operation.get("side", ""),
        "label": operation.get("label", "") if may_see else "",
        "url": shown.url if shown else "",
        "record": operation.get("record", "") if may_see else "",
        "fields": list(operation.get("fields") or ()), "reason": operation.get("reason", ""),
        "recipients": list(operation.get("recipients") or ()) if may_see else [],
    }
