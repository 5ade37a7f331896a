"""Finding and ordering people: without regard to case and accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import groupby
from typing import Any

_SPECIAL = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "æ": "ae", "þ": "th", "ð": "d", "đ": "d", "ı": "i"})
_TEXTS = ("displayName", "givenName", "surname", "nickName", "companyName", "jobTitle", "department", "mobilePhone",
          "personalNotes", "businessHomePage")
_LISTS = ("businessPhones", "homePhones", "categories", "imAddresses")


def folded(text: str) -> str:
    """Text as it is compared: lower case, no accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_SPECIAL))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def name_of(contact: dict[str, Any]) -> str:
    """What a contact is called; never empty."""
    emails = [entry.get("address") or entry.get("name") for entry in contact["emailAddresses"]]
    return contact["displayName"] or contact["companyName"] or next((e for e in emails if e), None) or "(no name)"


def matching(contacts: Iterable[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    """The contacts in which every word of the query is found somewhere, ordered by name."""
    words = folded(query).split()
    found = [contact for contact in contacts if all(word in _haystack(contact) for word in words)] if words \
        else list(contacts)
    return sorted(found, key=lambda contact: folded(name_of(contact)))


def by_letter(contacts: Iterable[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Ordered contacts in groups of the first letter; "#" for what begins with none."""
    return [(letter, list(group)) for letter, group in groupby(contacts, key=_letter)]


def _letter(contact: dict[str, Any]) -> str:
    first = folded(name_of(contact))[:1].upper()
    return first if first.isalpha() else "#"


def _haystack(contact: dict[str, Any]) -> str:
    parts = [contact.get(name) or "" for name in _TEXTS]
    parts += [entry for name in _LISTS for entry in contact.get(name) or ()]
    parts += [entry.get("address") or "" for entry in contact["emailAddresses"]]
    parts += [text for name in ("businessAddress", "homeAddress", "otherAddress")
              for text in (contact.get(name) or {}).values()]
    return folded("\n".join(parts))
