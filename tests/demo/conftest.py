"""The people of these tests: Ada and Ben in Sales, Cleo and Ben in Service, Dora in no team, Root who sees all."""

import pytest
from django.contrib.auth import get_user_model

from demo_crm.crm.models import Contact, Team


@pytest.fixture
def people(db):
    users = get_user_model().objects
    made = {name: users.create_user(name, email=f"{name}@brightwell.example", first_name=name.title())
            for name in ("ada", "ben", "cleo", "dora")}
    made["root"] = users.create_superuser("root", email="root@brightwell.example")
    Team.objects.create(name="Sales").members.set([made["ada"], made["ben"]])
    Team.objects.create(name="Service").members.set([made["cleo"], made["ben"]])
    return made


@pytest.fixture
def contact_of(people):
    """One contact for each person, and one of nobody's."""
    made = {name: Contact.objects.create(first_name=name.title(), last_name="Owned", email=f"{name}@client.example",
                                         assigned_to=user) for name, user in people.items()}
    made["nobody"] = Contact.objects.create(first_name="Nobody", last_name="Owned")
    return made


@pytest.fixture
def signed_in(client, people):
    """`signed_in("ada")`: a browser in which Ada is signed in."""
    def sign_in(name):
        client.force_login(people[name])
        return client
    return sign_in
