"""`$batch`."""

import base64

import pytest

from .person import Person, code

JSON = {"Content-Type": "application/json"}


def reading(name, **more):
    return {"id": name, "method": "GET", "url": "/me/contacts", **more}


@pytest.mark.facts("15.36")
def test_15_36_twenty_requests_are_answered_and_twenty_one_refused(ada):
    twenty = [reading(str(number)) for number in range(20)]
    answers = ada.batch(*twenty)
    assert {answer["status"] for answer in answers.values()} == {200}
    assert len(answers) == 20
    assert ada.post("/$batch", {"requests": [*twenty, reading("more")]}).status_code == 400


@pytest.mark.facts("15.36")
@pytest.mark.parametrize("inner", [
    [],
    [reading("1"), reading("1")],
    [reading(1)],
    [{"id": "1", "url": "/me"}],
    [{"id": "1", "method": "GET", "url": "https://graph.microsoft.com/v1.0/me"}],
    [{"id": "1", "method": "POST", "url": "/me/contacts", "body": {"givenName": "X"}}],
    [reading("1", dependsOn=["2"]), reading("2")],
    [reading("1"), reading("2", dependsOn=["nobody"])],
    [reading("1"), reading("2"), reading("3", dependsOn=["1"])],
    [reading("1"), reading("2", dependsOn=["1"]), reading("3", dependsOn=["1", "2"])],
])
def test_15_36_a_malformed_batch_is_refused_as_a_whole(ada, inner):
    assert ada.post("/$batch", {"requests": inner}).status_code == 400


@pytest.mark.facts("15.6", "15.36")
def test_15_6_a_batch_within_a_batch_is_refused(ada):
    nested = {"id": "1", "method": "POST", "url": "/$batch", "headers": JSON, "body": {"requests": [reading("1")]}}
    assert ada.post("/$batch", {"requests": [nested]}).status_code == 400


@pytest.mark.facts("15.36")
def test_15_36_dependants_of_a_failure_fail(ada):
    answers = ada.batch(
        reading("1"),
        {"id": "2", "method": "PATCH", "url": f"/me/contacts/{'A' * 60}", "headers": JSON, "body": {},
         "dependsOn": ["1"]},
        {"id": "3", "method": "POST", "url": "/me/contacts", "headers": JSON, "body": {"givenName": "Grace"},
         "dependsOn": ["2"]})
    assert {name: answer["status"] for name, answer in answers.items()} == {"1": 200, "2": 404, "3": 424}
    assert ada.outlook.contacts() == []


@pytest.mark.facts("15.36")
def test_15_36_all_may_depend_on_the_same_one(ada):
    answers = ada.batch(reading("1"), reading("2", dependsOn=["1"]), reading("3", dependsOn=["1"]))
    assert {answer["status"] for answer in answers.values()} == {200}


@pytest.mark.facts("15.36")
def test_15_36_answers_come_in_any_order(ada, sandbox):
    batch = {"requests": [reading(str(number)) for number in range(20)]}
    orders = [[part["id"] for part in ada.post("/$batch", batch).json()["responses"]] for _ in range(2)]
    assert orders[0] != orders[1]
    sandbox.options.batch_order = "as_sent"
    ordered = [part["id"] for part in ada.post("/$batch", batch).json()["responses"]]
    assert ordered == [str(number) for number in range(20)]


@pytest.mark.facts("15.5", "15.36")
def test_15_36_headers_count_inside_only(ada):
    made = ada.outlook.add_contact(givenName="Grace")
    path = f"/me/contacts/{made['id']}"
    stale = {**JSON, "If-Match": 'W/"stale"'}
    answers = ada.batch(
        {"id": "plain", "url": path},
        {"id": "immutable", "url": path, "headers": {"prefer": 'IdType="ImmutableId"'}},
        {"id": "stale", "method": "PATCH", "url": path, "headers": stale, "body": {"jobTitle": "x"}},
        {"id": "last", "method": "PATCH", "url": path, "headers": JSON, "body": {"jobTitle": "y"}})
    assert answers["plain"]["body"]["id"] != made["id"]       # the outer Prefer does not reach it
    assert answers["immutable"]["body"]["id"] == made["id"]
    assert answers["stale"]["status"] == 412
    assert answers["stale"]["body"]["error"]["code"] == "ErrorIrresolvableConflict"
    assert answers["last"]["status"] == 200


@pytest.mark.facts("15.36")
def test_15_36_inner_answers_have_status_links_and_bodies_of_their_own(ada):
    made, other, _ = ada.add(3)
    jpeg = b"\xff\xd8\xff" + b"0" * 20
    answers = ada.batch(
        {"id": "list", "url": "me/contacts?$top=1"},
        {"id": "delta", "url": "/me/contacts/delta", "headers": {"Prefer": "odata.maxpagesize=1"}},
        {"id": "photo", "method": "PUT", "url": f"/me/contacts/{made['id']}/photo/$value",
         "headers": {"Content-Type": "image/jpeg"}, "body": base64.b64encode(jpeg).decode()},
        {"id": "delete", "method": "DELETE", "url": f"/me/contacts/{other['id']}"},
        {"id": "unknown", "url": "/me/contactz"})
    assert ada.get(answers["list"]["body"]["@odata.nextLink"]).status_code == 200
    assert ada.get(answers["delta"]["body"]["@odata.nextLink"]).status_code == 200
    assert answers["photo"]["status"] == 200
    assert (answers["delete"]["status"], "body" in answers["delete"]) == (204, False)
    assert answers["unknown"]["status"] == 404
    again = ada.batch({"id": "photo", "url": f"/me/contacts/{made['id']}/photo/$value"})["photo"]
    assert base64.b64decode(again["body"]) == jpeg


@pytest.mark.facts("15.36")
def test_15_36_more_than_four_at_once_can_be_throttled(ada, sandbox):
    sandbox.options.batch_beyond_four = "throttled"
    answers = ada.batch(*(reading(str(number)) for number in range(6)), {"id": "me", "url": "/me"}).values()
    throttled = [answer for answer in answers if answer["status"] == 429]
    assert len(throttled) == 2
    assert throttled[0]["headers"]["Retry-After"] == "1"
    assert throttled[0]["body"]["error"]["code"] == "ApplicationThrottled"
    chain = [reading("0"), *(reading(str(number), dependsOn=[str(number - 1)]) for number in range(1, 6))]
    assert {answer["status"] for answer in ada.batch(*chain).values()} == {200}


@pytest.mark.facts("15.36")
def test_15_36_scopes_and_mailboxes_are_checked_inside(sandbox, base_url, ada, ben):
    reader = Person(sandbox, base_url, ada.account, "Contacts.Read")
    anothers = {"id": "3", "url": f"/users/{ben.account.id}/contacts"}
    answers = reader.batch(reading("1"), {"id": "2", "url": "/me"}, anothers)
    assert {name: answer["status"] for name, answer in answers.items()} == {"1": 200, "2": 403, "3": 403}
    reader.bearer = "nonsense"
    assert code(reader.post("/$batch", {"requests": [reading("1")]})) == (401, "InvalidAuthenticationToken")
