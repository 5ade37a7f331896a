"""The window of time in which events are synced, and what Microsoft's feeds may do to it (SYNC-02, 04, 06, 08, 09)."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from opencrm_ms365.errors import GraphError
from opencrm_ms365.models import Meeting, RecordMapping, SharedRecord
from tests.meetings import change, invited, mails, move_clocks, only_event, sent, times
from tests.rules import rule
from tests.world import tomorrow

pytestmark = pytest.mark.django_db(transaction=True)

PAST, FUTURE = 61, 366


@pytest.fixture
def now(monkeypatch):
    """The app's clock stands still, at a full second."""
    instant = datetime.now(UTC).replace(microsecond=0)
    monkeypatch.setattr(timezone, "now", lambda: instant)
    return instant


def the(world):
    return world.crm.meetings().get()


@rule("SYNC-02")
def test_the_bounds_are_inclusive_on_both_sides(world, now):
    world.connect("ada")
    second = timedelta(seconds=1)
    edges = {"first": now - timedelta(days=PAST), "last": now + timedelta(days=FUTURE)}
    beyond = {"early": edges["first"] - second, "late": edges["last"] + second}
    for name, start in (edges | beyond).items():
        world.crm.meeting(subject=f"out {name}", start=start)
        world.mailbox("ada").add_event(subject=f"in {name}", **times(start))
    world.settle()
    subjects = {event["subject"] for event in world.mailbox("ada").events()}
    assert {name for name in subjects if name.startswith("out")} == {"out first", "out last"}
    assert {row.subject for row in world.crm.meetings() if row.subject.startswith("in")} == {"in first", "in last"}


@rule("SYNC-02")
def test_a_linked_record_that_leaves_the_window_is_left_alone_on_both_sides(world, monkeypatch):
    world.connect("ada")
    meeting = world.crm.meeting()
    world.mailbox("ada").add_event(subject="Theirs", **times())
    world.settle()
    move_clocks(world, monkeypatch, days=PAST + 5)
    world.settle()
    world.sync(full=True)
    assert world.crm.meetings().count() == len(world.mailbox("ada").events()) == 2
    assert RecordMapping.objects.filter(state="linked").count() == 2
    change(meeting, subject="Edited long after")
    [theirs] = world.mailbox("ada").find_events(subject="Theirs")
    world.mailbox("ada").edit_event(theirs["id"], subject="Renamed long after")
    world.settle()
    assert world.sync(full=True).writes == []
    assert {event["subject"] for event in world.mailbox("ada").events()} == {"Kick-off", "Renamed long after"}
    assert {row.subject for row in world.crm.meetings()} == {"Edited long after", "Theirs"}


@rule("SYNC-02")
def test_deleting_what_has_left_the_window_leaves_the_other_side_alone(world, monkeypatch):
    world.connect("ada")
    meeting = world.crm.meeting()
    world.mailbox("ada").add_event(subject="Theirs", **times())
    world.settle()
    move_clocks(world, monkeypatch, days=PAST + 5)
    meeting.delete()
    [theirs] = world.mailbox("ada").find_events(subject="Theirs")
    world.mailbox("ada").delete_event(theirs["id"])
    world.settle()
    world.sync(full=True)
    world.settle()
    assert [event["subject"] for event in world.mailbox("ada").events()] == ["Kick-off"]
    assert [row.subject for row in world.crm.meetings()] == ["Theirs"]


@rule("SYNC-02")
@pytest.mark.parametrize("side", ["crm", "microsoft"])
def test_an_edit_that_takes_it_out_of_the_window_is_still_synced_and_then_it_rests(world, side):
    world.connect("ada")
    meeting = world.crm.meeting()
    world.settle()
    far = tomorrow(10, days=FUTURE + 20)
    if side == "crm":
        change(meeting, start=far, end=far + timedelta(hours=1))
    else:
        world.mailbox("ada").edit_event(only_event(world, "ada")["id"], **times(far))
    world.settle()
    world.sync(full=True)
    meeting.refresh_from_db()
    assert meeting.start == far and only_event(world, "ada")["start"]["dateTime"][:10] == str(far.date())
    change(meeting, subject="Not any more")
    world.settle()
    assert only_event(world, "ada")["subject"] == "Kick-off"
    change(meeting, start=tomorrow(12), end=tomorrow(13))                # and back
    world.settle()
    event = only_event(world, "ada")
    assert (event["subject"], event["start"]["dateTime"][11:13]) == ("Not any more", "12")
    assert RecordMapping.objects.count() == 1


@rule("SYNC-02")
def test_what_enters_the_window_is_synced(world, monkeypatch):
    world.connect("ada")
    far = tomorrow(10, days=FUTURE + 10)
    world.crm.meeting(subject="out", start=far)
    world.mailbox("ada").add_event(subject="in", **times(far))
    world.settle()
    assert RecordMapping.objects.count() == 0
    move_clocks(world, monkeypatch, days=14)
    world.settle()
    assert RecordMapping.objects.count() == 2
    assert world.crm.meetings().count() == len(world.mailbox("ada").events()) == 2


@rule("SYNC-02", "SYNC-05")
def test_the_moving_window_is_read_anew_now_and_then_and_nothing_is_made_or_lost(world, monkeypatch, settings):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "FULL_PASS_HOURS": 24 * 365}
    world.connect("ada")
    for days in (-50, 1, 200):
        world.crm.meeting(subject=f"day {days}", start=tomorrow(days=days))
    world.settle()
    windows = [world.link("ada").cursors["events"]["windows"]]
    for _ in range(4):
        move_clocks(world, monkeypatch, days=10)
        assert world.settle().writes == []
        windows.append(world.link("ada").cursors["events"]["windows"])
    assert windows[0] == windows[2] != windows[4]
    assert windows[3] == windows[4] or windows[3] == windows[0]
    assert world.crm.meetings().count() == len(world.mailbox("ada").events()) == 3
    assert RecordMapping.objects.filter(state="linked").count() == 3


@rule("SYNC-08")
@pytest.mark.parametrize(("status", "code"), [
    (410, "SyncStateNotFound"), (410, "ResyncRequired"), (400, "SyncStateInvalid"), (400, "ErrorInvalidSyncStateData")])
def test_an_expired_delta_token_deletes_nothing_and_finds_what_happened_meanwhile(world, status, code):
    world.sandbox.options.set(delta_expired_status=status, delta_expired_code=code)
    world.connect("ada")
    box = world.mailbox("ada")
    world.crm.meeting(subject="Stays")
    gone = box.add_event(subject="Goes", **times())
    moved = box.add_event(subject="Moves", **times())
    world.organisation(microsoft_deletion="delete")
    world.settle()
    world.sandbox.expire_delta_tokens(world.account("ada"))
    box.delete_event(gone["id"])
    box.edit_event(moved["id"], **times(tomorrow(16)))
    world.settle()
    assert {row.subject for row in world.crm.meetings()} == {"Stays", "Moves"}
    assert world.crm.meetings().get(subject="Moves").start == tomorrow(16)
    assert len(box.events()) == 2 and world.sync(full=True).writes == []


@rule("SYNC-08", "SYNC-05")
def test_replays_duplicates_empty_pages_and_removals_from_outside_change_nothing(world):
    world.sandbox.options.set(delta_duplicates=True, delta_replays=3, delta_empty_pages=True, delta_shuffled=True,
                              delta_page_size=2)
    world.connect("ada")
    box = world.mailbox("ada")
    for number in range(3):
        world.crm.meeting(subject=f"out {number}")
        box.add_event(subject=f"in {number}", **times())
    far = box.add_event(subject="far", **times(tomorrow(days=FUTURE + 200)))
    world.settle()
    box.edit_event(far["id"], subject="far away")
    box.delete_event(far["id"])
    assert world.settle().writes == []
    assert world.crm.meetings().count() == len(box.events()) == 6


@rule("SYNC-08")
@pytest.mark.parametrize("fault", [
    {"truncate": "json"}, {"truncate": "length"}, {"status": 503}, {"cut": "after"},
    {"status": 404, "code": "MailboxNotEnabledForRESTAPI"}])
def test_a_pull_that_breaks_off_deletes_nothing(world, fault):
    from opencrm_ms365.models import LinkStatus, UserLink

    world.organisation(microsoft_deletion="delete")
    world.connect("ada")
    for number in range(3):
        world.mailbox("ada").add_event(subject=f"in {number}", **times())
    world.settle()
    world.sandbox.expire_delta_tokens(world.account("ada"))
    world.sandbox.faults.add(path="calendarView/delta", times=3, **fault)
    for _ in range(3):
        with contextlib.suppress(GraphError):
            world.sync()
        UserLink.objects.update(status=LinkStatus.CONNECTED)
    world.sandbox.faults.clear()
    world.settle()
    assert world.crm.meetings().count() == len(world.mailbox("ada").events()) == 3
    assert RecordMapping.objects.filter(state="linked").count() == 3


@rule("SYNC-09")
def test_lost_links_are_found_by_the_identity_on_the_events(world):
    world.connect("ada")
    meeting = world.crm.meeting()
    world.mailbox("ada").add_event(subject="Theirs", **times())
    world.settle()
    for model in (RecordMapping, SharedRecord, Meeting):
        model.objects.all().delete()
    change(meeting, subject="Other words", start=tomorrow(9), end=tomorrow(10))
    world.settle()
    world.sync(full=True)
    world.settle()
    assert world.crm.meetings().count() == len(world.mailbox("ada").events()) == 2
    assert RecordMapping.objects.filter(state="linked").count() == 2


@rule("SYNC-09")
def test_a_copy_that_a_person_makes_is_a_new_record(world):
    world.connect("ada")
    meeting = world.crm.meeting()
    world.settle()
    box = world.mailbox("ada")
    original = only_event(world, "ada")
    [(name, value)] = box.event_properties(original["id"]).items()
    copy = box.add_event(subject="Kick-off", **times())
    box.set_event_property(copy["id"], name, value)
    world.settle()
    world.sync(full=True)
    world.settle()
    assert world.crm.meetings().count() == len(box.events()) == 2
    assert RecordMapping.objects.get(object_id=str(meeting.pk)).graph_id == original["id"]
    box.edit_event(copy["id"], subject="The copy")
    world.settle()
    meeting.refresh_from_db()
    assert meeting.subject == "Kick-off"


@rule("SYNC-04", "ATT-08")
@pytest.mark.parametrize("fault", [{"cut": "after"}, {"status": 503, "after_effect": True}, {"truncate": "json"}])
@pytest.mark.parametrize("answer", ["found", "conflict", "bad_request"])
def test_a_creation_whose_answer_is_lost_invites_once(world, monkeypatch, fault, answer):
    world.sandbox.options.set(repeated_transaction=answer)
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.account("ben")
    world.crm.meeting(users=["ben"])
    world.sandbox.faults.add(method="POST", path=r"/events$", inner=False if "cut" in fault else None, **fault)
    if "cut" in fault:
        world.sandbox.faults.add(method="POST", path=r"\$batch$", skip=2, **fault)
    for _ in range(3):
        with contextlib.suppress(GraphError):
            world.sync()
    world.settle()
    assert mails(world) == [("invitation", "ada", "ben")]
    assert len(world.mailbox("ada").events()) == 1 and world.crm.meetings().count() == 1


@rule("SYNC-04", "ATT-08", "CAL-04")
def test_an_update_whose_answer_is_lost_mails_once(world):
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.account("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    change(meeting, subject="Once")
    world.sandbox.faults.add(method="PATCH", path=r"/events/", status=503, after_effect=True)
    for _ in range(3):
        with contextlib.suppress(GraphError):
            world.sync()
    world.settle()
    assert mails(world) == [("update", "ada", "ben")]
    meeting.refresh_from_db()
    assert meeting.subject == only_event(world, "ada")["subject"] == "Once"


@rule("SYNC-05")
def test_microsofts_own_touches_are_no_changes(world):
    world.sandbox.options.set(etag_moves_after_create=True)
    world.organisation(attendees_future=True)
    world.connect("ada")
    world.account("ben")
    meeting = world.crm.meeting(users=["ben"])
    world.settle()
    mails(world)
    world.mailbox("ada").touch_event(only_event(world, "ada")["id"])
    assert world.sync().writes == []
    change(meeting, location="Here")
    assert len(sent(world.sync())) >= 1
    assert mails(world) == [("update", "ada", "ben")]


@rule("SYNC-06")
def test_a_guest_of_two_meetings_at_the_same_time_has_two_activities(world):
    world.connect("ada")
    world.connect("ben")
    for organiser, guest in (("ada", "ben"), ("ben", "ada"), ("ada", "ben")):
        world.mailbox(organiser).add_event(subject="Same", attendees=invited(guest), **times())
    world.settle()
    assert world.crm.meetings().count() == 3
    assert sorted(row.assigned_to.username for row in world.crm.meetings()) == ["ada", "ada", "ben"]
