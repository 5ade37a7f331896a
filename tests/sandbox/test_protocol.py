"""Headers, error bodies, bearers, bodies, links, preferences, paths."""

import re
import uuid

import pytest
import requests

from opencrm_ms365.sandbox import Sandbox

from .person import Person, code

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.facts("15.1")
def test_15_1_every_answer_has_a_request_id_of_its_own(ada):
    first, second = ada.get("/me"), ada.get("/me")
    assert GUID.fullmatch(first.headers["request-id"])
    assert first.headers["request-id"] != second.headers["request-id"]
    assert first.headers["client-request-id"] == first.headers["request-id"]
    assert "x-ms-ags-diagnostic" in first.headers
    assert first.headers["Cache-Control"] == "private"


@pytest.mark.facts("15.1")
def test_15_1_the_clients_own_request_id_comes_back(ada):
    own = str(uuid.uuid4())
    assert ada.get("/me", headers={"client-request-id": own}).headers["client-request-id"] == own


@pytest.mark.facts("15.1")
def test_15_1_errors_have_microsofts_body(ada):
    answer = ada.get(f"/me/contacts/{'A' * 151}=", headers={"client-request-id": "mine"})
    error = answer.json()["error"]
    assert code(answer) == (404, "ErrorItemNotFound")
    assert error["message"] == "The specified object was not found in the store."
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    assert error["innerError"]["client-request-id"] == "mine"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", error["innerError"]["date"])


@pytest.mark.facts("15.2")
@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer nonsense", "Basic YWRhOmFkYQ=="])
def test_15_2_a_missing_or_unknown_bearer_is_refused(ada, base_url, authorization):
    headers = {"Authorization": authorization} if authorization else {}
    answer = requests.get(f"{base_url}/v1.0/me", headers=headers, timeout=20)
    assert code(answer) == (401, "InvalidAuthenticationToken")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.facts("15.2")
def test_15_2_an_expired_bearer_is_refused(ada, sandbox):
    sandbox.clock.advance(3600)
    answer = ada.get("/me")
    assert code(answer) == (401, "InvalidAuthenticationToken")
    assert answer.json()["error"]["message"] == "Lifetime validation failed, the token is expired."


@pytest.mark.facts("15.2")
def test_15_2_a_bearer_for_another_audience_is_refused(ada, sandbox):
    ada.bearer = sandbox.bearers.issue(ada.account, ["User.Read"], audience="https://graph.microsoft.us")
    assert code(ada.get("/me")) == (401, "InvalidAuthenticationToken")


@pytest.mark.facts("15.2")
def test_15_2_a_missing_scope_is_refused(sandbox, base_url, ada):
    reader = Person(sandbox, base_url, ada.account, "Contacts.Read")
    assert reader.get("/me/contacts").status_code == 200
    assert code(reader.post("/me/contacts", {"givenName": "X"})) == (403, "ErrorAccessDenied")
    assert code(reader.get("/me")) == (403, "ErrorAccessDenied")


@pytest.mark.facts("15.2")
def test_15_2_revoked_sessions_are_refused_with_claims_when_asked(ada, sandbox):
    sandbox.revoke(ada.account, claims="eyJ4IjoxfQ==")
    answer = ada.get("/me")
    assert answer.status_code == 401
    assert 'claims="eyJ4IjoxfQ=="' in answer.headers["WWW-Authenticate"]


@pytest.mark.facts("15.2")
def test_15_2_anothers_mailbox_is_refused(ada, ben):
    assert code(ada.get(f"/users/{ben.account.id}/contacts")) == (403, "ErrorAccessDenied")
    assert ada.get(f"/users/{ada.account.upn}/contacts").status_code == 200
    assert code(ada.get("/users/nobody@brightwell.example")) == (404, "Request_ResourceNotFound")


def test_a_mailbox_that_is_missing_is_not_a_missing_contact(sandbox, base_url, tenant):
    guest = Person(sandbox, base_url, sandbox.add_user(tenant, "guest@brightwell.example", has_mailbox=False))
    assert code(guest.get("/me/contacts")) == (404, "MailboxNotEnabledForRESTAPI")
    sandbox.options.mailbox_missing_status = 401
    assert code(guest.get("/me/contacts")) == (401, "MailboxNotEnabledForRESTAPI")


@pytest.mark.facts("15.3")
@pytest.mark.parametrize("body", [
    {"givenname": "wrong case"},
    {"favouriteColour": "red"},
    {"givenName": 7},
    {"emailAddresses": {"address": "x@y.example"}},
    {"emailAddresses": [{"adress": "x@y.example"}]},
    {"homeAddress": "Main Street 1"},
    {"businessPhones": "+44 1"},
    {"businessPhones": [7]},
    {"birthday": "yesterday"},
    {"birthday": "2020-13-01"},
    {"@odata.type": "#microsoft.graph.event"},
    ["no object"],
])
def test_15_3_bodies_are_checked_against_the_schema(ada, body):
    assert ada.post("/me/contacts", body).status_code == 400
    assert ada.outlook.contacts() == []


@pytest.mark.facts("15.3")
def test_15_3_a_body_that_is_no_json_is_refused(ada):
    json_type = {"Content-Type": "application/json"}
    assert ada.send("POST", "/me/contacts", data=b'{"givenName": ', headers=json_type).status_code == 400
    assert ada.send("POST", "/me/contacts", headers=json_type).status_code == 400
    assert ada.send("POST", "/me/contacts", data=b"x", headers={"Content-Type": "text/plain"}).status_code == 415


@pytest.mark.facts("15.3")
def test_15_3_read_only_properties_are_ignored_or_refused(ada, sandbox):
    body = {"givenName": "X", "id": "mine", "changeKey": "mine", "createdDateTime": "2001-01-01T00:00:00Z"}
    made = ada.post("/me/contacts", body).json()
    assert made["id"] != "mine"
    assert made["changeKey"] != "mine"
    assert not made["createdDateTime"].startswith("2001")
    sandbox.options.read_only_properties = "refused"
    assert ada.post("/me/contacts", body).status_code == 400


@pytest.mark.facts("15.4")
def test_15_4_links_are_absolute_and_pages_no_larger_than_asked(ada):
    ada.add(25)
    seen, link = [], "/me/contacts?$top=10&$select=givenName&$orderby=givenName"
    while link:
        body = ada.get(link).json()
        assert "@odata.context" in body
        assert len(body["value"]) <= 10
        seen += [contact["givenName"] for contact in body["value"]]
        link = body.get("@odata.nextLink", "")
        assert not link or link.startswith(f"{ada.base_url}/v1.0/me/contacts?")
    assert sorted(seen) == sorted(f"Number {n}" for n in range(25))


@pytest.mark.facts("15.4")
def test_15_4_a_page_may_be_empty_and_still_go_on(ada, sandbox):
    ada.add(3)
    sandbox.options.delta_empty_pages = True
    items, _, pages = ada.follow(ada.delta(), size=2)
    assert len(items) == 3
    assert [len(page) for page in pages] == [0, 2, 0, 1]


@pytest.mark.facts("15.5")
def test_15_5_preferences_count_for_their_own_request_only(ada):
    kept = ada.outlook.add_contact(givenName="Grace")
    immutable = ada.get("/me/contacts").json()["value"][0]["id"]
    default = ada.get("/me/contacts", prefer=None).json()["value"][0]["id"]
    assert immutable == kept["id"] != default
    assert ada.get(f"/me/contacts/{immutable}", prefer=None).json()["id"] == default
    assert ada.get(f"/me/contacts/{default}").json()["id"] == immutable


@pytest.mark.facts("15.5")
def test_15_5_several_preferences_in_one_header_are_confirmed(ada):
    ada.add(2)
    answer = ada.get(ada.delta(), prefer='IdType="ImmutableId", odata.maxpagesize=1, outlook.timezone="UTC"')
    assert len(answer.json()["value"]) == 1
    assert 'outlook.timezone="UTC"' in answer.headers["Preference-Applied"]
    assert "odata.track-changes" in answer.headers["Preference-Applied"]
    assert "Preference-Applied" not in ada.get("/me/contacts").headers


@pytest.mark.facts("15.6")
def test_15_6_unknown_paths_and_wrong_methods_are_refused(ada):
    assert ada.get("/me/contactz").status_code == 404
    assert ada.get("/planner").status_code == 404
    answer = ada.patch("/me/contacts", {})
    assert code(answer) == (405, "ErrorInvalidRequest")
    assert answer.headers["Allow"] == "GET, POST"
    assert ada.post("/me/contacts/delta", {}).status_code == 405
    assert requests.get(f"{ada.base_url}/beta/me", timeout=20).status_code == 404


@pytest.mark.facts("15.6")
def test_15_6_path_segments_have_no_case_and_ids_do(ada):
    made = ada.outlook.add_contact(givenName="Grace")
    assert ada.get(f"/Me/CONTACTFOLDERS/{made['parentFolderId']}/Contacts").status_code == 200
    assert ada.get(f"/me/contacts('{made['id']}')").status_code == 200
    assert code(ada.get(f"/me/contacts/{made['id'].swapcase()}")) == (404, "ErrorItemNotFound")
    assert code(ada.get("/me/contacts/nonsense")) == (400, "ErrorInvalidIdMalformed")


def test_ids_can_come_in_pairs_that_differ_in_case_only(ada, sandbox):
    sandbox.options.case_twin_ids = True
    first, second = ada.add(2)
    assert first["id"] != second["id"]
    assert first["id"].lower() == second["id"].lower()
    assert ada.get(f"/me/contacts/{second['id']}").json()["givenName"] == "Number 1"


def test_query_options_that_odata_does_not_know_are_refused(ada):
    assert ada.get("/me/contacts?$limit=3").status_code == 400
    assert ada.get("/me/contacts?$top=5&$top=6").status_code == 400
    assert ada.get("/me/contacts?$top=1001").status_code == 400
    assert ada.get("/me/contacts?$select=nickname,Colour").status_code == 400


def test_two_sandboxes_do_not_share_secrets(ada):
    other = Sandbox()
    account = other.add_user(other.add_tenant("x.example"), "ada@x.example")
    assert other.token_for(account, "User.Read") != ada.bearer


def test_users_are_found_by_mail_and_name(ada, ben):
    found = ada.get("/users?$filter=mail eq 'BEN@brightwell.example' or userPrincipalName eq 'x'").json()["value"]
    assert [user["displayName"] for user in found] == ["Ben Okafor"]
    assert ada.get(f"/users/{ben.account.id}?$select=id,mail").json()["mail"] == "ben@brightwell.example"
    assert ada.get("/me?$select=id,mailboxSettings").json()["mailboxSettings"]["timeZone"] == "GMT Standard Time"
    assert ada.get("/me/mailboxSettings").json()["timeZone"] == "GMT Standard Time"
    assert ada.get("/organization").json()["value"][0]["id"] == ada.account.tenant_id
