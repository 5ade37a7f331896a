"""Two organisations in one database: nothing crosses (adapters, requirement 19)."""

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from opencrm_ms365.errors import Throttled, Unavailable
from opencrm_ms365.models import RecordMapping, StoredValue, SyncProblem, SyncRun, SyncSettings, UserLink
from opencrm_ms365.sync.preview import run_preview
from tests.adapters.awkward.models import Company, Person
from tests.rules import rule

from .awkward import ACTIVE
from .test_people import ada, people

pytestmark = pytest.mark.django_db(transaction=True)

SAME = {"givenName": "Grace", "surname": "Hopper", "companyName": "Navy", "nickName": "Amazing",
        "emailAddresses": [{"address": "grace@x.example"}]}


def test_the_same_contact_in_two_organisations_is_two_records(acme, zenith):
    for world in (acme, zenith):
        world.connect("ada" if world is acme else "zoe")
        world.mailbox("ada" if world is acme else "zoe").add_contact(**SAME)
    for world in (acme, zenith, acme, zenith):
        world.sync()

    assert Person.objects.count() == 2
    [hers], [theirs] = people(acme), people(zenith)
    assert hers.company.organisation == acme.org and theirs.company.organisation == zenith.org
    assert Company.objects.count() == 2
    assert {(row.tenant, row.object_id) for row in StoredValue.objects.filter(name="nickname")} == {
        (acme.key, str(hers.pk)), (zenith.key, str(theirs.pk))}
    assert {(row.tenant, row.object_id) for row in RecordMapping.objects.all()} == {
        (acme.key, str(hers.pk)), (zenith.key, str(theirs.pk))}
    assert acme.sync().writes == zenith.sync().writes == []


def test_records_of_one_organisation_neither_match_nor_go_out_in_the_other(acme, zenith):
    ada(acme, emails=("grace@x.example",))
    zenith.connect("zoe", only_my_items=False)
    zenith.mailbox("zoe").add_contact(**SAME)
    zenith.sync()
    assert [item["givenName"] for item in zenith.mailbox("zoe").contacts()] == ["Grace"]
    assert [made.first_name for made in people(zenith)] == ["Grace"]
    assert not SyncProblem.objects.exists()


def test_settings_rules_and_guards_are_each_organisations_own(acme, zenith):
    acme.organisation(microsoft_deletion="delete", contact_direction="to_crm", match_by=["phone"])
    zenith.organisation()
    assert SyncSettings.objects.count() == 2
    acme.connect("ada")
    zenith.connect("zoe")
    ada(acme)
    ada(zenith, owner="zoe")
    assert acme.sync().writes == []
    zenith.sync()
    assert len(zenith.mailbox("zoe").contacts()) == 1 and acme.mailbox("ada").contacts() == []


def test_a_filter_that_was_forgotten_stops_the_organisation_instead_of_emptying_its_mailboxes(acme, zenith):
    acme.connect("ada")
    for number in range(12):
        ada(acme, first_name=f"Number {number}", emails=())
    acme.sync()
    assert len(acme.mailbox("ada").contacts()) == 12
    Person._base_manager.filter(organisation=acme.org).update(organisation=zenith.org)
    assert acme.sync().writes == []
    assert SyncProblem.objects.get().code == "vanished"


@rule("USER-04")
def test_a_user_of_two_organisations_has_a_link_in_each_and_one_mailbox_keeps_them_apart(acme, zenith):
    acme.connect("ada")
    zenith.tenant = acme.tenant
    zenith.organisation()
    zenith.connect("ada")
    assert get_user_model().objects.filter(username="ada").count() == 1 and UserLink.objects.count() == 2

    ada(acme, first_name="Of Acme")
    ada(zenith, first_name="Of Zenith")
    for world in (acme, zenith, acme, zenith):
        world.sync()
    box = acme.mailbox("ada")
    assert sorted(item["givenName"] for item in box.contacts()) == ["Of Acme", "Of Zenith"]
    assert [made.first_name for made in people(acme)] == ["Of Acme"]
    assert [made.first_name for made in people(zenith)] == ["Of Zenith"]
    assert acme.sync(full=True).writes == zenith.sync(full=True).writes == []


def test_what_outlook_holds_itself_goes_into_the_organisation_that_meets_it_first(acme, zenith):
    acme.connect("ada")
    zenith.tenant = acme.tenant
    zenith.organisation()
    zenith.connect("ada")
    acme.mailbox("ada").add_contact(**SAME)
    for world in (zenith, acme, zenith, acme):
        world.sync()
    assert people(zenith).count() == 1 and people(acme).count() == 0
    assert acme.sync(full=True).writes == zenith.sync(full=True).writes == []


def test_nothing_stays_active_after_a_cycle_or_a_preview_even_one_that_fails(acme, monkeypatch):
    link = acme.connect("ada")
    ada(acme)
    run = SyncRun.objects.create(link=link, trigger="preview", queued_at=timezone.now())
    run_preview(run.pk)
    assert ACTIVE.get() is None
    acme.sandbox.faults.add(path=r"/v1\.0/", status=503, retry_after=600, times=None)
    with pytest.raises((Throttled, Unavailable)):
        acme.sync()
    assert ACTIVE.get() is None
