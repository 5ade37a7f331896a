"""The names that Outlook makes by itself: when they were made by it, and when a person chose them.

Outlook makes `displayName` and `fileAs` anew when a part of the name changes, unless they are sent along (facts 5.2).
A display name that a person typed must survive that (CON-01), one that Outlook made should follow the new name.
How exactly Outlook builds them is not documented; the forms here are those that are seen (assumed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

NAME_PARTS = ("title", "given_name", "middle_name", "surname")

Names = Mapping[str, Any]
_Form = Callable[[Names], str]


def _joined(*parts: str) -> _Form:
    return lambda names: " ".join(str(names[part]) for part in parts if names.get(part))


def _surname_first(*parts: str) -> _Form:
    given = _joined(*parts)

    def form(names: Names) -> str:
        return ", ".join(part for part in (str(names.get("surname") or ""), given(names)) if part)

    return form


#: The first one is what we write where no name was made before.
DISPLAY_FORMS: tuple[_Form, ...] = (
    _joined("given_name", "middle_name", "surname"),
    _joined("given_name", "surname"),
    _joined("title", "given_name", "middle_name", "surname"),
    _joined("title", "given_name", "surname"),
    _surname_first("given_name", "middle_name"),
    _surname_first("given_name"),
)


def _substitutes(names: Names) -> Iterator[str]:
    """What stands for a name where there is none."""
    yield str(names.get("company_name") or "")
    yield next(iter(names.get("emails") or ()), "")


def made_of(names: Names) -> str:
    """A display name for a contact: its name, else its company, else its e-mail address; `""` if it has nothing."""
    return next((made for made in (DISPLAY_FORMS[0](names), *_substitutes(names)) if made), "")


def follows(display_name: str | None, before: Names, after: Names) -> str | None:
    """The display name to send along when names change from `before` to `after`.

    One that was made of the names is made again, in the same form; one that a person chose is returned unchanged.
    """
    shown = _plain(display_name)
    if not shown:
        return made_of(after) or None
    for form in DISPLAY_FORMS:
        if _plain(form(before)) == shown:
            return form(after) or made_of(after) or None
    if not DISPLAY_FORMS[0](before) and shown in {_plain(item) for item in _substitutes(before)}:
        return made_of(after) or None
    return display_name


def is_made(shown: str | None, names: Names) -> bool:
    """True when Outlook itself can have made this `fileAs` of the names: it may make it again."""
    if not _plain(shown):
        return True
    made = {_plain(form(names)) for form in DISPLAY_FORMS} | {_plain(item) for item in _substitutes(names)}
    return _plain(shown) in made


def _plain(text: str | None) -> str:
    return " ".join((text or "").split()).casefold()
