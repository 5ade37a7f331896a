"""An event's JSON and its record: tables of pairs."""

import contextlib
import copy
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.graph.event_items import (
    IDENTITY_PROPERTY,
    Attendee,
    BrokenItem,
    EventItem,
    KeptEvent,
    OccurrenceItem,
    RemovedItem,
    read_event,
)
from opencrm_ms365.graph.wire.event import SELECT, attendees_json, to_json, to_new_json, to_record
from opencrm_ms365.graph.wire.recurrence import Inexpressible
from opencrm_ms365.graph.wire.values import Unreadable
from opencrm_ms365.records import UNSET
from opencrm_ms365.records.event import EVENT_FIELDS, EventData
from opencrm_ms365.records.task import Status
from tests import rules

START, END = datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 24, 10, 30, tzinfo=UTC)
FULL = {
    "@odata.type": "#microsoft.graph.event", "@odata.etag": 'W/"1"', "id": "E=", "changeKey": "1",
    "createdDateTime": "2026-11-20T08:00:00.1234567Z", "lastModifiedDateTime": "2026-11-21T08:00:00Z",
    "subject": "Kick-off ", "bodyPreview": "one", "body": {"contentType": "html", "content": (
        "<html><head><meta></head>\r\n<body>\r\none<br>\r\ntwo\r\n</body></html>\r\n")},
    "start": {"dateTime": "2026-11-24T09:00:00.0000000", "timeZone": "UTC"},
    "end": {"dateTime": "2026-11-24T10:30:00.0000000", "timeZone": "UTC"},
    "originalStartTimeZone": "W. Europe Standard Time", "originalEndTimeZone": "W. Europe Standard Time",
    "isAllDay": False, "location": {"displayName": "Room 4", "locationType": "default"}, "locations": [],
    "sensitivity": "private", "showAs": "workingElsewhere", "isReminderOn": True, "reminderMinutesBeforeStart": 15,
    "categories": ["Red", "blue"], "isCancelled": False, "isDraft": False, "isOrganizer": True,
    "organizer": {"emailAddress": {"name": "Ada Lindqvist", "address": "Ada@brightwell.example"}},
    "attendees": [
        {"type": "required", "status": {"response": "tentativelyAccepted", "time": "2026-11-20T08:00:00Z"},
         "emailAddress": {"name": "Ben", "address": "Ben@brightwell.example"}},
        {"type": "resource", "emailAddress": {"address": "room@brightwell.example"}},
        {"type": "optional", "status": {"response": "notResponded"}, "emailAddress": {"name": "Nobody"}}],
    "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"}, "type": "singleInstance",
    "seriesMasterId": None, "recurrence": None, "iCalUId": "040000", "transactionId": "t-1", "originalStart": None,
    "isOnlineMeeting": False, "onlineMeeting": None, "onlineMeetingUrl": None, "somethingNew": {"x": 1},
}
RECORD = EventData(
    subject="Kick-off", body="one\ntwo", start=START, end=END, all_day=False, time_zone="Europe/Berlin",
    location="Room 4", private=True, show_as="workingElsewhere", reminder_minutes=15, categories=("blue", "Red"),
)


def item(**changes):
    return {**copy.deepcopy(FULL), **changes}


def without(*names):
    return {name: value for name, value in FULL.items() if name not in names}


def at(text, zone="UTC"):
    return {"dateTime": text, "timeZone": zone}


# Reading

@rules.rule("CAL-01")
def test_CAL_01_every_field_is_read():
    assert to_record(FULL) == RECORD
    assert set(EVENT_FIELDS) - set(RECORD.set_fields()) == {
        "status", "attendees", "external_attendees", "recurrence", "series_key"}


def test_what_stands_beside_the_record_is_read():
    found = read_event(FULL, folder="C", marker="m")
    assert found == EventItem(
        graph_id="E=", folder="C", etag='W/"1"', data=RECORD,
        created_at=datetime(2026, 11, 20, 8, 0, 0, 123456, tzinfo=UTC),
        changed_at=datetime(2026, 11, 21, 8, tzinfo=UTC),
        marker="m", ical_uid="040000", is_organizer=True, organizer="ada@brightwell.example",
        organizer_name="Ada Lindqvist", attendees=(
            Attendee("ben@brightwell.example", "Ben", "required", "tentative"),
            Attendee("room@brightwell.example", "", "resource", "none"), Attendee("", "Nobody", "optional", "none")),
        answer="organizer", transaction_id="t-1")
    assert found.kept == KeptEvent(FULL["body"]["content"], False, *["W. Europe Standard Time"] * 2)
    assert not found.kept.holds_join_block
    assert "Kick-off" not in repr(found) and "brightwell" not in repr(found) and "Ben" not in repr(found)


def test_everything_that_is_asked_for_is_in_the_sample():
    assert set(SELECT) <= set(FULL)


@pytest.mark.parametrize(("changes", "field", "value"), [
    ({"start": at("2026-11-24T09:00:00")}, "start", START),
    ({"start": at("2026-11-24T09:00:00.0000000", None)}, "start", START),
    ({"start": at("2026-11-24T10:00:00.0000000", "W. Europe Standard Time")}, "start", START),
    ({"start": at("2026-11-24T10:00:00", "Europe/Vienna")}, "start", START),
    ({"start": at("2026-11-24T10:00:00.0000000+01:00", "tzone://Microsoft/Custom")}, "start", START),
    ({"start": at("2026-11-24T09:00:00.0000000Z")}, "start", START),
    ({"start": at("2026-11-24T09:00")}, "start", START),
    ({"start": at("2026-11-24T09:00:00.1234567")}, "start", START.replace(microsecond=123456)),
    ({"originalStartTimeZone": "tzone://Microsoft/Custom"}, "time_zone", None),
    ({"originalStartTimeZone": "Customized Time Zone"}, "time_zone", None),
    ({"originalStartTimeZone": ""}, "time_zone", None),
    ({"originalStartTimeZone": None}, "time_zone", None),
    ({"originalStartTimeZone": "Europe/Vienna"}, "time_zone", "Europe/Vienna"),
    ({"sensitivity": "normal"}, "private", False), ({"sensitivity": "personal"}, "private", True),
    ({"sensitivity": "Confidential"}, "private", True), ({"sensitivity": None}, "private", False),
    ({"showAs": "unknown"}, "show_as", None), ({"showAs": "Oof"}, "show_as", "oof"),
    ({"showAs": "new"}, "show_as", None),
    ({"isReminderOn": False}, "reminder_minutes", None), ({"isReminderOn": None}, "reminder_minutes", None),
    ({"reminderMinutesBeforeStart": 0}, "reminder_minutes", 0),
    ({"reminderMinutesBeforeStart": -5}, "reminder_minutes", 0),
    ({"reminderMinutesBeforeStart": None}, "reminder_minutes", 0),
    ({"isCancelled": True}, "status", Status.CANCELLED), ({"isCancelled": None}, "status", UNSET),
    ({"subject": None}, "subject", None), ({"subject": ""}, "subject", None), ({"location": {}}, "location", None),
    ({"location": None}, "location", None), ({"location": {"displayName": ""}}, "location", None),
    ({"categories": None}, "categories", ()), ({"body": None}, "body", None),
    ({"body": {"contentType": "text", "content": "a < b\r\n c"}}, "body", "a < b\n c"),
    ({"body": {"contentType": "html", "content": None}}, "body", None),
])
def test_forms_of_values(changes, field, value):
    assert getattr(to_record(item(**changes)), field) == value


@pytest.mark.parametrize(("start", "end", "days"), [
    ("2026-11-24T00:00:00.0000000", "2026-11-25T00:00:00.0000000", (date(2026, 11, 24), date(2026, 11, 24))),
    ("2026-11-24T00:00:00.0000000", "2026-11-27T00:00:00.0000000", (date(2026, 11, 24), date(2026, 11, 26))),
    ("2026-11-24T00:00:00", "2026-11-24T00:00:00", (date(2026, 11, 24), date(2026, 11, 24))),
    ("2026-11-24T01:00:00", "2026-11-25T01:00:00", (date(2026, 11, 24), date(2026, 11, 25))),
    ("2026-11-24", "2026-11-25", (date(2026, 11, 24), date(2026, 11, 24))),
])
@pytest.mark.parametrize("zone", ["UTC", "W. Europe Standard Time", "Mars", "Tonga Standard Time"])
def test_CAL_01_days_are_days_in_every_zone(start, end, days, zone):
    record = to_record(item(isAllDay=True, start=at(start, zone), end=at(end, zone)))
    assert (record.start, record.end, record.all_day) == (*days, True)


def test_what_is_missing_is_not_mapped():
    record = to_record({"id": "1"})
    assert list(record.set_fields()) == []
    assert to_record(without("body", "categories")) == RECORD.only(set(EVENT_FIELDS) - {"body", "categories"})


@pytest.mark.parametrize("changes", [
    {"subject": 1}, {"body": "text"}, {"body": {"content": 1}}, {"start": "2026-11-24"}, {"start": at("tomorrow")},
    {"start": at("2026-11-24T09:00:00", "Mars Standard Time")}, {"start": at(None)},
    {"start": at("2026-02-30T00:00:00")},
    {"isAllDay": "yes"}, {"location": "Room"}, {"location": {"displayName": 4}}, {"categories": "Red"},
    {"sensitivity": 1}, {"isReminderOn": 1}, {"reminderMinutesBeforeStart": "15"}, {"reminderMinutesBeforeStart": True},
    {"attendees": {"x": 1}}, {"attendees": "ben"}, {"iCalUId": 1}, {"isCancelled": "no"},
    {"start": at("0001-01-01T00:00:00+14:00")}, {"seriesMasterId": 5},
])
def test_SYNC_03_an_odd_value_breaks_one_item_and_tells_no_contents(changes):
    found = read_event(item(**changes))
    assert isinstance(found, BrokenItem) and found.graph_id == "E="
    assert next(iter(changes)) in found.reason
    assert "Kick-off" not in found.reason and "Mars" not in found.reason


@pytest.mark.parametrize("entry", [None, 5, "x", [], {}, {"id": None}, {"id": ""}, {"id": 7}])
def test_an_entry_without_an_id_is_broken(entry):
    assert read_event(entry) == BrokenItem("", "Microsoft sent an entry without an id.")


def test_a_removal_is_a_removal():
    assert read_event({"id": "E", "@removed": {"reason": "deleted"}}) == RemovedItem("E")


REDUCED = {"@odata.type": "#microsoft.graph.event", "@odata.etag": 'W/"1"', "id": "O", "seriesMasterId": "M",
           "type": "occurrence", "start": at("2026-11-24T09:00:00.0000000"), "end": at("2026-11-24T10:30:00.0000000")}


def test_a_reduced_occurrence_is_its_masters():
    assert read_event(REDUCED) == OccurrenceItem("O", "M", START, END, "occurrence")
    assert read_event({**REDUCED, "type": "exception"}).kind == "exception"
    assert isinstance(read_event(item(type="occurrence", seriesMasterId="M")), EventItem)
    assert isinstance(read_event({**REDUCED, "start": 5}), BrokenItem)


@pytest.mark.parametrize(("changes", "kind"), [
    ({}, "single"), ({"type": "SeriesMaster"}, "master"), ({"type": "exception", "seriesMasterId": "M"}, "exception"),
    ({"type": None, "recurrence": {"pattern": {}}}, "master"), ({"type": None, "seriesMasterId": "M"}, "occurrence"),
    ({"type": None}, "single"), ({"type": "new kind"}, "single"),
])
def test_kinds(changes, kind):
    assert read_event(item(**changes)).kind == kind


@pytest.mark.parametrize(("changes", "is_organizer", "answer"), [
    ({}, True, "organizer"), ({"isOrganizer": False, "responseStatus": {"response": "accepted"}}, False, "accepted"),
    ({"isOrganizer": None}, True, "organizer"),
    ({"isOrganizer": None, "responseStatus": None}, False, "none"),
    ({"responseStatus": {"response": "notResponded"}}, True, "none"), ({"responseStatus": "odd"}, True, "none"),
    ({"responseStatus": {"response": "declined"}}, True, "declined"),
])
def test_who_organises_and_what_was_answered(changes, is_organizer, answer):
    found = read_event(item(**changes))
    assert (found.is_organizer, found.answer) == (is_organizer, answer)


def test_an_exception_tells_where_it_belongs():
    found = read_event(item(type="exception", seriesMasterId="M", originalStart="2026-11-24T09:00:00Z"))
    assert (found.master_id, found.original_start) == ("M", START)


def test_the_marker_of_the_answer_counts():
    marked = [{"id": IDENTITY_PROPERTY.lower(), "value": "there"}]
    assert read_event(item(singleValueExtendedProperties=marked), marker="given").marker == "there"


# Writing

def test_CAL_01_every_field_is_written():
    body = to_new_json(RECORD.values())
    assert body == {
        "subject": "Kick-off", "body": {"contentType": "html", "content": "one<br>\ntwo"},
        "start": at("2026-11-24T10:00:00.000000", "W. Europe Standard Time"),
        "end": at("2026-11-24T11:30:00.000000", "W. Europe Standard Time"), "isAllDay": False,
        "location": {"displayName": "Room 4"}, "sensitivity": "private", "showAs": "workingElsewhere",
        "isReminderOn": True, "reminderMinutesBeforeStart": 15, "categories": ["blue", "Red"]}


def test_a_creation_leaves_out_what_is_empty_but_says_that_no_reminder_is_wanted():
    empty = {"subject": "x", "body": None, "location": None, "categories": (), "show_as": None, "private": False,
             "reminder_minutes": None, "start": START, "end": END}
    assert to_new_json(empty) == {
        "subject": "x", "start": at("2026-11-24T09:00:00.000000"), "end": at("2026-11-24T10:30:00.000000"),
        "isAllDay": False, "isReminderOn": False, "sensitivity": "normal"}


@rules.rule("CAL-04")
@pytest.mark.parametrize(("values", "body"), [
    ({}, {}), ({"subject": UNSET}, {}), ({"subject": "x"}, {"subject": "x"}), ({"subject": None}, {"subject": ""}),
    ({"location": None}, {"location": {"displayName": ""}}), ({"categories": ()}, {"categories": []}),
    ({"show_as": None}, {"showAs": "unknown"}), ({"show_as": "OOF"}, {"showAs": "oof"}),
    ({"show_as": "on the moon"}, {"showAs": "unknown"}),
    ({"reminder_minutes": None}, {"isReminderOn": False}),
    ({"reminder_minutes": 0}, {"isReminderOn": True, "reminderMinutesBeforeStart": 0}),
    ({"private": False}, {"sensitivity": "normal"}),
    ({"private": True}, {}),                                   # it is private already, perhaps confidential
    ({"status": Status.CANCELLED, "attendees": ("a@b",), "external_attendees": (), "series_key": "x"}, {}),
    ({"time_zone": "Europe/Vienna"}, {}),                      # another name of the same zone moves nothing
    ({"time_zone": None}, {}),
    ({"body": None}, {"body": {"contentType": "html", "content": ""}}),
    ({"subject": "a\x00b"}, {"subject": "ab"}),
])
def test_CAL_04_only_what_changed_is_sent(values, body):
    assert to_json(values, RECORD) == body


# Series

WEEKLY = {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "sunday",
                      "month": 0, "dayOfMonth": 0, "index": "first"},
          "range": {"type": "endDate", "startDate": "2026-11-24", "endDate": "2026-12-29", "numberOfOccurrences": 0,
                    "recurrenceTimeZone": "W. Europe Standard Time"}}
RULE = "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261229T090000Z"


@pytest.mark.parametrize(("changes", "rule"), [
    ({"recurrence": WEEKLY}, RULE),
    ({"recurrence": {**WEEKLY, "range": {"type": "noEnd", "startDate": "2026-11-24"}}}, "FREQ=WEEKLY;BYDAY=TU"),
    ({"recurrence": {"pattern": {"type": "by the moon"}, "range": {}}}, UNSET),
    ({"recurrence": None}, None),
    ({"recurrence": WEEKLY, "isAllDay": True, "start": at("2026-11-24T00:00:00"), "end": at("2026-11-25T00:00:00")},
     "FREQ=WEEKLY;BYDAY=TU;UNTIL=20261229"),
    ({"recurrence": WEEKLY, "start": None}, UNSET),
])
def test_REC_01_a_masters_rule_is_read(changes, rule):
    assert to_record(item(type="seriesMaster", **changes)).recurrence == rule


def test_only_masters_have_a_rule():
    assert to_record(item(recurrence=None)).recurrence is UNSET
    assert to_record(item(type="occurrence", seriesMasterId="M")).recurrence is UNSET


@rules.rule("REC-02")
def test_REC_02_a_series_is_created_in_its_own_zone():
    body = to_new_json({**RECORD.values(), "recurrence": RULE})
    assert body["start"]["timeZone"] == "W. Europe Standard Time"
    assert body["recurrence"] == {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday"},
        "range": {"type": "endDate", "startDate": "2026-11-24", "endDate": "2026-12-29"}}
    days = to_new_json({"start": date(2026, 11, 24), "end": date(2026, 11, 24), "all_day": True,
                        "recurrence": "FREQ=DAILY;COUNT=3"})
    assert days["recurrence"]["range"] == {"type": "numbered", "startDate": "2026-11-24", "numberOfOccurrences": 3}


@rules.rule("REC-02")
def test_REC_02_a_new_rule_goes_out_with_the_start_that_it_counts_from():
    body = to_json({"recurrence": "FREQ=DAILY"}, RECORD)
    assert set(body) == {"start", "end", "isAllDay", "recurrence"}
    assert body["recurrence"]["range"] == {"type": "noEnd", "startDate": "2026-11-24"}
    assert to_json({"recurrence": None}, RECORD)["recurrence"] is None


@rules.rule("REC-02")
@pytest.mark.parametrize("values", [
    {"recurrence": "FREQ=MONTHLY;BYMONTHDAY=31"}, {"recurrence": "FREQ=HOURLY"}, {"recurrence": "nonsense"},
    {"recurrence": "FREQ=DAILY", "time_zone": "Antarctica/Troll"},
    {"recurrence": "FREQ=DAILY", "start": datetime(2026, 10, 25, 0, 30, tzinfo=UTC)},
])
def test_REC_02_what_outlook_cannot_do_is_refused_before_anything_is_sent(values):
    with pytest.raises(Inexpressible):
        to_json(values, RECORD)


def test_CAL_01_a_series_is_never_moved_into_utc():
    series = EventData(**{**RECORD.values(), "recurrence": RULE})
    with pytest.raises(Inexpressible, match="twice"):
        to_json({"start": datetime(2026, 10, 25, 0, 30, tzinfo=UTC)}, series)
    assert "start" in to_json({"start": START + timedelta(minutes=5)}, series)
    with pytest.raises(Inexpressible):
        to_new_json({"start": START, "end": END, "recurrence": RULE})
    assert to_new_json({"start": START, "end": END, "time_zone": "UTC", "recurrence": RULE})["recurrence"]


def test_a_field_that_does_not_exist_is_a_mistake():
    with pytest.raises(KeyError):
        to_json({"title": "x"})


ZONE, LONDON = "W. Europe Standard Time", "GMT Standard Time"


@rules.rule("CAL-01")
@pytest.mark.parametrize(("values", "current", "names", "start", "end"), [
    ({"start": START + timedelta(minutes=15)}, RECORD, (ZONE, ZONE), ("10:15", ZONE), ("11:30", ZONE)),
    ({"end": END + timedelta(minutes=15)}, RECORD, ("", ""), ("10:00", ZONE), ("11:45", ZONE)),
    ({"time_zone": "Europe/London"}, RECORD, (ZONE, ZONE), ("09:00", LONDON), ("10:30", LONDON)),
    # the start moves past the end: the event is as long as before
    ({"start": START + timedelta(hours=3)}, RECORD, (ZONE, ZONE), ("13:00", ZONE), ("14:30", ZONE)),
    ({"start": END, "end": START}, RECORD, (ZONE, ZONE), ("11:30", ZONE), ("11:30", ZONE)),
    # the name that Microsoft used stays
    ({"start": START}, RECORD, ("Europe/Vienna", "Europe/Vienna"), ("10:00", "Europe/Vienna"),
     ("11:30", "Europe/Vienna")),
    # a flight ends in another zone
    ({"start": START}, RECORD, (ZONE, "GMT Standard Time"), ("10:00", ZONE), ("10:30", "GMT Standard Time")),
    ({"start": START, "time_zone": "Asia/Tokyo"}, RECORD, (ZONE, "GMT Standard Time"),
     ("18:00", "Tokyo Standard Time"), ("19:30", "Tokyo Standard Time")),
    # a custom zone is never written back
    ({"start": START}, EventData(start=START, end=END, time_zone=None), ("tzone://Microsoft/Custom",) * 2,
     ("09:00", "UTC"), ("10:30", "UTC")),
    ({"start": START}, RECORD, (ZONE, "Customized Time Zone"), ("10:00", ZONE), ("11:30", ZONE)),
    ({"start": START, "time_zone": "Antarctica/Troll"}, RECORD, (ZONE, ZONE), ("09:00", "UTC"), ("10:30", "UTC")),
    # one of two equal hours: both ends in UTC
    ({"start": datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "end": datetime(2026, 10, 25, 5, tzinfo=UTC)}, RECORD,
     (ZONE, ZONE), ("00:30", "UTC"), ("05:00", "UTC")),
])
def test_CAL_01_the_parts_of_a_time_go_out_together(values, current, names, start, end):
    body = to_json(values, current, zone_names=names)
    assert set(body) == {"start", "end", "isAllDay"} and body["isAllDay"] is False
    for member, (clock, zone) in (("start", start), ("end", end)):
        assert (body[member]["dateTime"][11:16], body[member]["timeZone"]) == (clock, zone)


@rules.rule("CAL-01")
@pytest.mark.parametrize(("values", "current", "first", "after"), [
    ({"start": date(2026, 11, 24), "end": date(2026, 11, 24), "all_day": True}, RECORD, "2026-11-24", "2026-11-25"),
    ({"all_day": True}, RECORD, "2026-11-24", "2026-11-25"),
    ({"end": date(2026, 11, 26)}, EventData(start=date(2026, 11, 24), end=date(2026, 11, 24), all_day=True),
     "2026-11-24", "2026-11-27"),
    ({"start": date(2026, 12, 1)}, EventData(start=date(2026, 11, 24), end=date(2026, 11, 25), all_day=True),
     "2026-12-01", "2026-12-03"),
    ({"start": date(2026, 12, 1)}, None, "2026-12-01", "2026-12-02"),
])
def test_CAL_01_days_are_written_as_midnights(values, current, first, after):
    body = to_json(values, current, zone_names=(ZONE, ZONE))
    assert (body["start"]["dateTime"], body["end"]["dateTime"], body["isAllDay"]) == (
        f"{first}T00:00:00.000000", f"{after}T00:00:00.000000", True)
    assert body["start"]["timeZone"] == body["end"]["timeZone"]


def test_CAL_01_an_event_of_days_can_become_one_of_hours():
    days = EventData(start=date(2026, 11, 24), end=date(2026, 11, 24), all_day=True, time_zone="Europe/Vienna")
    body = to_json({"start": START, "end": END, "all_day": False}, days)
    assert body == {"start": at("2026-11-24T10:00:00.000000", ZONE), "end": at("2026-11-24T11:30:00.000000", ZONE),
                    "isAllDay": False}


@rules.rule("CAL-02")
def test_CAL_02_notes_are_not_written_over_a_join_block_nor_when_they_are_the_same():
    assert to_json({"body": "one\ntwo"}, RECORD, html_now=FULL["body"]["content"]) == {}
    assert to_json({"body": "three"}, RECORD, html_now="<p>one</p>", keeps_body=True) == {}
    assert "body" in to_json({"body": "three"}, RECORD, html_now="<p>one</p>")


@pytest.mark.parametrize(("changes", "holds"), [
    ({}, False), ({"isOnlineMeeting": True}, True), ({"onlineMeetingUrl": "https://x.example"}, True),
    ({"onlineMeeting": {"joinUrl": "https://x.example"}}, True),
    *(({"body": {"contentType": "html", "content": f"<a href='https://{link}'>x</a>"}}, True) for link in (
        "teams.microsoft.com/l/meetup-join/19%3ameeting", "teams.microsoft.com/meet/123", "teams.live.com/meet/9",
        "gov.teams.microsoft.us/l/meetup-join/1", "us02web.zoom.us/j/123", "acme.webex.com/meet/x",
        "meet.google.com/abc-defg-hij")),
    ({"body": {"contentType": "html", "content": "We use Teams and zoom.us, see https://microsoft.com"}}, False),
])
def test_the_way_into_a_meeting_is_noticed(changes, holds):
    assert read_event(item(**changes)).kept.holds_join_block is holds


def test_attendees_are_written_once_each_and_without_answers():
    assert attendees_json([Attendee("a@b", "A", "optional", "accepted"), Attendee("", "Nobody"), Attendee("A@b")]) == [
        {"type": "required", "emailAddress": {"address": "A@b"}}]
    assert attendees_json([Attendee("a@b", "A", "optional", "accepted")]) == [
        {"type": "optional", "emailAddress": {"address": "a@b", "name": "A"}}]
    assert attendees_json(()) == []


# There and back

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))


@rules.rule("SYNC-06")
@given(st.fixed_dictionaries({
    "subject": st.text(), "body": st.text(), "start": INSTANTS, "location": st.text(), "private": st.booleans(),
    "show_as": st.sampled_from([None, "free", "tentative", "busy", "oof", "workingElsewhere"]),
    "reminder_minutes": st.none() | st.integers(0, 10_000), "categories": st.lists(st.text()),
}))
def test_what_is_written_reads_the_same(values):
    wanted = EventData(**values, end=values["start"] + timedelta(hours=1), all_day=False)
    body = to_json(wanted.values())
    read = to_record({**body, "sensitivity": body["sensitivity"], "originalStartTimeZone": "UTC"})
    wanted_text = to_record({"body": {"contentType": "text", "content": wanted.body}}).body
    assert read.only(set(values) - {"body"}) == wanted.only(set(values) - {"body"})
    assert read.body == wanted_text


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: (
    st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(
        ["dateTime", "timeZone", "displayName", "content", "address", "emailAddress", "response"]), inner, max_size=2)))


@given(st.dictionaries(st.sampled_from([*SELECT, "type"]), JSON, max_size=6))
def test_no_item_of_any_shape_stops_the_reading(changes):
    found = read_event({**FULL, **changes})
    assert isinstance(found, (EventItem, BrokenItem, OccurrenceItem))
    with contextlib.suppress(Unreadable):
        to_record({**FULL, **changes})
