"""One meeting in many mailboxes: the tables (ATT, DEL-02, ORG-12)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.decide import Cancel, Delete, Let, Recreate, Release
from opencrm_ms365.reconcile.meetings import (
    SHARED_FIELDS,
    Attending,
    Mode,
    Part,
    Role,
    gone_in_crm,
    gone_in_microsoft,
    merged,
    part_of,
    written_to,
)
from opencrm_ms365.reconcile.policy import AfterDeletion, Direction, Policy, Side
from tests.rules import rule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN, BOB, CLEO = "ann@x.example", "bob@x.example", "cleo@y.example"


@rule("ORG-10", "ATT-01")
@pytest.mark.parametrize(("historic", "future", "mode", "end", "expected"), [
    (False, True, Mode.UNDECIDED, NOW + HOUR, True),
    (False, True, Mode.UNDECIDED, NOW, False),
    (True, False, Mode.UNDECIDED, NOW - HOUR, True),
    (True, False, Mode.UNDECIDED, NOW + HOUR, False),
    (True, True, Mode.OWN, NOW + HOUR, False),          # what was made as own events stays so
    (False, False, Mode.MEETING, NOW + HOUR, False),
])
def test_who_is_invited_depends_on_the_setting_for_its_time(historic, future, mode, end, expected):
    assert Attending(historic, future).invites(end, NOW, mode) is expected


@rule("ATT-01", "ATT-02", "ATT-03", "ATT-11")
@pytest.mark.parametrize(("is_owner", "owner_linked", "organiser_linked", "is_invited", "mode", "invites", "part"), [
    (True, True, False, False, Mode.UNDECIDED, True, Part.ORGANISE),
    (True, True, False, False, Mode.OWN, False, Part.ORGANISE),
    (False, True, False, False, Mode.UNDECIDED, True, Part.WAIT),       # the invitation comes
    (False, True, False, False, Mode.UNDECIDED, False, Part.COPY),      # the setting is off
    (False, False, False, False, Mode.UNDECIDED, True, Part.COPY),      # assigned to somebody who is not linked
    (False, True, False, False, Mode.OWN, False, Part.COPY),
    (False, False, True, True, Mode.MEETING, True, Part.WAIT),
    (False, False, True, False, Mode.MEETING, True, Part.WAIT),         # the organiser's cycle invites them
    (False, False, True, False, Mode.MEETING, False, Part.COPY),
    (False, False, False, False, Mode.MEETING, True, Part.NOTHING),     # nobody here may invite (ATT-03)
    (True, True, False, False, Mode.MEETING, True, Part.NOTHING),       # never a second organiser
])
def test_what_a_participant_does(is_owner, owner_linked, organiser_linked, is_invited, mode, invites, part):
    assert part_of(is_owner=is_owner, owner_linked=owner_linked, is_organiser=False, organiser_linked=organiser_linked,
                   is_invited=is_invited, mode=mode, invites=invites) is part


@rule("SYNC-04", "ATT-08")
@pytest.mark.parametrize("mode", [Mode.MEETING, Mode.OWN, Mode.UNDECIDED])
@pytest.mark.parametrize("invites", [True, False])
def test_an_organiser_whose_event_was_lost_on_its_way_makes_it_again(mode, invites):
    assert part_of(is_owner=True, owner_linked=True, is_organiser=True, organiser_linked=True, is_invited=False,
                   mode=mode, invites=invites) is Part.ORGANISE


@rule("ATT-08", "ORG-15", "CAL-04")
@pytest.mark.parametrize(("action", "fields", "before", "after", "expected"), [
    ("create", (), (), (ANN, BOB), (ANN, BOB)),
    ("create", (), (), (), ()),
    ("update", ("subject",), (ANN, BOB), None, (ANN, BOB)),
    ("update", ("private", "reminder_minutes", "show_as", "categories"), (ANN, BOB), None, ()),
    ("update", (), (ANN, BOB), (ANN, CLEO), (CLEO, BOB)),               # only those who come and go
    ("update", ("start",), (ANN, BOB), (ANN, CLEO), (ANN, CLEO, BOB)),
    ("update", ("start",), (), None, ()),
    ("cancel", (), (ANN, BOB), None, (ANN, BOB)),
    ("delete", (), (), None, ()),
])
def test_whom_a_write_makes_microsoft_write_to(action, fields, before, after, expected):
    assert written_to(action, fields=fields, before=before, after=after) == expected


@rule("ATT-08")
def test_a_person_is_written_to_once_whatever_the_case_of_the_address():
    assert written_to("create", after=("Ann@X.example", ANN, "")) == (ANN,)


people = st.sets(st.sampled_from("abcdef"))


@rule("ATT-04", "ATT-09")
@given(base=people, crm=people, microsoft=people)
def test_what_only_one_side_changed_stands_and_nobody_appears_from_nowhere(base, crm, microsoft):
    found = merged(base, crm, microsoft)
    assert found <= base | crm | microsoft
    assert (crm - base) | (microsoft - base) <= found
    assert not found & ((base - crm) | (base - microsoft)) - (crm - base) - (microsoft - base)
    assert merged(base, base, microsoft) == microsoft
    assert merged(base, crm, base) == crm


@given(crm=people, microsoft=people)
def test_who_meet_for_the_first_time_are_all_there(crm, microsoft):
    assert merged(None, crm, microsoft) == crm | microsoft


@rule("DEL-02")
@pytest.mark.parametrize(("role", "has_attendees", "is_over", "expected"), [
    (Role.ORGANISER, True, False, Delete),
    (Role.ORGANISER, True, True, Let),      # it is over: nobody is told, the event stays
    (Role.ORGANISER, False, True, Delete),
    (Role.COPY, False, False, Delete),
    (Role.ATTENDEE, True, False, Let),      # the organiser's cycle cancels it
])
def test_a_deletion_in_the_crm(role, has_attendees, is_over, expected):
    decision = gone_in_crm(role, Policy(), has_attendees=has_attendees, is_over=is_over)
    assert isinstance(decision, expected)
    assert decision in (Delete(Side.MICROSOFT, "deleted in the CRM"), Let(Release.CRM_DELETED))


@rule("ORG-12", "ATT-10", "CAL-05")
@pytest.mark.parametrize(("role", "has_attendees", "choice", "is_own", "expected"), [
    (Role.ORGANISER, False, AfterDeletion.RESTORE, True, Recreate("restored in Microsoft", frozenset({"body"}))),
    (Role.ORGANISER, False, AfterDeletion.UNLINK, True, Let(Release.UNLINKED)),
    (Role.ORGANISER, False, AfterDeletion.DELETE, True, Delete(Side.CRM, "deleted in Microsoft")),
    (Role.ORGANISER, True, AfterDeletion.RESTORE, True, Cancel()),
    (Role.ORGANISER, True, AfterDeletion.UNLINK, True, Cancel()),
    (Role.ORGANISER, True, AfterDeletion.DELETE, True, Delete(Side.CRM, "deleted in Microsoft")),
    (Role.COPY, False, AfterDeletion.DELETE, False, Let(Release.UNLINKED)),     # somebody else's activity
    (Role.COPY, False, AfterDeletion.RESTORE, False, Recreate("restored in Microsoft", frozenset({"body"}))),
    *((Role.ATTENDEE, True, choice, False, Let(Release.DECLINED)) for choice in AfterDeletion),
])
def test_a_deletion_in_microsoft(role, has_attendees, choice, is_own, expected):
    decision = gone_in_microsoft(role, Policy(after_deletion=choice), has_attendees=has_attendees, edited_in_crm=False,
                                 recoverable=True, is_own=is_own)
    assert decision == expected


@rule("ORG-12")
@pytest.mark.parametrize("choice", list(AfterDeletion))
def test_no_restoration_ever_mails_or_sends_notes(choice):
    for role in Role:
        for edited in (True, False):
            decision = gone_in_microsoft(role, Policy(after_deletion=choice), has_attendees=True, edited_in_crm=edited,
                                         recoverable=False, is_own=True)
            assert not isinstance(decision, Recreate)
            decision = gone_in_microsoft(role, Policy(after_deletion=choice), has_attendees=False, edited_in_crm=edited,
                                         recoverable=False, is_own=True)
            assert not isinstance(decision, Recreate) or "body" in decision.without


@rule("ORG-06")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("has_attendees", [True, False])
def test_the_source_of_a_one_way_sync_loses_nothing(role, has_attendees):
    inwards, outwards = Policy(direction=Direction.TO_CRM), Policy(
        direction=Direction.TO_MICROSOFT, after_deletion=AfterDeletion.DELETE)
    assert not isinstance(gone_in_crm(role, inwards, has_attendees=has_attendees, is_over=False), Delete)
    assert not isinstance(gone_in_microsoft(role, outwards, has_attendees=has_attendees, edited_in_crm=False,
                                            recoverable=True, is_own=True), (Delete, Cancel))
    assert not isinstance(gone_in_microsoft(role, inwards, has_attendees=has_attendees, edited_in_crm=True,
                                            recoverable=True, is_own=True), Recreate)


def test_notes_are_shared_and_privacy_is_not():
    assert "body" in SHARED_FIELDS
    assert not {"private", "show_as", "reminder_minutes", "categories"} & SHARED_FIELDS
