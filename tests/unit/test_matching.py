"""Who is the same person on both sides, by which rule, and when nobody can tell (ORG-08)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile import matching
from opencrm_ms365.reconcile.matching import Match, keys, match, phone_key
from opencrm_ms365.records import ContactData
from tests.rules import rule

DEFAULT = ("email", "name_company")


@pytest.mark.parametrize(("values", "rule_name", "expected"), [
    ({"emails": ["Ada@X.org", "b@x.org"]}, "email", ("ada@x.org", "b@x.org")),
    ({"emails": [" ada@x.org "]}, "email", ("ada@x.org",)),
    ({"emails": ["no address"]}, "email", ()),
    ({"emails": []}, "email", ()),
    ({}, "email", ()),
    ({"given_name": "Ada", "surname": "Byron"}, "name_company", ("ada\x1fbyron\x1f",)),
    ({"given_name": " ADA", "surname": "byron ", "company_name": "Analytical  Engines"}, "name_company",
     ("ada\x1fbyron\x1fanalytical engines",)),
    ({"given_name": "Ada", "surname": "Byron", "company_name": None}, "name_company", ("ada\x1fbyron\x1f",)),
    ({"given_name": "Ada"}, "name_company", ()),                      # half a name is nobody
    ({"surname": "Byron", "company_name": "X"}, "name_company", ()),
    ({"company_name": "X"}, "name_company", ()),
    ({"mobile_phone": "+44 20 7946 0018"}, "phone", ("+442079460018",)),
    ({"business_phones": ["020 7946 0018", "+44 (0)20 79460018"]}, "phone", ("02079460018", "+442079460018")),
    ({"business_phones": ["1234"], "home_phones": ["ext 12"]}, "phone", ()),
    ({"business_phones": ["123456"], "home_phones": ["123456"], "mobile_phone": "123456"}, "phone", ("123456",)),
    ({}, "phone", ()),
])
@rule("ORG-08")
def test_the_keys_of_a_contact(values, rule_name, expected):
    assert keys(ContactData(**values), rule_name) == expected


def test_an_unknown_rule_is_an_error():
    with pytest.raises(ValueError, match="no matching rule is called 'shoe size'"):
        keys(ContactData(), "shoe size")


@rule("ORG-08")
def test_names_compare_without_case_but_with_accents():
    ada, zoe, zoë = (ContactData(given_name=name, surname="X") for name in ("ADA", "Zoe", "Zoë"))
    assert matching.full_name(ada) == ("ada", "x")
    assert matching.full_name(zoe) != matching.full_name(zoë)
    assert keys(ContactData(given_name="Straße", surname="X"), "name_company") == keys(
        ContactData(given_name="STRASSE", surname="x"), "name_company")


@pytest.mark.parametrize(("number", "region", "expected"), [
    ("020 7946 0018", "GB", "+442079460018"),
    ("+44 20 7946 0018", "GB", "+442079460018"),
    ("+44 20 7946 0018", "", "+442079460018"),
    ("0044 20 7946 0018", "GB", "+442079460018"),
    ("(202) 555-0101", "US", "+12025550101"),
    ("+1 202 555 0101", "DE", "+12025550101"),
    ("020 7946 0018", "", "02079460018"),
    ("12345", "", ""), ("12345", "GB", ""), ("123456", "", "123456"),
    ("call me", "GB", ""), ("", "GB", ""), ("+", "", ""),
])
@rule("ORG-08")
def test_the_key_of_a_phone_number(number, region, expected):
    assert phone_key(number, region) == expected


@rule("ORG-08")
@given(st.text(max_size=30), st.sampled_from(["", "GB", "US", "DE"]))
def test_any_text_has_a_phone_key_or_none(text, region):
    key = phone_key(text, region)
    assert key == "" or len(key.lstrip("+")) >= matching.SHORTEST_NUMBER


# --- candidates ------------------------------------------------------------------------------------------------------


def found_for(record, candidates, rules=DEFAULT, region=""):
    """Match a contact against CRM records by name, as the sync does it."""
    by_rule = {name: {} for name in rules}
    for ref, candidate in candidates.items():
        for name in rules:
            for key in keys(candidate, name, region):
                by_rule[name].setdefault(key, []).append(ref)
    names = {ref: matching.full_name(candidate) for ref, candidate in candidates.items()}
    return match(record, by_rule, names, rules, region)


ADA = ContactData(given_name="Ada", surname="Byron", emails=["ada@x.org"], company_name="X",
                  mobile_phone="+44 20 7946 0018")
ADA_BY_NAME = ContactData(given_name="ada", surname="byron", company_name="x")


@pytest.mark.parametrize(("candidates", "rules", "expected"), [
    ({}, DEFAULT, Match()),
    ({1: ADA}, (), Match()),
    ({1: ADA}, DEFAULT, Match((1,), "email")),
    ({1: ADA}, ("name_company", "email"), Match((1,), "name_company")),
    ({1: ContactData(emails=["ADA@x.org"])}, DEFAULT, Match((1,), "email")),
    ({1: ContactData(emails=["other@x.org"])}, DEFAULT, Match()),
    # the first rule that finds anything decides
    ({1: ADA_BY_NAME, 2: ContactData(emails=["ada@x.org"])}, DEFAULT, Match((2,), "email")),
    ({1: ADA_BY_NAME}, DEFAULT, Match((1,), "name_company")),
    ({1: ContactData(given_name="ada", surname="byron", company_name="y")}, DEFAULT, Match()),
    ({1: ContactData(business_phones=["+442079460018"])}, DEFAULT, Match()),
    ({1: ContactData(business_phones=["+442079460018"])}, ("phone",), Match((1,), "phone")),
    # several: the one whose first and last name agree
    ({1: ContactData(emails=["ada@x.org"]), 2: ADA}, DEFAULT, Match((2,), "email")),
    ({1: ContactData(emails=["ada@x.org"]), 2: ContactData(emails=["ada@x.org"], given_name="ADA", surname="byron")},
     DEFAULT, Match((2,), "email")),
    # else none is taken, and a person decides
    ({1: ADA, 2: ADA}, DEFAULT, Match((1, 2), "email")),
    ({1: ContactData(emails=["ada@x.org"]), 2: ContactData(emails=["ada@x.org"])}, DEFAULT, Match((1, 2), "email")),
    ({1: ContactData(emails=["ada@x.org"], given_name="Ada"), 2: ContactData(emails=["ada@x.org"], given_name="Bo")},
     DEFAULT, Match((1, 2), "email")),
])
@rule("ORG-08")
def test_which_candidate_is_taken(candidates, rules, expected):
    assert found_for(ADA, candidates, rules) == expected


@rule("ORG-08")
def test_one_candidate_that_is_found_by_two_keys_is_one():
    record = ContactData(emails=["a@x.org", "b@x.org"])
    assert found_for(record, {1: record}) == Match((1,), "email")


@rule("ORG-08")
def test_contacts_without_a_name_do_not_agree_in_their_names():
    nobody = ContactData(emails=["info@x.org"])
    assert found_for(nobody, {1: nobody, 2: nobody}).is_ambiguous


@rule("ORG-08")
def test_a_match_is_none_clear_or_ambiguous():
    states = [(bool(item.refs), item.is_clear, item.is_ambiguous) for item in (Match(), Match((1,)), Match((1, 2)))]
    assert states == [(False, False, False), (True, True, False), (True, False, True)]


names = st.none() | st.sampled_from(["Ada", "ada ", "Bo"])
contacts = st.builds(
    ContactData, given_name=names, surname=names,
    emails=st.lists(st.sampled_from(["a@x.org", "A@x.org", "b@x.org"]), max_size=2),
    mobile_phone=st.none() | st.sampled_from(["+442079460018", "123456"]))
rule_lists = st.lists(st.sampled_from(matching.RULES), unique=True).map(tuple)


@rule("ORG-08")
@given(contacts, st.lists(contacts, max_size=4), rule_lists)
def test_who_is_found_shares_a_key_by_the_rule_that_is_told(record, others, rules):
    candidates = dict(enumerate(others))
    found = found_for(record, candidates, rules)
    for ref in found.refs:
        assert set(keys(record, found.rule)) & set(keys(candidates[ref], found.rule))
    for stronger in rules[:rules.index(found.rule)] if found.rule else rules:
        assert not any(set(keys(record, stronger)) & set(keys(other, stronger)) for other in others)


@rule("ORG-08")
@given(contacts, contacts, rule_lists)
def test_matching_is_mutual(one, other, rules):
    assert found_for(one, {1: other}, rules).rule == found_for(other, {1: one}, rules).rule
