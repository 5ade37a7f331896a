"""Which error an answer means: the table of the Graph documentation."""

import base64
import json
from datetime import UTC, datetime

import pytest

from opencrm_ms365 import errors
from opencrm_ms365.graph.answers import UNREADABLE
from opencrm_ms365.graph.refusals import codes, refusal

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def body(code, inner=()):
    made = {"code": code, "message": "secret of ada@brightwell.example"}
    here = made
    for number, name in enumerate(inner):
        here["innerError" if number % 2 else "innererror"] = deeper = {"code": name}
        here = deeper
    return {"error": made}


def make(status, code="", *, headers=None, safe=True, inner=(), given=None):
    return refusal(status, headers or {}, body(code, inner) if given is None else given, now=NOW, safe=safe,
                   request_id="abc-1")


@pytest.mark.parametrize(("status", "code", "kind"), [
    (401, "InvalidAuthenticationToken", errors.SignInRequired),
    (403, "ErrorAccessDenied", errors.Rejected),
    (404, "ErrorItemNotFound", errors.NotFound),
    (404, "ErrorSyncFolderNotFound", errors.NotFound),
    (410, "ErrorSyncFolderNotFound", errors.NotFound),
    (404, "ResourceNotFound", errors.NotFound),
    (404, "MailboxNotEnabledForRESTAPI", errors.MailboxUnavailable),
    (401, "MailboxNotEnabledForRESTAPI", errors.MailboxUnavailable),
    (400, "mailboxnotenabledforrestapi", errors.MailboxUnavailable),
    (400, "ErrorInvalidIdMalformed", errors.Rejected),
    (400, "ErrorInvalidRequest", errors.Rejected),
    (405, "ErrorInvalidRequest", errors.Rejected),
    (400, "RequestBodyRead", errors.Rejected),
    (409, "", errors.Stale),
    (410, "SyncStateNotFound", errors.DeltaExpired),
    (410, "ResyncRequired", errors.DeltaExpired),
    (410, "", errors.DeltaExpired),
    (400, "syncStateNotFound", errors.DeltaExpired),
    (400, "SYNCSTATEINVALID", errors.DeltaExpired),
    (400, "ErrorInvalidSyncStateData", errors.DeltaExpired),
    (412, "ErrorIrresolvableConflict", errors.Stale),
    (413, "", errors.Rejected),
    (415, "", errors.Rejected),
    (422, "", errors.Rejected),
    (423, "", errors.Unavailable),
    (424, "", errors.Unavailable),
    (429, "TooManyRequests", errors.Throttled),
    (429, "ApplicationThrottled", errors.Throttled),
    (500, "ErrorTooManyObjectsOpened", errors.Throttled),
    (503, "ErrorTooManyObjectsOpened", errors.Throttled),
    (509, "", errors.Throttled),
    (500, "InternalServerError", errors.Unavailable),
    (502, "", errors.Unavailable),
    (503, "", errors.Unavailable),
    (504, "", errors.Unavailable),
    (501, "", errors.Rejected),
    (507, "ErrorQuotaExceeded", errors.Rejected),
    (302, "", errors.ProtocolError),
])
def test_the_table(status, code, kind):
    error = make(status, code)
    assert type(error) is kind
    assert (error.status, error.code, error.request_id) == (status, code, "abc-1")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_leaves_the_outcome_of_a_write_unknown(status):
    assert type(make(status, safe=False)) is errors.OutcomeUnknown


@pytest.mark.parametrize("inner", [["SyncStateNotFound"], ["other", "SyncStateNotFound"]])
def test_inner_codes_count_in_both_spellings(inner):
    assert type(make(400, "BadRequest", inner=inner)) is errors.DeltaExpired


@pytest.mark.parametrize("given", [None, [], "text", 3, {}, {"error": None}, {"error": "x"}, {"error": {"code": 7}},
                                   {"error": {"code": None, "innerError": []}}])
def test_no_error_body_breaks_it(given):
    assert type(make(400, given=given if given is not None else [])) is errors.Rejected


def test_endless_inner_errors_end():
    error = {"code": "x"}
    error["innerError"] = error
    assert len(list(codes({"error": error}))) == 10


def test_a_proxys_404_is_never_taken_for_a_deleted_record():
    assert type(make(404, given=UNREADABLE)) is errors.ProtocolError


def test_throttling_carries_the_wish():
    assert make(429, headers={"retry-after": "2.5"}).retry_after_s == 2.5
    assert make(429).retry_after_s > 0


def challenge(claims):
    return {"WWW-Authenticate": f'Bearer realm="", error="insufficient_claims", claims="{claims}"'}


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode,
                                    lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=")])
@pytest.mark.parametrize("status", [401, 403])
def test_a_claims_challenge_is_handed_on(status, encode):
    claims = json.dumps({"access_token": {"nbf": {"essential": True, "value": "1652813508?>"}}})
    error = make(status, headers=challenge(encode(claims.encode()).decode()))
    assert type(error) is errors.SignInRequired
    assert error.claims == claims


@pytest.mark.parametrize("claims", ["%%%", "bm90IGpzb24=", "W10=", ""])
def test_nonsense_claims_are_dropped(claims):
    assert make(401, headers=challenge(claims)).claims == ""


def test_texts_never_quote_the_answer():
    for status in range(300, 600):
        for code in ("", "ErrorX", "ada@brightwell.example says <b>hello"):
            error = make(status, code)
            assert "ada" not in str(error) and "ada" not in error.code
            assert str(error).endswith(".") or type(error) is errors.Throttled
