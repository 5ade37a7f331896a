"""Who is invited to a meeting in Microsoft, and what they answered (ATT-09, ATT-10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy

from ..models import DecryptionFailed, Meeting
from ..sync.meetings import users_by_address
from .seen import directory

ANSWERS = {
    "accepted": gettext_lazy("accepted"), "tentative": gettext_lazy("accepted tentatively"),
    "declined": gettext_lazy("declined"), "none": gettext_lazy("has not answered"),
    "organizer": gettext_lazy("organises it"),
}


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody on the event in Microsoft. `user` is the CRM's user behind the address, None for outsiders; `kind` is
    `required`, `optional` or `resource`."""

    name: str
    address: str
    kind: str
    answer: str
    user: Any

    @property
    def in_words(self) -> str:
        return str(ANSWERS.get(self.answer, self.answer))


@dataclass(frozen=True, slots=True)
class Participants:
    """`organiser` is a name or an address, empty where Microsoft named none."""

    organiser: str
    attendees: tuple[Participant, ...]
    is_cancelled: bool


def participants_of(adapter: str, object_id: str, tenant: str) -> Participants | None:
    """The people of an activity's meeting; None where it is not one in Microsoft. Whether the viewer may see the
    activity is for the caller to ask."""
    row = Meeting.objects.filter(tenant=tenant, adapter=adapter, object_id=object_id).first()
    if row is None:
        return None
    try:
        people = row.opened()
    except DecryptionFailed:
        return None
    users = users_by_address(tenant, [entry[0] for entry in people["attendees"]])
    address, name = people["organiser"]
    attendees = tuple(
        _participant(mail, shown, kind, answer, users.get(mail)) for mail, shown, kind, answer in people["attendees"])
    return Participants(name or address, attendees, row.is_cancelled)


def _participant(address: str, name: str, kind: str, answer: str, user: Any) -> Participant:
    return Participant(name or _name(user) or address, address, kind, answer, user)


def _name(user: Any) -> str:
    return directory().display_name(user) if user is not None else ""


