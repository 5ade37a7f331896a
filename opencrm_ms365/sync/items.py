"""What reading a mailbox yields, whatever the kind: contacts and events have the same handful of members in common."""

from __future__ import annotations

from typing import Any

from ..graph.contacts import ContactItem
from ..graph.event_items import EventItem

#: For `isinstance`: a record that is there, unlike a removal, a broken entry or an error.
ITEMS = (ContactItem, EventItem)
#: `graph_id`, `folder`, `etag`, `data`, `created_at`, `changed_at`, `marker`, `kept`.
Item = Any
