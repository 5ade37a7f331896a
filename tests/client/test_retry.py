"""Whether to repeat and how long to wait: tables."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.graph.retry import GiveUp, Wait, back_off, decide, retry_after

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
IN_SEVEN = "Sun, 22 Nov 2026 10:00:07 GMT"


@pytest.mark.parametrize(("method", "status", "headers", "attempt", "expected"), [
    # reads: anything that may pass
    ("GET", 429, {"Retry-After": "3"}, 1, Wait(3)),
    ("GET", 429, {"retry-after": "2.128"}, 1, Wait(2.128)),
    ("GET", 429, {"Retry-After": IN_SEVEN}, 1, Wait(7)),
    ("GET", 503, {"Retry-After": "3"}, 1, Wait(3)),
    ("GET", 504, {}, 1, Wait(1)),
    ("GET", 500, {}, 2, Wait(2)),
    ("GET", 502, {}, 3, Wait(4)),
    ("GET", None, {}, 1, Wait(1)),
    ("GET", 0, {}, 1, Wait(1)),
    ("GET", 429, {"Retry-After": "0"}, 1, Wait(0)),
    # too long, too often
    ("GET", 429, {"Retry-After": "21"}, 1, GiveUp(21)),
    ("GET", 429, {"Retry-After": "1"}, 5, GiveUp(1)),
    ("GET", None, {}, 4, GiveUp(None)),
    # what no waiting cures
    ("GET", 400, {}, 1, GiveUp(None)),
    ("GET", 403, {}, 1, GiveUp(None)),
    ("GET", 404, {}, 1, GiveUp(None)),
    ("GET", 410, {}, 1, GiveUp(None)),
    ("GET", 501, {}, 1, GiveUp(None)),
    # writes: only what was certainly not carried out
    ("POST", 429, {"Retry-After": "3"}, 1, Wait(3)),
    ("PATCH", 429, {}, 1, Wait(1)),
    ("POST", 0, {}, 1, Wait(1)),
    ("POST", None, {}, 1, GiveUp(None)),
    ("PATCH", None, {}, 1, GiveUp(None)),
    ("POST", 503, {"Retry-After": "3"}, 1, GiveUp(3)),
    ("PATCH", 504, {}, 1, GiveUp(None)),
    ("POST", 500, {}, 1, GiveUp(None)),
    # deleting twice is deleting
    ("DELETE", None, {}, 1, Wait(1)),
    ("DELETE", 503, {}, 1, Wait(1)),
])
def test_the_table(method, status, headers, attempt, expected):
    assert decide(method, status, headers, attempt, now=NOW) == expected


def test_a_batch_of_reads_is_repeated_like_a_read():
    assert decide("POST", 503, {}, 1, now=NOW, safe=True) == Wait(1)


def test_waiting_stays_within_the_budget_over_all_attempts():
    assert decide("GET", 429, {"Retry-After": "8"}, 2, now=NOW, waited_s=13) == GiveUp(8)
    assert decide("GET", 429, {"Retry-After": "7"}, 2, now=NOW, waited_s=13) == Wait(7)


@pytest.mark.parametrize(("value", "seconds"), [
    ("5", 5), (" 5 ", 5), ("0.5", 0.5), ("-3", 0), ("nonsense", None), ("", None), ("nan", None), ("inf", None),
    ("1e12", 6 * 3600), (IN_SEVEN, 7), ("Sun, 22 Nov 2026 09:59:00 GMT", 0), ("Sun, 99 Foo 2026", None),
    ("Sunday, 22-Nov-26 10:00:07 GMT", 7),
])
def test_retry_after_in_every_spelling(value, seconds):
    assert retry_after({"Retry-After": value}, NOW) == seconds


def test_a_date_is_counted_from_the_date_of_the_answer():
    headers = {"Retry-After": IN_SEVEN, "Date": "Sun, 22 Nov 2026 10:00:02 GMT"}
    assert retry_after(headers, datetime(2030, 1, 1, tzinfo=UTC)) == 5


@given(st.text(max_size=40))
def test_no_header_breaks_it(value):
    seconds = retry_after({"Retry-After": value}, NOW)
    assert seconds is None or 0 <= seconds <= 6 * 3600


@given(st.integers(1, 1000), st.floats(0, 1))
def test_backing_off_is_bounded(attempt, spread):
    assert 0.7 < back_off(attempt, spread) < 200
