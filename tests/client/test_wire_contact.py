"""A contact's JSON and its record: tables of pairs."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencrm_ms365.graph.items import IDENTITY_PROPERTY, BrokenItem, ContactItem, RemovedItem, read_item
from opencrm_ms365.graph.wire import names
from opencrm_ms365.graph.wire.contact import SELECT, email_names, to_json, to_new_json, to_record
from opencrm_ms365.graph.wire.values import Unreadable
from opencrm_ms365.records import CONTACT_FIELDS, UNSET, ContactData, PostalAddress, is_set

ADDRESS = {"street": "1 High St\r\nFlat 2", "city": "Leeds", "state": None, "postalCode": "LS1",
           "countryOrRegion": "UK"}
FULL = {
    "givenName": "Ada", "middleName": "K", "surname": "Lindqvist", "displayName": "Ada Lindqvist", "nickName": "A",
    "title": "Dr", "jobTitle": "Buyer", "department": "Purchasing", "companyName": "Brightwell & Sons",
    "mobilePhone": "+44 7", "businessHomePage": "https://brightwell.example", "personalNotes": "one\r\ntwo",
    "businessPhones": ["1", "2"], "homePhones": ["3"], "categories": ["Red", "blue"],
    "emailAddresses": [{"name": "Ada (work)", "address": "Ada@brightwell.example"}, {"name": "nothing else"},
                       {"address": "ada@home.example", "name": None}, None],
    "businessAddress": ADDRESS, "homeAddress": {}, "otherAddress": None,
    "birthday": "1974-07-22T11:59:00Z",
}
RECORD = ContactData(
    given_name="Ada", middle_name="K", surname="Lindqvist", display_name="Ada Lindqvist", nickname="A", title="Dr",
    job_title="Buyer", department="Purchasing", company_name="Brightwell & Sons", mobile_phone="+44 7",
    web="https://brightwell.example", notes="one\ntwo", business_phones=("1", "2"), home_phones=("3",),
    categories=("blue", "Red"), emails=("Ada@brightwell.example", "ada@home.example"),
    business_address=PostalAddress(street="1 High St\nFlat 2", city="Leeds", postal_code="LS1", country="UK"),
    home_address=None, other_address=None, birthday=date(1974, 7, 22),
)


def test_CON_01_every_field_is_read():
    assert to_record(FULL) == RECORD


@pytest.mark.parametrize("item", [{}, dict.fromkeys(FULL), {"unknown": {"deep": 1}, "imAddresses": 7}])
def test_what_is_missing_is_empty_and_never_unset(item):
    record = to_record(item)
    assert all(is_set(getattr(record, field)) for field in CONTACT_FIELDS)
    assert {getattr(record, field) for field in CONTACT_FIELDS} == {None, ()}


@pytest.mark.parametrize(("value", "expected"), [
    ("1974-07-22", date(1974, 7, 22)),
    ("1974-07-22T00:00:00Z", date(1974, 7, 22)),
    ("1974-07-22T11:59:00.0000000Z", date(1974, 7, 22)),
    ("1974-07-22T23:59:59+02:00", date(1974, 7, 22)),
    ("1974-07-22 12:00", date(1974, 7, 22)),
    (None, None), ("", None),
    ("0001-01-01T00:00:00Z", None), ("4501-01-01T00:00:00Z", None),
    ("1604-02-29T11:59:00Z", UNSET),
])
def test_a_birthday_is_a_day(value, expected):
    assert to_record({"birthday": value}).birthday == expected


def test_a_birthday_without_a_year_is_neither_empty_nor_a_date():
    """Empty would erase it in the CRM and then in Outlook; a date would put a year into the CRM that nobody said."""
    assert to_record({"birthday": "1604-05-03T00:00:00Z"}).birthday is UNSET


@pytest.mark.parametrize(("member", "value"), [
    ("givenName", 7), ("givenName", ["Ada"]), ("businessPhones", "1"), ("businessPhones", [1]), ("categories", {}),
    ("emailAddresses", {}), ("emailAddresses", ["ada@x"]), ("emailAddresses", [{"address": 5}]),
    ("homeAddress", "Leeds"), ("homeAddress", {"city": 3}), ("birthday", 1974), ("birthday", "soon"),
    ("birthday", "1974-02-30"), ("personalNotes", True),
])
def test_a_wrong_type_breaks_the_item_and_nothing_else(member, value):
    item = read_item({"id": "1", member: value})
    assert isinstance(item, BrokenItem) and item.graph_id == "1"
    assert member in item.reason or "address" in item.reason or "city" in item.reason


def test_what_no_database_stores_is_dropped():
    assert to_record({"givenName": "A\x00d\ud800a"}).given_name == "Ada"


@given(st.dictionaries(st.sampled_from(SELECT), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["address", "city", "name"]), inner),
)))
def test_any_json_is_read_or_refused(item):
    try:
        assert isinstance(to_record(item), ContactData)
    except Unreadable:
        pass
    assert read_item({**item, "id": "x"}).graph_id == "x"


# To Microsoft

@pytest.mark.parametrize(("values", "expected"), [
    ({}, {}),
    ({"given_name": "Ada"}, {"givenName": "Ada"}),
    ({"given_name": None}, {"givenName": None}),
    ({"given_name": UNSET}, {}),
    ({"web": "x", "notes": "a\nb"}, {"businessHomePage": "x", "personalNotes": "a\nb"}),
    ({"business_phones": ("1",)}, {"businessPhones": ["1"]}),
    ({"business_phones": ()}, {"businessPhones": []}),
    ({"categories": None}, {"categories": []}),
    ({"emails": ("a@x", "b@x")}, {"emailAddresses": [{"address": "a@x"}, {"address": "b@x"}]}),
    ({"emails": ()}, {"emailAddresses": []}),
    ({"birthday": date(1974, 7, 22)}, {"birthday": "1974-07-22T12:00:00Z"}),
    ({"birthday": date(804, 7, 2)}, {"birthday": "0804-07-02T12:00:00Z"}),
    ({"birthday": None}, {"birthday": None}),
    ({"notes": "a\0b\ud800", "home_phones": ("1\0",)}, {"personalNotes": "ab", "homePhones": ["1"]}),
    ({"home_address": None}, {"homeAddress": dict.fromkeys(["street", "city", "state", "postalCode",
                                                            "countryOrRegion"])}),
    ({"home_address": PostalAddress(city="Leeds")},
     {"homeAddress": {"street": None, "city": "Leeds", "state": None, "postalCode": None, "countryOrRegion": None}}),
])
def test_values_are_sent_as_they_are_meant(values, expected):
    assert to_json(values) == expected


def test_unmapped_parts_of_an_address_survive():
    part = PostalAddress(city="York", street=UNSET, state=UNSET, postal_code=UNSET, country=UNSET)
    current = ContactData(home_address=PostalAddress(street="1 High St", city="Leeds", country="UK"))
    assert to_json({"home_address": part}, current)["homeAddress"] == {
        "street": "1 High St", "city": "York", "state": None, "postalCode": None, "countryOrRegion": "UK"}
    assert to_json({"home_address": part})["homeAddress"] == {"city": "York"}


def test_names_beside_addresses_survive():
    kept = email_names(FULL)
    body = to_json({"emails": ("new@x.example", "ada@BRIGHTWELL.example")}, names=kept)
    assert body["emailAddresses"] == [{"address": "new@x.example"},
                                      {"address": "ada@BRIGHTWELL.example", "name": "Ada (work)"}]


def test_an_unknown_field_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        to_json({"given": "Ada"})


TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


@given(st.builds(
    lambda **values: ContactData(**values),
    given_name=st.none() | TEXT, notes=st.none() | TEXT,
    emails=st.lists(st.emails(), max_size=3).map(tuple), categories=st.lists(TEXT, max_size=3).map(tuple),
    birthday=st.none() | st.dates(date(1700, 1, 1), date(2100, 1, 1)),
    home_address=st.none() | st.builds(PostalAddress, street=TEXT, city=TEXT),
))
def test_what_is_sent_is_what_is_read(record):
    assert to_record(to_json(record.values())).only(frozenset(record.values())) == record


# The names that Outlook makes

@pytest.mark.parametrize(("shown", "before", "after", "expected"), [
    ("Ada Lindqvist", {"given_name": "Ada", "surname": "Lindqvist"}, {"given_name": "Eda", "surname": "Lindqvist"},
     "Eda Lindqvist"),
    ("Lindqvist, Ada", {"given_name": "Ada", "surname": "Lindqvist"}, {"given_name": "Eda", "surname": "Lindqvist"},
     "Lindqvist, Eda"),
    ("Dr Ada Lindqvist", {"title": "Dr", "given_name": "Ada", "surname": "Lindqvist"},
     {"title": "Dr", "given_name": "Ada", "surname": "Berg"}, "Dr Ada Berg"),
    ("Auntie", {"given_name": "Ada", "surname": "Lindqvist"}, {"given_name": "Eda", "surname": "Lindqvist"}, "Auntie"),
    ("ada  lindqvist", {"given_name": "Ada", "surname": "Lindqvist"}, {"given_name": "Ada", "surname": "Berg"},
     "Ada Berg"),
    (None, {"given_name": "Ada"}, {"given_name": "Eda"}, "Eda"),
    ("Ada", {"given_name": "Ada"}, {"given_name": None}, None),
    ("Ada", {"given_name": "Ada"}, {"given_name": None, "company_name": "Brightwell"}, "Brightwell"),
    ("Brightwell", {"company_name": "Brightwell"}, {"company_name": "Brightwell", "given_name": "Ada"}, "Ada"),
    ("ada@x", {"emails": ("ada@x",)}, {"emails": ("ada@x",), "given_name": "Ada"}, "Ada"),
    ("Brightwell", {"given_name": "Ada", "company_name": "Brightwell"},
     {"given_name": "Eda", "company_name": "Brightwell"}, "Brightwell"),
])
def test_CON_01_chosen_display_names_stay_and_made_ones_follow(shown, before, after, expected):
    assert names.follows(shown, before, after) == expected


def test_a_change_of_name_carries_the_display_name():
    current = ContactData(given_name="Ada", surname="Lindqvist", display_name="Ada Lindqvist", emails=())
    assert to_json({"surname": "Berg"}, current) == {"surname": "Berg", "displayName": "Ada Berg"}
    assert to_json({"surname": "Berg", "display_name": "AB"}, current) == {"surname": "Berg", "displayName": "AB"}
    assert to_json({"notes": "x"}, current) == {"personalNotes": "x"}
    assert to_json({"surname": "Berg"}) == {"surname": "Berg"}


@pytest.mark.parametrize(("values", "shown"), [
    ({"given_name": "Ada", "middle_name": "K", "surname": "L", "company_name": "C"}, "Ada K L"),
    ({"company_name": "Brightwell", "emails": ("a@x",)}, "Brightwell"),
    ({"emails": ("a@x",)}, "a@x"),
    ({"given_name": "Ada", "display_name": "Auntie"}, "Auntie"),
    ({"given_name": "Ada", "display_name": None}, "Ada"),
])
def test_a_new_contact_is_never_nameless(values, shown):
    assert to_new_json(values)["displayName"] == shown


def test_a_new_contact_is_sent_without_its_empty_fields():
    assert to_new_json({"given_name": None, "emails": (), "notes": "x", "web": UNSET}) == {"personalNotes": "x"}


# Items

def test_an_item_is_read_with_its_identity_version_and_place():
    item = read_item({
        "id": "AAA=", "@odata.etag": 'W/"1"', "changeKey": "1", "parentFolderId": "F", "givenName": "Ada",
        "fileAs": "Lindqvist, A.", "createdDateTime": "2026-11-22T10:00:00Z",
        "lastModifiedDateTime": "2026-11-22T10:00:00.1234567Z",
        "singleValueExtendedProperties": [{"id": "Binary 0x1", "value": "no"},
                                          {"id": IDENTITY_PROPERTY.lower(), "value": "mark"}],
    })
    assert isinstance(item, ContactItem)
    assert (item.graph_id, item.folder, item.etag, item.marker) == ("AAA=", "F", 'W/"1"', "mark")
    assert item.created_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert item.changed_at == datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
    assert item.kept.file_as == "Lindqvist, A."


@pytest.mark.parametrize(("given_", "etag"), [
    ({}, ""), ({"changeKey": "k"}, 'W/"k"'), ({"@odata.etag": None, "changeKey": "k"}, 'W/"k"'),
    ({"@odata.etag": 'W/"x"'}, 'W/"x"'), ({"@odata.etag": 5}, ""),
])
def test_an_etag_may_be_missing(given_, etag):
    assert read_item({"id": "1", **given_}).etag == etag


@pytest.mark.parametrize("reason", [{"reason": "deleted"}, {"reason": "changed"}, {}, None, "deleted"])
def test_a_removal_is_a_removal_whatever_its_reason(reason):
    assert read_item({"id": "1", "@removed": reason}) == RemovedItem("1")


@pytest.mark.parametrize("item", [None, 3, [], {}, {"id": None}, {"id": ""}, {"id": 7}])
def test_an_entry_without_an_id_is_broken(item):
    assert isinstance(read_item(item), BrokenItem)


@pytest.mark.parametrize("value", ["yesterday", "2026-13-01T00:00:00Z", 5, None, "", "0001-01-01T00:00:00+14:00"])
def test_a_senseless_instant_is_no_reason_to_give_up(value):
    assert read_item({"id": "1", "createdDateTime": value}).created_at is None


def test_I_5_no_repr_shows_contents():
    item = read_item({"id": "1", **FULL, "fileAs": "Lindqvist"})
    assert "Ada" not in repr(item) and "Lindqvist" not in repr(item)
