"""One request: where the token goes, what is repeated, what is never said."""

import gzip
import json
import logging
import socket

import pytest

from opencrm_ms365.errors import (
    ConfigurationError,
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
from opencrm_ms365.graph import answers
from opencrm_ms365.graph.client import GraphClient, template
from tests.client.scripted import CUT, CUT_IN_BODY, Reply, error, ok


def half(body):
    return Reply(200, body, cut=CUT_IN_BODY)


def test_every_request_asks_for_immutable_ids_and_carries_the_token(server, client):
    server.say(ok({"a": 1}), ok({}))
    assert client.get("/me", params={"$select": "id,mail"}, prefer=["odata.maxpagesize=3"]).body == {"a": 1}
    client.post("/me/contacts", {"givenName": "Ädä"})

    first, second = server.seen
    assert first.path == "/v1.0/me?$select=id,mail"
    assert first.headers["Prefer"] == 'IdType="ImmutableId", odata.maxpagesize=3'
    assert second.headers["Prefer"] == 'IdType="ImmutableId"'
    assert first.headers["Authorization"] == "Bearer secret-token-1"
    assert second.json == {"givenName": "Ädä"}
    assert second.headers["Content-Type"] == "application/json"
    assert client.requests == 2


def test_an_etag_is_sent_as_if_match(server, client):
    server.say(ok({}), Reply(204), error(412, "ErrorIrresolvableConflict"))
    client.patch("/me/contacts/1", {}, 'W/"abc"')
    client.delete("/me/contacts/1")
    with pytest.raises(Stale):
        client.delete("/me/contacts/1", 'W/"abc"')
    assert [seen.headers.get("If-Match") for seen in server.seen] == ['W/"abc"', None, 'W/"abc"']


# Waiting and repeating

def test_a_read_waits_as_it_is_told_and_goes_on(server, client, slept):
    server.say(error(429, Retry_After="2.5"), CUT, half({"a": 1}), error(503, Retry_After="1"), ok({"a": 1}))
    assert client.get("/me").body == {"a": 1}
    assert slept[0] == 2.5 and slept[3] == 1
    assert len(slept) == 4 and client.requests == 5


def test_a_long_pause_is_handed_to_the_caller(server, client, slept):
    server.say(error(429, "ApplicationThrottled", Retry_After="120"))
    with pytest.raises(Throttled) as caught:
        client.get("/me")
    assert caught.value.retry_after_s == 120 and slept == []


def test_an_unavailable_service_that_names_its_time_counts_as_throttling(server, client):
    server.say(error(503, Retry_After="300"))
    with pytest.raises(Throttled) as caught:
        client.get("/me")
    assert caught.value.retry_after_s == 300


def test_a_read_gives_up_in_the_end(server, client, slept):
    server.otherwise = error(502)
    with pytest.raises(Unavailable):
        client.get("/me")
    assert 1 < len(server.seen) <= 5 and sum(slept) <= 20


@pytest.mark.parametrize("lost", [CUT, half({"id": "1"}), error(500), error(503, Retry_After="1"), error(504),
                                  Reply(200, b"<html>not what was asked</html>")])
@pytest.mark.parametrize("method", ["post", "patch"])
def test_SYNC_04_a_write_is_never_repeated_on_suspicion(server, client, slept, method, lost):
    server.say(lost, ok({}))
    with pytest.raises(OutcomeUnknown):
        getattr(client, method)("/me/contacts/1", {"givenName": "Ada"})
    assert len(server.seen) == 1 and slept == []


def test_a_write_that_was_throttled_is_repeated(server, client, slept):
    server.say(error(429, Retry_After="1"), error(500, "ErrorTooManyObjectsOpened", Retry_After="2"), ok({"id": "1"}))
    assert client.post("/me/contacts", {}).body == {"id": "1"}
    assert slept == [1, 2]


def test_a_write_that_never_left_is_no_riddle(tokens):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = GraphClient(f"http://127.0.0.1:{port}", tokens, sleep=lambda seconds: None)
    with pytest.raises(Unavailable):
        client.post("/me/contacts", {})
    assert client.requests == 4


def test_a_deletion_is_repeated_and_the_second_answer_counts(server, client):
    server.say(CUT, error(404, "ErrorItemNotFound"))
    with pytest.raises(NotFound):
        client.delete("/me/contacts/1")


def test_a_slow_answer_ends(server, tokens):
    import time
    server.otherwise = lambda seen: time.sleep(1)
    client = GraphClient(server.url, tokens, timeout_s=0.2, max_wait_s=0.1, sleep=lambda seconds: None)
    with pytest.raises(Unavailable, match="no answer in time"):
        client.get("/me")


# The token

def test_a_refused_token_is_renewed_once(server, client, tokens):
    server.say(error(401, "InvalidAuthenticationToken"), ok({}))
    client.post("/me/contacts", {})
    assert [seen.headers["Authorization"] for seen in server.seen] == ["Bearer secret-token-1", "Bearer secret-token-2"]
    assert tokens.asked == [("", ""), ("secret-token-1", "")]


def test_a_second_refusal_means_sign_in_again(server, client):
    server.otherwise = error(401, "InvalidAuthenticationToken")
    with pytest.raises(SignInRequired):
        client.get("/me")
    assert len(server.seen) == 2


def test_a_claims_challenge_reaches_the_token_source(server, client, tokens):
    server.say(error(401, WWW_Authenticate='Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="'), ok({}))
    client.get("/me")
    assert tokens.asked[1] == ("secret-token-1", '{"a":1}')


def test_a_missing_mailbox_is_no_reason_to_sign_in_again(server, client, tokens):
    server.say(error(401, "MailboxNotEnabledForRESTAPI"))
    with pytest.raises(MailboxUnavailable):
        client.get("/me/contacts")
    assert len(tokens.asked) == 1


# Where the token goes (I-6)

@pytest.mark.parametrize("link", [
    "https://evil.example/v1.0/me",
    "//evil.example/v1.0/me",
    "http://127.0.0.1:1/v1.0/me",
    "{url}@evil.example/v1.0/me",
    "{url}\\@evil.example/",
    "http://user:pw@{place}/v1.0/me",
    "https://{place}/v1.0/me",
    "http://localhost:{port}/v1.0/me",
    "javascript:alert(1)",
    "http:evil.example",
    "{url}/v1.0/me\r\nX: y",
    "http://[broken",
    "http://127.0.0.1:99999/",
    "ftp://127.0.0.1/x",
])
def test_I_6_the_token_goes_nowhere_else(server, client, tokens, link):
    link = link.format(url=server.url, place=server.url[7:], port=server.server.server_port)
    with pytest.raises(ProtocolError) as caught:
        client.get(link)
    assert server.seen == [] and tokens.asked == []
    assert "evil" not in str(caught.value)


def test_I_6_redirects_are_not_followed(server, client):
    server.say(Reply(302, None, {"Location": "/v1.0/elsewhere"}), Reply(307, None, {"Location": "https://evil.example"}))
    for send in (lambda: client.get("/me"), lambda: client.post("/me", {})):
        with pytest.raises(ProtocolError):
            send()
    assert len(server.seen) == 2


def test_links_of_the_same_host_are_followed_verbatim(server, client):
    server.otherwise = ok({})
    client.get(f"{server.url}/v1.0/me/contacts/delta?$deltatoken=a%2Bb%3D~x")
    client.get("/v1.0/me?x=1")
    client.get("me/contacts")
    assert [seen.path for seen in server.seen] == [
        "/v1.0/me/contacts/delta?$deltatoken=a%2Bb%3D~x", "/v1.0/me?x=1", "/v1.0/me/contacts"]


def test_cookies_of_one_answer_do_not_go_with_the_next(server, client):
    server.say(Reply(200, {}, {"Set-Cookie": "who=ada; Path=/"}), ok({}))
    client.get("/me")
    client.get("/me")
    assert "Cookie" not in server.seen[1].headers


def test_a_netrc_does_not_replace_the_token(server, tokens, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login mallory password x\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client = GraphClient(server.url, tokens)
    client._session.trust_env = True
    server.say(ok({}))
    client.get("/me")
    assert server.seen[0].headers["Authorization"] == "Bearer secret-token-1"


@pytest.mark.parametrize("url", ["http://graph.microsoft.com", "ftp://127.0.0.1", "graph.microsoft.com", "", "http://",
                                 "https://user:pw@graph.microsoft.com", "http://127.0.0.1.evil.example"])
def test_unfit_addresses_are_refused_at_once(url, tokens):
    with pytest.raises(ConfigurationError):
        GraphClient(url, tokens)


@pytest.mark.parametrize("suffix", ["", "/", "/v1.0", "/v1.0/"])
def test_the_version_may_be_given_or_not(server, tokens, suffix):
    server.say(ok({}))
    GraphClient(server.url + suffix, tokens).get("/me")
    assert server.seen[0].path == "/v1.0/me"


# Hostile answers

DEEP = b'{"value":' + b"[" * 5000 + b"]" * 5000 + b"}"
DEEPISH = b'{"value":' + b"[" * 200 + b"]" * 200 + b"}"


@pytest.mark.parametrize("body", [DEEP, DEEPISH, b"<html>", b"{", b'{"a": NaN}', b'"\xff\xfe"',
                                  b'{"a": 1' + b"0" * 5000 + b"}"])
def test_nonsense_is_a_protocol_error(server, client, body):
    server.otherwise = Reply(200, body)
    with pytest.raises(ProtocolError):
        client.get("/me")


def test_a_huge_answer_is_not_swallowed(server, client, monkeypatch):
    monkeypatch.setattr(answers, "MAX_ANSWER_BYTES", 1000)
    packed = gzip.compress(json.dumps({"a": "x" * 100_000}).encode())
    server.otherwise = Reply(200, packed, {"Content-Encoding": "gzip"})
    with pytest.raises(ProtocolError, match="larger"):
        client.get("/me")
    assert len(server.seen) == 1
    with pytest.raises(OutcomeUnknown):
        client.post("/me/contacts", {})


def test_errors_may_be_anything(server, client):
    server.say(Reply(400, DEEP), Reply(403, b"<html>"), Reply(404, b"<html>"), Reply(404), Reply(410, [1]))
    kinds = []
    for _ in range(5):
        with pytest.raises(Exception) as caught:
            client.get("/me")
        kinds.append(type(caught.value).__name__)
    assert kinds == ["Rejected", "Rejected", "ProtocolError", "NotFound", "DeltaExpired"]


# What is told (I-5)

def test_I_5_nothing_of_a_request_reaches_a_log_or_a_text(server, client, caplog):
    caplog.set_level(logging.DEBUG)
    server.say(error(400, "ErrorX"), CUT)
    secret = "https-only-deltatoken"
    texts = []
    for send in (lambda: client.post("/me/contacts/AAMkSecretId=", {"givenName": "Ada"}),
                 lambda: client.patch(f"/me/contacts/1?$deltatoken={secret}", {"givenName": "Ada"})):
        with pytest.raises((Rejected, OutcomeUnknown)) as caught:
            send()
        texts.append(repr(caught.value))
        assert caught.value.__cause__ is None and caught.value.__suppress_context__
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("opencrm")]
    assert len(ours) == 2
    for text in [*texts, *ours]:
        for private in ("Ada", "ada@", "secret-token", "AAMkSecretId", secret):
            assert private not in text
    assert "POST /v1.0/me/contacts/{id}: 400" in ours[0]


def test_an_observer_hears_of_each_attempt(server, tokens):
    notes = []
    client = GraphClient(server.url, tokens, sleep=lambda seconds: None, on_request=notes.append)
    server.say(error(503), CUT, ok({}, **{"request-id": "abc"}))
    client.get("/me/contactFolders/AAA=/contacts/delta?$deltatoken=x")
    assert [(note.method, note.path, note.status, note.attempt) for note in notes] == [
        ("GET", "/v1.0/me/contactFolders/{id}/contacts/delta", status, number)
        for number, status in enumerate([503, None, 200], start=1)]
    assert notes[2].request_id == "abc" and all(note.duration_s >= 0 for note in notes)


@pytest.mark.parametrize(("url", "expected"), [
    ("http://h/v1.0/me/contacts/AAMk%3D?$select=id", "/v1.0/me/contacts/{id}"),
    ("http://h/v1.0/$batch", "/v1.0/$batch"),
    ("http://h/v1.0/users/ada@brightwell.example/contacts", "/v1.0/users/{id}/contacts"),
])
def test_paths_are_told_without_ids(url, expected):
    assert template(url) == expected
