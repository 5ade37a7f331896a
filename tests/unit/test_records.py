"""What equal means: the canonical form of a contact, and digests of it."""

import dataclasses
import subprocess
import sys
import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.policy import Side
from opencrm_ms365.records import CONTACT_FIELDS, LIST_FIELDS, UNSET, ContactData, PostalAddress, digest, is_set
from opencrm_ms365.records.base import clean_text
from opencrm_ms365.records.contact import canonical
from tests.rules import rule

KEY = b"key"
PARTS = tuple(item.name for item in dataclasses.fields(PostalAddress))


@pytest.mark.parametrize("given_text, canonical_text", [
    (None, None),
    ("", None),
    (" \t\n ", None),
    ("  Ada ", "Ada"),
    ("one\r\ntwo\rthree\n", "one\ntwo\nthree"),
    ("a  b", "a  b"),
    (unicodedata.normalize("NFD", "Cléo"), "Cléo"),
])
@rule("SYNC-05")
def test_text_is_trimmed_composed_and_has_one_kind_of_line_ends(given_text, canonical_text):
    assert clean_text(given_text) == canonical_text


@rule("SYNC-05")
@given(st.text())
def test_canonical_text_stays_as_it_is(text):
    once = clean_text(text)
    assert clean_text(once) == once


@pytest.mark.parametrize("name, given_list, canonical_list", [
    ("emails", None, ()),
    ("emails", [], ()),
    ("emails", [" a@x.org ", "", "b@x.org"], ("a@x.org", "b@x.org")),
    ("emails", ["Ada@X.org", "ada@x.org"], ("Ada@X.org",)),
    ("business_phones", ["2", "1", "2"], ("2", "1")),
    ("home_phones", ["ext A", "ext a"], ("ext A", "ext a")),
    ("categories", ["blue", "Amber", "BLUE"], ("Amber", "blue")),
])
def test_lists_lose_what_is_empty_or_twice_and_keep_an_order_that_means_something(name, given_list, canonical_list):
    assert getattr(ContactData(**{name: given_list}), name) == canonical_list


@rule("ORG-08")
def test_emails_keep_their_case_and_compare_without():
    record = ContactData(emails=["Ada@X.org"])
    assert record.emails == ("Ada@X.org",)
    assert canonical("emails", record.emails) == canonical("emails", ("ada@x.ORG",))
    assert canonical("business_phones", ("ext A",)) != canonical("business_phones", ("ext a",))


def test_an_empty_address_is_no_address_and_a_moment_of_birth_is_a_day():
    record = ContactData(home_address=PostalAddress(street="  "), birthday=datetime(1990, 3, 1, 23, 30, tzinfo=UTC))
    assert record.home_address is None
    assert record.birthday == date(1990, 3, 1) and not isinstance(record.birthday, datetime)


@rule("CON-01")
def test_an_empty_address_that_is_mapped_in_part_says_which_parts_are_empty():
    address = ContactData(home_address=PostalAddress(street=" ", state=UNSET)).home_address
    assert address == PostalAddress(street=None, state=UNSET)
    assert address is not None and not address and address.is_partial


@rule("CON-01")
def test_empty_and_not_mapped_differ():
    record = ContactData(given_name="", emails=[])
    assert is_set(record.given_name) and is_set(record.emails) and not is_set(record.surname)
    assert list(record.set_fields()) == ["given_name", "emails"]
    assert record.values() == {"given_name": None, "emails": ()}
    assert record.only(frozenset({"emails", "surname"})).values() == {"emails": ()}
    assert not UNSET and ContactData().values() == {}


@rule("PRIV-03")
def test_a_record_never_shows_its_contents():
    record = ContactData(given_name="Secret", home_address=PostalAddress(city="Hidden"))
    assert repr(record) == "<ContactData with given_name, home_address>"
    assert "Hidden" not in f"{record.home_address!r}"
    assert repr(ContactData()) == "<ContactData with nothing>"





@pytest.mark.parametrize("values, label", [
    ({"display_name": "The Admiral", "given_name": "Grace"}, "The Admiral"),
    ({"given_name": "Grace", "surname": "Hopper", "company_name": "Navy"}, "Grace Hopper"),
    ({"surname": "Hopper"}, "Hopper"),
    ({"given_name": None, "company_name": "Navy"}, "Navy"),
    ({"emails": ["g@navy.example"]}, "g@navy.example"),
    ({"emails": [], "notes": "x"}, ""),
    ({}, ""),
])
def test_a_contact_is_called_by_the_first_name_it_has(values, label):
    assert ContactData(**values).label() == label


# --- digests ---------------------------------------------------------------------------------------------------------

TEXTS = st.none() | st.text(max_size=8)
VALUES = st.one_of(
    TEXTS, st.booleans(), st.integers(), st.dates(), st.lists(st.text(max_size=4), max_size=3).map(tuple),
    st.datetimes(timezones=st.just(UTC)), st.builds(PostalAddress, **dict.fromkeys(PARTS, TEXTS)))


@given(VALUES, VALUES)
def test_digests_are_equal_for_equal_values_only(left, right):
    equal = left == right and type(left) is type(right)
    assert (digest(left, KEY) == digest(right, KEY)) == equal


@pytest.mark.parametrize("left, right", [
    ("", None), (None, ()), ("a", ("a",)), (("a", "b"), ("ab",)), (("a", "b"), ("b", "a")),
    ("2000-01-01", date(2000, 1, 1)),
    (date(2000, 1, 1), datetime(2000, 1, 1, tzinfo=UTC)), ("CRM", Side.CRM), (None, UNSET), (1, "1"),
    (PostalAddress(street="x"), PostalAddress(city="x")),
    (PostalAddress(street="x"), PostalAddress(street="x", city=UNSET)),
])
def test_values_that_look_alike_have_different_digests(left, right):
    assert digest(left, KEY) != digest(right, KEY)


def test_a_digest_is_short_and_says_nothing_without_its_key():
    assert len(digest("a" * 10_000, KEY)) == 22
    assert digest("a", KEY) != digest("a", b"other key")
    with pytest.raises(TypeError, match="object has no digest"):
        digest(object(), KEY)


def test_a_digest_is_the_same_in_another_process():
    code = "from opencrm_ms365.records import *; print(digest(ContactData(emails=['a@x.org'], given_name='Ü'), b'key'))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                           env={"PYTHONHASHSEED": "1", "PYTHONPATH": ":".join(path for path in sys.path if path)})
    assert other.stdout.strip() == digest(ContactData(emails=["a@x.org"], given_name="Ü"), KEY)


@rule("SYNC-05")
@given(st.dictionaries(st.sampled_from([name for name in CONTACT_FIELDS if name in LIST_FIELDS]),
                       st.lists(st.text(alphabet="aA@ b", max_size=4), max_size=4)))
def test_a_record_made_of_a_records_values_is_the_same_record(values):
    record = ContactData(**values)
    assert ContactData(**record.values()) == record
