"""Calendars and single events."""

import pytest

from opencrm_ms365.sandbox import event_bodies

from .person import IMMUTABLE, Person, code

MARK = "String {66F5A359-4659-4830-9070-00047EC6AC6E} Name OpenCrmMs365"
EXPAND = f"$expand=singleValueExtendedProperties($filter=id eq '{MARK}')"
TEXT = f'{IMMUTABLE}, outlook.body-content-type="text"'


def at(time, zone="UTC"):
    return {"dateTime": time, "timeZone": zone}


def event(subject="Kick-off", start="2026-11-24T09:00:00", end="2026-11-24T10:00:00", zone="UTC", **more):
    return {"subject": subject, "start": at(start, zone), "end": at(end, zone), **more}


@pytest.fixture
def ada(sandbox, base_url, tenant):
    account = sandbox.add_user(tenant, "ada@brightwell.example", "Ada Lindqvist")
    return Person(sandbox, base_url, account, "User.Read Calendars.ReadWrite MailboxSettings.Read")


@pytest.mark.facts("15.17")
@pytest.mark.parametrize("zone", ["W. Europe Standard Time", "w. europe standard time", "Europe/Berlin"])
def test_15_17_times_are_kept_in_their_zone_and_answered_in_utc(ada, zone):
    made = ada.post("/me/events", event(zone=zone)).json()
    assert made["start"] == at("2026-11-24T08:00:00.0000000")
    assert made["end"] == at("2026-11-24T09:00:00.0000000")
    assert made["originalStartTimeZone"] == made["originalEndTimeZone"] == "W. Europe Standard Time"


@pytest.mark.facts("15.17", "15.5")
def test_15_17_a_preferred_zone_is_obeyed_and_confirmed(ada):
    made = ada.outlook.add_event(**event(start="2026-07-24T09:00:00.5", end="2026-07-24T10:00:00"))
    answer = ada.get(f"/me/events/{made['id']}", prefer='outlook.timezone="Pacific Standard Time"')
    assert answer.json()["start"] == at("2026-07-24T02:00:00.5000000", "Pacific Standard Time")
    assert 'outlook.timezone="Pacific Standard Time"' in answer.headers["Preference-Applied"]
    answer = ada.get("/me/events", prefer='outlook.timezone="Nowhere"')
    assert code(answer) == (400, "TimeZoneNotSupportedException")


@pytest.mark.facts("15.17")
@pytest.mark.parametrize("zone", ["Europe/Vienna", "Nowhere", "tzone://Microsoft/Custom"])
def test_15_17_other_zones_are_refused(ada, zone):
    assert code(ada.post("/me/events", event(zone=zone))) == (400, "TimeZoneNotSupportedException")
    assert ada.outlook.events() == []


@pytest.mark.facts("15.17")
def test_15_17_the_zones_of_a_mailbox_can_be_asked_for(ada):
    windows = {entry["alias"] for entry in ada.get("/me/outlook/supportedTimeZones").json()["value"]}
    path = "/me/outlook/supportedTimeZones(TimeZoneStandard=microsoft.graph.timeZoneStandard'Iana')"
    iana = {entry["alias"] for entry in ada.get(path).json()["value"]}
    assert {"W. Europe Standard Time", "UTC"} < windows and "Europe/Berlin" not in windows
    assert {"Europe/Berlin", "America/New_York"} < iana and "Europe/Vienna" not in iana
    assert ada.get("/me/mailboxSettings").json()["timeZone"] == "GMT Standard Time"


@pytest.mark.facts("15.17")
@pytest.mark.parametrize("text", ["2026-11-24T09:00:00+01:00", "tomorrow", "2026-02-30T09:00:00", ""])
def test_15_17_a_time_with_an_offset_or_none_at_all_is_refused(ada, text):
    assert ada.post("/me/events", event(start=text, zone="Europe/Paris")).status_code == 400


@pytest.mark.facts("15.17")
def test_15_17_an_end_before_the_start_is_refused(ada):
    assert ada.post("/me/events", event(end="2026-11-24T08:00:00")).status_code == 400
    assert ada.post("/me/events", {"subject": "No time"}).status_code == 400


@pytest.mark.facts("15.18")
def test_15_18_all_day_events_are_midnight_to_midnight_in_every_zone(ada):
    sent = event(start="2026-11-24T00:00:00", end="2026-11-25T00:00:00", zone="Europe/Berlin", isAllDay=True)
    made = ada.post("/me/events", sent).json()
    assert made["start"] == at("2026-11-24T00:00:00.0000000")
    again = ada.get(f"/me/events/{made['id']}", prefer='outlook.timezone="Tokyo Standard Time"').json()
    assert again["start"] == at("2026-11-24T00:00:00.0000000", "Tokyo Standard Time")
    assert again["end"]["dateTime"] == "2026-11-25T00:00:00.0000000"
    assert again["reminderMinutesBeforeStart"] == 1080


@pytest.mark.facts("15.18")
@pytest.mark.parametrize("start, end", [
    (at("2026-11-24T09:00:00"), at("2026-11-25T00:00:00")),
    (at("2026-11-24T00:00:00"), at("2026-11-24T23:59:00")),
    (at("2026-11-24T00:00:00"), at("2026-11-24T00:00:00")),
    (at("2026-11-24T00:00:00", "Europe/Berlin"), at("2026-11-25T00:00:00", "Europe/London")),
])
def test_15_18_other_all_day_events_are_refused(ada, start, end):
    answer = ada.post("/me/events", {"subject": "Fair", "isAllDay": True, "start": start, "end": end})
    assert answer.status_code == 400
    made = ada.outlook.add_event(**event())
    assert ada.patch(f"/me/events/{made['id']}", {"isAllDay": True}).status_code == 400


@pytest.mark.facts("15.25")
def test_15_25_text_becomes_html_and_comes_back_changed(ada):
    made = ada.post("/me/events", event(body={"contentType": "text", "content": "Line & one\n\n<two>"})).json()
    assert made["body"]["contentType"] == "html"
    content = made["body"]["content"]
    assert content.startswith("<html>\r\n<head>") and "Line &amp; one<br>\r\n" in content
    assert made["bodyPreview"] == "Line & one\r\n\r\n<two>"
    answer = ada.get(f"/me/events/{made['id']}", prefer=TEXT)
    assert answer.json()["body"] == {"contentType": "text", "content": "Line & one\r\n\r\n<two>"}
    assert 'outlook.body-content-type="text"' in answer.headers["Preference-Applied"]


@pytest.mark.facts("15.25")
def test_15_25_html_is_wrapped_and_cleaned(ada):
    html = '<p onclick="x()">Hello <b>you</b></p><script>alert(1)</script><a href="javascript:x()">link</a>'
    made = ada.post("/me/events", event(body={"contentType": "HTML", "content": html})).json()
    content = made["body"]["content"]
    assert "<p>Hello <b>you</b></p><a>link</a>" in content and "alert" not in content
    unsafe = ada.get(f"/me/events/{made['id']}", prefer="outlook.allow-unsafe-html").json()
    assert "alert(1)" in unsafe["body"]["content"]
    assert ada.post("/me/events", event()).json()["body"]["content"] == ""


@pytest.mark.facts("15.25")
def test_15_25_wrapping_again_adds_nothing():
    once = event_bodies.from_html("<p>Hello</p>")
    assert event_bodies.from_html(once) == once


def test_defaults_of_an_event(ada):
    made = ada.post("/me/events", event()).json()
    expected = {
        "showAs": "busy", "sensitivity": "normal", "importance": "normal", "isReminderOn": True,
        "reminderMinutesBeforeStart": 15, "isAllDay": False, "isOrganizer": True, "isCancelled": False,
        "isDraft": False, "type": "singleInstance", "recurrence": None, "attendees": [], "categories": [],
        "allowNewTimeProposals": True, "responseRequested": True, "hideAttendees": False, "seriesMasterId": None,
    }
    assert {name: made[name] for name in expected} == expected
    assert made["organizer"]["emailAddress"] == {"name": "Ada Lindqvist", "address": "ada@brightwell.example"}
    assert made["location"]["displayName"] == "" and made["locations"] == []
    assert "transactionId" not in made and made["@odata.etag"] == f'W/"{made["changeKey"]}"'


def test_location_and_locations_are_kept_in_step(ada):
    made = ada.post("/me/events", event(location={"displayName": "Room 1"})).json()
    assert [place["displayName"] for place in made["locations"]] == ["Room 1"]
    path = f"/me/events/{made['id']}"
    two = ada.patch(path, {"locations": [{"displayName": "Room 1"}, {"displayName": "Room 2"}]}).json()
    assert two["location"]["displayName"] == "Room 1; Room 2"
    assert ada.patch(path, {"location": {"displayName": "Yard"}}).json()["locations"][0]["displayName"] == "Yard"


@pytest.mark.facts("15.3")
def test_15_3_what_the_schema_does_not_know_is_refused_and_read_only_properties_are_ignored(ada):
    assert code(ada.post("/me/events", event(colour="red"))) == (400, "RequestBodyRead")
    assert code(ada.post("/me/events", event(showAs="sleeping"))) == (400, "RequestBodyRead")
    made = ada.post("/me/events", event(showAs="Free", isCancelled=True, organizer={
        "emailAddress": {"address": "someone@else.example"}})).json()
    assert (made["showAs"], made["isCancelled"]) == ("free", False)
    assert made["organizer"]["emailAddress"]["address"] == "ada@brightwell.example"


def test_a_write_moves_the_etag_and_a_stale_one_is_refused(ada, sandbox):
    sandbox.clock.freeze()
    made = ada.post("/me/events", event()).json()
    path, stale = f"/me/events/{made['id']}", {"If-Match": made["@odata.etag"]}
    sandbox.clock.advance(5)
    changed = ada.patch(path, {"subject": "Moved"}, headers=stale).json()
    assert changed["changeKey"] != made["changeKey"]
    assert changed["lastModifiedDateTime"] > made["lastModifiedDateTime"]
    assert code(ada.patch(path, {"subject": "Again"}, headers=stale)) == (412, "ErrorIrresolvableConflict")
    assert code(ada.delete(path, headers=stale)) == (412, "ErrorIrresolvableConflict")
    assert ada.delete(path).status_code == 204
    assert code(ada.get(path)) == (404, "ErrorItemNotFound")
    assert code(ada.delete(path)) == (404, "ErrorItemNotFound")
    assert ada.get(f"{path}?$select=subject").status_code == 404


def test_the_etag_may_move_after_a_creation(ada, sandbox):
    sandbox.options.etag_moves_after_create = True
    made = ada.post("/me/events", event()).json()
    assert ada.get(f"/me/events/{made['id']}").json()["@odata.etag"] != made["@odata.etag"]


@pytest.mark.facts("15.22")
@pytest.mark.parametrize("switch, tells, status", [
    ("created", True, 201), ("found", True, 200), ("bad_request", True, 400), ("conflict", False, 409),
    ("conflict", True, 409),
])
def test_15_22_a_repeated_transaction_makes_no_second_event(ada, sandbox, switch, tells, status):
    sandbox.options.set(repeated_transaction=switch, repeated_transaction_tells_id=tells)
    made = ada.post("/me/events", event(transactionId="t-1")).json()
    again = ada.post("/me/events", event(transactionId="t-1"))
    assert again.status_code == status and len(ada.outlook.events()) == 1
    if status < 300:
        assert again.json()["id"] == made["id"] and made["transactionId"] == "t-1"
    else:
        error = again.json()["error"]
        assert error["code"] == "ErrorDuplicateTransactionId"
        assert error.get("@event.existingEventId") == (made["id"] if tells else None)


@pytest.mark.facts("15.22")
def test_15_22_a_transaction_is_remembered_after_a_deletion_and_not_changed_by_a_patch(ada):
    made = ada.post("/me/events", event(transactionId="t-1")).json()
    assert ada.patch(f"/me/events/{made['id']}", {"transactionId": "t-2"}).json()["transactionId"] == "t-1"
    ada.delete(f"/me/events/{made['id']}")
    assert code(ada.post("/me/events", event(transactionId="t-1"))) == (409, "ErrorDuplicateTransactionId")


@pytest.mark.facts("15.16")
def test_15_16_extended_properties_of_events(ada):
    made = ada.post("/me/events", event(singleValueExtendedProperties=[{"id": MARK, "value": "crm-7"}])).json()
    assert "singleValueExtendedProperties" not in made
    other = ada.outlook.add_event(**event("Other"))
    found = ada.get(f"/me/events/{made['id']}?{EXPAND}").json()["singleValueExtendedProperties"]
    assert found == [{"id": MARK.replace("66F5A359", "66f5a359").replace("00047EC6AC6E", "00047ec6ac6e"),
                      "value": "crm-7"}]
    listed = ada.get("/me/events?$filter=singleValueExtendedProperties/Any(ep: ep/id eq "
                     f"'{MARK}' and ep/value eq 'CRM-7')&$select=subject").json()["value"]
    assert [item["id"] for item in listed] == [made["id"]]
    ada.outlook.set_event_property(other["id"], MARK, "x")
    view = ada.get(f"/me/calendarView?startDateTime=2026-11-24&endDateTime=2026-11-25&{EXPAND}").json()["value"]
    assert all("singleValueExtendedProperties" in item for item in view) and len(view) == 2


@pytest.mark.parametrize("text, found", [
    ("subject eq 'kick-off'", {"Kick-off"}),
    ("start/dateTime ge '2026-11-25T00:00'", {"Later"}),
    ("start/dateTime ge '2026-11-24T10:00:00+01:00' and end/dateTime lt '2026-11-24T12:00:00Z'", {"Kick-off"}),
    ("isAllDay eq true", set()),
    ("categories/any(c:c eq 'VIP')", {"Later"}),
])
def test_lists_can_be_filtered(ada, text, found):
    ada.outlook.add_event(**event())
    ada.outlook.add_event(**event("Later", "2026-11-26T09:00:00", "2026-11-26T10:00:00", categories=["VIP"]))
    answer = ada.get("/me/events", params={"$filter": text, "$select": "subject"})
    assert {item["subject"] for item in answer.json()["value"]} == found


def test_lists_are_found_by_uid_sorted_and_paged(ada):
    made = [ada.outlook.add_event(**event(f"Number {n}", f"2026-11-2{n}T09:00:00", f"2026-11-2{n}T10:00:00"))
            for n in (3, 1, 2)]
    by_uid = ada.get(f"/me/events?$filter=iCalUId eq '{made[1]['iCalUId']}'").json()["value"]
    assert [item["id"] for item in by_uid] == [made[1]["id"]]
    first = ada.get("/me/events?$orderby=start/dateTime desc&$top=2&$count=true").json()
    assert [item["subject"] for item in first["value"]] == ["Number 3", "Number 2"] and first["@odata.count"] == 3
    assert [item["subject"] for item in ada.get(first["@odata.nextLink"]).json()["value"]] == ["Number 1"]
    assert code(ada.get("/me/events?$filter=transactionId eq 'x'")) == (400, "ErrorInvalidUrlQueryFilter")
    assert ada.get("/me/events?$filter=colour eq 'x'").status_code == 400
    assert ada.get("/me/events?$search=x").status_code == 501


def test_a_view_shows_what_meets_its_window(ada):
    ada.outlook.add_event(**event("Before", "2026-11-23T22:00:00", "2026-11-24T00:00:00"))
    ada.outlook.add_event(**event("Into", "2026-11-23T22:00:00", "2026-11-24T00:30:00"))
    ada.outlook.add_event(**event("Within"))
    ada.outlook.add_event(**event("After", "2026-11-25T00:00:00", "2026-11-25T01:00:00"))
    view = "/me/calendarView?startDateTime=2026-11-24T00:00:00Z&endDateTime=2026-11-25T01:00:00%2B01:00"
    found = ada.get(f"{view}&$select=subject,createdDateTime").json()["value"]
    assert [item["subject"] for item in found] == ["Into", "Within"]
    assert all("createdDateTime" not in item for item in found)
    assert ada.get("/me/calendarView").status_code == 400
    assert ada.get("/me/calendarView?startDateTime=2020-01-01&endDateTime=2026-01-01").status_code == 400


def test_calendars_are_listed_made_and_removed(ada):
    default = ada.get("/me/calendar").json()
    assert (default["name"], default["isDefaultCalendar"], default["canEdit"]) == ("Calendar", True, True)
    assert default["owner"] == {"name": "Ada Lindqvist", "address": "ada@brightwell.example"}
    made = ada.post("/me/calendars", {"name": "Fairs"}).json()
    assert [item["id"] for item in ada.get("/me/calendars").json()["value"]] == [default["id"], made["id"]]
    inside = ada.post(f"/me/calendars/{made['id']}/events", event()).json()
    assert ada.get("/me/events").json()["value"] == []
    assert ada.get(f"/me/calendars/{made['id']}/events").json()["value"][0]["id"] == inside["id"]
    assert ada.get(f"/me/events/{inside['id']}").status_code == 200         # whatever calendar it is in
    assert code(ada.post("/me/calendars", {"name": "fairs"})) == (409, "ErrorFolderExists")
    assert ada.delete(f"/me/calendars/{made['id']}").status_code == 204
    assert ada.get(f"/me/events/{inside['id']}").status_code == 404
    assert ada.delete(f"/me/calendars/{default['id']}").status_code == 400


def test_what_cannot_be_edited_is_refused(ada):
    shared = ada.outlook.add_calendar("Holidays", can_edit=False)
    assert code(ada.post(f"/me/calendars/{shared['id']}/events", event())) == (403, "ErrorAccessDenied")


def test_a_move_changes_the_default_id_only(ada):
    ada.outlook.add_calendar("Fairs")
    made = ada.outlook.add_event(**event())
    before = ada.get(f"/me/events/{made['id']}", prefer=None).json()["id"]
    ada.outlook.move_event(made["id"], "Fairs")
    after = ada.get(f"/me/events/{made['id']}", prefer=None).json()["id"]
    assert after != before and ada.get(f"/me/events/{before}").status_code == 404
    assert ada.get("/me/events").json()["value"] == []


def test_an_online_meeting_lives_in_its_body(ada):
    made = ada.post("/me/events", event(isOnlineMeeting=True, body={"contentType": "text", "content": "Hello"})).json()
    assert made["onlineMeetingProvider"] == "teamsForBusiness" and made["onlineMeeting"]["joinUrl"].startswith("https")
    path, content = f"/me/events/{made['id']}", made["body"]["content"]
    kept = ada.patch(path, {"body": {"contentType": "html", "content": content.replace("Hello", "Bye")}}).json()
    assert kept["isOnlineMeeting"] and "Bye" in kept["body"]["content"]
    assert ada.patch(path, {"isOnlineMeeting": False}).json()["isOnlineMeeting"]
    gone = ada.patch(path, {"body": {"contentType": "text", "content": "Bye"}}).json()
    assert (gone["isOnlineMeeting"], gone["onlineMeeting"]) == (False, None)


@pytest.mark.facts("15.2")
def test_15_2_events_need_their_scope(sandbox, base_url, tenant):
    cleo = Person(sandbox, base_url, sandbox.add_user(tenant, "cleo@brightwell.example"), "User.Read Calendars.Read")
    assert cleo.get("/me/events").status_code == 200
    assert code(cleo.post("/me/events", event())) == (403, "ErrorAccessDenied")


@pytest.mark.facts("15.17")
def test_15_17_a_zone_without_a_name_is_shown_but_not_taken(ada):
    made = ada.outlook.add_event(**event(zone="Europe/Berlin"))
    ada.outlook.set_custom_zone(made["id"])
    shown = ada.get(f"/me/events/{made['id']}").json()
    assert shown["originalStartTimeZone"] == "tzone://Microsoft/Custom" and shown["start"]["timeZone"] == "UTC"
    answer = ada.patch(f"/me/events/{made['id']}", {"start": at("2026-11-24T09:00:00", "tzone://Microsoft/Custom")})
    assert code(answer) == (400, "TimeZoneNotSupportedException")
