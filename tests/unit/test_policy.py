"""Directions: what the organisation allows, what a user may make of it, and which side is written (ORG-06, USER-05)."""

import pytest

from opencrm_ms365.reconcile.policy import Direction, Policy, Side
from tests.rules import rule

BOTH, TO_MICROSOFT, TO_CRM = Direction.BOTH, Direction.TO_MICROSOFT, Direction.TO_CRM


@pytest.mark.parametrize(("organisation", "wish", "result"), [
    (BOTH, None, BOTH), (BOTH, BOTH, BOTH), (BOTH, TO_MICROSOFT, TO_MICROSOFT), (BOTH, TO_CRM, TO_CRM),
    (TO_MICROSOFT, None, TO_MICROSOFT), (TO_MICROSOFT, BOTH, TO_MICROSOFT),
    (TO_MICROSOFT, TO_MICROSOFT, TO_MICROSOFT), (TO_MICROSOFT, TO_CRM, None),
    (TO_CRM, None, TO_CRM), (TO_CRM, BOTH, TO_CRM), (TO_CRM, TO_CRM, TO_CRM), (TO_CRM, TO_MICROSOFT, None),
])
@rule("USER-05")
def test_a_user_narrows_the_organisations_direction_and_never_widens_it(organisation, wish, result):
    assert organisation.narrowed(wish) is result


@pytest.mark.parametrize(("policy", "writes_to", "source"), [
    (Policy(), {Side.CRM, Side.MICROSOFT}, None),
    (Policy(direction=TO_MICROSOFT), {Side.MICROSOFT}, Side.CRM),
    (Policy(direction=TO_CRM), {Side.CRM}, Side.MICROSOFT),
    (Policy(takes_in_only=True), {Side.CRM}, None),
    (Policy(crm_refuses=True), {Side.MICROSOFT}, None),
    (Policy(direction=TO_MICROSOFT, takes_in_only=True), set(), Side.CRM),
    (Policy(direction=TO_CRM, crm_refuses=True), set(), Side.MICROSOFT),
])
@rule("ORG-06", "CON-05")
def test_which_sides_may_be_written(policy, writes_to, source):
    assert {side for side in Side if policy.may_write(side)} == writes_to
    assert policy.source is source


def test_each_side_has_another_one_and_a_policy_can_be_changed_for_one_record():
    assert [side.other for side in Side] == [Side.MICROSOFT, Side.CRM]
    assert Policy(direction=TO_CRM).but(crm_refuses=True) == Policy(direction=TO_CRM, crm_refuses=True)
