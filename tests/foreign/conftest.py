import pytest

from tests.adapters.awkward.models import Organisation, Person, Supplier
from tests.world import DOMAIN

from .awkward import Directory, PeopleAdapter, SuppliersAdapter
from .plugging import OrganisationWorld, plugged_in


@pytest.fixture
def awkward():
    """The awkward CRM is plugged in, the demo's is not. Gives its adapters: people, suppliers."""
    with plugged_in((PeopleAdapter, Person, {"creates": True}), (SuppliersAdapter, Supplier, {}),
                    directory=Directory) as adapters:
        yield adapters


@pytest.fixture
def acme(sandbox, db, awkward):
    """An organisation of the awkward CRM and the Microsoft tenant of its people."""
    return OrganisationWorld(sandbox, sandbox.world.tenant(DOMAIN), Organisation.objects.create(name="Acme"))


@pytest.fixture
def zenith(sandbox, acme):
    """Another organisation in the same database, with a Microsoft tenant of its own."""
    tenant = sandbox.add_tenant("zenith.example", "Zenith")
    return OrganisationWorld(sandbox, tenant, Organisation.objects.create(name="Zenith"))
