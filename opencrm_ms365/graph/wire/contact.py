"""A contact: Microsoft's JSON to our record and back. Pure.

Members that we do not know are ignored, missing ones count as empty; a known member of the wrong type is `Unreadable`.
Source of all facts: the v1.0 metadata and facts 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from ...records import UNSET, ContactData, PostalAddress, is_set
from .names import NAME_PARTS, follows, made_of
from .values import Unreadable, day, storable, text, texts

TEXT_MEMBERS = {
    "given_name": "givenName",
    "middle_name": "middleName",
    "surname": "surname",
    "display_name": "displayName",
    "nickname": "nickName",
    "title": "title",
    "job_title": "jobTitle",
    "department": "department",
    "company_name": "companyName",
    "mobile_phone": "mobilePhone",
    "web": "businessHomePage",
    "notes": "personalNotes",
}
LIST_MEMBERS = {"business_phones": "businessPhones", "home_phones": "homePhones", "categories": "categories"}
ADDRESS_MEMBERS = {
    "business_address": "businessAddress",
    "home_address": "homeAddress",
    "other_address": "otherAddress",
}
ADDRESS_PARTS = {
    "street": "street",
    "city": "city",
    "state": "state",
    "postal_code": "postalCode",
    "country": "countryOrRegion",
}
#: What is asked for of a contact: the members of the record, and what tells its identity, version and place.
SELECT = (
    "id", "changeKey", "createdDateTime", "lastModifiedDateTime", "parentFolderId", "fileAs",
    *TEXT_MEMBERS.values(), *LIST_MEMBERS.values(), *ADDRESS_MEMBERS.values(), "emailAddresses", "birthday",
)

#: Outlook keeps a birthday without a year as one in this year (facts 5.2, unconfirmed). 1604 is a leap year.
YEARLESS = 1604
#: Outlook's and .NET's ways to write "no date".
NO_DATE_YEARS = frozenset({1, 4501})


def to_record(item: Mapping[str, Any]) -> ContactData:
    """The record, with every field set; raises `Unreadable`.

    One exception: a birthday without a year leaves `birthday` UNSET. The record has no such value, and *empty* would
    erase it in the CRM and, on the way back, in Outlook. UNSET touches nothing on either side.
    """
    fields: dict[str, Any] = {field: text(item, member) for field, member in TEXT_MEMBERS.items()}
    fields |= {field: texts(item, member) for field, member in LIST_MEMBERS.items()}
    fields |= {field: _address(item, member) for field, member in ADDRESS_MEMBERS.items()}
    return ContactData(**fields, emails=_emails(item), birthday=_birthday(item))


def email_names(item: Mapping[str, Any]) -> dict[str, str]:
    """The names that stand beside the e-mail addresses, by address in lower case: no part of the record."""
    found: dict[str, str] = {}
    for entry in item.get("emailAddresses") or ():
        if isinstance(entry, dict) and isinstance(entry.get("address"), str) and isinstance(entry.get("name"), str):
            found.setdefault(entry["address"].strip().casefold(), entry["name"])
    return found


def to_json(
    values: Mapping[str, Any], current: ContactData | None = None, *, names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The members to send for these fields: None and `()` erase, fields that are absent or UNSET are not touched.

    current     what Microsoft holds now. It decides about the display name when a part of the name changes, and
                fills the parts of an address that the CRM does not map: an address is replaced as a whole.
    names       as `email_names` gave them, so that they survive a change of the addresses.
    """
    sent = {field: value for field, value in values.items() if is_set(value)}
    body: dict[str, Any] = {}
    for field, value in sent.items():
        if field in TEXT_MEMBERS:
            body[TEXT_MEMBERS[field]] = storable(value or "") or None
        elif field in LIST_MEMBERS:
            body[LIST_MEMBERS[field]] = [storable(entry) for entry in value or ()]
        elif field in ADDRESS_MEMBERS:
            body[ADDRESS_MEMBERS[field]] = _address_json(value, getattr(current, field, UNSET))
        elif field == "emails":
            body["emailAddresses"] = _emails_json(value or (), names or {})
        elif field == "birthday":
            body["birthday"] = _birthday_json(value)
        else:
            raise KeyError(f"A contact has no field {field!r}.")
    if "display_name" not in sent and current is not None and any(part in sent for part in NAME_PARTS):
        before = current.values()
        body["displayName"] = follows(before.get("display_name"), before, before | sent)
    return body


def to_new_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The body that creates a contact: empty members are left out, and it always has a display name if it can."""
    sent = {field: value for field, value in values.items() if is_set(value) and value}
    body = to_json(sent)
    if "display_name" not in sent and (shown := made_of(sent)):
        body["displayName"] = shown
    return body


def _emails(item: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses in order. Entries without an address are left out: Outlook has them of malformed input."""
    entries = item.get("emailAddresses")
    if entries is None:
        return ()
    if not isinstance(entries, list) or not all(entry is None or isinstance(entry, dict) for entry in entries):
        raise Unreadable("emailAddresses")
    found = (text(entry, "address") for entry in entries if entry)
    return tuple(address for address in found if address)


def _emails_json(addresses: tuple[str, ...], names: Mapping[str, str]) -> list[dict[str, str]]:
    entries = []
    for address in addresses:
        name = names.get(address.casefold())
        entries.append({"address": address, "name": name} if name else {"address": address})
    return entries


def _address(item: Mapping[str, Any], member: str) -> PostalAddress | None:
    value = item.get(member)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Unreadable(member)
    address = PostalAddress(**{part: text(value, name) for part, name in ADDRESS_PARTS.items()})
    return address or None


def _address_json(address: PostalAddress | None, current: object) -> dict[str, str | None]:
    """All five parts, because an address is replaced as a whole (unconfirmed, so neither is relied upon)."""
    body: dict[str, str | None] = {}
    for part, name in ADDRESS_PARTS.items():
        value = getattr(address, part, None)
        if not is_set(value):
            if current is UNSET:
                continue
            value = getattr(current, part, None)
        body[name] = storable(value) if isinstance(value, str) and value else None
    return body


def _birthday(item: Mapping[str, Any]) -> Any:
    found = day(item, "birthday")
    if found is None or found.year in NO_DATE_YEARS:
        return None
    return UNSET if found.year == YEARLESS else found


def _birthday_json(value: date | None) -> str | None:
    # Noon: the day stays the same in every zone from -11 to +11 that a mailbox may think it in.
    return None if value is None else f"{value.isoformat()[:10]}T12:00:00Z"
