"""The occurrences of a series: when they are, by what they are known, where one may be moved."""

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.series import Occurrence, Series, crossing, expand, rekeyed
from opencrm_ms365.records.recurrence import Frequency, Recurrence
from opencrm_ms365.records.recurrence_text import parse
from tests.rules import rule
from tests.unit.test_recurrence import starts, values, zones

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
START = datetime(2026, 10, 19, 9, tzinfo=BERLIN)                     # a Monday, a week before winter time begins


def series(text="FREQ=WEEKLY;BYDAY=MO", start=START):
    return Series(parse(text, start), start)


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


# When

@rule("REC-01", "CAL-01")
def test_the_time_of_day_stays_over_the_end_of_summer_time():
    assert [item.start for item in islice(series().occurrences(), 3)] == [
        utc(2026, 10, 19, 7), utc(2026, 10, 26, 8), utc(2026, 11, 2, 8)]


@rule("CAL-01")
def test_a_time_that_a_day_skips_is_an_hour_later():
    nightly = series("FREQ=DAILY;COUNT=3", datetime(2027, 3, 13, 2, 30, tzinfo=NEW_YORK))
    local = [item.start.astimezone(NEW_YORK).strftime("%d %H:%M") for item in nightly.occurrences()]
    assert local == ["13 02:30", "14 03:30", "15 02:30"]


def test_whole_days_are_days():
    days = series("FREQ=DAILY;COUNT=2", date(2026, 12, 31))
    assert list(days.occurrences()) == [
        Occurrence("2026-12-31", date(2026, 12, 31)), Occurrence("2027-01-01", date(2027, 1, 1))]
    assert days.zone is None and days.key_of(date(2027, 1, 1)) == "2027-01-01"


@rule("SYNC-02", "REC-01")
def test_the_bounds_of_a_window_are_inside():
    weekly = series()
    found = weekly.between(utc(2026, 10, 26, 8), utc(2026, 11, 9, 8))
    assert [item.key for item in found] == ["2026-10-26", "2026-11-02", "2026-11-09"]
    assert weekly.between(utc(2026, 10, 26, 8, 1), utc(2026, 11, 9, 7, 59)) == found[1:2]
    assert weekly.between(utc(2026, 1, 1), utc(2026, 10, 19, 6, 59)) == ()


def test_a_window_of_days_and_a_window_for_days():
    assert [item.key for item in series().between(date(2026, 10, 26), date(2026, 10, 26))] == ["2026-10-26"]
    days = series("FREQ=DAILY", date(2026, 12, 1))
    assert [item.key for item in days.between(utc(2026, 12, 3), utc(2026, 12, 4, 23))] == ["2026-12-03", "2026-12-04"]


def test_occurrences_are_counted_from_one():
    weekly = series("FREQ=WEEKLY;BYDAY=MO;COUNT=3")
    assert weekly.nth(1).key == "2026-10-19" and weekly.nth(3).key == "2026-11-02"
    assert weekly.nth(4) is None and weekly.nth(0) is None


def test_a_series_without_a_zone_is_a_mistake_of_ours():
    with pytest.raises(ValueError):
        Series(Recurrence(frequency=Frequency.DAILY), datetime(2026, 1, 1))


# Keys

@rule("REC-05")
def test_an_occurrence_is_known_by_its_original_day_in_the_zone_of_the_series():
    late = series("FREQ=DAILY", datetime(2026, 10, 19, 23, 30, tzinfo=NEW_YORK))
    assert late.key_of(utc(2026, 10, 20, 3, 30)) == "2026-10-19"
    assert late.key_of(datetime(2026, 10, 20, 5, 30, tzinfo=BERLIN)) == "2026-10-19"
    assert late.nth(2) == Occurrence("2026-10-20", utc(2026, 10, 21, 3, 30))


def test_whether_a_rule_has_an_occurrence():
    weekly = series("FREQ=WEEKLY;BYDAY=MO;COUNT=3")
    assert weekly.has("2026-10-26")
    assert not weekly.has("2026-10-27") and not weekly.has("2026-11-09") and not weekly.has("2020-01-06")


def test_neighbours_leave_out_what_was_removed():
    weekly = series("FREQ=WEEKLY;BYDAY=MO;COUNT=4")
    keys = [tuple(item and item.key for item in weekly.neighbours(*args)) for args in (
        ("2026-10-26",), ("2026-10-19",), ("2026-11-09",), ("2026-10-26", {"2026-11-02"}), ("2026-10-28",))]
    assert keys == [("2026-10-19", "2026-11-02"), (None, "2026-10-26"), ("2026-11-02", None),
                    ("2026-10-19", "2026-11-09"), ("2026-10-26", "2026-11-02")]


# Moving

@rule("REC-05")
@pytest.mark.parametrize(("to", "moved", "removed", "may"), [
    (utc(2026, 10, 26, 15), {}, (), True),                             # another time of its day
    (utc(2026, 10, 20, 8), {}, (), True), (utc(2026, 11, 1, 8), {}, (), True),
    (utc(2026, 10, 19, 15), {}, (), False),                            # the day of the one before
    (utc(2026, 11, 2, 8), {}, (), False),                              # the day of the one after
    (utc(2026, 10, 12, 8), {}, (), False), (utc(2026, 11, 20, 8), {}, (), False),
    (utc(2026, 11, 1, 22, 59), {}, (), True),                          # still Sunday in Berlin
    (utc(2026, 11, 1, 23), {}, (), False),                             # Monday in Berlin
    (utc(2026, 11, 2, 8), {"2026-11-02": utc(2026, 11, 4, 8)}, (), True),      # its neighbour was moved on
    (utc(2026, 10, 29, 8), {"2026-11-02": utc(2026, 10, 28, 8)}, (), False),   # ... or towards it
    (utc(2026, 11, 4, 8), {}, ("2026-11-02",), True),                  # its neighbour is no more
    (utc(2026, 11, 9, 8), {}, ("2026-11-02",), False),
])
def test_a_move_past_a_neighbour_is_refused_in_plain_words(to, moved, removed, may):
    reason = crossing(series(), "2026-10-26", to, moved=moved, removed=removed)
    assert (reason == "") is may
    assert may or reason.startswith("This occurrence cannot be moved to 2026-1")


@rule("REC-05")
def test_the_first_and_the_last_may_be_moved_outwards_as_far_as_one_likes():
    weekly = series("FREQ=WEEKLY;BYDAY=MO;COUNT=2")
    assert crossing(weekly, "2026-10-19", utc(2020, 1, 1)) == "" == crossing(weekly, "2026-10-26", utc(2030, 1, 1))


# Activities

@rule("REC-01", "REC-03", "SYNC-02")
def test_a_window_is_filled_and_nothing_outside_it_is_touched():
    found = expand(series(), utc(2026, 10, 25), utc(2026, 11, 16, 8), removed={"2026-11-09"},
                   existing={"2026-10-12", "2026-10-26", "2026-10-27", "2026-11-09", "2027-01-01"})
    assert [item.key for item in found.make] == ["2026-11-02", "2026-11-16"]
    assert found.surplus == ("2026-10-27", "2026-11-09")


@rule("SYNC-05", "REC-01")
@given(values, starts, zones, st.integers(0, 400))
def test_a_window_that_was_filled_needs_nothing(value, start, zone, days):
    made = Series(value, start.replace(tzinfo=zone))
    first = made.start.astimezone(UTC) + timedelta(days=days)
    last = first + timedelta(days=60)
    found = expand(made, first, last, existing=())
    keys = {item.key for item in found.make}
    assert len(keys) == len(found.make) and all(first <= item.start <= last for item in found.make)
    again = expand(made, first, last, existing=keys)
    assert again.make == () and again.surplus == ()
    assert all(made.key_of(item.start) == item.key for item in found.make)


# A changed rule

TUESDAY = START + timedelta(days=1)


@rule("REC-06")
@pytest.mark.parametrize(("after", "expected"), [
    (series("FREQ=WEEKLY;BYDAY=MO", START + timedelta(hours=2)),                       # another time of day
     {"2026-10-19": "2026-10-19", "2026-10-26": "2026-10-26", "2026-11-09": "2026-11-09"}),
    (series("FREQ=WEEKLY;BYDAY=MO,WE"),                                                # a day more in the week
     {"2026-10-19": "2026-10-19", "2026-10-26": "2026-10-26", "2026-11-09": "2026-11-09"}),
    (series("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"), {"2026-10-19": "2026-10-19"}),         # every second one only
    (series("FREQ=WEEKLY;BYDAY=TU", TUESDAY),                                          # another day
     {"2026-10-19": "2026-10-20", "2026-10-26": "2026-10-27", "2026-11-09": "2026-11-10"}),
    (series("FREQ=WEEKLY;BYDAY=TU;COUNT=2", TUESDAY), {"2026-10-19": "2026-10-20", "2026-10-26": "2026-10-27"}),
])
def test_occurrences_stay_who_they_are_when_the_series_changes(after, expected):
    assert rekeyed(series(), after, {"2026-10-19", "2026-10-26", "2026-11-09"}) == expected


def test_an_activity_that_never_was_an_occurrence_becomes_none():
    assert rekeyed(series(), series("FREQ=WEEKLY;BYDAY=TU", TUESDAY), {"2026-10-21"}) == {}
    assert rekeyed(series(), series(), ()) == {}


@rule("REC-06")
@given(values, values, starts, starts, st.integers(0, 10))
def test_two_occurrences_never_become_one(before, after, start, later, number):
    old, new = Series(before, start.replace(tzinfo=BERLIN)), Series(after, later.replace(tzinfo=BERLIN))
    keys = {item.key for item in islice(old.occurrences(), number)}
    found = rekeyed(old, new, keys)
    assert set(found) <= keys and len(set(found.values())) == len(found) and all(map(new.has, found.values()))
