"""The numbers of a plan: what counts as a write, on which side, and whom Microsoft would write to (USER-07)."""

import pytest

from opencrm_ms365.reconcile.plan import COUNTED, Action, Counts, Operation
from opencrm_ms365.reconcile.policy import Side
from tests.rules import rule

NONE = {"created": 0, "updated": 0, "deleted": 0}


@pytest.mark.parametrize(("action", "name"), [
    (Action.CREATE, "created"), (Action.RESTORE, "created"), (Action.UPDATE, "updated"), (Action.MOVE, "updated"),
    (Action.DELETE, "deleted"),
])
@pytest.mark.parametrize("side", Side)
@rule("USER-07")
def test_each_write_counts_once_on_its_side(action, name, side):
    counts = Counts()
    counts.add([Operation(action=action, side=side)])
    assert counts.as_dict()[side] == {**NONE, name: 1}
    assert counts.as_dict()[side.other] == NONE


@pytest.mark.parametrize("action", sorted(set(Action) - set(COUNTED)))
@rule("USER-07", "SYNC-05")
def test_what_writes_nothing_counts_nothing(action):
    counts = Counts()
    counts.add([Operation(action=action), Operation(action=action, side=Side.CRM), Operation(action=Action.UPDATE)])
    assert (counts.crm, counts.microsoft) == (NONE, NONE)


@rule("ATT-08")
def test_invitations_are_people_not_records():
    counts = Counts()
    counts.add([Operation(action=Action.CREATE, side=Side.MICROSOFT, recipients=("a@x.org", "b@x.org")),
                Operation(action=Action.UPDATE, side=Side.MICROSOFT, recipients=("a@x.org",))])
    assert counts.invitations == 3


def test_the_numbers_have_the_shape_that_the_command_prints():
    counts = Counts(pulled=4, conflicts=1, problems=2)
    assert counts.as_dict() == {"pulled": 4, "crm": NONE, "microsoft": NONE, "conflicts": 1, "problems": 2,
                                "invitations": 0}
    counts.as_dict()["crm"]["created"] = 5
    assert counts.crm == NONE
