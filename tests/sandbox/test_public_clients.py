"""Clients that others have written for the real service, unchanged, against the sandbox.

`O365` (github.com/O365/python-o365) signs in, creates, reads, changes, searches and deletes contacts and folders, and
follows delta links with its own connection; it makes calendars, meetings and series. Only its addresses are set: it
knows nothing of a sandbox.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from opencrm_ms365.sandbox import Sandbox
from opencrm_ms365.sandbox.server import running

from .msal_client import CLIENT_ID, REDIRECT, SECRET, application, visit

O365 = pytest.importorskip("O365")
from O365.address_book import ContactFolder  # noqa: E402 - after importorskip
from O365.connection import Connection, MSGraphProtocol  # noqa: E402 - after importorskip
from O365.utils.token import MemoryTokenBackend  # noqa: E402 - after importorskip
from requests import HTTPError  # noqa: E402 - after importorskip

pytestmark = [
    pytest.mark.filterwarnings("ignore:response_mode:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
SCOPES = ["User.Read", "Contacts.ReadWrite", "Calendars.ReadWrite"]


class LocalProtocol(MSGraphProtocol):
    """O365's Graph protocol at another address."""

    def __init__(self, base_url):
        self._protocol_url = f"{base_url}/"
        super().__init__(default_resource="me", timezone="Europe/London")


class LocalConnection(Connection):
    """O365's connection with an MSAL application of the simulator's address, as MSAL takes no plain http."""

    def __init__(self, base_url):
        backend = MemoryTokenBackend()
        super().__init__((CLIENT_ID, SECRET), token_backend=backend, timeout=10)
        self._msal_client = application(base_url, cache=backend)


class Ada:
    """Ada, who is signed in through O365, and her mailbox as she sees it herself."""

    def __init__(self, sandbox, base_url):
        tenant = sandbox.add_tenant("brightwell.example", "Brightwell & Sons")
        self.sandbox = sandbox
        self.account = sandbox.add_user(tenant, "ada@brightwell.example", "Ada Lindqvist")
        sandbox.register_client(CLIENT_ID, SECRET, [REDIRECT])
        self.mailbox = sandbox.mailbox(self.account)
        protocol = LocalProtocol(base_url)
        self.connection = LocalConnection(base_url)
        self.o365 = O365.Account((CLIENT_ID, SECRET), protocol=protocol, token_backend=self.connection.token_backend)
        self.o365.con = self.connection
        self.base_url = base_url

    def sign_in(self):
        url, flow = self.connection.get_authorization_url(SCOPES, REDIRECT)
        back = visit(url, account=self.account.upn, step="accept").headers["Location"]
        return self.connection.request_token(back, flow=flow)

    def book(self):
        return self.o365.address_book()


@pytest.fixture
def ada():
    sandbox = Sandbox()
    with running(sandbox) as base_url:
        person = Ada(sandbox, base_url)
        assert person.sign_in()
        yield person


def test_o365_signs_in_and_reads_the_profile(ada):
    assert ada.connection.username == "ada@brightwell.example"
    assert ada.connection.get(f"{ada.base_url}/v1.0/me").json()["id"] == ada.account.id


def test_o365_creates_a_contact(ada):
    contact = ada.book().new_contact()
    contact.name, contact.surname = "Grace", "Hopper"
    contact.company_name, contact.job_title = "Navy", "Admiral"
    contact.emails.add("grace@navy.example")
    contact.mobile_phone = "07700 900123"
    contact.business_phones = "01632 960123"
    contact.business_address = {"street": "1 Pier", "city": "Arlington"}
    contact.personal_notes = "COBOL"

    assert contact.save()

    stored = ada.mailbox.contacts()[0]
    assert (stored["displayName"], stored["companyName"]) == ("Grace Hopper", "Navy")
    assert stored["emailAddresses"][0]["address"] == "grace@navy.example"
    assert stored["businessPhones"] == ["01632 960123"]
    assert stored["businessAddress"] == {"street": "1 Pier", "city": "Arlington"}
    assert contact.object_id and contact.created is not None


def test_o365_reads_all_pages_of_contacts(ada):
    ada.mailbox.add_contacts({"givenName": f"Person {number}"} for number in range(25))

    contacts = list(ada.book().get_contacts(limit=None, batch=10))

    assert sorted(contact.name for contact in contacts) == sorted(f"Person {number}" for number in range(25))


def test_o365_changes_and_deletes_a_contact(ada):
    made = ada.mailbox.add_contact(givenName="Grace", surname="Hopper", companyName="Navy")
    contact = next(iter(ada.book().get_contacts()))

    contact.job_title = "Rear Admiral"
    assert contact.save()
    assert ada.mailbox.contact(made["id"])["jobTitle"] == "Rear Admiral"
    assert ada.mailbox.contact(made["id"])["companyName"] == "Navy"
    assert contact.delete()
    assert ada.mailbox.contacts() == [] and len(ada.mailbox.deleted_items()) == 1


def test_o365_finds_a_contact_by_email(ada):
    ada.mailbox.add_contact(givenName="Grace", emailAddresses=[{"address": "grace@navy.example"}])
    ada.mailbox.add_contact(givenName="Other", emailAddresses=[{"address": "other@navy.example"}])

    def found(address):
        query = f"emailAddresses/any(a:a/address eq '{address}')"      # its get_contact_by_email is broken in 2.1.10
        return [contact.name for contact in ada.book().get_contacts(query=query)]

    assert found("grace@navy.example") == ["Grace"]
    assert found("nobody@navy.example") == []


def as_folder(book, made):
    """O365 takes each folder below an address book for an address book of its own, which has all its folders."""
    data = {"id": made.folder_id, "displayName": made.name, "parentFolderId": made.parent_id}
    return ContactFolder(parent=book, **{book._cloud_data_key: data})


def test_o365_works_with_folders(ada):
    book = ada.book()
    customers = as_folder(book, book.create_child_folder("Customers"))
    north = as_folder(book, customers.create_child_folder("North"))

    assert [folder.name for folder in book.get_folders()] == ["Customers"]      # never the default one
    assert book.get_folder(folder_name="Customers").folder_id == customers.folder_id
    assert [folder.name for folder in customers.get_folders()] == ["North"]
    assert north.update_folder_name("South")
    ada.mailbox.add_contact(north.folder_id, givenName="Southerner")
    assert [contact.name for contact in north.get_contacts()] == ["Southerner"]
    assert customers.delete()
    assert book.get_folders() == []


def test_o365s_connection_follows_delta_links(ada):
    ada.mailbox.add_contacts({"givenName": f"Person {number}"} for number in range(12))
    first = ada.mailbox.contacts()[0]
    headers = {"Prefer": 'IdType="ImmutableId", odata.maxpagesize=5'}

    def round_from(url):
        items = []
        while True:
            page = ada.connection.get(url, headers=dict(headers)).json()
            items += page["value"]
            if "@odata.deltaLink" in page:
                return items, page["@odata.deltaLink"]
            url = page["@odata.nextLink"]

    items, link = round_from(f"{ada.base_url}/v1.0/me/contacts/delta")
    assert len(items) == 12
    contact = ada.book().new_contact()
    contact.name = "New"
    contact.save()
    ada.mailbox.edit_contact(items[3]["id"], jobTitle="Changed")
    ada.mailbox.delete_contact(first["id"])

    items, link = round_from(link)
    assert {item.get("givenName") for item in items if "@removed" not in item} >= {"New"}
    assert [item["id"] for item in items if "@removed" in item] == [first["id"]]
    assert round_from(link)[0] == []


def test_o365_renews_an_access_token_that_has_run_out(ada):
    ada.sandbox.options.set(access_token_life_s=200)        # MSAL takes what ends within five minutes for expired
    ada.sign_in()
    ada.sandbox.expire_access_tokens()
    ada.connection.token_backend.token_is_expired = lambda **kwargs: True      # its own clock has not moved

    assert list(ada.book().get_contacts()) == []


def test_o365_retries_when_it_is_told_to_wait(ada):
    ada.mailbox.add_contact(givenName="Patience")
    ada.sandbox.faults.add(method="GET", path="/me/contacts", status=429, retry_after=1)

    assert [contact.name for contact in ada.book().get_contacts()] == ["Patience"]


def test_o365_understands_the_sandboxs_errors(ada):
    with pytest.raises(HTTPError, match="not found in the store"):
        ada.connection.get(f"{ada.base_url}/v1.0/me/contacts/{'A' * 60}")


def test_o365_works_with_calendars_and_meetings(ada):
    ben = ada.sandbox.mailbox(ada.sandbox.add_user("brightwell.example", "ben@brightwell.example", "Ben Okafor"))
    schedule = ada.o365.schedule()
    calendar = schedule.get_default_calendar()
    assert [found.name for found in schedule.list_calendars()] == [calendar.name] == ["Calendar"]
    event = calendar.new_event("Kick-off")
    event.start = datetime(2026, 7, 24, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    event.end = datetime(2026, 7, 24, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    event.location, event.body = "Yard", "<p>Bring <b>boots</b></p>"
    event.attendees.add("ben@brightwell.example")
    assert event.save()
    made, = ada.mailbox.events()
    assert made["start"]["dateTime"].startswith("2026-07-24T07:00") and made["location"]["displayName"] == "Yard"
    mine, = ben.find_events(subject="Kick-off")
    ben.answer(mine["id"], "accepted")
    read = calendar.get_event(event.object_id)
    assert (read.start, read.attendees[0].response_status.status.value) == (event.start, "accepted")
    read.subject = "Moved"
    assert read.save() and ben.event(mine["id"])["subject"] == "Moved"
    assert read.cancel_event("Snow") and ben.event(mine["id"])["isCancelled"]
    assert [mail.kind for mail in ada.sandbox.mails] == ["invitation", "answer", "update", "cancellation"]


def test_o365_works_with_series_and_views(ada):
    calendar = ada.o365.schedule().get_default_calendar()
    event = calendar.new_event("Round")
    event.start = datetime(2026, 10, 19, 9, tzinfo=ZoneInfo("Europe/Berlin"))
    event.end = datetime(2026, 10, 19, 10, tzinfo=ZoneInfo("Europe/Berlin"))
    event.recurrence.set_weekly(1, days_of_week=["monday"], first_day_of_week="monday", start=date(2026, 10, 19),
                                end=date(2026, 11, 2))
    assert event.save()
    begin, end = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    found = list(calendar.get_events(include_recurring=True, start_recurring=begin, end_recurring=end))
    assert [part.start.astimezone(UTC).hour for part in found] == [7, 8, 8]
    assert found[0].event_type.value == "occurrence" and found[1].delete()
    again = calendar.get_event(event.object_id).get_occurrences(begin, end)
    assert len(list(again)) == 2
