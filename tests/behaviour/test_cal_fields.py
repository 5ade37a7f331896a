"""What of an event goes across, and how: notes, HTML, time zones, whole days, what a change sends (CAL)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.meetings import change, invited, mails, only_event, sent, times
from tests.rules import rule
from tests.world import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)

BERLIN = ZoneInfo("Europe/Berlin")
HOSTILE = ('<html><head><style>p{color:red}</style></head><body><p onclick="steal()">Agenda<script>alert(1)</script>'
           '</p><img src="https://track.example/p.gif" width="1"><a href="javascript:steal()">link</a>'
           '<iframe src="https://evil.example"></iframe></body></html>')
JOIN = ("<html><body><p>Agenda</p><div>________________</div><div><a class=\"me-email-headline\" "
        "href=\"https://teams.microsoft.com/l/meetup-join/19%3ameeting_x\">Join the meeting now</a></div>"
        "<div>Meeting ID: 123</div></body></html>")


def the(world):
    return world.crm.meetings().get()


def in_winter_and_summer():
    """Two days inside the window, one in each of Berlin's offsets."""
    days = [datetime.now(UTC).date() + timedelta(days=number) for number in range(3, 200)]
    at = {datetime(day.year, day.month, day.day, 9, tzinfo=BERLIN).utcoffset(): day for day in reversed(days)}
    assert len(at) == 2
    return sorted(at.values())


@rule("CAL-01")
def test_nine_in_berlin_stays_nine_in_berlin_on_both_sides_of_the_clock_change(world):
    world.connect("ada")
    for day in in_winter_and_summer():
        start = datetime(day.year, day.month, day.day, 9, tzinfo=BERLIN)
        world.crm.meeting(subject=f"out {day}", start=start, time_zone="Europe/Berlin")
        world.mailbox("ada").add_event(subject=f"in {day}", **times(start, zone="W. Europe Standard Time"))
    world.settle()
    for day in in_winter_and_summer():
        start = datetime(day.year, day.month, day.day, 9, tzinfo=BERLIN)
        [event] = world.mailbox("ada").find_events(subject=f"out {day}")
        assert event["start"]["dateTime"][:16] == start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")
        assert event["originalStartTimeZone"] in ("W. Europe Standard Time", "Europe/Berlin")
        meeting = world.crm.meetings().get(subject=f"in {day}")
        assert (meeting.start, meeting.time_zone) == (start, "Europe/Berlin")
    assert world.sync(full=True).writes == []


@rule("CAL-01")
def test_a_whole_day_stays_that_day_wherever_people_are(world):
    world.connect("ada", time_zone="America/New_York")
    day = tomorrow(0, days=5).date()
    berlin = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    world.crm.meeting(subject="out", start=berlin, end=berlin + timedelta(days=1), all_day=True,
                      time_zone="Europe/Berlin")
    world.mailbox("ada").add_event(
        subject="in", isAllDay=True, start={"dateTime": f"{day}T00:00:00", "timeZone": "UTC"},
        end={"dateTime": f"{day + timedelta(days=1)}T00:00:00", "timeZone": "UTC"})
    world.settle()
    [event] = world.mailbox("ada").find_events(subject="out")
    assert event["isAllDay"]
    assert event["start"]["dateTime"][:10] == str(day)
    assert event["end"]["dateTime"][:10] == str(day + timedelta(days=2))     # exclusive: the CRM's end is the last day
    meeting = world.crm.meetings().get(subject="in")
    zone = ZoneInfo(meeting.time_zone) if meeting.time_zone else ZoneInfo("America/New_York")
    assert meeting.all_day
    assert meeting.start.astimezone(zone).strftime("%F %H:%M") == f"{day} 00:00"
    assert meeting.end.astimezone(zone).date() == day
    assert world.sync(full=True).writes == []


@rule("CAL-01", "CAL-04")
def test_a_whole_day_becomes_an_hour_and_back(world):
    world.connect("ada")
    meeting = world.crm.meeting(time_zone="Europe/Berlin")
    world.settle()
    day = tomorrow(0, days=4).date()
    midnight = datetime(day.year, day.month, day.day, tzinfo=BERLIN)
    change(meeting, all_day=True, start=midnight, end=midnight)
    world.settle()
    event = only_event(world, "ada")
    assert event["isAllDay"] and event["start"]["dateTime"][:10] == str(day)
    world.mailbox("ada").edit_event(event["id"], isAllDay=False, **times(tomorrow(14)))
    world.settle()
    meeting.refresh_from_db()
    assert (meeting.all_day, meeting.start, meeting.end) == (False, tomorrow(14), tomorrow(15))
    assert world.sync(full=True).writes == []


@rule("CAL-02", "CAL-04")
def test_notes_of_the_crm_go_out_once(world):
    world.connect("ada")
    meeting = world.crm.meeting(notes="Bring the plan")
    world.settle()
    assert "Bring the plan" in only_event(world, "ada")["body"]["content"]
    change(meeting, notes="Internal: they are broke")
    assert sent(world.sync()) == []
    change(meeting, subject="Other")
    ran = world.sync()
    assert sent(ran) == [{"subject": "Other"}]
    event = only_event(world, "ada")
    assert "broke" not in event["body"]["content"] and "Bring the plan" in event["body"]["content"]
    world.mailbox("ada").edit_event(event["id"], body={"contentType": "text", "content": "Written in Outlook"})
    world.sync()
    world.sync(full=True)
    meeting.refresh_from_db()
    assert meeting.notes == "Internal: they are broke"


@rule("CAL-02")
def test_notes_of_outlook_come_in_once(world):
    world.connect("ada")
    made = world.mailbox("ada").add_event(subject="In", body={"contentType": "text", "content": "First"}, **times())
    world.settle()
    assert the(world).notes.strip() == "First"
    world.mailbox("ada").edit_event(made["id"], body={"contentType": "text", "content": "Second"}, subject="In 2")
    world.settle()
    assert (the(world).notes.strip(), the(world).subject) == ("First", "In 2")
    change(the(world), notes="")
    world.settle()
    world.sync(full=True)
    assert the(world).notes == ""
    assert "Second" in only_event(world, "ada")["body"]["content"]


@rule("CAL-03")
def test_a_hostile_body_arrives_as_clean_text(world):
    world.connect("ada")
    world.mailbox("ada").add_event(subject="In", body={"contentType": "html", "content": HOSTILE}, **times())
    world.settle()
    notes = the(world).notes
    assert "Agenda" in notes
    for bad in ("<", "script", "alert", "track.example", "javascript", "onclick", "evil", "color:red"):
        assert bad not in notes


@rule("CAL-04")
def test_a_change_sends_only_what_changed(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.account("ben")
    meeting = world.crm.meeting(users=["ben"], notes="Once", location="Here", time_zone="Europe/Berlin")
    world.settle()
    for values, names in (({"subject": "New"}, {"subject"}), ({"location": "There"}, {"location"}),
                          ({"start": tomorrow(12), "end": tomorrow(13)}, {"start", "end"})):
        change(meeting, **values)
        [body] = sent(world.sync())
        assert set(body) <= names | {"isAllDay"} and names <= set(body), body


@rule("CAL-04", "ATT-08")
def test_what_touches_no_shared_field_mails_nobody(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    change(meeting, notes="Only here", priority="high")
    change(meeting, private=True)
    change(meeting, status="done")
    world.settle()
    world.mailbox("ada").edit_event(only_event(world, "ada")["id"], categories=["Red"], showAs="free")
    world.settle()
    assert mails(world) == []


@rule("CAL-04")
def test_a_teams_meeting_stays_one(world):
    world.connect("ada")
    world.account("ben")
    world.mailbox("ada").add_event(subject="Online", body={"contentType": "html", "content": JOIN}, **times(),
                                   isOnlineMeeting=True, onlineMeetingProvider="teamsForBusiness",
                                   attendees=invited("ben"))
    world.settle()
    before = only_event(world, "ada")["body"]["content"]
    change(the(world), subject="Online 2", notes="Other words", start=tomorrow(15), end=tomorrow(16))
    world.settle()
    after = only_event(world, "ada")
    assert (after["subject"], after["body"]["content"]) == ("Online 2", before)


@rule("CAL-05", "ORG-12")
def test_cancelled_in_the_crm_alone_sends_no_mail_and_deletes_nothing(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.connect("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    change(meeting, status="cancelled")
    world.settle()
    world.sync(full=True)
    assert mails(world) == []
    assert len(world.mailbox("ada").events()) == len(world.mailbox("ben").events()) == 1
    change(meeting, subject="Called off")
    world.settle()
    assert only_event(world, "ada")["subject"] == "Called off"


@rule("CAL-05")
def test_a_meeting_that_its_organiser_calls_off_stays_as_cancelled(world):
    world.connect("ada")
    world.connect("ben")
    made = world.mailbox("ada").add_event(subject="Off", attendees=invited("ben"), **times())
    world.settle()
    world.mailbox("ada").cancel_event(made["id"])
    mails(world)
    for _ in range(2):
        world.settle("ben")
        world.settle("ada")
    world.sync(full=True)
    assert the(world).status == "cancelled"
    assert the(world).subject == "Off"
    assert world.mailbox("ada").events() == [] and mails(world) == []


@rule("CAL-05")
def test_a_guest_sees_that_an_unlinked_organiser_called_it_off(world):
    world.connect("ben")
    made = world.mailbox("ada").add_event(subject="Off", attendees=invited("ben"), **times())
    world.settle()
    world.mailbox("ada").cancel_event(made["id"])
    world.settle()
    world.sync(full=True)
    assert (the(world).status, the(world).subject) == ("cancelled", "Off")


@rule("CAL-06", "SYNC-05")
def test_another_calendar_takes_the_new_events_and_the_old_ones_stay_in_sync(world):
    from opencrm_ms365.access import user_settings

    world.connect("ada")
    box = world.mailbox("ada")
    old = world.crm.meeting(subject="Old")
    world.settle()
    work = box.add_calendar("Work")
    user_settings.save_settings(world.link("ada"), {"calendar": work["id"]}, world.user("admin"))
    world.crm.meeting(subject="New")
    box.add_event("Work", subject="Theirs", **times())
    world.settle()
    assert {event["subject"] for event in box.events("Work")} == {"New", "Theirs"}
    [event] = box.events("Calendar")
    box.edit_event(event["id"], location={"displayName": "Roof"})
    box.add_event("Calendar", subject="Not ours", **times())
    world.settle()
    old.refresh_from_db()
    assert old.location == "Roof"
    change(old, subject="Old 2")
    world.settle()
    assert {entry["subject"] for entry in box.events("Calendar")} == {"Old 2", "Not ours"}
    assert world.crm.meetings().count() == 3
    old.delete()
    world.settle()
    assert [entry["subject"] for entry in box.events("Calendar")] == ["Not ours"]


@rule("SYNC-06", "ORG-09")
def test_moved_on_both_sides_ends_with_one_time(world):
    world.connect("ada")
    meeting = world.crm.meeting()
    world.settle()
    world.mailbox("ada").edit_event(only_event(world, "ada")["id"], **times(tomorrow(15), hours=2))
    change(meeting, start=tomorrow(8), end=tomorrow(9))
    world.settle()
    meeting.refresh_from_db()
    event = only_event(world, "ada")
    assert (meeting.start, meeting.end) == (tomorrow(8), tomorrow(9))
    assert event["start"]["dateTime"][11:16] == "08:00" and event["end"]["dateTime"][11:16] == "09:00"
    assert world.sync(full=True).writes == []
