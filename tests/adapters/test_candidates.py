"""The search for CRM records that may be the same person: a superset, found by the database where it can."""

import pytest

from opencrm_ms365 import adapters as ms
from opencrm_ms365.reconcile.matching import keys
from opencrm_ms365.records import ContactData

from .awkward.models import EmailAddress, Number, Person, Supplier
from .builders import adapter, context, organisation, person, profile, supplier

pytestmark = pytest.mark.django_db


@pytest.fixture
def org():
    return organisation()


@pytest.fixture
def ctx(org):
    return context(profile(org))


EMAILS = {
    "columns": lambda: (adapter(Supplier, fields={"emails": ms.Columns("email1", "email2")}), "email2"),
    "joined": lambda: (adapter(Supplier, fields={"emails": ms.Split("emails", ";")}), "emails"),
    "converted": lambda: (adapter(Supplier, fields={"emails": ms.Columns(ms.Col("email1", from_crm=str.strip))}),
                          "email1"),
    "method": lambda: (adapter(Supplier, fields={"emails": ms.Method(lambda obj, ctx: [obj.emails])}), "emails"),
}


@pytest.mark.rule("ORG-08")
@pytest.mark.parametrize("case", EMAILS)
@pytest.mark.parametrize("written", ["ada@x.org", "ADA@X.ORG ", "Ada@x.Org"])
def test_an_address_is_found_however_it_is_kept(case, written, org, ctx):
    made, column = EMAILS[case]()
    obj = supplier(org, **{column: written})
    supplier(org, **{column: "other@x.org"})
    supplier(organisation("Other"), **{column: written})
    assert list(made.candidates("email", [ContactData(emails=("aDa@x.org", "n@x.org"))], ctx)) == [obj]


def test_an_address_in_child_rows_finds_each_record_once(org, ctx):
    made = adapter(Person, fields={"emails": ms.Rows("addresses", "address")})
    obj = person(org)
    for address in ("a@x.org", "b@x.org"):
        EmailAddress.objects.create(person=obj, address=address)
    records = [ContactData(emails=("a@x.org", "b@x.org"))]
    assert list(made.candidates("email", records, ctx)) == [obj]


@pytest.mark.rule("ORG-08")
def test_names_are_found_without_case_and_with_any_spacing(org, ctx):
    made = adapter(Person, fields={"given_name": "first_name", "surname": "last_name"})
    obj = person(org, first_name="cléo", last_name="VAN  DER ÅSEN ")
    person(org, first_name="cleo", last_name="van der asen")
    record = ContactData(given_name="Cléo", surname="van der Åsen")
    assert list(made.candidates("name_company", [record], ctx)) == [obj]
    assert list(made.candidates("name_company", [ContactData(given_name="Cléo")], ctx)) == []


@pytest.mark.rule("ORG-08")
@pytest.mark.parametrize("written", ["+44 20 7946 0018", "020-79460018", "(020) 7946 0018 x12", "7946 0018;ext=4"])
def test_a_phone_number_is_found_in_any_spelling(written, org, ctx):
    made = adapter(Supplier, fields={"mobile_phone": "phone"})
    obj = supplier(org, phone=written)
    supplier(org, phone="+44 20 7946 0019")
    supplier(org, phone="")
    assert list(made.candidates("phone", [ContactData(business_phones=("+442079460018",))], ctx)) == [obj]


def test_a_phone_number_in_child_rows_is_found(org, ctx):
    made = adapter(Person, fields={"business_phone": ms.Rows("numbers", "number")})
    obj = person(org)
    Number.objects.create(person=obj, kind="work", number="020 7946 0018", rank=0)
    assert list(made.candidates("phone", [ContactData(mobile_phone="+442079460018")], ctx)) == [obj]


@pytest.mark.parametrize("rule", ["email", "name_company", "phone"])
def test_what_the_adapter_does_not_map_finds_nothing(rule, ctx):
    made = adapter(Supplier, fields={"notes": "city"})
    record = ContactData(given_name="A", surname="B", emails=("a@x.org",), mobile_phone="+442079460018")
    assert list(made.candidates(rule, [record], ctx)) == []


def test_a_search_for_many_records_costs_as_many_queries_as_for_one(org, ctx, django_assert_num_queries):
    made = adapter(Person, fields={"given_name": "first_name", "surname": "last_name",
                                   "emails": ms.Rows("addresses", "address")})
    records = []
    for number in range(40):
        obj = person(org, first_name=f"Ada {number}")
        EmailAddress.objects.create(person=obj, address=f"ada{number}@x.org")
        records.append(ContactData(given_name=obj.first_name, surname=obj.last_name, emails=(f"ada{number}@x.org",)))
    for rule in ("email", "name_company"):
        with django_assert_num_queries(3):      # records, addresses, kept values
            found = list(made.candidates(rule, records, ctx))
        known = {key for obj in found for key in keys(made.read(obj, ctx), rule)}
        assert known >= {key for record in records for key in keys(record, rule)}
