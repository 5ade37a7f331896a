"""Mail that Microsoft would send: counted beforehand, held where it is much, never sent twice (ORG-15, ATT-08)."""

import pytest
from django.utils import timezone

from opencrm_ms365.access import decisions
from opencrm_ms365.models import HeldDecision, SyncRun, decrypt
from opencrm_ms365.sync.preview import run_preview
from tests.meetings import ago, attendees, change, invited, mails, only_event, reasons, short, times
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crowd(world):
    """Ada is linked; six colleagues have accounts and stand in the CRM. The guard lets three people pass."""
    world.organisation(attendees_future=True, mail_guard=3)
    world.connect("ada")
    people = [f"colleague{number}" for number in range(6)]
    for person in people:
        world.account(person)
        world.user(person)
    return people


def previewed(world, person="ada", **options):
    run = SyncRun.objects.create(link=world.link(person), trigger="preview", queued_at=timezone.now())
    run = run_preview(run.pk, **options)
    listed = decrypt(run.operations)
    return run, sorted(short(who) for entry in listed for who in entry["recipients"])


def held():
    return HeldDecision.objects.get(reason="mail_guard")


@rule("ORG-15")
def test_too_many_invitations_wait_are_shown_and_go_out_when_confirmed(world, crowd):
    world.crm.meeting(users=crowd)
    world.crm.meeting(subject="Alone")
    world.mailbox("ada").add_event(subject="Theirs", **times())
    world.sync()
    assert mails(world) == []
    assert {event["subject"] for event in world.mailbox("ada").events()} == {"Alone", "Theirs"}   # the rest goes on
    assert world.crm.meetings().count() == 3
    assert (held().state, held().summary["people"]) == ("open", 6)
    assert sorted(short(who) for who in decrypt(held().details)["people"]) == crowd
    assert "6 people" in reasons()
    world.sync()
    assert mails(world) == [] and HeldDecision.objects.count() == 1

    decisions.confirm(held(), world.user("admin"))
    world.settle()
    assert mails(world) == [("invitation", "ada", person) for person in crowd]
    assert held().state == "done" and reasons() == ""
    world.sync(full=True)
    assert mails(world) == []


@rule("ORG-15")
def test_as_many_as_allowed_go_out_at_once(world, crowd):
    world.crm.meeting(users=crowd[:3])
    world.crm.meeting(subject="Again", users=crowd[:3])     # six mails, but to three people
    world.settle()
    assert len(mails(world)) == 6
    assert not HeldDecision.objects.exists()


@rule("ORG-15")
def test_many_small_meetings_count_together(world, crowd):
    for person in crowd:
        world.crm.meeting(users=[person])
    world.sync()
    assert mails(world) == []
    assert held().summary["people"] == 6


@rule("ORG-15")
def test_a_dismissed_decision_sends_nothing_and_more_people_are_asked_about_anew(world, crowd):
    meeting = world.crm.meeting(users=crowd[:4])
    world.sync()
    decisions.confirm(held(), world.user("ada"))
    meeting.users.set([world.user(person) for person in crowd])
    change(meeting)
    world.sync()
    assert mails(world) == []                               # more than was agreed to
    assert (held().state, held().summary["people"]) == ("open", 6)
    decisions.dismiss(held(), world.user("ada"))
    world.sync()
    assert mails(world) == []


@rule("ORG-15", "CAL-04")
def test_updates_and_cancellations_are_guarded_too(world, crowd):
    world.organisation(mail_guard=10)
    meeting = world.crm.meeting(users=crowd)
    other = world.crm.meeting(subject="Other", users=crowd)
    world.settle()
    mails(world)
    world.organisation(mail_guard=3)
    change(meeting, subject="Renamed", notes="x")
    other.delete()
    alone = world.crm.meeting(subject="Alone")
    world.sync()
    assert mails(world) == []
    assert {event["subject"] for event in world.mailbox("ada").events()} == {"Kick-off", "Other", "Alone"}
    change(meeting, location="There")
    world.sync()
    decisions.confirm(held(), world.user("ada"))
    world.settle()
    assert sorted(mails(world)) == sorted(
        [(kind, "ada", person) for person in crowd for kind in ("cancellation", "update")])
    [event] = world.mailbox("ada").find_events(subject="Renamed")
    assert event["location"]["displayName"] == "There" and alone.pk


@rule("ORG-15")
def test_changes_from_microsoft_come_in_although_mail_waits(world, crowd):
    world.organisation(mail_guard=10)
    meeting = world.crm.meeting(users=crowd)
    world.settle()
    mails(world)
    world.organisation(mail_guard=3)
    change(meeting, subject="Renamed")
    world.mailbox("ada").edit_event(only_event(world, "ada")["id"], location={"displayName": "Roof"})
    mails(world)
    world.sync()
    meeting.refresh_from_db()
    assert (meeting.location, meeting.subject) == ("Roof", "Renamed")
    assert mails(world) == []
    decisions.confirm(held(), world.user("ada"))
    world.settle()
    event = only_event(world, "ada")
    assert (event["subject"], event["location"]["displayName"]) == ("Renamed", "Roof")


@rule("ATT-08", "USER-07")
def test_the_preview_names_whom_the_sync_then_mails(world, crowd):
    world.organisation(mail_guard=100)
    world.crm.meeting(users=crowd[:2])
    kept = world.crm.meeting(subject="Long ago", users=crowd, start=ago(5))
    run, people = previewed(world)
    assert people == crowd[:2] and kept.pk
    assert run.counts["events"]["invitations"] == 2
    assert mails(world) == [] and world.mailbox("ada").events() == []
    ran = world.sync()
    assert sorted(whom for _kind, _who, whom in mails(world)) == people
    assert ran.counts(kind="events")["invitations"] == 2


@rule("ATT-08", "USER-07")
def test_the_preview_of_changes_and_deletions_names_them_too(world, crowd):
    world.organisation(mail_guard=100)
    first = world.crm.meeting(users=crowd[:2])
    second = world.crm.meeting(subject="Second", users=crowd[2:4])
    third = world.crm.meeting(subject="Third", users=crowd[4:5])
    world.settle()
    mails(world)
    change(first, subject="Renamed")
    second.delete()
    third.users.add(world.user(crowd[5]))
    change(third)
    _run, people = previewed(world)
    world.sync()
    sent = sorted(whom for _kind, _who, whom in mails(world))
    assert sent == people == sorted(crowd[:2] + crowd[2:4] + crowd[5:])


@rule("ATT-08", "ORG-10")
@pytest.mark.parametrize("historic", [False, True])
def test_a_first_sync_mails_nobody_about_the_past_unless_that_is_ticked(world, crowd, historic):
    world.organisation(mail_guard=100, attendees_historic=historic)
    for days in (2, 20, 50):
        world.crm.meeting(subject=f"{days} days ago", users=crowd[:1], start=ago(days))
    world.settle()
    assert len(world.mailbox("ada").events()) == 3
    assert len(mails(world)) == (3 if historic else 0)


@rule("ATT-08", "SYNC-05")
def test_meetings_made_in_outlook_mail_nobody_from_the_sync(world, crowd):
    world.connect("colleague0")
    world.mailbox("ada").add_event(subject="Outlook's", attendees=invited(*crowd), **times())
    mails(world)
    world.settle()
    world.sync(full=True)
    assert mails(world) == [] and attendees(only_event(world, "ada")) == crowd
    assert not HeldDecision.objects.exists()
