"""The calendar pages of the sandbox and its outgoing mail, over HTTP: what a person at Outlook sees and does."""

import html
import re
from datetime import UTC, datetime

import pytest
import requests

from opencrm_ms365.sandbox import Sandbox, seed
from opencrm_ms365.sandbox.server import running

from .person import Person

ADA, BEN = f"ada.lindqvist@{seed.DOMAIN}", f"ben.okafor@{seed.DOMAIN}"
TUESDAY = {"startDay": "2026-11-24", "startTime": "09:00", "endDay": "2026-11-24", "endTime": "10:00"}
WEEK = {"day": "2026-11-24"}


class Browser:
    """One person at the calendar pages."""

    def __init__(self, sandbox, base_url, upn):
        self.sandbox, self.base_url, self.upn = sandbox, base_url, upn
        self.mailbox = sandbox.mailbox(upn)
        self.status, self.text, self.url = 0, "", ""

    def open(self, path=None, **query):
        url = f"{self.base_url}/outlook/{path if path is not None else f'{self.upn}/calendar/'}"
        return self._show(requests.get(url, params=query, timeout=10))

    def post(self, rest, headers=None, **form):
        url = f"{self.base_url}/outlook/{self.upn}/calendar/{rest}"
        return self._show(requests.post(url, data=form, headers=headers, timeout=10))

    def form(self):
        """What is in the form that is shown."""
        found = {}
        found |= dict(re.findall(r'<input name="(\w+)" value="([^"]*)" type="', self.text))
        found |= dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', self.text))
        found |= dict.fromkeys(re.findall(r'<input type="checkbox" name="(\w+)" value="yes" checked', self.text), "yes")
        found |= dict(re.findall(r'<textarea name="(\w+)"[^>]*>([^<]*)</textarea>', self.text))
        for name, options in re.findall(r'<select name="(\w+)">(.*?)</select>', self.text):
            found[name] = (re.findall(r'value="(\w*)" selected', options) or [""])[0]
        return found

    def _show(self, response):
        self.status, self.text, self.url = response.status_code, html.unescape(response.text), response.url
        return self


@pytest.fixture
def sandbox():
    made = Sandbox()
    made.clock.freeze(datetime(2026, 11, 24, 8, tzinfo=UTC))
    seed.demo(made)
    return made


@pytest.fixture
def ada(sandbox):
    with running(sandbox) as base_url:
        yield Browser(sandbox, base_url, ADA)


@pytest.fixture
def ben(ada):
    return Browser(ada.sandbox, ada.base_url, BEN)


@pytest.fixture
def meeting(ada):
    """A meeting that Ben invited Ada to."""
    return ada.mailbox.find_events(subject="Baltic Joinery: delivery dates")[0]


def test_the_week_shows_what_takes_place(ada):
    ada.open()
    assert "23 – 29 November 2026" in ada.text and "Week 48 · GMT Standard Time" in ada.text
    assert "Monday round" in ada.text and "09:30–10:00" in ada.text and "Trade fair: who goes" not in ada.text
    assert re.search(r'class="day today" aria-label="Tuesday, 24 November"', ada.text)
    ada.open(day="2026-12-03")
    assert "30 November – 6 December 2026" in ada.text and "Furniture fair, Birmingham" in ada.text
    assert ada.text.count("Furniture fair, Birmingham") == 2 and "All day" in ada.text
    assert "Monday round" in ada.text           # it repeats
    assert ada.open(day="nonsense").status == 200


def test_a_zone_that_the_calendar_does_not_know_is_no_hindrance(ada):
    ada.sandbox.account(ADA).time_zone = "Europe/Vienna"
    assert "Week 48 · UTC" in ada.open().text


def test_one_event_shows_who_comes(ada):
    event = ada.mailbox.find_events(subject="Northgate Timber: oak for spring")[0]
    ada.open(event=event["id"])
    for words in ("Tuesday, 24 November 2026, 10:00–11:00", "Meeting room Anvil", "Ben Okafor", "comes",
                  "Margaret Ashworth", "Bring the price list", "Cancel the meeting"):
        assert words in ada.text
    assert "is not here any more" in ada.open(event="A" * 60 + "=").text


def test_a_meeting_is_made_and_everybody_invited(ada, ben):
    ada.open(do="new", on="2026-11-25")
    assert ada.form()["startDay"] == "2026-11-25"
    ada.post("events", subject="Kick-off", **TUESDAY, location="Yard", required=f"{BEN}, guest@out.example",
             optional="", body="Bring\nboots", showAs="busy", reminder="60", categories="VIP", private="yes")
    assert "the invitations are out" in ada.text
    made, = ada.mailbox.find_events(subject="Kick-off")
    assert made["start"]["dateTime"].startswith("2026-11-24T09:00") and made["sensitivity"] == "private"
    assert (made["reminderMinutesBeforeStart"], made["categories"]) == (60, ["VIP"])
    assert [mail.recipient for mail in ada.sandbox.mails] == [BEN, "guest@out.example"]
    assert "Kick-off" in ben.open(**WEEK).text
    ada.open("mail")
    assert "Invitation" in ada.text and "Ada Lindqvist → guest@out.example" in ada.text and "Invitations 2" in ada.text
    assert "Nothing was sent" in ada.open("mail", kind="update").text


def test_all_day_series_and_online_meetings_can_be_made(ada):
    ada.post("events", subject="Fair", **{**TUESDAY, "endDay": "2026-11-26"}, isAllDay="yes", repeats="", showAs="oof",
             reminder="")
    fair, = ada.mailbox.find_events(subject="Fair")
    assert fair["isAllDay"] and fair["end"]["dateTime"].startswith("2026-11-27") and not fair["isReminderOn"]
    ada.open(event=fair["id"], do="edit")
    assert ada.form()["endDay"] == "2026-11-26"
    for repeats, kind in (("weekdays", "weekly"), ("monthly", "absoluteMonthly"), ("yearly", "absoluteYearly")):
        ada.post("events", subject=repeats, **TUESDAY, repeats=repeats, online="yes")
        made, = ada.mailbox.find_events(subject=repeats)
        assert made["recurrence"]["pattern"]["type"] == kind and made["isOnlineMeeting"]
    assert "Repeats every week on Monday" in ada.open(event=ada.mailbox.find_events(subject="weekdays")[0]["id"]).text


def test_editing_writes_only_what_was_changed(ada):
    event = ada.mailbox.find_events(subject="Northgate Timber: oak for spring")[0]
    ada.open(event=event["id"], do="edit")
    unchanged = ada.form()
    assert "Nothing was different" in ada.post(f"events/{event['id']}", **unchanged).text
    assert ada.sandbox.mails == [] and ada.mailbox.event(event["id"])["changeKey"] == event["changeKey"]
    ada.post(f"events/{event['id']}", **{**unchanged, "startDay": "2026-11-26", "endDay": "2026-11-26"})
    moved = ada.mailbox.event(event["id"])
    assert moved["start"]["dateTime"].startswith("2026-11-26") and moved["body"] == event["body"]
    assert [mail.kind for mail in ada.sandbox.mails] == ["update", "update"]
    assert "changed while you were writing" in ada.post(f"events/{event['id']}", **unchanged).text


def test_an_occurrence_is_changed_by_itself(ada):
    master = ada.mailbox.find_events(subject="Monday round")[0]
    second = ada.mailbox.occurrences("2026-11-30", "2026-12-01")[0]
    ada.open(event=second["id"], do="edit", day="2026-11-30")
    ada.post(f"events/{second['id']}", **{**ada.form(), "subject": "Monday round with cake"})
    assert ada.mailbox.event(second["id"])["type"] == "exception"
    assert ada.mailbox.event(master["id"])["subject"] == "Monday round"
    assert "changed by itself" in ada.open(event=second["id"]).text and "Whole series" in ada.text


def test_an_invitation_is_answered(ada, ben, meeting):
    ada.open(event=meeting["id"])
    assert "Ben Okafor invited you" in ada.text
    ada.post(f"events/{meeting['id']}/answer", response="accepted", sends="yes")
    assert "Your answer is given." in ada.text and "your answer: comes" in ada.text
    assert [(mail.kind, mail.recipient) for mail in ada.sandbox.mails] == [("answer", BEN)]
    own, = ben.mailbox.find_events(iCalUId=meeting["iCalUId"])
    assert own["attendees"][0]["status"]["response"] == "accepted"
    ada.post(f"events/{meeting['id']}/answer", response="declined")
    assert ada.mailbox.find_events(iCalUId=meeting["iCalUId"]) == [] and len(ada.sandbox.mails) == 1
    assert ada.post(f"events/{meeting['id']}/answer", response="perhaps").status == 404


def test_a_guest_changes_only_what_is_his_own(ada, meeting):
    ada.open(event=meeting["id"], do="edit")
    assert "This meeting is Ben Okafor’s" in ada.text and 'name="subject"' not in ada.text
    ada.post(f"events/{meeting['id']}", showAs="free", reminder="", categories="Wood", private="yes", subject="Mine")
    mine = ada.mailbox.event(meeting["id"])
    assert (mine["showAs"], mine["categories"], mine["sensitivity"]) == ("free", ["Wood"], "private")
    assert mine["subject"] == meeting["subject"] and ada.sandbox.mails == []


def test_a_meeting_is_cancelled_with_a_word(ada, ben):
    event = ada.mailbox.find_events(subject="Northgate Timber: oak for spring")[0]
    ada.post(f"events/{event['id']}/cancel", comment="Snow")
    assert "Cancelled; those who were invited have been told." in ada.text
    assert "“Snow”" in ada.open("mail").text and "Cancellation" in ada.text
    theirs, = ben.mailbox.find_events(iCalUId=event["iCalUId"])
    assert "Canceled: Northgate" in ben.open(event=theirs["id"], **WEEK).text
    assert ada.post(f"events/{theirs['id']}/cancel").status == 400


def test_events_are_moved_deleted_and_brought_back(ada):
    event = ada.mailbox.find_events(subject="Dentist")[0]
    fairs = ada.mailbox.calendars()[1]
    ada.post(f"events/{event['id']}/move", to=fairs["id"])
    assert ada.mailbox.event(event["id"])["calendarId"] == fairs["id"]
    ada.post(f"events/{event['id']}/delete")
    assert "Dentist" in ada.open(calendar="deleted").text
    ada.open(event=event["id"], calendar="deleted")
    assert "Bring back" in ada.text
    ada.post(f"events/{event['id']}/restore", to=fairs["id"])
    assert [found["subject"] for found in ada.mailbox.events("Trade fairs")] == ["Dentist"]
    assert ada.post(f"events/{'A' * 60}=/delete").status == 400 and "not there any more" in ada.text


def test_calendars_are_added_renamed_and_deleted(ada):
    ada.post("calendars", name="Holidays")
    assert "The calendar is there." in ada.text and "Change “Holidays”" in ada.text
    made = ada.mailbox.calendars()[-1]
    ada.post(f"calendars/{made['id']}/rename", name="Days off")
    assert ada.mailbox.calendars()[-1]["name"] == "Days off"
    ada.post(f"calendars/{made['id']}/delete")
    assert len(ada.mailbox.calendars()) == 2
    assert ada.post("calendars", name="calendar").status == 400


@pytest.mark.parametrize("wrong, words", [
    ({"startDay": ""}, "A day or a time is missing."), ({"endTime": "08:00"}, "It would end before it begins."),
    ({"required": "nobody"}, "At least one recipient isn't valid."),
])
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(ada, wrong, words):
    ada.post("events", **{"subject": "Kick-off <b>", **TUESDAY, **wrong})
    assert words in ada.text and "Kick-off <b>" in ada.form()["subject"]
    assert ada.mailbox.find_events(subject="Kick-off <b>") == []


def test_what_people_typed_is_escaped(ada):
    ada.mailbox.add_event(subject="<script>alert(1)</script>", start={"dateTime": "2026-11-24T09:00:00"},
                          end={"dateTime": "2026-11-24T10:00:00"})
    raw = requests.get(f"{ada.base_url}/outlook/{ADA}/calendar/", timeout=10)
    assert "<script" not in raw.text and "calendar.css" in raw.text
    assert requests.get(f"{ada.base_url}/static/calendar.css", timeout=10).status_code == 200


def test_forms_from_another_site_and_wrong_addresses_are_refused(ada):
    assert ada.post("calendars", headers={"Origin": "https://evil.example"}, name="X").status == 403
    assert ada.post("nonsense").status == ada.open(f"{ADA}/calendar/nonsense").status == 404
    assert ada.open(f"{ADA}/calendar").url.endswith("/calendar/")


def test_an_account_without_a_mailbox_has_no_calendar(ada):
    ada.sandbox.account(ADA).has_mailbox = False
    assert "No mailbox" in ada.open().text


def test_the_mail_can_be_cleared(ada, meeting):
    ada.mailbox.answer(meeting["id"], "accepted")
    requests.post(f"{ada.base_url}/outlook/mail", timeout=10)
    assert ada.sandbox.mails == [] and "Nothing was sent" in ada.open("mail").text


def test_the_activity_page_speaks_of_calendars(ada, meeting):
    crm = Person(ada.sandbox, ada.base_url, ada.sandbox.account(ADA), "Calendars.ReadWrite")
    crm.post("/me/events", {"subject": "Kick-off", "start": meeting["start"], "end": meeting["end"], "attendees": [
        {"emailAddress": {"address": BEN}}]})
    path = f"/me/events/{meeting['id']}"
    crm.patch(path, {"showAs": "free", "start": meeting["start"], "end": meeting["end"]})
    crm.post(f"{path}/accept")
    crm.follow("/me/calendarView/delta?startDateTime=2026-11-01&endDateTime=2026-12-01")
    fairs = ada.mailbox.calendars()[1]["id"]
    crm.get(f"/me/calendars/{fairs}/events")
    crm.delete(path)
    ada.open("activity")
    for words in ("Added “Kick-off” with 1 guest to the calendar", "Accepted “Baltic Joinery: delivery dates”",
                  "Changed how it is shown and the time of “Baltic Joinery", "Read everything of some months in the",
                  "Listed the events of the calendar “Trade fairs”", "Deleted “Baltic Joinery"):
        assert words in ada.text, words
