"""Meetings of the CRM and the people they invite (ATT-01, ATT-02, ATT-03, ATT-12)."""

import pytest

from tests.meetings import ago, attendees, change, mails, names, only_event, reasons
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def inviting(world):
    """An organisation that invites to future meetings; Ada is linked."""
    world.organisation(attendees_future=True)
    world.connect("ada")
    return world


@rule("ATT-01", "ORG-10")
@pytest.mark.parametrize("first", ["ada", "ben"])
def test_the_assigned_to_user_organises_and_linked_users_are_invited_whoever_syncs_first(world, first):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    world.crm.meeting(users=["ben"])
    world.sync(first)
    world.settle()
    assert mails(world) == [("invitation", "ada", "ben")]
    event, copy = only_event(world, "ada"), only_event(world, "ben")
    assert event["isOrganizer"] and not copy["isOrganizer"]
    assert attendees(event) == ["ben"]
    assert world.crm.meetings().count() == 1
    assert names(world.crm.meetings().get().users) == ["ben"]


@rule("ATT-01", "ORG-10")
@pytest.mark.parametrize(("setting", "start"), [("attendees_future", ago(3)), ("attendees_historic", None)])
def test_the_setting_for_the_other_time_invites_nobody(world, setting, start):
    world.organisation(**{setting: True})
    world.connect("ada")
    world.connect("ben")
    world.crm.meeting(users=["ben"], **({"start": start} if start else {}))
    world.settle()
    assert mails(world) == []
    assert attendees(only_event(world, "ada")) == attendees(only_event(world, "ben")) == []
    assert only_event(world, "ben")["isOrganizer"]


@rule("ATT-01", "ORG-10", "ATT-08")
def test_historic_meetings_invite_where_that_is_ticked(world):
    world.organisation(attendees_historic=True)
    world.connect("ada")
    world.connect("ben")
    world.crm.meeting(users=["ben"], start=ago(3))
    world.settle()
    assert mails(world) == [("invitation", "ada", "ben")]


@rule("ATT-01")
@pytest.mark.parametrize("later", [{"attendees_future": True}, {"attendees_future": True, "attendees_historic": True}])
def test_what_was_made_as_own_events_is_not_turned_into_a_meeting(world, later):
    world.organisation()
    world.connect("ada")
    world.connect("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    world.organisation(**later)
    change(meeting, subject="Moved on")
    world.settle()
    assert mails(world) == []
    assert {only_event(world, person)["subject"] for person in ("ada", "ben")} == {"Moved on"}
    meeting.users.add(world.user("cleo"))
    change(meeting, subject="With Cleo")
    world.settle()
    world.sync(full=True)
    assert mails(world) == []
    world.connect("cleo")
    world.settle()
    assert mails(world) == []
    assert attendees(only_event(world, "cleo")) == []


@rule("ATT-01")
def test_what_was_made_as_a_meeting_is_not_turned_into_own_events(inviting):
    world = inviting
    world.connect("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    world.organisation(attendees_future=False)
    change(meeting, subject="Changed")
    world.settle()
    assert mails(world) == [("update", "ada", "ben")]
    assert [only_event(world, person)["subject"] for person in ("ada", "ben")] == ["Changed", "Changed"]
    assert attendees(only_event(world, "ada")) == ["ben"]


@rule("ATT-01")
def test_an_unlinked_user_is_looked_up_in_the_directory(inviting):
    world = inviting
    world.crm.meeting(users=["cleo", "stranger"])     # Cleo has an account, the other one has none
    world.settle()
    assert mails(world) == [("invitation", "ada", "cleo")]
    assert attendees(only_event(world, "ada")) == ["cleo"]
    assert "not found in Microsoft's directory" in reasons() and "Stranger" in reasons()
    assert world.crm.meetings().get().users.count() == 2


@rule("ATT-01")
def test_a_linked_user_with_another_address_in_the_crm_is_not_invited_and_gets_no_copy(inviting):
    world = inviting
    world.connect("ben")
    ben = world.user("ben")
    ben.email = "benjamin@elsewhere.example"
    ben.save()
    world.crm.meeting(users=["ben"])
    world.settle()
    assert mails(world) == []
    assert "another e-mail address" in reasons()
    assert len(world.mailbox("ada").events()) == 1
    assert names(world.crm.meetings().get().users) == ["ben"]


@rule("ATT-01")
def test_only_the_primary_address_counts(inviting, monkeypatch):
    from opencrm_ms365 import adapters

    world = inviting
    world.connect("ben")
    own = adapters.site.directory.emails
    monkeypatch.setattr(adapters.site.directory, "emails", lambda user: (
        ["other@elsewhere.example", *own(user)] if user.username == "ben" else own(user)))
    world.crm.meeting(users=["ben"])
    world.settle()
    assert mails(world) == []
    assert "another e-mail address" in reasons()


@rule("ATT-12")
def test_a_user_without_an_address_does_not_stop_the_meeting(inviting):
    world = inviting
    world.connect("ben")
    quiet = world.user("quiet")
    quiet.email = ""
    quiet.save()
    world.crm.meeting(users=["ben", "quiet"])
    world.settle()
    assert mails(world) == [("invitation", "ada", "ben")]
    assert "has no e-mail address" in reasons()
    assert names(world.crm.meetings().get().users) == ["ben", "quiet"]


@rule("ATT-02")
def test_assigned_to_an_unlinked_user_everybody_gets_an_event_of_their_own(inviting):
    world = inviting
    world.connect("ben")
    meeting = world.crm.meeting(owner="cleo", users=["ada", "ben"])
    world.settle()
    assert mails(world) == []
    for person in ("ada", "ben"):
        event = only_event(world, person)
        assert (event["subject"], attendees(event), event["isOrganizer"]) == ("Kick-off", [], True)
    change(meeting, subject="New name")
    world.settle()
    assert {only_event(world, person)["subject"] for person in ("ada", "ben")} == {"New name"}
    assert world.crm.meetings().count() == 1


@rule("ATT-02", "ATT-01")
def test_an_owner_who_links_later_gets_an_own_event_and_nobody_an_invitation(inviting):
    world = inviting
    world.crm.meeting(owner="cleo", users=["ada"])
    world.settle()
    world.connect("cleo")
    world.settle()
    assert mails(world) == []
    assert attendees(only_event(world, "cleo")) == []
    assert len(world.mailbox("ada").events()) == 1
    assert world.crm.meetings().count() == 1


@rule("ATT-03", "CAL-04")
def test_users_added_and_removed_in_the_crm_go_through_the_organisers_event(inviting):
    world = inviting
    world.connect("ben")
    world.connect("cleo")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    meeting.users.add(world.user("cleo"))
    change(meeting)
    world.settle()
    assert mails(world) == [("invitation", "ada", "cleo")]
    assert attendees(only_event(world, "ada")) == ["ben", "cleo"]
    meeting.users.remove(world.user("ben"))
    change(meeting)
    world.settle()
    assert mails(world) == [("cancellation", "ada", "ben")]
    assert attendees(only_event(world, "ada")) == ["cleo"]
    assert names(meeting.users) == ["cleo"]
    assert meeting.status != "cancelled" and world.crm.meetings().count() == 1
    assert world.sync(full=True).writes == []


@rule("ATT-03")
def test_users_changed_by_a_bare_many_to_many_change_are_found_by_the_full_pass(inviting):
    world = inviting
    world.connect("ben")
    meeting = world.crm.meeting()
    world.settle()
    meeting.users.add(world.user("ben"))
    world.sync(full=True)
    world.settle()
    assert mails(world) == [("invitation", "ada", "ben")]
    assert len(world.mailbox("ben").events()) == 1


@rule("ATT-03")
def test_without_the_organisers_account_added_users_stay_in_the_crm_and_that_is_reported(inviting):
    from opencrm_ms365.access import links

    world = inviting
    world.connect("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    links.disconnect(world.link("ada"))
    mails(world)
    meeting.users.add(world.user("cleo"))
    change(meeting, subject="Changed while away")
    world.settle()
    world.sync(full=True)
    assert mails(world) == []
    assert attendees(only_event(world, "ada")) == ["ben"]
    assert only_event(world, "ben")["subject"] == "Kick-off"
    assert names(meeting.users) == ["ben", "cleo"]
    meeting.refresh_from_db()
    assert meeting.subject == "Changed while away"
    assert "organiser" in reasons()
    world.connect("ada")
    world.settle()
    assert mails(world) == [("invitation", "ada", "cleo"), ("update", "ada", "ben")]
    assert [only_event(world, person)["subject"] for person in ("ada", "ben")] == ["Changed while away"] * 2
