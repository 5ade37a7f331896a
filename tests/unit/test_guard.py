"""How many deletions at once are believable, at the bounds (ORG-13)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.guard import DeletionGuard, vanished
from tests.rules import rule


@pytest.mark.parametrize(("deletions", "records", "stops"), [
    (0, 0, False), (0, 100, False),
    (10, 10, False),            # not more than ten
    (11, 11, True),
    (10, 49, False), (11, 54, True),
    (11, 55, False),            # exactly a fifth is not more than a fifth
    (11, 56, False),
    (20, 100, False), (21, 100, True),
    (200, 1000, False), (201, 1000, True),
    (11, 0, True),
])
@rule("ORG-13")
def test_both_bounds_must_be_exceeded(deletions, records, stops):
    assert DeletionGuard(percent=20, minimum=10).stops(deletions, records) is stops


@rule("ORG-13")
@pytest.mark.parametrize(("percent", "minimum", "deletions", "stops"), [
    (0, 0, 1, True), (0, 0, 0, False), (100, 0, 100, False), (0, 10, 11, True), (33, 0, 33, False), (33, 0, 34, True),
])
def test_the_bounds_are_settings(percent, minimum, deletions, stops):
    assert DeletionGuard(percent=percent, minimum=minimum).stops(deletions, 100) is stops


@rule("ORG-13")
@given(st.integers(0, 100), st.integers(0, 50), st.integers(0, 300), st.integers(0, 300))
def test_more_deletions_are_never_more_believable(percent, minimum, deletions, records):
    guard = DeletionGuard(percent=percent, minimum=minimum)
    assert not guard.stops(deletions, records) or guard.stops(deletions + 1, records)


@pytest.mark.parametrize(("missing", "linked", "verdict"), [
    (0, 0, False), (3, 3, False), (4, 4, True), (2, 4, False), (3, 4, True), (50, 100, False), (51, 100, True),
    (100, 100, True), (0, 100, False),
])
@rule("ORG-13")
def test_a_crm_that_suddenly_shows_less_than_half_is_not_believed(missing, linked, verdict):
    assert vanished(missing, linked) is verdict
