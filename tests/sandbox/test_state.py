"""A restart of the sandbox forgets nothing that matters: contacts, delta links, sign-ins."""

import http.client
import json
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest
import requests

from opencrm_ms365.sandbox import Sandbox, seed
from opencrm_ms365.sandbox.server import PortInUse, running
from opencrm_ms365.sandbox.state_file import StateFileUnusable, load, save

from .msal_client import query_of, visit

ADA = f"ada.lindqvist@{seed.DOMAIN}"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "state.json"


def sign_in(base_url):
    """Ada's tokens, by code."""
    redirect_uri = "http://127.0.0.1:8000/back/"
    scope = "openid profile offline_access User.Read Contacts.ReadWrite"
    url = (f"{base_url}/organizations/oauth2/v2.0/authorize?client_id={seed.CLIENT_ID}&response_type=code"
           f"&redirect_uri={redirect_uri}&scope={scope}")
    code = query_of(visit(url, account=ADA, step="accept"))["code"]
    return token(base_url, grant_type="authorization_code", code=code, redirect_uri=redirect_uri, scope=scope).json()


def token(base_url, **form):
    form |= {"client_id": seed.CLIENT_ID, "client_secret": seed.CLIENT_SECRET}
    return requests.post(f"{base_url}/organizations/oauth2/v2.0/token", data=form, timeout=10)


def graph(base_url, access_token, address, **kwargs):
    url = address if address.startswith("http") else f"{base_url}/v1.0{address}"
    headers = {"Authorization": f"Bearer {access_token}", "Prefer": 'IdType="ImmutableId"'}
    return requests.request(kwargs.pop("method", "GET"), url, headers=headers, timeout=10, **kwargs)


def delta(base_url, access_token, link):
    """All items of a round, and the link of the next one."""
    items = []
    while True:
        page = graph(base_url, access_token, link).json()
        items += page["value"]
        if "@odata.deltaLink" in page:
            return items, page["@odata.deltaLink"]
        link = page["@odata.nextLink"]


def test_a_restart_keeps_contacts_delta_links_and_sign_ins(path):
    first = Sandbox(state_file=str(path))
    seed.demo(first)
    with running(first) as base_url:
        port = int(base_url.rpartition(":")[2])
        tokens = sign_in(base_url)
        before, link = delta(base_url, tokens["access_token"], "/me/contacts/delta")
        first.mailbox(ADA).add_contact(givenName="Zoë", surname="New")
        first.mailbox(ADA).delete_contact(before[0]["id"])

    second = Sandbox(state_file=str(path))
    with running(second, port) as base_url:
        changes, _ = delta(base_url, tokens["access_token"], link)
        refreshed = token(base_url, grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    assert sorted(item.get("displayName", "(removed)") for item in changes) == ["(removed)", "Zoë New"]
    assert refreshed.status_code == 200
    assert [c["id"] for c in second.mailbox(ADA).deleted_items()] == [before[0]["id"]]


def test_what_is_read_back_is_what_was_written(path, tmp_path):
    first = Sandbox()
    seed.demo(first)
    first.options.set(auto_approve=True, system_folders=("Recipient Cache",))
    first.login.require_multi_factor(ADA)
    with running(first) as base_url:
        sign_in(base_url)
    contact = first.mailbox(ADA).contacts()[0]
    first.mailbox(ADA).set_extended_property(
        contact["id"], "String {00020329-0000-0000-C000-000000000046} Name Mark", "x")
    save(first, path)

    second = Sandbox()
    load(second, path)
    save(second, tmp_path / "again.json")

    def without_date(file):
        return {key: value for key, value in json.loads(file.read_text()).items() if key != "saved_at"}

    assert without_date(tmp_path / "again.json") == without_date(path)
    assert second.mailbox(ADA).contacts() == first.mailbox(ADA).contacts()
    assert second.options.as_dict() == first.options.as_dict()
    fresh = second.mailbox(ADA).add_contact(givenName="After")["id"]
    assert fresh not in {item["id"] for item in first.mailbox(ADA).contacts()}


def test_signatures_made_before_a_restart_can_be_checked_after_it(path):
    def keys(base_url):
        return requests.get(f"{base_url}/common/discovery/v2.0/keys", timeout=10).json()["keys"][0]["n"]

    with running(Sandbox(state_file=str(path))) as base_url:
        before = keys(base_url)
    document = json.loads(path.read_text())
    assert "PRIVATE KEY" in json.dumps(document["world"])
    with running(Sandbox(state_file=str(path))) as base_url:
        assert keys(base_url) == before


def test_changes_are_on_disk_soon_while_it_runs(path):
    sandbox = Sandbox(state_file=str(path))
    seed.demo(sandbox)
    with running(sandbox) as base_url:
        tokens = sign_in(base_url)
        response = graph(base_url, tokens["access_token"], "/me/contacts", method="POST",
                         json={"givenName": "Quickly", "surname": "Kept"})
        assert response.status_code == 201
        deadline = time.monotonic() + 15
        while "Quickly" not in path.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "Quickly" in path.read_text()


def test_the_file_is_for_its_owner_only_and_no_half_one_is_left(path):
    sandbox = Sandbox()
    seed.demo(sandbox)
    save(sandbox, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(("content", "words"), [
    ("", "Expecting value"),
    ("[]", "not a state file"),
    ('{"format": "something else"}', "not a state file"),
    ('{"format": "opencrm-ms365 sandbox", "version": 99}', "format version 99"),
    ('{"format": "opencrm-ms365 sandbox", "version": 1}', "cannot be used"),
    ('{"format": "opencrm-ms365 sandbox", "version": 1, "options": {}, "access_tokens": {}, "world": {"tenants": '
     '{"$": "object", "of": "os:system", "number": 1, "fields": {}}, "accounts": {}, "clients": {}, "mailboxes": {}, '
     '"_parts": {}}}', "cannot be used"),
])
def test_a_file_that_cannot_be_used_is_refused_with_words_and_kept(path, content, words):
    path.parent.mkdir()
    path.write_text(content)
    sandbox = Sandbox(state_file=str(path))
    sandbox.add_tenant("kept.example")

    with pytest.raises(StateFileUnusable, match=words), running(sandbox):
        pass

    assert path.read_text() == content
    assert sandbox.world.tenant("kept.example") is not None


def test_a_field_that_an_older_version_did_not_have_gets_its_default(path):
    sandbox = Sandbox()
    seed.demo(sandbox)
    save(sandbox, path)
    text = path.read_text()
    assert '"language":"en-GB",' in text
    path.write_text(text.replace('"language":"en-GB",', ""))

    load(sandbox, path)

    assert sandbox.account(ADA).language == "en-GB"


# The demo data

def test_the_demo_is_the_same_each_time_and_has_awkward_people():
    first, second = Sandbox(), Sandbox()
    seed.demo(first)
    seed.demo(second)

    def people(sandbox):
        return [(c["displayName"], c["emailAddresses"], c["mobilePhone"]) for c in sandbox.mailbox(ADA).contacts()]

    assert people(first) == people(second)
    for account in first.world.accounts.values():
        if account.upn.endswith(seed.DOMAIN):
            contacts = first.mailbox(account).contacts()
            assert 30 <= len(contacts) <= 60
            names = [contact["displayName"] for contact in contacts]
            assert names.count("John Smith") == 2
            assert {len(contact["emailAddresses"]) for contact in contacts} == {0, 1, 3}
            assert any(not name.isascii() for name in names)
            folders = {folder["displayName"] for folder in first.mailbox(account).folders()}
            assert folders == {"Contacts", "Customers", "Suppliers"}


def test_the_people_whom_both_know_are_the_demo_crms():
    from demo_crm.crm import company
    from opencrm_ms365.sandbox import seed_people

    assert company.SHARED_PEOPLE == seed_people.SHARED_PEOPLE
    sandbox = Sandbox()
    seed.demo(sandbox)
    third = len(company.SHARED_PEOPLE) // 3
    for number, upn in enumerate((ADA, f"ben.okafor@{seed.DOMAIN}", f"cleo.martin@{seed.DOMAIN}")):
        names = {(contact["givenName"], contact["surname"]) for contact in sandbox.mailbox(upn).contacts()}
        assert {person[:2] for person in company.SHARED_PEOPLE[number * third:(number + 1) * third]} <= names


# The command

def start(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-m", "opencrm_ms365.sandbox", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if "Ctrl-C" in line:
            break
    return process, lines


def address(lines):
    return lines[0].rstrip("/").rpartition(" ")[2]


def test_the_command_serves_until_it_is_told_to_stop_and_saves(path):
    process, lines = start("--port", "0", "--demo", "--state", str(path))
    base_url = address(lines)
    try:
        assert requests.get(f"{base_url}/outlook/", timeout=10).status_code == 200
        tokens = sign_in(base_url)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0 and errors == ""
    assert any(ADA in line for line in lines) and any(seed.CLIENT_ID in line for line in lines)
    assert tokens["refresh_token"] in path.read_text()


def test_a_taken_port_is_said_plainly():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process, _ = start("--port", str(port))
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"port {port}" in errors and "--port" in errors and "Traceback" not in errors
        with pytest.raises(PortInUse), running(Sandbox(), port):
            pass


def test_the_management_command_is_the_same_thing():
    from django.core.management import CommandError, call_command

    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CommandError, match="cannot listen"):
        call_command("ms365_sandbox", port=taken.getsockname()[1])


# The server

def test_connections_are_kept_and_end_with_the_server():
    with running(Sandbox()) as base_url:
        connection = http.client.HTTPConnection(base_url.removeprefix("http://"), timeout=10)
        connection.connect()
        kept = connection.sock
        for _ in range(20):
            connection.request("GET", "/static/sandbox.css")
            assert connection.getresponse().read()
        assert connection.sock is kept
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.request("GET", "/static/sandbox.css")
        connection.getresponse()


def test_a_body_in_chunks_is_read():
    with running(Sandbox()) as base_url:
        response = requests.post(f"{base_url}/common/oauth2/v2.0/token", data=iter([b"grant_type=", b"password"]),
                                 headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=10)
    assert "'client_id'" in response.json()["error_description"]


def test_a_restart_keeps_meetings_their_delta_links_and_the_mail(path):
    view = "/me/calendarView/delta?startDateTime=2026-11-01&endDateTime=2026-12-01"
    times = {"start": {"dateTime": "2026-11-23T09:00:00", "timeZone": "Europe/London"},
             "end": {"dateTime": "2026-11-23T10:00:00", "timeZone": "Europe/London"}}
    first = Sandbox(state_file=str(path))
    ada, ben = (first.add_user(first.world.tenant("b.example") or first.add_tenant("b.example"), f"{name}@b.example")
                for name in ("ada", "ben"))
    with running(first) as base_url:
        port = int(base_url.rpartition(":")[2])
        access = first.token_for(ada, "Calendars.ReadWrite")
        series = first.mailbox(ada).add_event(
            subject="Round", transactionId="t-1", attendees=[{"emailAddress": {"address": ben.upn}}], **times,
            recurrence={"pattern": {"type": "daily", "interval": 1},
                        "range": {"type": "numbered", "startDate": "2026-11-23", "numberOfOccurrences": 3}})
        before, link = delta(base_url, access, view)
        first.mailbox(ada).edit_event(before[2]["id"], subject="Elsewhere")
        first.mailbox(ada).delete_event(before[3]["id"])
        events, mails = first.mailbox(ben).events(), first.mails

    second = Sandbox(state_file=str(path))
    with running(second, port) as base_url:
        changes, _ = delta(base_url, access, link)
        again = graph(base_url, access, "/me/events", method="POST", json={**times, "transactionId": "t-1"})
    assert [item["type"] for item in changes] == ["seriesMaster", "occurrence", "exception"]
    assert (second.mailbox(ben.upn).events(), second.mails) == (events, mails)
    assert (again.status_code, again.json()["iCalUId"]) == (200, series["iCalUId"])
    second.mailbox(ada.upn).cancel_event(series["id"])
    assert second.mailbox(ben.upn).events()[0]["isCancelled"]
