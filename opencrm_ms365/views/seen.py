"""What a person may see of records: names are shown only to those who may see the record itself (PRIV-03)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from ..adapters import SyncContext, site
from ..sync.stored import StoredValues

CHOSEN_ENTRY = "ms365_organisation"


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """A record's name and page, for somebody who may see it."""

    label: str
    url: str = ""


def directory() -> Any:
    return site.directory


def tenant_of(request: HttpRequest) -> str | None:
    """The organisation that this request is about, by the CRM's answer, else by the person's; None: nobody has said.

    What was chosen counts only as long as the person belongs to it.
    """
    tenant = directory().tenant_of_request(request)
    if tenant is not None:
        return str(tenant)
    chosen = request.session.get(CHOSEN_ENTRY)
    return chosen if chosen in [str(item) for item in directory().tenants_of(request.user)] else None


def context_for(user: Any, tenant: str) -> SyncContext:
    """The context in which pages ask adapters on behalf of a person."""
    context: SyncContext = directory().context(user, tenant, stored=StoredValues(tenant))
    return context


def shown_records(viewer: Any, tenant: str, records: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Shown]:
    """(adapter, object id) to what may be shown; what the viewer may not see is left out. One query per adapter."""
    ids_by_adapter: dict[str, set[str]] = defaultdict(set)
    for adapter_name, object_id in records:
        if adapter_name and object_id:
            ids_by_adapter[adapter_name].add(object_id)
    ctx = context_for(viewer, tenant)
    shown: dict[tuple[str, str], Shown] = {}
    for name, ids in ids_by_adapter.items():
        adapter = adapter_named(name)
        if adapter is None:
            continue
        found = adapter.by_ids(ids, ctx)
        visible = set(visible_keys(adapter, [obj.pk for obj in found.values()], ctx))
        for object_id, obj in found.items():
            if obj.pk in visible:
                shown[name, object_id] = Shown(adapter.label(obj), adapter.url(obj) or "")
    return shown


def visible_keys(adapter: Any, keys: list[Any], ctx: SyncContext) -> QuerySet[Any]:
    """Those of these primary keys that the person of the context may see, others' private activities not among them.

    A block of ORG-11 says nothing but when: on pages about the sync there is nothing to show of it.
    """
    visible: QuerySet[Any] = adapter.in_sight(adapter.existing(ctx).filter(pk__in=keys), ctx)
    return adapter.in_full(visible, ctx).values_list("pk", flat=True)


def adapter_named(name: str) -> Any:
    """The adapter, or None where the CRM no longer registers it."""
    try:
        return site.get(name)
    except LookupError:
        return None


def kinds_offered() -> dict[str, bool]:
    """Which kinds this CRM has adapters for: others have no switches and no pages."""
    return {kind: bool(site.adapters(kind)) for kind in ("contacts", "events", "tasks")}
