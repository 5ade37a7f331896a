"""The reference pages of the adapter classes: every public name, with its signature and what its source says of it.

What `docs/reference/adapters.md` shows is for declaring and overriding; the rest is what the sync calls.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
FOLDER = "docs/reference/adapter-classes"
#: Page: class. A class's own page leaves out what it has unchanged from the shared base.
CLASSES = {
    "record": "RecordAdapter", "contact": "ContactAdapter", "event": "EventAdapter", "task": "TaskAdapter",
    "directory": "DirectoryAdapter", "field-spec": "FieldSpec", "sync-context": "SyncContext", "scope": "Scope",
    "stored-port": "StoredPort", "written": "Written", "note": "Note",
}
SHARED = "RecordAdapter"
PATHS = (f"{FOLDER}/README.md", *(f"{FOLDER}/{page}.md" for page in CLASSES))


def public_names(cls: type) -> list[str]:
    """All names of a class that do not begin with an underscore, those that are only annotated included."""
    annotated = {name for base in cls.__mro__ if base is not object for name in vars(base).get("__annotations__", {})}
    return sorted(name for name in {*dir(cls), *annotated} if not name.startswith("_"))


def own_names(cls: type) -> list[str]:
    """Those that the class's page lists: all but what it has unchanged from the shared base."""
    from opencrm_ms365 import adapters

    base = getattr(adapters, SHARED)
    if cls is base or not issubclass(cls, base):
        return public_names(cls)
    return [name for name in public_names(cls) if _home(cls, name) is not _home(base, name)]


def _home(cls: type, name: str) -> type | None:
    """The class that gives the name its value, or at least announces it."""
    bases = [base for base in cls.__mro__ if base is not object]
    return next((base for base in bases if name in vars(base)),
                next((base for base in bases if name in vars(base).get("__annotations__", {})), None))


def listed_names(text: str) -> list[str]:
    """The names on a page, as it lists them."""
    return re.findall(r"^### `(\w+)", text, re.MULTILINE)


def page_at(path: str) -> str:
    """The text of one of the pages."""
    from opencrm_ms365 import adapters

    page = Path(path).stem
    return _contents() if page == "README" else _page(getattr(adapters, CLASSES[page]))


def _contents() -> str:
    from opencrm_ms365 import adapters

    lines = ["# The adapter classes", "",
             "<!-- Made by `make docs` from the sources. Do not edit. -->", "",
             "Every public name of each class. [Adapters](../adapters.md) has what an integrator needs first.", ""]
    lines += [f"- [`{name}`]({page}.md): {_first_paragraph(getattr(adapters, name).__doc__)}"
              for page, name in CLASSES.items()]
    return "\n".join(lines) + "\n"


def _page(cls: type) -> str:
    from opencrm_ms365 import adapters

    shown = (ROOT / "docs/reference/adapters.md").read_text()
    lines = [f"# `{cls.__name__}`", "", "<!-- Made by `make docs` from the sources. Do not edit. -->", "",
             inspect.cleandoc(cls.__doc__ or "")]
    if cls.__name__ != SHARED and issubclass(cls, getattr(adapters, SHARED)):
        lines += ["", f"It also has everything of [`{SHARED}`](record.md)."]
    names = own_names(cls)
    first = [name for name in names if re.search(rf"`{name}\b|[`, ]{name}[`(,]", shown)]
    for title, group in (("To declare, override or read", first),
                         ("Called by the sync", [name for name in names if name not in first])):
        if group:
            lines += ["", f"## {title}"]
            for name in group:
                lines += ["", f"### `{_signature(cls, name)}`", "", _told(cls, name)]
    return "\n".join(lines) + "\n"


def _signature(cls: type, name: str) -> str:
    value = inspect.getattr_static(cls, name, None)
    function = getattr(value, "__func__", value)
    if not inspect.isfunction(function):
        return name
    parameters = [item.replace(annotation=inspect.Parameter.empty)
                  for item in inspect.signature(function).parameters.values()]
    if parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    return name + str(inspect.Signature(parameters))


def _told(cls: type, name: str) -> str:
    """What the source says: a docstring or a comment; of an overriding method without one, the base's."""
    for base in cls.__mro__:
        value = vars(base).get(name)
        value = getattr(value, "__func__", getattr(value, "fget", getattr(value, "func", value)))
        if inspect.isfunction(value) and value.__doc__:
            return inspect.cleandoc(value.__doc__)
    for base in cls.__mro__:
        if base is not object and (text := _comments(base).get(name)):
            return text
    return ""


def _comments(cls: type) -> dict[str, str]:
    """Names assigned or announced in a class body, with the `#:` comment above or the `#` comment behind."""
    try:
        source = inspect.getsource(cls)
    except (OSError, TypeError):
        return {}
    lines = inspect.cleandoc("\n" + source).splitlines()
    body = ast.parse("\n".join(lines)).body[0]
    found = {}
    for node in body.body if isinstance(body, ast.ClassDef) else ():
        for name in _assigned(node):
            above, number = [], node.lineno - 2
            while number >= 0 and lines[number].strip().startswith("#:"):
                above.insert(0, lines[number].strip()[2:].strip())
                number -= 1
            behind = re.search(r"  # (.+)$", lines[node.lineno - 1])
            found[name] = " ".join(above) or (behind.group(1) if behind else "")
    return found


def _assigned(node: Any) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    yield from (target.id for target in targets if isinstance(target, ast.Name))


def _first_paragraph(text: str | None) -> str:
    return " ".join(inspect.cleandoc(text or "").split("\n\n")[0].split())
