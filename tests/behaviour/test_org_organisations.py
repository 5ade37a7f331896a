"""Two organisations in one database: nobody sees, changes or syncs across.

North and South each have a Microsoft tenant, an administrator and a user; in both tenants there is somebody whose name
and address are the same. The tests try to get from one to the other by every door.
"""

import datetime

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from demo_crm.crm.models import Contact
from demo_crm.crm.ms365 import ContactAdapter
from opencrm_ms365.access import links, signin
from opencrm_ms365.access.refused import Refused
from opencrm_ms365.adapters import DirectoryAdapter, site
from opencrm_ms365.models import (
    Conflict,
    DeletedRecord,
    HeldDecision,
    RecordMapping,
    SharedRecord,
    SyncProblem,
    SyncRun,
    SyncSettings,
    UserLink,
    encrypt,
)
from opencrm_ms365.sync.eligible import eligible_links
from tests.browsing import Browser, text_of
from tests.rules import rule
from tests.world import REDIRECT_URI, World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("ORG-01")]
SECRET = "Zebulon"


class Directory(DirectoryAdapter):
    """A user called `name-north` belongs to North; the administrators are called so."""

    def tenants(self):
        return ["north", "south"]

    def tenants_of(self, user):
        return [user.username.rpartition("-")[2]]

    def is_org_admin(self, user, tenant):
        return user.username == f"boss-{tenant}"


class OfOneOrganisation(ContactAdapter):
    """The demo's contacts, with the organisation in the department's column."""

    fields = {name: spec for name, spec in ContactAdapter.fields.items() if name != "department"}
    tenant_field = "department"

    def visible_to(self, rows, ctx):
        return rows


@pytest.fixture
def both(sandbox, db):
    """(north, south), both switched on."""
    before, adapter = site.directory, site._adapters["crm.contact"]
    site.directory = Directory()
    site._adapters["crm.contact"] = OfOneOrganisation(Contact, name="crm.contact", creates=None, site=site)
    sandbox.add_tenant("south.example", "South Ltd")
    worlds = [World(sandbox, sandbox.world.tenant("brightwell.example"), key="north"),
              World(sandbox, sandbox.world.tenant("south.example"), key="south")]
    for world in worlds:
        world.organisation()
    yield worlds
    site.directory, site._adapters["crm.contact"] = before, adapter


def connected(world, person):
    """Like `world.connect`, with settings saved by the organisation's own administrator."""
    link = world.connect(person, save=False)
    from opencrm_ms365.access.user_settings import save_settings

    return save_settings(link, {"only_my_items": False}, world.user(f"boss-{world.key}"))


def boss(world):
    """The administrator, with every permission of Django's admin, but no superuser."""
    user = world.user(f"boss-{world.key}")
    user.is_staff = True
    user.save()
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="opencrm_ms365"))
    return Browser(world, user.username)


@pytest.fixture
def story(both):
    """South's link with one row of everything."""
    north, south = both
    mine, theirs = connected(north, "ada-north"), connected(south, "ben-south")
    contact = Contact.objects.create(first_name=SECRET, last_name="Quartermaine", department="south")
    now, common = timezone.now(), {"link": theirs, "tenant": "south"}
    record = {"adapter": "crm.contact", "object_id": str(contact.pk), "kind": "contacts"}
    rows = {
        "syncrun": SyncRun.objects.create(**common, trigger="schedule", state="done", queued_at=now, finished_at=now),
        "syncproblem": SyncProblem.objects.create(
            **common, **record, code="x", key="p", reason=f"{SECRET} cannot be synced.", first_at=now, last_at=now),
        "conflict": Conflict.objects.create(
            **common, **record, field="surname", winner="crm", at=now, values=encrypt({"crm": "a", "microsoft": "b"})),
        "helddecision": HeldDecision.objects.create(
            **common, kind="contacts", reason="deletion_guard", key="g", at=now, summary={"deletions": 40}),
        "deletedrecord": DeletedRecord.objects.create(
            **common, **record, at=now, contents=encrypt({"label": SECRET, "values": {"company_name": SECRET}})),
        "userlink": theirs,
        "syncsettings": SyncSettings.of("south"),
    }
    return north, south, mine, theirs, rows


@rule("ORG-07", "PRIV-03")
def test_ORG_07_an_administrator_finds_nothing_of_another_organisation(story):
    north, _south, mine, theirs, rows = story
    admin = boss(north)
    pages = [(name, theirs.pk) for name in (
        "profile", "settings", "preview", "runs", "problems", "conflicts", "held", "deleted", "api-links-detail")]
    pages += [("run", rows["syncrun"].pk), ("api-runs-detail", rows["syncrun"].pk)]
    for name, pk in pages:
        assert admin.get(name, pk).status_code == 404, name
    changes = [("disconnect", theirs.pk), ("sync-now", theirs.pk), ("pause", theirs.pk), ("resume", theirs.pk),
               ("switch", theirs.pk), ("settings", theirs.pk), ("api-links-pause", theirs.pk),
               ("api-links-resume", theirs.pk), ("problem-retry", rows["syncproblem"].pk),
               ("problem-ignore", rows["syncproblem"].pk), ("conflict-take-other", rows["conflict"].pk),
               ("deleted-undo", rows["deletedrecord"].pk), ("api-deleted-undo", rows["deletedrecord"].pk),
               ("held-confirm", rows["helddecision"].pk), ("held-dismiss", rows["helddecision"].pk),
               ("api-problems-retry", rows["syncproblem"].pk), ("api-conflicts-take-other", rows["conflict"].pk),
               ("api-held-confirm", rows["helddecision"].pk)]
    before = {name: type(row).objects.filter(pk=row.pk).values().get() for name, row in rows.items()}
    for name, pk in changes:
        assert admin.post(name, pk).status_code == 404, name
    assert admin.patch("api-links-detail", theirs.pk, data={"only_my_items": True}).status_code == 404
    assert {name: type(row).objects.filter(pk=row.pk).values().get() for name, row in rows.items()} == before
    for name in ("api-links-list", "api-runs-list", "api-problems-list", "api-conflicts-list", "api-held-list",
                 "api-deleted-list"):
        for query in ("", "?link=all", "?link=all&all=1"):
            answer = admin.get(name, query=query)
            assert SECRET not in answer.content.decode() and "ben-south" not in answer.content.decode(), name
        assert admin.get(name, query=f"?link={theirs.pk}").status_code == 404 or name == "api-links-list"
    people = text_of(admin.get("people"))
    assert "ada-north" in people and "ben-south" not in people and "South" not in people
    record = f"crm.contact:{rows['conflict'].object_id}"
    assert admin.get("api-why", query=f"?record={record}&link={mine.pk}").json()["verdict"] == "unknown"


@rule("PRIV-03")
def test_ORG_07_djangos_admin_shows_only_the_organisations_that_one_administers(story):
    north, _south, mine, theirs, rows = story
    admin = boss(north)
    for name, row in rows.items():
        listed = admin.client.get(reverse(f"admin:opencrm_ms365_{name}_changelist"))
        assert listed.status_code == 200, name
        page = listed.content.decode()
        assert "ben-south" not in page and SECRET not in page and "South Ltd" not in page, name
        for action in ("change", "history"):
            answer = admin.client.get(reverse(f"admin:opencrm_ms365_{name}_{action}", args=[row.pk]))
            assert answer.status_code in (302, 404), (name, action)
    assert admin.client.get(reverse("admin:opencrm_ms365_userlink_change", args=[mine.pk])).status_code == 200
    admin.client.post(reverse("admin:opencrm_ms365_userlink_changelist"),
                      {"action": "pause", "_selected_action": [theirs.pk]})
    admin.client.post(reverse("admin:opencrm_ms365_syncsettings_change", args=[rows["syncsettings"].pk]), {})
    theirs.refresh_from_db()
    assert not theirs.paused and SyncSettings.of("south").enabled


def test_ORG_07_choosing_an_organisation_that_one_does_not_belong_to_is_refused(both):
    north, _south = both
    ada = Browser(north, "ada-north")
    assert ada.post("choose-organisation", data={"tenant": "south"}).status_code == 403
    session = ada.client.session
    session["ms365_organisation"] = "south"
    session.save()
    assert ada.get("api-link").json()["status"] == "disconnected"
    assert not UserLink.objects.filter(tenant="south").exists()


@rule("ORG-02", "USER-02")
def test_ORG_02_an_account_of_the_other_organisation_is_refused(both):
    north, south = both
    session, user = {}, north.user("ada-north")
    address = signin.begin(user, session, "north", REDIRECT_URI)
    query = south._agree(address.replace(north.tenant.id, "organizations"), south.account("ben-south"))
    with pytest.raises(Refused):
        signin.complete(user, session, query)
    assert not UserLink.objects.exists()


@rule("USER-02")
def test_USER_02_an_access_key_works_in_its_own_organisation_only(both):
    north, _south = both
    session, user = {}, north.user("ada-north")
    address = signin.begin(user, session, "north", REDIRECT_URI)
    key = signin.complete(user, session, north._agree(address, north.account("ada-north")))
    with pytest.raises(Refused):
        links.connect(user, session, "south", key)
    assert links.connect(user, session, "north", key).tenant == "north"


@rule("USER-04")
def test_USER_04_a_user_of_two_organisations_has_a_link_in_each(both, monkeypatch):
    north, south = both
    monkeypatch.setattr(Directory, "tenants_of", lambda self, user: ["north", "south"])
    south.organisation(tenant_id="")
    first = north.connect("ada-north", save=False)
    session, user = {}, north.user("ada-north")
    address = signin.begin(user, session, "south", REDIRECT_URI)
    key = signin.complete(user, session, north._agree(address, north.account("ada-north")))
    second = links.connect(user, session, "south", key)
    assert first.pk != second.pk and UserLink.objects.count() == 2
    links.disconnect(first)
    second.refresh_from_db()
    assert second.token_cache is not None


def test_ORG_01_authorising_one_organisation_leaves_the_other_alone(both):
    from tests.behaviour.test_org_authorise import Administrator

    north, south = both
    north.account("admin")
    SyncSettings.objects.filter(tenant="north").update(tenant_id="", tenant_name="")
    before = SyncSettings.objects.filter(tenant="south").values().get()
    admin = Administrator(north, boss(north).world.user("boss-north").username)

    assert "has allowed this CRM" in text_of(admin.authorise())

    assert SyncSettings.of("north").tenant_id == north.tenant.id
    assert SyncSettings.objects.filter(tenant="south").values().get() == before
    session = Administrator(north, "boss-south")
    assert session.come_back({"state": "x"}).status_code == 400


def test_ORG_01_an_authorisation_cannot_be_finished_for_another_organisation(both, monkeypatch):
    from tests.behaviour.test_org_authorise import Administrator

    north, _south = both
    monkeypatch.setattr(Directory, "tenants_of", lambda self, user: ["north", "south"])
    monkeypatch.setattr(Directory, "is_org_admin", lambda self, user, tenant: True)
    SyncSettings.objects.update(tenant_id="", tenant_name="")
    admin = Administrator(north, "boss-north")
    admin.post("choose-organisation", data={"tenant": "north"})
    north.account("admin")
    query = admin.at_microsoft(admin.press_authorise())
    admin.post("choose-organisation", data={"tenant": "south"})
    page = admin.come_back(query)
    assert page.status_code == 400 and "another organisation of the CRM" in text_of(page)
    assert {row.tenant_id for row in SyncSettings.objects.all()} == {""}


# Syncing


@rule("CON-02", "SYNC-06")
def test_nothing_is_synced_across(both):
    """The same person is in both CRMs and both mailboxes: each stays on its side, with its own mapping."""
    north, south = both
    connected(north, "ada-north")
    connected(south, "ben-south")
    for world, phone in ((north, "1"), (south, "2")):
        Contact.objects.create(first_name="Grace", last_name="Hopper", email="grace@navy.example", phone=phone,
                               department=world.key, assigned_to=world.user("ada-north" if phone == "1" else
                                                                            "ben-south"))
    north.mailbox("ada-north").add_contact(givenName="Only", surname="North")
    south.mailbox("ben-south").add_contact(
        givenName="Grace", surname="Hopper", emailAddresses=[{"address": "grace@navy.example", "name": "G"}])
    north.settle()
    south.settle()

    in_north = {contact["givenName"]: contact.get("businessPhones") for contact in
                north.mailbox("ada-north").contacts()}
    in_south = {contact["givenName"]: contact.get("businessPhones") for contact in
                south.mailbox("ben-south").contacts()}
    assert in_north == {"Grace": ["1"], "Only": []} and in_south == {"Grace": ["2"]}
    assert sorted(Contact.objects.values_list("department", "first_name")) == [
        ("north", "Grace"), ("north", "Only"), ("south", "Grace")]
    owner = {mapping.object_id: mapping.link.tenant for mapping in RecordMapping.objects.select_related("link")}
    assert owner == {str(contact.pk): contact.department for contact in Contact.objects.all()}
    assert set(SharedRecord.objects.values_list("tenant", flat=True)) <= {"north", "south"}


@rule("ORG-04", "ORG-14")
def test_ORG_04_each_organisation_has_its_own_switches(both):
    north, south = both
    mine, theirs = connected(north, "ada-north"), connected(south, "ben-south")
    refused = {"access_problem": "consent", "access_retry_at": timezone.now() + datetime.timedelta(hours=1)}
    for change in ({"enabled": False}, {"paused": True}, {"installation_fingerprint": "elsewhere"}, refused):
        before = SyncSettings.objects.filter(tenant="north").values().get()
        SyncSettings.objects.filter(tenant="north").update(**change)
        assert list(eligible_links()) == [theirs], change
        SyncSettings.objects.filter(tenant="north").update(**before)
    assert set(eligible_links()) == {mine, theirs}
