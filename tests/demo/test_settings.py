"""The demo project's settings come from the environment, and are safe without any."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

from demo_crm.keys import own_keys

ROOT = Path(__file__).resolve().parents[2]
SHOWN = ("DATABASES", "Q_CLUSTER", "OPENCRM_MS365", "DEBUG", "SECRET_KEY", "ALLOWED_HOSTS", "DEMO", "CACHES",
         "SESSION_COOKIE_SECURE", "CSRF_TRUSTED_ORIGINS")
PROGRAM = f"""
import json
from demo_crm import settings
print(json.dumps({{name: getattr(settings, name, None) for name in {SHOWN!r}}}, default=str))
"""


def settings_with(folder, **environment):
    """The settings as a new process with just this environment reads them."""
    given = {"PATH": os.environ["PATH"], "DEMO_DATA_DIR": str(folder), **environment}
    result = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, env=given, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_with_nothing_set(tmp_path):
    found = settings_with(tmp_path / "new")
    database = found["DATABASES"]["default"]
    assert database["NAME"] == str(tmp_path / "new" / "demo.sqlite3")
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE" and "WAL" in database["OPTIONS"]["init_command"]
    assert found["Q_CLUSTER"]["orm"] == "default" and "redis" not in found["Q_CLUSTER"]
    assert found["Q_CLUSTER"]["retry"] >= 3 * found["Q_CLUSTER"]["timeout"]
    assert found["Q_CLUSTER"]["catch_up"] is False
    assert found["OPENCRM_MS365"]["LOGIN_URL"] == "https://login.microsoftonline.com"
    assert found["OPENCRM_MS365"]["GRAPH_URL"] == "https://graph.microsoft.com"
    assert found["OPENCRM_MS365"]["CLIENT_ID"] == ""
    assert not found["DEBUG"] and not found["DEMO"]
    assert len(found["SECRET_KEY"]) >= 50
    Fernet(found["OPENCRM_MS365"]["ENCRYPTION_KEYS"][0])


def test_everything_set(tmp_path):
    keys = [Fernet.generate_key().decode() for _ in range(2)]
    found = settings_with(
        tmp_path, DATABASE_URL="postgres://me:pw@db.example:5433/crm", REDIS_URL="redis://cache.example:6380/1",
        MS365_CLIENT_ID="id", MS365_CLIENT_SECRET="secret", MS365_LOGIN_URL="https://login.example",
        MS365_GRAPH_URL="https://graph.example", MS365_ENCRYPTION_KEYS=",".join(keys),
        MS365_ACTIVATION_PUBLIC_KEY="public", MS365_PUBLIC_URL="https://crm.example/", SECRET_KEY="mine", DEBUG="true",
        ALLOWED_HOSTS="crm.example,other.example")
    database, sync = found["DATABASES"]["default"], found["OPENCRM_MS365"]
    assert (database["ENGINE"], database["HOST"], database["PORT"]) == (
        "django.db.backends.postgresql", "db.example", 5433)
    assert found["Q_CLUSTER"]["redis"] == "redis://cache.example:6380/1" and "orm" not in found["Q_CLUSTER"]
    assert (sync["CLIENT_ID"], sync["CLIENT_SECRET"]) == ("id", "secret")
    assert (sync["LOGIN_URL"], sync["GRAPH_URL"]) == ("https://login.example", "https://graph.example")
    assert sync["ENCRYPTION_KEYS"] == keys and sync["ACTIVATION_PUBLIC_KEY"] == "public"
    assert sync["PUBLIC_URL"] == "https://crm.example"
    assert (found["SECRET_KEY"], found["DEBUG"]) == ("mine", True)
    assert found["ALLOWED_HOSTS"] == ["crm.example", "other.example"]
    assert found["SESSION_COOKIE_SECURE"] and found["CSRF_TRUSTED_ORIGINS"] == ["https://crm.example"]
    assert not (tmp_path / "keys.json").exists()


def test_a_running_demo_tells_commands_beside_it_where_microsoft_is(tmp_path):
    (tmp_path / "demo.env").write_text("DEMO=1\nMS365_CLIENT_ID=demo\nMS365_GRAPH_URL=http://127.0.0.1:8365\n")
    assert settings_with(tmp_path)["OPENCRM_MS365"]["GRAPH_URL"] == "http://127.0.0.1:8365"


def test_a_left_over_demo_does_not_mix_with_a_real_configuration(tmp_path):
    (tmp_path / "demo.env").write_text("DEMO=1\nMS365_CLIENT_ID=demo\nMS365_GRAPH_URL=http://127.0.0.1:8365\n")
    found = settings_with(tmp_path, MS365_CLIENT_ID="real")
    assert found["OPENCRM_MS365"]["CLIENT_ID"] == "real" and not found["DEMO"]
    assert found["OPENCRM_MS365"]["GRAPH_URL"] == "https://graph.microsoft.com"


def test_the_demos_own_keys_stay_and_are_nobody_elses(tmp_path):
    first = own_keys(tmp_path / "data")
    path = tmp_path / "data" / "keys.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own_keys(tmp_path / "data") == first
    assert [item.name for item in path.parent.iterdir()] == ["keys.json"]
    assert own_keys(tmp_path / "other") != first


@pytest.mark.parametrize("content", ["", "{}", "[]", "nonsense", '{"secret_key": "", "encryption_key": 5}'])
def test_a_damaged_key_file_is_not_replaced(content, tmp_path):
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(ImproperlyConfigured, match="damaged"):
        own_keys(tmp_path)
    assert (tmp_path / "keys.json").read_text() == content


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match="DEMO_DATA_DIR"):
        own_keys(tmp_path / "file" / "below")
