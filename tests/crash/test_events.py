"""A cycle with meetings that is killed at any instant and run again ends as one that was not, and mails nobody twice
(SYNC-04, ATT-08, I-1)."""

import itertools
import os
from collections import Counter

import pytest

from opencrm_ms365.models import Conflict, Meeting, RecordMapping, UserLink
from tests.crash.killing import run_killed
from tests.meetings import change, invited, times
from tests.rules import rule
from tests.world import tomorrow

# Hundreds of cycles, one for each event: minutes on SQLite, more on PostgreSQL.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]

#: Every so many-th event; `CRASH_EVERY=1` is all of them. A prime, so that before and after take turns.
EVERY = int(os.environ.get("CRASH_EVERY", "11"))
GUEST = "guest"     # one who is linked, and the same for all
CUSTOMER = "customer@other.example"


def prepare(world, person):
    """A linked person with something of everything that a cycle can have to do about meetings."""
    world.connect(person)
    box = world.mailbox(person)

    def meeting(name, *users, **values):
        return world.crm.meeting(owner=person, users=users, subject=f"{name} {person}", **values)

    def event(name, **values):
        return box.add_event(**{"subject": f"{name} {person}", **times(), **values})

    mine = {name: meeting(name) for name in ("edited_here", "edited_there", "conflict", "deleted_here", "deleted_there",
                                             "moved_here", "quiet")}
    shared = {name: meeting(name, GUEST) for name in (
        "shared_edited", "shared_added", "shared_removed", "shared_deleted", "shared_cancelled", "shared_answered")}
    world.account("stranger")
    called_off = world.mailbox("stranger").add_event(
        **{"subject": f"called_off {person}", **times(), "attendees": invited(person)})
    world.sync(person)
    items = {item["subject"].split()[0]: item["id"] for item in box.events()}

    meeting("new_here")
    meeting("new_shared", GUEST, "nobody")
    meeting("new_day", all_day=True)
    event("new_there")
    event("new_there_shared", attendees=invited(GUEST, CUSTOMER))
    world.mailbox("stranger").add_event(
        **{"subject": f"as_guest {person}", **times(), "attendees": invited(person, CUSTOMER)})
    change(mine["edited_here"], location="Here")
    change(mine["conflict"], location="Crm")
    change(mine["moved_here"], start=tomorrow(14), end=tomorrow(16))
    change(shared["shared_edited"], subject=f"shared_edited {person} again")
    shared["shared_added"].users.add(world.user("colleague"))
    change(shared["shared_added"])
    shared["shared_removed"].users.clear()
    change(shared["shared_removed"])
    box.edit_event(items["edited_there"], location={"displayName": "There"}, **times(tomorrow(12)))
    box.edit_event(items["conflict"], location={"displayName": "Microsoft"})
    mine["deleted_here"].delete()
    shared["shared_deleted"].delete()
    box.delete_event(items["deleted_there"])
    box.cancel_event(items["shared_cancelled"])
    world.mailbox("stranger").cancel_event(called_off["id"])
    [copy] = world.mailbox(GUEST).find_events(subject=f"shared_answered {person}")
    world.mailbox(GUEST).answer(copy["id"], "accepted")
    world.sandbox.clear_mails()


def events_of(world, mailbox, person):
    return sorted((item["subject"], item["start"]["dateTime"][:16], item["end"]["dateTime"][:16], item["isAllDay"],
                   item["location"].get("displayName", ""), item["isCancelled"], item["isOrganizer"],
                   sorted((who["emailAddress"]["address"], who["status"]["response"]) for who in item["attendees"]))
                  for item in world.mailbox(mailbox).events() if person in item["subject"].split())


def outcome(world, person):
    """What both sides hold in the end and who was mailed, without names of persons and ids."""
    link = UserLink.objects.get(user=world.user(person))
    rows = [row for row in world.crm.meetings() if person in row.subject.split()]
    crm = sorted((row.subject, row.start.isoformat(), row.end.isoformat(), row.location, row.status, row.all_day,
                  row.assigned_to.username, sorted(user.username for user in row.users.all())) for row in rows)
    boxes = [events_of(world, mailbox, person) for mailbox in (person, GUEST, "colleague")]
    mappings = sorted(RecordMapping.objects.filter(link=link, kind="events").values_list(
        "state", "released_by", "marked", "role", "in_scope"))
    meetings = sorted((row.mode, row.organiser_id == link.pk, row.is_cancelled,
                       [(who, answer) for who, _name, _kind, answer in row.opened()["attendees"]])
                      for row in Meeting.objects.filter(object_id__in=[str(row.pk) for row in rows]))
    mails = sorted(Counter((mail.kind, mail.sender, mail.recipient, mail.subject)
                           for mail in world.sandbox.mails if person in mail.subject.split()).items())
    found = (*crm, *itertools.chain(*boxes), *mappings, *meetings, *mails, Conflict.objects.filter(link=link).count())
    return sorted(repr(entry).replace(person, "somebody") for entry in found)


@pytest.fixture
def organisation(world):
    world.sandbox.options.batch_order = "as_sent"
    world.organisation(attendees_future=True, mail_guard=1000)
    for name in ("stranger", "colleague"):
        world.account(name)
    world.user("colleague")
    world.connect(GUEST)
    return world


@rule("SYNC-04", "ATT-08")
def test_a_cycle_with_meetings_killed_at_any_event_mails_nobody_twice(organisation):
    world = organisation
    prepare(world, "ref")
    world.settle("ref")
    expected = outcome(world, "ref")
    assert [sum(kind in entry for entry in expected) for kind in ("('invitation'", "('cancellation'", "('update'")] == [
        2, 2, 1]

    for event in itertools.count(1, EVERY):
        person = f"p{event}"
        prepare(world, person)
        killed = run_killed(lambda person=person: world.sync(person, kinds=["events"]), event)
        ran = world.settle(person)
        assert outcome(world, person) == expected, f"killed at event {event}"
        assert ran.writes == []
        if not killed:
            break
    assert event > 20
