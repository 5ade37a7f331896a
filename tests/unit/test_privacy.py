"""Who sees what of a private activity: the whole table, and its laws (PRIV-02, ORG-11)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.privacy import PrivateDisplay, Sight, sight, strictest
from tests.rules import rule

HIDDEN, BUSY = PrivateDisplay.HIDDEN, PrivateDisplay.BUSY


@rule("PRIV-02", "ORG-11")
@pytest.mark.parametrize(("is_private", "takes_part", "display", "seen"), [
    (False, False, HIDDEN, Sight.FULL),
    (False, True, BUSY, Sight.FULL),
    (True, True, HIDDEN, Sight.FULL),
    (True, True, BUSY, Sight.FULL),
    (True, False, HIDDEN, Sight.HIDDEN),
    (True, False, BUSY, Sight.BLOCK),
])
def test_what_a_person_sees(is_private, takes_part, display, seen):
    participants = {"1", "2"} if takes_part else {"2"}
    assert sight("1", is_private=is_private, participants=participants, display=display) is seen


@rule("PRIV-02")
@given(st.text(), st.frozensets(st.text()), st.sampled_from(PrivateDisplay))
def test_only_participants_see_a_private_activity_in_full(viewer, participants, display):
    seen = sight(viewer, is_private=True, participants=participants, display=display)
    assert (seen is Sight.FULL) is (viewer in participants)


@rule("ORG-11")
@pytest.mark.parametrize(("displays", "answer"), [
    ([], HIDDEN), ([HIDDEN], HIDDEN), ([BUSY], BUSY), ([BUSY, BUSY], BUSY), ([BUSY, HIDDEN], HIDDEN)])
def test_of_several_organisations_the_strictest_answer_counts(displays, answer):
    assert strictest(displays) is answer


def test_the_settings_of_the_organisation_have_the_same_values():
    from opencrm_ms365.models.organisation import PrivateDisplay as Setting

    assert {item.value for item in Setting} == {item.value for item in PrivateDisplay}
