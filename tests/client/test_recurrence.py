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

from opencrm_ms365.errors import RecordError
from opencrm_ms365.graph.wire.recurrence import Inexpressible, to_json, to_recurrence
from opencrm_ms365.records.recurrence import LAST, SUNDAY, Frequency, Recurrence
from opencrm_ms365.records.recurrence_text import parse, text_of
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
    value = to_recurrence(json)
    # Outlook moves the start of the master to the first occurrence.
    start = datetime.combine(expected[0], time(10), zone) if zone else expected[0]
    assert rules_days(text_of(value, start), expected[0], zone) == expected
    assert outlooks_days(to_json(value, expected[0])) == expected
    assert to_recurrence(to_json(value, expected[0])) == value


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
    try:
        json = to_json(parse(rule, datetime.combine(start, time(10), UTC)), start)
    except RecordError as error:
        assert error.reason.endswith(".")
        return
    expected = rules_days(rule.replace("UNTIL=20301231T100000Z", "UNTIL=20301231T235959"), start)
    if not expected:  # Outlook refuses a series without any occurrence
        with pytest.raises(outlook.Refusal):
            outlooks_days(json)
        return
    assert outlooks_days(json) == expected


@pytest.mark.parametrize(("pattern", "value"), [
    ({"type": "daily"}, {"frequency": Frequency.DAILY}),
    ({"type": "daily", "month": 0, "dayOfMonth": 0, "index": "first", "firstDayOfWeek": "sunday", "daysOfWeek": []},
     {"frequency": Frequency.DAILY}),
    ({"type": "weekly", "daysOfWeek": ["friday", "Monday"]}, {"frequency": Frequency.WEEKLY, "weekdays": (0, 4)}),
    ({"type": "absoluteMonthly", "dayOfMonth": 15}, {"frequency": Frequency.MONTHLY, "day": 15}),
    ({"type": "absoluteMonthly", "dayOfMonth": 30}, {"frequency": Frequency.MONTHLY, "day": 30, "clamps": True}),
    ({"type": "relativeMonthly", "daysOfWeek": ["tuesday"], "index": "last"},
     {"frequency": Frequency.MONTHLY, "weekdays": (1,), "position": LAST}),
    ({"type": "relativeMonthly", "daysOfWeek": NAMES[:5]},
     {"frequency": Frequency.MONTHLY, "weekdays": (0, 1, 2, 3, 4), "position": 1}),
    ({"type": "relativeMonthly", "daysOfWeek": NAMES, "index": "last"},
     {"frequency": Frequency.MONTHLY, "day": 31, "clamps": True}),
    ({"type": "relativeMonthly", "daysOfWeek": NAMES, "index": "third"}, {"frequency": Frequency.MONTHLY, "day": 3}),
    ({"type": "absoluteYearly", "dayOfMonth": 29, "month": 2},
     {"frequency": Frequency.YEARLY, "day": 29, "month": 2, "clamps": True}),
    ({"type": "absoluteYearly", "dayOfMonth": 31, "month": 4}, {"frequency": Frequency.YEARLY, "day": 30, "month": 4}),
    ({"type": "relativeYearly", "daysOfWeek": ["thursday"], "index": "fourth", "month": 11},
     {"frequency": Frequency.YEARLY, "weekdays": (3,), "position": 4, "month": 11}),
])
def test_patterns(pattern, value):
    json = {"pattern": {"interval": 1, **pattern}, "range": {"type": "noEnd", "startDate": "2026-01-01"}}
    assert to_recurrence(json) == Recurrence(**value)


def test_the_week_begins_on_sunday_if_microsoft_does_not_say():
    pattern = {"type": "weekly", "interval": 2, "daysOfWeek": ["monday"]}
    assert to_recurrence({"pattern": pattern, "range": {"type": "noEnd"}}).week_start == SUNDAY
    assert to_recurrence({"pattern": {**pattern, "firstDayOfWeek": "thursday"}, "range": {"type": "noEnd"}}
                         ).week_start == 3


def test_only_what_is_needed_is_sent():
    assert to_json(Recurrence(frequency=Frequency.DAILY, interval=2, count=3), date(2026, 11, 24)) == {
        "pattern": {"type": "daily", "interval": 2},
        "range": {"type": "numbered", "startDate": "2026-11-24", "numberOfOccurrences": 3}}
    weekly = Recurrence(frequency=Frequency.WEEKLY, weekdays=(1,), until=date(2026, 12, 31))
    assert to_json(weekly, date(2026, 11, 24)) == {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"], "firstDayOfWeek": "monday"},
        "range": {"type": "endDate", "startDate": "2026-11-24", "endDate": "2026-12-31"}}


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
    with pytest.raises(Inexpressible) as caught:
        to_recurrence(json)
    assert caught.value.reason.startswith("Microsoft")


@pytest.mark.parametrize("value", [
    {"frequency": Frequency.MONTHLY, "day": 31}, {"frequency": Frequency.MONTHLY, "day": 29},
    {"frequency": Frequency.YEARLY, "day": 29, "month": 2}, {"frequency": Frequency.DAILY, "interval": 1000},
    {"frequency": Frequency.DAILY, "until": date(2026, 11, 23)},
])
def test_what_outlook_cannot_say_is_refused_with_a_reason(value):
    with pytest.raises(Inexpressible, match="recurrence"):
        to_json(Recurrence(**value), date(2026, 11, 24))
