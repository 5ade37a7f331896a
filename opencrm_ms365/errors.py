"""What can go wrong, sorted by what the catcher does about it.

    ConfigurationError                the developer or administrator must change a setting; nothing skips it
    SyncError
      GraphError
        Throttled                     wait `retry_after_s`, then the same request
        Unavailable                   Microsoft or the network is down: try again later
        OutcomeUnknown                a write whose answer was lost: look first, then repeat
          AlreadyCreated              this creation was carried out before, but what it made is not to be found
        Stale                         somebody changed it since it was read: read again, decide again
        DeltaExpired                  the delta token is gone: read everything
        NotFound                      the addressed thing is not there
        AccessLost                    this account cannot read the plan any more: let another link read it
        MailboxUnavailable            the account has no mailbox that Microsoft Graph serves (USER-06)
        Rejected                      Microsoft refuses this record: hold it, say why
        SignInRequired                the user must sign in again (USER-06)
        ConsentRequired               the administrator must authorise again (ORG-01)
        ClientRefused                 the client's secret or certificate is wrong or has expired
        ProtocolError                 the answer makes no sense (malformed, or of another host)
      RecordError                     this record only, with a reason in words for people (SYNC-03)
      PlanRefused                     a guard stopped this part of the cycle (ORG-13)
      LeaseLost                       somebody else works on this link now: stop without writing
      OutOfTime                       the time slice is over: what is done is kept, the rest goes on later

Messages are for people and carry ids and status, never contents of records, tokens or addresses (PRIV-03).
"""

from typing import Any


class ConfigurationError(Exception):
    """A setting is wrong. Not a SyncError on purpose: nothing that skips a record may swallow it."""


class SyncError(Exception):
    """Anything that stops a part of a sync."""


class GraphError(SyncError):
    """Microsoft answered with an error, or did not answer.

    `status` is the HTTP status (None if there was no answer), `code` Microsoft's error code in the spelling of the
    answer, `request_id` what Microsoft's support asks for. None of them is secret.
    """

    def __init__(self, message: str = "", *, status: int | None = None, code: str = "", request_id: str = "") -> None:
        super().__init__(message or f"Microsoft answered {status} {code}".strip())
        self.status = status
        self.code = code
        self.request_id = request_id


class Throttled(GraphError):
    """Microsoft asks to slow down. `retry_after_s` is what it asked for in seconds, or our own back-off."""

    def __init__(self, message: str = "", *, retry_after_s: float = 10.0, **kwargs: Any) -> None:
        super().__init__(message or "Microsoft asked us to slow down", **kwargs)
        self.retry_after_s = retry_after_s


class Unavailable(GraphError):
    """No answer, or a server error, to a request that is safe to repeat."""


class OutcomeUnknown(GraphError):
    """A write was sent and its answer lost: it may have happened. Look before repeating it."""


class AlreadyCreated(OutcomeUnknown):
    """Microsoft has carried out a creation with this transaction id before (facts 6.4).

    `existing_id` is the event that it made, `""` if Microsoft does not say. Where nothing is found although time has
    passed, the event was deleted: a creation anew needs a new transaction id.
    """

    def __init__(self, message: str = "", *, existing_id: str = "", **kwargs: Any) -> None:
        super().__init__(message or "Microsoft has created this before", **kwargs)
        self.existing_id = existing_id


class Stale(GraphError):
    """The etag is no longer the newest (412, 409): read the item again and decide again."""


class DeltaExpired(GraphError):
    """The delta token cannot be used any more (410 and its kin): make an initial round and compare listings."""


class NotFound(GraphError):
    """The item, folder or user is not there (404)."""


class AccessLost(GraphError):
    """This account may not read the plan, or it is gone (403, 404). Never to be read as `its tasks were deleted`."""


class MailboxUnavailable(GraphError):
    """The account has no Exchange Online mailbox or licence. Never to be read as `the record was deleted`."""


class Rejected(GraphError):
    """Microsoft refuses this request for good (400, 403, 413, 422...): the record is held with a reason."""


class SignInRequired(GraphError):
    """The user's sign-in is no longer accepted. `claims` must be passed to the next sign-in when not empty."""

    def __init__(self, message: str = "", *, claims: str = "", **kwargs: Any) -> None:
        super().__init__(message or "Microsoft no longer accepts this sign-in", **kwargs)
        self.claims = claims


class ConsentRequired(GraphError):
    """The tenant's consent is missing or was withdrawn: the administrator must authorise again."""


class ClientRefused(GraphError):
    """The client id, secret or certificate is wrong or expired: every user is affected, an administrator must act."""


class ProtocolError(GraphError):
    """An answer that cannot be understood or must not be trusted, such as a link to another host."""


class RecordError(SyncError):
    """This record cannot be synced. `reason` is a full sentence for people; it names fields, not their contents."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PlanRefused(SyncError):
    """A guard stopped a part of the plan until a person confirms it."""


class LeaseLost(SyncError):
    """The lease on the link ran out or was taken over."""


class OutOfTime(SyncError):
    """The time slice is used up."""
