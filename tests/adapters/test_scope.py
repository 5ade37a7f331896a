"""Which records a user syncs: one query that says the same on every database, and the reason why not."""

import dataclasses
import datetime
import uuid

import pytest
from django.db.models import Q

from opencrm_ms365 import adapters as ms
from opencrm_ms365.adapters import Scope
from opencrm_ms365.models import RecordMapping

from .awkward.models import Company, Label, Person, Supplier
from .builders import NOW, adapter, context, organisation, person, profile, supplier

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


def people(**attributes):
    return adapter(Person, fields={"surname": "last_name"}, **attributes)


def suppliers(**attributes):
    return adapter(Supplier, fields={"given_name": "name"}, **attributes)


def scope_of(made, ctx, **limits):
    return set(made.in_scope(ctx, Scope(**limits)))


def test_another_organisations_records_do_not_exist(org, ctx):
    mine, other = person(org), person(organisation("Other"))
    made = people()
    assert scope_of(made, ctx) == {mine}
    assert made.by_ids([str(other.pk)], ctx) == {}
    assert made.explain_scope(other, ctx, Scope()) == "deleted"


def test_rows_that_the_manager_hides_and_soft_deleted_rows_are_gone(org, ctx):
    hidden = person(org, archived=True)
    deleted = supplier(org, deleted_at=NOW)
    assert people().explain_scope(hidden, ctx, Scope()) == "deleted"
    assert suppliers(soft_delete=Q(deleted_at__isnull=False)).explain_scope(deleted, ctx, Scope()) == "deleted"


@pytest.mark.rule("CON-02")
def test_only_my_items_with_owners_in_a_many_to_many_field_of_profiles(org, me, ctx):
    made = people(owner=ms.Users("owners"))
    mine = person(org, owners=[me, profile(org)])
    theirs = person(org, owners=[profile(org)])
    assert scope_of(made, ctx, only_my_items=True) == {mine}
    assert scope_of(made, ctx) == {mine, theirs}
    assert made.explain_scope(theirs, ctx, Scope(only_my_items=True)) == "not_mine"
    assert made.is_mine(mine, ctx) and not made.is_mine(theirs, ctx)


def test_only_my_items_with_a_foreign_key_and_further_people(org, me, ctx):
    made = suppliers(owner=ms.Users("owner"))
    mine, nobodys = supplier(org, owner=me), supplier(org)
    assert scope_of(made, ctx, only_my_items=True) == {mine}
    assert made.owner_ids(nobodys, ctx) == ()
    assert suppliers().has_owner is False
    assert scope_of(suppliers(), ctx, only_my_items=True) == {mine, nobodys}


def test_a_user_without_a_profile_owns_nothing(org, ctx):
    supplier(org)
    nobody = dataclasses.replace(ctx, person=None)
    assert scope_of(suppliers(owner=ms.Users("owner")), nobody, only_my_items=True) == set()


def test_what_the_user_may_not_see_is_out_of_scope_and_joins_do_not_repeat_records(org, me, ctx):
    def visible_to(self, queryset, ctx):
        return queryset.filter(labels__name__startswith="L").distinct()

    made = people(visible_to=visible_to)
    seen, unseen = person(org), person(org)
    seen.labels.add(*(Label.objects.create(organisation=org, name=name) for name in ("L1", "L2")))
    assert list(made.in_scope(ctx, Scope())) == [seen]
    assert made.explain_scope(unseen, ctx, Scope()) == "not_visible"


FLAGS = {
    "column": (ms.Col("sync"), {"sync": True}, {"sync": False}),
    "column, never set": (ms.Col("sync"), {"sync": True}, {"sync": None}),
    "text": (ms.Col("city"), {"city": "x"}, {"city": ""}),
    "choice": (ms.Choice("category", {"good": True, "bad": False}, default=False), {"category": "good"},
               {"category": "better"}),
    "choice with a true default": (ms.Choice("category", {"bad": False}, default=True), {"category": "good"},
                                   {"category": "bad"}),
    "nullable choice": (ms.Choice("sync", {None: True, True: True}, default=False), {"sync": None}, {"sync": False}),
    "relation": (ms.Related("owner", "id"), {"owner": "me"}, {"owner": None}),
    "method": (ms.Method(lambda obj, ctx: obj.city == "Leeds"), {"city": "Leeds"}, {"city": "York"}),
    "function of a column": (ms.Col("city", from_crm=lambda value: value == "y"), {"city": "y"}, {"city": "n"}),
    "always": (ms.Const(True), {}, None),
    "never": (ms.Const(False), None, {}),
}


@pytest.mark.rule("CON-02")
@pytest.mark.parametrize("case", FLAGS)
def test_the_tick_box_however_it_is_declared(case, org, me, ctx):
    spec, ticked, cleared = FLAGS[case]
    made = suppliers(sync_flag=spec)
    rows = [None if values is None else supplier(org, **{key: me if value == "me" else value
                                                         for key, value in values.items()})
            for values in (ticked, cleared)]
    assert scope_of(made, ctx) == {row for row in rows[:1] if row}
    if rows[0]:
        assert made.explain_scope(rows[0], ctx, Scope()) == ""
    if rows[1]:
        assert made.explain_scope(rows[1], ctx, Scope()) == "flag_off"


@pytest.mark.rule("CON-02")
@pytest.mark.parametrize("default", [True, False])
def test_the_tick_box_that_is_kept_in_our_own_table(default, org, ctx):
    made = people(sync_flag=ms.Stored(default=default))
    untouched, ticked, cleared = person(org), person(org), person(org)
    for obj, value in ((ticked, True), (cleared, False)):
        ctx.stored.set(made.name, str(obj.pk), "sync_flag", value)
    assert scope_of(made, ctx) == ({untouched, ticked} if default else {ticked})
    assert made.explain_scope(cleared, ctx, Scope()) == "flag_off"


FOLDERS = {
    "text": (ms.Col("folder"), {"folder": "Gold"}, {"folder": "Tin"}, {"folder": ""}, ("Gold",)),
    "column with choices": (ms.Col("category"), {"category": "good"}, {"category": "bad"}, None, ("Good",)),
    "choice": (ms.Choice("category", {"good": "Gold", "better": "Gold", "bad": "Tin"}), {"category": "better"},
               {"category": "bad"}, {"category": "none"}, ("Gold",)),
    "method": (ms.Method(lambda obj, ctx: obj.city.title()), {"city": "gold"}, {"city": "tin"}, {"city": ""},
               ("Gold",)),
}


@pytest.mark.rule("CON-02")
@pytest.mark.parametrize("case", FOLDERS)
def test_folders_however_they_are_declared(case, org, ctx):
    spec, inside, outside, nowhere, names = FOLDERS[case]
    made = suppliers(folders=spec)
    inner, outer = supplier(org, **inside), supplier(org, **outside)
    by_name = {name: key for key, name in made.folder_choices(ctx)}

    assert made.folder_names(inner, ctx) == names
    assert scope_of(made, ctx, folders=(by_name[names[0]],)) == {inner}
    assert made.explain_scope(outer, ctx, Scope(folders=(by_name[names[0]],))) == "other_folder"
    if nowhere is not None:
        none = supplier(org, **nowhere)
        assert made.folder_names(none, ctx) == ()
        assert scope_of(made, ctx, folders=("",)) == {none}
        assert scope_of(made, ctx, folders=("", by_name[names[0]])) == {none, inner}
    assert inner in scope_of(made, ctx, folders=None)


def test_folders_in_a_many_to_many_field(org, ctx):
    made = people(folders=ms.M2M("labels", "name", queryset=lambda ctx: Label.objects.filter(organisation=ctx.tenant)))
    gold = Label.objects.create(organisation=org, name="Gold", rank=2)
    tin = Label.objects.create(organisation=org, name="Tin", rank=1)
    Label.objects.create(organisation=organisation("Other"), name="Foreign")
    both, one, none = person(org), person(org), person(org)
    both.labels.add(gold, tin)
    one.labels.add(tin)

    assert made.folder_choices(ctx) == [(str(tin.pk), "Tin"), (str(gold.pk), "Gold")]
    assert made.folder_names(both, ctx) == ("Tin", "Gold")
    assert scope_of(made, ctx, folders=(str(gold.pk),)) == {both}
    assert scope_of(made, ctx, folders=(str(gold.pk), str(tin.pk))) == {both, one}
    assert scope_of(made, ctx, folders=("", str(gold.pk), "nonsense")) == {both, none}


def test_folders_in_a_foreign_key(org, ctx):
    made = people(folders=ms.Related("company", "name"))
    company = Company.objects.create(organisation=org, name="Engines", sector="x")
    inner, none = person(org, company=company), person(org)
    assert scope_of(made, ctx, folders=(str(company.pk),)) == {inner}
    assert scope_of(made, ctx, folders=("",)) == {none}
    assert made.folder_names(inner, ctx) == ("Engines",)


def test_folders_that_are_kept_in_our_own_table(org, ctx):
    made = people()
    inner, none = person(org), person(org)
    ctx.stored.set(made.name, str(inner.pk), "folders", "Gold")
    assert made.folder_choices(ctx) == [("Gold", "Gold")]
    assert scope_of(made, ctx, folders=("Gold",)) == {inner}
    assert scope_of(made, ctx, folders=("",)) == {none}


@pytest.mark.parametrize("model", [Person, Supplier])
def test_links_are_joined_with_records_by_the_text_of_the_key(model, org, ctx):
    made = adapter(model, fields={})
    linked, fresh = (person(org), person(org)) if model is Person else (supplier(org), supplier(org))
    RecordMapping.objects.create(kind="contacts", adapter=made.name, object_id=made.object_id(linked))
    RecordMapping.objects.create(kind="contacts", adapter=made.name, object_id=str(uuid.uuid4()))
    known = RecordMapping.objects.filter(adapter=made.name)

    rows = made.existing(ctx).annotate(ms365_id=made.id_text())
    assert set(rows.exclude(ms365_id__in=known.values("object_id"))) == {fresh}
    assert {row.ms365_id for row in rows} == {str(linked.pk), str(fresh.pk)}
    assert known.exclude(object_id__in=rows.values("ms365_id")).count() == 1
    assert rows.get(ms365_id=str(fresh.pk)) == fresh


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "007", "99999999999999999999999", "1.0", "\x00"])
def test_ids_that_are_no_keys_are_left_out(nonsense, org, ctx):
    assert suppliers().by_ids([nonsense], ctx) == {}
    assert people().by_ids([nonsense, str(uuid.uuid4()).upper()], ctx) == {}


def test_reasons_for_many_records_cost_a_constant_number_of_queries(org, me, ctx, django_assert_num_queries):
    made = people(owner=ms.Users("owners"), folders=ms.M2M("labels", "name"))
    ids = [str(person(org).pk) for _ in range(30)]
    with django_assert_num_queries(5):
        reasons = made.explain_scopes(ids, ctx, Scope(only_my_items=True, folders=("1",)))
    assert set(reasons.values()) == {"not_mine"}


def test_a_modification_stamp_narrows_the_search_and_none_says_nothing(org, ctx):
    made = suppliers(modified_field="changed_at")
    obj = supplier(org)
    later = made.modified_at(obj) + datetime.timedelta(seconds=1)
    assert list(made.modified_since(made.existing(ctx), made.modified_at(obj))) == [obj]
    assert list(made.modified_since(made.existing(ctx), later)) == []
    assert people().modified_since(people().existing(ctx), later) is None
    assert people().modified_at(person(org)) is None


def test_of_some_records_only_those_are_read_where_the_database_cannot_tell(org, ctx):
    read = []
    flag = ms.Method(lambda obj, ctx: read.append(obj.pk) or obj.city == "Leeds")
    made = suppliers(sync_flag=flag)
    inner, outer, other = supplier(org, city="Leeds"), supplier(org, city="York"), supplier(org, city="Leeds")
    ids = [str(inner.pk), str(outer.pk), "nonsense"]
    assert set(made.in_scope(ctx, Scope(), ids)) == {inner}
    assert set(read) == {inner.pk, outer.pk} and other in scope_of(made, ctx)
