"""The laws of the merge, for whatever people do: both sides agree, nothing is lost, a source is never written.

Each world is one linked contact on two small sides (`builders.Link`): short texts, few slots, so that limits matter.
"""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.reconcile.fit import agree, fit, same
from opencrm_ms365.reconcile.policy import ConflictRule, Direction, Policy, Side
from opencrm_ms365.records import CONTACT_FIELDS, LIST_FIELDS, UNSET, ContactData, Limits, PostalAddress
from opencrm_ms365.records.contact import canonical
from tests.rules import rule
from tests.unit.builders import Link, microsoft_contact

NAMES = ("given_name", "notes", "emails", "categories", "home_phones", "business_address", "home_address", "birthday")
CRM_LIMITS = Limits(items={"emails": 2, "home_phones": 1}, characters={"notes": 6, "business_address.city": 2})
MICROSOFT_LIMITS = Limits(items={"emails": 3, "home_phones": 2}, characters={"given_name": 3, "notes": 4},
                          addresses_only=True)

texts = st.none() | st.text(alphabet="aB ", min_size=1, max_size=8)
emails = st.lists(st.sampled_from(["a@x", "A@x", "b@x", "c@x", "d@x", "e@x"]), max_size=5)
addresses = st.none() | st.builds(PostalAddress, street=texts, city=texts, state=texts)
values = st.fixed_dictionaries({}, optional={
    "given_name": texts, "notes": texts, "emails": emails, "categories": st.lists(st.sampled_from("abAB"), max_size=3),
    "home_phones": st.lists(st.sampled_from("123"), max_size=3), "business_address": addresses,
    "home_address": addresses, "birthday": st.none() | st.dates()})
#: Of the home address the CRM knows two parts only.
HALF = dict.fromkeys(("state", "postal_code", "country"), UNSET)


def crm_values(found):
    if "home_address" in found:
        found = {**found, "home_address": dataclasses.replace(found["home_address"] or PostalAddress(), **HALF)}
    return found


edits_in_crm, edits_in_microsoft = values.map(crm_values), values
policies = st.builds(Policy, direction=st.sampled_from(Direction),
                     conflict_rule=st.sampled_from([ConflictRule.CRM, ConflictRule.MICROSOFT]),
                     takes_in_only=st.booleans(), crm_refuses=st.booleans())
both_ways = policies.map(lambda policy: policy.but(direction=Direction.BOTH, takes_in_only=False, crm_refuses=False))


@st.composite
def links(draw, policy=policies, writable=st.just(frozenset(CONTACT_FIELDS)), paired=st.booleans()):
    """A link whose sides were paired, perhaps, and edited since."""
    crm = ContactData(**{**dict.fromkeys(NAMES), **crm_values({"home_address": None}), **draw(edits_in_crm)})
    link = Link(crm, microsoft_contact(**draw(edits_in_microsoft)), draw(policy), draw(writable), CRM_LIMITS,
                MICROSOFT_LIMITS)
    if draw(paired):
        link.settle()
        link.edit_crm(**draw(edits_in_crm))
        link.edit_microsoft(**draw(edits_in_microsoft))
    return link


def agreeing(link, name):
    return agree(name, getattr(link.crm, name), getattr(link.microsoft, name), link.crm_limits, link.microsoft_limits)


some_fields = st.frozensets(st.sampled_from(NAMES))


@rule("SYNC-05")
@given(links(writable=some_fields))
def test_after_its_writes_a_merge_is_quiet(link):
    link.settle()
    again = link.merge()
    assert again.is_quiet and not again.conflicts


@rule("SYNC-06", "CON-10")
@given(links(policy=both_ways))
def test_both_sides_agree_as_far_as_each_can_hold_it(link):
    link.settle()
    assert [name for name in NAMES if not agreeing(link, name)] == []


@rule("SYNC-06")
@given(links(policy=both_ways, writable=some_fields))
def test_what_the_crm_does_not_take_stands_in_the_crm_and_goes_back(link):
    before = link.crm
    link.settle()
    for name in set(NAMES) - link.writable:
        assert getattr(link.crm, name) == getattr(before, name)


@rule("ORG-06", "CON-05")
@given(links(writable=some_fields))
def test_a_side_that_may_not_be_written_is_never_written(link):
    before = link.crm, link.microsoft
    result = link.settle()
    if not link.policy.may_write(Side.CRM):
        assert link.crm == before[0] and not result.to_crm
    if not link.policy.may_write(Side.MICROSOFT):
        assert link.microsoft == before[1] and not result.to_microsoft
    assert set(result.to_crm) <= link.writable


@rule("CON-01")
@given(links())
def test_fields_and_parts_that_the_crm_does_not_map_keep_their_values(link):
    before = link.microsoft
    link.settle()
    for name in set(CONTACT_FIELDS) - set(NAMES):
        assert getattr(link.microsoft, name) == getattr(before, name)


def entries(name, value):
    """What of a value must not get lost: its entries, its parts, or itself."""
    if name in LIST_FIELDS:
        return {canonical(name, (item,)) for item in value or ()}
    if isinstance(value, PostalAddress):
        return {(part, text) for part, text in value.values().items() if text}
    return {value} if value else set()


def survives(name, entry, value, limits):
    """Whether an entry is in a value, or what a side with these limits can hold of it is."""
    if name in LIST_FIELDS:
        return entry in entries(name, value)
    if isinstance(entry, tuple):
        part, text = entry
        held = getattr(value, part, None) if isinstance(value, PostalAddress) else None
        return isinstance(held, str) and (held.startswith(text) or text == held)
    return same(name, entry, value) or (isinstance(value, str) and value.startswith(str(entry)))


@rule("ORG-09", "CON-05")
@given(links(policy=both_ways, paired=st.just(False)))
def test_at_the_first_pairing_every_value_survives_or_is_kept_as_a_conflict(link):
    before = {Side.CRM: link.crm, Side.MICROSOFT: link.microsoft}
    result = link.settle()
    kept = {item.name: item for item in result.conflicts}
    for name in NAMES:
        for side, record in before.items():
            if name in kept:
                mine = kept[name].crm if side is Side.CRM else kept[name].microsoft
                assert entries(name, mine) <= entries(name, getattr(record, name))
                continue
            for entry in entries(name, getattr(record, name)):
                if name == "home_address" and entry[0] in HALF:
                    assert entry in entries(name, getattr(link.microsoft, name))
                    continue
                assert (survives(name, entry, getattr(link.crm, name), link.crm_limits)
                        or survives(name, entry, getattr(link.microsoft, name), link.microsoft_limits))


@rule("ORG-09")
@given(links(policy=both_ways, paired=st.just(True)), st.data())
def test_an_edit_on_one_side_reaches_the_other_and_undoes_nothing(link, data):
    link.settle()
    side = data.draw(st.sampled_from(Side))
    if side is Side.CRM:
        link.edit_crm(**data.draw(edits_in_crm))
    else:
        link.edit_microsoft(**data.draw(edits_in_microsoft))
    edited = link.crm if side is Side.CRM else link.microsoft
    result = link.settle()
    after = link.crm if side is Side.CRM else link.microsoft
    assert not result.conflicts
    for name in NAMES:
        now, wanted = getattr(after, name), getattr(edited, name)
        if name in LIST_FIELDS:
            assert entries(name, wanted) <= entries(name, now)
        elif name == "notes" and wanted:
            assert now.startswith(wanted)
        else:
            assert same(name, now, wanted)
        assert agreeing(link, name)


@rule("CON-10")
@given(links(policy=both_ways), st.data())
def test_what_one_side_cannot_hold_survives_edits_of_other_fields(link, data):
    link.settle()
    kept = {name: getattr(link.crm, name) for name in NAMES}
    link.edit_microsoft(**data.draw(edits_in_microsoft.map(lambda found: {
        name: value for name, value in found.items() if name in ("given_name", "birthday")})))
    link.settle()
    for name in set(NAMES) - {"given_name", "birthday"}:
        assert getattr(link.crm, name) == kept[name]


@rule("ORG-06", "SYNC-06")
@given(links(policy=policies.map(lambda policy: policy.but(direction=Direction.TO_MICROSOFT, takes_in_only=False))))
def test_towards_microsoft_an_edit_of_the_source_arrives(link):
    link.settle()
    link.edit_crm(given_name="New")
    link.settle()
    assert link.microsoft.given_name == fit("given_name", "New", MICROSOFT_LIMITS)


@rule("ORG-06", "SYNC-06")
@given(links(policy=policies.map(lambda policy: policy.but(direction=Direction.TO_CRM, crm_refuses=False))))
def test_towards_the_crm_an_edit_of_the_source_arrives(link):
    link.settle()
    link.edit_microsoft(given_name="New")
    link.settle()
    assert link.crm.given_name == "New"


@rule("SYNC-06")
@given(links(policy=both_ways), st.lists(st.tuples(st.booleans(), values), max_size=6))
def test_whatever_is_edited_in_whatever_order_one_merge_settles_it(link, edits):
    for in_crm, edit in edits:
        if in_crm:
            link.edit_crm(**crm_values(edit))
        else:
            link.edit_microsoft(**edit)
        if len(edit) % 2:
            link.settle()
    link.settle()
    assert all(agreeing(link, name) for name in NAMES)
    assert link.merge().is_quiet
