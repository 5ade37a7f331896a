"""Microsoft denies access to a mailbox: is that the whole organisation's matter, or this one account's?

Graph's answer does not say: a permission that was withdrawn and a rule of Exchange for one mailbox look the same. The
sign-in service knows about permissions, so it is asked for a fresh token; with that the mailbox is asked once more.
"""

from __future__ import annotations

from ..conf import settings
from ..errors import ConsentRequired, GraphError, MailboxUnavailable, Rejected, Unavailable
from ..graph.client import GraphClient
from ..models import UserLink
from .tokens import LinkTokens

DENIED = 403
PROBE = "/me/contactFolders"


def judge(link: UserLink, error: GraphError) -> GraphError:
    """What a refusal means. `ConsentRequired` and `ClientRefused` are the organisation's matter, `MailboxUnavailable`
    is this account's; anything else came up while asking, or has passed already."""
    if not isinstance(error, ConsentRequired) or error.status != DENIED:
        return error
    tokens = LinkTokens(link.pk)
    try:
        tokens.token(refused=tokens.token())
        GraphClient(settings.GRAPH_URL, tokens, timeout_s=float(settings.GRAPH_TIMEOUT_S)).get(
            PROBE, params={"$top": 1})
    except Rejected as again:
        if again.status != DENIED:
            return again
        return MailboxUnavailable(
            "Microsoft denies access to this mailbox, although the organisation has allowed this CRM: an administrator "
            "of Microsoft 365 can say why.", status=again.status, code=again.code, request_id=again.request_id)
    except GraphError as other:
        return other
    return Unavailable("Microsoft denied access for a moment.", status=error.status, code=error.code)
