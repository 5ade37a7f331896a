"""The form of a contact, and reading it: only what the person has changed is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

_NAME = {"givenName": "First name", "surname": "Last name", "middleName": "Middle name", "title": "Title"}
_WORK = {"companyName": "Company", "jobTitle": "Job title", "department": "Department", "officeLocation": "Office",
         "businessHomePage": "Web page"}
_MORE = {"displayName": "Shown as", "nickName": "Nickname", "generation": "Suffix", "profession": "Profession",
         "manager": "Manager", "assistantName": "Assistant", "spouseName": "Partner"}
#: On the card, below telephones and addresses.
CARD_TEXTS = {"businessHomePage": "Web page", "officeLocation": "Office", "nickName": "Nickname",
              "profession": "Profession", "manager": "Manager", "assistantName": "Assistant", "spouseName": "Partner"}
ADDRESSES = {"businessAddress": "Work address", "homeAddress": "Home address", "otherAddress": "Other address"}
_PARTS = {"street": "Street", "city": "Town", "state": "County or state", "postalCode": "Postcode",
          "countryOrRegion": "Country"}
_PHONES = {"businessPhones": "Work phone", "homePhones": "Home phone"}
_SLOTS = {"emailAddresses": 3, "businessPhones": 2, "homePhones": 2}
_TEXTS = (*_NAME, *_WORK, *_MORE, "mobilePhone", "personalNotes")

_FIELD = Markup('<label class="field{wide}"><span>{title}</span>{control}</label>')
_INPUT = Markup('<input name="{name}" value="{value}" type="{type}" autocomplete="off">')
_AREA = Markup('<textarea name="{name}" rows="{rows}">{value}</textarea>')


def form(contact: Mapping[str, Any], action: str, cancel: str, *, title: str, place: str = "",
         typed: MultiDict[str, str] | None = None, note: str = "") -> Markup:
    """The form. `contact` is empty for a new one; `typed` is what a person had typed when the form was refused."""
    shown = typed if typed is not None else MultiDict(_flat(contact))
    names = _group("Name", [_field(shown, name, text) for name, text in _NAME.items()])
    work = _group("Work", [_field(shown, name, text) for name, text in _WORK.items()])
    reach = _group("E-mail and telephone", [
        *(_field(shown, f"emailAddresses-{n}", f"E-mail {n}" if n > 1 else "E-mail") for n in (1, 2, 3)),
        _field(shown, "mobilePhone", "Mobile"),
        *(_field(shown, f"{key}-{n}", f"{text} {n}" if n > 1 else text)
          for key, text in _PHONES.items() for n in (1, 2)),
    ])
    addresses = Markup("").join(
        _group(text, [_field(shown, f"{key}-{part}", words, rows=2 if part == "street" else 0)
                      for part, words in _PARTS.items()], folded=not _is_used(shown, key))
        for key, text in ADDRESSES.items()
    )
    more = _group("More", [
        _field(shown, "birthday", "Birthday", kind="date"),
        _field(shown, "categories", "Categories, with commas between"),
        *(_field(shown, name, text) for name, text in _MORE.items()),
    ], folded=not any(shown.get(name) for name in ("birthday", "categories", "nickName")))
    notes = _group("Notes", [_field(shown, "personalNotes", "Notes", rows=5)])
    return Markup(
        '<form class="contact" method="post" action="{action}"><h2>{title}</h2>{note}{place}'
        '<input type="hidden" name="changeKey" value="{key}">{groups}<p class="buttons">'
        '<a class="button plain" href="{cancel}">Cancel</a><button class="primary">Save</button></p></form>'
    ).format(
        action=action, title=title, cancel=cancel, key=contact.get("changeKey", ""),
        groups=Markup("").join((names, work, reach, addresses, more, notes)),
        place=Markup('<p class="quiet">It goes into {}.</p>').format(place) if place else "",
        note=Markup('<p class="notice">{}</p>').format(note) if note else "",
    )


def changes(contact: Mapping[str, Any], typed: MultiDict[str, str]) -> dict[str, Any]:
    """Graph's properties that differ from the contact's; texts that were emptied are None."""
    sent: dict[str, Any] = {}
    before = _flat(contact)
    for name in _TEXTS:
        if _clean(typed.get(name)) != _clean(before.get(name)):
            sent[name] = _clean(typed.get(name)) or None
    if _clean(typed.get("birthday")) != before.get("birthday", ""):
        day = _clean(typed.get("birthday"))
        sent["birthday"] = f"{day}T12:00:00Z" if day else None
    categories = [_clean(part) for part in typed.get("categories", "").split(",") if _clean(part)]
    if categories != list(contact.get("categories", ())):
        sent["categories"] = categories
    for name, slots in _SLOTS.items():
        keys = [f"{name}-{n}" for n in range(1, slots + 1)]
        if [_clean(typed.get(key)) for key in keys] != [before.get(key, "") for key in keys]:
            sent[name] = _listed(contact, name, [_clean(typed.get(key)) for key in keys])
    for name in ADDRESSES:
        address = {part: _clean(typed.get(f"{name}-{part}")) for part in _PARTS}
        if any(address[part] != _clean(before.get(f"{name}-{part}")) for part in _PARTS):
            sent[name] = {part: text or None for part, text in address.items()}
    return sent


def address_lines(address: Mapping[str, str | None]) -> str:
    """An address as it stands on an envelope."""
    town = " ".join(filter(None, (address.get("postalCode"), address.get("city"))))
    lines = (address.get("street"), town, address.get("state"), address.get("countryOrRegion"))
    return "\n".join(line.replace("\r\n", "\n") for line in lines if line)


def _flat(contact: Mapping[str, Any]) -> dict[str, str]:
    """The form's fields and their texts."""
    flat = {name: contact.get(name) or "" for name in _TEXTS}
    flat["birthday"] = (contact.get("birthday") or "")[:10]
    flat["categories"] = ", ".join(contact.get("categories", ()))
    for name in _SLOTS:
        for n, entry in enumerate(contact.get(name, ()), start=1):
            flat[f"{name}-{n}"] = entry if isinstance(entry, str) else entry.get("address") or entry.get("name") or ""
    for name in ADDRESSES:
        flat |= {f"{name}-{part}": text or "" for part, text in (contact.get(name) or {}).items()}
    return flat


def _listed(contact: Mapping[str, Any], name: str, texts: list[str]) -> list[Any]:
    """The list of a property; an e-mail address that stays keeps the name that goes with it."""
    if name != "emailAddresses":
        return [text for text in texts if text]
    known = {entry.get("address"): entry for entry in contact.get(name, ())}
    return [dict(known.get(text) or {"address": text}) for text in texts if text]


def _clean(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


def _is_used(shown: MultiDict[str, str], address: str) -> bool:
    return any(shown.get(f"{address}-{part}") for part in _PARTS)


def _group(title: str, fields: list[Markup], *, folded: bool = False) -> Markup:
    content = Markup("").join(fields)
    if folded:
        return Markup("<details><summary>{}</summary><fieldset>{}</fieldset></details>").format(title, content)
    return Markup('<fieldset class="{}"><legend>{}</legend>{}</fieldset>').format(title.lower()[:5], title, content)


def _field(shown: MultiDict[str, str], name: str, title: str, *, kind: str = "text", rows: int = 0) -> Markup:
    value = _clean(shown.get(name))
    control = _AREA.format(name=name, value=value, rows=rows) if rows else \
        _INPUT.format(name=name, value=value, type=kind)
    return _FIELD.format(title=title, control=control, wide=" wide" if rows else "")


