"""`manage.py check` finds what is wrong with a declaration, and says where and what to do."""

import pytest
from django.core.management import call_command
from django.db import models
from django.db.models import Q

from opencrm_ms365 import adapters as ms
from opencrm_ms365 import checks_adapters
from opencrm_ms365.sync import hints

from .awkward.models import Person, Supplier
from .builders import Directory, adapter, site


def found(made, number=None):
    messages = list(checks_adapters.faults_of_site(made.site))
    return [item for item in messages if number is None or item.id == f"opencrm_ms365.{number}"]


def only(made, number):
    messages = found(made)
    assert [item.id for item in messages] == [f"opencrm_ms365.{number}"], messages
    return messages[0]


def supplier(**attributes):
    attributes.setdefault("fields", {"company_name": "name"})
    return adapter(Supplier, **attributes)


def test_a_sound_adapter_has_no_faults():
    made = supplier(fields={"company_name": "name", "emails": ms.Columns("email1", "email2"), "business_phone": "phone",
                            "title": ms.Choice("category", {"good": "Good"}),
                            "business_address": ms.Address(city="city", country=ms.CountryCode("country"))},
                    owner=ms.Users("owner"), folders="folder", sync_flag="sync", modified_field="changed_at",
                    soft_delete=Q(deleted_at__isnull=False))
    assert found(made) == []


def test_an_unknown_field_of_a_record_is_named_with_the_nearest():
    message = only(supplier(fields={"company_name": "name", "job_titel": "city"}), "E101")
    assert "job_titel" in message.msg and message.hint == "Did you mean 'job_title'?"
    message = only(supplier(fields={"company_name": "name", "home_address": ms.Address(town="city")}), "E101")
    assert "town" in message.msg


@pytest.mark.parametrize("spec", ["citty", ms.Col("owner__usr__email"), ms.Columns("email1", "emial2"),
                                  ms.Split("emial", ";"), ms.Choice("catgory", {"good": "x"}),
                                  ms.Rows("nothing", "x"), ms.Related("owner", "nme"), ms.Related("city", "name"),
                                  ms.M2M("city", "name"), ms.Address(city="citty"), ms.CountryCode("cuntry")])
def test_a_path_that_leads_nowhere_is_named(spec):
    shape = {"Columns": "emails", "Split": "emails", "Rows": "emails", "M2M": "categories", "Address": "home_address"}
    name = shape.get(type(spec).__name__, "department")
    message = only(supplier(fields={"company_name": "name", name: spec}), "E102")
    assert name in message.msg and "Adapter" in message.msg and message.hint


def test_the_nearest_column_is_the_hint():
    assert only(supplier(fields={"company_name": "name", "department": "contact_nam"}), "E102").hint == (
        "Did you mean 'contact_name'?")


def test_an_adapter_with_a_bad_path_does_not_stop_the_project_from_starting(monkeypatch):
    made = supplier(owner=ms.Users("nobody"), folders=ms.M2M("nothing"))
    monkeypatch.setattr(hints, "site", made.site)
    hints.connect()
    assert {item.id for item in found(made)} == {"opencrm_ms365.E102"}


def test_two_adapters_that_create_one_kind():
    made = site()
    adapter(Supplier, site=made, creates=True, fields={"company_name": "name"})
    second = adapter(Supplier, site=made, name="second", creates=True, fields={"company_name": "name"})
    assert "'awkward.supplier', 'second'" in only(second, "E103").msg


def test_no_adapter_that_creates_a_kind_is_a_warning():
    made = site()
    adapter(Supplier, site=made, fields={"company_name": "name"})
    message = only(adapter(Supplier, site=made, name="second", fields={"company_name": "name"}), "W101")
    assert not message.is_serious()


@pytest.mark.parametrize("cure", [
    {}, {"fallbacks": {"kind": "lead", "vat": "-"}}, {"create_defaults": lambda self, data, ctx: {"kind": "lead"}},
    {"full_clean": False}, {"clean_exclude": ["kind", "vat"]},
])
def test_a_required_column_that_nothing_fills(cure):
    made = adapter(Person, fields={"surname": "last_name"}, **cure)
    named = {name for name in ("kind", "vat") for item in found(made, "E104") if repr(name) in item.msg}
    assert named == (set() if cure else {"kind", "vat"})


def test_values_outside_the_choices_of_a_column():
    message = only(supplier(fields={"company_name": "name", "title": ms.Choice("category", {"goood": "Good"})}), "E105")
    assert "'goood'" in message.msg and message.hint == "Did you mean 'good'?"
    only(supplier(fields={"company_name": "name",
                          "title": ms.Choice("category", {"good": "Good"}, write={"Good": "gut"})}), "E105")


def test_a_misspelt_attribute_is_named_with_the_nearest():
    message = only(supplier(visible_too=lambda self, qs, ctx: qs), "E106")
    assert "'visible_too'" in message.msg and "'visible_to'" in message.hint
    assert found(supplier(_visible_too=1, team_scope=2)) == []


def test_a_misspelt_attribute_of_the_directory():
    made = supplier()
    made.site.directory = type("Wrong", (Directory,), {"person_modell": 1})()
    assert "person_model" in only(made, "E106").hint


@pytest.mark.parametrize(("name", "spec"), [
    ("department", "owner"), ("emails", ms.Rows("owner", "user")), ("department", ms.Col("owner")),
])
def test_a_relation_is_no_text(name, spec):
    only(supplier(fields={"company_name": "name", name: spec}), "E107")


def test_a_many_to_many_field_is_no_text():
    made = adapter(Person, fields={"surname": "last_name", "department": "labels"}, clean_exclude=["kind", "vat"])
    assert "M2M('labels'" in only(made, "E107").hint


@pytest.mark.parametrize(("name", "spec"), [
    ("department", ms.Split("emails")), ("emails", ms.Address(city="city")), ("home_address", "city"),
    ("home_address", ms.Columns("city")), ("department", 5), ("department", ms.Users("owner")),
    ("emails", ms.Columns(ms.Split("emails"))), ("home_address", ms.Address(city=ms.Split("city"))),
])
def test_a_spec_of_the_wrong_shape(name, spec):
    only(supplier(fields={"company_name": "name", name: spec}), "E108")


def test_a_role_of_the_wrong_kind():
    only(supplier(sync_flag=True), "E108")


def test_a_primary_key_that_cannot_be_referred_to(monkeypatch):
    made = supplier()
    monkeypatch.setattr(type(made), "key_field", models.FloatField())
    assert only(made, "E109")


def test_a_modification_stamp_that_is_none():
    only(supplier(modified_field="city"), "E110")
    only(supplier(modified_field="chnged_at"), "E102")


def test_an_unknown_method():
    message = only(supplier(fields={"company_name": "name", "nickname": ms.Method("nik")}, nick=lambda *_: ""), "E111")
    assert message.hint == "Did you mean 'nick'?"


def test_people_who_are_no_users():
    assert "Organisation" in only(supplier(owner=ms.Users("organisation")), "E112").msg
    plain = supplier(owner=ms.Users("owner"), fields={"company_name": "name"})
    plain.site.directory = ms.DirectoryAdapter()
    assert "person_model" in only(plain, "E112").hint


def test_conditions_that_cannot_be_asked():
    only(supplier(base_filter=Q(citty="x")), "E113")
    only(supplier(soft_delete=Q(gone=True)), "E113")


def test_unknown_columns_in_options():
    only(supplier(fallbacks={"nme": "x"}), "E114")
    only(supplier(clean_exclude=["nme"]), "E114")
    only(supplier(tenant_field="organization", fallbacks={"organisation": None}), "E102")
    only(supplier(select_related=["ownr"]), "E102")


def test_an_unknown_body_format():
    only(supplier(body_format="markdown"), "E115")


def test_organisations_that_nothing_tells_apart_are_a_warning():
    made = supplier(tenant_field=None, fallbacks={"organisation": None})
    assert only(made, "W102").hint.startswith("Set tenant_field")
    assert found(supplier(tenant_field=None, fallbacks={"organisation": None},
                          get_queryset=lambda self, ctx: None), "W102") == []


def test_addresses_that_may_not_be_found_are_a_warning():
    made = supplier()
    made.site.directory = type("Mails", (Directory,), {"emails": lambda self, user: []})()
    only(made, "W103")


def test_the_project_of_the_tests_is_sound():
    call_command("check", fail_level="WARNING", tags=["opencrm_ms365"])
    assert checks_adapters.check_adapters() == []
