"""What a write leaves in the CRM: only what differs, by the CRM's rules, with a note about the rest."""

import datetime

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.db.models import Q

from opencrm_ms365 import adapters as ms
from opencrm_ms365.errors import RecordError
from opencrm_ms365.records import ContactData, PostalAddress

from .awkward.models import Company, EmailAddress, Label, Mail, Number, Person, Supplier
from .builders import adapter, context, organisation, person, profile, supplier

pytestmark = pytest.mark.django_db


@pytest.fixture
def org():
    return organisation()


@pytest.fixture
def me(org):
    return profile(org)


@pytest.fixture
def ctx(me):
    return context(me)


def update(obj, ctx, spec, value, field="given_name", **attributes):
    """Write one field declared by `spec`; returns what the adapter gives back."""
    made = adapter(type(obj), fields={field: spec}, **attributes)
    return made.update(made.by_ids([made.object_id(obj)], ctx)[made.object_id(obj)], {field: value}, ctx)


def reasons(written):
    return " ".join(note.reason for note in written.notes)


# -- columns ---------------------------------------------------------------------------------------


def test_text_that_is_too_long_is_shortened_and_reported(org, ctx):
    written = update(supplier(org), ctx, "contact_name", "x" * 25)
    assert written.obj.contact_name == written.data.given_name == "x" * 20
    assert [note.field for note in written.notes] == ["given_name"]
    assert "shortened to the 20 characters" in reasons(written)


def test_empty_becomes_what_the_column_calls_empty(org, ctx):
    assert update(supplier(org, contact_name="Ada"), ctx, "contact_name", None).obj.contact_name == ""
    written = update(supplier(org, founded="1990-01-01"), ctx, "founded", None, "birthday")
    assert written.obj.founded is None


def test_a_day_goes_into_a_date_and_time_column_as_midnight_of_the_user(org, me):
    east = datetime.timezone(datetime.timedelta(hours=2))
    written = update(person(org), context(me, tz=east), "birthday", datetime.date(1815, 12, 10), "birthday")
    assert written.obj.birthday == datetime.datetime(1815, 12, 9, 22, tzinfo=datetime.UTC)
    assert written.data.birthday == datetime.date(1815, 12, 10)


def test_characters_that_databases_refuse_are_dropped(org, ctx):
    assert update(supplier(org), ctx, "contact_name", "A\x00d\ud800a").obj.contact_name == "Ada"


def test_nothing_is_saved_when_nothing_differs(org, ctx, django_assert_num_queries):
    obj = supplier(org, emails="A@x.org; b@x.org")
    made = adapter(Supplier, fields={"emails": ms.Split("emails", ";")}, modified_field="changed_at")
    fresh = made.by_ids([str(obj.pk)], ctx)[str(obj.pk)]
    with django_assert_num_queries(2):          # reading it again, with its kept values
        written = made.update(fresh, {"emails": ("a@x.org", "b@x.org")}, ctx)
    assert written.obj.changed_at == obj.changed_at and written.obj.emails == "A@x.org; b@x.org"


def test_saving_moves_the_modification_stamp_also_for_child_rows_only(org, ctx):
    obj = supplier(org)
    made = adapter(Supplier, fields={"nickname": ms.Stored()}, modified_field="changed_at")
    written = made.update(obj, {"nickname": "Babbage"}, ctx)
    assert written.obj.changed_at > obj.changed_at or written.data.nickname == "Babbage"
    assert written.data.nickname == "Babbage"


def test_a_read_only_field_is_not_written_and_that_is_reported(org, ctx):
    written = update(supplier(org, contact_name="Ada"), ctx, ms.Col("contact_name", read_only=True), "Eve")
    assert written.obj.contact_name == "Ada"
    assert reasons(written) == "The field given name is not changed from Microsoft."


def test_a_column_with_choices_takes_only_those(org, ctx):
    written = update(supplier(org, category="good"), ctx, "category", "wonderful", full_clean=False)
    assert written.obj.category == "good" and "certain values" in reasons(written)


# -- choices, countries, addresses -----------------------------------------------------------------


def test_a_choice_is_written_only_if_what_it_stands_for_changes(org, ctx):
    spec = ms.Choice("salutation", {"mr": "Mr", "m": "Mr", "ms": "Ms"})
    assert update(person(org, salutation="m"), ctx, spec, "Mr", "title").obj.salutation == "m"
    assert update(person(org, salutation="ms"), ctx, spec, "Mr", "title").obj.salutation == "mr"
    assert update(person(org, salutation="ms"), ctx, spec, None, "title").obj.salutation == ""
    written = update(person(org, salutation="ms"), ctx, spec, "Dame", "title")
    assert written.obj.salutation == "ms" and "no such value" in reasons(written)


def test_an_address_changes_only_in_its_own_parts(org, ctx):
    spec = ms.Address(street=ms.Columns("street1", "street2"), city="city", country=ms.CountryCode("country"))
    obj = supplier(org, street1="Mill", street2="1 High St", city="Leeds", country="GB")
    new = PostalAddress(street="Mill\n2 High St\nRear", city="Leeds", state="Yorks", country="germany")
    written = update(obj, ctx, spec, new, "business_address")
    assert (written.obj.street1, written.obj.street2, written.obj.country) == ("Mill", "2 High St, Rear", "DE")
    assert written.notes == ()

    written = update(obj, ctx, spec, PostalAddress(city="Y" * 30, country="Atlantis"), "business_address")
    assert (written.obj.street1, written.obj.city, written.obj.country) == ("", "Y" * 20, "DE")
    assert "part city was shortened" in reasons(written) and "part country" in reasons(written)

    assert not update(obj, ctx, spec, None, "business_address").data.business_address


# -- lists -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("present", "wanted", "result"), [
    (("a@x.org", "", "c@x.org"), ("a@x.org", "c@x.org"), ("a@x.org", "", "c@x.org")),
    (("a@x.org", "", "c@x.org"), ("a@x.org", "b@x.org", "c@x.org"), ("a@x.org", "b@x.org", "c@x.org")),
    (("a@x.org", "b@x.org", ""), ("b@x.org",), ("", "b@x.org", "")),
    (("A@x.org", "b@x.org", ""), ("a@x.org", "n@x.org"), ("A@x.org", "n@x.org", "")),
    (("a@x.org", "b@x.org", ""), ("b@x.org", "a@x.org"), ("b@x.org", "a@x.org", "")),
    (("a@x.org", "b@x.org", "c@x.org"), (), ("", "", "")),
])
def test_columns_of_a_list_change_as_little_as_possible(present, wanted, result, org, ctx):
    obj = supplier(org, **dict(zip(("email1", "email2", "email3"), present, strict=True)))
    written = update(obj, ctx, ms.Columns("email1", "email2", "email3"), wanted, "emails")
    assert (written.obj.email1, written.obj.email2, written.obj.email3) == result
    assert written.notes == ()


@pytest.mark.rule("CON-10")
def test_entries_that_do_not_fit_stay_in_microsoft_and_that_is_reported(org, ctx):
    spec = ms.Columns("email1", "email2")
    written = update(supplier(org), ctx, spec, ("a@x.org", "b@x.org", "c@x.org"), "emails")
    assert written.data.emails == ("a@x.org", "b@x.org") and "stays in Microsoft" in reasons(written)

    long = "x" * 40 + "@x.org"
    written = update(supplier(org), ctx, spec, (long, "b@x.org"), "emails")
    assert written.data.emails == ("b@x.org",) and "stays in Microsoft" in reasons(written)


def test_a_joined_column_keeps_whole_entries_and_their_spelling(org, ctx):
    obj = supplier(org, emails="Ada@x.org;b@x.org")
    wanted = ("ada@x.org", "c" * 40 + "@x.org", "d@x.org", "e@x.org")
    written = update(obj, ctx, ms.Split("emails", ";"), wanted, "emails")
    assert written.obj.emails == "Ada@x.org; " + "c" * 40 + "@x.org"
    assert "no room" in reasons(written)


def test_child_rows_keep_their_keys_and_what_else_they_hold(org, ctx):
    obj = person(org)
    first, second = (EmailAddress.objects.create(person=obj, address=address, verified=True)
                     for address in ("Ada@x.org", "b@x.org"))
    spec = ms.Rows("addresses", "address")
    written = update(obj, ctx, spec, ("new@x.org", "b@x.org", "c@x.org"), "emails")
    rows = {row.address: row.pk for row in EmailAddress.objects.all()}
    assert rows["b@x.org"] == second.pk and rows["new@x.org"] == first.pk and len(rows) == 3
    assert written.data.emails == ("new@x.org", "b@x.org", "c@x.org")

    assert update(obj, ctx, spec, ("b@x.org",), "emails").data.emails == ("b@x.org",)
    assert EmailAddress.objects.get().pk == second.pk


def test_child_rows_of_other_kinds_are_left_alone_and_positions_follow(org, ctx):
    obj = person(org)
    home = Number.objects.create(person=obj, kind="home", number="9", rank=0)
    Number.objects.create(person=obj, kind="work", number="1", rank=4)
    spec = ms.Rows("numbers", "number", kind={"kind": "work"}, position="rank")
    written = update(obj, ctx, spec, ("2", "1"), "business_phones")
    assert written.data.business_phones == ("2", "1")
    work = Number.objects.filter(kind="work").order_by("rank")
    assert list(work.values_list("number", "rank")) == [("2", 0), ("1", 1)]
    home.refresh_from_db()
    assert (home.number, home.rank) == ("9", 0)


def test_the_first_child_row_is_marked_as_the_primary_one(org, ctx):
    obj = person(org)
    EmailAddress.objects.create(person=obj, address="a@x.org", is_primary=True)
    written = update(obj, ctx, ms.Rows("addresses", "address", primary="is_primary"), ("b@x.org", "a@x.org"), "emails")
    assert written.data.emails == ("b@x.org", "a@x.org")
    assert EmailAddress.objects.get(is_primary=True).address == "b@x.org"


def test_a_child_row_that_the_crm_refuses_is_left_out(org, ctx):
    written = update(person(org), ctx, ms.Rows("addresses", "address"), ("no address", "b@x.org"), "emails")
    assert written.data.emails == ("b@x.org",) and "stay in Microsoft" in reasons(written)


def test_one_text_in_child_rows_leaves_the_other_rows(org, ctx):
    obj = person(org)
    for rank, number in enumerate(("1", "2")):
        Number.objects.create(person=obj, kind="cell", number=number, rank=rank)
    spec = ms.Rows("numbers", "number", kind={"kind": "cell"})
    assert update(obj, ctx, spec, "3", "mobile_phone").data.mobile_phone == "3"
    assert set(Number.objects.values_list("number", flat=True)) == {"3", "2"}


def test_generic_child_rows_are_written(org, ctx):
    obj = person(org)
    written = update(obj, ctx, ms.Rows("mails", "address"), ("g@x.org",), "emails")
    assert written.data.emails == ("g@x.org",)
    assert Mail.objects.get().content_type == ContentType.objects.get_for_model(Person)


def test_names_of_a_many_to_many_field_are_found_made_or_left_out(org, ctx):
    obj = person(org)
    known = Label.objects.create(organisation=org, name="Known")
    obj.labels.add(Label.objects.create(organisation=org, name="Old"))
    choices = {"queryset": lambda ctx: Label.objects.filter(organisation=ctx.tenant)}
    written = update(obj, ctx, ms.M2M("labels", **choices), ("known", "New"), "categories")
    assert list(written.obj.labels.all()) == [known] and "does not know" in reasons(written)

    making = ms.M2M("labels", create=True, defaults=lambda ctx: {"organisation_id": ctx.tenant}, **choices)
    assert update(obj, ctx, making, ("Known", "New"), "categories").data.categories == ("Known", "New")


# -- related records -------------------------------------------------------------------------------


def test_a_related_record_is_found_without_case_made_where_allowed_and_never_fails_the_record(org, ctx):
    company = Company.objects.create(organisation=org, name="Engines", sector="steam")
    mine = {"queryset": lambda ctx: Company.objects.filter(organisation=ctx.tenant)}
    find = ms.Related("company", "name", **mine)
    assert update(person(org), ctx, find, "ENGINES", "company_name").obj.company == company

    written = update(person(org, company=company), ctx, find, "Unknown", "company_name")
    assert written.obj.company == company and "no such entry" in reasons(written)
    assert update(person(org, company=company), ctx, find, None, "company_name").obj.company is None

    make = ms.Related("company", "name", create=True, **mine,
                      defaults=lambda ctx: {"organisation_id": ctx.tenant, "sector": "new"})
    assert update(person(org), ctx, make, "Looms", "company_name").obj.company.sector == "new"
    broken = ms.Related("company", "name", create=True, **mine)
    assert update(person(org), ctx, broken, "No sector", "company_name").obj.company is None


# -- creating --------------------------------------------------------------------------------------


def people(**attributes):
    return adapter(Person, **{
        "fields": {"given_name": "first_name", "surname": "last_name", "web": "website", "emails":
                   ms.Rows("addresses", "address"), "notes": "notes"},
        "owner": ms.Users("owners"),
        "create_defaults": lambda self, data, ctx: {"kind": "client", "vat": "none"}, **attributes})


@pytest.mark.rule("CON-04")
def test_a_new_record_belongs_to_the_organisation_and_to_the_user_who_brought_it(org, me, ctx):
    made = people(folders=ms.M2M("labels", create=True, defaults=lambda ctx: {"organisation_id": ctx.tenant}))
    data = ContactData(given_name="Ada", surname="Lovelace", emails=("ada@x.org",), department="not mapped here")
    written = made.create(data, ctx, folder="Gold")
    assert (written.obj.organisation, written.obj.kind) == (org, "client")
    assert list(written.obj.owners.all()) == [me]
    assert made.folder_names(written.obj, ctx) == ("Gold",)
    assert written.data.emails == ("ada@x.org",)
    assert written.notes == ()


def test_the_owner_in_a_foreign_key_and_a_text_folder_are_set_before_the_first_save(org, me, ctx):
    made = adapter(Supplier, fields={"company_name": "name"}, owner="owner", folders=ms.Col("folder"))
    written = made.create(ContactData(company_name="Mills"), ctx, folder="Gold")
    assert (written.obj.owner, written.obj.folder) == (me, "Gold")


def test_a_required_column_has_a_fallback(org, ctx):
    made = people(fallbacks={"last_name": lambda data, ctx: data.label() or "Unnamed"})
    assert made.create(ContactData(given_name="Ada", surname=None), ctx).obj.last_name == "Ada"
    assert made.create(ContactData(), ctx).obj.last_name == "Unnamed"


def test_a_missing_required_column_skips_the_record_and_says_which(org, ctx):
    with pytest.raises(RecordError, match="family name"):
        people().create(ContactData(given_name="Ada"), ctx)
    with pytest.raises(RecordError, match="vat"):
        people(create_defaults=lambda self, data, ctx: {"kind": "client"}).create(ContactData(surname="L"), ctx)


def test_an_optional_column_that_the_crm_refuses_is_left_out_and_reported(org, ctx):
    written = people().create(ContactData(surname="Lovelace", given_name="42", web="nonsense"), ctx)
    assert (written.obj.first_name, written.obj.website) == ("", "")
    assert {note.field for note in written.notes} == {"given_name", "web"}
    assert "42" not in reasons(written) and "nonsense" not in reasons(written)


def test_an_update_that_the_crm_refuses_keeps_the_old_value(org, ctx):
    obj = person(org, first_name="Ada")
    made = people()
    written = made.update(obj, {"given_name": "42", "notes": "met"}, ctx)
    assert (written.obj.first_name, written.obj.notes) == ("Ada", "met")


def test_a_rule_about_the_whole_record_skips_it_without_telling_its_contents(org, ctx):
    with pytest.raises(RecordError, match="refuses this record: Nobody called … may be kept") as caught:
        people().update(person(org), {"surname": "Forbidden"}, ctx)
    assert "Forbidden" not in str(caught.value)


def test_faults_that_were_there_before_do_not_stop_an_update(org, ctx):
    obj = person(org, vat="", kind="weird")
    assert people().update(obj, {"notes": "met"}, ctx).obj.notes == "met"


def test_clean_exclude_and_full_clean_are_options(org, ctx):
    assert people(clean_exclude=["website"]).update(person(org), {"web": "nonsense"}, ctx).obj.website == "nonsense"
    written = people(full_clean=False).update(person(org), {"surname": "Forbidden"}, ctx)
    assert written.obj.last_name == "Forbidden"


def test_a_unique_address_is_refused_as_a_rule_of_the_record(org, ctx):
    supplier(org, main_email="a@x.org")
    obj = supplier(org)
    with pytest.raises(RecordError, match="refuses"):
        update(obj, ctx, ms.Columns("main_email"), ("a@x.org",), "emails")
    with pytest.raises(IntegrityError), transaction.atomic():
        update(obj, ctx, ms.Columns("main_email"), ("a@x.org",), "emails", full_clean=False)


def test_a_new_record_outside_the_adapters_filter_is_refused(org, ctx):
    made = people(base_filter=Q(kind="lead"))
    with pytest.raises(RecordError, match="base_filter"):
        made.create(ContactData(surname="Lovelace"), ctx)


def test_many_to_many_fields_may_stand_among_the_defaults(org, ctx):
    label = Label.objects.create(organisation=org, name="From Outlook")
    made = people(create_defaults=lambda self, data, ctx: {"kind": "lead", "vat": "-", "labels": [label]})
    assert list(made.create(ContactData(surname="L"), ctx).obj.labels.all()) == [label]


# -- folders ---------------------------------------------------------------------------------------


@pytest.mark.rule("CON-03")
def test_a_move_takes_the_record_out_of_one_folder_and_leaves_the_others(org, ctx):
    obj = person(org)
    gold, tin, lead = (Label.objects.create(organisation=org, name=name) for name in ("Gold", "Tin", "Lead"))
    obj.labels.add(gold, tin)
    made = people(folders=ms.M2M("labels"))
    assert set(made.update(obj, {}, ctx, folder_from="Gold", folder_to="Lead").obj.labels.all()) == {tin, lead}
    assert set(made.update(obj, {}, ctx, folder_from="Lead", folder_to="").obj.labels.all()) == {tin}
    written = made.update(obj, {}, ctx, folder_from="Tin", folder_to="Unknown")
    assert set(written.obj.labels.all()) == {tin} and written.notes[0].field == "folder"


@pytest.mark.parametrize(("spec", "name", "column", "value"), [
    (ms.Col("folder"), "Gold", "folder", "Gold"),
    (ms.Col("category"), "Good", "category", "good"),
    (ms.Choice("category", {"none": None, "good": "Gold", "bad": "Tin"}), "Gold", "category", "good"),
])
def test_a_move_changes_the_column_of_the_folder(spec, name, column, value, org, ctx):
    made = adapter(Supplier, fields={}, folders=spec)
    written = made.update(supplier(org), {}, ctx, folder_to=name)
    assert getattr(written.obj, column) == value
    assert made.folder_names(written.obj, ctx) == (name,)


def test_a_move_is_kept_in_our_own_table(org, ctx):
    made = people()
    written = made.update(person(org), {}, ctx, folder_from="", folder_to="Gold")
    assert made.folder_names(written.obj, ctx) == ("Gold",)
    written = made.update(written.obj, {}, ctx, folder_from="Gold", folder_to="")
    assert made.folder_names(written.obj, ctx) == ()


# -- hooks -----------------------------------------------------------------------------------------


def test_hooks_are_called_in_order_inside_a_running_sync(org, ctx):
    calls = []

    def hook(name):
        def call(self, obj, ctx, created, changed):
            calls.append((name, obj._state.adding, created, sorted(changed), ms.is_syncing()))
        return call

    made = people(before_save=hook("before"), after_save=hook("after"))
    made.create(ContactData(surname="Lovelace"), ctx)
    assert calls == [("before", True, True, ["surname"], True), ("after", False, True, ["surname"], True)]
    assert not ms.is_syncing()


def test_a_hook_may_reject_one_field_or_skip_the_record(org, ctx):
    def before_save(self, obj, ctx, created, changed):
        if obj.first_name == "Eve":
            raise ms.RejectChange("given_name", "Given names are kept by the registry.")
        if obj.first_name == "Mallory":
            raise ms.SkipRecord("Nobody knows this person.")

    made = people(before_save=before_save)
    written = made.update(person(org, first_name="Ada"), {"given_name": "Eve", "notes": "met"}, ctx)
    assert (written.obj.first_name, written.obj.notes) == ("Ada", "met")
    assert reasons(written) == "Given names are kept by the registry."
    with pytest.raises(RecordError, match="Nobody knows this person"):
        made.update(person(org), {"given_name": "Mallory"}, ctx)


def test_a_method_writes_before_or_after_saving_and_may_reject(org, ctx):
    def put(self, obj, value, ctx):
        if value == "no":
            raise ms.RejectChange("nickname", "Not this one.")
        assert obj.pk is not None
        obj.labels.add(Label.objects.create(organisation_id=ctx.tenant, name=value))

    spec = ms.Method(lambda obj, ctx: ", ".join(label.name for label in obj.labels.all()), "put", after_save=True)
    made = people(fields={"surname": "last_name", "nickname": spec}, put=put)
    assert made.create(ContactData(surname="L", nickname="Countess"), ctx).data.nickname == "Countess"
    assert reasons(made.update(person(org), {"nickname": "no"}, ctx)) == "Not this one."


def test_notes_are_kept_as_harmless_html(org, ctx):
    written = people(body_format="html").update(person(org), {"notes": "1 < 2\n<script>"}, ctx)
    assert written.obj.notes == "1 &lt; 2<br>&lt;script&gt;"
    assert written.data.notes == "1 < 2\n<script>"


# -- deleting --------------------------------------------------------------------------------------


def test_a_soft_deletion_is_read_off_the_condition_and_can_be_undone(org, ctx):
    cases = (Supplier, Q(deleted_at__isnull=False), supplier), (Person, Q(archived=True), person)
    for model, condition, made_by in cases:
        made = adapter(model, fields={}, soft_delete=condition)
        obj = made_by(org)
        made.delete(obj, ctx)
        assert made.recoverable
        assert made.by_ids([made.object_id(obj)], ctx) == {}
        assert made.restore(made.object_id(obj), ctx) == obj
        assert made.by_ids([made.object_id(obj)], ctx)


def test_without_a_soft_deletion_a_deletion_is_for_good(org, ctx):
    made = adapter(Supplier, fields={})
    obj = supplier(org)
    object_id = made.object_id(obj)
    made.delete(obj, ctx)
    assert not made.recoverable and not Supplier.objects.exists()
    with pytest.raises(RecordError, match="gone for good"):
        made.restore(object_id, ctx)


def test_a_soft_deletion_that_cannot_be_told_is_declared(org, ctx):
    made = adapter(Supplier, fields={}, soft_delete=Q(category="bad") | Q(name=""))
    assert not made.recoverable
    made = adapter(Supplier, fields={}, soft_delete=Q(category="bad"), soft_delete_set={"category": "bad"},
                   restore_set={"category": "none"})
    obj = supplier(org)
    made.delete(obj, ctx)
    assert made.recoverable and made.restore(str(obj.pk), ctx).category == "none"
