"""Rows: the state of the sync and the constraints that keep it sound.

Nothing here talks to Microsoft or to a CRM's own models. A CRM record is referred to by the name of its adapter and its
primary key as text, never by a foreign key: the CRM's own deletions must not be changed by our tables.
"""

from .access import AccessKey, SignInAttempt, SignInFlow
from .deleted import DeletedRecord
from .encryption import DecryptionFailed, decrypt, encrypt, rotate
from .inbox import InboxItem, InboxKey, InboxState
from .link import HOLDS_ACCOUNT, LinkStatus, UserLink
from .log import Conflict, HeldDecision, RunState, SyncProblem, SyncRun, Trigger
from .mapping import MappingState, RecordMapping, SharedRecord
from .meeting import Meeting
from .organisation import AccessProblem, ConflictRule, Direction, MicrosoftDeletion, PrivateDisplay, SyncSettings
from .planner import PlanCursor, TaskList
from .stored import CrmTouch, StoredValue
from .worker import Heartbeat

__all__ = [
    "HOLDS_ACCOUNT",
    "AccessKey",
    "AccessProblem",
    "Conflict",
    "ConflictRule",
    "CrmTouch",
    "DecryptionFailed",
    "DeletedRecord",
    "Direction",
    "Heartbeat",
    "HeldDecision",
    "InboxItem",
    "InboxKey",
    "InboxState",
    "LinkStatus",
    "MappingState",
    "Meeting",
    "MicrosoftDeletion",
    "PlanCursor",
    "PrivateDisplay",
    "RecordMapping",
    "RunState",
    "SharedRecord",
    "SignInAttempt",
    "SignInFlow",
    "StoredValue",
    "SyncProblem",
    "SyncRun",
    "SyncSettings",
    "TaskList",
    "Trigger",
    "UserLink",
    "decrypt",
    "encrypt",
    "rotate",
]
