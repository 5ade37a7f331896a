"""The web pages of the simulator: mailboxes as their Outlook users see them, and what the CRM did.

Plain HTML from the server, one style sheet, no scripts. `handle` answers everything under `/outlook/` and `/static/`.
"""

from .routes import handle

__all__ = ["handle"]
