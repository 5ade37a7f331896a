"""What is in the wheel: one package with everything that it needs at run time, and nothing else."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = "opencrm_ms365"
NOT_PYTHON = {".html", ".txt", ".css", ".js", ".svg", ".png", ".ico", ".json", ".po", ".mo", ".typed", ".woff2"}

PROGRAM = """
import sys, django, {app}
from pathlib import Path
assert Path({app}.__file__).is_relative_to({folder!r}), {app}.__file__
from django.conf import settings
settings.configure(
    SECRET_KEY="x", USE_TZ=True, ROOT_URLCONF="urls", STATIC_URL="static/",
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles",
                    "rest_framework", "django_q", "{app}"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware"],
    TEMPLATES=[{{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {{
        "context_processors": ["django.template.context_processors.request",
                               "django.contrib.auth.context_processors.auth",
                               "django.contrib.messages.context_processors.messages"]}}}}],
    DATABASES={{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}},
    Q_CLUSTER={{"orm": "default", "timeout": 120, "retry": 400, "catch_up": False}},
    OPENCRM_MS365={{"CLIENT_ID": "x", "CLIENT_SECRET": "y",
                    "ENCRYPTION_KEYS": ["dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMDA="]}})
django.setup()
from django.core.management import call_command
from django.template.loader import get_template
call_command("check")
call_command("migrate", verbosity=0)
templates = Path({app}.__file__).parent / "templates"
for path in sorted(templates.rglob("*.html")):
    get_template(path.relative_to(templates).as_posix())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of the sources as they stand, built away from them."""
    folder = tmp_path_factory.mktemp("wheel")
    sources = folder / "sources"
    sources.mkdir()
    shutil.copytree(ROOT / APP, sources / APP, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "demo_crm", sources / "demo_crm", ignore=shutil.ignore_patterns("__pycache__"))
    (sources / "tests").mkdir()
    (sources / "tests" / "__init__.py").touch()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources / name)
    program = f"from setuptools import build_meta; print(build_meta.build_wheel({str(folder)!r}))"
    done = subprocess.run([sys.executable, "-c", program], cwd=sources, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [path] = folder.glob("*.whl")
    return path


def test_the_wheel_has_one_top_level_package(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {APP}


def test_the_wheel_has_every_file_of_the_package(wheel):
    wanted = {
        path.relative_to(ROOT).as_posix() for path in (ROOT / APP).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix in NOT_PYTHON | {".py"}}
    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_the_wheel_brings_the_pytest_plugin_and_the_licence(wheel):
    archive = zipfile.ZipFile(wheel)
    info = {name.split("/", 1)[1]: name for name in archive.namelist() if ".dist-info/" in name}
    assert f"ms365 = {APP}.testing.plugin" in archive.read(info["entry_points.txt"]).decode()
    assert "licenses/LICENSE" in info


def test_a_project_runs_on_the_installed_wheel(wheel, tmp_path):
    """Unpacked apart, before everything else on the path: checks, migrations and each template come from the wheel."""
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    (tmp_path / "urls.py").write_text(
        "from django.contrib import admin\nfrom django.urls import include, path\n"
        f"urlpatterns = [path('admin/', admin.site.urls), path('ms/', include('{APP}.urls'))]\n")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), str(tmp_path)])}
    env.pop("DJANGO_SETTINGS_MODULE", None)
    program = PROGRAM.format(app=APP, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr


#: Imports that come with an extra, and the only room where they may be.
OPTIONAL = {"werkzeug": ("sandbox/",), "markupsafe": ("sandbox/",), "jwt": ("sandbox/",), "drf_spectacular": ("api/",),
            "pytest": ("testing/",)}
#: What a declared dependency cannot do without: `requests` is made of urllib3.
COMES_ALONG = {"urllib3"}


def test_every_import_is_a_declared_dependency_and_the_reverse():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", item).group().lower().replace("_", "-") for item in declared}
    modules = importlib.metadata.packages_distributions()
    used = set()
    for path in (ROOT / APP).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found = []
            if isinstance(node, ast.Import):
                found = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found = [node.module]
            for top in {name.split(".")[0] for name in found} - sys.stdlib_module_names - {APP}:
                room = path.relative_to(ROOT / APP).as_posix()
                if not room.startswith(OPTIONAL.get(top, ("nowhere/",))):
                    used |= {name.lower().replace("_", "-") for name in modules.get(top, [top])}
    assert used - names - COMES_ALONG == set(), "imported, but not declared"
    assert names - used <= {"tzdata"}, "declared, but not imported"     # Python's zoneinfo reads tzdata
