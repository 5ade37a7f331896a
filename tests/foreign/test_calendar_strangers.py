"""Calendars of CRMs that keep less than the demo does: no users, no owner, days instead of times, HTML notes (CAL)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Q

from demo_crm.crm.models import Activity, Contact
from opencrm_ms365 import adapters as ms
from tests.foreign.plugging import plugged_in
from tests.meetings import attendees, change, invited, mails, only_event, times
from tests.rules import rule
from tests.world import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)


class Plain(ms.EventAdapter):
    """A subject and a time, and nobody it belongs to: everybody's calendar shows it."""

    base_filter = Q(kind="meeting")
    fields = dict(subject="subject", start="start", end="end")  # noqa: C408 - reads like a table

    def create_defaults(self, data, ctx):
        return {"kind": "meeting"}


class Owned(Plain):
    """Assigned to somebody, without users; no end, no whole days, no zone, no status."""

    # Reads like a table.
    fields = dict(subject="subject", start="start", private="private", location="location")  # noqa: C408
    owner = ms.Users("assigned_to")
    default_minutes = 45

    def before_save(self, obj, ctx, created, changed):
        obj.end = obj.end or obj.start


class Html(Owned):
    """Notes are HTML, and the soft deletion is declared."""

    # Reads like a table.
    fields = dict(subject="subject", start="start", end="end", body="notes", all_day="all_day")  # noqa: C408
    body_format = "html"
    users = ms.Users("users")
    soft_delete = Q(deleted_at__isnull=False)


class Days(ms.EventAdapter):
    """A visit on a day: the CRM keeps a date and nothing else."""

    fields = dict(subject="last_name", start="birthday")  # noqa: C408 - reads like a table
    owner = ms.Users("assigned_to")


def live():
    return Activity.objects.filter(deleted_at=None).order_by("pk")


@rule("CAL-01", "SYNC-05")
def test_without_users_and_owner_everybody_has_an_event_of_their_own(world):
    with plugged_in((Plain, Activity, {})):
        world.organisation(attendees_future=True)
        world.connect("ada")
        world.connect("ben")
        meeting = world.crm.meeting(owner=None)
        world.mailbox("ada").add_event(subject="Theirs", attendees=invited("ben"), **times())
        mails(world)
        world.settle()
        assert live().count() == 2 and mails(world) == []
        for person in ("ada", "ben"):
            assert sorted(event["subject"] for event in world.mailbox(person).events()) == ["Kick-off", "Theirs"]
        change(meeting, subject="Renamed")
        world.settle()
        assert world.mailbox("ben").find_events(subject="Renamed")
        meeting.delete()
        world.settle()
        world.sync(full=True)
        assert [len(world.mailbox(person).events()) for person in ("ada", "ben")] == [1, 1]
        assert mails(world) == [] and live().count() == 1


@rule("CAL-01", "CAL-04")
def test_a_crm_without_end_zone_and_whole_days(world):
    with plugged_in((Owned, Activity, {})):
        world.connect("ada")
        meeting = world.crm.meeting(end=None)
        long = world.mailbox("ada").add_event(subject="Long", **times(tomorrow(14), hours=3, zone="Europe/Berlin"))
        day = tomorrow(0, days=3)
        world.mailbox("ada").add_event(subject="Whole day", isAllDay=True, **times(day, hours=24))
        world.settle()
        [event] = world.mailbox("ada").find_events(subject="Kick-off")
        assert event["end"]["dateTime"][11:16] == "10:45"
        made = live().get(subject="Long")
        assert made.start == tomorrow(14).replace(tzinfo=ZoneInfo("Europe/Berlin"))
        change(made, location="Here")
        world.settle()
        world.sync(full=True)
        event = world.mailbox("ada").event(long["id"])
        assert event["location"]["displayName"] == "Here"
        hours = [datetime.fromisoformat(event[name]["dateTime"][:19]) for name in ("start", "end")]
        assert hours[1] - hours[0] == timedelta(hours=3)               # what the CRM does not map stays as it is
        [whole] = world.mailbox("ada").find_events(subject="Whole day")
        assert whole["isAllDay"] and live().filter(subject="Whole day").count() <= 1
        assert world.settle().writes == [] and meeting.pk


@rule("CAL-01", "SYNC-06")
def test_a_day_in_the_crm_keeps_the_time_in_outlook(world):
    with plugged_in((Days, Contact, {})):
        world.connect("ada", sync_contacts=False, time_zone="Europe/Berlin")
        day = tomorrow(0, days=4).date()
        visit = world.crm.contact(last_name="Visit", birthday=day)
        theirs = world.mailbox("ada").add_event(subject="Theirs", **times(tomorrow(14)))
        world.settle()
        [event] = world.mailbox("ada").find_events(subject="Visit")
        begins = datetime.fromisoformat(event["start"]["dateTime"][:19]).replace(tzinfo=UTC)
        assert begins.astimezone(ZoneInfo("Europe/Berlin")).date() == day
        assert world.sync(full=True).writes == []
        assert world.mailbox("ada").event(theirs["id"])["start"]["dateTime"][11:16] == "14:00"
        assert Contact.objects.get(last_name="Theirs").birthday == tomorrow(14).date()
        change(visit, birthday=day + timedelta(days=1))
        world.settle()
        [event] = world.mailbox("ada").find_events(subject="Visit")
        begins = datetime.fromisoformat(event["start"]["dateTime"][:19]).replace(tzinfo=UTC)
        assert begins.astimezone(ZoneInfo("Europe/Berlin")).date() == day + timedelta(days=1)
        assert world.sync(full=True).writes == []


@rule("CAL-03", "CAL-02")
def test_html_notes_are_cleaned_on_the_way_in_and_readable_on_the_way_out(world):
    with plugged_in((Html, Activity, {})):
        world.connect("ada")
        world.crm.meeting(notes="<p>Bring the <b>plan</b> &amp; pens</p><script>alert(1)</script>")
        world.mailbox("ada").add_event(subject="Theirs", **times(), body={
            "contentType": "html", "content": "<p onclick='x()'>One &lt;two&gt;</p><img src='https://t.example/p'>"
                                              "<script>alert(2)</script>"})
        world.settle()
        [event] = world.mailbox("ada").find_events(subject="Kick-off")
        assert "Bring the plan &amp; pens" in event["body"]["content"] and "alert" not in event["body"]["content"]
        notes = live().get(subject="Theirs").notes
        assert "One &lt;two&gt;" in notes
        assert not any(bad in notes for bad in ("onclick", "script", "alert", "t.example"))


@rule("ATT-01", "ATT-04")
def test_owner_without_users_invites_nobody_and_keeps_everybody(world):
    with plugged_in((Owned, Activity, {})):
        world.organisation(attendees_future=True)
        world.connect("ada")
        world.connect("ben")
        world.mailbox("ada").add_event(subject="Theirs", attendees=invited("ben", "x@other.example"), **times())
        mails(world)
        world.settle()
        change(live().get(), subject="Renamed")
        world.settle()
        assert live().count() == 1
        assert live().get().assigned_to == world.user("ada")
        assert attendees(only_event(world, "ada")) == ["ben", "x@other.example"]
        assert mails(world) == [("update", "ada", "ben"), ("update", "ada", "x@other.example")]
        assert len(world.mailbox("ben").events()) == 1


@rule("CAL-01", "CAL-04")
def test_where_the_crm_keeps_no_end_a_moved_event_lasts_as_long_as_before(world):
    with plugged_in((Owned, Activity, {})):
        world.connect("ada")
        world.mailbox("ada").add_event(subject="Long", **times(tomorrow(14), hours=3))
        world.settle()
        change(live().get(), start=tomorrow(9, days=2))
        world.settle()
        event = only_event(world, "ada")
        assert [event[name]["dateTime"][:13] for name in ("start", "end")] == [
            tomorrow(9, days=2).strftime("%Y-%m-%dT%H"), tomorrow(12, days=2).strftime("%Y-%m-%dT%H")]
        assert world.sync(full=True).writes == []
