"""The table of one linked pair, cell by cell: there or gone on either side, and what the policy allows (ORG-12)."""

import itertools

import pytest

from opencrm_ms365.reconcile.decide import (
    Delete,
    Forget,
    Let,
    Nothing,
    Recreate,
    Release,
    Update,
    decide,
    gone_in_crm,
    gone_in_microsoft,
    within_direction,
)
from opencrm_ms365.reconcile.policy import AfterDeletion, Direction, Policy, Side
from opencrm_ms365.records import ContactData
from tests.rules import rule
from tests.unit.builders import base_of, digest, microsoft_contact, pair

BOTH, TO_MICROSOFT, TO_CRM = Direction.BOTH, Direction.TO_MICROSOFT, Direction.TO_CRM
RESTORE, UNLINK, DELETE = AfterDeletion.RESTORE, AfterDeletion.UNLINK, AfterDeletion.DELETE
OLD = ContactData(job_title="old", notes="internal")
EDITED = ContactData(job_title="new", notes="internal")


def short(decision):
    """The decision without its words."""
    match decision:
        case Delete(side=side):
            return ("delete", side)
        case Let(because=because):
            return ("let", because)
        case Recreate(without=without):
            return ("recreate", sorted(without))
        case _:
            return type(decision).__name__.lower()


# --- both are there --------------------------------------------------------------------------------------------------


@rule("SYNC-05")
def test_two_records_that_did_not_move_need_nothing_written():
    decision = decide(pair(OLD, microsoft_contact(**OLD.values()), base_of(OLD)), Policy(), digest)
    assert not isinstance(decision, Update) or decision.merge.is_quiet


def test_two_records_that_moved_are_merged():
    decision = decide(pair(EDITED, None, base_of(OLD)), Policy(), digest)
    assert isinstance(decision, Update) and decision.merge.to_microsoft == {"job_title": "new"}


def test_a_record_of_which_nothing_is_mapped_needs_nothing():
    assert decide(pair(ContactData(), microsoft_contact()), Policy(), digest) == Nothing()


# --- gone in the CRM -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("direction", "takes_in_only", "expected"), [
    (BOTH, False, ("delete", Side.MICROSOFT)),
    (TO_MICROSOFT, False, ("delete", Side.MICROSOFT)),
    (TO_CRM, False, ("let", Release.CRM_DELETED)),          # remembered, and not brought in again
    (BOTH, True, ("let", Release.CRM_DELETED)),
    (TO_MICROSOFT, True, ("let", Release.CRM_DELETED)),
    (TO_CRM, True, ("let", Release.CRM_DELETED)),
])
@rule("DEL-01", "ORG-06", "ORG-09")
def test_gone_in_the_crm(direction, takes_in_only, expected):
    assert short(gone_in_crm(Policy(direction=direction, takes_in_only=takes_in_only))) == expected


@rule("ORG-12")
@pytest.mark.parametrize("direction", Direction)
def test_gone_on_both_sides_just_loses_its_link(direction):
    assert gone_in_crm(Policy(direction=direction), gone_in_microsoft=True) == Forget("deleted on both sides")


# --- gone in Microsoft -----------------------------------------------------------------------------------------------

WITHOUT_NOTES = ("recreate", ["notes"])
WHOLE = ("recreate", [])
UNLINKED = ("let", Release.UNLINKED)

#: (direction, what the administrator chose, edited in the CRM since, the CRM can undo it) -> decision
GONE = {
    (BOTH, RESTORE, False, True): WITHOUT_NOTES,
    (BOTH, RESTORE, True, True): WHOLE,
    (BOTH, UNLINK, False, True): UNLINKED,
    (BOTH, UNLINK, True, True): WHOLE,                      # an edit here beats a deletion there
    (BOTH, DELETE, False, True): ("delete", Side.CRM),
    (BOTH, DELETE, True, True): WHOLE,
    (BOTH, DELETE, False, False): UNLINKED,                 # only where a person can undo it
    (BOTH, DELETE, True, False): WHOLE,
    (TO_MICROSOFT, RESTORE, False, True): WITHOUT_NOTES,
    (TO_MICROSOFT, RESTORE, True, True): WHOLE,
    (TO_MICROSOFT, UNLINK, False, True): UNLINKED,
    (TO_MICROSOFT, UNLINK, True, True): WHOLE,
    (TO_MICROSOFT, DELETE, False, True): UNLINKED,          # the source is never written
    (TO_MICROSOFT, DELETE, True, True): WHOLE,
    (TO_CRM, RESTORE, False, True): UNLINKED,               # the source is never written
    (TO_CRM, RESTORE, True, True): UNLINKED,
    (TO_CRM, UNLINK, False, True): UNLINKED,
    (TO_CRM, UNLINK, True, True): UNLINKED,
    (TO_CRM, DELETE, False, True): ("delete", Side.CRM),
    (TO_CRM, DELETE, True, True): ("delete", Side.CRM),     # the source wins
    (TO_CRM, DELETE, False, False): UNLINKED,
}


@pytest.mark.parametrize(("direction", "chosen", "edited", "recoverable"), GONE)
@rule("ORG-12", "ORG-06", "ORG-09")
def test_gone_in_microsoft(direction, chosen, edited, recoverable):
    gone = pair(EDITED if edited else OLD, None, base_of(OLD))
    policy = Policy(direction=direction, after_deletion=chosen)
    decision = gone_in_microsoft(gone, policy, digest, recoverable=recoverable)
    assert short(decision) == GONE[direction, chosen, edited, recoverable]


@rule("CON-05", "ORG-12")
@pytest.mark.parametrize("chosen", AfterDeletion)
def test_what_only_took_in_or_left_the_users_limits_is_let_go(chosen):
    policy = Policy(after_deletion=chosen)
    for edited in (OLD, EDITED):
        gone = pair(edited, None, base_of(OLD))
        assert short(gone_in_microsoft(gone, policy.but(takes_in_only=True), digest, recoverable=True)) == UNLINKED
    assert short(gone_in_microsoft(None, policy, digest, recoverable=True)) == UNLINKED


@rule("ORG-12")
def test_a_user_who_may_not_change_the_record_does_not_delete_it():
    gone = pair(OLD, None, base_of(OLD))
    policy = Policy(after_deletion=DELETE, crm_refuses=True)
    assert short(gone_in_microsoft(gone, policy, digest, recoverable=True)) == UNLINKED


@rule("ORG-12", "CON-01")
def test_a_field_that_was_mapped_meanwhile_is_no_edit():
    gone = pair(ContactData(**OLD.values(), department="x"), None, base_of(OLD))
    assert short(gone_in_microsoft(gone, Policy(), digest, recoverable=True)) == WITHOUT_NOTES


@rule("ORG-12")
def test_a_pair_that_never_agreed_is_restored_as_one_that_nobody_edited():
    assert short(gone_in_microsoft(pair(OLD, None), Policy(), digest, recoverable=True)) == WITHOUT_NOTES


# --- the direction ---------------------------------------------------------------------------------------------------


@rule("ORG-06")
@pytest.mark.parametrize("direction", Direction)
def test_no_decision_writes_the_source_of_a_one_way_direction(direction):
    policy = Policy(direction=direction)
    decisions = [Delete(Side.CRM, ""), Delete(Side.MICROSOFT, ""), Recreate(""), Forget(""), Nothing(), Update(),
                 Let(Release.NARROWED)]
    for decision in decisions:
        allowed = within_direction(decision, policy)
        side = {Delete: getattr(allowed, "side", None), Recreate: Side.MICROSOFT}.get(type(allowed))
        assert side is None or policy.may_write(side)
        if policy.source is None:
            assert allowed == decision


@rule("ORG-06", "ORG-12")
def test_every_deletion_in_every_one_way_direction_leaves_the_source_alone():
    for direction, chosen, recoverable in itertools.product((TO_MICROSOFT, TO_CRM), AfterDeletion, (True, False)):
        policy = Policy(direction=direction, after_deletion=chosen)
        for crm in (OLD, EDITED):
            decisions = [gone_in_crm(policy),
                         gone_in_microsoft(pair(crm, None, base_of(OLD)), policy, digest, recoverable=recoverable)]
            for decision in decisions:
                if isinstance(decision, Delete):
                    assert decision.side is not policy.source
                assert not (isinstance(decision, Recreate) and policy.source is Side.MICROSOFT)
