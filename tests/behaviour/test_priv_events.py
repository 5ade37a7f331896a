"""Private events, one-way directions, and what the organisation leaves out (PRIV-01, ORG-06, ORG-17)."""

import pytest
from django.utils import timezone

from opencrm_ms365.models import RecordMapping
from tests.meetings import attendees, change, invited, mails, only_event, times
from tests.rules import rule
from tests.world import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


def the(world):
    return world.crm.meetings().get()


@rule("PRIV-01")
@pytest.mark.parametrize("first", ["crm", "microsoft"])
def test_private_goes_both_ways_and_never_back(world, first):
    world.connect("ada")
    meeting = world.crm.meeting()
    world.settle()
    event = only_event(world, "ada")
    if first == "crm":
        change(meeting, private=True)
    else:
        world.mailbox("ada").edit_event(event["id"], sensitivity="private")
    world.settle()
    meeting.refresh_from_db()
    assert meeting.private and only_event(world, "ada")["sensitivity"] == "private"

    if first == "crm":
        change(meeting, private=False)
    else:
        world.mailbox("ada").edit_event(event["id"], sensitivity="normal")
    assert world.settle().writes == []
    meeting.refresh_from_db()
    assert (meeting.private, only_event(world, "ada")["sensitivity"]) == (
        (False, "private") if first == "crm" else (True, "normal"))
    change(meeting, subject="Other")
    world.settle()
    world.sync(full=True)
    meeting.refresh_from_db()
    assert (meeting.private, only_event(world, "ada")["sensitivity"]) == (
        (False, "private") if first == "crm" else (True, "normal"))


@rule("PRIV-01")
@pytest.mark.parametrize(("sensitivity", "private"), [
    ("normal", False), ("personal", True), ("private", True), ("confidential", True)])
def test_new_ones_arrive_as_private_as_they_are(world, sensitivity, private):
    world.connect("ada")
    world.mailbox("ada").add_event(subject="Theirs", sensitivity=sensitivity, **times())
    world.crm.meeting(subject="Ours", private=private)
    world.settle()
    assert world.crm.meetings().get(subject="Theirs").private is private
    [ours] = world.mailbox("ada").find_events(subject="Ours")
    assert ours["sensitivity"] == ("private" if private else "normal")
    [theirs] = world.mailbox("ada").find_events(subject="Theirs")
    assert theirs["sensitivity"] == sensitivity and world.sync(full=True).writes == []


@rule("ORG-06")
def test_to_the_crm_only_nothing_is_ever_written_to_the_calendar(world):
    world.organisation(activity_direction="to_crm", attendees_future=True, microsoft_deletion="restore")
    world.connect("ada")
    box = world.mailbox("ada")
    event = box.add_event(subject="Theirs", **times())
    second = box.add_event(subject="Second", **times())
    third = box.add_event(subject="Third", attendees=invited("ben"), **times())
    mails(world)
    ours = world.crm.meeting(subject="Ours", users=["ben"])
    writes = list(world.sync().writes)
    theirs = world.crm.meetings().get(subject="Theirs")
    change(theirs, subject="Changed in the CRM", private=True)
    writes += world.sync().writes
    world.crm.meetings().get(subject="Third").delete()
    writes += world.sync().writes
    box.edit_event(event["id"], location={"displayName": "Roof"})
    box.delete_event(second["id"])
    writes += world.sync().writes + world.sync(full=True).writes
    assert writes == [] and mails(world) == []
    theirs.refresh_from_db()
    assert theirs.location == "Roof"
    assert {row.subject for row in world.crm.meetings()} == {"Changed in the CRM", "Second", "Ours"} and ours.pk
    box.edit_event(third["id"], subject="Third again")
    mails(world)
    world.sync()
    assert world.crm.meetings().count() == 3        # what is deleted in the CRM is not brought in again


@rule("ORG-06")
def test_to_microsoft_only_nothing_is_ever_written_to_the_crm(world):
    world.organisation(activity_direction="to_microsoft", microsoft_deletion="delete", attendees_future=True)
    world.connect("ada")
    world.account("ben")
    box = world.mailbox("ada")
    box.add_event(subject="Theirs", **times())
    kept = world.crm.meeting(subject="Kept", users=["ben"])
    gone = world.crm.meeting(subject="Gone")
    moment = timezone.now()
    world.settle()
    world.user("cleo")
    [event] = box.find_events(subject="Kept")
    box.edit_event(event["id"], subject="Renamed", attendees=invited("ben", "cleo"), sensitivity="private")
    [second] = box.find_events(subject="Gone")
    box.delete_event(second["id"])
    world.settle()
    world.sync(full=True)
    assert {row.subject for row in world.crm.meetings()} == {"Kept", "Gone"}
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert [user.username for user in kept.users.all()] == ["ben"] and not kept.private
    assert max(kept.updated_at, gone.updated_at) < moment
    assert "cleo" in attendees(box.event(event["id"]))


@rule("ORG-06", "CAL-05")
def test_to_microsoft_only_a_cancellation_changes_nothing_in_the_crm(world):
    world.organisation(activity_direction="to_microsoft", attendees_future=True)
    world.connect("ada")
    world.account("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    world.mailbox("ada").cancel_event(only_event(world, "ada")["id"])
    mails(world)
    world.settle()
    world.sync(full=True)
    meeting.refresh_from_db()
    assert meeting.status != "cancelled" and mails(world) == []
    assert world.mailbox("ada").events() == []


@rule("ORG-17")
def test_private_events_are_left_out_by_choice_on_both_sides(world):
    world.organisation(left_out_private=True)
    world.connect("ada")
    world.crm.meeting(subject="Our secret", private=True)
    theirs = world.mailbox("ada").add_event(subject="Their secret", sensitivity="private", **times())
    linked = world.crm.meeting(subject="Open")
    world.settle()
    assert {event["subject"] for event in world.mailbox("ada").events()} == {"Open", "Their secret"}
    assert {row.subject for row in world.crm.meetings()} == {"Open", "Our secret"}
    world.mailbox("ada").edit_event(theirs["id"], sensitivity="normal", subject="Told")
    change(linked, private=True, subject="Closed")
    world.settle()
    world.sync(full=True)
    assert {row.subject for row in world.crm.meetings()} == {"Closed", "Our secret", "Told"}
    assert {event["subject"] for event in world.mailbox("ada").events()} == {"Open", "Told"}   # stays as it is
    world.organisation(left_out_private=False)
    world.settle()
    assert {event["subject"] for event in world.mailbox("ada").events()} == {"Closed", "Told", "Our secret"}
    assert RecordMapping.objects.filter(state="linked").count() == 3


@rule("ORG-17")
def test_categories_and_domains_are_left_out_by_choice(world):
    world.organisation(left_out_categories=["Personal"], left_out_domains=["rival.example", "@Family.example"])
    world.connect("ada")
    box = world.mailbox("ada")
    box.add_event(subject="Dentist", categories=["personal"], **times())
    rival = box.add_event(subject="Interview", attendees=invited("boss@rival.example"), **times())
    box.add_event(subject="Birthday", attendees=invited("mum@family.example", "ben"), **times())
    open_one = box.add_event(subject="Open", categories=["Work"], attendees=invited("a@notrival.example"), **times())
    mails(world)
    world.settle()
    assert [row.subject for row in world.crm.meetings()] == ["Open"]
    box.edit_event(open_one["id"], categories=["Personal"], location={"displayName": "Gone dark"})
    world.settle()
    change(the(world), subject="Edited")
    world.settle()
    world.sync(full=True)
    assert the(world).location == "" and box.event(open_one["id"])["subject"] == "Open"
    box.edit_event(rival["id"], attendees=[])
    mails(world)
    world.settle()
    assert {row.subject for row in world.crm.meetings()} == {"Edited", "Interview"}
    assert mails(world) == []


@rule("ORG-17")
def test_an_outside_organiser_of_such_a_domain_is_left_out_too(world):
    world.organisation(left_out_domains=["rival.example"])
    world.connect("ada")
    world.mailbox("ada").receive_event("boss@rival.example", subject="Come over", attendees=invited("ada"),
                                       **times(tomorrow(9)))
    world.settle()
    assert world.crm.meetings().count() == 0


@rule("ORG-06", "ATT-03")
def test_users_taken_off_on_the_side_that_is_not_followed_come_to_no_harm(world):
    world.organisation(activity_direction="to_crm")
    world.connect("ada")
    world.user("ben")
    event = world.mailbox("ada").add_event(subject="Theirs", attendees=invited("ben", "cleo"), **times())
    mails(world)
    world.settle()
    the(world).users.clear()
    change(the(world), location="x")
    assert world.sync().writes == [] and world.sync(full=True).writes == []
    assert the(world).users.count() == 0
    world.user("cleo")
    world.mailbox("ada").edit_event(event["id"], attendees=invited("ben", "cleo", "admin"))
    mails(world)
    world.user("admin")
    world.settle()
    assert "admin" in [user.username for user in the(world).users.all()]
    assert mails(world) == []


@rule("ATT-04", "SYNC-06")
def test_an_attendee_whom_the_crm_does_not_take_stays_invited(world, monkeypatch):
    from opencrm_ms365 import adapters

    spec = adapters.site.get("meetings").role_specs["users"]
    own = spec._as_person
    monkeypatch.setattr(spec, "_as_person", lambda user, ctx: None if user.username == "cleo" else own(user, ctx))
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.user("ben")
    world.user("cleo")
    world.mailbox("ada").add_event(subject="Theirs", attendees=invited("ben", "cleo"), **times())
    mails(world)
    world.settle()
    world.sync(full=True)
    world.settle()
    assert attendees(only_event(world, "ada")) == ["ben", "cleo"]
    assert [user.username for user in the(world).users.all()] == ["ben"]
    assert mails(world) == []
