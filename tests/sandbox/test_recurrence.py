"""The days of a series against another implementation (python-dateutil), wherever the two mean the same."""

from datetime import date, datetime, time
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.sandbox import recurrence

rrule = pytest.importorskip("dateutil.rrule")
FREQUENCIES = {"daily": rrule.DAILY, "weekly": rrule.WEEKLY, "absoluteMonthly": rrule.MONTHLY,
               "relativeMonthly": rrule.MONTHLY, "absoluteYearly": rrule.YEARLY, "relativeYearly": rrule.YEARLY}
starts = st.dates(date(1990, 1, 1), date(2100, 1, 1))
days = st.lists(st.sampled_from(recurrence.DAYS), min_size=1, max_size=7, unique=True)


@st.composite
def patterns(draw):
    """A pattern; days of the month that every month has."""
    return {
        "type": draw(st.sampled_from(sorted(FREQUENCIES))), "interval": draw(st.integers(1, 6)),
        "daysOfWeek": draw(days), "firstDayOfWeek": draw(st.sampled_from(recurrence.DAYS)),
        "index": draw(st.sampled_from(recurrence.INDEXES)), "dayOfMonth": draw(st.integers(1, 28)),
        "month": draw(st.integers(1, 12)),
    }


def same_rule(pattern, begin):
    """The pattern as a rule of RFC 5545."""
    kind = pattern["type"]
    more = {}
    if kind == "weekly":
        more = {"wkst": recurrence.DAYS.index(pattern["firstDayOfWeek"])}
    if kind in ("weekly", "relativeMonthly", "relativeYearly"):
        more["byweekday"] = [recurrence.DAYS.index(day) for day in pattern["daysOfWeek"]]
    if kind.startswith("relative"):
        place = recurrence.INDEXES.index(pattern["index"])
        more["bysetpos"] = -1 if pattern["index"] == "last" else place + 1
    if kind.startswith("absolute"):
        more["bymonthday"] = pattern["dayOfMonth"]
    if kind.endswith("Yearly"):
        more["bymonth"] = pattern["month"]
    return rrule.rrule(FREQUENCIES[kind], interval=pattern["interval"], dtstart=datetime.combine(begin, time()), **more)


@pytest.mark.facts("15.23")
@given(patterns(), starts)
def test_15_23_the_days_are_those_of_the_standard(pattern, begin):
    found = recurrence.days({"pattern": pattern, "range": {"type": "noEnd", "startDate": begin.isoformat()}})
    assert list(islice(found, 8)) == [moment.date() for moment in islice(same_rule(pattern, begin), 8)]


@pytest.mark.facts("15.23")
@given(patterns(), starts, st.integers(1, 12))
def test_15_23_a_series_that_begins_with_its_first_day_is_the_same(pattern, begin, count):
    """A master answers the day of its first occurrence as its start: sent back, nothing may change."""
    span = {"type": "numbered", "startDate": begin.isoformat(), "numberOfOccurrences": count}
    rule = {"pattern": pattern, "range": span}
    first = recurrence.first(rule).isoformat()
    assert list(recurrence.days(rule)) == list(recurrence.days({"pattern": pattern, "range": {
        **span, "startDate": first}}))
