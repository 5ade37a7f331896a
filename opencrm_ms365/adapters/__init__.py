"""The adapter API: what a CRM writes in its `ms365.py` to be synced.

    from opencrm_ms365 import adapters as ms

    @ms.register(Contact)
    class ContactAdapter(ms.ContactAdapter):
        fields = dict(given_name="first_name", surname="last_name", emails=ms.Columns("email", "email2"))
        owner = ms.Users("assigned_to")

An adapter maps the CRM to records and back. It never sees Microsoft's JSON.
"""

from ..records import UNSET, ContactData, PostalAddress
from ..records.event import EventData
from ..records.task import Priority, Status, TaskData
from .contact import ContactAdapter
from .context import Scope, StoredPort, SyncContext, is_syncing, syncing
from .directory import DirectoryAdapter
from .event import EventAdapter
from .fields import (
    M2M,
    Address,
    Choice,
    Col,
    Columns,
    Const,
    CountryCode,
    Derived,
    FieldSpec,
    Method,
    Related,
    Rows,
    Split,
    Stored,
    Users,
)
from .outcome import Note, RejectChange, SkipRecord, Written
from .record import RecordAdapter
from .registry import AdapterSite, AlreadyRegistered, NotRegistered, autodiscover, directory, register, site
from .task import TaskAdapter

NOT_STARTED, IN_PROGRESS, ON_HOLD = Status.NOT_STARTED, Status.IN_PROGRESS, Status.ON_HOLD
DONE, CANCELLED = Status.DONE, Status.CANCELLED
LOW, MEDIUM, IMPORTANT, URGENT = Priority.LOW, Priority.MEDIUM, Priority.IMPORTANT, Priority.URGENT

__all__ = [
    "CANCELLED",
    "DONE",
    "IMPORTANT",
    "IN_PROGRESS",
    "LOW",
    "M2M",
    "MEDIUM",
    "NOT_STARTED",
    "ON_HOLD",
    "UNSET",
    "URGENT",
    "AdapterSite",
    "Address",
    "AlreadyRegistered",
    "Choice",
    "Col",
    "Columns",
    "Const",
    "ContactAdapter",
    "ContactData",
    "CountryCode",
    "Derived",
    "DirectoryAdapter",
    "EventAdapter",
    "EventData",
    "FieldSpec",
    "Method",
    "NotRegistered",
    "Note",
    "PostalAddress",
    "Priority",
    "RecordAdapter",
    "RejectChange",
    "Related",
    "Rows",
    "Scope",
    "SkipRecord",
    "Split",
    "Status",
    "Stored",
    "StoredPort",
    "SyncContext",
    "TaskAdapter",
    "TaskData",
    "Users",
    "Written",
    "autodiscover",
    "directory",
    "is_syncing",
    "register",
    "site",
    "syncing",
]
