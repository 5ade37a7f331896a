"""The mail that meetings cause: counted and shown, never sent (facts 15.19)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .world import World

MailKind = Literal["invitation", "update", "cancellation", "answer"]


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one recipient. `at`: when it was sent (UTC); `event_uid`: the meeting's iCalUId."""

    kind: MailKind
    sender: str
    recipient: str
    subject: str
    at: datetime
    event_uid: str
    comment: str = ""


class MailLog:
    """All mail of the simulated Microsoft 365, oldest first (a part of the world)."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mails: list[Mail] = []

    def send(self, kind: MailKind, sender: str, recipient: str, subject: str, event_uid: str,
             comment: str = "") -> None:
        """Note that a mail went out; addresses in lower case."""
        self.mails.append(Mail(kind, sender.lower(), recipient.lower(), subject, self.world.clock.now(), event_uid,
                               comment))
