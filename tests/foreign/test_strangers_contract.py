"""The contract suite of `opencrm_ms365.testing` on the adapters of strangers."""

import itertools

import pytest
from django.contrib.auth import get_user_model

from opencrm_ms365.testing import ContactAdapterContract
from tests.adapters.awkward.models import EmailAddress, Person, Supplier
from tests.adapters.builders import organisation, person, supplier

from .awkward import Directory, PeopleAdapter, SuppliersAdapter
from .plugging import plugged_in
from .strangers.leads import LeadAdapter
from .strangers.models import Account, Assignment, Customer, Lead, Point
from .strangers.parties import CustomerAdapter

_count = itertools.count(1)


class Plugged(ContactAdapterContract):
    @pytest.fixture(autouse=True)
    def plug(self, db):
        with plugged_in(*self.adapters, directory=self.directory):
            yield

    directory = None

    def make_user(self):
        return get_user_model().objects.create_user(f"user{next(_count)}", "user@x.org")


class TestLeads(Plugged):
    adapters = [(LeadAdapter, Lead, {})]
    adapter_name = "strangers.lead"

    def make_record(self, user):
        account = Account.objects.get_or_create(name="Navy", defaults={"owner": user})[0]
        return Lead.objects.create(full_name="Grace Brewster Hopper", email="Grace@x.org", phone="+1 202 555 0101",
                                   account=account, owner=user, country="GB", town="York", born="1906-12-09",
                                   tags="Navy, Computing")


class TestCustomers(Plugged):
    adapters = [(CustomerAdapter, Customer, {})]
    adapter_name = "strangers.customer"

    def make_record(self, user):
        made = Customer.objects.create(first="Grace", last="Hopper", label="Grace Hopper", created_by=user, book="vip")
        Assignment.objects.create(customer=made, user=user)
        for kind, value in (("email", "grace@x.org"), ("email", "hopper@x.org"), ("tel", "+1 202 555 0101")):
            Point.objects.create(party=made, type=kind, value=value)
        return made


class Awkward(Plugged):
    adapters = [(PeopleAdapter, Person, {"creates": True}), (SuppliersAdapter, Supplier, {})]
    directory = Directory

    @pytest.fixture(autouse=True)
    def organisation(self, plug):
        self.org = organisation()
        self.tenant = str(self.org.pk)

    def make_user(self):
        user = super().make_user()
        user.profiles.create(organisation=self.org)
        return user

    def profile(self, user):
        return user.profiles.get(organisation=self.org)


class TestPeople(Awkward):
    adapter_name = "awkward.person"

    def make_record(self, user):
        made = person(self.org, owners=[self.profile(user)], first_name="Ada", notes="<p>Met</p>")
        EmailAddress.objects.create(person=made, address="ada@x.org", is_primary=True)
        return made


class TestSuppliers(Awkward):
    adapter_name = "awkward.supplier"

    def make_record(self, user):
        number = next(_count)
        return supplier(self.org, owner=self.profile(user), emails=f"mill{number}@x.org; b@x.org", city="Leeds",
                        country="GB", folder="Gold")
