"""Which CRM contact and which Microsoft contact are the same person, before they are linked (ORG-08).

A rule turns a contact into keys; two contacts match by that rule when they share one. Names are compared without case,
accents kept; phone numbers by their international form where a region is known, else by their digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import phonenumbers

from ..records import ContactData

Ref = TypeVar("Ref")
RULES = ("email", "name_company", "phone")
SHORTEST_NUMBER = 6


def keys(record: ContactData, rule: str, region: str = "") -> tuple[str, ...]:
    """The keys of a contact under one rule, strongest first. No key: the rule says nothing about this contact."""
    if rule == "email":
        return tuple(dict.fromkeys(item.strip().casefold() for item in _texts(record.emails) if "@" in item))
    if rule == "name_company":
        return _name_keys(record)
    if rule == "phone":
        mobile = (record.mobile_phone,) if isinstance(record.mobile_phone, str) else ()
        numbers = (*_texts(record.business_phones), *_texts(record.home_phones), *mobile)
        return tuple(dict.fromkeys(key for number in numbers if (key := phone_key(number, region))))
    raise ValueError(f"no matching rule is called {rule!r}")


def _name_keys(record: ContactData) -> tuple[str, ...]:
    given, surname = full_name(record)
    if not (given and surname):
        return ()
    return (f"{given}\x1f{surname}\x1f{_fold(record.company_name)}",)


def full_name(record: ContactData) -> tuple[str, str]:
    """First and last name in the form in which they are compared."""
    return _fold(record.given_name), _fold(record.surname)


def _texts(values: object) -> tuple[str, ...]:
    return values if isinstance(values, tuple) else ()


def _fold(text: object) -> str:
    return " ".join(text.casefold().split()) if isinstance(text, str) else ""


def phone_key(number: str, region: str = "") -> str:
    """The international form of a phone number (E.164), else its digits; too short a number has no key."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < SHORTEST_NUMBER:
        return ""  # an extension, or a service number: not one person's
    try:
        parsed = phonenumbers.parse(number, region or None)
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        pass
    return digits


@dataclass(frozen=True, slots=True)
class Match(Generic[Ref]):
    """`refs` empty: no match; one: that one; several: ambiguous, for a person to decide. `rule`: what they match by."""

    refs: tuple[Ref, ...] = ()
    rule: str = ""

    @property
    def is_clear(self) -> bool:
        return len(self.refs) == 1

    @property
    def is_ambiguous(self) -> bool:
        return len(self.refs) > 1


def match(
    record: ContactData,
    by_rule: Mapping[str, Mapping[str, Sequence[Ref]]],
    names: Mapping[Ref, tuple[str, str]],
    rules: Sequence[str],
    region: str = "",
) -> Match[Ref]:
    """The partners of one contact among candidates, by the first rule that finds any.

    `by_rule` maps a rule to its keys and the candidates that bear them, `names` a candidate to its `full_name`. Several
    candidates: the one whose first and last name agree; else all of them, for a person to decide.
    """
    for rule in rules:
        index = by_rule.get(rule, {})
        found = tuple(dict.fromkeys(ref for key in keys(record, rule, region) for ref in index.get(key, ())))
        if len(found) > 1:
            agreeing = tuple(ref for ref in found if names.get(ref) == full_name(record) != ("", ""))
            return Match(agreeing if len(agreeing) == 1 else found, rule)
        if found:
            return Match(found, rule)
    return Match()
