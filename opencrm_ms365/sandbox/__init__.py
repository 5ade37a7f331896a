"""A local Microsoft 365 for tests and the demo: login, Graph, web pages and a control API in one WSGI application.

It follows Microsoft's documentation, imports nothing of the app, and needs no Django settings. Start with `Sandbox`.
"""

from .bearers import BearerRefused, Grant
from .faults import ConnectionCut
from .mails import Mail
from .options import Options
from .simulator import Sandbox
from .world import PERSONAL_TENANT_ID, Account, Change, Client, Mailbox, Tenant, World

__all__ = ["PERSONAL_TENANT_ID", "Account", "BearerRefused", "Change", "Client", "ConnectionCut", "Grant", "Mail",
           "Mailbox", "Options", "Sandbox", "Tenant", "World"]
