"""Queries grow with chunks, not with records, and not with pairs of records and colleagues.

What is brought into the CRM is validated, saved and read again one by one, as the CRM's own forms do: there, only the
queries of our own tables are counted. Sizes are small: a query for each record shows with sixty as well as with ten
thousand. `BENCH_SIZE` makes them larger.
"""

import datetime
import os
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opencrm_ms365.models import CrmTouch, RecordMapping

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SIZE = int(os.environ.get("BENCH_SIZE", "60"))
COLLEAGUES = 3


def colleagues(world, number=COLLEAGUES):
    names = [f"colleague{count}" for count in range(number)]
    world.crm.team("Sales", *names)
    for name in names:
        world.connect(name, only_my_items=False)
    return names


def add_to_crm(world, owner, numbers):
    from demo_crm.crm.models import Contact

    Contact.objects.bulk_create([
        Contact(first_name="Ann", last_name=f"Number {number}", email=f"a{number}@x.example",
                assigned_to=world.user(owner)) for number in numbers])


def yesterday():
    """Nothing has just been changed: what was saved in the last minutes is looked at once more."""
    from demo_crm.crm.models import Contact

    Contact.objects.update(updated_at=timezone.now() - datetime.timedelta(days=1))
    CrmTouch.objects.all().delete()


def queries(world, *people, ours=False, **options):
    """The queries of one cycle, without the edges of transactions. `ours`: those of our own tables only."""
    with CaptureQueriesContext(connection) as captured:
        world.sync(*people, **options)
    texts = [query["sql"] for query in captured.captured_queries]
    texts = [text for text in texts if text.split()[0] not in ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")]
    return [text for text in texts if not ours or "opencrm_ms365_" in text]


def frequent(texts):
    return "\n".join(f"{count:4} {text}" for text, count in Counter(text[:150] for text in texts).most_common(20))


@pytest.mark.parametrize("chunk", [20, 40])
@pytest.mark.parametrize("side", ["crm", "microsoft"])
def test_a_chunk_costs_the_same_whatever_its_size(world, settings, side, chunk):
    """Two sizes are measured, so that what a cycle costs besides cancels out."""
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": chunk, "PAGE_SIZE": chunk}
    world.connect("ada")
    world.sync()
    costs, texts = [], []
    for first, last in ((0, SIZE), (SIZE, 3 * SIZE)):
        if side == "crm":
            add_to_crm(world, "ada", range(first, last))
        else:
            world.mailbox("ada").add_contacts(
                {"givenName": "Ann", "surname": f"Number {number}",
                 "emailAddresses": [{"address": f"a{number}@x.example"}]} for number in range(first, last))
        texts = queries(world, "ada", ours=side == "microsoft")
        costs.append(len(texts))
    assert RecordMapping.objects.filter(state="linked").count() == 3 * SIZE
    chunks = SIZE / chunk
    for_each = (costs[1] - costs[0]) / chunks
    print(f"{side}, chunks of {chunk}: {for_each:.1f} queries for each chunk")
    assert for_each <= MOST_FOR_A_CHUNK, frequent(texts)


#: Reading, pairing, deciding, writing and noting a chunk, on both sides together.
MOST_FOR_A_CHUNK = 40


def test_colleagues_with_the_same_contacts_cost_no_query_for_each_pair(world):
    """Neither when nothing changes, nor when a change reaches everybody."""
    from demo_crm.crm.models import Contact

    names = colleagues(world)
    idle, changed = [], []
    for first, last in ((0, SIZE), (SIZE, 3 * SIZE)):
        add_to_crm(world, names[0], range(first, last))
        world.settle()
        yesterday()
        idle.append([len(queries(world, name)) for name in names])
        for contact in Contact.objects.order_by("pk")[:10]:
            contact.job_title = f"Changed at {last}"
            contact.save()
        changed.append([len(queries(world, name)) for name in names])
        assert sum(item["jobTitle"] == f"Changed at {last}" for name in names
                   for item in world.mailbox(name).contacts()) == 10 * COLLEAGUES
        world.settle()
    assert RecordMapping.objects.count() == COLLEAGUES * 3 * SIZE
    assert idle[0] == idle[1] and changed[0] == changed[1], "three times as many contacts that everybody has"
    assert len(set(idle[1])) == len(set(changed[1])) == 1, "and for the first colleague as for the last"
