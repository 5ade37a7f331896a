"""Series of events: patterns, occurrences, exceptions."""

from datetime import date
from itertools import islice

import pytest

from opencrm_ms365.sandbox import recurrence

from .person import Person, code

VIEW = "startDateTime=2026-10-01T00:00:00Z&endDateTime=2027-01-01T00:00:00Z"


@pytest.fixture
def ada(sandbox, base_url, tenant):
    return Person(sandbox, base_url, sandbox.add_user(tenant, "ada@brightwell.example", "Ada Lindqvist"),
                  "User.Read Calendars.ReadWrite")


@pytest.fixture
def ben(sandbox, base_url, tenant):
    return Person(sandbox, base_url, sandbox.add_user(tenant, "ben@brightwell.example", "Ben Okafor"),
                  "User.Read Calendars.ReadWrite")


def series(day="2026-10-19", zone="Europe/Berlin", pattern=None, span=None, **more):
    """By default four Mondays at nine."""
    return {"subject": "Round", "start": {"dateTime": f"{day}T09:00:00", "timeZone": zone},
            "end": {"dateTime": f"{day}T10:00:00", "timeZone": zone}, "recurrence": {
                "pattern": pattern or {"type": "weekly", "interval": 1, "daysOfWeek": ["monday"]},
                "range": {"startDate": day, **(span or {"type": "numbered", "numberOfOccurrences": 4})}}, **more}


def parts(person, made):
    return person.get(f"/me/events/{made['id']}/instances?{VIEW}").json()["value"]


def starts(items):
    return [item["start"]["dateTime"][:16] for item in items]


@pytest.mark.facts("15.23")
@pytest.mark.parametrize("pattern, begin, expected", [
    ({"type": "daily", "interval": 3}, "2026-01-30", ["2026-01-30", "2026-02-02", "2026-02-05"]),
    ({"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "sunday"]}, "2026-01-05",
     ["2026-01-05", "2026-01-18", "2026-01-19"]),
    ({"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "sunday"], "firstDayOfWeek": "monday"}, "2026-01-05",
     ["2026-01-05", "2026-01-11", "2026-01-19"]),
    ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}, "2026-01-31",
     ["2026-01-31", "2026-02-28", "2026-03-31"]),
    ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "last"}, "2026-01-01",
     ["2026-01-27", "2026-02-24", "2026-03-31"]),
    ({"type": "relativeMonthly", "interval": 2, "index": "first",
      "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"]}, "2026-01-01",
     ["2026-01-01", "2026-03-02", "2026-05-01"]),
    ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2}, "2026-01-01",
     ["2026-02-28", "2027-02-28", "2028-02-29"]),
    ({"type": "relativeYearly", "interval": 2, "daysOfWeek": ["sunday"], "month": 3, "index": "second"}, "2026-01-01",
     ["2026-03-08", "2028-03-12", "2030-03-10"]),
])
def test_15_23_patterns(pattern, begin, expected):
    rule = {"pattern": {"index": "first", "firstDayOfWeek": "sunday", **pattern},
            "range": {"type": "noEnd", "startDate": begin}}
    assert [day.isoformat() for day in islice(recurrence.days(rule), 3)] == expected


@pytest.mark.facts("15.23")
def test_15_23_a_range_ends_by_date_or_by_number():
    rule = {"pattern": {"type": "daily", "interval": 1}, "range": {
        "type": "endDate", "startDate": "2026-01-30", "endDate": "2026-02-01"}}
    assert len(list(recurrence.days(rule))) == 3
    rule["range"] = {"type": "numbered", "startDate": "9999-12-30", "numberOfOccurrences": 5}
    assert list(recurrence.days(rule))[-1] == date(9999, 12, 31)


@pytest.mark.facts("15.23")
@pytest.mark.parametrize("pattern, span", [
    ({"type": "weekly", "interval": 1}, None),
    ({"type": "absoluteMonthly", "interval": 1}, None),
    ({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["monday"]}, None),
    ({"type": "daily", "interval": 0}, None),
    ({"type": "daily"}, None),
    ({"type": "daily", "interval": 1, "dayOfMonth": 99}, None),
    ({"type": "daily", "interval": 1}, {"type": "numbered"}),
    ({"type": "daily", "interval": 1}, {"type": "endDate", "endDate": "2026-10-01"}),
    ({"type": "daily", "interval": 1}, {"type": "noEnd", "startDate": "2026-10-20"}),
    ({"type": "weekly", "interval": 1, "daysOfWeek": ["friday"]}, {"type": "endDate", "endDate": "2026-10-20"}),
])
def test_15_23_what_is_no_recurrence_is_refused(ada, pattern, span):
    assert ada.post("/me/events", series(pattern=pattern, span=span)).status_code == 400
    assert ada.outlook.events() == []


@pytest.mark.facts("15.23")
def test_15_23_unused_values_are_filled_and_the_start_is_the_first_occurrence(ada):
    made = ada.post("/me/events", series("2026-10-15")).json()
    assert made["type"] == "seriesMaster" and made["start"]["dateTime"].startswith("2026-10-19T07:00")
    assert made["recurrence"] == {
        "pattern": {"type": "weekly", "interval": 1, "month": 0, "dayOfMonth": 0, "daysOfWeek": ["monday"],
                    "firstDayOfWeek": "sunday", "index": "first"},
        "range": {"type": "numbered", "startDate": "2026-10-19", "endDate": "0001-01-01",
                  "recurrenceTimeZone": "W. Europe Standard Time", "numberOfOccurrences": 4}}


@pytest.mark.facts("15.23")
def test_15_23_occurrences_keep_their_time_over_daylight_saving(ada):
    made = ada.post("/me/events", series()).json()
    found = parts(ada, made)
    assert starts(found) == ["2026-10-19T07:00", "2026-10-26T08:00", "2026-11-02T08:00", "2026-11-09T08:00"]
    assert {item["type"] for item in found} == {"occurrence"} and {item["seriesMasterId"] for item in found} == {
        made["id"]}
    assert found[0]["originalStart"] == "2026-10-19T07:00:00Z" and found[0]["recurrence"] is None
    assert found[0]["iCalUId"] == made["iCalUId"]
    assert starts(ada.get(f"/me/calendarView?{VIEW}").json()["value"]) == starts(found)
    assert [item["id"] for item in ada.get("/me/events").json()["value"]] == [made["id"]]


@pytest.mark.facts("15.23")
def test_15_23_occurrence_ids_go_with_the_original_day(ada, sandbox):
    made = ada.post("/me/events", series()).json()
    before = [item["id"] for item in parts(ada, made)]
    assert [item["id"] for item in parts(ada, made)] == before
    assert ada.get(f"/me/events/{before[1]}").json()["start"]["dateTime"].startswith("2026-10-26")
    ada.patch(f"/me/events/{made['id']}", series("2026-10-20", pattern={
        "type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]}))
    after = {item["id"] for item in parts(ada, made)}
    assert after.isdisjoint(before) and code(ada.get(f"/me/events/{before[1]}")) == (404, "ErrorItemNotFound")
    default = ada.get(f"/me/events/{made['id']}/instances?{VIEW}", prefer=None).json()["value"][0]["id"]
    assert ada.get(f"/me/events/{default}").json()["id"] in after
    sandbox.options.occurrence_uid = "own"
    assert len({item["iCalUId"] for item in parts(ada, made)}) == 4


@pytest.mark.facts("15.23", "15.24")
def test_15_24_exceptions_and_cancelled_occurrences_of_a_master(ada):
    made = ada.post("/me/events", series()).json()
    found = parts(ada, made)
    changed = ada.patch(f"/me/events/{found[1]['id']}", {"subject": "Elsewhere"}).json()
    assert (changed["type"], changed["seriesMasterId"]) == ("exception", made["id"])
    assert changed["originalStart"] == "2026-10-26T08:00:00Z" and changed["id"] == found[1]["id"]
    assert ada.delete(f"/me/events/{found[2]['id']}").status_code == 204
    assert code(ada.get(f"/me/events/{found[2]['id']}")) == (404, "ErrorItemNotFound")
    assert [item["subject"] for item in parts(ada, made)] == ["Round", "Elsewhere", "Round"]
    path = f"/me/events/{made['id']}"
    full = ada.get(f"{path}?$select=subject,cancelledOccurrences,exceptionOccurrences&$expand=exceptionOccurrences")
    assert full.json()["cancelledOccurrences"] == [f"OID.{made['id']}.2026-11-02"]
    assert [item["subject"] for item in full.json()["exceptionOccurrences"]] == ["Elsewhere"]
    assert "cancelledOccurrences" not in ada.get(path).json()
    ada.patch(path, {"location": {"displayName": "Yard"}, "subject": "All"})
    again = parts(ada, made)
    assert [item["subject"] for item in again] == ["All", "Elsewhere", "All"]
    assert {item["location"]["displayName"] for item in again} == {"Yard"}


@pytest.mark.facts("15.23")
@pytest.mark.parametrize("day, is_allowed", [
    ("2026-10-27", True), ("2026-11-01", True), ("2026-11-02", False), ("2026-11-20", False), ("2026-10-19", False)])
def test_15_23_an_occurrence_does_not_cross_its_neighbours(ada, day, is_allowed):
    made = ada.post("/me/events", series()).json()
    second = parts(ada, made)[1]["id"]
    answer = ada.patch(f"/me/events/{second}", {
        name: {"dateTime": f"{day}T{hour}:00:00", "timeZone": "Europe/Berlin"}
        for name, hour in (("start", "11"), ("end", "12"))})
    assert answer.status_code == (200 if is_allowed else 400)
    if not is_allowed:
        assert code(answer) == (400, "ErrorOccurrenceCrossingBoundary")
        assert {item["type"] for item in parts(ada, made)} == {"occurrence"}


@pytest.mark.facts("15.23")
def test_15_23_a_part_of_a_series_has_no_recurrence(ada):
    made = ada.post("/me/events", series()).json()
    second = parts(ada, made)[1]["id"]
    assert ada.patch(f"/me/events/{second}", {"recurrence": made["recurrence"]}).status_code == 400
    single = ada.patch(f"/me/events/{made['id']}", {"recurrence": None}).json()
    assert (single["type"], single["recurrence"]) == ("singleInstance", None)
    assert ada.get(f"/me/events/{second}").status_code == 404
    assert ada.get(f"/me/events/{made['id']}/instances?{VIEW}").status_code == 400


@pytest.mark.facts("15.19", "15.21", "15.23")
def test_a_series_of_meetings_is_in_both_calendars(ada, ben, sandbox):
    made = ada.post("/me/events", series(attendees=[{"emailAddress": {"address": "ben@brightwell.example"}}])).json()
    assert [mail.kind for mail in sandbox.mails] == ["invitation"]
    copy, = ben.get("/me/events").json()["value"]
    assert starts(parts(ben, copy)) == starts(parts(ada, made))
    mine, theirs = parts(ada, made), parts(ben, copy)
    ada.patch(f"/me/events/{mine[1]['id']}", {"subject": "Elsewhere"})
    ada.post(f"/me/events/{mine[2]['id']}/cancel", {"comment": "Snow"})
    sandbox.clear_mails()
    again = parts(ben, copy)
    assert [item["subject"] for item in again] == ["Round", "Elsewhere", "Canceled: Round", "Round"]
    assert [item["isCancelled"] for item in again] == [False, False, True, False]
    ben.post(f"/me/events/{theirs[0]['id']}/accept")
    assert parts(ada, made)[0]["attendees"][0]["status"]["response"] == "accepted"
    assert ada.get(f"/me/events/{made['id']}").json()["attendees"][0]["status"]["response"] == "none"
    sandbox.clear_mails()
    ada.delete(f"/me/events/{made['id']}")
    assert [mail.kind for mail in sandbox.mails] == ["cancellation"]
    assert ben.get("/me/events").json()["value"][0]["isCancelled"]
