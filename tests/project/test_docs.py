"""The documentation keeps up with the sources: every public name is in it, every link leads somewhere."""

import ast
import re
from pathlib import Path

import pytest

from docs import generate
from opencrm_ms365 import conf
from opencrm_ms365.models import SyncSettings

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
APP = ROOT / "opencrm_ms365"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
REFERENCE = DOCS / "reference"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosting sites make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("name", generate.PAGES)
def test_generated_pages_are_up_to_date(name):
    if (ROOT / name).read_text() != generate.PAGES[name]():
        pytest.fail(f"{name} is older than its sources. Run `make docs`, and commit what it writes.", pytrace=False)


def test_every_rule_has_one_line_and_every_mark_names_a_rule():
    ids = [rule.id for rule in generate.rules()]
    assert len(ids) == len(set(ids))
    assert all(generate.RULE_ID.fullmatch(rule_id) for rule_id in ids)
    generate.shown_rules()


def test_names_and_marks_of_tests_are_read(tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text(
        "pytestmark = [pytest.mark.rule('SYNC-05')]\n"
        "def test_CON_05_CON_06_one_thing(): ...\n"
        "@rule('ORG-01')\ndef test_another(): ...\n"
        "@pytest.mark.rule('ORG-02', 'ORG-04')\n"
        "class TestIt:\n    def test_inside(self): ...\n    def helper(self): ...\n")
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    (tmp_path / "docs").symlink_to(DOCS)
    found = generate.shown_rules(tmp_path / "tests")
    assert {rule_id: sorted(test.words for test in tests) for rule_id, tests in found.items()} == {
        "SYNC-05": ["another", "inside", "one thing"], "CON-05": ["one thing"], "CON-06": ["one thing"],
        "ORG-01": ["another"], "ORG-02": ["inside"], "ORG-04": ["inside"]}


def test_every_setting_is_in_the_reference():
    text = (REFERENCE / "settings.md").read_text()
    assert [item.name for item in conf.SETTINGS if f"## `{item.name}`" not in text] == []


def test_every_organisation_setting_is_explained():
    text = (DOCS / "how-to" / "set-up-the-organisation.md").read_text()
    fields = [field.name for field in SyncSettings._meta.fields if field.editable and field.name != "id"]
    assert [name for name in fields if f"`{name}`" not in text] == []


def test_every_permission_that_is_asked_for_is_explained():
    from opencrm_ms365.graph.clouds import PURPOSES, SCOPES, admin_scopes

    page = (DOCS / "how-to" / "register-the-app.md").read_text()
    table = page.partition("## The permissions")[2].partition("\n## ")[0]
    rows = set(re.findall(r"`([\w.]+)`", "".join(re.findall(r"^\|([^|]+)\|", table, re.MULTILINE))))
    wanted = {scope for purpose in PURPOSES for scope in SCOPES[purpose]} | {
        scope for scope in admin_scopes("https://graph.microsoft.com") if "/" not in scope}
    assert rows == wanted


def test_every_variable_of_the_demo_is_in_the_reference():
    text = (REFERENCE / "demo-environment.md").read_text()
    sources = "\n".join(path.read_text() for path in (ROOT / "demo_crm").rglob("settings.py"))
    names = set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z0-9_]+)"', sources))
    assert names and sorted(name for name in names if f"`{name}`" not in text) == []


def commands(folder: Path) -> list[Path]:
    return [path for path in folder.glob("management/commands/*.py") if path.stem != "__init__"]


def test_every_command_and_option_is_in_the_reference():
    text = (REFERENCE / "commands.md").read_text()
    missing = []
    for path in [*commands(APP), *commands(ROOT / "demo_crm" / "crm")]:
        if f"`{path.stem}`" not in text:
            missing.append(path.stem)
        section = text.partition(f"## `{path.stem}`")[2].partition("\n## ")[0]
        sources = [path, *([APP / "sandbox" / "command.py"] if path.stem == "ms365_sandbox" else [])]
        wanted = [option for source in sources for option in options(source)]
        missing += [f"{path.stem} {option}" for option in wanted if option not in section]
    assert missing == []


def options(path: Path) -> list[str]:
    """The options and arguments that a command adds, read from its source."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            names = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            found += [name for name in names if name.startswith("--")] or names
    return found


def test_every_public_name_of_the_adapters_is_in_the_reference():
    from opencrm_ms365 import adapters

    text = (REFERENCE / "adapters.md").read_text()
    assert [name for name in adapters.__all__ if f"`{name}" not in text] == []


def test_the_public_names_of_the_adapter_classes_are_exactly_what_the_reference_lists():
    """A name that somebody can use is documented, and one that is documented is there; each says what it is for."""
    from docs import adapter_pages
    from opencrm_ms365 import adapters

    classes = {name for name in adapters.__all__ if isinstance(getattr(adapters, name), type)}
    values = {"ContactData", "EventData", "TaskData", "PostalAddress", "Status", "Priority", "AdapterSite"}
    specs = {name for name in classes if issubclass(getattr(adapters, name), adapters.FieldSpec)} - {"FieldSpec"}
    errors = {name for name in classes if issubclass(getattr(adapters, name), Exception)}
    assert classes - values - specs - errors == set(adapter_pages.CLASSES.values())
    for page, name in adapter_pages.CLASSES.items():
        text = (ROOT / adapter_pages.FOLDER / f"{page}.md").read_text()
        cls = getattr(adapters, name)
        listed = adapter_pages.listed_names(text)
        if name != "RecordAdapter" and issubclass(cls, adapters.RecordAdapter):
            base = (ROOT / adapter_pages.FOLDER / "record.md").read_text()
            assert sorted({*listed, *adapter_pages.listed_names(base)}) == adapter_pages.public_names(cls), name
        else:
            assert sorted(listed) == adapter_pages.public_names(cls), name
        silent = [part.split("\n")[0] for part in text.split("\n### ")[1:] if not part.partition("\n")[2].strip()]
        assert silent == [], f"{name}: not a word about {silent}"


def test_every_signal_is_in_the_reference():
    from django.dispatch import Signal

    from opencrm_ms365 import signals

    text = (REFERENCE / "signals.md").read_text()
    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]
    assert names and [name for name in names if f"`{name}`" not in text] == []


def test_every_address_is_in_the_reference():
    from opencrm_ms365 import urls

    text = (REFERENCE / "urls.md").read_text() + (REFERENCE / "rest-api.md").read_text()
    names = {pattern.name for pattern in flat(urls.urlpatterns) if pattern.name}
    assert names and sorted(name for name in names if f"`{name}`" not in text) == []


def flat(patterns):
    for pattern in patterns:
        if hasattr(pattern, "url_patterns"):
            yield from flat(pattern.url_patterns)
        else:
            yield pattern


def test_every_template_tag_is_in_the_reference():
    from opencrm_ms365.templatetags import ms365

    text = (REFERENCE / "template-tags.md").read_text()
    names = [*ms365.register.tags, *ms365.register.filters]
    assert names and [name for name in names if f"`{name}" not in text] == []


def test_every_check_is_in_the_reference_and_no_id_is_used_twice():
    text = (REFERENCE / "checks.md").read_text()
    used = set()
    for path in APP.rglob("*.py"):
        used |= set(re.findall(r"(?<!Format\.)\b[EW]\d{3}\b", path.read_text()))
    assert used and sorted(name for name in used if f"`opencrm_ms365.{name}`" not in text) == []


def test_the_commands_of_the_readme_are_in_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    targets = {name for line in re.findall(r"^([a-z][a-z\- ]*):", makefile, re.MULTILINE) for name in line.split()}
    for page in PAGES:
        named = set(re.findall(r"(?:^|`)make ([a-z\-]+)", page.read_text(), re.MULTILINE))
        assert named <= targets, f"{page.relative_to(ROOT)} names {sorted(named - targets)}"
    readme = (ROOT / "README.md").read_text()
    assert "make demo" in readme and "make test" in readme


def test_the_architecture_page_has_a_caption_for_every_room():
    text = (DOCS / "architecture.md").read_text()
    rooms = {path.name for path in APP.iterdir() if (path / "__init__.py").exists()}
    rooms -= {"migrations"}
    assert sorted(room for room in rooms if f"`{room}`" not in text and f"`{room}/`" not in text) == []


def test_python_examples_of_the_docs_can_be_parsed():
    for page in PAGES:
        for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
            try:
                ast.parse(block)
            except SyntaxError as error:
                pytest.fail(f"{page.relative_to(ROOT)}: {error}\n{block}")
