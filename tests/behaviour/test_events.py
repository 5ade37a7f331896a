"""Meetings and calls between the CRM and Outlook's calendar (CAL)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opencrm_ms365.models import SyncRun, decrypt
from opencrm_ms365.sync.preview import run_preview
from tests.rules import rule
from tests.world import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


def times(day, hours=1):
    end = day + timedelta(hours=hours)
    return {"start": {"dateTime": day.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"},
            "end": {"dateTime": end.strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"}}


@rule("CAL-01", "SYNC-05")
def test_a_meeting_goes_out_and_comes_back_quietly(world):
    world.connect("ada")
    world.crm.meeting(subject="Kick-off", location="Room 1", notes="Bring the plan", time_zone="Europe/Berlin")
    ran = world.sync()
    [event] = world.mailbox("ada").events()
    assert event["subject"] == "Kick-off"
    assert event["location"]["displayName"] == "Room 1"
    assert "Bring the plan" in event["body"]["content"]
    assert ran.counts(kind="events")["microsoft"] == {"created": 1, "updated": 0, "deleted": 0}
    assert world.sync().writes == []
    assert world.crm.meetings().count() == 1
    assert world.sandbox.mails == []


@rule("CAL-01", "ATT-04", "SYNC-05")
def test_an_event_comes_in_and_belongs_to_its_organiser(world):
    world.connect("ada")
    world.mailbox("ada").add_event(subject="Lunch", **times(tomorrow(12)))
    world.sync()
    [meeting] = world.crm.meetings()
    assert (meeting.subject, meeting.start, meeting.assigned_to) == ("Lunch", tomorrow(12), world.user("ada"))
    assert world.settle().writes == []
    assert world.crm.meetings().count() == 1
    assert len(world.mailbox("ada").events()) == 1


@rule("CAL-01", "CAL-04")
def test_changes_go_both_ways(world):
    world.connect("ada")
    meeting = world.crm.meeting(subject="Kick-off")
    world.sync()
    [event] = world.mailbox("ada").events()
    world.mailbox("ada").edit_event(event["id"], location={"displayName": "Room 2"})
    meeting.subject = "Kick-off, new"
    meeting.save()
    world.sync()
    meeting.refresh_from_db()
    [event] = world.mailbox("ada").events()
    assert (meeting.location, event["subject"]) == ("Room 2", "Kick-off, new")
    assert world.settle().writes == []


@rule("DEL-01")
def test_a_deleted_meeting_goes(world):
    world.connect("ada")
    meeting = world.crm.meeting()
    world.sync()
    meeting.delete()
    world.sync()
    assert world.mailbox("ada").events() == []


@rule("ATT-01", "ATT-11", "ATT-08")
def test_users_are_invited_once(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    world.crm.meeting(users=["ben", "cleo"])
    world.account("cleo")
    world.sync()
    assert sorted(mail.recipient for mail in world.sandbox.mails) == [
        "ben@brightwell.example", "cleo@brightwell.example"]
    assert world.settle().writes == []
    assert len(world.sandbox.mails) == 2
    assert world.crm.meetings().count() == 1
    assert len(world.mailbox("ben").events()) == 1


@rule("USER-07")
def test_a_preview_names_new_events_of_outlook(world):
    link = world.connect("ada")
    world.mailbox("ada").add_event(subject="Review", **times(tomorrow()))
    run = SyncRun.objects.create(link=link, trigger="preview", queued_at=timezone.now())
    run = run_preview(run.pk)
    assert [(entry["action"], entry["side"], entry["label"]) for entry in decrypt(run.operations)] == [
        ("create", "crm", "Review")]


@rule("USER-07")
def test_a_preview_names_an_event_that_would_come_in(world):
    from django.utils import timezone

    from opencrm_ms365.models import SyncRun, decrypt
    from opencrm_ms365.sync.preview import run_preview

    link = world.connect("ada")
    world.mailbox("ada").add_event(subject="Kick-off", **times(tomorrow()))
    run = run_preview(SyncRun.objects.create(link=link, trigger="preview", queued_at=timezone.now()).pk)
    assert [entry["label"] for entry in decrypt(run.operations)] == ["Kick-off"]
