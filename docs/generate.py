"""Writes the pages of docs/ that are made from the sources: `python -m docs.generate`, or `make docs`.

`docs/rules.md` comes from the tests (their names and `rule` marks) and `docs/rule-titles.txt`,
`docs/reference/settings.md` from `opencrm_ms365.conf`, and `docs/reference/adapter-classes/` from the classes
themselves. A test fails when a page is older than its sources.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from docs import adapter_pages

ROOT = Path(__file__).resolve().parents[1]
RULE_ID = re.compile(r"[A-Z]+-\d\d")
IN_NAME = re.compile(r"(?<=_)([A-Z]+)_(\d\d)(?=_|$)")


@dataclass(frozen=True)
class Rule:
    id: str
    title: str
    family: str


@dataclass(frozen=True, order=True)
class Shown:
    """A test that shows a rule."""

    path: str
    name: str

    @property
    def words(self) -> str:
        """The test's name as a sentence, without `test` and the ids of rules."""
        return " ".join(IN_NAME.sub("", self.name).removeprefix("test").replace("_", " ").split())


def rules() -> list[Rule]:
    """All rules in their order."""
    found, family = [], ""
    for line in (ROOT / "docs" / "rule-titles.txt").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        name, _, title = line.partition(" ")
        if title.endswith(":"):
            family = title.removesuffix(":")
        else:
            found.append(Rule(name, title, family))
    return found


def shown_rules(folder: Path = ROOT / "tests") -> dict[str, list[Shown]]:
    """The tests of each rule. Raises `SystemExit` for a test that names a rule that there is not."""
    known = {rule.id for rule in rules()}
    result: dict[str, list[Shown]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for name, line, ids in _tests_of(ast.parse(path.read_text(), str(path))):
            for rule_id in sorted(ids):
                if rule_id not in known:
                    raise SystemExit(f"{path.relative_to(ROOT)}:{line} names {rule_id}, which is no rule.")
                result.setdefault(rule_id, []).append(Shown(path.relative_to(ROOT).as_posix(), name))
    return {rule_id: sorted(set(tests)) for rule_id, tests in result.items()}


def _tests_of(module: ast.Module) -> Iterator[tuple[str, int, set[str]]]:
    everywhere = {
        rule_id for node in module.body if isinstance(node, ast.Assign)
        and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
        for rule_id in _marks(node.value)}
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            of_class = everywhere | {rule_id for item in node.decorator_list for rule_id in _marks(item)}
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef) and inner.name.startswith("test"):
                    yield inner.name, inner.lineno, of_class | _ids(inner)
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test"):
            yield node.name, node.lineno, everywhere | _ids(node)


def _ids(function: ast.FunctionDef) -> set[str]:
    named = {f"{family}-{number}" for family, number in IN_NAME.findall(function.name)}
    return named | {rule_id for item in function.decorator_list for rule_id in _marks(item)}


def _marks(node: ast.AST) -> Iterator[str]:
    """The ids in `rule("CON-05", ...)` and `pytest.mark.rule(...)`, wherever in a decorator they stand."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func).split(".")[-1] == "rule":
            for argument in call.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value


def rules_page() -> str:
    tests, all_rules = shown_rules(), rules()
    covered = sum(rule.id in tests for rule in all_rules)
    lines = [
        "# The rules, and the tests that show them", "",
        "<!-- Made by `make docs` from the tests and rule-titles.txt. Do not edit. -->", "",
        f"{covered} of {len(all_rules)} rules have tests. A rule without one is not built yet, or not shown yet.",
    ]
    family = ""
    for rule in all_rules:
        if rule.family != family:
            family = rule.family
            lines += ["", f"## {rule.id.split('-')[0]}: {family}"]
        lines += ["", f"**{rule.id}** {rule.title}.", ""]
        lines += [f"- {test.words} ([{Path(test.path).stem}](../{test.path}))" for test in tests.get(rule.id, [])]
        if rule.id not in tests:
            lines.append("- *no test yet*")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    from opencrm_ms365 import conf

    lines = [
        "# Settings", "",
        "<!-- Made by `make docs` from opencrm_ms365/conf.py. Do not edit. -->", "",
        f"All settings of the app stand in one dictionary, `{conf.DICTIONARY}`, in the settings of your project. Only",
        "the client's id, its secret (or certificate) and the encryption keys have to be given. `manage.py check`",
        "finds unknown names and bad values; the ids of its messages are in [System checks](checks.md). What an",
        "administrator decides is not here but in the Django admin:",
        "[Set up the organisation](../how-to/set-up-the-organisation.md).",
        "", "```python", f"{conf.DICTIONARY} = {{", '    "CLIENT_ID": "11111111-2222-3333-4444-555555555555",',
        '    "CLIENT_SECRET": os.environ["MS365_CLIENT_SECRET"],',
        '    "ENCRYPTION_KEYS": os.environ["MS365_ENCRYPTION_KEYS"].split(","),', "}", "```",
    ]
    for item in conf.SETTINGS:
        types = item.type if isinstance(item.type, tuple) else (item.type,)
        facts = [" or ".join(kind.__name__ for kind in types)]
        facts.append("required" if item.required else f"default `{item.default!r}`")
        if item.unit:
            facts.append(f"in {item.unit}")
        if item.minimum is not None:
            facts.append(f"at least {item.minimum:g}")
        lines += ["", f"## `{item.name}`", "", f"*{', '.join(facts)}.* {item.help}"]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "docs/rules.md": rules_page, "docs/reference/settings.md": settings_page,
    **{path: partial(adapter_pages.page_at, path) for path in adapter_pages.PATHS}}


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(page())
        print(f"Wrote {name}")


if __name__ == "__main__":
    main()
