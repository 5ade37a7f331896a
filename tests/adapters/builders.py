"""Valid defaults for the tests of the adapters: a test says only what matters to it."""

import datetime
import itertools

from django.contrib.auth import get_user_model

from opencrm_ms365 import adapters as ms
from opencrm_ms365.records import ContactData
from opencrm_ms365.sync.stored import StoredValues

from .awkward.models import Organisation, Person, Profile, Supplier

NOW = datetime.datetime(2026, 3, 2, 9, 30, tzinfo=datetime.UTC)
_count = itertools.count(1)


class Directory(ms.DirectoryAdapter):
    """A user has a profile in each of their organisations."""

    person_model = "awkward.Profile"
    person_user_path = "user"

    def tenants(self):
        return [str(key) for key in Organisation.objects.values_list("pk", flat=True)]

    def tenants_of(self, user):
        return [str(key) for key in Profile.objects.filter(user=user).values_list("organisation_id", flat=True)]

    def person(self, user, tenant):
        return Profile.objects.filter(user=user, organisation_id=tenant).first()


def site():
    made = ms.AdapterSite()
    made.directory = Directory()
    return made


def adapter(model, base=ms.ContactAdapter, *, name=None, site=None, creates=None, **attributes):
    """An adapter on a site of its own, declared by `attributes`."""
    attributes.setdefault("tenant_field", "organisation")
    made = type("Adapter", (base,), {"__module__": __name__, **attributes})
    return (site or globals()["site"]()).register(made, model, name=name, creates=creates)


def organisation(name="Acme"):
    return Organisation.objects.create(name=name)


def profile(org, username=None):
    user = get_user_model().objects.create(username=username or f"user{next(_count)}")
    return Profile.objects.create(user=user, organisation=org)


def person(org, *, owners=(), **values):
    values = {"last_name": "Lovelace", "kind": "client", "vat": "1", **values}
    made = Person.objects.create(organisation=org, **values)
    for owner in owners:
        made.owners.add(owner)
    return made


def supplier(org, **values):
    return Supplier.objects.create(organisation=org, **{"name": f"Supplier {next(_count)}", **values})


def context(who, **values):
    return ms.SyncContext(**{
        "user": who.user, "tenant": str(who.organisation_id), "person": who, "now": NOW,
        "stored": StoredValues(str(who.organisation_id)), **values})


def contact(**values):
    return ContactData(**values)
