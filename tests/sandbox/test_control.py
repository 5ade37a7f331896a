"""The request log, the control API, the switches, the state file."""

import pytest
import requests

from opencrm_ms365.sandbox import Options, Sandbox
from opencrm_ms365.sandbox.server import running

from .person import Person, code, names


def control(base_url, action, **arguments):
    answer = requests.post(f"{base_url}/control/{action}", json=arguments, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


@pytest.mark.facts("15.40")
def test_15_40_the_log_has_method_path_headers_body_and_user(ada, sandbox):
    sandbox.requests.clear()
    made = ada.post("/me/contacts", {"givenName": "Grace"}, headers={"client-request-id": "mine"})
    entry = sandbox.requests[0]
    assert (entry.method, entry.path, entry.status) == ("POST", "/v1.0/me/contacts", 201)
    assert (entry.body, entry.account, entry.client_id) == ({"givenName": "Grace"}, ada.account.upn, "test-client")
    assert entry.header("Client-Request-Id") == "mine"
    assert entry.request_id == made.headers["request-id"]


@pytest.mark.facts("15.40")
def test_15_40_requests_inside_a_batch_are_logged_with_their_batch(ada, sandbox):
    sandbox.requests.clear()
    ada.batch({"url": "/me/contacts?$top=1"}, {"url": "/me/contactz"})
    outer, first, second = sandbox.requests.graph()
    assert (first.batch, second.batch) == (outer.number, outer.number)
    assert (first.path, first.query, first.status, second.status) == ("/v1.0/me/contacts", "$top=1", 200, 404)
    assert sandbox.requests.graph(outer_only=True) == [outer]


@pytest.mark.facts("15.40")
def test_15_40_another_process_can_do_what_the_python_api_can(sandbox, base_url):
    control(base_url, "add_tenant", domain="brightwell.example", name="Brightwell & Sons")
    dora = control(base_url, "add_user", tenant="brightwell.example", upn="dora@brightwell.example", password="x")
    control(base_url, "register_client", client_id="crm", secret="s", redirect_uris=["http://127.0.0.1/back"])
    assert [account["upn"] for account in control(base_url, "world")["accounts"]] == ["dora@brightwell.example"]
    bearer = control(base_url, "token_for", account="dora@brightwell.example", scopes=["Contacts.ReadWrite"])
    person = Person(sandbox, base_url, sandbox.account(dora["id"]))
    person.bearer = bearer

    made = control(base_url, "mailbox/add_contact", account="dora@brightwell.example", givenName="Grace")
    control(base_url, "mailbox/add_folder", account=dora["id"], name="Customers")
    control(base_url, "mailbox/edit_contact", account=dora["id"], contact_id=made["id"], values={"jobTitle": "Admiral"})
    assert person.get(f"/me/contacts/{made['id']}").json()["jobTitle"] == "Admiral"
    control(base_url, "mailbox/move_contact", account=dora["id"], contact_id=made["id"], folder="Customers")
    assert control(base_url, "mailbox/contacts", account=dora["id"], folder="contacts") == []
    control(base_url, "mailbox/delete_contact", account=dora["id"], contact_id=made["id"])
    assert len(control(base_url, "mailbox/deleted_items", account=dora["id"])) == 1

    link = person.follow("/me/contacts/delta")[1]
    control(base_url, "expire_delta_tokens", account="dora@brightwell.example")
    assert person.get(link).status_code == 410
    control(base_url, "add_fault", path="/me/contacts", status=503, times=1)
    assert len(control(base_url, "faults")) == 1
    assert person.get("/me/contacts").status_code == 503
    assert control(base_url, "set_options", patch_parent_folder="ignored")["patch_parent_folder"] == "ignored"
    control(base_url, "freeze_clock", at="2026-11-22T10:00:00+00:00")
    assert control(base_url, "advance_clock", seconds=60) == "2026-11-22T10:01:00+00:00"
    control(base_url, "change_user", account=dora["id"], has_mailbox=False)
    assert code(person.get("/me/contacts")) == (404, "MailboxNotEnabledForRESTAPI")
    control(base_url, "login/require_multi_factor", account=dora["id"])
    control(base_url, "revoke", account=dora["id"])
    assert person.get("/me/contacts").status_code == 401


@pytest.mark.facts("15.40")
def test_15_40_the_log_is_read_over_http(ada):
    ada.get("/me/contacts")
    found = requests.get(f"{ada.base_url}/control/requests", params={"path": "contacts$"}, timeout=20).json()["result"]
    assert [(entry["method"], entry["path"], entry["status"]) for entry in found] == [("GET", "/v1.0/me/contacts", 200)]
    listed = requests.get(f"{ada.base_url}/control/", timeout=20).json()["result"]
    assert listed["mailbox/edit_contact"]["arguments"] == ["account", "contact_id", "values"]


@pytest.mark.parametrize(("action", "arguments", "status"), [
    ("add_user", {"tenant": "nowhere.example", "upn": "x@nowhere.example"}, 404),
    ("mailbox/contacts", {"account": "nobody"}, 400),
    ("mailbox/_shown", {"account": "ada@brightwell.example"}, 404),
    ("mailbox/add_contact", {"account": "ada@brightwell.example", "favouriteColour": "red"}, 400),
    ("mailbox/edit_contact", {"account": "ada@brightwell.example", "contact_id": "A" * 60}, 404),
    ("set_options", {"patch_parent_folder": "perhaps"}, 400),
    ("add_fault", {"times": 3}, 400),
    ("nonsense", {}, 404),
])
def test_mistakes_are_answered_with_words(ada, action, arguments, status):
    answer = requests.post(f"{ada.base_url}/control/{action}", json=arguments, timeout=20)
    assert answer.status_code == status
    assert answer.json()["error"]


def test_a_page_of_another_site_controls_nothing(ada):
    answer = requests.post(f"{ada.base_url}/control/clear_requests", json={}, timeout=20,
                           headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 403
    assert requests.get(f"{ada.base_url}/control/clear_requests", timeout=20).status_code == 405


def test_a_misspelt_switch_is_an_error():
    options = Options()
    with pytest.raises(ValueError, match="no switch called 'patch_parent_folders'"):
        options.patch_parent_folders = "moves"
    with pytest.raises(ValueError, match="knows 'moves', 'ignored', 'refused'"):
        options.patch_parent_folder = "perhaps"
    with pytest.raises(ValueError, match="true or false"):
        options.set(throttling=1)


def test_a_state_file_keeps_contacts_ids_and_delta_links(tmp_path):
    path = str(tmp_path / "state.json")
    first = Sandbox(state_file=path)
    with running(first) as base_url:
        tenant = first.add_tenant("brightwell.example")
        ada = Person(first, base_url, first.add_user(tenant, "ada@brightwell.example"))
        kept, gone = ada.add(2)
        ada.outlook.add_folder("Customers")
        link = ada.follow(ada.delta())[1]
        ada.outlook.delete_contact(gone["id"])

    second = Sandbox(state_file=path)
    with running(second) as base_url:
        again = Person(second, base_url, second.account("ada@brightwell.example"))
        assert [contact["id"] for contact in again.outlook.contacts()] == [kept["id"]]
        assert names(again.follow(base_url + link.partition(ada.base_url)[2])[0]) == (set(), {gone["id"]})
        assert [folder["displayName"] for folder in again.outlook.folders()] == ["Contacts", "Customers"]
        again.outlook.edit_contact(kept["id"], surname="Changed")
        assert again.get(f"/me/contacts/{kept['id']}").json()["surname"] == "Changed"
