"""Events through real HTTP against the sandbox, with every behaviour that Microsoft's documentation leaves open."""

from datetime import UTC, date, datetime, timedelta

import pytest

from opencrm_ms365.errors import (
    AlreadyCreated,
    ConsentRequired,
    DeltaExpired,
    NotFound,
    OutcomeUnknown,
    Rejected,
    SignInRequired,
    Stale,
)
from opencrm_ms365.graph import batch
from opencrm_ms365.graph.client import GraphClient
from opencrm_ms365.graph.contacts import Contacts
from opencrm_ms365.graph.event_items import Attendee, EventItem, EventWrite, OccurrenceItem, RemovedItem
from opencrm_ms365.graph.events import Events
from opencrm_ms365.graph.people import find_users
from opencrm_ms365.graph.wire.zones import same_zone
from opencrm_ms365.records.event import EventData
from opencrm_ms365.sandbox import Sandbox
from opencrm_ms365.sandbox.server import running
from tests import rules

ADA, BEN = "ada@brightwell.example", "ben@brightwell.example"
START = datetime(2026, 11, 24, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = (datetime(2026, 9, 22, tzinfo=UTC), datetime(2027, 11, 22, tzinfo=UTC))
FULL = EventData(
    subject="Kick-off", body="one\n\n  two  <three>\n- four", start=START, end=START + HOUR, all_day=False,
    time_zone="Europe/Berlin", location="Room 4", private=True, show_as="workingElsewhere", reminder_minutes=30,
    categories=("blue", "Red"),
)
DAYS = EventData(subject="Fair", start=date(2026, 12, 1), end=date(2026, 12, 3), all_day=True,
                 time_zone="America/New_York", reminder_minutes=None)
WEEKLY = {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": ["tuesday"]},
          "range": {"type": "numbered", "startDate": "2026-11-24", "numberOfOccurrences": 4}}
JSON_TIMES = {"start": {"dateTime": "2026-11-24T10:00:00", "timeZone": "Europe/Berlin"},
              "end": {"dateTime": "2026-11-24T11:00:00", "timeZone": "Europe/Berlin"}}


class Place:
    """A sandbox with Ada's and Ben's mailboxes, and our view of Ada's."""

    def __init__(self, sandbox, url, **options):
        sandbox.options.set(**options)
        self.sandbox, self.url = sandbox, url
        tenant = sandbox.add_tenant("brightwell.example")
        self.account = sandbox.add_user(tenant, ADA, "Ada Lindqvist")
        self.outlook = sandbox.mailbox(self.account)
        self.ben = sandbox.mailbox(sandbox.add_user(tenant, BEN, "Ben Okafor"))
        self.scopes = "User.Read User.ReadBasic.All Contacts.ReadWrite Calendars.ReadWrite"
        self.client = GraphClient(url, self, timeout_s=5, sleep=lambda seconds: None)
        self.events = Events(self.client, page_size=3)

    def token(self, *, refused="", claims=""):
        if refused:
            raise SignInRequired
        return self.sandbox.token_for(self.account, self.scopes)

    @property
    def default(self):
        return self.outlook.default_calendar_id

    def round(self, link="", calendar=None):
        """All items of a round, the last word on each, and the link for the next one."""
        found = {}
        while True:
            page = self.events.page(calendar or self.default, link, None if link else WINDOW)
            found |= {item.graph_id: item for item in page.items}
            link = page.next_link
            if page.delta_link:
                return found, page.delta_link

    def create(self, record, **more):
        return self.events.write([EventWrite("k", "create", folder=self.default, values=record.values(), **more)])["k"]

    def update(self, item, attendees=None, **values):
        return self.events.write([EventWrite(
            "k", "update", folder=item.folder, graph_id=item.graph_id, etag=item.etag, values=values,
            current=item.data, kept=item.kept, attendees=attendees)])["k"]

    def read(self, graph_id):
        return self.events.get([graph_id])[graph_id]

    def mails(self):
        """Kind and recipient of the mail since this was last asked."""
        sent = [(mail.kind, mail.recipient) for mail in self.sandbox.mails]
        self.sandbox.clear_mails()
        return sent


@pytest.fixture
def place(request):
    sandbox = Sandbox(seed=1)
    with running(sandbox) as url:
        yield Place(sandbox, url, **getattr(request, "param", {}))


def switched(*switches):
    """Run a test with these switches of the sandbox, one set after the other."""
    return pytest.mark.parametrize("place", [{}, *switches], indirect=True,
                                   ids=["as is", *(", ".join(f"{k}={v}" for k, v in s.items()) for s in switches)])


# Fields

@rules.rule("CAL-01")
@switched({"etag_moves_after_create": True}, {"read_only_properties": "refused"}, {"default_calendar_name": "Kalender"})
@pytest.mark.parametrize("record", [FULL, DAYS], ids=["hours", "days"])
def test_CAL_01_what_is_written_is_what_is_read(place, record):
    created = place.create(record, transaction_id="t")
    assert isinstance(created, EventItem), created
    assert created.data.only(set(record.set_fields())) == record
    assert place.read(created.graph_id).data == created.data
    listed, _ = place.round()
    assert listed[created.graph_id].data == created.data
    assert created.folder == place.default and created.etag and created.created_at and created.changed_at
    assert created.is_organizer and created.kind == "single" and created.organizer == ADA and created.ical_uid


def test_CAL_01_everything_can_be_emptied(place):
    created = place.create(FULL)
    empty = {"subject": None, "body": None, "location": None, "private": False, "show_as": None,
             "reminder_minutes": None, "categories": ()}
    emptied = place.update(created, **empty)
    assert emptied.data.values() | empty == emptied.data.values()
    assert (emptied.data.start, emptied.data.time_zone) == (START, "Europe/Berlin")


@rules.rule("CAL-01")
def test_CAL_01_an_event_keeps_its_zone_when_it_is_moved_and_can_become_one_of_days(place):
    added = place.outlook.add_event(subject="x", **JSON_TIMES)
    item = place.read(added["id"])
    assert (item.data.start, item.data.time_zone) == (START, "Europe/Berlin")
    moved = place.update(item, start=START + 3 * HOUR)
    assert (moved.data.start, moved.data.end) == (START + 3 * HOUR, START + 4 * HOUR)
    assert place.outlook.event(added["id"])["originalStartTimeZone"] == "W. Europe Standard Time"
    whole = place.update(moved, all_day=True, start=date(2026, 11, 25), end=date(2026, 11, 25))
    assert (whole.data.start, whole.data.end, whole.data.all_day) == (date(2026, 11, 25), date(2026, 11, 25), True)
    again = place.update(whole, all_day=False, start=START, end=START + HOUR, time_zone="Asia/Kolkata")
    assert (again.data.start, again.data.end) == (START, START + HOUR)
    assert same_zone(again.data.time_zone, "Asia/Kolkata")


@rules.rule("PRIV-01")
@pytest.mark.parametrize("sensitivity", ["private", "personal", "confidential"])
def test_PRIV_01_every_grade_of_privacy_is_private_and_stays_what_it_is(place, sensitivity):
    added = place.outlook.add_event(subject="x", sensitivity=sensitivity, **JSON_TIMES)
    item = place.read(added["id"])
    assert item.data.private is True
    place.update(item, private=True, subject="y")
    assert place.outlook.event(added["id"])["sensitivity"] == sensitivity


@rules.rule("CAL-02")
def test_CAL_02_notes_do_not_put_an_end_to_an_online_meeting(place):
    added = place.outlook.add_event(subject="x", isOnlineMeeting=True, body={"contentType": "text", "content": "hello"},
                                    **JSON_TIMES)
    item = place.read(added["id"])
    assert item.kept.holds_join_block and item.data.body.startswith("hello\n") and "https://" in item.data.body
    place.update(item, body="new notes", subject="y")
    unread = EventWrite("k", "update", graph_id=item.graph_id, values={"body": "new notes"})
    assert isinstance(place.events.write([unread])["k"], EventItem)
    now = place.outlook.event(added["id"])
    assert now["isOnlineMeeting"] is True and now["subject"] == "y" and "hello" in now["body"]["content"]


@rules.rule("CAL-03")
def test_CAL_03_what_somebody_sent_arrives_as_clean_text(place):
    body = "<p>Hello</p><script>steal()</script><img src='https://spy.example/p.gif'><p onclick='x'>there</p>"
    place.outlook.receive_event("eve@evil.example", subject="x", body={"contentType": "html", "content": body},
                                **JSON_TIMES)
    found, _ = place.round()
    item, = found.values()
    assert item.data.body == "Hello\nthere"
    assert not item.is_organizer and item.organizer == "eve@evil.example"


# Meetings

@rules.rule("CAL-04", "ATT-08")
@switched({"private_patch_mails": ("showAs", "sensitivity")}, {"reschedule_resets_answers": True})
def test_CAL_04_only_what_concerns_the_guests_is_mailed(place):
    guests = (Attendee(BEN, "Ben"), Attendee("guest@elsewhere.example", kind="optional"))
    meeting = place.create(FULL, attendees=guests, transaction_id="t")
    assert sorted(place.mails()) == [("invitation", BEN), ("invitation", "guest@elsewhere.example")]
    meeting = place.update(place.read(meeting.graph_id), categories=("green",), reminder_minutes=5)
    assert place.mails() == []
    meeting = place.update(meeting, body=FULL.body, private=True, time_zone="Europe/Vienna")
    assert place.mails() == []
    meeting = place.update(meeting, attendees=(*guests, Attendee("new@elsewhere.example")))
    assert [recipient for _kind, recipient in place.mails()] == ["new@elsewhere.example"]
    place.update(meeting, subject="Later")
    assert len(place.mails()) == 3


def test_ATT_10_answers_are_read(place):
    meeting = place.create(FULL, attendees=(Attendee(BEN, "Ben"),))
    copy, = place.ben.events()
    place.ben.answer(copy["id"], "tentativelyAccepted")
    assert place.read(meeting.graph_id).attendees == (Attendee(BEN, "Ben", "required", "tentative"),)


@rules.rule("ATT-11")
@switched({"occurrence_uid": "own"})
def test_ATT_11_a_guests_copy_is_found_by_the_meetings_uid(place):
    sent = place.ben.add_event(subject="x", attendees=[{"emailAddress": {"address": ADA}}], **JSON_TIMES)
    found = place.events.find_uid([sent["iCalUId"], "unknown"])
    assert list(found) == [sent["iCalUId"]]
    copy = found[sent["iCalUId"]]
    assert (copy.is_organizer, copy.organizer, copy.answer) == (False, BEN, "none")


def test_CAL_05_a_cancelled_copy_says_so(place):
    sent = place.ben.add_event(subject="x", attendees=[{"emailAddress": {"address": ADA}}], **JSON_TIMES)
    _, link = place.round()
    place.ben.cancel_event(sent["id"], "It rains.")
    found, _ = place.round(link)
    copy, = (item for item in found.values() if isinstance(item, EventItem))
    assert copy.is_cancelled and copy.data.status.name == "CANCELLED"


@rules.rule("DEL-02")
def test_DEL_02_a_meeting_is_called_off_by_its_organiser_only(place):
    meeting = place.create(FULL, attendees=(Attendee(BEN, "Ben"),))
    sent = place.ben.add_event(subject="x", attendees=[{"emailAddress": {"address": ADA}}], **JSON_TIMES)
    copy = place.events.find_uid([sent["iCalUId"]])[sent["iCalUId"]]
    place.mails()
    results = place.events.write([
        EventWrite("own", "cancel", graph_id=meeting.graph_id, comment="It rains."),
        EventWrite("guest", "cancel", graph_id=copy.graph_id)])
    assert results["own"] is None and isinstance(results["guest"], Rejected)
    assert place.mails() == [("cancellation", BEN)]
    assert place.events.write([EventWrite("k", "delete", graph_id=meeting.graph_id)])["k"] is None
    assert place.events.write([EventWrite("k", "delete", graph_id=copy.graph_id, etag=copy.etag)])["k"] is None
    assert place.mails() == []


# Creating again

@rules.rule("ATT-08", "SYNC-04")
@switched(*({"repeated_transaction": answer, "repeated_transaction_tells_id": tells}
            for answer in ("created", "found", "bad_request", "conflict") for tells in (True, False)))
@pytest.mark.parametrize("marker", ["m", ""])
def test_ATT_08_a_repeated_creation_makes_and_mails_nothing(place, marker):
    first = place.create(FULL, marker=marker, transaction_id="t", attendees=(Attendee(BEN),))
    place.mails()
    again = place.create(FULL, marker=marker, transaction_id="t", attendees=(Attendee(BEN),))
    assert again.graph_id == first.graph_id and again.folder == place.default and again.marker == marker
    assert len(place.outlook.events()) == 1 and place.mails() == []


@switched({"repeated_transaction": "conflict", "repeated_transaction_tells_id": False})
def test_ATT_08_a_creation_whose_event_was_purged_says_so(place):
    first = place.create(FULL, marker="m", transaction_id="t")
    place.outlook.purge_event(first.graph_id)
    again = place.create(FULL, marker="m", transaction_id="t")
    assert isinstance(again, AlreadyCreated) or len(place.outlook.events()) == 1
    assert isinstance(place.create(FULL, marker="m", transaction_id="another"), EventItem)


@rules.rule("ATT-08", "SYNC-04")
@pytest.mark.parametrize("fault", [
    {"path": r"\$batch", "cut": "after"}, {"path": r"\$batch", "truncate": "json"},
    {"path": "events", "status": 503, "after_effect": True, "inner": True},
])
def test_ATT_08_a_creation_whose_answer_was_lost_is_repeated_without_a_second_invitation(place, fault):
    place.sandbox.faults.add(**fault)
    lost = place.create(FULL, marker="m", transaction_id="t", attendees=(Attendee(BEN),))
    assert isinstance(lost, OutcomeUnknown)
    again = place.create(FULL, marker="m", transaction_id="t", attendees=(Attendee(BEN),))
    assert isinstance(again, EventItem) and place.events.find_marker([place.default], "m") == (again,)
    assert place.mails() == [("invitation", BEN)] and len(place.outlook.events()) == 1


# Delta

@switched({"delta_shuffled": True, "delta_duplicates": True}, {"delta_empty_pages": True}, {"delta_replays": 3},
          {"calendar_delta_select": "ignored"}, {"batch_order": "as_sent"})
def test_a_round_tells_everything_and_the_next_one_what_changed(place):
    made = [place.create(FULL) for _number in range(7)]
    found, link = place.round()
    assert set(found) == {item.graph_id for item in made}
    place.outlook.edit_event(made[0].graph_id, subject="changed")
    place.outlook.delete_event(made[1].graph_id)
    changes, link = place.round(link)
    assert changes[made[0].graph_id].data.subject == "changed"
    assert isinstance(changes[made[1].graph_id], RemovedItem)


@switched({"delta_outside_removals": False})
def test_what_leaves_the_window_or_the_calendar_is_removed_but_not_gone(place):
    moved, left = place.create(FULL), place.create(FULL)
    other = place.outlook.add_calendar("Team")
    _, link = place.round()
    place.outlook.move_event(moved.graph_id, other["id"])
    place.outlook.edit_event(left.graph_id, start={"dateTime": "2029-01-01T10:00:00", "timeZone": "UTC"},
                             end={"dateTime": "2029-01-01T11:00:00", "timeZone": "UTC"})
    changes, _ = place.round(link)
    assert {type(changes[item.graph_id]) for item in (moved, left)} == {RemovedItem}
    assert all(isinstance(item, EventItem) for item in place.events.get([moved.graph_id, left.graph_id]).values())
    there, _ = place.round(calendar=other["id"])
    assert there[moved.graph_id].folder == other["id"]


@switched({"occurrence_uid": "own"}, {"deleted_series": "occurrences"}, {"deleted_series": "both"},
          {"series_changes_drop_exceptions": False})
def test_a_series_is_its_master_and_the_occurrences_there_are(place):
    master = place.outlook.add_event(subject="Weekly", recurrence=WEEKLY, **JSON_TIMES)
    found, link = place.round()
    occurrences = [item for item in found.values() if isinstance(item, OccurrenceItem)]
    assert [item.start for item in occurrences] == [START + timedelta(weeks=week) for week in range(4)]
    assert {item.master_id for item in occurrences} == {master["id"]}
    assert found[master["id"]].kind == "master" and found[master["id"]].data.subject == "Weekly"
    assert place.read(occurrences[2].graph_id).original_start == START + timedelta(weeks=2)

    place.outlook.delete_event(occurrences[1].graph_id)
    place.outlook.edit_event(occurrences[2].graph_id, subject="Another")
    changes, link = place.round(link)
    kinds = [item.kind for item in changes.values() if not isinstance(item, RemovedItem)]
    assert sorted(kinds) == ["exception", "master", "occurrence", "occurrence"]
    exception, = (item for item in changes.values() if getattr(item, "kind", "") == "exception")
    assert exception.data.subject == "Another" and exception.master_id == master["id"]

    place.outlook.delete_event(master["id"])
    gone, _ = place.round(link)
    assert gone and all(isinstance(item, RemovedItem) for item in gone.values())
    assert isinstance(place.read(master["id"]), NotFound)


@rules.rule("REC-02")
@pytest.mark.parametrize("rule", [
    "FREQ=DAILY;INTERVAL=2;COUNT=5", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;UNTIL=20270226T090000Z",
    "FREQ=MONTHLY;BYMONTHDAY=24",
    "FREQ=MONTHLY;BYDAY=-1TU", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3",
    "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=24", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TU",
])
def test_REC_02_a_series_is_written_and_read_with_its_rule(place, rule):
    made = place.create(EventData(subject="x", start=START, end=START + HOUR, time_zone="Europe/Berlin",
                                  recurrence=rule))
    assert isinstance(made, EventItem), made
    assert made.kind == "master" and made.data.recurrence == rule
    moved = place.update(made, start=START + 2 * HOUR)
    assert moved.data.recurrence.split(";UNTIL")[0] == rule.split(";UNTIL")[0]
    assert place.update(moved, recurrence=None).kind == "single"


EXPIRED = [{"delta_expired_status": status, "delta_expired_code": code, "delta_expired_location": location}
           for status, code, location in [(410, "ResyncRequired", True), (400, "SyncStateNotFound", False),
                                          (400, "SyncStateInvalid", True), (410, "syncStateNotFound", True)]]


@switched(*EXPIRED)
def test_I_7_an_expired_link_is_noticed_alone_and_in_the_shared_poll(place):
    place.create(FULL)
    contacts = Contacts(place.client)
    _, link = place.round()
    links = {place.default: link}

    def poll():
        outcomes = batch.run(place.client, contacts.poll_requests({}) + place.events.poll_requests(links))
        return place.events.polled(links, outcomes)[place.default]

    before = place.client.requests
    assert poll().items == () and place.client.requests == before + 1
    place.create(DAYS)
    assert [item.data.subject for item in poll().items] == ["Fair"]
    place.sandbox.expire_delta_tokens()
    assert isinstance(poll(), DeltaExpired)
    with pytest.raises(DeltaExpired):
        place.events.page(place.default, link)
    assert len(place.round()[0]) == 2


@switched({"delta_next_link_pages": 2})
def test_a_round_that_was_interrupted_starts_anew(place):
    for _number in range(12):
        place.create(DAYS)
    if place.sandbox.options.delta_next_link_pages:
        with pytest.raises(DeltaExpired):
            place.round()
    else:
        assert len(place.round()[0]) == 12


# Finding, refusals

@rules.rule("SYNC-09")
def test_SYNC_09_marked_events_are_found_again(place):
    single = place.create(FULL, marker="one")
    master = place.outlook.add_event(subject="Weekly", recurrence=WEEKLY, **JSON_TIMES)
    place.events.write([EventWrite("k", "update", graph_id=master["id"], marker="it's two")])
    place.create(DAYS)
    assert sorted(place.events.markers(place.default, WINDOW)) == sorted(
        [(single.graph_id, "one"), (master["id"], "it's two")])
    found, = place.events.find_marker([place.default], "it's two")
    assert found.graph_id == master["id"]
    assert place.events.find_marker([place.default, ""], "three") == ()
    assert place.events.get([single.graph_id], with_marker=True)[single.graph_id].marker == "one"


@switched({"if_match": "ignored"})
def test_a_change_in_between_is_noticed(place):
    item = place.create(FULL)
    place.outlook.edit_event(item.graph_id, subject="by a person")
    outcome = place.update(item, subject="by us")
    if place.sandbox.options.if_match == "checked":
        assert isinstance(outcome, Stale)
        assert place.outlook.event(item.graph_id)["subject"] == "by a person"


def test_calendars_are_listed_and_may_be_read_only(place):
    place.outlook.add_calendar("Team")
    shared = place.outlook.add_calendar("Holidays", can_edit=False, owner=BEN)
    listed = place.events.calendars()
    assert listed[0].is_default and listed[0].id == place.default and listed[0].can_edit
    assert {item.name: item.can_edit for item in listed[1:]} == {"Team": True, "Holidays": False}
    refused = place.events.write([EventWrite("k", "create", folder=shared["id"], values=FULL.values())])["k"]
    assert isinstance(refused, Rejected)


def test_a_calendar_that_is_gone_is_not_found(place):
    calendar = place.outlook.add_calendar("Team")
    _, link = place.round(calendar=calendar["id"])
    place.outlook.delete_calendar(calendar["id"])
    with pytest.raises(NotFound):
        place.events.page(calendar["id"], link)


def test_without_the_permission_the_administrator_is_asked(place):
    place.scopes = "User.Read Contacts.ReadWrite"
    with pytest.raises(ConsentRequired):
        place.events.calendars()


@switched({"attendee_patch": "refused"})
def test_ATT_06_on_a_guests_copy_only_ones_own_properties_are_ever_changed(place):
    sent = place.ben.add_event(subject="x", attendees=[{"emailAddress": {"address": ADA}}], **JSON_TIMES)
    copy = place.events.find_uid([sent["iCalUId"]])[sent["iCalUId"]]
    place.mails()
    assert isinstance(place.update(copy, categories=("green",), private=True), EventItem)
    outcome = place.update(place.read(copy.graph_id), subject="mine")
    assert isinstance(outcome, Rejected if place.sandbox.options.attendee_patch == "refused" else EventItem)
    assert place.mails() == [] and place.ben.event(sent["id"])["subject"] == "x"


def test_ATT_01_people_are_found_in_the_directory(place):
    found = find_users(place.client, ["Ben@brightwell.example", "o'brien@brightwell.example", "x@y.example"])
    assert list(found) == [BEN] and found[BEN].mail == BEN and found[BEN].name == "Ben Okafor"
