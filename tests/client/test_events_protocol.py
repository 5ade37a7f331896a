"""Reading and writing events against answers that a documented service may give, and some that it may not."""

from datetime import UTC, date, datetime, timedelta
from urllib.parse import unquote

import pytest

from opencrm_ms365.errors import (
    AlreadyCreated,
    ConsentRequired,
    DeltaExpired,
    MailboxUnavailable,
    NotFound,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    Stale,
    Throttled,
)
from opencrm_ms365.graph import batch
from opencrm_ms365.graph.contacts import Contacts
from opencrm_ms365.graph.event_items import (
    IDENTITY_PROPERTY,
    Attendee,
    BrokenItem,
    Calendar,
    EventItem,
    EventWrite,
    KeptEvent,
    OccurrenceItem,
    RemovedItem,
)
from opencrm_ms365.graph.events import Events
from opencrm_ms365.graph.people import DirectoryUser, find_users
from opencrm_ms365.records.event import EventData
from tests import rules
from tests.client.scripted import CUT, Reply, error, ok
from tests.client.test_batch import answering, inner_error
from tests.client.test_wire_event import FULL, REDUCED

START, END = datetime(2026, 11, 24, 9, tzinfo=UTC), datetime(2026, 11, 24, 10, tzinfo=UTC)
WINDOW = (datetime(2026, 9, 1, tzinfo=UTC), datetime(2027, 11, 1, tzinfo=UTC))
NOW = EventData(subject="Kick-off", start=START, end=END, all_day=False, time_zone="Europe/Berlin", private=False)
PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="html"'


@pytest.fixture
def events(client):
    return Events(client, page_size=50)


def delta(items=(), *, next_link=None, delta_link=None):
    links = {"@odata.nextLink": next_link, "@odata.deltaLink": delta_link}
    return ok({"value": list(items), **{name: link for name, link in links.items() if link}})


def fine(body, status=200):
    return {"status": status, "body": body}


def answers(*replies):
    """Inner answers one after the other, over all batches."""
    waiting = iter(replies)
    return answering(lambda request: next(waiting))


def asked(server, number=-1):
    return server.seen[number].json["requests"]


# Calendars

def test_calendars_come_with_the_default_one_first(server, events):
    server.say(ok({"value": [{"id": "B", "name": "Team", "canEdit": True}, None, {"name": "no id"}],
                   "@odata.nextLink": "/v1.0/me/calendars?$skip=1"}),
               ok({"value": [{"id": "A", "name": "Kalender", "isDefaultCalendar": True, "canEdit": True},
                             {"id": "H", "name": 5, "canEdit": False}]}))
    assert events.calendars() == (Calendar("A", "Kalender", True, True), Calendar("B", "Team", False, True),
                                  Calendar("H", "", False, False))


@pytest.mark.parametrize(("answer", "kind"), [
    (error(403, "ErrorAccessDenied"), ConsentRequired), (error(404, "MailboxNotEnabledForRESTAPI"), MailboxUnavailable),
    (ok({"value": "odd"}), ProtocolError), (error(400, "ErrorInvalidRequest"), Rejected)])
def test_calendars_that_cannot_be_listed(server, events, answer, kind):
    server.otherwise = answer
    with pytest.raises(kind):
        events.calendars()


# Delta

def test_an_initial_round_is_asked_for_without_any_refused_option(server, events):
    server.say(delta([FULL, REDUCED], delta_link=f"{server.url}/v1.0/x?$deltatoken=t"))
    page = events.page("CAL=", window=WINDOW)
    seen = server.seen[0]
    assert seen.path == ("/v1.0/me/calendars/CAL%3D/calendarView/delta?startDateTime=2026-09-01T00:00:00Z"
                         "&endDateTime=2027-11-01T00:00:00Z")
    assert seen.headers["Prefer"] == f"{PREFER}, odata.maxpagesize=50"
    assert [type(item) for item in page.items] == [EventItem, OccurrenceItem]
    assert page.items[0].folder == "CAL=" and page.delta_link.endswith("t") and page.next_link == ""


def test_the_window_is_said_in_utc(server, events):
    server.otherwise = delta([], delta_link="/v1.0/d")
    events.page("", window=(datetime.fromisoformat("2026-09-01T02:00:00+05:00"), WINDOW[1]))
    assert server.seen[0].path.startswith("/v1.0/me/calendarView/delta?startDateTime=2026-08-31T21:00:00Z&")


def test_a_link_is_followed_as_it_is_with_all_wishes(server, events):
    link = f"{server.url}/v1.0/me/calendars('C')/calendarView/delta?$skiptoken=a%2Fb"
    server.say(delta([], next_link=f"{link}c"))
    page = events.page("C", link)
    assert server.seen[0].path == link.removeprefix(server.url)
    assert server.seen[0].headers["Prefer"] == f"{PREFER}, odata.maxpagesize=50"
    assert page.items == () and page.next_link == f"{link}c"


def test_one_of_the_two_must_be_given(server, events):
    with pytest.raises(ValueError, match="window"):
        events.page("C")


def test_broken_and_removed_items_stand_in_their_place_and_the_last_word_counts(server, events):
    server.say(delta([FULL, {"id": "2", "subject": 5}, {"id": "E=", "@removed": {"reason": "deleted"}}, None],
                     delta_link="/v1.0/d"))
    items = events.page("C", window=WINDOW).items
    assert items[0] == RemovedItem("E=") and isinstance(items[1], BrokenItem) and items[1].graph_id == "2"
    assert items[2].graph_id == "" and len(items) == 3


@pytest.mark.parametrize(("answer", "kind"), [
    (error(410, "SyncStateNotFound", Location="http://elsewhere"), DeltaExpired),
    (error(410, "ResyncRequired"), DeltaExpired), (error(400, "SyncStateInvalid"), DeltaExpired),
    (error(400, "ErrorInvalidSyncStateData"), DeltaExpired), (error(400, "BadRequest"), DeltaExpired),
    (error(404, "ErrorSyncFolderNotFound"), NotFound), (error(404, "ErrorItemNotFound"), NotFound),
    (error(403, "ErrorAccessDenied"), Rejected),
])
def test_what_a_refused_link_means(server, events, answer, kind):
    server.otherwise = answer
    with pytest.raises(kind) as caught:
        events.page("C", f"{server.url}/v1.0/x?$deltatoken=1")
    assert type(caught.value) is kind


def test_a_bad_request_at_the_start_is_not_expiry(server, events):
    server.otherwise = error(400, "ErrorInvalidUrlQuery")
    with pytest.raises(Rejected):
        events.page("C", window=WINDOW)


@pytest.mark.parametrize("body", [
    {"value": []}, {"value": [], "@odata.nextLink": "https://evil.example/v1.0/me"}, {"@odata.deltaLink": "/v1.0/x"},
    [],
])
def test_I_6_a_page_that_makes_no_sense_is_no_page(server, events, body):
    server.otherwise = ok(body)
    with pytest.raises(ProtocolError):
        events.page("C", window=WINDOW)


# The poll

def test_I_7_contacts_and_calendars_share_one_batch(server, client, events):
    def each(request):
        if "delta" in request["url"]:
            return fine({"value": [FULL] if "calendar" in request["url"] else [],
                         "@odata.deltaLink": "/v1.0/me/delta?$deltatoken=new"})
        return fine({"id": "D", "value": []})
    server.otherwise = answering(each)
    contacts = Contacts(client, page_size=50)
    folder_links = {"D": f"{server.url}/v1.0/me/contactFolders/D/contacts/delta?$deltatoken=1"}
    links = {"D": f"{server.url}/v1.0/me/calendars/D/calendarView/delta?$deltatoken=1", "X": "https://evil.example/d"}
    outcomes = batch.run(client, contacts.poll_requests(folder_links) + events.poll_requests(links))
    poll, polled = contacts.polled(folder_links, outcomes), events.polled(links, outcomes)
    assert len(server.seen) == 1
    assert poll.pages["D"].items == () and poll.folders is not None
    assert polled["D"].items[0].graph_id == "E=" and polled["D"].delta_link.endswith("new")
    assert isinstance(polled["X"], ProtocolError)
    prefers = {request["headers"]["Prefer"] for request in asked(server) if "calendarView" in request["url"]}
    assert prefers == {f"{PREFER}, odata.maxpagesize=50"}


@pytest.mark.parametrize(("reply", "kind"), [
    (inner_error(410, "SyncStateNotFound"), DeltaExpired), (inner_error(400, "Odd"), DeltaExpired),
    (inner_error(404, "ErrorItemNotFound"), NotFound), (fine({"value": "odd"}), ProtocolError)])
def test_a_calendars_trouble_is_its_own(server, client, events, reply, kind):
    server.otherwise = answering(lambda request: reply)
    links = {"C": f"{server.url}/v1.0/me/calendars/C/calendarView/delta?$deltatoken=1"}
    assert type(events.polled(links, batch.run(client, events.poll_requests(links)))["C"]) is kind


# Finding

def test_events_are_read_by_id(server, events):
    server.otherwise = answers(fine(FULL), inner_error(404, "ErrorItemNotFound"), fine({"id": "3", "subject": 5}),
                               fine(REDUCED))
    found = events.get(["E=", "2", "3", "O", "E="], with_marker=True)
    assert [type(item) for item in found.values()] == [EventItem, NotFound, ProtocolError, ProtocolError]
    request = asked(server)[0]
    assert request["url"].startswith("/me/events/E%3D?$select=id,") and IDENTITY_PROPERTY in unquote(request["url"])
    assert request["headers"]["Prefer"] == PREFER


def test_SYNC_09_an_event_is_found_by_its_marker(server, events):
    server.otherwise = answers(fine({"value": [FULL, {"id": ""}]}), inner_error(404, "ErrorItemNotFound"))
    found = events.find_marker(["C", "gone"], "it's")
    assert [(item.graph_id, item.marker, item.folder) for item in found] == [("E=", "it's", "C")]
    assert f"ep/id eq '{IDENTITY_PROPERTY}' and ep/value eq 'it''s'" in unquote(asked(server)[0]["url"])
    server.otherwise = answers(inner_error(403, "ErrorAccessDenied"))
    with pytest.raises(Rejected):
        events.find_marker(["C"], "m")


def test_meetings_are_found_by_their_uid(server, events):
    server.otherwise = answers(fine({"value": []}), fine({"value": [FULL, {**FULL, "id": "second"}]}))
    found = events.find_uid(["a", "b", "a"])
    assert list(found) == ["b"] and found["b"].graph_id == "E="
    assert unquote(asked(server)[1]["url"]).startswith("/me/events?$filter=iCalUId eq 'b'&$select=")


def test_SYNC_09_the_markers_of_a_window_are_read_with_those_of_masters(server, events):
    marked = {"singleValueExtendedProperties": [{"id": IDENTITY_PROPERTY, "value": "m"}]}
    server.say(ok({"value": [
        {"id": "1", "type": "singleInstance", **marked}, {"id": "2", "type": "singleInstance"},
        {"id": "3", "type": "occurrence", "seriesMasterId": "M", **marked}, "odd",
        {"id": "4", "type": "exception", "seriesMasterId": "M", **marked}]}),
        answers(fine({**FULL, "id": "M", **marked})))
    assert list(events.markers("C", WINDOW)) == [("1", "m"), ("4", "m"), ("M", "m")]
    path = unquote(server.seen[0].path)
    assert path.startswith("/v1.0/me/calendars/C/calendarView?startDateTime=") and "$expand=singleValue" in path


# Writing

@rules.rule("ATT-08")
def test_ATT_08_a_creation_carries_all_that_makes_it_repeatable(server, events):
    server.otherwise = answers(fine({**FULL, "id": "new"}, 201))
    result = events.write([EventWrite(
        "k", "create", folder="C=", values={"subject": "x", "start": START, "end": END}, marker="m",
        transaction_id="t", attendees=(Attendee("ben@b.example", "Ben"),))])
    request, = asked(server)
    assert (request["method"], request["url"]) == ("POST", "/me/calendars/C%3D/events")
    assert request["headers"] == {"Prefer": PREFER, "Content-Type": "application/json"}
    assert request["body"]["transactionId"] == "t"
    assert request["body"]["singleValueExtendedProperties"] == [{"id": IDENTITY_PROPERTY, "value": "m"}]
    assert request["body"]["attendees"] == [
        {"type": "required", "emailAddress": {"address": "ben@b.example", "name": "Ben"}}]
    assert (result["k"].graph_id, result["k"].folder, result["k"].marker) == ("new", "C=", "m")


def test_an_appointment_has_no_attendees(server, events):
    server.otherwise = answers(fine(FULL, 201), fine(FULL, 201))
    events.write([EventWrite("a", "create", values={"start": START}, attendees=()),
                  EventWrite("b", "create", values={"start": START})])
    assert all("attendees" not in request["body"] and request["url"] == "/me/events" for request in asked(server))


@rules.rule("CAL-04")
def test_CAL_04_an_update_sends_what_changed_and_nothing_else(server, events):
    server.otherwise = answers(fine(FULL))
    events.write([EventWrite("k", "update", graph_id="E=", etag='W/"7"', values={"subject": "x"}, current=NOW,
                             kept=KeptEvent("<p>notes</p>"))])
    request, = asked(server)
    assert (request["method"], request["url"]) == ("PATCH", "/me/events/E%3D")
    assert request["headers"]["If-Match"] == 'W/"7"' and request["body"] == {"subject": "x"}


def test_attendees_are_replaced_only_when_they_are_given(server, events):
    server.otherwise = answers(fine(FULL))
    events.write([EventWrite("k", "update", graph_id="E", attendees=())])
    assert asked(server)[0]["body"] == {"attendees": []}


def test_an_update_of_nothing_only_reads(server, events):
    server.otherwise = answers(fine(FULL))
    assert events.write([EventWrite("k", "update", graph_id="E", values={"time_zone": "Europe/Vienna"},
                                    current=NOW)])["k"].graph_id == "E="
    assert asked(server)[0]["method"] == "GET"


def test_an_update_that_is_answered_without_a_body_is_read(server, events):
    server.otherwise = answers({"status": 200}, fine(FULL))
    item = events.write([EventWrite("k", "update", folder="C", graph_id="E", values={"subject": "x"}, marker="m")])["k"]
    assert (item.graph_id, item.folder, item.marker) == ("E=", "C", "m")


@rules.rule("CAL-02")
def test_CAL_02_notes_are_never_written_over_what_nobody_looked_at(server, events):
    online = {**FULL, "isOnlineMeeting": True}
    server.otherwise = answers(fine(online), fine(FULL))
    events.write([EventWrite("k", "update", graph_id="E", values={"subject": "x", "body": "new notes"})])
    assert asked(server, 0)[0]["method"] == "GET"
    assert asked(server, 1)[0]["body"] == {"subject": "x"}


def test_CAL_01_a_half_known_time_is_completed_first(server, events):
    server.otherwise = answers(fine(FULL), fine(FULL))
    events.write([EventWrite("k", "update", graph_id="E", etag="e", values={"start": START + timedelta(minutes=5)})])
    body = asked(server)[0]["body"]
    assert body["end"] == {"dateTime": "2026-11-24T11:30:00.000000", "timeZone": "W. Europe Standard Time"}
    assert asked(server)[0]["headers"]["If-Match"] == "e"


def test_what_cannot_be_read_before_is_not_written(server, events):
    server.otherwise = answers(inner_error(404, "ErrorItemNotFound"), fine(FULL))
    results = events.write([EventWrite("a", "update", graph_id="1", values={"body": "x"}),
                            EventWrite("b", "update", graph_id="2", values={"subject": "x"})])
    assert list(results) == ["a", "b"]
    assert isinstance(results["a"], NotFound) and isinstance(results["b"], EventItem)


@pytest.mark.parametrize(("action", "reply", "outcome"), [
    ("delete", {"status": 204}, None), ("delete", inner_error(404, "ErrorItemNotFound"), None),
    ("delete", inner_error(410), None), ("delete", inner_error(412, "ErrorIrresolvableConflict"), Stale),
    ("cancel", {"status": 202}, None), ("cancel", inner_error(404, "ErrorItemNotFound"), None),
    ("cancel", inner_error(400, "ErrorInvalidRequest"), Rejected),
    ("delete", inner_error(404, "MailboxNotEnabledForRESTAPI"), MailboxUnavailable),
    ("delete", inner_error(403, "ErrorAccessDenied"), Rejected),
])
def test_deleting_and_cancelling(server, events, action, reply, outcome):
    server.otherwise = answers(reply)
    result = events.write([EventWrite("k", action, graph_id="E=", etag='W/"7"', comment="It rains.")])["k"]
    assert result is None if outcome is None else type(result) is outcome
    request = asked(server)[0]
    if action == "cancel":
        assert (request["method"], request["url"], request["body"]) == (
            "POST", "/me/events/E%3D/cancel", {"comment": "It rains."})
    else:
        assert (request["method"], request["url"], request["headers"]["If-Match"]) == (
            "DELETE", "/me/events/E%3D", 'W/"7"')


CREATE = EventWrite("k", "create", folder="C", values={"subject": "x", "start": START, "end": END}, marker="m",
                    transaction_id="t")


def duplicate(status, existing=None, code="ErrorDuplicateTransactionId"):
    reply = inner_error(status, code)
    if existing:
        reply["body"]["error"]["@event.existingEventId"] = existing
    return reply


@rules.rule("ATT-08", "SYNC-04")
@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("code", ["ErrorDuplicateTransactionId", "errorDuplicateTransactionID"])
def test_ATT_08_a_repeated_creation_is_the_event_that_it_names(server, events, status, code):
    server.otherwise = answers(duplicate(status, "OLD", code), fine({**FULL, "id": "OLD"}))
    item = events.write([CREATE])["k"]
    assert (item.graph_id, item.folder, item.marker) == ("OLD", "C", "m")
    assert asked(server)[0]["url"].startswith("/me/events/OLD?")


@rules.rule("ATT-08", "SYNC-04")
@pytest.mark.parametrize("status", [400, 409])
@pytest.mark.parametrize("existing", [None, "OLD"])
def test_ATT_08_or_the_one_that_bears_its_marker(server, events, status, existing):
    gone = [inner_error(404, "ErrorItemNotFound")] if existing else []
    server.otherwise = answers(duplicate(status, existing), *gone, fine({"value": [{**FULL, "id": "found"}]}))
    item = events.write([CREATE])["k"]
    assert (item.graph_id, item.folder, item.marker) == ("found", "C", "m")


@rules.rule("ATT-08")
@pytest.mark.parametrize(("start", "end"), [(START, END), (date(2026, 11, 24), date(2026, 11, 25))])
def test_ATT_08_or_the_one_with_its_transaction_id_at_that_time(server, events, start, end):
    batches = answers(duplicate(409), fine({"value": []}))
    listing = ok({"value": [{**FULL, "id": "no", "transactionId": "x"}, {**FULL, "id": "yes", "transactionId": "t"}]})
    server.otherwise = lambda seen: batches(seen) if seen.method == "POST" else listing
    write = EventWrite("k", "create", folder="C", values={"start": start, "end": end}, marker="m", transaction_id="t")
    assert events.write([write])["k"].graph_id == "yes"
    assert server.seen[-1].path.startswith("/v1.0/me/calendars/C/calendarView?startDateTime=2026-11-22T")


def test_ATT_08_a_creation_that_is_nowhere_to_be_found_is_said_to_be_so(server, events):
    batches = answers(duplicate(409), fine({"value": []}))
    server.otherwise = lambda seen: batches(seen) if seen.method == "POST" else ok({"value": []})
    result = events.write([CREATE])["k"]
    assert isinstance(result, AlreadyCreated) and isinstance(result, OutcomeUnknown) and result.status == 409


def test_trouble_while_looking_is_not_taken_for_nothing_found(server, events):
    server.otherwise = answers(duplicate(409, "OLD"), inner_error(404, "MailboxNotEnabledForRESTAPI"))
    assert isinstance(events.write([CREATE])["k"], MailboxUnavailable)
    server.otherwise = answers(duplicate(409), inner_error(403, "ErrorAccessDenied"))
    assert isinstance(events.write([CREATE])["k"], Rejected)


@pytest.mark.parametrize("status", [200, 201])
def test_ATT_08_a_plain_repetition_gives_the_event_there_is(server, events, status):
    server.otherwise = answers(fine(FULL, status))
    assert events.write([CREATE])["k"].graph_id == "E="


def test_a_creation_whose_answer_is_lost_is_unknown(server, events):
    server.otherwise = answers({"status": 201})
    assert isinstance(events.write([CREATE])["k"], OutcomeUnknown)
    server.otherwise = CUT
    assert isinstance(events.write([CREATE])["k"], OutcomeUnknown)


def test_a_conflict_that_nobody_asked_for_is_tried_once_more(server, events):
    conflict = inner_error(412, "ErrorIrresolvableConflict")
    write = EventWrite("k", "update", graph_id="E", values={"subject": "x"})
    server.otherwise = answers(conflict, fine(FULL))
    assert isinstance(events.write([write])["k"], EventItem)
    server.otherwise = answers(conflict, conflict)
    assert isinstance(events.write([write])["k"], Stale)
    server.otherwise = answers(conflict)
    stale = EventWrite("k", "update", graph_id="E", etag="e", values={"subject": "x"})
    assert isinstance(events.write([stale])["k"], Stale)


def test_CAL_01_a_zone_that_the_server_does_not_know_is_said_in_utc(server, events):
    unknown = inner_error(400, "TimeZoneNotSupportedException")
    kept = KeptEvent("", False, "W. Europe Standard Time", "W. Europe Standard Time")
    server.otherwise = answers(unknown, unknown, fine(FULL), fine(FULL, 201))
    values = {"start": START, "end": END, "time_zone": "America/Edmonton"}
    results = events.write([
        EventWrite("a", "update", graph_id="E", values={"start": START}, current=NOW, kept=kept),
        EventWrite("b", "create", values=values)])
    assert all(isinstance(result, EventItem) for result in results.values())
    assert asked(server, 0)[0]["body"]["start"]["timeZone"] == "W. Europe Standard Time"
    for request in asked(server):
        assert request["body"]["start"] == {"dateTime": "2026-11-24T09:00:00.000000", "timeZone": "UTC"}
        assert request["body"]["end"]["timeZone"] == "UTC"
    server.otherwise = answers(unknown, unknown)
    assert isinstance(events.write([EventWrite("b", "create", values=values)])["b"], Rejected)


def test_many_changes_are_sent_in_chunks_and_each_has_its_outcome(server, events):
    server.otherwise = answering(lambda request: (
        inner_error(400, "ErrorInvalidRequest") if request["body"]["subject"] == "7" else fine(FULL)))
    results = events.write([EventWrite(str(number), "update", graph_id=f"E{number}", values={"subject": str(number)})
                            for number in range(45)])
    assert [len(seen.json["requests"]) for seen in server.seen] == [20, 20, 5]
    assert list(results) == [str(number) for number in range(45)]
    assert [key for key, result in results.items() if isinstance(result, Rejected)] == ["7"]


def test_throttling_in_the_middle_keeps_what_was_answered(server, events):
    server.otherwise = answering(lambda request: (
        inner_error(429, "TooManyRequests", Retry_After="900") if request["body"]["subject"] == "1" else fine(FULL)))
    results = events.write([EventWrite(str(number), "update", graph_id=f"E{number}", values={"subject": str(number)})
                            for number in range(2)])
    assert isinstance(results["0"], EventItem) and isinstance(results["1"], Throttled)


@rules.rule("REC-02")
def test_REC_02_a_rule_that_outlook_does_not_know_holds_only_its_own_event(server, events):
    server.otherwise = answers(fine(FULL, 201))
    values = {"start": START, "end": END, "time_zone": "Europe/Vienna"}
    results = events.write([
        EventWrite("a", "create", values={**values, "recurrence": "FREQ=MONTHLY;BYDAY=2MO,4MO"}),
        EventWrite("b", "create", values=values)])
    assert isinstance(results["a"], Rejected) and "Outlook cannot do" in str(results["a"])
    assert isinstance(results["b"], EventItem) and len(asked(server)) == 1


def test_a_series_is_not_tried_again_in_utc(server, events):
    server.otherwise = answers(inner_error(400, "TimeZoneNotSupportedException"))
    values = {"start": START, "end": END, "time_zone": "America/Edmonton", "recurrence": "FREQ=DAILY"}
    assert isinstance(events.write([EventWrite("a", "create", values=values)])["a"], Rejected)


@rules.rule("SYNC-04")
def test_SYNC_04_trouble_after_the_writes_loses_none_of_their_answers(server, events):
    replies = iter([fine(FULL), inner_error(412, "ErrorIrresolvableConflict"), {"status": 200}])
    stop = Reply(429, {"error": {"code": "TooManyRequests"}}, {"Retry-After": "900"})
    server.say(answering(lambda request: next(replies)))
    server.otherwise = stop
    results = events.write([EventWrite(key, "update", graph_id=key, values={"subject": "x"}) for key in "abc"])
    assert [type(results[key]) for key in "abc"] == [EventItem, Throttled, OutcomeUnknown]


def test_a_repeated_creation_that_cannot_be_looked_for_is_told_as_that(server, events):
    server.say(answers(duplicate(409, "OLD")))
    server.otherwise = Reply(429, {"error": {"code": "TooManyRequests"}}, {"Retry-After": "900"})
    assert isinstance(events.write([CREATE])["k"], Throttled)


def test_I_4_markers_that_cannot_all_be_read_are_an_error(server, events):
    server.say(ok({"value": [{"id": "3", "type": "occurrence", "seriesMasterId": "M"}]}),
               answers(inner_error(403, "ErrorAccessDenied")))
    with pytest.raises(Rejected):
        list(events.markers("C", WINDOW))


def test_PRIV_03_nothing_of_a_write_is_in_its_repr(server, events):
    shown = repr(EventWrite("k", "create", values={"subject": "Kick-off"}, current=NOW, comment="It rains.",
                            attendees=(Attendee("ben@b.example", "Ben"),), kept=KeptEvent("<p>notes</p>")))
    assert not any(word in shown for word in ("Kick-off", "rains", "ben@", "Ben", "notes"))


# People of the directory

def user(number, **changes):
    return {"id": f"id-{number}", "displayName": f"User {number}", "mail": f"User{number}@b.example",
            "userPrincipalName": f"u{number}@b.example", **changes}


def test_ATT_01_people_are_found_in_one_batch(server, client):
    server.otherwise = answers(
        fine({"value": [user(1)]}), fine({"value": []}), fine({"value": [user(2, mail=None)]}),
        fine({"value": [user(3), user(4, mail="user3@b.example")]}), inner_error(400, "BadRequest"),
        fine({"value": [user(6, userPrincipalName="both@b.example"), user(7, mail="Both@b.example")]}),
        fine({"value": [user(8)]}))
    found = find_users(client, ["User1@b.example ", "nobody@b.example", "u2@b.example", "user3@b.example", "o'brien",
                                "both@b.example", "other@b.example", "user1@b.example", " "])
    assert len(server.seen) == 1
    assert found["user1@b.example"] == DirectoryUser("id-1", "user1@b.example", "u1@b.example", "User 1")
    assert found["u2@b.example"].mail == "" and found["both@b.example"].id == "id-7"
    assert list(found) == ["user1@b.example", "u2@b.example", "both@b.example"]
    assert unquote(asked(server)[4]["url"]).startswith(
        "/users?$filter=mail eq 'o''brien' or userPrincipalName eq 'o''brien'&$select=id,")


@pytest.mark.parametrize(("reply", "kind"), [
    (inner_error(403, "Authorization_RequestDenied"), ConsentRequired), (fine({"value": "odd"}), ProtocolError)])
def test_a_directory_that_does_not_answer(server, client, reply, kind):
    server.otherwise = answering(lambda request: reply)
    with pytest.raises(kind):
        find_users(client, ["a@b.example"])


def test_nobody_is_nobody(server, client):
    assert find_users(client, ["", " "]) == {} and server.seen == []
