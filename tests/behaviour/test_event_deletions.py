"""Events that are deleted, on either side (DEL-01, DEL-02, ORG-12, ORG-13, ATT-13)."""

import contextlib

import pytest
from django.db import connection
from django.utils import timezone

from opencrm_ms365.errors import Unavailable
from opencrm_ms365.models import HeldDecision, RecordMapping
from tests.meetings import ago, attendees, change, invited, mails, names, only_event, reasons, times
from tests.rules import rule
from tests.world import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


def raw_sql(meeting):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM crm_activity_users WHERE activity_id = %s", [meeting.pk])
        cursor.execute("DELETE FROM crm_activity WHERE id = %s", [meeting.pk])


WAYS = {
    "form": lambda meeting: meeting.delete(),
    "queryset": lambda meeting: type(meeting).objects.filter(pk=meeting.pk).delete(),
    "soft": lambda meeting: change(meeting, deleted_at=timezone.now()),
    "bulk soft": lambda meeting: type(meeting).objects.filter(pk=meeting.pk).update(deleted_at=timezone.now()),
    "sql": raw_sql,
}


@rule("DEL-01", "DEL-02")
@pytest.mark.parametrize("way", WAYS)
def test_a_deleted_meeting_is_cancelled_by_its_organiser_however_it_was_deleted(world, way):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    WAYS[way](meeting)
    world.sync("ben")
    assert mails(world) == [] and len(world.mailbox("ben").events()) == 1     # a guest's cycle cancels nothing
    ran = world.sync("ada")
    assert any(write.endswith("/cancel") for write in ran.writes)
    world.settle()
    assert mails(world) == [("cancellation", "ada", "ben")]
    assert world.mailbox("ada").events() == []
    world.sync(full=True)
    assert world.crm.meetings().count() == 0 and mails(world) == []


@rule("DEL-02", "ATT-02")
def test_own_copies_are_deleted_quietly(world):
    world.connect("ada")
    world.connect("ben")
    meeting = world.crm.meeting(owner="cleo", users=["ada", "ben"])
    world.settle()
    meeting.delete()
    world.settle()
    assert world.mailbox("ada").events() == world.mailbox("ben").events() == []
    assert mails(world) == []


@rule("DEL-02")
def test_a_meeting_that_is_over_mails_nobody_and_its_event_stays(world):
    world.organisation(attendees_future=True, attendees_historic=True)
    world.connect("ada")
    meeting = world.crm.meeting(users=["ben"], start=ago(2))
    world.account("ben")
    world.settle()
    mails(world)
    meeting.delete()
    world.settle()
    world.sync(full=True)
    assert mails(world) == []
    assert attendees(only_event(world, "ada")) == ["ben"]
    assert world.crm.meetings().count() == 0
    assert "over" in reasons()


@rule("DEL-02", "SYNC-04")
def test_a_cancellation_whose_answer_is_lost_mails_once(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    meeting = world.crm.meeting(users=["ben"])
    world.account("ben")
    world.settle()
    mails(world)
    meeting.delete()
    world.sandbox.faults.add(method="POST", path="/cancel$", status=503, after_effect=True, times=1)
    for _ in range(3):
        with contextlib.suppress(Unavailable):
            world.sync()
    assert mails(world) == [("cancellation", "ada", "ben")]
    assert world.mailbox("ada").events() == []
    assert not RecordMapping.objects.exists()


@rule("ORG-12")
def test_an_event_without_attendees_is_restored_without_its_notes(world):
    world.connect("ada")
    meeting = world.crm.meeting(notes="Internal", location="Here")
    world.settle()
    world.mailbox("ada").delete_event(only_event(world, "ada")["id"])
    world.settle()
    event = only_event(world, "ada")
    assert (event["subject"], event["location"]["displayName"]) == ("Kick-off", "Here")
    assert "Internal" not in event["body"]["content"]
    meeting.refresh_from_db()
    assert meeting.notes == "Internal" and mails(world) == []
    world.sync(full=True)
    assert len(world.mailbox("ada").events()) == 1


@rule("ORG-12")
def test_a_restoration_invites_nobody(world):
    """The users of an event without attendees stay uninvited, whatever is ticked meanwhile."""
    world.connect("ada")
    world.connect("ben")
    world.crm.meeting(users=["ben"])
    world.settle()
    world.organisation(attendees_future=True)
    world.mailbox("ada").delete_event(only_event(world, "ada")["id"])
    world.settle()
    assert attendees(only_event(world, "ada")) == [] and mails(world) == []


@rule("ORG-12", "CAL-05")
@pytest.mark.parametrize("choice", ["restore", "unlink", "delete"])
def test_a_meeting_with_attendees_is_never_made_again(world, choice):
    world.organisation(attendees_future=True, microsoft_deletion=choice)
    world.connect("ada")
    world.account("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    world.mailbox("ada").delete_event(only_event(world, "ada")["id"])
    mails(world)
    world.settle()
    change(meeting, subject="Edited")
    world.settle()
    world.sync(full=True)
    assert world.mailbox("ada").events() == [] and mails(world) == []
    meeting.refresh_from_db()
    assert (meeting.deleted_at is not None) if choice == "delete" else (meeting.status == "cancelled")


@rule("ORG-12")
def test_unlink_keeps_the_activity_and_does_not_ask_again(world):
    world.organisation(microsoft_deletion="unlink")
    world.connect("ada")
    meeting = world.crm.meeting()
    world.settle()
    world.mailbox("ada").delete_event(only_event(world, "ada")["id"])
    world.settle()
    change(meeting, subject="Later")
    world.settle()
    assert world.mailbox("ada").events() == []
    meeting.refresh_from_db()
    assert meeting.deleted_at is None and meeting.status != "cancelled"


@rule("ORG-12")
def test_delete_deletes_the_activity_recoverably(world):
    world.organisation(microsoft_deletion="delete")
    world.connect("ada")
    meeting = world.crm.meeting()
    world.settle()
    world.mailbox("ada").delete_event(only_event(world, "ada")["id"])
    world.settle()
    meeting.refresh_from_db()
    assert meeting.deleted_at is not None
    assert world.mailbox("ada").events() == []


@rule("ORG-12", "ATT-02")
def test_an_own_copy_that_somebody_deletes_takes_nothing_from_the_others(world):
    world.organisation(microsoft_deletion="delete")
    world.connect("ada")
    world.connect("ben")
    world.crm.meeting(owner="cleo", users=["ada", "ben"])
    world.settle()
    world.mailbox("ben").delete_event(only_event(world, "ben")["id"])
    world.settle()
    assert world.crm.meetings().count() == 1 and len(world.mailbox("ada").events()) == 1
    assert world.mailbox("ben").events() == []


@rule("ORG-09", "ORG-12")
def test_an_edit_in_the_crm_beats_a_deletion_in_microsoft(world):
    world.organisation(microsoft_deletion="unlink")
    world.connect("ada")
    meeting = world.crm.meeting()
    world.settle()
    world.mailbox("ada").delete_event(only_event(world, "ada")["id"])
    change(meeting, subject="Still on")
    world.settle()
    assert only_event(world, "ada")["subject"] == "Still on"


@rule("ORG-13")
def test_the_deletion_guard_guards_calendars(world):
    world.connect("ada")
    for number in range(26):
        world.crm.meeting(subject=f"Number {number}")
    world.settle()
    world.crm.meetings().filter(pk__in=[row.pk for row in world.crm.meetings()[:11]]).delete()
    world.crm.meeting(subject="New one")
    world.sync()
    assert len(world.mailbox("ada").events()) == 27      # the rest of the cycle went on
    assert HeldDecision.objects.get().reason == "deletion_guard"
    assert "11 of 27 synced events" in reasons()
    HeldDecision.objects.update(state="confirmed")
    world.settle()
    assert len(world.mailbox("ada").events()) == 16


@rule("ATT-13")
def test_a_meeting_with_attendees_keeps_its_organiser_when_it_is_given_to_somebody_else(world):
    world.organisation(attendees_future=True)
    for person in ("ada", "ben", "cleo"):
        world.connect(person)
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    change(meeting, assigned_to=world.user("cleo"))
    world.settle()
    world.sync(full=True)
    event = only_event(world, "ada")
    assert event["isOrganizer"] and "ben" in attendees(event)
    assert not [event for event in world.mailbox("cleo").events() if event["isOrganizer"]]
    assert {kind for kind, _who, _whom in mails(world)} <= {"invitation"}       # Cleo may be invited, nobody else hears
    assert "organis" in reasons()
    change(meeting, subject="Given away")
    world.settle()
    assert only_event(world, "ada")["subject"] == "Given away"
    assert world.crm.meetings().get().assigned_to == world.user("cleo")
    assert names(world.crm.meetings().get().users) in (["ben"], ["ada", "ben"])


@rule("ATT-13")
def test_an_event_without_attendees_moves_to_the_new_users_calendar(world):
    world.connect("ada")
    world.connect("ben")
    meeting = world.crm.meeting(location="Here")
    world.settle()
    change(meeting, assigned_to=world.user("ben"))
    world.settle()
    assert world.mailbox("ada").events() == []
    assert only_event(world, "ben")["location"]["displayName"] == "Here"
    change(meeting, assigned_to=world.user("ada"))
    world.settle()
    assert world.mailbox("ben").events() == [] and len(world.mailbox("ada").events()) == 1
    assert mails(world) == [] and world.sync(full=True).writes == []


@rule("ATT-13")
def test_an_event_made_in_outlook_moves_too(world):
    world.connect("ada")
    world.connect("ben")
    world.mailbox("ada").add_event(subject="Lunch", **times())
    world.settle()
    change(world.crm.meetings().get(), assigned_to=world.user("ben"))
    world.settle()
    assert world.mailbox("ada").events() == [] and only_event(world, "ben")["subject"] == "Lunch"
    world.sync(full=True)
    assert world.crm.meetings().get().assigned_to == world.user("ben")


@rule("ATT-02", "ATT-03")
def test_who_is_taken_off_an_activity_loses_the_own_copy(world):
    world.connect("ada")
    world.connect("ben")
    meeting = world.crm.meeting(owner="cleo", users=["ada", "ben"])
    world.settle()
    meeting.users.remove(world.user("ben"))
    world.settle()
    assert world.mailbox("ben").events() == [] and len(world.mailbox("ada").events()) == 1
    assert mails(world) == []


@rule("DEL-01", "ATT-05")
def test_a_meeting_of_somebody_outside_that_is_deleted_in_the_crm_stays_in_outlook(world):
    world.connect("ada")
    world.mailbox("ada").receive_event("boss@customer.example", subject="Pitch", attendees=invited("ada"),
                                       **times(tomorrow(9)))
    world.settle()
    world.crm.meetings().get().delete()
    world.settle()
    world.sync(full=True)
    assert world.crm.meetings().count() == 0
    assert len(world.mailbox("ada").events()) == 1 and mails(world) == []
