"""What of a value a side can hold, what is left over, and how the whole is put together again (CON-10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.fit import agree, combine, fit, is_address, same
from opencrm_ms365.records import MICROSOFT_CONTACT_LIMITS, Limits, PostalAddress
from tests.rules import rule
from tests.unit.builders import NO_LIMITS

SMALL = Limits(items={"emails": 2, "categories": 1},
               characters={"given_name": 4, "notes": 6, "emails": 12, "business_address.city": 4})
LONG = "x" * 300


@pytest.mark.parametrize("name, value, part", [
    ("given_name", None, None),
    ("given_name", "Ada", "Ada"),
    ("given_name", "Adam", "Adam"),
    ("given_name", "Adams", "Adam"),
    ("given_name", "Ada Lovelace", "Ada"),            # no space is left at the end
    ("surname", LONG, LONG),
    ("emails", (), ()),
    ("emails", ("a@x.org", "b@x.org", "c@x.org"), ("a@x.org", "b@x.org")),
    ("emails", ("much-too-long@x.org", "a@x.org"), ("a@x.org",)),     # an address is never cut
    ("business_phones", tuple("123456"), tuple("123456")),
    ("business_address", PostalAddress(street=LONG, city="London"), PostalAddress(street=LONG, city="Lond")),
    ("business_address", None, None),
    ("home_address", PostalAddress(city="London"), PostalAddress(city="London")),
])
@rule("CON-10")
def test_what_a_side_can_hold(name, value, part):
    assert fit(name, value, SMALL) == part


@pytest.mark.parametrize("name, value, part", [
    ("emails", tuple(f"{n}@x.org" for n in range(5)), tuple(f"{n}@x.org" for n in range(3))),
    ("emails", ("no address", "a@x.org"), ("a@x.org",)),
    ("business_phones", ("1", "2", "3"), ("1", "2")),
    ("home_phones", ("1", "2", "3"), ("1", "2")),
    ("categories", tuple("abcdef"), tuple("abcdef")),
    ("job_title", LONG, LONG[:255]),
    ("notes", "y" * 40_000, "y" * 32_000),
])
@rule("CON-10")
def test_what_an_outlook_contact_can_hold(name, value, part):
    assert fit(name, value, MICROSOFT_CONTACT_LIMITS) == part


@pytest.mark.parametrize("text, verdict", [
    ("a@x.org", True), ("a b@x.org", False), ("a@b@x.org", True), ("a@", False), ("@x.org", False), ("a", False),
    ("", False), ("a@x.org\n", False), ("Ü@bücher.example", True),
])
def test_what_counts_as_an_address(text, verdict):
    assert is_address(text) is verdict


@pytest.mark.parametrize("name, new, replaced, whole", [
    # the writing side held all there was: its value is the whole value
    ("given_name", "Bo", "Ada", "Bo"),
    ("given_name", None, "Ada", None),
    ("given_name", "Bo", "Ada Lovelace", "Bo"),       # a short text is replaced as a whole
    ("emails", (), ("a@x.org",), ()),
    ("emails", ("b@x.org",), ("a@x.org", "c@x.org"), ("b@x.org",)),
    # what it could never hold was not deleted there
    ("emails", ("b@x.org",), ("a@x.org", "c@x.org", "d@x.org"), ("b@x.org", "d@x.org")),
    ("emails", (), ("a@x.org", "c@x.org", "d@x.org"), ("d@x.org",)),
    ("emails", ("D@x.org",), ("a@x.org", "c@x.org", "d@x.org"), ("D@x.org",)),
    ("emails", ("a@x.org",), ("a@x.org", "much-too-long@x.org"), ("a@x.org", "much-too-long@x.org")),
    ("notes", "New", "Old text", "Newxt"),
    ("notes", "New", "Old t xt", "New xt"),           # the gap at the place of the cut is text as well
    ("notes", "Old te", "Old text", "Old text"),
    ("notes", "New", None, "New"),
    ("business_address", PostalAddress(street="Quay", city="Lond"), PostalAddress(street="Pier", city="London"),
     PostalAddress(street="Quay", city="London")),
    ("business_address", PostalAddress(city="Rome"), PostalAddress(city="London"), PostalAddress(city="Rome")),
    ("business_address", PostalAddress(city=None), PostalAddress(city="London"), None),
    ("business_address", None, PostalAddress(city="London"), None),
    ("business_address", PostalAddress(city="Rome"), None, PostalAddress(city="Rome")),
])
@rule("CON-10")
def test_what_the_writing_side_could_never_hold_is_carried_over(name, new, replaced, whole):
    assert combine(name, new, replaced, SMALL) == whole


TEXTS = st.none() | st.text(alphabet="ab ", min_size=1, max_size=9).map(lambda text: text.strip() or None)
EMAILS = st.lists(st.sampled_from(["a@x.org", "A@x.org", "b@x.org", "c@x.org", "much-too-long@x.org"]), max_size=5,
                  unique_by=str.casefold).map(tuple)
ADDRESSES = st.builds(PostalAddress, street=TEXTS, city=TEXTS).map(lambda found: found or None)
FIELDS = st.one_of(
    st.tuples(st.just("given_name"), TEXTS, TEXTS), st.tuples(st.just("notes"), TEXTS, TEXTS),
    st.tuples(st.just("emails"), EMAILS, EMAILS), st.tuples(st.just("business_address"), ADDRESSES, ADDRESSES))


@rule("CON-10")
@given(FIELDS)
def test_the_part_that_fits_fits(field):
    name, value, _other = field
    once = fit(name, value, SMALL)
    assert fit(name, once, SMALL) == once


@rule("CON-10")
@given(FIELDS)
def test_an_unchanged_part_gives_back_the_whole_value(field):
    name, value, _other = field
    assert same(name, combine(name, fit(name, value, SMALL), value, SMALL), value)


@rule("CON-10")
@given(FIELDS)
def test_the_whole_value_has_what_the_writing_side_holds_in_its_order(field):
    name, new, replaced = field
    new = fit(name, new, SMALL)
    whole = combine(name, new, replaced, SMALL)
    if name == "emails":
        assert tuple(item for item in whole if item in new) == new
    elif name in ("given_name", "notes"):
        assert (whole or "").startswith(new or "")


@pytest.mark.parametrize("name, crm, microsoft, verdict", [
    ("given_name", "Ada", "Ada", True),
    ("given_name", "Ada", "ada", False),
    ("emails", ("A@x.org",), ("a@x.org",), True),
    ("emails", ("a@x.org", "b@x.org"), ("b@x.org", "a@x.org"), False),
    ("emails", ("a@x.org", "b@x.org"), ("a@x.org", "b@x.org", "c@x.org"), True),      # the CRM's limit
    ("notes", "Old te", "Old text", True),
    ("notes", "Old text", "Old te", False),                                           # Microsoft has no limit here
    ("given_name", None, "Ada", False),
])
@rule("CON-10")
def test_both_sides_agree_when_one_holds_what_it_can_of_the_other(name, crm, microsoft, verdict):
    assert agree(name, crm, microsoft, SMALL, NO_LIMITS) is verdict
    assert agree(name, microsoft, crm, NO_LIMITS, SMALL) is verdict
