"""Who the CRM's users are, with Django's own users and with profiles."""

import datetime

import pytest
from django.contrib.auth import get_user_model
from django.test import override_settings

from opencrm_ms365 import adapters as ms
from opencrm_ms365.adapters import AlreadyRegistered, NotRegistered
from opencrm_ms365.errors import ConfigurationError

from .awkward.models import Person, Supplier
from .builders import Directory, adapter, context, organisation, profile, site

pytestmark = pytest.mark.django_db


def user(username, **values):
    return get_user_model().objects.create(username=username, **values)


def test_the_defaults_suit_django_users():
    directory = ms.DirectoryAdapter()
    ada = user("ada", email=" Ada@x.org ", first_name="Ada", last_name="L")
    assert directory.emails(ada) == ["Ada@x.org"]
    assert directory.person(ada, "") is ada and directory.user_of(ada) is ada
    assert directory.find_user("ADA@x.org", "") == ada
    assert directory.display_name(ada) == "Ada L"
    assert directory.display_name(user("bob")) == "bob"
    assert directory.is_active(ada, "") and not directory.is_org_admin(ada, "")


def test_an_address_of_two_users_or_of_an_inactive_one_finds_nobody():
    directory = ms.DirectoryAdapter()
    for name in ("one", "two"):
        user(name, email="same@x.org")
    user("gone", email="gone@x.org", is_active=False)
    assert directory.find_user("same@x.org", "") is None
    assert directory.find_user("gone@x.org", "") is None
    assert directory.find_user("", "") is None


def test_profiles_stand_for_users_in_one_organisation_each():
    directory = Directory()
    here, there = organisation("Here"), organisation("There")
    mine = profile(here)
    assert directory.person(mine.user, str(here.pk)) == mine
    assert directory.person(mine.user, str(there.pk)) is None
    assert directory.user_of(mine) == mine.user
    assert directory.tenants_of(mine.user) == [str(here.pk)]


def test_an_address_is_looked_up_within_the_organisation():
    directory = Directory()
    here, there = organisation("Here"), organisation("There")
    mine = profile(here)
    mine.user.email = "a@x.org"
    mine.user.save()
    assert directory.find_user("a@x.org", str(here.pk)) == mine.user
    assert directory.find_user("a@x.org", str(there.pk)) is None


def test_a_context_is_made_from_the_directory():
    who = profile(organisation())
    with override_settings(TIME_ZONE="Europe/Berlin"):
        ctx = Directory().context(who.user, str(who.organisation_id))
    assert (ctx.user, ctx.person, ctx.is_org_admin) == (who.user, who, False)
    assert ctx.now.tzinfo is datetime.UTC
    assert str(Directory().context(who.user, str(who.organisation_id), tz="Asia/Tokyo").tz) == "Asia/Tokyo"


def test_adapters_are_known_by_name_not_by_model():
    made = site()
    first = adapter(Person, name="people", site=made)
    second = adapter(Person, name="press", site=made)
    assert made.adapters("contacts") == [first, second]
    assert made.get("press") is second and made.adapters("events") == []
    with pytest.raises(AlreadyRegistered, match="press"):
        adapter(Person, name="press", site=made)
    made.unregister("press")
    with pytest.raises(NotRegistered):
        made.get("press")


def test_the_only_adapter_of_a_kind_creates_and_of_several_the_one_that_says_so():
    made = site()
    first = adapter(Person, site=made)
    assert made.creator("contacts") is first and made.creator("tasks") is None
    second = adapter(Supplier, site=made)
    assert made.creator("contacts") is None
    made.unregister(second.name)
    second = adapter(Supplier, site=made, creates=True)
    assert made.creator("contacts") is second
    only = site()
    adapter(Person, site=only, creates=False)
    assert only.creator("contacts") is None


def test_register_is_a_decorator():
    made = site()

    @ms.register(Person, Supplier, site=made)
    class Both(ms.ContactAdapter):
        fields = {}

    assert [item.name for item in made.adapters()] == ["awkward.person", "awkward.supplier"]
    with pytest.raises(ConfigurationError):
        ms.register(Person, Supplier, name="one name", site=made)
    with pytest.raises(ConfigurationError):
        ms.register("awkward.Person", site=made)(Both)


def test_a_user_is_written_as_the_person_of_the_organisation():
    here = organisation()
    mine, other = profile(here), profile(here)
    made = adapter(Person, fields={"surname": "last_name"}, owner=ms.Users("owners", first_is_owner=True))
    spec = made.role_specs["owner"]
    obj = Person.objects.create(organisation=here, last_name="L", kind="lead", vat="-")
    spec.save(obj, [other.user, mine.user], context(mine))
    assert [item.pk for item in spec.owners(obj)] == [other.user.pk]
    assert spec.read(obj, context(mine)) == (other.user, mine.user)
    spec.save(obj, [mine.user], context(mine))
    assert list(obj.owners.all()) == [mine]
