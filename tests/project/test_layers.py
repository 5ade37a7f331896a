"""Imports point downwards only: the drawing of docs/explanation/architecture.md, read from the sources themselves."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
APP = "opencrm_ms365"

#: Rooms and the layer they stand in. Rooms of one layer do not know each other, but for the pairs of `NEIGHBOURS`.
LAYERS = {
    "records": 1,
    "reconcile": 2,
    "models": 3, "adapters": 3, "graph": 3,
    "sync": 4, "access": 4,
    "admin": 5, "views": 5, "api": 5, "tasks": 5, "management": 5, "templatetags": 5,
    "urls": 5, "forms": 5, "apps": 5, "checks": 5, "checks_adapters": 5,
}
NEIGHBOURS = {(door, other) for door in LAYERS for other in LAYERS if LAYERS[door] == LAYERS[other] == 5} | {
    ("sync", "access"),      # a cycle asks for the link's tokens
}
#: Rooms beside the layers, and who may import them.
ANYWHERE = {"errors"}
CONF_USERS = {room for room, layer in LAYERS.items() if layer >= 3} - {"graph"}
SIGNAL_USERS = {room for room, layer in LAYERS.items() if layer >= 4}
SANDBOX_USERS = {"sandbox", "testing"}
SANDBOX_COMMAND = "management/commands/ms365_sandbox.py"
WITHOUT_DJANGO = ("records", "reconcile", "graph", "sandbox", "errors")


@dataclass(frozen=True)
class Import:
    path: Path
    line: int
    module: str      # dotted, absolute

    def __str__(self):
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.module}"


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> Iterator[Import]:
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += (node.module or "").split(".") if node.module else []
            for alias in node.names:
                yield Import(path, node.lineno, ".".join([*base, alias.name]))


def room_of_path(path: Path) -> str:
    parts = path.relative_to(ROOT / APP).with_suffix("").parts
    return parts[0] if parts[0] != "__init__" else ""


def room_of_module(module: str) -> str | None:
    """The room that an absolute module name of the app lies in; None for what is not the app's."""
    parts = module.split(".")
    if parts[0] != APP:
        return None
    return parts[1] if len(parts) > 1 else ""


def complaint(item: Import) -> str | None:
    """Why this import is against the rules; None if it is not."""
    here, there = room_of_path(item.path), room_of_module(item.module)
    if item.module.split(".")[0] in ("demo_crm", "tests"):
        return f"{item}: the app knows neither its demo nor its tests"
    if there is None or there == here or there in ANYWHERE:
        if here == "sandbox" and there == "errors":
            return f"{item}: the sandbox imports nothing of the app"
        return None
    if here == "sandbox":
        return f"{item}: the sandbox imports nothing of the app"
    if there == "sandbox":
        if here in SANDBOX_USERS or item.path.as_posix().endswith(SANDBOX_COMMAND):
            return None
        return f"{item}: only `testing` and the sandbox's command may"
    if here in ("testing", "migrations", ""):
        return None
    if there == "testing":
        return f"{item}: `testing` is for tests"
    if there == "conf":
        return None if here in CONF_USERS else f"{item}: `{here}` gets values through its constructors"
    if there == "signals":
        return None if here in SIGNAL_USERS else f"{item}: signals are sent by layers 4 and 5"
    if here in ("conf", "errors", "signals"):
        return f"{item}: `{here}` stands below all rooms"
    if there not in LAYERS:
        return None if there.startswith("__") else f"{item}: `{there}` is in no layer of this test"
    if here not in LAYERS:
        return f"{item}: `{here}` is in no layer of this test"
    if LAYERS[there] < LAYERS[here] or (here, there) in NEIGHBOURS:
        return None
    return f"{item}: `{there}` is not below `{here}`"


def test_imports_point_downwards_only():
    complaints = [text for path in sources(APP) for item in imports_of(path) if (text := complaint(item))]
    assert not complaints, "\n" + "\n".join(complaints)


@pytest.mark.parametrize(("path", "module", "allowed"), [
    ("records/contact.py", "opencrm_ms365.records.base", True),
    ("records/contact.py", "opencrm_ms365.reconcile.merge", False),
    ("records/contact.py", "opencrm_ms365.conf", False),
    ("reconcile/merge.py", "opencrm_ms365.records.contact", True),
    ("reconcile/merge.py", "opencrm_ms365.models.link", False),
    ("models/link.py", "opencrm_ms365.graph.client", False),
    ("graph/client.py", "opencrm_ms365.errors", True),
    ("graph/client.py", "opencrm_ms365.conf.settings", False),
    ("adapters/base.py", "opencrm_ms365.models.StoredValue", False),
    ("sync/cycle.py", "opencrm_ms365.graph.contacts", True),
    ("sync/cycle.py", "opencrm_ms365.views", False),
    ("sync/cycle.py", "opencrm_ms365.sandbox", False),
    ("sandbox/world.py", "opencrm_ms365.errors", False),
    ("sandbox/world.py", "opencrm_ms365.records", False),
    ("testing/plugin.py", "opencrm_ms365.sandbox", True),
    ("management/commands/ms365_sandbox.py", "opencrm_ms365.sandbox", True),
    ("management/commands/ms365_sync.py", "opencrm_ms365.sandbox", False),
    ("views.py", "opencrm_ms365.sync.schedule", True),
    ("views.py", "demo_crm.crm.models", False),
])
def test_the_rules_themselves(path, module, allowed):
    assert (complaint(Import(ROOT / APP / path, 1, module)) is None) is allowed


@pytest.mark.parametrize("layer", ["records", "reconcile", "errors"])
def test_the_core_imports_nothing_but_the_standard_library(layer):
    paths = [path for path in sources(APP) if room_of_path(path) == layer]
    foreign = [
        str(item) for path in paths for item in imports_of(path)
        if (top := item.module.split(".")[0]) != APP and top not in sys.stdlib_module_names
        and not (layer == "reconcile" and top in ("phonenumbers", "dateutil"))]
    assert not foreign, "\n" + "\n".join(foreign)


@pytest.mark.parametrize("layer", ["graph", "sandbox"])
def test_graph_and_sandbox_do_not_import_django(layer):
    paths = [path for path in sources(APP) if room_of_path(path) == layer]
    django = [str(item) for path in paths for item in imports_of(path)
              if item.module.split(".")[0] in ("django", "rest_framework", "django_q")]
    assert not django, "\n" + "\n".join(django)


def test_four_rooms_work_where_django_is_not_configured():
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in sources(APP) if room_of_path(path) in WITHOUT_DJANGO]
    program = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        "assert 'django.conf' not in sys.modules or not sys.modules['django.conf'].settings.configured")
    env = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
