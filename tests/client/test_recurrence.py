"""Recurrence rules and Microsoft's patterns: the same days on both sides, or a reason why not.

What an RRULE means says python-dateutil; what Microsoft's JSON means says the sandbox.
"""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from opencrm_ms365.graph.wire.recurrence import Inexpressible, to_json, to_rrule
from opencrm_ms365.sandbox import recurrence as outlook
from tests import rules

VIENNA = ZoneInfo("Europe/Vienna")
NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CODES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
MANY = 60


def outlooks_days(json):
    stored = outlook.stored(json, {"dateTime": f"{json['range']['startDate']}T10:00:00", "timeZone": "UTC"})
    return list(islice(outlook.days(stored), MANY))


def rules_days(rule, start, zone=None):
    """The days of an RRULE that starts at ten, in a zone or of whole days."""
    first = datetime.combine(start, time(10 if zone else 0), zone)
    return [at.date() for at in islice(rrulestr(rule, dtstart=first), MANY)]


INTERVALS, DATES = st.integers(1, 6), st.integers(1, 31)
ZONES = st.sampled_from([None, VIENNA, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/New_York"), UTC])
WEEKDAYS = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
INDEXES = st.sampled_from(["first", "second", "third", "fourth", "last"])
PATTERNS = st.one_of(
    st.fixed_dictionaries({"type": st.just("daily"), "interval": INTERVALS}),
    st.fixed_dictionaries({"type": st.just("weekly"), "interval": INTERVALS, "daysOfWeek": WEEKDAYS},
                          optional={"firstDayOfWeek": st.sampled_from(NAMES)}),
    st.fixed_dictionaries({"type": st.just("absoluteMonthly"), "interval": INTERVALS, "dayOfMonth": DATES}),
    st.fixed_dictionaries({"type": st.just("relativeMonthly"), "interval": INTERVALS, "daysOfWeek": WEEKDAYS},
                          optional={"index": INDEXES}),
    st.fixed_dictionaries({"type": st.just("absoluteYearly"), "interval": INTERVALS, "dayOfMonth": DATES,
                           "month": st.integers(1, 12)}),
    st.fixed_dictionaries({"type": st.just("relativeYearly"), "interval": INTERVALS, "daysOfWeek": WEEKDAYS,
                           "month": st.integers(1, 12)}, optional={"index": INDEXES}))
STARTS = st.dates(date(2023, 1, 1), date(2029, 1, 1))


def ranges(start, last, count):
    begin = start.isoformat()
    return st.sampled_from([
        {"type": "noEnd", "startDate": begin}, {"type": "numbered", "startDate": begin, "numberOfOccurrences": count},
        {"type": "endDate", "startDate": begin, "endDate": (start + timedelta(days=last)).isoformat()}])


@st.composite
def recurrences(draw):
    start = draw(STARTS)
    span = draw(ranges(start, draw(st.integers(0, 4000)), draw(st.integers(1, 40))))
    return {"pattern": draw(PATTERNS), "range": span}


@rules.rule("CAL-01")
@given(recurrences(), ZONES)
@settings(deadline=None)
def test_CAL_01_a_series_of_outlooks_takes_place_on_the_same_days_in_the_crm(json, zone):
    try:
        expected = outlooks_days(json)
    except outlook.Refusal:
        assume(False)
    rule = to_rrule(json, zone)
    # Outlook moves the start of the master to the first occurrence.
    assert rules_days(rule, expected[0], zone) == expected
    again = to_json(rule, datetime.combine(expected[0], time(10), zone) if zone else expected[0])
    assert outlooks_days(again) == expected


@st.composite
def rrules(draw):
    parts = [f"FREQ={draw(st.sampled_from(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']))}"]
    more = {
        "INTERVAL": INTERVALS, "WKST": st.sampled_from(CODES), "BYMONTH": numbers(1, 12), "BYMONTHDAY": numbers(-3, 31),
        "BYSETPOS": st.sampled_from(["1", "2", "4", "-1", "-2", "1,-1"]),
        "BYDAY": st.lists(st.builds("{}{}".format, st.sampled_from(["", "", "", "1", "4", "5", "-1", "-2", "+2"]),
                                    st.sampled_from(CODES)), min_size=1, max_size=7).map(",".join),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(more)), unique=True, max_size=3))
    parts += [f"{name}={draw(more[name])}" for name in chosen]
    end = draw(st.sampled_from(["", "COUNT=12", "UNTIL=20301231T100000Z", "UNTIL=20301231"]))
    return ";".join([*parts, end] if end else parts)


def numbers(lowest, highest):
    one = st.integers(lowest, highest).filter(bool)
    return st.one_of(one.map(str), st.lists(one, min_size=1, max_size=3).map(lambda found: ",".join(map(str, found))))


@rules.rule("CAL-01")
@given(rrules(), STARTS)
@settings(deadline=None)
def test_CAL_01_a_series_of_the_crm_takes_place_on_the_same_days_in_outlook_or_not_at_all(rule, start):
    if len(rule.split("UNTIL=")[-1]) == 8:
        first = start
    else:
        first = datetime.combine(start, time(10), UTC)
    try:
        json = to_json(rule, first)
    except Inexpressible as error:
        assert error.reason.endswith(".")
        return
    expected = rules_days(rule.replace("UNTIL=20301231T100000Z", "UNTIL=20301231T235959"), start)
    if not expected:  # Outlook refuses a series without any occurrence
        with pytest.raises(outlook.Refusal):
            outlooks_days(json)
        return
    assert outlooks_days(json) == expected


@pytest.mark.parametrize(("json", "rule"), [
    ({"type": "daily", "interval": 1}, "FREQ=DAILY"),
    ({"type": "daily", "interval": 3, "month": 0, "dayOfMonth": 0, "index": "first", "firstDayOfWeek": "sunday"},
     "FREQ=DAILY;INTERVAL=3"),
    ({"type": "weekly", "interval": 2, "daysOfWeek": ["friday", "monday"], "firstDayOfWeek": "monday"},
     "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=MO"),
    ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 15}, "FREQ=MONTHLY;BYMONTHDAY=15"),
    ({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 30}, "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1"),
    ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["tuesday"], "index": "last"}, "FREQ=MONTHLY;BYDAY=-1TU"),
    ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": NAMES[:5], "index": "first"},
     "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1"),
    ({"type": "relativeMonthly", "interval": 1, "daysOfWeek": NAMES, "index": "last"}, "FREQ=MONTHLY;BYMONTHDAY=-1"),
    ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 29, "month": 2},
     "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1"),
    ({"type": "absoluteYearly", "interval": 1, "dayOfMonth": 30, "month": 4}, "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=30"),
    ({"type": "relativeYearly", "interval": 1, "daysOfWeek": ["thursday"], "index": "fourth", "month": 11},
     "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
])
def test_patterns(json, rule):
    assert to_rrule({"pattern": json, "range": {"type": "noEnd", "startDate": "2026-01-01"}}, VIENNA) == rule


@pytest.mark.parametrize(("span", "zone", "end"), [
    ({"type": "noEnd"}, VIENNA, ""), ({"type": "numbered", "numberOfOccurrences": 7}, VIENNA, ";COUNT=7"),
    ({"type": "endDate", "endDate": "2026-07-31"}, VIENNA, ";UNTIL=20260731T215959Z"),
    ({"type": "endDate", "endDate": "2026-12-31"}, VIENNA, ";UNTIL=20261231T225959Z"),
    ({"type": "endDate", "endDate": "2026-12-31"}, None, ";UNTIL=20261231"),
])
def test_ends(span, zone, end):
    rule = to_rrule({"pattern": {"type": "daily", "interval": 1}, "range": {"startDate": "2026-01-01", **span}}, zone)
    assert rule == f"FREQ=DAILY{end}"


@pytest.mark.parametrize(("until", "last"), [
    ("20261231T225959Z", "2026-12-31"), ("20261231T090000Z", "2026-12-31"), ("20261231T085959Z", "2026-12-30"),
    ("20261231T100000", "2026-12-31"), ("20261231T095959", "2026-12-30"), ("20261231", "2026-12-31"),
    ("20261231T230000Z", "2026-12-31"),
])
def test_the_last_day_is_that_of_the_last_occurrence_that_can_begin(until, last):
    json = to_json(f"RRULE:FREQ=DAILY;UNTIL={until}", datetime(2026, 11, 24, 10, tzinfo=VIENNA))
    assert json["range"] == {"type": "endDate", "startDate": "2026-11-24", "endDate": last}


@pytest.mark.parametrize("json", [
    {}, {"pattern": None, "range": {"type": "noEnd"}}, {"pattern": {"type": "daily", "interval": 1}},
    *({"pattern": pattern, "range": {"type": "noEnd", "startDate": "2026-01-01"}} for pattern in (
        {"type": "hourly", "interval": 1}, {"type": "daily"}, {"type": "daily", "interval": 0},
        {"type": "daily", "interval": "1"}, {"type": "weekly", "interval": 1, "daysOfWeek": []},
        {"type": "weekly", "interval": 1, "daysOfWeek": "monday"},
        {"type": "weekly", "interval": 1, "daysOfWeek": ["day"]},
        {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 0},
        {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 1, "month": 0},
        {"type": "relativeMonthly", "interval": 1, "daysOfWeek": ["monday"], "index": "fifth"})),
    *({"pattern": {"type": "daily", "interval": 1}, "range": span} for span in (
        {"type": "later"}, {"type": "numbered", "numberOfOccurrences": 0}, {"type": "endDate", "endDate": "soon"},
        {"type": "endDate"})),
])
def test_what_microsoft_does_not_say_is_not_guessed(json):
    with pytest.raises(Inexpressible):
        to_rrule(json, VIENNA)


@pytest.mark.parametrize(("rule", "reason"), [
    ("", "cannot be read"), ("FREQ", "cannot be read"), ("FREQ=DAILY;FREQ=DAILY", "cannot be read"),
    ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "cannot be read"), ("FREQ=DAILY;INTERVAL=x", "cannot be read"),
    ("FREQ=DAILY;INTERVAL=0", "INTERVAL"), ("FREQ=DAILY;INTERVAL=5000", "INTERVAL"), ("FREQ=DAILY;COUNT=-1", "COUNT"),
    ("FREQ=DAILY;UNTIL=soon", "cannot be read"), ("FREQ=DAILY;UNTIL=20200101", "ends before"),
    ("FREQ=WEEKLY;WKST=XX", "cannot be read"), ("FREQ=WEEKLY;BYDAY=0MO", "cannot be read"),
    ("FREQ=HOURLY", "days, weeks, months or years"), ("FREQ=DAILY;BYHOUR=9", "BYHOUR"), ("X-A=1;FREQ=DAILY", "be read"),
    ("FREQ=DAILY;BYMONTH=1", "months"), ("FREQ=DAILY;INTERVAL=2;BYDAY=MO", "skip days"),
    ("FREQ=WEEKLY;BYDAY=1MO", "number"), ("FREQ=MONTHLY;BYMONTHDAY=1,15", "one day"),
    ("FREQ=MONTHLY;BYDAY=2MO,4MO", "one day"),
    ("FREQ=MONTHLY;BYDAY=5MO", "four"), ("FREQ=MONTHLY;BYMONTHDAY=31", "last day instead"),
    ("FREQ=MONTHLY;BYMONTHDAY=-2", "from the end"),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "at once"), ("FREQ=MONTHLY;BYMONTH=1,7;BYMONTHDAY=1", "one month"),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "last day instead"), ("FREQ=YEARLY;BYDAY=20MO", "need the month"),
    ("FREQ=YEARLY;BYMONTH=1,7", "one month"), ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO"),
    ("FREQ=YEARLY;BYYEARDAY=1", "BYYEAR"), ("FREQ=MONTHLY;BYMONTHDAY=1,2,3;BYSETPOS=-1", "count the days"),
    ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=1,2", "one day"), ("FREQ=MONTHLY;BYSETPOS=-1", "count the days"),
])
def test_what_outlook_cannot_say_is_refused_with_a_reason(rule, reason):
    with pytest.raises(Inexpressible, match=reason):
        to_json(rule, datetime(2026, 11, 24, 10, tzinfo=VIENNA))


def test_a_series_on_the_day_of_its_start():
    assert to_json("FREQ=WEEKLY", date(2026, 11, 24))["pattern"]["daysOfWeek"] == ["tuesday"]
    assert to_json("FREQ=MONTHLY", date(2026, 11, 24))["pattern"]["dayOfMonth"] == 24
    assert to_json("FREQ=YEARLY", date(2026, 11, 24))["pattern"] == {
        "type": "absoluteYearly", "interval": 1, "dayOfMonth": 24, "month": 11}
    with pytest.raises(Inexpressible):
        to_json("FREQ=YEARLY", date(2028, 2, 29))
