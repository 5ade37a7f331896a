"""What the strangers' CRMs brought to light in the adapters."""

import pytest

from opencrm_ms365 import adapters as ms
from opencrm_ms365.adapters.paths import relation
from tests.adapters.awkward.models import Supplier
from tests.adapters.builders import adapter, context, organisation, profile, supplier

from .strangers.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def org():
    return organisation()


@pytest.fixture
def ctx(org):
    return context(profile(org))


@pytest.mark.parametrize("name", ["handled_by", "point_set", "place", "party_ptr"])
def test_relations_of_a_model_that_inherits_a_table_are_found(name):
    assert relation(Customer, name) is not None


def test_joined_categories_stay_as_the_crm_wrote_them_while_they_say_the_same(org, ctx):
    obj = supplier(org, emails="Navy; Computing; navy")
    made = adapter(Supplier, fields={"categories": ms.Split("emails", ";"), "company_name": "name"})
    before = obj.changed_at
    written = made.update(obj, {"categories": ("computing", "Navy")}, ctx)
    assert written.obj.emails == "Navy; Computing; navy" and written.obj.changed_at == before

    written = made.update(written.obj, {"categories": ("Army", "Computing", "Navy")}, ctx)
    assert written.obj.emails == "Navy; Computing; Army"


def test_an_address_that_the_crm_holds_twice_is_not_a_change(org, ctx):
    obj = supplier(org, email1="a@x.org", email2="A@x.org")
    made = adapter(Supplier, fields={"emails": ms.Columns("email1", "email2", "email3")})
    written = made.update(obj, {"emails": made.read(obj, ctx).emails}, ctx)
    assert (written.obj.email1, written.obj.email2) == ("a@x.org", "A@x.org")
