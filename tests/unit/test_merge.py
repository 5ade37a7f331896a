"""The three-way merge, cell by cell: what each field needs, by what happened to it and by who may write (ORG-09)."""

from datetime import UTC, datetime, timedelta

import pytest

from opencrm_ms365.reconcile.merge import Base, FieldConflict, changed_in_crm, merge, needs_microsoft
from opencrm_ms365.reconcile.policy import ConflictRule, Direction, Policy, Side
from opencrm_ms365.records import UNSET, ContactData, Limits, PostalAddress
from tests.rules import rule
from tests.unit.builders import Link, base_of, digest, microsoft_contact, pair

BOTH, TO_MICROSOFT, TO_CRM = Direction.BOTH, Direction.TO_MICROSOFT, Direction.TO_CRM
CRM, MICROSOFT, LATEST = ConflictRule.CRM, ConflictRule.MICROSOFT, ConflictRule.LATEST
EARLY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATE = EARLY + timedelta(minutes=5)

#: What happened: the CRM's value now, Microsoft's value now, and what both held at the last agreement (UNSET: never).
HAPPENED = {
    "nothing": ("old", "old", "old"),
    "crm moved": ("mine", "old", "old"),
    "crm emptied": (None, "old", "old"),
    "microsoft moved": ("old", "theirs", "old"),
    "microsoft emptied": ("old", None, "old"),
    "both moved": ("mine", "theirs", "old"),
    "both moved alike": ("new", "new", "old"),
    "both emptied": (None, None, "old"),
    "first, different": ("mine", "theirs", UNSET),
    "first, alike": ("same", "same", UNSET),
    "first, crm empty": (None, "theirs", UNSET),
    "first, microsoft empty": ("mine", None, UNSET),
    "first, both empty": (None, None, UNSET),
}


def merged(happened, policy, **changes):
    mine, theirs, old = HAPPENED[happened]
    base = None if old is UNSET else base_of(ContactData(job_title=old))
    decided = pair(ContactData(job_title=mine), microsoft_contact(job_title=theirs), base, **changes)
    return merge(decided, policy, digest)


def outcome(result):
    """(written to the CRM, written to Microsoft, winner of the conflict, settled); UNSET: not written."""
    return (result.to_crm.get("job_title", UNSET), result.to_microsoft.get("job_title", UNSET),
            result.conflicts[0].winner if result.conflicts else None, "job_title" in result.settled)


QUIET = (UNSET, UNSET, None, True)

#: (what happened, direction, conflict rule) -> (to the CRM, to Microsoft, winner of a conflict, settled)
CELLS = {
    ("nothing", BOTH, CRM): QUIET,
    ("nothing", TO_MICROSOFT, CRM): QUIET,
    ("nothing", TO_CRM, CRM): QUIET,
    ("crm moved", BOTH, CRM): (UNSET, "mine", None, True),
    ("crm moved", BOTH, MICROSOFT): (UNSET, "mine", None, True),
    ("crm moved", TO_MICROSOFT, CRM): (UNSET, "mine", None, True),
    ("crm moved", TO_CRM, CRM): (UNSET, UNSET, None, False),
    ("crm emptied", BOTH, MICROSOFT): (UNSET, None, None, True),
    ("crm emptied", TO_MICROSOFT, CRM): (UNSET, None, None, True),
    ("crm emptied", TO_CRM, CRM): (UNSET, UNSET, None, False),
    ("microsoft moved", BOTH, CRM): ("theirs", UNSET, None, True),
    ("microsoft moved", BOTH, MICROSOFT): ("theirs", UNSET, None, True),
    ("microsoft moved", TO_MICROSOFT, CRM): (UNSET, UNSET, None, False),
    ("microsoft moved", TO_CRM, CRM): ("theirs", UNSET, None, True),
    ("microsoft emptied", BOTH, CRM): (None, UNSET, None, True),
    ("microsoft emptied", TO_MICROSOFT, MICROSOFT): (UNSET, UNSET, None, False),
    ("microsoft emptied", TO_CRM, CRM): (None, UNSET, None, True),
    ("both moved", BOTH, CRM): (UNSET, "mine", Side.CRM, True),
    ("both moved", BOTH, MICROSOFT): ("theirs", UNSET, Side.MICROSOFT, True),
    ("both moved", TO_MICROSOFT, MICROSOFT): (UNSET, "mine", Side.CRM, True),
    ("both moved", TO_CRM, CRM): ("theirs", UNSET, Side.MICROSOFT, True),
    ("both moved alike", BOTH, CRM): QUIET,
    ("both moved alike", TO_MICROSOFT, CRM): QUIET,
    ("both moved alike", TO_CRM, CRM): QUIET,
    ("both emptied", BOTH, CRM): QUIET,
    ("first, different", BOTH, CRM): (UNSET, "mine", Side.CRM, True),
    ("first, different", BOTH, MICROSOFT): ("theirs", UNSET, Side.MICROSOFT, True),
    ("first, different", TO_MICROSOFT, MICROSOFT): (UNSET, "mine", Side.CRM, True),
    ("first, different", TO_CRM, CRM): ("theirs", UNSET, Side.MICROSOFT, True),
    ("first, alike", BOTH, CRM): QUIET,
    ("first, alike", TO_CRM, CRM): QUIET,
    ("first, crm empty", BOTH, CRM): ("theirs", UNSET, None, True),
    ("first, crm empty", TO_MICROSOFT, CRM): (UNSET, UNSET, None, False),
    ("first, crm empty", TO_CRM, CRM): ("theirs", UNSET, None, True),
    ("first, microsoft empty", BOTH, MICROSOFT): (UNSET, "mine", None, True),
    ("first, microsoft empty", TO_MICROSOFT, CRM): (UNSET, "mine", None, True),
    ("first, microsoft empty", TO_CRM, CRM): (UNSET, UNSET, None, False),
    ("first, both empty", BOTH, CRM): QUIET,
}


@pytest.mark.parametrize(("happened", "direction", "conflict_rule"), CELLS)
@rule("ORG-09", "ORG-06", "CON-05")
def test_every_cell_of_the_merge(happened, direction, conflict_rule):
    policy = Policy(direction=direction, conflict_rule=conflict_rule)
    assert outcome(merged(happened, policy)) == CELLS[happened, direction, conflict_rule]


@pytest.mark.parametrize(("mine_at", "theirs_at", "winner"), [
    (EARLY, LATE, Side.MICROSOFT), (LATE, EARLY, Side.CRM), (EARLY, EARLY, Side.CRM), (None, LATE, Side.CRM),
    (EARLY, None, Side.CRM), (None, None, Side.CRM),
])
@pytest.mark.parametrize("happened", ["both moved", "first, different"])
@rule("ORG-09")
def test_the_latest_change_wins_and_the_crm_where_nobody_can_tell(happened, mine_at, theirs_at, winner):
    result = merged(happened, Policy(conflict_rule=LATEST), crm_changed_at=mine_at, microsoft_changed_at=theirs_at)
    assert outcome(result) == ((UNSET, "mine", winner, True) if winner is Side.CRM else ("theirs", UNSET, winner, True))


@rule("ORG-06", "ORG-09")
@pytest.mark.parametrize("conflict_rule", [CRM, MICROSOFT, LATEST])
def test_in_a_one_way_direction_its_source_wins_whatever_the_rule_says(conflict_rule):
    for direction, winner in ((TO_MICROSOFT, Side.CRM), (TO_CRM, Side.MICROSOFT)):
        result = merged("both moved", Policy(direction=direction, conflict_rule=conflict_rule), crm_changed_at=EARLY,
                        microsoft_changed_at=LATE)
        assert outcome(result)[2] is winner


@pytest.mark.parametrize(("happened", "conflict_rule", "expected"), [
    ("nothing", CRM, QUIET),
    ("crm moved", CRM, (UNSET, UNSET, None, True)),
    ("microsoft moved", CRM, ("theirs", UNSET, None, True)),
    ("both moved", CRM, (UNSET, UNSET, Side.CRM, True)),
    ("both moved", MICROSOFT, ("theirs", UNSET, Side.MICROSOFT, True)),
    ("first, different", CRM, (UNSET, UNSET, Side.CRM, True)),
    ("first, different", MICROSOFT, ("theirs", UNSET, Side.MICROSOFT, True)),
    ("first, crm empty", CRM, ("theirs", UNSET, None, True)),
    ("first, microsoft empty", CRM, (UNSET, UNSET, None, True)),
])
@rule("CON-05")
def test_a_record_outside_the_users_limits_only_takes_in(happened, conflict_rule, expected):
    assert outcome(merged(happened, Policy(takes_in_only=True, conflict_rule=conflict_rule))) == expected


#: Where the CRM takes no change its value stands and goes (back) to Microsoft, whatever the conflict rule says.
REFUSING = [
    ("nothing", QUIET),
    ("crm moved", (UNSET, "mine", None, True)),
    ("microsoft moved", (UNSET, "old", None, True)),
    ("microsoft emptied", (UNSET, "old", None, True)),
    ("both moved", (UNSET, "mine", Side.CRM, True)),
    ("first, different", (UNSET, "mine", Side.CRM, True)),
    ("first, microsoft empty", (UNSET, "mine", None, True)),
]


@pytest.mark.parametrize(("happened", "expected"), REFUSING)
@rule("ORG-09")
def test_a_record_that_the_user_may_not_change_in_the_crm_keeps_its_values(happened, expected):
    assert outcome(merged(happened, Policy(crm_refuses=True, conflict_rule=MICROSOFT))) == expected


@pytest.mark.parametrize(("happened", "expected"), REFUSING)
@rule("CON-01")
def test_a_field_that_the_crm_does_not_let_us_write_keeps_its_value(happened, expected):
    assert outcome(merged(happened, Policy(conflict_rule=MICROSOFT), writable=frozenset())) == expected


@rule("CON-05")
def test_an_empty_field_of_the_crm_that_cannot_be_filled_empties_nothing_in_microsoft():
    for result in (merged("first, crm empty", Policy(), writable=frozenset()),
                   merged("first, crm empty", Policy(crm_refuses=True))):
        assert outcome(result)[:3] == (UNSET, UNSET, None)


@rule("ORG-06")
def test_with_a_field_that_cannot_be_written_nothing_goes_back_to_a_source():
    for happened in HAPPENED:
        for changes in ({"writable": frozenset()}, {}):
            result = merged(happened, Policy(direction=TO_CRM, crm_refuses=not changes), **changes)
            assert not result.to_microsoft and not result.to_crm


@rule("CON-01")
def test_what_the_crm_does_not_map_is_never_decided_about():
    microsoft = microsoft_contact(nickname="Amazing", job_title="x", home_address=PostalAddress(city="Y"))
    for base in (None, base_of(ContactData(job_title="y"))):
        result = merge(pair(ContactData(job_title="y"), microsoft, base), Policy(), digest)
        assert {*result.to_crm, *result.to_microsoft, *result.settled} == {"job_title"}


@rule("ORG-09")
def test_fields_changed_on_one_side_only_are_merged():
    base = base_of(ContactData(job_title="a", department="a", notes="a"))
    result = merge(pair(ContactData(job_title="b", department="a", notes="b"),
                        microsoft_contact(job_title="a", department="b", notes="c"), base), Policy(), digest)
    assert (result.to_crm, result.to_microsoft) == ({"department": "b"}, {"job_title": "b", "notes": "b"})
    assert [(item.name, item.crm, item.microsoft, item.winner) for item in result.conflicts] == [
        ("notes", "b", "c", Side.CRM)]


@rule("PRIV-03")
def test_a_conflict_does_not_show_its_values():
    assert repr(FieldConflict(name="notes", crm="mine", microsoft="theirs", winner=Side.CRM)) == (
        "<conflict of notes, crm wins>")
    assert "mine" not in repr(merged("both moved", Policy()))


# --- a field that one side learnt of later, and Microsoft's silence -------------------------------------------------


@rule("CON-05")
def test_a_field_that_was_mapped_after_the_pairing_is_paired_for_itself():
    base = base_of(ContactData(job_title="a"))
    result = merge(pair(ContactData(job_title="a", department=None), microsoft_contact(job_title="a", department="b"),
                        base), Policy(), digest)
    assert (result.to_crm, result.to_microsoft) == ({"department": "b"}, {})


@rule("SYNC-05")
def test_no_news_from_microsoft_is_no_change():
    base = base_of(ContactData(job_title="a", department="a"))
    quiet = merge(pair(ContactData(job_title="a", department="a"), None, base), Policy(conflict_rule=MICROSOFT), digest)
    moved = merge(pair(ContactData(job_title="b", department="a"), None, base), Policy(conflict_rule=MICROSOFT), digest)
    assert quiet.is_quiet and not quiet.conflicts
    assert (moved.to_crm, moved.to_microsoft, moved.conflicts) == ({}, {"job_title": "b"}, ())
    assert merge(pair(ContactData(job_title="b"), None), Policy(), digest).is_quiet       # never paired: read it first


def test_a_birthday_without_a_year_is_neither_taken_nor_emptied():
    for base in (None, Base(crm={"birthday": digest(None)}, microsoft={"birthday": digest(UNSET)})):
        result = merge(pair(ContactData(birthday=None), microsoft_contact(birthday=UNSET), base), Policy(), digest)
        assert result.is_quiet and not result.conflicts


# --- echoes of a write whose answer was lost -------------------------------------------------------------------------


@rule("SYNC-04", "ORG-09")
@pytest.mark.parametrize(("crm_now", "microsoft_now", "expected"), [
    ("sent", "sent", (UNSET, UNSET, None)),             # it arrived
    ("sent", "old", (UNSET, "sent", None)),             # it did not
    ("newer", "sent", (UNSET, "newer", None)),          # it arrived, and the CRM moved on: an echo is no conflict
    ("newer", "old", (UNSET, "newer", None)),
    ("sent", "theirs", (UNSET, "sent", Side.CRM)),      # somebody edited it meanwhile
    ("newer", "theirs", (UNSET, "newer", Side.CRM)),
    ("old", "sent", (UNSET, "old", None)),              # it arrived, and was taken back in the CRM
])
def test_our_own_write_is_known_again_when_its_answer_was_lost(crm_now, microsoft_now, expected):
    base = base_of(ContactData(job_title="old"), job_title=("sent", "sent"))
    decided = pair(ContactData(job_title=crm_now), microsoft_contact(job_title=microsoft_now), base)
    result = merge(decided, Policy(), digest)
    assert outcome(result)[:3] == expected


@rule("SYNC-04", "CON-10")
def test_an_echo_of_what_microsoft_can_hold_of_a_value_is_known_again():
    crm = ContactData(emails=tuple(f"{n}@x.org" for n in range(4)))
    base = base_of(ContactData(emails=()), emails=(crm.emails, crm.emails[:3]))
    limits = Limits(items={"emails": 3})
    result = merge(pair(crm, microsoft_contact(emails=crm.emails[:3]), base, microsoft_limits=limits), Policy(), digest)
    assert result.is_quiet and not result.conflicts


# --- lists and addresses at the first pairing ------------------------------------------------------------------------

A, B, C, D, E = (f"{letter}@x.org" for letter in "abcde")


@pytest.mark.parametrize(("crm", "microsoft", "conflict_rule", "to_crm", "to_microsoft", "is_conflict"), [
    ((A,), (A, B), CRM, (A, B), UNSET, False),
    ((A, B), (A,), CRM, UNSET, (A, B), False),
    ((B,), (A, B), CRM, (B, A), (B, A), False),
    ((B,), (A, B), MICROSOFT, (A, B), UNSET, False),
    ((A,), (B,), CRM, UNSET, (A,), True),
    ((A,), (B,), MICROSOFT, (B,), UNSET, True),
    ((A,), (B, C), CRM, (A, C), (A, C), True),
    ((A, D), (B,), MICROSOFT, (B, D), (B, D), True),
    ((A.upper(),), (A,), CRM, UNSET, UNSET, False),
    ((A, B), (B, A), CRM, UNSET, (A, B), False),
    ((), (A, B), MICROSOFT, (A, B), UNSET, False),
    ((A, B), (), CRM, UNSET, (A, B), False),
])
@rule("CON-05")
def test_lists_are_filled_slot_by_slot(crm, microsoft, conflict_rule, to_crm, to_microsoft, is_conflict):
    result = merge(pair(ContactData(emails=crm), microsoft_contact(emails=microsoft)),
                   Policy(conflict_rule=conflict_rule), digest)
    assert (result.to_crm.get("emails", UNSET), result.to_microsoft.get("emails", UNSET)) == (to_crm, to_microsoft)
    assert bool(result.conflicts) is is_conflict


@rule("CON-05", "CON-10")
def test_what_no_slot_is_left_for_stays_where_it_is():
    crm = ContactData(emails=(A, B, C, D, E))
    result = merge(pair(crm, microsoft_contact(emails=("x@x.org", "y@x.org", "z@x.org")),
                        microsoft_limits=Limits(items={"emails": 3})), Policy(conflict_rule=MICROSOFT), digest)
    assert result.to_crm == {"emails": ("x@x.org", "y@x.org", "z@x.org", D, E)}
    assert result.conflicts[0].crm == (A, B, C, D, E)
    assert result.unfit == (("emails", Side.MICROSOFT),)


def street(text, **parts):
    return PostalAddress(street=text, **parts)


@pytest.mark.parametrize(("crm", "microsoft", "conflict_rule", "both", "is_conflict"), [
    (street("Pier"), PostalAddress(city="Oslo"), CRM, street("Pier", city="Oslo"), False),
    (street("Pier", city="Rome"), PostalAddress(city="Oslo", state="X"), CRM,
     street("Pier", city="Rome", state="X"), True),
    (street("Pier", city="Rome"), PostalAddress(city="Oslo"), MICROSOFT, street("Pier", city="Oslo"), True),
    (street("Pier"), None, MICROSOFT, street("Pier"), False),
    (None, street("Pier"), CRM, street("Pier"), False),
])
@rule("CON-05")
def test_addresses_are_filled_part_by_part(crm, microsoft, conflict_rule, both, is_conflict):
    result = merge(pair(ContactData(home_address=crm), microsoft_contact(home_address=microsoft)),
                   Policy(conflict_rule=conflict_rule), digest)
    assert result.to_crm.get("home_address", crm) == both == result.to_microsoft.get("home_address", microsoft)
    assert bool(result.conflicts) is is_conflict


# --- addresses of which the CRM maps some parts ----------------------------------------------------------------------


def half(text=None, city=None):
    """An address as a CRM has it that knows streets and towns only."""
    return PostalAddress(street=text, city=city, state=UNSET, postal_code=UNSET, country=UNSET)


@pytest.mark.parametrize(("before", "now", "microsoft", "to_crm", "to_microsoft"), [
    # a part that the CRM does not map moves: nothing to do
    (half("Pier"), half("Pier"), street("Pier", state="New"), UNSET, UNSET),
    (half(), half(), PostalAddress(state="New"), UNSET, UNSET),
    # its own parts move
    (half("Pier"), half("Quay"), street("Pier", state="VA"), UNSET, half("Quay")),
    (half("Pier"), half(), street("Pier", state="VA"), UNSET, half()),
    (half("Pier"), half("Pier"), street("Quay", state="VA"), half("Quay"), UNSET),
    (half("Pier"), half("Pier"), PostalAddress(state="VA"), half(), UNSET),
    # both the same
    (half("Pier"), half("Quay"), street("Quay", state="New"), UNSET, UNSET),
])
@rule("CON-01")
def test_parts_of_an_address_that_the_crm_does_not_map_are_left_alone(before, now, microsoft, to_crm, to_microsoft):
    was = PostalAddress(street=before.street, city=before.city, state="VA" if before else None)
    base = base_of(ContactData(business_address=before), microsoft_contact(business_address=was))
    decided = pair(ContactData(business_address=now), microsoft_contact(business_address=microsoft), base)
    result = merge(decided, Policy(), digest)
    assert result.to_crm.get("business_address", UNSET) == to_crm
    assert result.to_microsoft.get("business_address", UNSET) == to_microsoft
    assert not result.conflicts and "business_address" in result.settled


@rule("CON-01", "CON-05")
@pytest.mark.parametrize(("crm", "microsoft", "to_crm", "to_microsoft"), [
    (half("Pier"), street("Pier", state="VA"), UNSET, UNSET),
    (half(), PostalAddress(state="VA"), UNSET, UNSET),
    (half(), None, UNSET, UNSET),
    (half(), street("Pier", state="VA"), half("Pier"), UNSET),
    (half("Pier"), None, UNSET, half("Pier")),
    (half("Pier"), PostalAddress(state="VA", city="Oslo"), half("Pier", "Oslo"), half("Pier", "Oslo")),
])
def test_the_first_pairing_compares_the_mapped_parts_of_an_address(crm, microsoft, to_crm, to_microsoft):
    decided = pair(ContactData(business_address=crm), microsoft_contact(business_address=microsoft))
    result = merge(decided, Policy(), digest)
    assert result.to_crm.get("business_address", UNSET) == to_crm
    assert result.to_microsoft.get("business_address", UNSET) == to_microsoft
    assert not result.conflicts


# --- what a side can hold --------------------------------------------------------------------------------------------


@rule("CON-10")
def test_a_fourth_address_does_not_come_back_as_a_deletion():
    crm, limits = ContactData(emails=(A, B, C, D)), Limits(items={"emails": 3})
    microsoft = microsoft_contact(emails=(A, B, C))
    first = merge(pair(crm, microsoft_contact(), microsoft_limits=limits), Policy(), digest)
    assert (first.to_microsoft, first.unfit) == ({"emails": (A, B, C)}, (("emails", Side.MICROSOFT),))

    base = base_of(crm, microsoft)
    assert merge(pair(crm, microsoft, base, microsoft_limits=limits), Policy(), digest).is_quiet
    edited = merge(pair(crm, microsoft_contact(emails=(A, E)), base, microsoft_limits=limits), Policy(), digest)
    assert edited.to_crm == {"emails": (A, E, D)}
    assert edited.to_microsoft == {"emails": (A, E, D)}


@rule("CON-10")
def test_what_only_microsoft_can_hold_survives_an_edit_in_the_crm():
    crm_limits = Limits(items={"emails": 1}, characters={"business_address.city": 4})
    microsoft = microsoft_contact(emails=(A, B), business_address=PostalAddress(city="London"))
    crm = ContactData(emails=(A,), business_address=PostalAddress(city="Lond"))
    base = base_of(crm, microsoft)
    edited = ContactData(emails=(C,), business_address=PostalAddress(street="Pier", city="Lond"))
    result = merge(pair(edited, microsoft, base, crm_limits=crm_limits), Policy(), digest)
    assert result.to_microsoft == {"emails": (C, B), "business_address": PostalAddress(street="Pier", city="London")}
    assert not result.to_crm and set(result.unfit) == {("emails", Side.CRM), ("business_address", Side.CRM)}


@rule("CON-10", "ORG-06")
def test_towards_the_crm_what_microsoft_cannot_hold_is_kept_and_does_not_grow():
    link = Link(ContactData(notes="1234567", emails=(A, B, C)), microsoft_contact(), Policy(direction=BOTH),
                microsoft_limits=Limits(items={"emails": 2}, characters={"notes": 5}))
    link.settle()
    link.policy = Policy(direction=TO_CRM)
    link.edit_microsoft(notes="new", emails=(D,))
    link.settle()
    assert (link.crm.notes, link.crm.emails) == ("new67", (D, C))
    assert link.merge().is_quiet and not link.merge().conflicts
    link.edit_microsoft(emails=())
    link.settle()
    assert link.crm.emails == ()


# --- when Microsoft's values must be read first ----------------------------------------------------------------------

SHORT = Limits(characters={"notes": 5, "job_title": 5})


@pytest.mark.parametrize(("before", "now", "base_microsoft", "limits", "needed"), [
    ({"job_title": "a"}, {"job_title": "a"}, None, {}, False),
    ({"job_title": "a"}, {"job_title": "b"}, None, {}, False),
    ({"given_name": "a"}, {"given_name": "b"}, None, {}, True),                         # the display name follows
    ({"emails": (A,)}, {"emails": (B,)}, None, {}, True),                               # names stand beside addresses
    ({"business_phones": ("1",)}, {"business_phones": ("2",)}, {"business_phones": ("1", "3")}, {}, True),
    ({"business_phones": ("1",)}, {"business_phones": ("2",)}, None, {}, False),
    ({"job_title": "12345"}, {"job_title": "b"}, {"job_title": "1234567"}, {"crm_limits": SHORT}, True),
    ({"home_address": half("a")}, {"home_address": half("b")}, None, {}, True),         # the other parts are sent along
    ({"home_address": half("a")}, {"home_address": half()}, None, {}, True),
    ({"home_address": street("a")}, {"home_address": street("b")}, {"home_address": street("a", city="x")}, {}, True),
    ({"home_address": street("a")}, {"home_address": street("b")}, None, {}, False),
])
def test_when_microsofts_values_are_needed(before, now, base_microsoft, limits, needed):
    crm = ContactData(**before)
    base = base_of(crm, microsoft_contact(**(base_microsoft or before)))
    decided = pair(ContactData(**now), None, base, **limits)
    assert needs_microsoft(decided, digest) is needed
    assert changed_in_crm(decided, digest) == (frozenset() if before == now else frozenset(now))


def test_they_are_needed_at_the_first_pairing_and_not_when_they_are_there():
    assert needs_microsoft(pair(ContactData(notes="a"), None), digest)
    assert not needs_microsoft(pair(ContactData(notes="a"), microsoft_contact()), digest)
    late = pair(ContactData(notes="a", department="b"), None, base_of(ContactData(notes="a")))
    assert needs_microsoft(late, digest)
