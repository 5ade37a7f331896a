"""Two cycles at the same moment, and stories of several steps about one meeting (ATT-11, ATT-13, SYNC-06)."""

import pytest
from django.db import connection

from opencrm_ms365.access import links
from opencrm_ms365.models import Meeting, RecordMapping, SharedRecord
from opencrm_ms365.sync import apply_crm
from tests.meetings import attendees, change, invited, mails, names, only_event, reasons, times
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


def the(world):
    return world.crm.meetings().get()


def interleaved(world, monkeypatch, first, second):
    """The second user's whole cycle runs when the first one's has planned and is about to write."""
    own, done = apply_crm.write, []

    def write(work, *rest):
        if work.kind == "events" and work.link.user.username == first and not done and any(rest[-1]):
            done.append(1)
            world.sync(second)
        return own(work, *rest)

    monkeypatch.setattr(apply_crm, "write", write)
    world.sync(first)
    monkeypatch.undo()
    assert done and not connection.in_atomic_block


@rule("ATT-11", "SYNC-06")
@pytest.mark.parametrize(("first", "second"), [("ada", "ben"), ("ben", "ada"), ("ben", "cleo")])
def test_two_links_that_meet_the_same_new_meeting_make_one_activity(world, monkeypatch, first, second):
    for person in (first, second):
        world.connect(person)
    world.mailbox("ada").add_event(subject="Review", attendees=invited("ben", "cleo"), **times())
    mails(world)
    interleaved(world, monkeypatch, first, second)
    world.settle()
    world.sync(full=True)
    assert world.crm.meetings().count() == 1
    assert RecordMapping.objects.filter(kind="events", state="linked").count() == 2
    assert SharedRecord.objects.count() == Meeting.objects.count() == 1
    owner = "ada" if "ada" in (first, second) else second
    assert the(world).assigned_to == world.user(owner)
    assert mails(world) == []
    if owner == "ada":
        change(the(world), subject="One")
        world.settle()
        assert {only_event(world, person)["subject"] for person in ("ada", "ben")} == {"One"}


@rule("ATT-11", "ATT-08")
@pytest.mark.parametrize(("first", "second"), [("ada", "ben"), ("ben", "ada")])
def test_two_links_that_meet_the_same_new_activity_invite_once(world, monkeypatch, first, second):
    world.organisation(attendees_future=True)
    for person in ("ada", "ben"):
        world.connect(person)
    world.crm.meeting(users=["ben"])
    world.mailbox("ben").add_event(subject="So that Ben has work", **times())
    world.mailbox("ada").add_event(subject="So that Ada has work", **times())
    interleaved(world, monkeypatch, first, second)
    world.settle()
    assert mails(world) == [("invitation", "ada", "ben")]
    assert world.crm.meetings().count() == 3
    assert len(world.mailbox("ben").events()) == len(world.mailbox("ada").events()) == 2


@rule("ATT-05", "ATT-11", "USER-04")
def test_when_the_first_user_unlinks_another_guests_copy_is_read(world):
    world.connect("ben")
    world.connect("cleo")
    event = world.mailbox("ada").add_event(subject="Review", attendees=invited("ben", "cleo"), **times())
    world.settle()
    links.disconnect(world.link("ben"))
    world.mailbox("ada").edit_event(event["id"], subject="Moved on")
    world.settle()
    assert the(world).subject == "Moved on" and the(world).assigned_to == world.user("ben")
    assert world.crm.meetings().count() == 1


@rule("ATT-06", "ATT-11", "USER-04")
def test_while_the_organiser_is_away_the_guests_copy_brings_the_news(world):
    world.connect("ada")
    world.connect("ben")
    event = world.mailbox("ada").add_event(subject="Review", attendees=invited("ben"), **times())
    world.settle()
    links.disconnect(world.link("ada"))
    world.settle()
    world.mailbox("ada").edit_event(event["id"], subject="Moved on")
    mails(world)
    world.settle()
    assert the(world).subject == "Moved on" and the(world).assigned_to == world.user("ada")
    world.connect("ada")
    assert world.settle().writes == []
    world.sync(full=True)
    assert world.crm.meetings().count() == 1 and mails(world) == []


@rule("ATT-10", "ATT-06")
def test_who_accepts_after_all_comes_back(world):
    world.connect("ada")
    world.connect("ben")
    world.mailbox("ada").add_event(subject="Review", attendees=invited("ben"), **times())
    world.settle()
    copy = only_event(world, "ben")
    world.mailbox("ben").answer(copy["id"], "declined", drop_declined=False)
    world.settle()
    world.mailbox("ben").answer(copy["id"], "accepted")
    world.settle()
    world.sync(full=True)
    assert [entry[3] for entry in Meeting.objects.get().opened()["attendees"]] == ["accepted"]
    assert RecordMapping.objects.get(link=world.link("ben")).state == "linked"
    assert names(the(world).users) == ["ben"] and world.crm.meetings().count() == 1


@rule("ATT-04", "ATT-09")
def test_a_group_or_room_among_the_attendees_is_no_user_and_stays(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    people = [*invited("team@brightwell.example", "ben"),
              {"emailAddress": {"address": "room1@brightwell.example", "name": "Room 1"}, "type": "resource"}]
    world.mailbox("ada").add_event(subject="All hands", attendees=people, **times())
    mails(world)
    world.settle()
    assert names(the(world).users) == ["ben"]
    the(world).users.clear()
    change(the(world))
    world.settle()
    assert attendees(only_event(world, "ada")) == ["room1", "team"]
    assert mails(world) == [("cancellation", "ada", "ben")]
    assert "resource" in [entry["type"] for entry in only_event(world, "ada")["attendees"]]


@rule("ATT-04")
def test_an_address_in_another_case_or_of_the_linked_account_finds_its_user(world):
    world.connect("ada")
    world.connect("ben")
    ben = world.user("ben")
    ben.email = "benjamin@elsewhere.example"
    ben.save()
    cleo = world.user("cleo")
    cleo.email = "Cleo@Brightwell.example"
    cleo.save()
    world.mailbox("ada").add_event(subject="Review", attendees=invited("BEN@brightwell.example", "cleo"), **times())
    mails(world)
    world.settle()
    assert names(the(world).users) == ["ben", "cleo"]
    change(the(world), location="Room 1")
    world.settle()
    world.sync(full=True)
    assert attendees(only_event(world, "ada")) == ["ben", "cleo"]
    assert {kind for kind, _who, _whom in mails(world)} == {"update"}


@rule("ATT-04", "ATT-03")
def test_an_owner_who_stands_among_the_users_too_stays_there_and_is_not_invited(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.account("ben")
    world.user("cleo")
    meeting = world.crm.meeting(users=["ada", "ben"])
    world.settle()
    assert mails(world) == [("invitation", "ada", "ben")]
    event = only_event(world, "ada")
    world.mailbox("ada").edit_event(event["id"], attendees=invited("ben", "cleo"))
    mails(world)
    world.settle()
    assert names(meeting.users) == ["ada", "ben", "cleo"] and mails(world) == []


@rule("USER-04", "ATT-11")
def test_another_account_starts_anew_and_invites_nobody_again(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    links.disconnect(world.link("ada"))
    link = world.link("ada")
    links.forget_account(link)
    link.save()
    world.connect("ada")
    world.settle()
    assert mails(world) == [] and world.crm.meetings().count() == 1
    assert len(world.mailbox("ada").events()) == 1
    assert "invited" not in reasons()


@rule("ATT-01", "ATT-13")
def test_a_deactivated_or_switched_off_owner_organises_nothing(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben", sync_calendar=True)
    links.switch(world.link("ada"), on=False)
    world.crm.meeting(users=["ben"])
    world.settle("ben")
    assert mails(world) == [] and attendees(only_event(world, "ben")) == []


@rule("ATT-13")
def test_organiser_and_guest_change_places_in_the_crm(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    meeting.users.set([world.user("ada")])
    change(meeting, assigned_to=world.user("ben"))
    world.settle()
    world.sync(full=True)
    assert mails(world) == [] and attendees(only_event(world, "ada")) == ["ben"]
    assert not only_event(world, "ben")["isOrganizer"]
    assert names(meeting.users) == ["ada"] and "Microsoft cannot change who organises" in reasons()
    assert world.sync(full=True).writes == []


@rule("ATT-10", "ATT-09", "CAL-04")
def test_answers_survive_changes_in_the_crm(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    world.mailbox("ada").add_event(subject="Review", attendees=invited("ben"), **times())
    world.settle()
    world.mailbox("ben").answer(only_event(world, "ben")["id"], "accepted")
    world.settle()
    the(world).users.add(world.user("cleo"))
    world.account("cleo")
    change(the(world), location="Room 1")
    world.settle()
    assert attendees(only_event(world, "ada")) == ["ben", "cleo"]
    assert {entry["emailAddress"]["name"]: entry["status"]["response"]
            for entry in only_event(world, "ada")["attendees"]}["Ben"] == "accepted"
