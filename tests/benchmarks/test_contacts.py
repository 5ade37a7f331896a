"""What a cycle of contacts costs, in requests and queries. `make bench` prints the tables; `BENCH_SIZE` sets the size.

Nothing here looks at a clock: machines differ, counts do not.
"""

import math
import os

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SIZE = int(os.environ.get("BENCH_SIZE", "200"))
BATCH, PAGE = 20, 200


def fill(world, crm, microsoft):
    """Contacts in the CRM and in Outlook by number; a number in both is one person."""
    from demo_crm.crm.models import Contact

    ada = world.user("ada")
    Contact.objects.bulk_create([
        Contact(first_name="Ann", last_name=f"Number {number}", email=f"a{number}@x.example", assigned_to=ada)
        for number in crm])
    world.mailbox("ada").add_contacts(
        {"givenName": "Ann", "surname": f"Number {number}", "emailAddresses": [{"address": f"a{number}@x.example"}],
         "jobTitle": "Engineer"} for number in microsoft)


def measured(world):
    with CaptureQueriesContext(connection) as queries:
        ran = world.sync()
    return ran, len(queries)


def test_first_sync_of_a_half_matching_mailbox(world):
    world.connect("ada")
    fill(world, range(SIZE), range(SIZE // 2, SIZE + SIZE // 2))
    ran, queries = measured(world)

    pages, writes = math.ceil(SIZE / PAGE), math.ceil(SIZE / 2 / BATCH)
    marks = math.ceil(SIZE / BATCH)  # an identity on each contact that was there already (SYNC-09)
    least = pages + writes + marks
    print(f"first sync, {SIZE} contacts on each side, half of them the same")
    print(f"  requests {len(ran.requests)}, least possible {least}, ratio {len(ran.requests) / least:.2f}")
    print(f"  queries {queries}, for each record {queries / (1.5 * SIZE):.1f}")
    assert len(ran.requests) <= 1.3 * least + 8


@pytest.mark.parametrize("size", [SIZE, 3 * SIZE])
def test_idle_cycle(world, size):
    world.connect("ada")
    fill(world, range(size), ())
    world.settle()
    ran, queries = measured(world)
    print(f"idle cycle, {size} linked contacts: requests {len(ran.requests)}, queries {queries}")
    assert len(ran.requests) == 1


def test_one_percent_changed_on_each_side(world):
    from demo_crm.crm.models import Contact

    world.connect("ada")
    fill(world, range(SIZE), ())
    world.settle()
    changed = max(1, SIZE // 100)
    for contact in Contact.objects.order_by("pk")[:changed]:
        contact.job_title = "Changed here"
        contact.save()
    box = world.mailbox("ada")
    for item in box.contacts()[-changed:]:
        box.edit_contact(item["id"], jobTitle="Changed there")
    ran, queries = measured(world)
    print(f"{changed} of {SIZE} changed on each side: requests {len(ran.requests)}, queries {queries}")
    assert len(ran.requests) <= 1 + 2 * math.ceil(changed / BATCH)
