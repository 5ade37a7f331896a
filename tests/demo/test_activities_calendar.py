"""The calendar: what its feed says, moving by dragging, and the week that is there without scripts."""

import datetime
import json
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from demo_crm.crm.models import Activity

UTC, LONDON, BERLIN = datetime.UTC, ZoneInfo("Europe/London"), ZoneInfo("Europe/Berlin")
FEED, PAGE = "/calendar/feed/", "/calendar/"
WEEK = {"start": "2026-11-23T00:00", "end": "2026-11-30T00:00"}


def made(people, owner="ada", users=(), **values):
    values = {"kind": "meeting", "subject": "Staircase", "start": datetime.datetime(2026, 11, 24, 9, tzinfo=UTC),
              "end": datetime.datetime(2026, 11, 24, 10, tzinfo=UTC), "time_zone": "Europe/London", **values}
    activity = Activity.objects.create(assigned_to=people[owner], **values)
    activity.users.set([people[name] for name in users])
    return activity


def midnights(first, last, zone=LONDON):
    return {"all_day": True, "time_zone": zone.key, "start": datetime.datetime(*first, tzinfo=zone),
            "end": datetime.datetime(*last, tzinfo=zone)}


def entries(browser, **query):
    return browser.get(FEED, {**WEEK, **query}).json()


@pytest.mark.parametrize(("zone", "start", "end"), [
    (None, "2026-11-24T09:00:00", "2026-11-24T10:00:00"), ("Asia/Tokyo", "2026-11-24T18:00:00", "2026-11-24T19:00:00"),
    ("America/New_York", "2026-11-24T04:00:00", "2026-11-24T05:00:00")])
def test_times_are_on_the_clock_of_the_person(zone, start, end, signed_in, people):
    made(people)
    browser = signed_in("ada")
    if zone:
        browser.cookies["time_zone"] = zone
    (entry,) = entries(browser)
    assert (entry["start"], entry["end"], entry["allDay"]) == (start, end, False)


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Tokyo", "America/Los_Angeles"])
def test_whole_days_are_the_same_everywhere(zone, signed_in, people):
    made(people, **midnights((2026, 11, 24), (2026, 11, 26), BERLIN))
    browser = signed_in("ada")
    browser.cookies["time_zone"] = zone
    (entry,) = entries(browser)
    assert (entry["start"], entry["end"], entry["allDay"]) == ("2026-11-24", "2026-11-27", True)


@pytest.mark.parametrize(("values", "is_there"), [
    ({}, True),
    ({"start": datetime.datetime(2026, 11, 20, 9, tzinfo=UTC)}, True),                                 # reaches into it
    ({"start": datetime.datetime(2026, 11, 20, tzinfo=UTC), "end": None}, False),
    ({"start": datetime.datetime(2026, 12, 2, tzinfo=UTC), "end": datetime.datetime(2026, 12, 3, tzinfo=UTC)}, False),
    (midnights((2026, 11, 20), (2026, 11, 23)), True),                                                 # its last day
    (midnights((2026, 11, 18), (2026, 11, 20)), False),
    ({"start": None, "end": None}, False),
    ({"kind": "task", "end": None}, True),
])
def test_what_is_in_the_asked_time(values, is_there, signed_in, people):
    made(people, **values)
    assert bool(entries(signed_in("ada"))) is is_there


def test_the_team_and_ones_own(signed_in, people):
    made(people, subject="Mine")
    made(people, owner="ben", subject="Ben's")
    made(people, owner="cleo", subject="Cleo's")
    made(people, owner="cleo", subject="Cleo's with me", users=("ada",))
    browser = signed_in("ada")
    assert {entry["title"] for entry in entries(browser)} == {"Mine", "Ben's", "Cleo's with me"}
    assert {entry["title"] for entry in entries(browser, whose="mine")} == {"Mine", "Cleo's with me"}
    names = {entry["title"]: entry["classNames"] for entry in entries(browser)}
    assert "is-others" in names["Ben's"] and "is-others" not in names["Cleo's with me"]


@pytest.mark.parametrize("query", [
    {"start": "", "end": ""}, {"start": "x", "end": "2026-01-01"}, {"start": "2026-11-30", "end": "2026-11-23"},
    {"start": "2020-01-01", "end": "2026-01-01"}, {"start": "0001-01-01", "end": "0001-01-02"},
    {"start": "2026-11-23T00:00Z", "end": "2026-11-24T00:00Z"}, {"start": "9999-12-30", "end": "9999-12-31"}])
def test_nonsense_is_answered_in_words(query, signed_in, people):
    answer = signed_in("ada").get(FEED, query)
    assert answer.status_code == 400 and answer.json()["error"].endswith(".")


def test_the_feed_costs_the_same_however_much_happens(signed_in, people, django_assert_max_num_queries):
    browser = signed_in("ada")
    for _ in range(20):
        made(people, users=("ben", "cleo"))
    with django_assert_max_num_queries(6):
        assert len(entries(browser)) == 20


# -- dragging


def drag(browser, activity, **asked):
    return browser.post(reverse("crm:activity-move", args=[activity.pk]), json.dumps({"all_day": False, **asked}),
                        content_type="application/json")


def times_of(activity):
    activity.refresh_from_db()
    return activity.start, activity.end, activity.all_day


def test_a_dragged_meeting_keeps_its_length_and_its_zone(signed_in, people):
    meeting = made(people, time_zone="Asia/Tokyo", users=("ben",))
    before = meeting.updated_at
    browser = signed_in("ada")
    browser.cookies["time_zone"] = "Europe/Berlin"
    answer = drag(browser, meeting, start="2026-11-26T14:30")
    assert answer.json()["start"] == "2026-11-26T14:30:00"
    assert times_of(meeting) == (datetime.datetime(2026, 11, 26, 14, 30, tzinfo=BERLIN),
                                 datetime.datetime(2026, 11, 26, 15, 30, tzinfo=BERLIN), False)
    assert meeting.time_zone == "Asia/Tokyo" and meeting.updated_at > before and meeting.users.count() == 1


def test_a_stretched_meeting_has_the_new_end(signed_in, people):
    meeting = made(people)
    drag(signed_in("ada"), meeting, start="2026-11-24T09:00", end="2026-11-24T12:15")
    assert times_of(meeting)[1] == datetime.datetime(2026, 11, 24, 12, 15, tzinfo=UTC)


def test_an_open_end_stays_open(signed_in, people):
    call = made(people, kind="call", end=None)
    drag(signed_in("ada"), call, start="2026-11-25T10:00")
    assert times_of(call)[1] is None


def test_days_that_are_dragged_keep_their_number(signed_in, people):
    fair = made(people, **midnights((2026, 11, 24), (2026, 11, 26), BERLIN))
    drag(signed_in("ada"), fair, start="2026-11-30T00:00", all_day=True)
    assert times_of(fair) == (datetime.datetime(2026, 11, 30, tzinfo=BERLIN),
                              datetime.datetime(2026, 12, 2, tzinfo=BERLIN), True)
    drag(signed_in("ada"), fair, start="2026-11-30T00:00", end="2026-12-01T00:00", all_day=True)
    assert times_of(fair)[1] == datetime.datetime(2026, 11, 30, tzinfo=BERLIN)


def test_between_whole_days_and_hours(signed_in, people):
    meeting = made(people)
    drag(signed_in("ada"), meeting, start="2026-11-25T00:00", all_day=True)
    day = datetime.datetime(2026, 11, 25, tzinfo=LONDON)
    assert times_of(meeting) == (day, day, True)
    drag(signed_in("ada"), meeting, start="2026-11-25T15:00")
    assert times_of(meeting) == (day.replace(hour=15), day.replace(hour=16), False)


@pytest.mark.parametrize("asked", [
    {"start": "x"}, {"start": None}, {"start": "2026-11-24T12:00", "end": "2026-11-24T11:00"}, {"start": 5},
    {"start": "2026-11-24", "all_day": "yes"}, {"start": "2026-11-24", "end": "2026-11-24", "all_day": True}, {}])
def test_what_makes_no_sense_moves_nothing(asked, signed_in, people):
    meeting = made(people)
    before = times_of(meeting)
    answer = drag(signed_in("ada"), meeting, **asked)
    assert answer.status_code == 400 and answer.json()["error"]
    assert times_of(meeting) == before


def test_what_is_no_json_moves_nothing(signed_in, people):
    address = reverse("crm:activity-move", args=[made(people).pk])
    for body in ("", "[]", "{", "null"):
        assert signed_in("ada").post(address, body, content_type="application/json").status_code == 400
    assert signed_in("ada").get(address).status_code == 405


def test_a_task_does_not_last_whole_days(signed_in, people):
    assert drag(signed_in("ada"), made(people, kind="task"), start="2026-11-25", all_day=True).status_code == 400


@pytest.mark.parametrize(("who", "status"), [("ada", 200), ("ben", 200), ("cleo", 404), ("dora", 404), ("root", 200)])
def test_who_sees_a_meeting_may_move_it(who, status, signed_in, people):
    assert drag(signed_in(who), made(people), start="2026-11-25T10:00").status_code == status


def test_the_feed_and_moving_want_a_sign_in_and_a_token(people):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    meeting = made(people)
    assert drag(browser, meeting, start="2026-11-25T10:00").status_code == 403
    browser.force_login(people["ada"])
    assert drag(browser, meeting, start="2026-11-25T10:00").status_code == 403


# -- without scripts


def test_the_week_is_a_list_of_days(signed_in, people):
    made(people, subject="Late", start=datetime.datetime(2026, 11, 24, 22, tzinfo=UTC),
         end=datetime.datetime(2026, 11, 25, 1, tzinfo=UTC))
    made(people, subject="Until midnight", start=datetime.datetime(2026, 11, 26, 22, tzinfo=UTC),
         end=datetime.datetime(2026, 11, 27, 0, tzinfo=UTC))
    made(people, subject="Fair", **midnights((2026, 11, 29), (2026, 12, 3)))
    made(people, subject="Sunday before", start=datetime.datetime(2026, 11, 22, 9, tzinfo=UTC), end=None)
    answer = signed_in("ada").get(PAGE, {"day": "2026-11-25"})
    week = {day.day: [item.title for item in items] for day, items in answer.context["week"] if items}
    assert week == {24: ["Late"], 25: ["Late"], 26: ["Until midnight"], 29: ["Fair"]}


@pytest.mark.parametrize("day", ["", "x", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_a_day_that_there_is_not_is_today(day, signed_in, people):
    assert signed_in("ada").get(PAGE, {"day": day}).status_code == 200
