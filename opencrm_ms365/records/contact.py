"""What a contact is (CON-01), and how much of it each side can hold (CON-10)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from .base import UNSET, Record, Unset, clean_text, is_set

Text = str | None | Unset
Texts = tuple[str, ...] | Unset


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PostalAddress(Record):
    """One postal address. `street` may hold several lines; `country` is free text as both sides write it.

    A CRM may map some parts only; the others are UNSET then. An address that says nothing is false.
    """

    street: Text = None
    city: Text = None
    state: Text = None
    postal_code: Text = None
    country: Text = None

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if isinstance(value, str):
                object.__setattr__(self, item.name, clean_text(value))

    def __bool__(self) -> bool:
        return any(getattr(self, item.name) for item in dataclasses.fields(self))

    @property
    def is_partial(self) -> bool:
        """Whether parts of it are not mapped."""
        return any(getattr(self, item.name) is UNSET for item in dataclasses.fields(self))


Address = PostalAddress | None | Unset

TEXT_FIELDS = (
    "given_name",
    "middle_name",
    "surname",
    "display_name",
    "nickname",
    "title",
    "job_title",
    "department",
    "company_name",
    "mobile_phone",
    "web",
    "notes",
)
LIST_FIELDS = ("emails", "business_phones", "home_phones", "categories")
ADDRESS_FIELDS = ("business_address", "home_address", "other_address")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ContactData(Record):
    """A contact as both sides can mean it.

    Every field defaults to `UNSET` (not mapped). Empty text is `None`, an empty list `()`, an empty address `None`;
    but an empty address of which parts are not mapped stays, since it says which parts are empty.
    `emails` are in order, the first one is the main one; they keep the case they came in, and compare without case
    (`canonical`). `categories` have no order: they are sorted. `birthday` is a day without time or zone.
    """

    given_name: Text = UNSET
    middle_name: Text = UNSET
    surname: Text = UNSET
    display_name: Text = UNSET
    nickname: Text = UNSET
    title: Text = UNSET
    job_title: Text = UNSET
    department: Text = UNSET
    company_name: Text = UNSET
    emails: Texts = UNSET
    business_phones: Texts = UNSET
    home_phones: Texts = UNSET
    mobile_phone: Text = UNSET
    business_address: Address = UNSET
    home_address: Address = UNSET
    other_address: Address = UNSET
    birthday: date | Unset | None = UNSET
    web: Text = UNSET
    notes: Text = UNSET
    categories: Texts = UNSET

    def __post_init__(self) -> None:
        for name in TEXT_FIELDS:
            value = getattr(self, name)
            if is_set(value):
                object.__setattr__(self, name, clean_text(value))
        for name in LIST_FIELDS:
            value = getattr(self, name)
            if is_set(value):
                object.__setattr__(self, name, _clean_list(name, value))
        for name in ADDRESS_FIELDS:
            value = getattr(self, name)
            if isinstance(value, PostalAddress) and not value and not value.is_partial:
                object.__setattr__(self, name, None)
        if isinstance(self.birthday, datetime):
            object.__setattr__(self, "birthday", self.birthday.date())

    def label(self) -> str:
        """The first non-empty of display name, given and surname, company, e-mail; `""` when there is nothing."""
        full = " ".join(str(part) for part in (self.given_name, self.surname) if part)
        emails = self.emails if isinstance(self.emails, tuple) else ()
        return str(self.display_name or full or self.company_name or (emails[0] if emails else ""))

    def first_token(self) -> str:
        """The first non-empty of given name, display name, company, e-mail: a fallback for columns that need a text."""
        emails = self.emails if isinstance(self.emails, tuple) else ()
        return str(self.given_name or self.display_name or self.company_name or (emails[0] if emails else ""))


def _clean_list(name: str, values: Iterable[str] | None) -> tuple[str, ...]:
    seen: dict[str, str] = {}
    for value in values or ():
        text = clean_text(value)
        if text:
            seen.setdefault(text.casefold() if name in ("emails", "categories") else text, text)
    items = tuple(seen.values())
    return tuple(sorted(items, key=str.casefold)) if name == "categories" else items


CONTACT_FIELDS: tuple[str, ...] = tuple(item.name for item in dataclasses.fields(ContactData))


def canonical(name: str, value: Any) -> Any:
    """The form in which two values of one field are compared: e-mail addresses and categories without case, and what is
    not said to be so counts as not so."""
    if name in ("private", "all_day"):
        return bool(value)
    if name in ("emails", "categories") and isinstance(value, tuple):
        return tuple(item.casefold() for item in value)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one side can hold, for each field. A field that is missing here has no limit.

    `items` counts the entries of a list field, `characters` the length of a text (or of each entry of a list).
    Parts of addresses are named with a dot: `business_address.city`. `addresses_only`: an e-mail field keeps nothing
    but e-mail addresses.
    """

    items: Mapping[str, int] = field(default_factory=dict)
    characters: Mapping[str, int] = field(default_factory=dict)
    addresses_only: bool = False


#: What an Outlook contact can hold. The counts are documented by the error texts of the service
#: (graph facts 5.2); the lengths are those of the MAPI properties behind the fields and are kept on the safe side.
MICROSOFT_CONTACT_LIMITS = Limits(
    items={"emails": 3, "business_phones": 2, "home_phones": 2},
    characters={
        **dict.fromkeys(
            (
                "given_name",
                "middle_name",
                "surname",
                "display_name",
                "nickname",
                "job_title",
                "department",
                "company_name",
                "mobile_phone",
                "emails",
                "business_phones",
                "home_phones",
                "categories",
                "title",
            ),
            255,
        ),
        "web": 2048,
        "notes": 32_000,
    },
    addresses_only=True,
)
