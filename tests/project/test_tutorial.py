"""The tutorial works as it is written: its blocks of code make a project that checks, migrates and shows its page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BEFORE = '''
SECRET_KEY, ROOT_URLCONF, STATIC_URL, DEBUG = "x", "urls", "static/", True
MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware",
              "django.middleware.csrf.CsrfViewMiddleware",
              "django.contrib.auth.middleware.AuthenticationMiddleware",
              "django.contrib.messages.middleware.MessageMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
    "context_processors": ["django.template.context_processors.request",
                           "django.contrib.auth.context_processors.auth",
                           "django.contrib.messages.context_processors.messages"]}}]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "crm.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
'''
AFTER = '''
INSTALLED_APPS += ["contacts", "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                   "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles"]
'''
MODELS = '''
from django.conf import settings
from django.db import models

class Contact(models.Model):
    first_name = models.CharField(max_length=80, blank=True)
    last_name = models.CharField(max_length=80, blank=True)
    company = models.CharField(max_length=80, blank=True)
    email = models.EmailField(blank=True)
    email2 = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    notes = models.TextField(blank=True)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    updated_at = models.DateTimeField(auto_now=True)
'''
VISIT = '''
import django
django.setup()
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory
from django.template import Context, Template
ada = get_user_model().objects.create_user("ada", password="x")
client = Client(SERVER_NAME="localhost")
client.force_login(ada)
assert client.get("/microsoft/").status_code == 200
request = RequestFactory().get("/")
request.user = ada
print(Template(TAG).render(Context({"request": request, "user": ada})))
'''


def block(language, containing):
    """The one block of code of the tutorial that has this text."""
    text = (ROOT / "docs" / "tutorial.md").read_text()
    [found] = [code for code in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if containing in code]
    return found


@pytest.fixture
def project(tmp_path):
    (tmp_path / "contacts").mkdir()
    files = {
        "settings.py": BEFORE + block("python", "INSTALLED_APPS") + AFTER,
        "urls.py": block("python", "urlpatterns"),
        "contacts/__init__.py": "",
        "contacts/models.py": MODELS,
        "contacts/ms365.py": block("python", "@ms.register"),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def test_the_tutorial_makes_a_project_that_works(project):
    def run(*arguments):
        env = {name: value for name, value in os.environ.items() if not name.startswith(("MS365", "DJANGO"))}
        env |= {"DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": f"{project}{os.pathsep}{ROOT}",
                "MS365_ENCRYPTION_KEY": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMDA="}
        done = subprocess.run([sys.executable, *arguments], cwd=project, env=env, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "django", "makemigrations", "contacts")
    run("-m", "django", "check", "--fail-level", "WARNING")
    run("-m", "django", "migrate")
    shown = run("-c", f"TAG = {block('html', 'ms365_sync_button')!r}\n{VISIT}")
    assert "Microsoft" in shown and "href" in shown
