"""Limits for each app and mailbox, and faults on command."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest
import requests

from .person import Person, code


@pytest.mark.facts("15.37")
def test_15_37_the_rate_is_counted_for_each_app_and_mailbox(ada, ben, sandbox):
    sandbox.clock.freeze()
    sandbox.options.set(rate_limit=3, rate_window_s=60)
    assert [ada.get("/me/contacts").status_code for _ in range(3)] == [200, 200, 200]
    answer = ada.get("/me/contacts")
    assert code(answer) == (429, "TooManyRequests")
    assert answer.json()["error"]["message"] == "Please retry again later."
    assert answer.json()["error"]["innerError"]["status"] == "429"
    assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert ben.get("/me/contacts").status_code == 200
    assert ada.get("/me").status_code == 200            # not Outlook
    ada.bearer = sandbox.token_for(ada.account, "Contacts.Read", client_id="another app")
    assert ada.get("/me/contacts").status_code == 200


@pytest.mark.facts("15.37")
def test_15_37_after_the_time_the_mailbox_answers_again_and_refused_requests_count(ada, sandbox):
    sandbox.clock.freeze()
    sandbox.options.set(rate_limit=2, rate_window_s=60)
    for _ in range(2):
        ada.get("/me/contacts")
    sandbox.clock.advance(50)
    assert ada.get("/me/contacts").status_code == 429
    sandbox.clock.advance(11)
    assert ada.get("/me/contacts").status_code == 200
    assert ada.get("/me/contacts").status_code == 429


@pytest.mark.facts("15.37")
def test_15_37_four_requests_at_once_are_the_limit(ada, sandbox):
    sandbox.faults.add(path="/me/contacts", latency_s=0.8, times=None)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: ada.get("/me/contacts"), range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 2
    assert code(refused[0]) == (429, "ApplicationThrottled")
    assert refused[0].json()["error"]["message"] == "Application is over its MailboxConcurrency limit."
    assert set(sandbox.throttle.highest_concurrency.values()) == {4}


@pytest.mark.facts("15.36", "15.37")
def test_15_37_two_unordered_batches_at_once_are_too_many(ada, sandbox):
    sandbox.faults.add(path="/me/contacts", latency_s=0.2, times=4)
    first = threading.Thread(target=lambda: ada.batch(*({"url": "/me/contacts"} for _ in range(4))))
    first.start()
    while 4 not in sandbox.throttle.highest_concurrency.values():
        time.sleep(0.01)
    statuses = [answer["status"] for answer in ada.batch(*({"url": "/me/contacts"} for _ in range(4))).values()]
    first.join()
    assert statuses == [429] * 4


@pytest.mark.facts("15.37")
@pytest.mark.parametrize("form", ["integer", "fractional", "date", "absent"])
def test_15_37_retry_after_has_several_forms(ada, sandbox, form):
    sandbox.options.set(concurrency_limit=0, retry_after_form=form, retry_after_s=2)
    text = ada.get("/me/contacts").headers.get("Retry-After")
    if form == "date":
        assert 0 <= (parsedate_to_datetime(text) - sandbox.clock.now()).total_seconds() <= 3
    else:
        assert text == {"integer": "2", "fractional": "2.000", "absent": None}[form]


def test_throttling_can_be_switched_off(ada, sandbox):
    sandbox.options.set(throttling=False, rate_limit=1, concurrency_limit=0)
    assert [ada.get("/me/contacts").status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.facts("15.39")
def test_15_39_the_next_requests_get_a_status(ada, sandbox):
    sandbox.faults.add(method="POST", path="/contacts$", status=503, times=2, retry_after=2.128)
    assert ada.get("/me/contacts").status_code == 200
    answer = ada.post("/me/contacts", {"givenName": "Grace"})
    assert code(answer) == (503, "ServiceUnavailable")
    assert answer.headers["Retry-After"] == "2.128"
    assert ada.post("/me/contacts", {"givenName": "Grace"}).status_code == 503
    assert ada.outlook.contacts() == []
    assert ada.post("/me/contacts", {"givenName": "Grace"}).status_code == 201


@pytest.mark.facts("15.39")
@pytest.mark.parametrize(("status", "name"), [(401, "InvalidAuthenticationToken"), (429, "TooManyRequests"),
                                              (500, "InternalServerError"), (504, "GatewayTimeout")])
def test_15_39_a_fault_has_the_usual_body_of_its_status(ada, sandbox, status, name):
    sandbox.faults.add(status=status)
    answer = ada.get("/me")
    assert code(answer) == (status, name)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


@pytest.mark.facts("15.39")
def test_15_39_the_connection_is_cut_before_or_after_the_effect(ada, sandbox):
    for cut, kept in (("before", 0), ("after", 1)):
        sandbox.faults.add(method="POST", path="/contacts$", cut=cut)
        with pytest.raises(requests.ConnectionError):
            ada.post("/me/contacts", {"givenName": "Grace"})
        assert len(ada.outlook.contacts()) == kept
    assert sandbox.requests[-1].status == 0


@pytest.mark.facts("15.39")
def test_15_39_an_error_can_follow_the_effect(ada, sandbox):
    sandbox.faults.add(method="POST", status=500, after_effect=True)
    assert ada.post("/me/contacts", {"givenName": "Grace"}).status_code == 500
    assert len(ada.outlook.contacts()) == 1


@pytest.mark.facts("15.39")
def test_15_39_json_is_cut_in_the_middle(ada, sandbox):
    sandbox.faults.add(truncate="json")
    answer = ada.get("/me")
    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()
    sandbox.faults.add(truncate="length")
    with pytest.raises(requests.RequestException):
        ada.get("/me")


@pytest.mark.facts("15.39")
def test_15_39_answers_can_be_slow(ada, sandbox):
    sandbox.faults.add(latency_s=0.3)
    began = time.monotonic()
    assert ada.get("/me").status_code == 200
    assert time.monotonic() - began >= 0.3


@pytest.mark.facts("15.39")
def test_15_39_faults_reach_into_a_batch(ada, sandbox):
    sandbox.faults.add(method="POST", path="/contacts$", status=429, retry_after=7, inner=True)
    create = {"method": "POST", "url": "/me/contacts", "headers": {"Content-Type": "application/json"},
              "body": {"givenName": "Grace"}}
    answers = ada.batch(create, create)
    assert sorted(answer["status"] for answer in answers.values()) == [201, 429]
    assert next(answer for answer in answers.values() if answer["status"] == 429)["headers"]["Retry-After"] == "7"
    sandbox.faults.add(path=r"\$batch", cut="after")
    with pytest.raises(requests.ConnectionError):
        ada.batch(create)
    assert len(ada.outlook.contacts()) == 2
    sandbox.faults.add(path="/contacts$", cut="after", inner=True, skip=1)
    with pytest.raises(requests.ConnectionError):
        ada.batch(create, create, create)               # cut in the middle: two of three have happened
    assert len(ada.outlook.contacts()) == 4


@pytest.mark.facts("15.39")
def test_15_39_faults_can_be_skipped_to_and_meant_for_one_person(ada, ben, sandbox):
    sandbox.faults.add(path="/me", status=500, skip=1, account=ada.account.upn)
    assert [ben.get("/me").status_code, ada.get("/me").status_code] == [200, 200]
    assert [ben.get("/me").status_code, ada.get("/me").status_code] == [200, 500]


@pytest.mark.facts("15.39")
def test_15_39_sign_ins_can_be_revoked_in_the_middle_of_a_round(ada, sandbox):
    ada.add(4)
    wish = 'IdType="ImmutableId", odata.maxpagesize=2'
    body = ada.get(ada.delta(), prefer=wish).json()
    sandbox.revoke(ada.account)
    assert ada.get(body["@odata.nextLink"], prefer=wish).status_code == 401


@pytest.mark.facts("15.39")
def test_15_39_the_clock_can_be_shifted(ada, sandbox):
    sandbox.clock.advance(-86400)
    answered = parsedate_to_datetime(ada.get("/me").headers["Date"])
    assert abs((answered - sandbox.clock.now()).total_seconds()) < 5


def test_writing_threads_do_not_lose_anything(sandbox, base_url, ada, ben):
    def work(number):
        person = Person(sandbox, base_url, (ada if number % 2 else ben).account)
        return [person.post("/me/contacts", {"givenName": f"{number}-{n}"}).status_code for n in range(15)]

    with ThreadPoolExecutor(4) as pool:
        assert {status for statuses in pool.map(work, range(4)) for status in statuses} == {201}
    assert len(ada.outlook.contacts()) == len(ben.outlook.contacts()) == 30
    assert len(ada.follow(ada.delta())[0]) == 30
