"""Each fault of the settings has an id that is never used again, and a hint that can be followed."""

import pytest
from django.core import checks as django_checks

from opencrm_ms365 import checks, conf

GOOD = {
    "CLIENT_ID": "id", "CLIENT_SECRET": "secret",
    "ENCRYPTION_KEYS": ["dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMDA="], "INSTALLATION_ID": "tests",
}
PUBLIC_KEY = "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg"
GOOD_CLUSTER = {"orm": "default", "timeout": 120, "retry": 400, "catch_up": False}


def ids(messages):
    return [message.id for message in messages]


@pytest.mark.parametrize(("change", "expected", "words"), [
    ({}, [], ""),
    ({"CLIENT_ID": None}, ["E003"], "CLIENT_ID"),
    ({"ENCRYPTION_KEYS": []}, ["E003"], "empty"),
    ({"WINDOW_PAST_DAY": 3}, ["E002"], "WINDOW_PAST_DAYS"),
    ({"CYCLE_MINUTES": "10"}, ["E004"], "must be int"),
    ({"CYCLE_MINUTES": True}, ["E004"], "must be int"),
    ({"CYCLE_MINUTES": 0}, ["E004"], "at least 1 minutes"),
    ({"CLIENT_SECRET": ""}, ["E005"], "either"),
    ({"CLIENT_CERTIFICATE": {"private_key": "x", "public_certificate": "y"}}, ["E005"], "not both"),
    ({"CLIENT_SECRET": "", "CLIENT_CERTIFICATE": {"private_key": "x"}}, ["E005"], "public_certificate"),
    ({"ENCRYPTION_KEYS": ["short"]}, ["E006"], "key 1"),
    ({"GRAPH_URL": "http://graph.example"}, ["E007"], "must be https"),
    ({"GRAPH_URL": "https://user@graph.example"}, ["E007"], "address of a host"),
    ({"LOGIN_URL": "login.example"}, ["E007"], "address of a host"),
    ({"LOGIN_URL": "http://127.0.0.1:8099"}, [], ""),
    ({"LOGIN_URL": "http://[::1]:8099"}, [], ""),
    ({"ACTIVATION_PUBLIC_KEY": PUBLIC_KEY}, [], ""),
    ({"ACTIVATION_PUBLIC_KEY": "short"}, ["E011"], "generate-keys"),
    ({"ACTIVATION_PUBLIC_KEY": "é" * 43}, ["E011"], "not a public key"),
])
def test_faults_of_the_dictionary(settings, change, expected, words):
    settings.OPENCRM_MS365 = {**GOOD, **change}
    messages = checks.check_settings()
    assert ids(messages) == [f"opencrm_ms365.{item}" for item in expected]
    assert all(words in f"{message.msg} {message.hint}" for message in messages)


def test_a_missing_dictionary_says_what_to_add(settings):
    del settings.OPENCRM_MS365
    [message] = checks.check_settings()
    assert message.id == "opencrm_ms365.E001" and "CLIENT_ID" in message.hint


def test_time_zone_support_is_needed(settings):
    settings.OPENCRM_MS365, settings.USE_TZ = GOOD, False
    assert ids(checks.check_settings()) == ["opencrm_ms365.E008"]


@pytest.mark.parametrize(("change", "expected"), [
    ({}, []),
    ({"timeout": None}, ["W002"]),
    ({"timeout": 400}, ["W002"]),
    ({"timeout": 90}, ["W003"]),
    ({"catch_up": True}, ["W004"]),
    ({"sync": True, "timeout": None}, []),
])
def test_faults_of_the_background_work(settings, change, expected):
    settings.Q_CLUSTER = {**GOOD_CLUSTER, **change}
    assert ids(checks.check_background_work()) == [f"opencrm_ms365.{item}" for item in expected]


def test_no_background_work_at_all_is_reported(settings):
    del settings.Q_CLUSTER
    assert ids(checks.check_background_work()) == ["opencrm_ms365.W001"]


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
@pytest.mark.parametrize(("change", "expected"), [
    ({"ACTIVATION_PUBLIC_KEY": "x"}, []),
    ({}, ["W005"]),
    ({"ACTIVATION_PUBLIC_KEY": "x", "INSTALLATION_ID": ""}, ["W007"]),
    ({"ACTIVATION_PUBLIC_KEY": "x", "INSTALLATION_ID": "", "PUBLIC_URL": "https://crm.example"}, []),
    ({"ACTIVATION_PUBLIC_KEY": "x", "GRAPH_URL": "http://localhost:1"}, ["E009"]),
    ({"ACTIVATION_PUBLIC_KEY": "x", "PUBLIC_URL": "http://crm.example"}, ["E010"]),
])
def test_faults_of_a_deployment(settings, change, expected):
    settings.OPENCRM_MS365 = {**GOOD, **change}
    settings.DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql"}}
    settings.ALLOWED_HOSTS = ["*"]
    assert ids(checks.check_deployment()) == [f"opencrm_ms365.{item}" for item in expected]


@pytest.mark.filterwarnings("ignore:Overriding setting DATABASES")
def test_sqlite_that_will_lock_is_reported(settings):
    settings.OPENCRM_MS365 = {**GOOD, "ACTIVATION_PUBLIC_KEY": "x"}
    settings.DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
    assert ids(checks.check_deployment()) == ["opencrm_ms365.W006"]


def test_the_checks_are_registered():
    registered = django_checks.registry.registry.get_checks(include_deployment_checks=True)
    assert {checks.check_settings, checks.check_background_work, checks.check_deployment} <= set(registered)


def test_every_default_passes_its_own_rules(settings):
    settings.OPENCRM_MS365 = {**{item.name: item.default for item in conf.SETTINGS}, **GOOD}
    assert list(conf.faults()) == []
