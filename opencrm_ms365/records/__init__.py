"""What a contact is: frozen values in our own words, with no ids, etags or JSON keys in them.

Two equal things compare equal: text is trimmed, e-mail addresses are compared without case, lists are tuples in a
defined order. *Empty* (`None` or `()`) erases on the other side; *not mapped* (`UNSET`) touches nothing.
Standard library only.
"""

from .base import UNSET, Record, digest, is_set
from .contact import (
    CONTACT_FIELDS,
    LIST_FIELDS,
    MICROSOFT_CONTACT_LIMITS,
    ContactData,
    Limits,
    PostalAddress,
)

__all__ = [
    "CONTACT_FIELDS",
    "LIST_FIELDS",
    "MICROSOFT_CONTACT_LIMITS",
    "UNSET",
    "ContactData",
    "Limits",
    "PostalAddress",
    "Record",
    "digest",
    "is_set",
]
