"""How often an event takes place: the value, its RRULE, and its days, compared with python-dateutil's."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from opencrm_ms365.errors import RecordError
from opencrm_ms365.records.recurrence import LAST, SUNDAY, Frequency, Recurrence
from opencrm_ms365.records.recurrence_text import parse, text_of
from tests.rules import rule

BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 12, 1, 9, 30, tzinfo=BERLIN)                  # a Tuesday
DAILY, WEEKLY, MONTHLY, YEARLY = Frequency


def of(frequency, **values):
    return Recurrence(frequency=frequency, **values)


#: RRULE -> the value, and its own text where that is another one
READ = {
    "FREQ=DAILY": (of(DAILY), None),
    "RRULE:FREQ=DAILY;INTERVAL=3;": (of(DAILY, interval=3), "FREQ=DAILY;INTERVAL=3"),
    " freq=daily;count=5 ": (of(DAILY, count=5), "FREQ=DAILY;COUNT=5"),
    "FREQ=DAILY;BYHOUR=9;BYMINUTE=30;BYSECOND=0": (of(DAILY), "FREQ=DAILY"),
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR": (of(WEEKLY, weekdays=range(5)), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
    "FREQ=WEEKLY": (of(WEEKLY, weekdays=(1,)), "FREQ=WEEKLY;BYDAY=TU"),
    "FREQ=WEEKLY;BYDAY=FR,MO,MO": (of(WEEKLY, weekdays=(0, 4)), "FREQ=WEEKLY;BYDAY=MO,FR"),
    "FREQ=WEEKLY;BYDAY=MO;WKST=SU": (of(WEEKLY, weekdays=(0,)), "FREQ=WEEKLY;BYDAY=MO"),
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU;WKST=SU": (
        of(WEEKLY, interval=2, weekdays=(0, 6), week_start=SUNDAY), None),
    "FREQ=MONTHLY": (of(MONTHLY, day=1), "FREQ=MONTHLY;BYMONTHDAY=1"),
    "FREQ=MONTHLY;BYMONTHDAY=31": (of(MONTHLY, day=31), None),
    "FREQ=MONTHLY;BYMONTHDAY=-1": (of(MONTHLY, day=31, clamps=True), None),
    "FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1": (of(MONTHLY, day=30, clamps=True), None),
    "FREQ=MONTHLY;BYDAY=2TU": (of(MONTHLY, weekdays=(1,), position=2), None),
    "FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2": (of(MONTHLY, weekdays=(1,), position=2), "FREQ=MONTHLY;BYDAY=2TU"),
    "FREQ=MONTHLY;BYDAY=-1FR": (of(MONTHLY, weekdays=(4,), position=LAST), None),
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1": (of(MONTHLY, weekdays=range(5), position=LAST), None),
    "FREQ=MONTHLY;BYDAY=MO": (of(WEEKLY, weekdays=(0,)), "FREQ=WEEKLY;BYDAY=MO"),
    "FREQ=YEARLY": (of(YEARLY, month=12, day=1), "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=1"),
    "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29": (of(YEARLY, interval=2, month=2, day=29), None),
    "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=-1": (of(YEARLY, month=4, day=30), "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=30"),
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1": (
        of(YEARLY, month=2, day=29, clamps=True), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1"),
    "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU": (of(YEARLY, month=3, weekdays=(6,), position=LAST), None),
    "FREQ=MONTHLY;BYMONTH=3;BYDAY=1MO": (
        of(YEARLY, month=3, weekdays=(0,), position=1), "FREQ=YEARLY;BYMONTH=3;BYDAY=1MO"),
    "FREQ=DAILY;UNTIL=20261224T083000Z": (of(DAILY, until=date(2026, 12, 24)), None),
    "FREQ=DAILY;UNTIL=20261224T082959Z": (of(DAILY, until=date(2026, 12, 23)), "FREQ=DAILY;UNTIL=20261223T083000Z"),
    "FREQ=DAILY;UNTIL=20261224T230000Z": (of(DAILY, until=date(2026, 12, 24)), "FREQ=DAILY;UNTIL=20261224T083000Z"),
    "FREQ=DAILY;UNTIL=20261224T093000": (of(DAILY, until=date(2026, 12, 24)), "FREQ=DAILY;UNTIL=20261224T083000Z"),
    "FREQ=DAILY;UNTIL=20261224": (of(DAILY, until=date(2026, 12, 24)), "FREQ=DAILY;UNTIL=20261224T083000Z"),
}


@rule("REC-02")
@pytest.mark.parametrize("text", READ)
def test_a_rule_is_read_and_has_one_text(text):
    value, own = READ[text]
    assert parse(text, START) == value
    assert text_of(value, START) == (own or text)
    assert parse(text_of(value, START), START) == value


def test_an_all_day_rule_ends_on_a_day():
    start = date(2026, 12, 1)
    value = parse("FREQ=DAILY;UNTIL=20261224T235959Z", start)
    assert value.until == date(2026, 12, 24) and text_of(value, start) == "FREQ=DAILY;UNTIL=20261224"


REFUSED = [
    ("", "no RRULE"), ("FREQ", "no RRULE"), ("FREQ=", "no RRULE"), ("FREQ=DAILY;FREQ=DAILY", "no RRULE"),
    ("FREQ=DAILY;INTERVAL=x", "no RRULE"), ("FREQ=DAILY;INTERVAL=1,2", "no RRULE"),
    ("FREQ=DAILY;INTERVAL=0", "below one"), ("FREQ=DAILY;COUNT=0", "below one"),
    ("FREQ=DAILY;COUNT=2;UNTIL=20271231", "both on a date"),
    ("FREQ=DAILY;UNTIL=tomorrow", "date that there is not"), ("FREQ=DAILY;UNTIL=20261332", "date that there is not"),
    ("FREQ=HOURLY", "neither daily"), ("INTERVAL=2", "neither daily"),
    ("FREQ=DAILY;BYHOUR=9,17", "other times"), ("FREQ=DAILY;BYMINUTE=0", "other times"),
    ("FREQ=DAILY;BYMONTH=1", "part of the year"), ("FREQ=DAILY;INTERVAL=2;BYDAY=MO", "some days of the week"),
    ("FREQ=WEEKLY;BYDAY=XX", "that there is not"), ("FREQ=WEEKLY;WKST=XX;INTERVAL=2", "that there is not"),
    ("FREQ=WEEKLY;BYDAY=2MO", "within a week"), ("FREQ=WEEKLY;BYSETPOS=1", "within a week"),
    ("FREQ=MONTHLY;BYDAY=5MO", "further than Outlook"), ("FREQ=MONTHLY;BYDAY=-2MO", "further than Outlook"),
    ("FREQ=MONTHLY;BYDAY=1MO,3MO", "several days"), ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1,3", "several days"),
    ("FREQ=MONTHLY;BYMONTHDAY=1,15", "several days"), ("FREQ=MONTHLY;INTERVAL=2;BYDAY=MO", "several days"),
    ("FREQ=MONTHLY;BYSETPOS=-1", "no RRULE"), ("FREQ=MONTHLY;BYMONTHDAY=-2", "last one only"),
    ("FREQ=MONTHLY;BYMONTHDAY=32", "does not have"),
    ("FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR", "at once"), ("FREQ=MONTHLY;INTERVAL=2;BYMONTH=3", "one of them"),
    ("FREQ=YEARLY;BYMONTH=1,7", "several months"), ("FREQ=YEARLY;BYMONTHDAY=15", "in which month"),
    ("FREQ=YEARLY;BYDAY=20MO", "further than Outlook"), ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "does not have"),
    ("FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=1", "which days"), ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO"),
    ("FREQ=YEARLY;BYYEARDAY=100", "BYYEARDAY"), ("FREQ=DAILY;X=1", "X,"), ("FREQ=DAILY;<script>=1", "no RRULE"),
    ("FREQ=DAILY\nEXDATE:20261202T083000Z", "more than one line"),
]


@rule("REC-02")
@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_outlook_cannot_do_is_refused_in_plain_words(text, words):
    with pytest.raises(RecordError, match=words) as caught:
        parse(text, START)
    assert caught.value.reason.startswith("The recurrence ") and caught.value.reason.endswith(".")


def test_a_start_without_a_zone_is_a_mistake_of_ours():
    with pytest.raises(ValueError):
        parse("FREQ=DAILY", START.replace(tzinfo=None))


@pytest.mark.parametrize("values", [
    {"frequency": DAILY, "day": 1}, {"frequency": WEEKLY}, {"frequency": MONTHLY}, {"frequency": MONTHLY, "day": 0},
    {"frequency": MONTHLY, "day": 1, "weekdays": (0,), "position": 1}, {"frequency": YEARLY, "day": 1},
    {"frequency": MONTHLY, "weekdays": (0,)}, {"frequency": MONTHLY, "weekdays": (0,), "position": 5},
    {"frequency": WEEKLY, "weekdays": (7,)}, {"frequency": YEARLY, "month": 2, "day": 30}])
def test_half_a_rule_is_no_rule(values):
    with pytest.raises(RecordError):
        Recurrence(**values)


# Days

#: value, first possible day -> the first days
DAYS = [
    (of(DAILY, interval=2, count=3), date(2026, 12, 30), ["2026-12-30", "2027-01-01", "2027-01-03"]),
    (of(WEEKLY, weekdays=(0,), count=2), date(2026, 12, 1), ["2026-12-07", "2026-12-14"]),
    (of(WEEKLY, interval=2, weekdays=(0, 6), week_start=SUNDAY, count=4), date(2026, 12, 1),
     ["2026-12-13", "2026-12-14", "2026-12-27", "2026-12-28"]),
    (of(WEEKLY, interval=2, weekdays=(0, 6), count=4), date(2026, 12, 1),
     ["2026-12-06", "2026-12-14", "2026-12-20", "2026-12-28"]),
    (of(MONTHLY, day=31, count=3), date(2027, 1, 31), ["2027-01-31", "2027-03-31", "2027-05-31"]),
    (of(MONTHLY, day=31, clamps=True, count=3), date(2027, 1, 31), ["2027-01-31", "2027-02-28", "2027-03-31"]),
    (of(MONTHLY, weekdays=range(5), position=LAST, count=2), date(2026, 12, 1), ["2026-12-31", "2027-01-29"]),
    (of(YEARLY, month=2, day=29, count=2), date(2026, 1, 1), ["2028-02-29", "2032-02-29"]),
    (of(YEARLY, month=2, day=29, clamps=True, count=2), date(2027, 1, 1), ["2027-02-28", "2028-02-29"]),
    (of(DAILY, until=date(2026, 12, 2)), date(2026, 12, 1), ["2026-12-01", "2026-12-02"]),
    (of(DAILY, until=date(2026, 11, 2)), date(2026, 12, 1), []),
]


@rule("REC-02")
@pytest.mark.parametrize(("value", "start", "expected"), DAYS)
def test_on_which_days_it_takes_place(value, start, expected):
    assert [day.isoformat() for day in value.days(start)] == expected


def test_an_endless_rule_ends_with_the_calendar():
    assert list(of(DAILY, interval=3).days(date(9999, 12, 30))) == [date(9999, 12, 30)]
    assert list(of(WEEKLY, weekdays=(0, 6)).days(date(9999, 12, 30))) == []
    assert list(of(MONTHLY, day=31).days(date(9999, 12, 30))) == [date(9999, 12, 31)]
    assert next(of(WEEKLY, weekdays=(6,), interval=2, week_start=SUNDAY).days(date(1, 1, 1))).year == 1
    assert of(DAILY).is_endless and not of(DAILY, count=1).is_endless


starts = st.datetimes(datetime(1995, 1, 1), datetime(2045, 1, 1)).map(lambda at: at.replace(microsecond=0, second=0))
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
some_days = st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=4, unique=True).map(",".join)
counted_day = st.builds("{}{}".format, st.sampled_from([1, 2, 3, 4, 5, -1, -2]), st.sampled_from(WEEKDAYS))
raw_rules = st.builds(
    lambda frequency, parts: ";".join([f"FREQ={frequency}", *(f"{name}={value}" for name, value in parts.items())]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.fixed_dictionaries({}, optional={
        "INTERVAL": st.integers(1, 5), "COUNT": st.integers(1, 30), "WKST": st.sampled_from(WEEKDAYS),
        "BYDAY": some_days | counted_day, "BYMONTH": st.integers(1, 12),
        "BYMONTHDAY": st.integers(-2, 31).map(str) | st.sampled_from(["28,29,30", "28,29,30,31", "29,30,31", "1,2"]),
        "BYSETPOS": st.sampled_from([1, 2, -1])}))


@rule("REC-02")
@given(raw_rules, starts)
def test_what_is_accepted_means_what_the_rule_says(text, start):
    """Whatever rule a CRM has: it is refused, or taken for the same days as others take it."""
    try:
        value = parse(text, start.replace(tzinfo=UTC))
    except RecordError:
        assume(False)
    expected = [at.date() for at in islice(rrulestr(text, dtstart=start), 12)]
    assert list(islice(value.days(start.date()), 12)) == expected


dated = st.builds(lambda day, clamps: {"day": day, "clamps": clamps}, st.integers(1, 31), st.booleans())
counted = st.builds(lambda days, place: {"weekdays": days, "position": place},
                    st.lists(st.integers(0, 6), min_size=1, max_size=7).map(tuple), st.sampled_from([1, 2, 3, 4, -1]))
last_days = st.dates(date(1995, 1, 1), date(2050, 1, 1))
ends = st.sampled_from([{}, {"count": 7}]) | last_days.map(lambda day: {"until": day})
patterns = st.one_of(
    st.just({"frequency": DAILY}),
    st.builds(lambda days, begin: {"frequency": WEEKLY, "weekdays": days, "week_start": begin},
              st.lists(st.integers(0, 6), min_size=1, max_size=7).map(tuple), st.integers(0, 6)),
    (dated | counted).map(lambda days: {"frequency": MONTHLY, **days}),
    st.builds(lambda days, month: {"frequency": YEARLY, "month": month, **days},
              dated.filter(lambda days: days["day"] < 29 or days["clamps"]) | counted, st.integers(1, 12)))
values = st.builds(lambda pattern, end, interval: Recurrence(**pattern, **end, interval=interval), patterns, ends,
                   st.integers(1, 4))
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]).map(ZoneInfo)


@rule("REC-02", "SYNC-05")
@given(values, starts, zones)
def test_a_value_that_is_written_is_read_again(value, start, zone):
    at = start.replace(tzinfo=zone)
    assert parse(text_of(value, at), at) == value
    assert parse(text_of(value, at.date()), at.date()) == value


@rule("REC-02")
@given(values, starts, zones)
def test_others_take_our_text_for_the_same_days(value, start, zone):
    at = start.replace(tzinfo=zone)
    found = list(islice(value.days(at.date()), 8))
    assume(not found or found[-1].year < 2100)
    theirs = rrulestr(text_of(value, at), dtstart=at)
    assert [moment.date() for moment in islice(theirs, 8)] == found


@given(values, starts)
def test_days_rise_and_keep_to_their_bounds(value, start):
    found = list(islice(value.days(start.date()), 10))
    assert found == sorted(set(found)) and all(day >= start.date() for day in found)
    assert value.until is None or all(day <= value.until for day in found)
    assert value.frequency is not DAILY or all(
        later - earlier == timedelta(days=value.interval) for earlier, later in pairwise(found))
