"""What must not stand in a public source tree, and what must."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = {".py", ".md", ".txt", ".toml", ".html", ".css", ".js", ".json", ".sh", ".yml", ".cfg", ".lock", ""}

FORBIDDEN = {
    # A path of somebody's machine.
    "path of one machine": re.compile(r"(?<![\w.])/(?:home|root|Users|work|opt)/\w"),
    # Where packages come from is the installation's own business.
    "package index": re.compile(r"(?:https?://(?:[\w.-]*pypi[\w.-]*|files\.pythonhosted)|--(?:extra-)?index-url|file://)"),
    "leftover of a merge": re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{40}"),
}
ALLOWED = {"tests/project/test_tree.py"}


def tracked() -> list[Path]:
    """The files under version control; without a repository (an unpacked archive) the tests here are skipped."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("This is no git repository.")
    return [ROOT / name for name in done.stdout.split("\0") if name]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_nothing_forbidden_stands_in_the_sources(what):
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in TEXT and name not in ALLOWED and path.is_file():
            for match in FORBIDDEN[what].finditer(text := path.read_text()):
                found.append(f"{name}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}")
    assert found == []


def test_files_have_names_that_say_what_they_hold():
    vague = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert [path.relative_to(ROOT).as_posix() for path in tracked() if path.name in vague] == []


def test_a_module_does_not_grow_into_two():
    """Near 400 lines there is mostly a second idea in a module; at 500 it is time to look for it."""
    long = [f"{path.relative_to(ROOT)} ({count} lines)" for path in tracked()
            if path.suffix == ".py" and path.is_relative_to(ROOT / "opencrm_ms365") and "migrations" not in path.parts
            and path.is_file() and (count := len(path.read_text().splitlines())) > 500]
    assert long == []


@pytest.mark.parametrize("name", [
    "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", ".ci/run",
    "docs/index.md", "docs/tutorial.md", "docs/architecture.md", "docs/rules.md", "docs/finding-your-way.md",
    "docs/reference/settings.md", "opencrm_ms365/py.typed"])
def test_the_files_that_people_look_for_are_there(name):
    assert (ROOT / name).is_file()


def test_the_licence_is_bsd_with_three_clauses():
    text = (ROOT / "LICENSE").read_text()
    assert "BSD 3-Clause" in text and "Neither the name" in text
    assert 'license = "BSD-3-Clause"' in (ROOT / "pyproject.toml").read_text()
