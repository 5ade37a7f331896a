"""What stories about meetings share: Graph's way to write times and people, who was mailed, and a moved clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from tests.world import DOMAIN, tomorrow


def moment(instant: datetime, zone: str = "UTC") -> dict[str, str]:
    """A wall-clock time as Graph writes it."""
    return {"dateTime": instant.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": zone}


def times(start: datetime | None = None, hours: float = 1, zone: str = "UTC") -> dict[str, Any]:
    """Start and end of an event, tomorrow at ten unless told otherwise."""
    start = start or tomorrow()
    return {"start": moment(start, zone), "end": moment(start + timedelta(hours=hours), zone)}


def ago(days: float = 1, hour: int = 10) -> datetime:
    return tomorrow(hour, days=0) - timedelta(days=days)


def address(person: str) -> str:
    return person if "@" in person else f"{person}@{DOMAIN}"


def invited(*people: str) -> list[dict[str, Any]]:
    """Attendees of these short names or addresses."""
    return [{"emailAddress": {"address": address(person), "name": person.title()}, "type": "required"}
            for person in people]


def attendees(event: dict[str, Any]) -> list[str]:
    """The short names, or foreign addresses, of an event's attendees."""
    return sorted(short(entry["emailAddress"]["address"]) for entry in event["attendees"])


def short(mail_address: str) -> str:
    return mail_address.lower().removesuffix(f"@{DOMAIN}")


def mails(world: Any) -> list[tuple[str, str, str]]:
    """(kind, sender, recipient) of every mail since the last look; answers are people's own."""
    found = sorted((mail.kind, short(mail.sender), short(mail.recipient)) for mail in world.sandbox.mails
                   if mail.kind != "answer")
    world.sandbox.clear_mails()
    return found


def only_event(world: Any, person: str) -> dict[str, Any]:
    [event] = world.mailbox(person).events()
    return event


def names(users: Any) -> list[str]:
    return sorted(user.username for user in users.all())


def sent(ran: Any, method: str = "PATCH") -> list[dict[str, Any]]:
    """The bodies of the requests with that method which a sync made, our own mark left out."""
    bodies = [dict(entry.body or {}) for entry in ran.log if entry.method == method]
    for body in bodies:
        body.pop("singleValueExtendedProperties", None)
    return [body for body in bodies if body or method != "PATCH"]


def change(record: Any, **values: Any) -> Any:
    """Save a record of the CRM with other values."""
    record.refresh_from_db()
    for name, value in values.items():
        setattr(record, name, value)
    record.save()
    return record


def reasons() -> str:
    """All that is reported, in one text."""
    from opencrm_ms365.models import SyncProblem

    return "\n".join(SyncProblem.objects.filter(resolved_at=None).values_list("reason", flat=True))


def move_clocks(world: Any, monkeypatch: Any, **step: float) -> None:
    """Both sides' clocks jump ahead."""
    ahead = timedelta(**step)
    before = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: before() + ahead)
    world.sandbox.clock.advance(ahead.total_seconds())
