"""What cycles of foreign CRMs cost, counted: queries for each chunk and not for each record, none for each pair of a
contact and a colleague, one request when nothing changed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.adapters.awkward.models import EmailAddress, Number, Person, Supplier

from .test_people import people

pytestmark = pytest.mark.django_db(transaction=True)

CHUNK = 10


@pytest.fixture(autouse=True)
def small_chunks(settings, sandbox):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": CHUNK, "PAGE_SIZE": CHUNK}


def crowd(world, count, owners=("ada",), start=0):
    """So many people with two addresses and a number each, made without any signal."""
    made = Person.objects.bulk_create([
        Person(organisation=world.org, first_name="Ann", last_name=f"Number {number}", kind="client", vat="1")
        for number in range(start, start + count)])
    through = Person.owners.through
    through.objects.bulk_create([
        through(person=person, profile=world.profile(who)) for person in made for who in owners])
    EmailAddress.objects.bulk_create([
        EmailAddress(person=person, address=f"{letter}{start + place}@x.example", is_primary=letter == "a")
        for place, person in enumerate(made) for letter in "ab"])
    Number.objects.bulk_create([Number(person=person, kind="work", number="+44 1", rank=0) for person in made])
    return made


def outlook(world, person, count, start=0):
    world.mailbox(person).add_contacts(
        {"givenName": "Ann", "surname": f"Number {number}", "businessPhones": ["+44 1"], "emailAddresses": [
            {"address": f"a{number}@x.example"}, {"address": f"b{number}@x.example"}]}
        for number in range(start, start + count))


def queries(world, *who, **options):
    with CaptureQueriesContext(connection) as captured:
        world.sync(*who, **options)
    return len(captured)


def costs(world, prepare, *, chunks=(2, 4, 6), measure=queries):
    """Queries of a cycle over so many chunks of records, each time with more of them."""
    found, done = [], 0
    for number in chunks:
        prepare(number * CHUNK - done, done)
        done = number * CHUNK
        found.append(measure(world))
    return found


def test_an_idle_cycle_costs_the_same_for_each_chunk_and_one_request(acme):
    acme.connect("ada")

    def settled(count, start):
        crowd(acme, count, start=start)
        acme.settle()

    found = costs(acme, settled)
    assert found[2] - found[1] == found[1] - found[0] <= 2 * 12
    assert acme.sync().requests == ["POST /v1.0/$batch"]


def test_a_full_pass_costs_the_same_for_each_chunk(acme):
    acme.connect("ada")

    def settled(count, start):
        crowd(acme, count, start=start)
        acme.settle()

    found = costs(acme, settled, measure=lambda world: queries(world, full=True))
    assert found[2] - found[1] == found[1] - found[0]


@pytest.mark.parametrize("where", ["crm", "outlook", "both"])
def test_a_first_sync_costs_a_constant_number_of_queries_for_each_chunk_and_record_written(acme, where):
    """New CRM records cost their own INSERTs; nothing else grows with the records."""
    acme.connect("ada")
    acme.sync()

    def fresh(count, start):
        if where in ("crm", "both"):
            crowd(acme, count, start=start)
        if where in ("outlook", "both"):
            outlook(acme, "ada", count, start=start)

    settled = costs(acme, fresh)          # each time two chunks of new records, and more that are linked already
    for_two_chunks = settled[1] - (settled[2] - settled[1])
    assert people(acme).count() == 6 * CHUNK == len(acme.mailbox("ada").contacts())
    own = 48 if where == "outlook" else 0
    assert for_two_chunks <= 180 + own * 2 * CHUNK, settled


def test_a_first_sync_asks_microsoft_in_proportion_to_the_contacts(acme):
    """Identities are listed once for a folder, not once for a chunk."""
    acme.connect("ada")
    acme.sync()
    asked = []
    for number in (8, 8):
        outlook(acme, "ada", number * CHUNK, start=number * CHUNK * len(asked))
        asked.append(len(acme.sync().requests))
    # eight pages of news, eight or sixteen of identities, four batches of marks, and the poll with its followers
    assert asked[0] <= 8 + 8 + 4 + 4 and asked[1] <= 8 + 16 + 4 + 4, asked
    assert people(acme).count() == 16 * CHUNK


def test_a_few_new_contacts_in_a_large_folder_are_asked_for_one_by_one(acme):
    acme.connect("ada")
    outlook(acme, "ada", 6 * CHUNK)
    acme.settle()
    outlook(acme, "ada", 3 * CHUNK, start=6 * CHUNK)
    listings = [asked for asked in acme.sync().requests if "/contacts" in asked and "delta" not in asked]
    assert listings == []


def test_colleagues_who_share_contacts_cost_no_query_for_each_pair(acme):
    colleagues = [f"user{number}" for number in range(6)]
    for who in colleagues:
        acme.connect(who)
    found = []
    for number in (2, 4):
        crowd(acme, (number - 2 or 2) * CHUNK, owners=colleagues, start=(number - 2) * CHUNK)
        for who in colleagues:
            acme.settle(who)
        found.append([queries(acme, who) for who in colleagues])
    few, many = found
    assert len(set(few)) == len(set(many)) == 1          # the sixth colleague costs what the first one does
    assert many[0] - few[0] <= 2 * 12
    assert all(len(acme.mailbox(who).contacts()) == 4 * CHUNK for who in colleagues)


def test_a_colleague_who_has_the_same_contacts_in_outlook_is_linked_without_a_query_for_each(acme):
    for who in ("ada", "ben"):
        acme.connect(who)
        acme.sync(who)
    crowd(acme, 2 * CHUNK, owners=("ada", "ben"))
    outlook(acme, "ben", 2 * CHUNK)
    acme.settle("ada")
    few = queries(acme, "ben")
    crowd(acme, 4 * CHUNK, owners=("ada", "ben"), start=2 * CHUNK)
    outlook(acme, "ben", 4 * CHUNK, start=2 * CHUNK)
    acme.settle("ada")
    many = queries(acme, "ben")
    assert people(acme).count() == 6 * CHUNK == len(acme.mailbox("ben").contacts())
    assert many - few < 6 * 25, (few, many)


def test_records_that_are_held_back_cost_no_query_each(acme):
    acme.connect("ada")

    def secret(count, start):
        crowd(acme, count, start=start)
        Person.objects.update(vat="secret")
        acme.sync()

    found = costs(acme, secret)
    assert found[2] - found[1] == found[1] - found[0] <= 2 * 16


def test_records_that_fell_out_of_scope_cost_no_query_each(acme):
    acme.connect("ada")

    acme.organisation(deletion_guard_percent=100)

    def lost(count, start):
        made = crowd(acme, count, start=start)
        acme.settle()
        Person.owners.through.objects.filter(person__in=made).delete()

    found = costs(acme, lost, chunks=(1, 3, 7))
    assert acme.mailbox("ada").contacts() == []
    assert (found[2] - found[1]) / 2 <= (found[1] - found[0]) + 5 <= 2 * 36, found


def test_suppliers_with_a_stamp_are_not_read_unless_they_changed(acme):
    acme.connect("ada")
    for number in range(4 * CHUNK):
        Supplier.objects.create(organisation=acme.org, name=f"Supplier {number}", owner=acme.profile("ada"))
    acme.settle()
    Supplier.objects.update(changed_at="2020-01-01T00:00:00Z")
    from opencrm_ms365.models import CrmTouch

    CrmTouch.objects.all().delete()
    with CaptureQueriesContext(connection) as captured:
        assert acme.sync().writes == []
    reads = [query for query in captured if '"awkward_supplier"."emails"' in query["sql"]]
    assert reads == []
