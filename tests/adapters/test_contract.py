"""The contract suite for integrators, on the demo's adapter and on two for the awkward CRM."""

import itertools

import pytest
from django.contrib.auth import get_user_model

from opencrm_ms365 import adapters as ms
from opencrm_ms365.testing import ContactAdapterContract

from .awkward.models import Company, EmailAddress, Label, Person, Supplier
from .builders import adapter, organisation, person, profile, supplier

_count = itertools.count(1)


class TestDemoContacts(ContactAdapterContract):
    adapter_name = "crm.contact"

    def make_user(self):
        return get_user_model().objects.create_user(f"user{next(_count)}", "user@x.org")

    def make_record(self, user):
        from demo_crm.crm.models import Contact, ContactFolder

        made = Contact.objects.create(first_name="Ada", last_name=f"Lovelace {next(_count)}", email="ada@x.org",
                                      birthday="1815-12-10", assigned_to=user)
        made.folders.add(*(ContactFolder.objects.get_or_create(name=name)[0] for name in ("Customers", "Poets")))
        return made


class Awkward(ContactAdapterContract):
    @pytest.fixture(autouse=True)
    def organisation(self, db):
        self.org = organisation()
        self.tenant = str(self.org.pk)
        self.made = self.declare()

    adapter = property(lambda self: self.made)

    def make_user(self):
        return profile(self.org).user

    def owner(self, user):
        return user.profiles.get(organisation=self.org)


class TestPeople(Awkward):
    def declare(self):
        def here(model):
            return lambda ctx: model.objects.filter(organisation=ctx.tenant)

        def defaults(ctx):
            return {"organisation_id": ctx.tenant}

        return adapter(
            Person,
            fields={
                "given_name": "first_name", "surname": "last_name", "birthday": "birthday", "web": "website",
                "notes": "notes", "company_name": ms.Related(
                    "company", "name", create=True, queryset=here(Company),
                    defaults=lambda ctx: {**defaults(ctx), "sector": "?"}),
                "title": ms.Choice("salutation", {"mr": "Mr", "ms": "Ms"}),
                "emails": ms.Rows("addresses", "address", primary="is_primary"),
                "business_phones": ms.Rows("numbers", "number", kind={"kind": "work"}, position="rank"),
                "mobile_phone": ms.Rows("numbers", "number", kind={"kind": "cell"}, defaults={"rank": 0}),
                "nickname": ms.Stored(), "home_address": ms.Stored(),
                "display_name": lambda obj, ctx: str(obj),
            },
            owner=ms.Users("owners"), body_format="html",
            folders=ms.M2M("labels", queryset=here(Label), create=True, defaults=defaults),
            fallbacks={"kind": "lead", "vat": "-", "last_name": lambda data, ctx: data.first_token() or "?"})

    def make_record(self, user):
        made = person(self.org, owners=[self.owner(user)], first_name="Ada", notes="<p>Met</p>")
        EmailAddress.objects.create(person=made, address="ada@x.org", is_primary=True)
        made.labels.add(Label.objects.get_or_create(organisation=self.org, name="Poets")[0])
        return made

    def test_changing_one_field_leaves_the_others(self):
        pytest.skip("The display name is made of the other names here.")


class TestSuppliers(Awkward):
    def declare(self):
        return adapter(
            Supplier,
            fields={
                "company_name": "name", "display_name": "contact_name", "emails": ms.Split("emails", ";"),
                "business_phone": "phone", "birthday": "founded",
                "business_address": ms.Address(street=ms.Columns("street1", "street2"), city="city",
                                               country=ms.CountryCode("country")),
                "categories": ms.Stored(),
            },
            owner="owner", folders="folder", sync_flag=ms.Choice("sync", {False: False}, default=True),
            modified_field="changed_at")

    def make_record(self, user):
        return supplier(self.org, owner=self.owner(user), emails="Mill@x.org; b@x.org", street1="1 Mill Lane",
                        country="GB", folder="Gold")
