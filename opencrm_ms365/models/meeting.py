"""What is known of an activity whose event several mailboxes can hold copies of (design, section 8)."""

from __future__ import annotations

from typing import Any

from django.db import models

from .encryption import decrypt, encrypt
from .link import UserLink


class Meeting(models.Model):
    """One activity with an event in Microsoft.

    `mode` says how its users come by it: `meeting` (by invitation), `own` (each by an event of their own), empty while
    nobody but one user has it; once decided it stays. `organiser` is the link whose mailbox holds the organiser's
    event, None while the organiser is not linked; until then `source` is the link whose copy is read. `people` holds,
    encrypted, the organiser and the attendees with their answers, and the CRM users that both sides agreed on.
    """

    tenant = models.CharField(max_length=200, default="", blank=True)
    adapter = models.CharField(max_length=100)
    object_id = models.CharField(max_length=255)
    mode = models.CharField(max_length=10, blank=True, default="")
    organiser = models.ForeignKey(UserLink, models.SET_NULL, null=True, blank=True, related_name="+")
    source = models.ForeignKey(UserLink, models.SET_NULL, null=True, blank=True, related_name="+")
    is_cancelled = models.BooleanField(default=False)
    people = models.BinaryField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "adapter", "object_id"], name="ms365_meeting_one_for_record"),
        ]

    def __str__(self) -> str:
        return f"meeting {self.adapter}:{self.object_id}"

    def opened(self) -> dict[str, Any]:
        """The people: `organiser` [address, name], `attendees` [[address, name, kind, answer]...], `users` [key...] or
        None while both sides never agreed."""
        return decrypt(self.people) if self.people else {"organiser": ["", ""], "attendees": [], "users": None}

    def close(self, people: dict[str, Any]) -> None:
        self.people = encrypt(people)
