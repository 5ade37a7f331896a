"""Many requests in one: each has its own outcome, whatever becomes of the whole."""

import base64
import json

import pytest

from opencrm_ms365.errors import (
    MailboxUnavailable,
    NotFound,
    OutcomeUnknown,
    ProtocolError,
    Rejected,
    SignInRequired,
    Stale,
    Throttled,
    Unavailable,
)
from opencrm_ms365.graph.answers import Answer
from opencrm_ms365.graph.batch import Inner, run
from tests.client.scripted import CUT, Reply, error, ok


def reads(count):
    return [Inner(f"read-{number}", "GET", f"/me/contacts/{number}") for number in range(count)]


def creations(count):
    return [Inner(f"new-{number}", "POST", "/me/contacts", {"givenName": str(number)}) for number in range(count)]


def answering(each):
    """A service that answers every inner request with `each(request)`."""
    def reply(seen):
        return ok({"responses": [{"id": request["id"], **each(request)} for request in seen.json["requests"]]})
    return reply


def fine(request):
    return {"status": 200, "headers": {}, "body": {"url": request["url"]}}


def inner_error(status, code="", **headers):
    return {"status": status, "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "body": {"error": {"code": code, "message": "ada@brightwell.example"}}}


def test_requests_are_sent_in_chunks_of_twenty_with_headers_of_their_own(server, client):
    server.otherwise = answering(fine)
    outcomes = run(client, [*reads(40), Inner("w", "PATCH", "/me/contacts/w", {"a": 1}, {"If-Match": 'W/"1"'})])

    assert [len(seen.json["requests"]) for seen in server.seen] == [20, 20, 1]
    assert {name: answer.body["url"] for name, answer in outcomes.items()}["read-39"] == "/me/contacts/39"
    assert len(outcomes) == 41
    write = server.seen[2].json["requests"][0]
    assert write == {"id": "1", "method": "PATCH", "url": "/me/contacts/w", "body": {"a": 1}, "headers": {
        "If-Match": 'W/"1"', "Prefer": 'IdType="ImmutableId"', "Content-Type": "application/json"}}
    read = server.seen[0].json["requests"][0]
    assert read["headers"] == {"Prefer": 'IdType="ImmutableId"'} and "body" not in read
    assert len({request["id"] for request in server.seen[0].json["requests"]}) == 20


def test_nothing_to_ask_is_not_asked(server, client):
    assert run(client, []) == {}
    assert server.seen == []


def test_answers_come_in_any_order_and_form(server, client):
    packed = base64.b64encode(json.dumps({"id": "three"}).encode()).decode()
    server.say(ok({"@odata.context": "x", "responses": [
        {"id": "4", "status": 204},
        {"id": 3, "status": "200", "headers": {"Content-Type": "application/json"}, "body": packed},
        {"id": "1", "status": 200, "headers": None, "body": {"id": "one"}, "more": 1},
        {"id": "5", "status": 204, "body": None, "headers": ["odd"]},
        {"id": "2", "status": 200, "headers": {"request-id": "abc", "x": ["1", "2"]}, "body": '{"id": "two"}'},
        {"id": "99", "status": 200}, "odd", None, {"status": 200},
    ]}))
    outcomes = run(client, reads(5))
    assert [outcomes[f"read-{number}"].body for number in range(5)] == [
        {"id": "one"}, {"id": "two"}, {"id": "three"}, None, None]
    assert outcomes["read-1"].request_id == "abc"


def test_each_failure_is_one_requests_own(server, client):
    replies = {"1": inner_error(404, "ErrorItemNotFound"), "2": inner_error(412), "3": inner_error(400, "X"),
               "4": {"status": 201, "body": {"id": "new"}}, "5": inner_error(404, "MailboxNotEnabledForRESTAPI"),
               "6": inner_error(500), "7": {"status": 404, "body": "<html>"}}
    server.say(answering(lambda request: replies[request["id"]]))
    outcomes = run(client, creations(7))
    assert [type(outcome) for outcome in outcomes.values()] == [
        NotFound, Stale, Rejected, Answer, MailboxUnavailable, OutcomeUnknown, ProtocolError]
    assert "ada" not in str(outcomes["new-0"])


# Repeating

def test_throttled_parts_are_repeated_after_the_longest_pause(server, client, slept):
    seen_before = set()

    def each(request):
        if request["url"] in seen_before or request["url"].endswith("/0"):
            return fine(request)
        seen_before.add(request["url"])
        return inner_error(429, "ApplicationThrottled", Retry_After="1" if request["url"].endswith("/1") else "2.5")

    server.otherwise = answering(each)
    outcomes = run(client, reads(4))
    assert all(isinstance(outcome, Answer) for outcome in outcomes.values())
    assert slept == [2.5]
    assert [len(seen.json["requests"]) for seen in server.seen] == [4, 3]


def test_a_throttled_creation_is_repeated_but_a_failed_one_is_not(server, client):
    replies = iter([inner_error(429, Retry_After="1"), inner_error(503, Retry_After="1"),
                    {"status": 201, "body": {"id": "a"}}])
    server.otherwise = answering(lambda request: next(replies))
    outcomes = run(client, creations(2))
    assert isinstance(outcomes["new-0"], Answer) and isinstance(outcomes["new-1"], OutcomeUnknown)


def test_a_failed_dependency_was_not_carried_out_and_is_repeated(server, client):
    replies = iter([inner_error(424), {"status": 201, "body": {"id": "a"}}])
    server.otherwise = answering(lambda request: next(replies))
    assert isinstance(run(client, creations(1))["new-0"], Answer)


def test_a_long_pause_stops_the_rest_and_keeps_what_was_answered(server, client, slept):
    def each(request):
        if json.dumps(request.get("body")) == '{"givenName": "1"}':
            return inner_error(429, "ApplicationThrottled", Retry_After="100")
        return {"status": 201, "body": {"id": "x"}}

    server.otherwise = answering(each)
    outcomes = run(client, creations(45))
    assert len(server.seen) == 1 and slept == []
    assert sum(isinstance(outcome, Answer) for outcome in outcomes.values()) == 19
    assert {outcome.retry_after_s for outcome in outcomes.values() if isinstance(outcome, Throttled)} == {100}
    assert len(outcomes) == 45


def test_endless_throttling_ends(server, client, slept):
    server.otherwise = answering(lambda request: inner_error(429, Retry_After="0"))
    assert isinstance(run(client, reads(1))["read-0"], Throttled)
    assert len(server.seen) <= 6


# Lost answers

@pytest.mark.parametrize("lost", [CUT, Reply(200, b"{"), Reply(502), ok({"responses": []}), ok({}), ok([]),
                                  ok({"responses": {"1": {}}}), Reply(200), ok({"responses": [{"id": "1"}]}),
                                  ok({"responses": [{"id": "1", "status": 201, "body": "%%%"}]})])
def test_SYNC_04_a_lost_batch_leaves_its_writes_unknown(server, client, lost):
    server.say(lost)
    server.otherwise = answering(fine)
    outcomes = run(client, creations(3))
    assert [type(outcome) for outcome in outcomes.values()] == [OutcomeUnknown] * 3
    assert len(server.seen) == 1


@pytest.mark.parametrize("lost", [CUT, Reply(200, b"{"), Reply(502), ok({"responses": []}), Reply(503)])
def test_a_lost_batch_of_reads_is_repeated(server, client, lost):
    server.say(lost)
    server.otherwise = answering(fine)
    assert all(isinstance(outcome, Answer) for outcome in run(client, reads(3)).values())


def test_reads_lost_beside_writes_are_repeated_alone(server, client):
    server.say(CUT)
    server.otherwise = answering(fine)
    outcomes = run(client, [*reads(2), *creations(2)])
    assert [type(outcome) for outcome in outcomes.values()].count(OutcomeUnknown) == 2
    assert [request["method"] for request in server.seen[1].json["requests"]] == ["GET", "GET"]


def test_a_read_that_is_never_answered_fails_by_itself(server, client):
    def silent(seen):
        return ok({"responses": [{"id": request["id"], **fine(request)} for request in seen.json["requests"]
                                 if not request["url"].endswith("/1")]})
    server.otherwise = silent
    outcomes = run(client, reads(2))
    assert isinstance(outcomes["read-0"], Answer) and isinstance(outcomes["read-1"], ProtocolError)


# What stops everything

def test_what_stops_everything_is_raised_while_nothing_is_answered(server, client):
    server.say(error(429, Retry_After="99"))
    with pytest.raises(Throttled):
        run(client, creations(3))
    server.otherwise = error(401)
    with pytest.raises(SignInRequired):
        run(client, creations(3))


def test_later_it_does_not_swallow_the_answers_before(server, client):
    server.say(answering(fine), error(403, "ErrorX"))
    outcomes = run(client, creations(25))
    assert sum(isinstance(outcome, Answer) for outcome in outcomes.values()) == 20
    assert sum(isinstance(outcome, Rejected) for outcome in outcomes.values()) == 5


def test_an_inner_refusal_of_the_token_renews_it_once(server, client, tokens):
    server.say(answering(lambda request: inner_error(401, "InvalidAuthenticationToken")))
    server.otherwise = answering(fine)
    assert isinstance(run(client, creations(1))["new-0"], Answer)
    assert ("secret-token-1", "") in tokens.asked


def test_a_lasting_inner_refusal_means_sign_in_again(server, client):
    server.otherwise = answering(lambda request: inner_error(401, "InvalidAuthenticationToken"))
    assert isinstance(run(client, reads(1))["read-0"], SignInRequired)
    assert len(server.seen) == 2


def test_a_service_that_is_down_is_unavailable(server, client):
    server.otherwise = Reply(503)
    with pytest.raises(Unavailable):
        run(client, reads(2))
