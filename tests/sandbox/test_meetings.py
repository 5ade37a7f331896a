"""Meetings between people: mail, copies, answers, cancellations."""

import pytest

from .person import Person, code

SCOPES = "User.Read User.ReadBasic.All Calendars.ReadWrite"
TIMES = {"start": {"dateTime": "2026-11-24T09:00:00", "timeZone": "Europe/London"},
         "end": {"dateTime": "2026-11-24T10:00:00", "timeZone": "Europe/London"}}
ADA, BEN, CLEO, GUEST = "ada@brightwell.example", "ben@brightwell.example", "cleo@brightwell.example", "g@guest.example"
BEN_SENT = {"emailAddress": {"address": "Ben@Brightwell.example"}, "type": "Required"}
CLEO_SENT = {"emailAddress": {"address": CLEO, "name": "Our Cléo"}, "type": "optional"}
GUEST_SENT = {"emailAddress": {"address": GUEST}}


@pytest.fixture
def ada(sandbox, base_url, tenant):
    return Person(sandbox, base_url, sandbox.add_user(tenant, ADA, "Ada Lindqvist"), SCOPES)


@pytest.fixture
def ben(sandbox, base_url, tenant):
    return Person(sandbox, base_url, sandbox.add_user(tenant, BEN, "Ben Okafor"), SCOPES)


@pytest.fixture
def cleo(sandbox, base_url, tenant):
    return Person(sandbox, base_url, sandbox.add_user(tenant, CLEO, "Cléo Martin"), SCOPES)


def invite(person, *attendees, **more):
    """A meeting made over Graph."""
    answer = person.post("/me/events", {"subject": "Kick-off", **TIMES, "attendees": list(attendees), **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


def mails(sandbox):
    """Kind and recipient of the mail since this was last asked."""
    sent = [(mail.kind, mail.recipient) for mail in sandbox.mails]
    sandbox.clear_mails()
    return sent


def copy_of(person):
    """The only event of somebody."""
    found, = person.get("/me/events").json()["value"]
    return found


def answers(person):
    """Who has answered what, as the organiser sees it."""
    return {entry["emailAddress"]["address"].lower(): entry["status"]["response"]
            for entry in copy_of(person)["attendees"]}


@pytest.mark.facts("15.19")
def test_15_19_invitations_go_out_at_once_and_copies_appear(ada, ben, cleo, sandbox):
    made = invite(ada, BEN_SENT, CLEO_SENT, GUEST_SENT)
    assert mails(sandbox) == [("invitation", BEN), ("invitation", CLEO), ("invitation", GUEST)]
    assert [person["emailAddress"]["name"] for person in made["attendees"]] == ["Ben Okafor", "Our Cléo", GUEST]
    assert [person["type"] for person in made["attendees"]] == ["required", "optional", "required"]
    mine = copy_of(ben)
    assert mine["id"] != made["id"] and mine["iCalUId"] == made["iCalUId"]
    assert (mine["isOrganizer"], mine["responseStatus"]["response"]) == (False, "notResponded")
    assert (mine["showAs"], mine["organizer"]["emailAddress"]["address"]) == ("tentative", ADA)
    assert mine["start"] == made["start"] and mine["subject"] == "Kick-off"
    assert len({copy_of(person)["id"] for person in (ada, ben, cleo)}) == 3


@pytest.mark.facts("15.19", "15.16")
def test_15_19_what_is_private_to_the_organiser_stays_there(ada, ben):
    mark = "String {66F5A359-4659-4830-9070-00047EC6AC6E} Name OpenCrmMs365"
    invite(ada, BEN_SENT, categories=["VIP"], reminderMinutesBeforeStart=60, sensitivity="private",
           singleValueExtendedProperties=[{"id": mark, "value": "crm-7"}])
    mine = ben.get(f"/me/events?$expand=singleValueExtendedProperties($filter=id eq '{mark}')").json()["value"][0]
    assert "singleValueExtendedProperties" not in mine
    assert (mine["categories"], mine["reminderMinutesBeforeStart"], mine["sensitivity"]) == ([], 15, "private")


@pytest.mark.facts("15.19")
def test_15_19_a_meeting_with_oneself_mails_nobody(ada, sandbox):
    invite(ada, {"emailAddress": {"address": ADA}})
    assert mails(sandbox) == [] and len(ada.outlook.events()) == 1


@pytest.mark.facts("15.19")
def test_15_19_bad_recipients_are_refused(ada, sandbox):
    answer = ada.post("/me/events", {**TIMES, "attendees": [{"emailAddress": {"address": "nobody"}}]})
    assert code(answer) == (400, "ErrorInvalidRecipients")
    many = [{"emailAddress": {"address": f"{n}@x.example"}} for n in range(501)]
    assert ada.post("/me/events", {**TIMES, "attendees": many}).status_code == 400
    assert mails(sandbox) == []


@pytest.mark.facts("15.20")
def test_15_20_only_attendees_mails_the_differences(ada, ben, cleo, sandbox):
    made = invite(ada, BEN_SENT, GUEST_SENT)
    mails(sandbox)
    answer = ada.patch(f"/me/events/{made['id']}", {"attendees": [GUEST_SENT, CLEO_SENT]})
    assert answer.status_code == 200
    assert sorted(mails(sandbox)) == [("cancellation", BEN), ("invitation", CLEO)]
    assert copy_of(ben)["isCancelled"] and copy_of(ben)["subject"] == "Canceled: Kick-off"
    assert not copy_of(cleo)["isCancelled"]
    again = [person["emailAddress"]["address"] for person in copy_of(cleo)["attendees"]]
    assert again == [GUEST, CLEO]


@pytest.mark.facts("15.20")
@pytest.mark.parametrize("change", [
    {"subject": "Moved"}, {"location": {"displayName": "Yard"}}, {"body": {"contentType": "text", "content": "New"}},
    {"end": {"dateTime": "2026-11-24T11:00:00", "timeZone": "Europe/London"}}, {"importance": "high"},
])
def test_15_20_other_shared_fields_mail_all_and_reach_the_copies(ada, ben, sandbox, change):
    made = invite(ada, BEN_SENT, GUEST_SENT)
    mails(sandbox)
    changed = ada.patch(f"/me/events/{made['id']}", change).json()
    assert mails(sandbox) == [("update", BEN), ("update", GUEST)]
    name = next(iter(change))
    assert copy_of(ben)[name] == changed[name] != made[name]


@pytest.mark.facts("15.20")
def test_15_20_shared_fields_and_attendees_together(ada, ben, cleo, sandbox):
    made = invite(ada, BEN_SENT, GUEST_SENT)
    mails(sandbox)
    ada.patch(f"/me/events/{made['id']}", {"subject": "Moved", "attendees": [BEN_SENT, CLEO_SENT]})
    assert sorted(mails(sandbox)) == [("cancellation", GUEST), ("invitation", CLEO), ("update", BEN)]


@pytest.mark.facts("15.20")
@pytest.mark.parametrize("change", [
    {"categories": ["VIP"]}, {"showAs": "free"}, {"isReminderOn": False}, {"reminderMinutesBeforeStart": 30},
    {"sensitivity": "private"}, {"subject": "Kick-off"}, {"singleValueExtendedProperties": [
        {"id": "String {66F5A359-4659-4830-9070-00047EC6AC6E} Name X", "value": "1"}]},
])
def test_15_20_private_fields_and_what_is_as_it_was_mail_nobody(ada, ben, sandbox, change):
    made = invite(ada, BEN_SENT)
    before = copy_of(ben)
    mails(sandbox)
    assert ada.patch(f"/me/events/{made['id']}", change).status_code == 200
    assert mails(sandbox) == [] and copy_of(ben) == before


@pytest.mark.facts("15.20")
def test_15_20_what_is_not_certain_is_a_switch(ada, ben, sandbox):
    made = invite(ada, BEN_SENT)
    mails(sandbox)
    sandbox.options.set(private_patch_mails=("showAs",), unchanged_patch_mails=True)
    ada.patch(f"/me/events/{made['id']}", {"showAs": "free"})
    ada.patch(f"/me/events/{made['id']}", {"subject": "Kick-off"})
    assert mails(sandbox) == [("update", BEN), ("update", BEN)]


@pytest.mark.facts("15.20")
def test_15_20_an_update_brings_back_a_deleted_copy_or_not(ada, ben, sandbox):
    made = invite(ada, BEN_SENT)
    ben.outlook.delete_event(copy_of(ben)["id"])
    sandbox.options.update_restores_copy = False
    ada.patch(f"/me/events/{made['id']}", {"subject": "Moved"})
    assert ben.outlook.events() == []
    sandbox.options.update_restores_copy = True
    ada.patch(f"/me/events/{made['id']}", {"subject": "Moved again"})
    assert copy_of(ben)["subject"] == "Moved again"


@pytest.mark.facts("15.20")
def test_15_20_an_attendees_own_change_is_local_or_refused(ada, ben, sandbox):
    made = invite(ada, BEN_SENT)
    mails(sandbox)
    path = f"/me/events/{copy_of(ben)['id']}"
    assert ben.patch(path, {"subject": "Mine", "attendees": [], "categories": ["Private"]}).json()["subject"] == "Mine"
    assert mails(sandbox) == [] and copy_of(ada)["subject"] == "Kick-off" and len(copy_of(ben)["attendees"]) == 1
    ada.patch(f"/me/events/{made['id']}", {"location": {"displayName": "Yard"}})
    assert (copy_of(ben)["subject"], copy_of(ben)["categories"]) == ("Kick-off", ["Private"])
    sandbox.options.attendee_patch = "refused"
    assert code(ben.patch(path, {"subject": "Mine"})) == (403, "ErrorAccessDenied")
    assert ben.patch(path, {"categories": []}).status_code == 200


@pytest.mark.facts("15.19")
@pytest.mark.parametrize("action, response, shown", [
    ("accept", "accepted", "oof"), ("tentativelyAccept", "tentativelyAccepted", "tentative")])
def test_an_answer_reaches_the_organiser(ada, ben, sandbox, action, response, shown):
    invite(ada, BEN_SENT, GUEST_SENT, showAs="oof")
    mails(sandbox)
    before = copy_of(ada)["@odata.etag"]
    answer = ben.post(f"/me/events/{copy_of(ben)['id']}/{action}", {"comment": "Glad to", "sendResponse": True})
    assert (answer.status_code, answer.content) == (202, b"")
    assert mails(sandbox) == [("answer", ADA)]
    assert (copy_of(ben)["responseStatus"]["response"], copy_of(ben)["showAs"]) == (response, shown)
    assert answers(ada) == {BEN: response, GUEST: "none"}
    assert copy_of(ada)["@odata.etag"] != before
    assert set(answers(ben).values()) == {"none"}       # only the organiser sees the answers


def test_a_silent_answer_stays_with_who_gave_it(ada, ben, sandbox):
    invite(ada, BEN_SENT)
    mails(sandbox)
    ben.post(f"/me/events/{copy_of(ben)['id']}/accept", {"SendResponse": False})
    assert mails(sandbox) == [] and answers(ada) == {BEN: "none"}
    assert copy_of(ben)["responseStatus"]["response"] == "accepted"


def test_a_status_that_the_organiser_sends_answers_for_nobody(ada, ben):
    made = invite(ada, BEN_SENT)
    ben.post(f"/me/events/{copy_of(ben)['id']}/accept")
    forged = {**BEN_SENT, "status": {"response": "declined", "time": "2026-11-01T00:00:00Z"}}
    ada.patch(f"/me/events/{made['id']}", {"attendees": [forged, GUEST_SENT]})
    assert answers(ada) == {BEN: "accepted", GUEST: "none"}


@pytest.mark.parametrize("switch, left", [("removed", 0), ("kept", 1)])
def test_a_declined_event_leaves_the_calendar_or_not(ada, ben, sandbox, switch, left):
    sandbox.options.declined_events = switch
    invite(ada, BEN_SENT)
    assert ben.post(f"/me/events/{copy_of(ben)['id']}/decline", {"comment": "Sorry"}).status_code == 202
    assert len(ben.outlook.events()) == left and answers(ada) == {BEN: "declined"}


def test_a_new_time_can_be_proposed_where_that_is_allowed(ada, ben):
    proposal = {"sendResponse": True, "proposedNewTime": {
        name: {"dateTime": f"2026-11-25T{hour}:00:00", "timeZone": "UTC"} for name, hour in (("start", "09"),
                                                                                        ("end", "10"))}}
    made = invite(ada, BEN_SENT)
    path = f"/me/events/{copy_of(ben)['id']}"
    assert ben.post(f"{path}/tentativelyAccept", proposal).status_code == 202
    shown = copy_of(ada)["attendees"][0]["proposedNewTime"]
    assert shown["start"] == {"dateTime": "2026-11-25T09:00:00.0000000", "timeZone": "UTC"}
    ada.patch(f"/me/events/{made['id']}", {"allowNewTimeProposals": False})
    assert ben.post(f"{path}/decline", proposal).status_code == 400
    assert ben.post(f"{path}/accept", proposal).status_code == 400


def test_an_organiser_does_not_answer(ada, ben):
    made = invite(ada, BEN_SENT)
    assert ada.post(f"/me/events/{made['id']}/accept").status_code == 400
    assert ada.post(f"/me/events/{made['id']}/accept", {"colour": "red"}).status_code == 400


@pytest.mark.facts("15.21")
@pytest.mark.parametrize("how", ["delete", "cancel"])
def test_15_21_the_organisers_end_of_a_meeting_is_mailed_and_marked(ada, ben, sandbox, how):
    made = invite(ada, BEN_SENT, GUEST_SENT)
    mails(sandbox)
    path = f"/me/events/{made['id']}"
    answer = ada.delete(path) if how == "delete" else ada.post(f"{path}/cancel", {"comment": "Snow"})
    assert answer.status_code == (204 if how == "delete" else 202)
    assert mails(sandbox) == [("cancellation", BEN), ("cancellation", GUEST)]
    assert ada.outlook.events() == [] and ada.get(path).status_code == 404
    mine = copy_of(ben)
    assert (mine["isCancelled"], mine["subject"], mine["showAs"]) == (True, "Canceled: Kick-off", "free")
    assert ben.post(f"/me/events/{mine['id']}/accept").status_code == 400


@pytest.mark.facts("15.21")
def test_15_21_an_attendees_deletion_is_quiet_and_his_cancel_refused(ada, ben, sandbox):
    invite(ada, BEN_SENT)
    mails(sandbox)
    path = f"/me/events/{copy_of(ben)['id']}"
    answer = ben.post(f"{path}/cancel", {"comment": "No"})
    assert answer.status_code == 400 and answer.json()["error"]["message"] == (
        "Your request can't be completed. You need to be an organizer to cancel a meeting.")
    assert ben.delete(path).status_code == 204
    assert mails(sandbox) == [] and answers(ada) == {BEN: "none"} and ben.outlook.events() == []


@pytest.mark.facts("15.21", "15.27")
def test_15_21_a_cancellation_shows_in_the_attendees_delta(ada, ben):
    view = "/me/calendarView/delta?startDateTime=2026-11-01&endDateTime=2026-12-01"
    _, link, _ = ben.follow(view)
    made = invite(ada, BEN_SENT)
    items, link, _ = ben.follow(link)
    assert [item["subject"] for item in items] == ["Kick-off"]
    ada.delete(f"/me/events/{made['id']}")
    items, _, _ = ben.follow(link)
    assert [item["isCancelled"] for item in items] == [True]


@pytest.mark.parametrize("switch, response", [(False, "accepted"), (True, "none")])
def test_whether_a_new_time_asks_again_is_a_switch(ada, ben, sandbox, switch, response):
    sandbox.options.reschedule_resets_answers = switch
    made = invite(ada, BEN_SENT)
    ben.post(f"/me/events/{copy_of(ben)['id']}/accept")
    ada.patch(f"/me/events/{made['id']}", {"end": {"dateTime": "2026-11-24T12:00:00", "timeZone": "UTC"}})
    assert answers(ada) == {BEN: response}


def test_an_invitation_from_outside(ada, sandbox):
    made = ada.outlook.receive_event(GUEST, "Gus Guest", subject="Visit", **TIMES, attendees=[
        {"emailAddress": {"address": ADA}}])
    assert (made["isOrganizer"], made["organizer"]["emailAddress"]["address"]) == (False, GUEST)
    ada.post(f"/me/events/{made['id']}/accept")
    assert mails(sandbox) == [("answer", GUEST)]
    ada.outlook.change_received(made["id"], subject="Longer visit")
    assert copy_of(ada)["subject"] == "Longer visit"
    ada.outlook.cancel_received(made["id"])
    assert (copy_of(ada)["isCancelled"], copy_of(ada)["subject"]) == (True, "Canceled: Longer visit")
    assert mails(sandbox) == []
    with pytest.raises(ValueError, match="organises the meeting himself"):
        ada.outlook.cancel_received(ada.outlook.add_event(**TIMES)["id"])


def test_what_the_owner_does_in_outlook_is_the_same(ada, ben, sandbox):
    made = ada.outlook.add_event(subject="Kick-off", **TIMES, attendees=[BEN_SENT])
    mine, = ben.outlook.find_events(iCalUId=made["iCalUId"])
    ben.outlook.answer(mine["id"], "declined", drop_declined=False)
    ada.outlook.edit_event(made["id"], subject="Moved")
    assert ben.outlook.event(mine["id"])["subject"] == "Moved"
    ada.outlook.cancel_event(made["id"], "Snow")
    assert ben.outlook.event(mine["id"])["isCancelled"]
    assert mails(sandbox) == [("invitation", BEN), ("answer", ADA), ("update", BEN), ("cancellation", BEN)]
    with pytest.raises(ValueError, match="An answer is one of"):
        ben.outlook.answer(mine["id"], "perhaps")


def test_people_are_found_by_address(ada, ben):
    condition = f"mail eq '{BEN}' or userPrincipalName eq '{BEN}'"
    found, = ada.get("/users", params={"$filter": condition, "$select": "id,mail,userPrincipalName"}).json()["value"]
    assert found == {"id": ben.account.id, "mail": BEN, "userPrincipalName": BEN}
    assert ada.get(f"/users/{BEN}").json()["displayName"] == "Ben Okafor"
    assert ada.get("/users", params={"$filter": "mail eq 'x@y.example'"}).json()["value"] == []


@pytest.mark.facts("15.40")
def test_15_40_mail_and_events_are_reached_through_the_control_api(ada, ben, base_url):
    import requests

    def control(name, **body):
        answer = requests.post(f"{base_url}/control/{name}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    made = control("mailbox/add_event", account=ADA, values={"subject": "Kick-off", **TIMES, "attendees": [BEN_SENT]})
    mine, = control("mailbox/find_events", account=BEN, values={"subject": "Kick-off"})
    control("mailbox/answer", account=BEN, event_id=mine["id"], response="accepted")
    control("mailbox/edit_event", account=ADA, event_id=made["id"], values={"subject": "Moved"})
    sent = requests.get(f"{base_url}/control/mails?kind=answer", timeout=10).json()["result"]
    assert [(mail["sender"], mail["recipient"], mail["event_uid"]) for mail in sent] == [(BEN, ADA, made["iCalUId"])]
    assert len(control("mails")) == 3
    control("clear_mails")
    assert control("mails") == []


def test_a_draft_invites_nobody_before_it_is_sent(ada, ben, sandbox):
    made = ada.outlook.add_draft(subject="Kick-off", **TIMES, attendees=[BEN_SENT])
    assert ada.get(f"/me/events/{made['id']}").json()["isDraft"]
    ada.patch(f"/me/events/{made['id']}", {"subject": "Moved"})
    assert mails(sandbox) == [] and ben.outlook.events() == []
    ada.outlook.send_draft(made["id"])
    assert mails(sandbox) == [("invitation", BEN)] and copy_of(ben)["subject"] == "Moved"
    assert not copy_of(ada)["isDraft"]


def test_an_alias_is_the_same_person(ada, ben, sandbox):
    ben.account.aliases = ("sales@brightwell.example",)
    invite(ada, {"emailAddress": {"address": "Sales@brightwell.example"}})
    assert mails(sandbox) == [("invitation", "sales@brightwell.example")]
    ben.batch({"method": "POST", "url": f"/me/events/{copy_of(ben)['id']}/accept"})
    assert answers(ada) == {"sales@brightwell.example": "accepted"}


def test_names_of_another_organisation_are_not_told(ada, sandbox):
    other = sandbox.add_user(sandbox.add_tenant("other.example"), "zoe@other.example", "Zoë Elsewhere")
    made = invite(ada, {"emailAddress": {"address": other.upn}})
    assert made["attendees"][0]["emailAddress"]["name"] == other.upn
    assert len(sandbox.mailbox(other).events()) == 1
