"""Meetings of Outlook become one activity, whoever links and syncs in whatever order (ATT-04, 05, 06, 09, 10, 11)."""

import pytest

from opencrm_ms365.access import links
from opencrm_ms365.models import Meeting, RecordMapping, SharedRecord
from tests.meetings import attendees, change, invited, mails, names, only_event, times
from tests.rules import rule
from tests.world import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


def meets(world, *people, organiser="ada", **values):
    """A meeting made in Outlook; the mail that it causes there is nobody's but the organiser's."""
    world.account(organiser)
    made = world.mailbox(organiser).add_event(
        **{"subject": "Review", **times(), "attendees": invited(*people), **values})
    mails(world)
    return made


def the(world):
    return world.crm.meetings().get()


@rule("ATT-04", "ATT-11")
@pytest.mark.parametrize("order", [("ada", "ben"), ("ben", "ada")])
def test_one_activity_assigned_to_the_organiser_whoever_syncs_first(world, order):
    for person in order:
        world.connect(person)
    world.user("cleo")
    meets(world, "ben", "cleo", "customer@other.example")
    for person in order:
        world.sync(person)
        assert the(world).assigned_to == world.user("ada")
        assert names(the(world).users) == ["ben", "cleo"]          # linked or not
    world.settle()
    world.sync(full=True)
    assert names(the(world).users) == ["ben", "cleo"]
    assert mails(world) == []


@rule("ATT-05", "ATT-11")
def test_an_organiser_who_is_not_linked_one_activity_of_the_first_user_that_synced_it(world):
    world.connect("ben")
    world.connect("admin")
    world.user("cleo")
    world.user("ada")
    meets(world, "ben", "admin", "cleo")
    world.sync("admin")
    assert the(world).assigned_to == world.user("admin")
    world.settle()
    assert the(world).assigned_to == world.user("admin")
    assert names(the(world).users) == ["ben"]                      # only linked attendees
    assert mails(world) == []


@rule("ATT-05", "ATT-11")
def test_an_organiser_outside_the_company_is_one_activity_too(world):
    world.connect("ada")
    world.connect("ben")
    for person in ("ada", "ben"):
        world.mailbox(person).receive_event("boss@customer.example", "The Boss", subject="Pitch", **times(),
                                            attendees=invited("ada", "ben"))
    uids = {only_event(world, person)["iCalUId"] for person in ("ada", "ben")}
    world.settle()
    assert world.crm.meetings().count() == len(uids)
    assert world.settle().writes == []


@rule("ATT-05", "ATT-11")
def test_the_organisers_copy_counts_from_the_day_that_the_organiser_links(world):
    world.connect("ben")
    event = meets(world, "ben")
    world.settle()
    assert the(world).assigned_to == world.user("ben")
    world.connect("ada")
    world.settle()
    assert world.crm.meetings().count() == 1
    assert the(world).assigned_to == world.user("ben")             # and that stays so
    world.mailbox("ada").edit_event(event["id"], subject="Review 2")
    world.settle()
    assert the(world).subject == "Review 2"
    mails(world)
    change(the(world), subject="Review 3")
    world.settle()
    assert mails(world) == [("update", "ada", "ben")]
    assert [only_event(world, person)["subject"] for person in ("ada", "ben")] == ["Review 3"] * 2


@rule("ATT-06", "ATT-05")
def test_changes_of_an_unlinked_organiser_come_in_through_the_first_users_copy(world):
    world.connect("ben")
    world.connect("cleo")
    event = meets(world, "ben", "cleo")
    world.settle()
    world.mailbox("ada").edit_event(event["id"], subject="Other", location={"displayName": "Roof"})
    mails(world)
    world.settle()
    assert (the(world).subject, the(world).location) == ("Other", "Roof")
    assert mails(world) == [] and world.sync(full=True).writes == []


@rule("ATT-06")
@pytest.mark.parametrize("linked", [("ada", "ben"), ("ben",), ("cleo", "ben")])
def test_a_guests_own_changes_do_not_come_in(world, linked):
    for person in linked:
        world.connect(person)
    event = meets(world, "cleo", "ben")
    world.settle()
    [copy] = world.mailbox("ben").events()
    world.mailbox("ben").edit_event(copy["id"], subject="Mine", location={"displayName": "Home"},
                                    **times(tomorrow(15)))
    world.settle()
    world.sync(full=True)
    if "ada" in linked or "cleo" in linked:
        assert (the(world).subject, the(world).start) == ("Review", tomorrow())
    assert only_event(world, "ada")["subject"] == "Review"
    assert mails(world) == []
    if "ada" in linked:
        change(the(world), subject="From the CRM")
        world.settle()
        assert only_event(world, "ben")["subject"] == "From the CRM"
        assert only_event(world, "ada")["id"] == event["id"]


@rule("ATT-07", "ATT-09", "CAL-04")
def test_a_change_in_the_crm_updates_the_organisers_event_and_keeps_everybody(world):
    world.connect("ada")
    world.connect("ben")
    meets(world, "ben", "customer@other.example", "room@brightwell.example")
    world.settle()
    change(the(world), location="Room 5")
    world.settle()
    event = only_event(world, "ada")
    assert attendees(event) == ["ben", "customer@other.example", "room"]
    assert event["location"]["displayName"] == "Room 5"
    assert only_event(world, "ben")["location"]["displayName"] == "Room 5"
    assert {kind for kind, _who, _whom in mails(world)} == {"update"}
    the(world).users.add(world.user("cleo"))
    world.account("cleo")
    world.organisation(attendees_future=True)
    change(the(world))
    world.settle()
    assert attendees(only_event(world, "ada")) == ["ben", "cleo", "customer@other.example", "room"]
    assert mails(world) == [("invitation", "ada", "cleo")]


@rule("ATT-09", "ATT-10")
def test_outside_people_and_answers_are_known_for_the_activity(world):
    world.connect("ada")
    world.connect("ben")
    meets(world, "ben", "customer@other.example")
    world.settle()
    [copy] = world.mailbox("ben").events()
    world.mailbox("ben").answer(copy["id"], "tentativelyAccepted")
    world.settle()
    known = {entry[0]: entry[3] for entry in Meeting.objects.get().opened()["attendees"]}
    assert known == {"ben@brightwell.example": "tentative", "customer@other.example": "none"}
    assert world.sync().writes == []


@rule("ATT-10")
@pytest.mark.parametrize("dropped", [True, False])
@pytest.mark.parametrize("first", ["ada", "ben"])
def test_who_declines_stays_on_the_activity_as_declined_and_gets_no_copy_again(world, dropped, first):
    world.connect("ada")
    world.connect("ben")
    meets(world, "ben")
    world.settle()
    [copy] = world.mailbox("ben").events()
    world.mailbox("ben").answer(copy["id"], "declined", drop_declined=dropped)
    world.sync(first)
    world.settle()
    world.sync(full=True)
    assert names(the(world).users) == ["ben"]
    assert [entry[3] for entry in Meeting.objects.get().opened()["attendees"]] == ["declined"]
    assert len(world.mailbox("ben").events()) == (0 if dropped else 1)
    assert attendees(only_event(world, "ada")) == ["ben"]
    assert mails(world) == []


@rule("ATT-10")
def test_a_guest_who_deletes_the_copy_gets_none_again_and_stays_a_user(world):
    world.connect("ada")
    world.connect("ben")
    meets(world, "ben")
    world.settle()
    world.mailbox("ben").delete_event(only_event(world, "ben")["id"])
    world.settle()
    world.sync(full=True)
    assert names(the(world).users) == ["ben"]
    assert world.mailbox("ben").events() == [] and mails(world) == []
    assert the(world).status != "cancelled"


@rule("ATT-04")
def test_attendees_added_and_removed_in_outlook_change_the_users(world):
    world.connect("ada")
    world.user("ben")
    world.user("cleo")
    event = meets(world, "ben", "customer@other.example")
    world.settle()
    world.mailbox("ada").edit_event(event["id"], attendees=invited("cleo", "customer@other.example"))
    mails(world)
    world.settle()
    assert names(the(world).users) == ["cleo"]
    assert mails(world) == [] and world.sync(full=True).writes == []


@rule("ATT-11", "USER-04")
@pytest.mark.parametrize("who", ["ada", "ben"])
def test_unlinking_and_linking_again_doubles_nothing(world, who):
    world.connect("ada")
    world.connect("ben")
    meets(world, "ben")
    world.settle()
    links.disconnect(world.link(who))
    world.settle()
    world.connect(who)
    world.settle()
    world.sync(full=True)
    assert the(world).assigned_to == world.user("ada") and names(the(world).users) == ["ben"]
    assert len(world.mailbox("ada").events()) == len(world.mailbox("ben").events()) == 1
    assert mails(world) == []


@rule("SYNC-09", "ATT-11")
@pytest.mark.parametrize("first", ["ada", "ben"])
def test_lost_links_of_a_meeting_are_found_again_and_nobody_is_invited_again(world, first):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    RecordMapping.objects.all().delete()
    SharedRecord.objects.all().delete()
    Meeting.objects.all().delete()
    for person in ("ada", "ben"):
        link = world.link(person)
        link.cursors, link.progress, link.applied_scope = {}, {}, {}
        link.save()
    world.sync(first)
    world.settle()
    assert world.crm.meetings().count() == 1
    assert len(world.mailbox("ada").events()) == len(world.mailbox("ben").events()) == 1
    assert mails(world) == []
    change(the(world), subject="Still one")
    world.settle()
    assert mails(world) == [("update", "ada", "ben")]


@rule("ATT-11", "SYNC-09")
def test_a_restored_copy_of_the_crm_does_not_invite_again(world):
    """The links are lost, and the activity's event is found by what the app left on it, not by its subject."""
    world.organisation(attendees_future=True)
    world.connect("ada")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    RecordMapping.objects.all().delete()
    Meeting.objects.all().delete()
    change(meeting, subject="Other words")
    world.sync(full=True)
    world.settle()
    assert world.crm.meetings().count() == 1 and len(world.mailbox("ada").events()) == 1
    assert {kind for kind, _who, _whom in mails(world)} <= {"update"}
