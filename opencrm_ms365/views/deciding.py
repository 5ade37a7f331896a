"""Decisions that wait for a person, in words: what was stopped, why, and what each answer does (ORG-08, 13, 15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..access import rights
from ..access.refused import Refused
from ..models import DecryptionFailed, HeldDecision, decrypt
from .seen import shown_records

Reason = HeldDecision.Reason
Reference = tuple[str, str]


def described_decisions(viewer: Any, tenant: str, rows: Sequence[HeldDecision]) -> list[dict[str, Any]]:
    """What may be shown of each. Names of records only to those who may see them; of Microsoft's only to the user."""
    details = {row.pk: _details(row) for row in rows}
    wanted = [reference for row in rows for reference in _records(details[row.pk])]
    shown = shown_records(viewer, tenant, wanted)
    return [_described(viewer, tenant, row, details[row.pk], shown) for row in rows]


NEW = "new"


def checked_choice(viewer: Any, tenant: str, row: HeldDecision, choice: str) -> str:
    """The choice, if it is one that this person was offered; other decisions have none. Raises `Refused`.

    Without this anybody could link their Outlook contact with a record that they may not see.
    """
    if row.reason != Reason.AMBIGUOUS:
        return ""
    if choice == NEW:
        return NEW
    offered = {":".join(item): item for item in _records(_details(row))}
    if choice in offered and offered[choice] in shown_records(viewer, tenant, [offered[choice]]):
        return choice
    raise Refused(_("Choose one of the records that are offered, or a new one."))


def _described(viewer: Any, tenant: str, row: HeldDecision, details: dict[str, Any], shown: dict[Any, Any],
               ) -> dict[str, Any]:
    references = _records(details)
    visible = [(":".join(reference), shown[reference]) for reference in references if reference in shown]
    is_own = rights.may_connect(viewer, row.link)
    may_decide = rights.may_confirm(viewer, tenant, row.reason)
    return {
        "row": row, "title": row.get_reason_display(), "sentence": _sentence(row),
        "label": str(details.get("label") or "") if is_own else "",
        "records": visible, "hidden_count": len(references) - len(visible),
        "people": [str(person) for person in details.get("people") or ()] if is_own or may_decide else [],
        "is_open": row.state == HeldDecision.State.OPEN,
        "may_decide": may_decide,
        "is_choice": row.reason == Reason.AMBIGUOUS,
        "confirm": _confirm_label(row), "dismiss": _dismiss_label(row),
    }


def _sentence(row: HeldDecision) -> str:
    summary = row.summary or {}
    number = {name: value for name, value in summary.items() if isinstance(value, int)}
    where = _("the CRM") if summary.get("side") == "crm" else _("Outlook")
    match row.reason:
        case Reason.DELETION_GUARD:
            return _("This sync would delete %(count)s of %(total)s records in %(where)s. It has stopped before "
                     "deleting anything; everything else goes on.") % {
                "count": number.get("deletions", "?"), "total": number.get("records", "?"), "where": where}
        case Reason.VANISHED:
            return _("The CRM no longer shows %(count)s of %(total)s synced records, as if most had been deleted. "
                     "Nothing is deleted in Outlook before somebody has looked at it.") % {
                "count": number.get("missing", "?"), "total": number.get("records", "?")}
        case Reason.MAIL_GUARD:
            count = number.get("people", 0)
            return ngettext(
                "This sync would make Microsoft write to %(count)s person. The writes in question wait; everything "
                "else goes on.", "This sync would make Microsoft write to %(count)s people. The writes in question "
                "wait; everything else goes on.", count) % {"count": count}
        case _ if number.get("candidates", 2) > 1:
            return _("A contact in Outlook matches several records of the CRM. Choose the one it belongs to; until "
                     "then nothing is linked and nothing is created.")
        case _:
            return _("Several contacts in Outlook match one record of the CRM. Say whether this is the one; until then "
                     "nothing is linked and nothing is created.")


def _confirm_label(row: HeldDecision) -> str:
    match row.reason:
        case Reason.DELETION_GUARD:
            return _("Delete them")
        case Reason.VANISHED:
            return _("They are really deleted: go on")
        case Reason.MAIL_GUARD:
            return _("Send these mails")
        case _:
            return _("Do this")


def _dismiss_label(row: HeldDecision) -> str:
    return _("Leave it as it is") if row.reason == Reason.AMBIGUOUS else _("Do not do this")


def _details(row: HeldDecision) -> dict[str, Any]:
    if not row.details:
        return {}
    try:
        found = decrypt(row.details)
    except DecryptionFailed:
        return {}
    return found if isinstance(found, dict) else {}


def _records(details: dict[str, Any]) -> list[Reference]:
    """(adapter, primary key) of the records that can be chosen."""
    found = (details.get("candidates") or ()) if isinstance(details, dict) else ()
    return [(str(item[0]), str(item[1])) for item in found if len(item) == 2]
