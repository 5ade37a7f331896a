"""A cycle that is killed at any instant and run again ends as one that was not (SYNC-04, I-1)."""

import itertools

import pytest

from opencrm_ms365.models import Conflict, RecordMapping, UserLink
from tests.crash.killing import run_killed
from tests.rules import rule

# Hundreds of cycles, one for each event: a minute on SQLite, more on PostgreSQL.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]

FIELDS = ("first_name", "last_name", "email", "job_title", "phone", "notes")


def prepare(world, person):
    """A linked person with something of everything that a cycle can have to do."""
    world.connect(person)
    box = world.mailbox(person)

    def contact(name, **values):
        return world.crm.contact(owner=person, first_name=name, last_name=person, email=f"{name}@{person}.example",
                                 **values)

    records = {name: contact(name, notes="Internal") for name in (
        "edited_here", "edited_there", "conflict", "deleted_here", "deleted_there", "given_away", "quiet")}
    world.sync(person)
    items = {item["givenName"]: item["id"] for item in box.contacts()}

    contact("new_here", phone="+1 1")
    box.add_contact(givenName="new_there", surname=person, emailAddresses=[{"address": f"nt@{person}.example"}])
    contact("on_both", phone="+1 2")
    box.add_contact(givenName="on_both", surname=person, jobTitle="Both",
                    emailAddresses=[{"address": f"on_both@{person}.example"}])
    for name, title in (("edited_here", "Here"), ("conflict", "Crm")):
        records[name].job_title = title
        records[name].save()
    box.edit_contact(items["edited_there"], jobTitle="There")
    box.edit_contact(items["conflict"], jobTitle="Microsoft")
    records["deleted_here"].delete()
    box.delete_contact(items["deleted_there"])
    records["given_away"].assigned_to = world.user("cleo")
    records["given_away"].save()


def outcome(world, person):
    """What both sides hold in the end, without names of persons and ids."""
    user = world.user(person)
    rows = world.crm.contacts().filter(last_name=person)
    crm = sorted((*[getattr(row, name) for name in FIELDS], row.assigned_to_id == user.pk) for row in rows)
    microsoft = sorted(
        (item["givenName"], item["emailAddresses"][0]["address"], item["jobTitle"] or "", item["businessPhones"],
         item["personalNotes"]) for item in world.mailbox(person).contacts())
    link = UserLink.objects.get(user=user)
    mappings = sorted(RecordMapping.objects.filter(link=link).values_list("state", "marked", "in_scope"))
    deleted = sorted(item["givenName"] for item in world.mailbox(person).deleted_items())
    conflicts = Conflict.objects.filter(link=link).count()
    return repr((crm, microsoft, mappings, deleted, conflicts)).replace(person, "somebody")


@rule("SYNC-04", "SYNC-06")
def test_a_cycle_killed_at_any_event_and_run_again_ends_as_if_nothing_had_happened(world):
    world.sandbox.options.batch_order = "as_sent"
    prepare(world, "ref")
    world.settle("ref")
    expected = outcome(world, "ref")

    for event in itertools.count(1):
        person = f"p{event}"
        prepare(world, person)
        killed = run_killed(lambda person=person: world.sync(person), event)
        ran = world.settle(person)
        assert outcome(world, person) == expected, f"killed at event {event}"
        assert ran.writes == []
        if not killed:
            break
    assert event > 20


@rule("SYNC-04")
def test_a_first_sync_killed_at_any_event_and_run_again_doubles_nothing(world):
    def begin(person):
        world.connect(person)
        for number in range(3):
            world.crm.contact(owner=person, first_name=f"c{number}", last_name=person,
                              email=f"c{number}@{person}.example")
            world.mailbox(person).add_contact(givenName=f"m{number}", surname=person)
        world.mailbox(person).add_contact(givenName="c0", surname=person,
                                          emailAddresses=[{"address": f"c0@{person}.example"}])

    for event in itertools.count(1):
        person = f"p{event}"
        begin(person)
        killed = run_killed(lambda person=person: world.sync(person), event)
        world.settle(person)
        names = ["c0", "c1", "c2", "m0", "m1", "m2"]
        assert sorted(item["givenName"] for item in world.mailbox(person).contacts()) == names, f"event {event}"
        rows = world.crm.contacts().filter(last_name=person)
        assert sorted(row.first_name for row in rows) == names, f"event {event}"
        if not killed:
            break
    assert event > 15
