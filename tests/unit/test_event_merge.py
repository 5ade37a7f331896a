"""The merge of an event: its time is one thing, private sticks, notes go once (CAL-02, PRIV-01, ORG-09)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.events import compared, merge_event
from opencrm_ms365.reconcile.merge import Base, Pair
from opencrm_ms365.reconcile.policy import ConflictRule, Direction, Policy, Side
from opencrm_ms365.records import Limits
from opencrm_ms365.records.contact import canonical
from opencrm_ms365.records.event import EVENT_FIELDS, EventData
from tests.rules import rule
from tests.unit.builders import digest

NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
EVENT = EventData(subject="Kick-off", body="Notes", start=NINE, end=NINE + HOUR, all_day=False,
                  time_zone="Europe/Berlin", location="Room 1", private=False)


def changed(**values):
    return EventData(**(EVENT.values() | values))


def base_of(crm=EVENT, microsoft=EVENT):
    return Base(crm=digests(crm), microsoft=digests(microsoft))


def digests(event):
    names = compared(event.set_fields(), linked=True)
    return {name: digest(canonical(name, getattr(event, name))) for name in names}


def merge(crm, microsoft, base=None, policy=None):
    names = compared(crm.set_fields(), linked=base is not None)
    pair = Pair(crm=crm.only(names), microsoft=microsoft, base=base, writable=frozenset(EVENT_FIELDS),
                crm_limits=Limits(), microsoft_limits=Limits())
    return merge_event(pair, policy or Policy(), digest)


@rule("SYNC-05")
def test_nothing_changed_nothing_is_written():
    assert merge(EVENT, EVENT, base_of()).is_quiet
    assert merge(EVENT, None, base_of()).is_quiet
    assert merge(EVENT, EVENT).is_quiet


@rule("CAL-04")
def test_only_what_changed_is_sent():
    assert dict(merge(changed(subject="New"), EVENT, base_of()).to_microsoft) == {"subject": "New"}


@rule("CAL-01")
def test_whoever_moves_a_meeting_sends_its_whole_time():
    later = changed(start=NINE + HOUR)
    sent = merge(later, None, base_of()).to_microsoft
    assert dict(sent) == {"start": NINE + HOUR, "end": NINE + HOUR, "all_day": False, "time_zone": "Europe/Berlin"}


@rule("CAL-01", "ORG-09")
@pytest.mark.parametrize(("conflict_rule", "winner"), [("crm", "crm"), ("microsoft", "microsoft")])
def test_two_people_who_move_it_do_not_end_with_half_of_either_time(conflict_rule, winner):
    crm, microsoft = changed(start=NINE - HOUR), changed(end=NINE + 2 * HOUR)
    found = merge(crm, microsoft, base_of(), Policy(conflict_rule=ConflictRule(conflict_rule)))
    expected = crm if winner == "crm" else microsoft
    there = crm.values() | dict(found.to_crm)
    assert (there["start"], there["end"]) == (expected.start, expected.end)
    there = microsoft.values() | dict(found.to_microsoft)
    assert (there["start"], there["end"]) == (expected.start, expected.end)
    assert {item.name for item in found.conflicts} == {"start", "end"}


@rule("CAL-01")
def test_another_name_of_the_zone_is_no_news():
    vienna = changed(time_zone="Europe/Vienna")
    assert merge(vienna, EVENT).is_quiet
    assert merge(vienna, EVENT, base_of(crm=vienna)).is_quiet


@rule("CAL-01")
def test_a_whole_day_becomes_a_time_and_the_reverse():
    day = changed(start=date(2026, 5, 4), end=date(2026, 5, 4), all_day=True)
    assert dict(merge(EVENT, day, base_of()).to_crm) == {"start": day.start, "end": day.end, "all_day": True}
    sent = merge(day, EVENT, base_of()).to_microsoft
    assert (sent["start"], sent["end"], sent["all_day"]) == (day.start, day.end, True)


@rule("PRIV-01")
@pytest.mark.parametrize(("crm", "microsoft", "before_crm", "before_microsoft", "to_crm", "to_microsoft"), [
    (True, False, False, False, None, True),
    (False, True, False, False, True, None),
    (True, True, False, False, None, None),
    (False, True, True, True, None, None),      # made public in the CRM: it stays private there, and here as it is
    (True, False, True, True, None, None),
    (False, False, False, False, None, None),
])
def test_private_goes_one_way(crm, microsoft, before_crm, before_microsoft, to_crm, to_microsoft):
    base = base_of(changed(private=before_crm), changed(private=before_microsoft))
    found = merge(changed(private=crm), changed(private=microsoft), base)
    assert found.to_crm.get("private") == to_crm
    assert found.to_microsoft.get("private") == to_microsoft


@rule("PRIV-01")
@pytest.mark.parametrize(("crm", "microsoft"), [(True, False), (False, True), (True, True), (True, None)])
def test_what_is_private_anywhere_is_private_everywhere_at_first(crm, microsoft):
    found = merge(changed(private=crm), changed(private=microsoft))
    assert found.to_crm.get("private", crm) is True
    assert found.to_microsoft.get("private", microsoft) is True


@rule("CAL-02")
def test_notes_go_once():
    assert merge(changed(body=None), EVENT).to_crm == {"body": "Notes"}
    assert merge(EVENT, changed(body=None)).to_microsoft == {"body": "Notes"}
    assert merge(changed(body="Minutes"), changed(body="Agenda"), base_of()).is_quiet


@rule("CAL-05")
def test_a_status_alone_moves_nothing():
    from opencrm_ms365.records.task import Status

    assert merge(changed(status=Status.CANCELLED), EVENT, base_of()).is_quiet
    assert merge(changed(status=Status.CANCELLED), EVENT).is_quiet


times = st.integers(0, 3).map(lambda number: NINE + number * HOUR)
events = st.builds(
    lambda subject, start, hours, private: changed(
        subject=subject, start=start, end=start + hours * HOUR, private=private),
    st.sampled_from(["Kick-off", "Lunch", None]), times, st.integers(1, 3), st.booleans())


@rule("SYNC-06", "ORG-09", "CAL-01")
@given(crm=events, microsoft=events, based=st.booleans(), conflict_rule=st.sampled_from(["crm", "microsoft"]))
def test_after_one_merge_both_sides_agree_and_the_event_ends_after_it_begins(crm, microsoft, based, conflict_rule):
    base = base_of() if based else None
    found = merge(crm, microsoft, base, Policy(conflict_rule=ConflictRule(conflict_rule)))
    mine = EventData(**(crm.values() | dict(found.to_crm)))
    theirs = EventData(**(microsoft.values() | dict(found.to_microsoft)))
    assert mine.only(frozenset({"subject", "start", "end"})) == theirs.only(frozenset({"subject", "start", "end"}))
    assert mine.start <= mine.end
    again = merge(mine, theirs, base_of(mine, theirs))
    assert again.is_quiet and not again.conflicts


@rule("ORG-06")
@given(crm=events, microsoft=events, based=st.booleans(),
       direction=st.sampled_from([Direction.TO_CRM, Direction.TO_MICROSOFT]))
def test_the_source_of_a_one_way_sync_is_not_written(crm, microsoft, based, direction):
    found = merge(crm, microsoft, base_of() if based else None, Policy(direction=direction))
    assert not (found.to_crm if Policy(direction=direction).source is Side.CRM else found.to_microsoft)
