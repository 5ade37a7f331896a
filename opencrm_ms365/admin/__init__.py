"""Django's admin for the app: the organisation's settings, and read-only views of what the sync does."""

from .links import UserLinkAdmin
from .log import ConflictAdmin, DeletedRecordAdmin, HeldDecisionAdmin, SyncProblemAdmin, SyncRunAdmin
from .organisation import SyncSettingsAdmin

__all__ = ["ConflictAdmin", "DeletedRecordAdmin", "HeldDecisionAdmin", "SyncProblemAdmin", "SyncRunAdmin",
           "SyncSettingsAdmin", "UserLinkAdmin"]
