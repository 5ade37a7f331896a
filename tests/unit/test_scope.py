"""What happens to a record that leaves the user's limits: removed where the record changed, let go else (CON-11)."""

import pytest

from opencrm_ms365.reconcile.decide import Delete, Let, Release
from opencrm_ms365.reconcile.policy import Direction, Policy, Side
from opencrm_ms365.reconcile.scope import REASONS, fallen_out
from tests.rules import rule


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("takes_in_only", [False, True])
@pytest.mark.parametrize("by_record", [False, True])
@pytest.mark.parametrize("why", [*REASONS, "something new"])
@rule("CON-07", "CON-08", "CON-09", "CON-11", "ORG-06")
def test_only_a_record_that_changed_is_removed_and_only_where_microsoft_may_be_written(
        direction, takes_in_only, by_record, why):
    policy = Policy(direction=direction, takes_in_only=takes_in_only)
    decision = fallen_out(policy, by_record=by_record, why=why)
    if by_record and direction is not Direction.TO_CRM and not takes_in_only:
        assert isinstance(decision, Delete) and decision.side is Side.MICROSOFT
        assert decision.reason == REASONS.get(why, "it left the user's limits")
    else:
        assert decision == Let(Release.NARROWED)
