"""What an adapter says of one CRM record, spec by spec."""

import datetime

import pytest
from django.contrib.contenttypes.models import ContentType

from opencrm_ms365 import adapters as ms
from opencrm_ms365.adapters.body import html_to_text, text_to_html
from opencrm_ms365.records import PostalAddress

from .awkward.models import Company, EmailAddress, Label, Mail, Number, Person, Supplier
from .builders import adapter, context, organisation, person, profile, supplier

pytestmark = pytest.mark.django_db


@pytest.fixture
def org():
    return organisation()


@pytest.fixture
def ctx(org):
    return context(profile(org))


def read(spec, obj, ctx, field="given_name", **attributes):
    made = adapter(type(obj), fields={field: spec}, **attributes)
    fresh = made.by_ids([made.object_id(obj)], ctx)[made.object_id(obj)]
    return getattr(made.read(fresh, ctx), field)


def test_a_path_is_a_column_and_empty_text_is_none(org, ctx):
    assert read("first_name", person(org, first_name=" Ada "), ctx) == "Ada"
    assert read("first_name", person(org), ctx) is None


def test_a_path_over_a_relation_and_a_property_are_readable_but_not_writable(org, ctx):
    company = Company.objects.create(organisation=org, name="Analytical Engines", sector="steam")
    made = adapter(Person, fields={"company_name": "company__name", "department": "company__sector",
                                   "surname": "shout"})
    fresh = made.by_ids([made.object_id(person(org, company=company))], ctx).popitem()[1]

    record = made.read(fresh, ctx)
    assert (record.company_name, record.department, record.surname) == ("Analytical Engines", "steam", "LOVELACE")
    assert made.writable == frozenset()
    assert made.read(person(org), ctx).company_name is None


def test_a_method_of_the_adapter_and_a_function_are_readable(org, ctx):
    def full(self, obj, ctx):
        return f"{obj.first_name} {obj.last_name}"

    assert read("full", person(org, first_name="Ada"), ctx, "display_name", full=full) == "Ada Lovelace"
    assert read(lambda obj, ctx: obj.last_name * 2, person(org), ctx) == "LovelaceLovelace"


def test_a_list_spread_over_columns_leaves_out_blanks(org, ctx):
    spec = ms.Columns("email1", "email2", "email3")
    assert read(spec, supplier(org, email1="a@x.org", email3="b@x.org"), ctx, "emails") == ("a@x.org", "b@x.org")
    assert read("email2", supplier(org, email2="a@x.org"), ctx, "emails") == ("a@x.org",)


def test_a_joined_column_is_split(org, ctx):
    spec = ms.Split("emails", sep=";")
    assert read(spec, supplier(org, emails="a@x.org ;; b@x.org;"), ctx, "emails") == ("a@x.org", "b@x.org")


def test_child_rows_come_in_their_order_and_by_kind(org, ctx):
    obj = person(org)
    for kind, number, rank in (("work", "2", 2), ("home", "9", 0), ("work", "1", 1)):
        Number.objects.create(person=obj, kind=kind, number=number, rank=rank)
    spec = ms.Rows("numbers", "number", kind={"kind": "work"}, position="rank")
    assert read(spec, obj, ctx, "business_phones") == ("1", "2")
    assert read(spec, obj, ctx, "mobile_phone") == "1"


def test_the_primary_row_comes_first(org, ctx):
    obj = person(org)
    EmailAddress.objects.create(person=obj, address="second@x.org")
    EmailAddress.objects.create(person=obj, address="main@x.org", is_primary=True)
    assert read(ms.Rows("addresses", "address", primary="is_primary"), obj, ctx, "emails") == (
        "main@x.org", "second@x.org")


def test_generic_child_rows_are_read(org, ctx):
    obj = person(org)
    Mail.objects.create(content_type=ContentType.objects.get_for_model(Person), object_id=obj.pk, address="g@x.org")
    assert read(ms.Rows("mails", "address"), obj, ctx, "emails") == ("g@x.org",)


def test_many_to_many_names_come_in_the_order_of_their_model(org, ctx):
    obj = person(org)
    obj.labels.add(*(Label.objects.create(organisation=org, name=name, rank=rank)
                     for name, rank in (("Late", 3), ("Early", 1))))
    made = adapter(Person, fields={"surname": "last_name"}, folders=ms.M2M("labels", "name"))
    assert made.folder_names(obj, ctx) == ("Early", "Late")


def test_a_choice_stands_for_something_and_the_default_for_the_rest(org, ctx):
    spec = ms.Choice("salutation", {"mr": "Mr", "m": "Mr", "ms": "Ms"}, default="Mx")
    assert read(spec, person(org, salutation="m"), ctx, "title") == "Mr"
    assert read(spec, person(org), ctx, "title") == "Mx"


def test_an_address_says_nothing_of_unmapped_parts(org, ctx):
    spec = ms.Address(street=ms.Columns("street1", "street2"), city="city", country=ms.CountryCode("country"))
    address = read(spec, supplier(org, street1="Mill", street2="1 High St", city="Leeds", country="GB"), ctx,
                   "business_address")
    assert address == PostalAddress(street="Mill\n1 High St", city="Leeds", country="United Kingdom",
                                    state=ms.UNSET, postal_code=ms.UNSET)
    empty = read(spec, supplier(org), ctx, "business_address")
    assert empty == PostalAddress(state=ms.UNSET, postal_code=ms.UNSET) and not empty


def test_a_birthday_in_a_date_and_time_column_is_the_day_in_the_users_zone(org):
    who = profile(org)
    midnight = datetime.datetime(1815, 12, 9, 23, 30, tzinfo=datetime.UTC)
    east = datetime.timezone(datetime.timedelta(hours=2))
    assert read("birthday", person(org, birthday=midnight), context(who, tz=east), "birthday") == datetime.date(
        1815, 12, 10)


def test_a_text_that_is_no_date_is_not_mapped_rather_than_guessed(org, ctx):
    assert read("vat", person(org, vat="spring"), ctx, "birthday") is ms.UNSET


def test_values_pass_through_the_given_functions(org, ctx):
    assert read(ms.Col("first_name", from_crm=str.upper), person(org, first_name="Ada"), ctx) == "ADA"
    assert read(ms.Const("Dr"), person(org), ctx, "title") == "Dr"


def test_a_record_may_be_held_back_with_a_reason(org, ctx):
    def hold(self, obj, ctx):
        raise ms.SkipRecord("The press is not synced.")

    made = adapter(Person, fields={"surname": "hold"}, hold=hold)
    obj = person(org)
    assert made.read(obj, ctx) is None
    assert made.skip_reason(obj, ctx) == "The press is not synced."


def test_stored_values_have_a_default_until_they_are_kept(org, ctx):
    made = adapter(Person, fields={"nickname": ms.Stored()})
    obj = person(org)
    assert made.read(obj, ctx).nickname is None

    ctx.stored.set(made.name, made.object_id(obj), "nickname", "Enchantress")
    assert made.read(made.by_ids([str(obj.pk)], ctx)[str(obj.pk)], ctx).nickname == "Enchantress"


def test_html_notes_arrive_as_text(org, ctx):
    obj = person(org, notes="<p>Met <b>twice</b></p><script>x()</script><div>likes tea<br>and cake</div>")
    assert read("notes", obj, ctx, "notes", body_format="html") == "Met twice\nlikes tea\nand cake"
    assert html_to_text(text_to_html("a < b\nc & d")) == "a < b\nc & d"


def test_unmapped_fields_are_not_mapped_and_other_spellings_are_known(org):
    made = adapter(Supplier, fields={"given_name": "contact_name", "business_phone": "phone"})
    assert made.mapped == {"given_name", "business_phones"}
    assert made.limits().items == {"business_phones": 1}
    assert made.limits().characters == {"given_name": 20, "business_phones": 30}


def test_reading_a_chunk_costs_as_many_queries_as_reading_one(org, ctx, django_assert_num_queries):
    made = adapter(Person, fields={
        "surname": "last_name", "company_name": ms.Related("company", "name"), "nickname": ms.Stored(),
        "emails": ms.Rows("addresses", "address"), "business_phones": ms.Rows("numbers", "number", {"kind": "work"}),
        "home_phones": ms.Rows("numbers", "number", {"kind": "home"}), "categories": ms.M2M("labels", "name"),
    }, owner=ms.Users("owners"), folders=ms.M2M("labels", "name"))
    company = Company.objects.create(organisation=org, name="Engines", sector="steam")
    ids = []
    for _ in range(12):
        obj = person(org, owners=[ctx.person], company=company)
        EmailAddress.objects.create(person=obj, address="a@x.org")
        ids.append(str(obj.pk))
    with django_assert_num_queries(8):          # record, four child lists, folders, people, kept values
        for obj in made.by_ids(ids, ctx).values():
            record = made.read(obj, ctx)
            assert (record.company_name, record.emails) == ("Engines", ("a@x.org",))
            assert made.owner_ids(obj, ctx) == (str(ctx.user.pk),)
            assert made.folder_names(obj, ctx) == ()


def test_the_fingerprint_moves_with_owners_and_folders(org, ctx):
    made = adapter(Person, fields={"surname": "last_name"}, owner=ms.Users("owners"), folders=ms.M2M("labels"))
    obj = person(org)
    before = made.fingerprint(obj, ctx)
    assert made.fingerprint(obj, ctx) == before
    obj.owners.add(ctx.person)
    after = made.fingerprint(obj, ctx)
    obj.labels.add(Label.objects.create(organisation=org, name="New"))
    assert len({before, after, made.fingerprint(obj, ctx)}) == 3
