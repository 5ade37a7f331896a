"""What a cycle with a calendar costs, in requests and queries; see `test_contacts`. `BENCH_SIZE` sets the size."""

import math
import os
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.meetings import invited, mails, times
from tests.world import tomorrow

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SIZE = int(os.environ.get("BENCH_SIZE", "200"))
BATCH, PAGE = 20, 200
#: The folders of contacts and the calendars are listed, and each kind is read.
OPENING = 6


def fill(world, numbers, owner="ada", users=()):
    """Meetings of the CRM by number, one after the other."""
    from demo_crm.crm.models import Activity

    made = Activity.objects.bulk_create([
        Activity(kind="meeting", subject=f"Number {number}", assigned_to=world.user(owner),
                 start=tomorrow() + timedelta(minutes=number), end=tomorrow() + timedelta(minutes=number + 30))
        for number in numbers])
    through = Activity.users.through
    through.objects.bulk_create([
        through(activity_id=row.pk, user_id=world.user(name).pk) for row in made for name in users])
    return made


def fill_outlook(world, numbers, *people, person="ada"):
    for number in numbers:
        world.mailbox(person).add_event(subject=f"Number {number}", attendees=invited(*people),
                                        **times(tomorrow() + timedelta(minutes=number), 0.5))
    mails(world)


def measured(world, *people, **options):
    with CaptureQueriesContext(connection) as queries:
        ran = world.sync(*people, **options)
    return ran, len(queries)


def batches(ran):
    return sum(request.endswith("/$batch") for request in ran.requests)


def test_idle_cycle_of_contacts_and_calendar(world):
    world.connect("ada")
    costs = []
    for size in (SIZE // 10, SIZE):
        fill(world, range(size - world.crm.meetings().count()))
        world.crm.contact(first_name=f"Number {size}", last_name="Hopper")
        world.settle()
        ran, queries = measured(world)
        print(f"idle cycle, {size} linked events: requests {len(ran.requests)}, queries {queries}")
        assert len(ran.requests) == 1
        costs.append(queries)
    assert costs[0] == costs[1]


def test_idle_cycle_of_meetings_with_attendees(world):
    world.organisation(attendees_future=True)
    costs = []
    for person in ("ada", "ben"):
        world.connect(person)
    for size in (SIZE // 10, SIZE // 2):
        fill(world, range(size - world.crm.meetings().count()), users=["ben"])
        world.settle()
        for person in ("ada", "ben"):
            ran, queries = measured(world, person)
            print(f"idle cycle of {person}, {size} meetings: requests {len(ran.requests)}, queries {queries}")
            assert len(ran.requests) == 1
            costs.append(queries)
    assert costs[:2] == costs[2:]


def test_new_events_go_out_in_batches(world):
    world.connect("ada")
    fill(world, range(SIZE))
    ran, queries = measured(world)
    print(f"{SIZE} new events out: requests {len(ran.requests)}, batches {batches(ran)}, queries {queries}, "
          f"for each {queries / SIZE:.2f}")
    assert len(world.mailbox("ada").events()) == SIZE
    assert batches(ran) <= math.ceil(1.1 * SIZE / BATCH)
    assert len(ran.requests) <= math.ceil(SIZE / BATCH) + OPENING
    assert queries < SIZE


def test_changed_events_go_out_in_batches(world):
    world.connect("ada")
    fill(world, range(45))
    world.settle()
    for meeting in world.crm.meetings():
        meeting.location = "Room 5"
        meeting.save()
    ran, queries = measured(world)
    print(f"45 changed events out: requests {len(ran.requests)}, queries {queries}")
    assert len(ran.writes) == 45
    assert len(ran.requests) == 1 + math.ceil(45 / BATCH)


def test_first_sync_inwards(world):
    world.connect("ada")
    fill_outlook(world, range(SIZE))
    ran, queries = measured(world)
    print(f"{SIZE} new events in: requests {len(ran.requests)}, queries {queries}, for each {queries / SIZE:.2f}")
    assert world.crm.meetings().count() == SIZE
    assert len(ran.requests) <= math.ceil(SIZE / PAGE) + math.ceil(SIZE / BATCH) + OPENING      # pages, and marks
    assert queries / SIZE < 12      # the CRM's own saving, in a savepoint for each


@pytest.mark.parametrize("linked", [True, False])
def test_attendees_cost_no_queries_of_their_own(world, linked):
    world.connect("ada")
    guests = [f"guest{number}" for number in range(8)]
    for guest in guests:
        world.user(guest)
        world.connect(guest) if linked else world.account(guest)
    costs = []
    for people in (guests[:1], guests):
        fill_outlook(world, range(20), *people)
        ran, queries = measured(world, "ada")
        costs.append(queries)
        print(f"20 events in with {len(people)} attendees: requests {len(ran.requests)}, queries {queries}")
    more = costs[1] - costs[0]
    assert more <= 20 * 5       # Django adds the others to the first in one go; nothing for each of them


def test_people_outside_cost_no_queries_of_their_own(world):
    world.connect("ada")
    costs = []
    for people in (1, 6):
        for number in range(20):
            customers = [f"c{number}.{person}@customer{people}.example" for person in range(people)]
            fill_outlook(world, [number], *customers)
        ran, queries = measured(world, "ada")
        costs.append(queries)
        print(f"20 events in with {people} customers each: requests {len(ran.requests)}, queries {queries}")
    assert costs[1] <= costs[0]


def test_guests_are_looked_up_together(world):
    world.organisation(attendees_future=True, mail_guard=100)
    world.connect("ada")
    guests = [f"guest{number}" for number in range(40)]
    for guest in guests:
        world.account(guest)
        fill(world, [1], users=[guest])
    ran, queries = measured(world)
    print(f"40 events out, each with a guest who is not linked: requests {len(ran.requests)}, queries {queries}")
    assert sorted(recipient for _kind, _sender, recipient in mails(world)) == sorted(guests)
    assert len(ran.requests) <= 2 * math.ceil(40 / BATCH) + OPENING
