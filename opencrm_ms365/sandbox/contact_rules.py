"""What Exchange does to a contact's properties when they are written (facts 5.2); where that is not known, a switch.

Pure: takes the stored values and what was sent, gives the new values. Bodies have been checked before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .clock import timestamp
from .options import Options
from .refusal import Refusal
from .validation import parse_instant

TEXTS = ("title", "displayName", "givenName", "middleName", "surname", "nickName", "initials", "generation",
         "yomiGivenName", "yomiSurname", "yomiCompanyName", "fileAs", "jobTitle", "companyName", "department",
         "officeLocation", "profession", "businessHomePage", "assistantName", "manager", "spouseName", "mobilePhone",
         "personalNotes")
LISTS = ("categories", "businessPhones", "homePhones", "imAddresses", "children")
ADDRESSES = ("homeAddress", "businessAddress", "otherAddress")
SINGLE_EMAILS = ("primaryEmailAddress", "secondaryEmailAddress", "tertiaryEmailAddress")
NAME_PARTS = ("title", "givenName", "middleName", "surname", "generation", "initials")
MAX_EMAILS = 3
MAX_BUSINESS_PHONES = 2
_ADDRESS = re.compile(r"[^@\s<>]+@[^@\s<>]+")

EMPTY: dict[str, Any] = {
    **dict.fromkeys(TEXTS), **{name: [] for name in LISTS}, **{name: {} for name in ADDRESSES},
    "birthday": None, "emailAddresses": [],
}


def created(sent: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """The values of a new contact. Raises `Refusal` (400)."""
    if options.given_name_required and not sent.get("givenName"):
        raise Refusal(400, "ErrorInvalidProperty", "The property 'GivenName' is required when creating the entity.")
    values = _merged({name: _copy(value) for name, value in EMPTY.items()}, sent, options)
    if not values["displayName"]:
        values["displayName"] = generated_display_name(values, options)
    if not values["fileAs"]:
        values["fileAs"] = generated_file_as(values, options)
    return values


def updated(old: Mapping[str, Any], sent: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """The values after a PATCH: what is not sent stays; display name and file-as follow the names unless sent along.

    Raises `Refusal` (400).
    """
    values = _merged({name: _copy(value) for name, value in old.items()}, sent, options)
    if any(values[name] != old[name] for name in NAME_PARTS):
        if "displayName" not in sent:
            values["displayName"] = generated_display_name(values, options)
        if "fileAs" not in sent:
            values["fileAs"] = generated_file_as(values, options)
    return values


def generated_display_name(values: Mapping[str, Any], options: Options) -> str | None:
    """What the service makes of the names; without names the company or the first e-mail address; None: nothing."""
    names = ["givenName", "middleName", "surname"]
    if options.display_name_parts == "full":
        names = ["title", *names, "generation"]
    return " ".join(values[name] for name in names if values[name]) or _nameless(values)


def generated_file_as(values: Mapping[str, Any], options: Options) -> str | None:
    """"Surname, Given Middle", as Outlook files by default."""
    first = " ".join(values[name] for name in ("givenName", "middleName") if values[name])
    return ", ".join(part for part in (values["surname"], first) if part) or _nameless(values)


def shown(values: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """The values as answers show them: with the single e-mail properties, which mirror the list."""
    answer = {name: _copy(value) for name, value in values.items()}
    if options.single_email_properties == "mirrored":
        emails = values["emailAddresses"]
        for place, name in enumerate(SINGLE_EMAILS):
            answer[name] = dict(emails[place]) if place < len(emails) else None
    return answer


def _merged(values: dict[str, Any], sent: Mapping[str, Any], options: Options) -> dict[str, Any]:
    _check_limits(sent, options)
    for name in TEXTS:
        if name in sent:
            values[name] = _text(name, sent[name], options)
    for name in LISTS:
        if name in sent:
            values[name] = [entry for entry in sent[name] if entry]
    for name in ADDRESSES:
        if name in sent:
            before = values[name] if options.address_write == "merge" else {}
            values[name] = {part: text for part, text in {**before, **(sent[name] or {})}.items() if text}
    if "birthday" in sent:
        values["birthday"] = _birthday(sent["birthday"], options)
    _merge_emails(values, sent, options)
    return values


def _merge_emails(values: dict[str, Any], sent: Mapping[str, Any], options: Options) -> None:
    singles = [name for name in SINGLE_EMAILS if name in sent]
    if singles and options.single_email_properties == "hidden":
        raise Refusal(400, "RequestBodyRead", f"The property '{singles[0]}' does not exist on type "
                      "'microsoft.graph.contact'.")
    if "emailAddresses" in sent:
        if singles and options.both_email_forms == "refused":
            raise Refusal(400, "ErrorInvalidProperty",
                          f"The properties 'emailAddresses' and '{singles[0]}' cannot be set together.")
        values["emailAddresses"] = _emails(sent["emailAddresses"], options)
    elif singles:
        slots: list[dict[str, Any] | None] = [*values["emailAddresses"], None, None, None][:MAX_EMAILS]
        for name in singles:
            slots[SINGLE_EMAILS.index(name)] = sent[name]
        values["emailAddresses"] = _emails([slot for slot in slots if slot], options)


def _emails(sent: list[dict[str, Any]], options: Options) -> list[dict[str, Any]]:
    """An address that is none is stored, but comes back as a name only (facts 5.2)."""
    stored = []
    for entry in sent:
        address, name = entry.get("address") or "", entry.get("name") or ""
        if not name and (options.email_name == "filled" or not _ADDRESS.fullmatch(address)):
            name = address
        parts = {"name": name or None, "address": address if _ADDRESS.fullmatch(address) else None}
        if address or name:
            stored.append({key: part for key, part in parts.items() if part is not None})
    return stored


def _text(name: str, value: str | None, options: Options) -> str | None:
    if value == "" and options.empty_text == "null":
        return None
    if name == "personalNotes" and value and options.notes_line_ends != "as_sent":
        lines = value.replace("\r\n", "\n").replace("\r", "\n")
        return lines.replace("\n", "\r\n") if options.notes_line_ends == "crlf" else lines
    return value


def _birthday(value: str | None, options: Options) -> str | None:
    instant = parse_instant(value) if value is not None else None
    if instant is None:
        return None
    if options.birthday_time == "11:59":
        instant = instant.replace(hour=11, minute=59, second=0)
    elif options.birthday_time == "00:00":
        instant = instant.replace(hour=0, minute=0, second=0)
    return timestamp(instant)


def _check_limits(sent: Mapping[str, Any], options: Options) -> None:
    limits = {"emailAddresses": MAX_EMAILS, "businessPhones": MAX_BUSINESS_PHONES,
              "homePhones": options.max_home_phones, "imAddresses": options.max_im_addresses}
    for name, limit in limits.items():
        count = len(sent.get(name) or ())
        if limit and count > limit:
            raise Refusal(400, "ErrorInvalidProperty", f"The multi value property {name[0].upper()}{name[1:]} has "
                          f"{count} entries, that exceeds the max allowed value of {limit}")


def _nameless(values: Mapping[str, Any]) -> str | None:
    emails = [entry.get("address") or entry.get("name") for entry in values["emailAddresses"]]
    return values["companyName"] or (emails[0] if emails else None)


def _copy(value: Any) -> Any:
    if isinstance(value, list):
        return [dict(entry) if isinstance(entry, dict) else entry for entry in value]
    return dict(value) if isinstance(value, dict) else value
