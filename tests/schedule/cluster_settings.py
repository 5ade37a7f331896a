"""Settings of the processes that the tests of the worker start: a database of their own, and a cycle that only notes
when it ran. What differs from test to test comes through the environment."""

import os

import environ

SECRET_KEY = "only-for-the-tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth", "django.contrib.contenttypes", "django_q", "opencrm_ms365",
    "tests.schedule.cluster_app.AppConfig"]
DATABASES = {"default": environ.Env.db_url_config(os.environ["CLUSTER_DATABASE"])}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20, "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"}
REDIS = os.environ.get("CLUSTER_REDIS")
Q_CLUSTER = {
    "name": os.environ["CLUSTER_NAME"], "workers": 2, "queue_limit": 2, "bulk": 1, "timeout": 30, "retry": 100,
    "max_attempts": 1, "ack_failures": True, "catch_up": False, "poll": 0.1, "save_limit": 250,
    **({"redis": REDIS} if REDIS else {"orm": "default"}),
}
OPENCRM_MS365 = {
    "CLIENT_ID": "11111111-2222-3333-4444-555555555555", "CLIENT_SECRET": "demo-secret",
    "LOGIN_URL": "http://127.0.0.1:9", "GRAPH_URL": "http://127.0.0.1:9", "SLICE_S": 5,
    "ENCRYPTION_KEYS": ["dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMDA="],
}
