"""Keep a CRM's contacts, calendar and tasks in sync with its users' Microsoft 365 accounts."""

__version__ = "0.1.0"
