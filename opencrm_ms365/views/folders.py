"""The folders and calendars that the settings page offers: Microsoft's, asked while the page is made, and the CRM's.

This is the one place where a page waits for Microsoft (SYNC-07), so it waits briefly; without an answer the page works
with what is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from ..access.tokens import LinkTokens
from ..adapters import SyncContext, site
from ..conf import settings
from ..errors import ConfigurationError, GraphError
from ..graph.client import GraphClient
from ..graph.contacts import Contacts, Folder
from ..graph.events import Events
from ..models import LinkStatus, UserLink

log = logging.getLogger("opencrm_ms365.views")

PATIENCE_S = 6.0
Choices = list[tuple[str, str]]


def microsoft_folders(link: UserLink) -> Choices | None:
    """(id, name) of the account's contact folders, the default one first, below their parents; None: no answer."""
    folders = _ask(link, lambda client: Contacts(client).folders())
    if folders is None:
        return None
    by_id = {folder.id: folder for folder in folders}
    return [(folder.id, _path(folder, by_id)) for folder in folders]


def calendars(link: UserLink) -> Choices | None:
    """(id, name) of the account's other calendars in which events can be made; None: no answer."""
    found = _ask(link, lambda client: Events(client).calendars())
    return None if found is None else [(item.id, item.name) for item in found if item.can_edit and not item.is_default]


def _ask(link: UserLink, question: Callable[[GraphClient], Any]) -> Any:
    """Microsoft's answer, for which a page waits; None without one."""
    if link.status not in (LinkStatus.AWAITING_SETTINGS, LinkStatus.CONNECTED):
        return None
    client = GraphClient(settings.GRAPH_URL, LinkTokens(link.pk, timeout_s=PATIENCE_S), timeout_s=PATIENCE_S,
                         max_wait_s=1.0)
    try:
        return question(client)
    except (GraphError, ConfigurationError) as error:
        log.info("Microsoft's folders of link %s could not be listed: %s", link.pk, type(error).__name__)
        return None


def _path(folder: Folder, by_id: dict[str, Folder]) -> str:
    """`Customers / Old`: the folder's name behind those of its parents, but for the default folder at the root."""
    names, seen = [folder.name or _("Contacts")], {folder.id}
    parent = by_id.get(folder.parent_id)
    while parent is not None and parent.id not in seen:
        if not parent.is_default:
            names.append(parent.name)
        seen.add(parent.id)
        parent = by_id.get(parent.parent_id)
    return " / ".join(reversed(names))


def crm_folders(ctx: SyncContext) -> Choices:
    """(id, name) of the CRM's folders; [] where it has none."""
    choices: dict[str, str] = {}
    for adapter in site.adapters("contacts"):
        choices.update((str(key), str(name)) for key, name in adapter.folder_choices(ctx))
    if not choices:
        return []
    choices.setdefault("", _("Contacts that are in no folder"))
    return list(choices.items())
