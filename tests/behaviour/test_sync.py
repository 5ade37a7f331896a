"""The cycle itself: quiet when nothing changes, cheap when little does, unharmed by faults (SYNC, I-1 to I-7)."""

import itertools
import math
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opencrm_ms365.errors import Throttled, Unavailable
from opencrm_ms365.models import InboxItem, RecordMapping, SyncProblem, SyncRun
from opencrm_ms365.sync import work
from tests.rules import rule

pytestmark = pytest.mark.django_db(transaction=True)


def many(world, count, start=0):
    from demo_crm.crm.models import Contact

    Contact.objects.bulk_create([
        Contact(first_name="Ann", last_name=f"Number {number}", email=f"a{number}@x.example",
                assigned_to=world.user("ada"))
        for number in range(start, start + count)])


@rule("SYNC-05")
def test_a_second_cycle_over_unchanged_data_writes_nothing_on_either_side(world):
    world.connect("ada")
    many(world, 30)
    world.mailbox("ada").add_contacts({"givenName": "Bob", "surname": f"Number {number}"} for number in range(30))
    world.sync()
    before = list(world.crm.contacts().values())

    ran = world.sync()
    assert ran.writes == []
    assert list(world.crm.contacts().values()) == before
    ran = world.sync(full=True)
    assert ran.writes == []
    assert list(world.crm.contacts().values()) == before


@rule("SYNC-05")
@pytest.mark.parametrize("size", [10, 300])
def test_an_idle_link_costs_one_request_and_the_same_queries_whatever_its_size(world, size):
    world.connect("ada")
    many(world, size)
    box = world.mailbox("ada")
    for name in ("Customers", "Suppliers"):
        box.add_folder(name)
    world.settle()
    world.sync()

    ran = world.sync()
    assert ran.requests == ["POST /v1.0/$batch"]


@rule("SYNC-05")
def test_the_number_of_queries_of_an_idle_cycle_does_not_grow(world):
    from demo_crm.crm.models import Contact

    world.connect("ada")
    numbers = []
    for total in (20, 400):
        many(world, total, start=total * 1000)
        world.settle()
        Contact.objects.update(updated_at="2020-01-01T00:00:00Z")
        with CaptureQueriesContext(connection) as queries:
            world.sync()
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 75


@rule("SYNC-05")
def test_a_thousand_new_contacts_cost_at_most_55_write_requests(world):
    world.connect("ada")
    many(world, 1000)
    ran = world.sync()

    assert len(world.mailbox("ada").contacts()) == 1000
    assert math.ceil(1000 / 20) <= len(ran.requests) <= 55 + 5  # and the reading of the folders
    assert sum(1 for request in ran.requests if request.endswith("$batch")) <= 55
    assert world.sync().writes == []


def test_a_thousand_new_contacts_cost_a_constant_number_of_queries_for_each_chunk(world):
    world.connect("ada")
    many(world, 400)
    with CaptureQueriesContext(connection) as out:
        world.sync()
    world.mailbox("ada").add_contacts({"givenName": "Bob", "surname": f"Number {number}"} for number in range(400))
    with CaptureQueriesContext(connection) as back:
        world.sync()
    assert len(out) < 400  # far less than one for each record
    assert len(back) < 400 * 9  # a record of the CRM's own is saved by the CRM's own code, in a savepoint


@rule("SYNC-01")
def test_a_long_sync_in_small_slices_ends_as_one_in_a_piece(world, settings, monkeypatch):
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "CHUNK": 10, "PAGE_SIZE": 20}
    world.connect("ada")
    many(world, 60)
    world.mailbox("ada").add_contacts(
        {"givenName": "Ann", "surname": f"Number {number}", "emailAddresses": [{"address": f"a{number}@x.example"}]}
        for number in range(30, 90))

    looks = itertools.count()
    clock = SimpleNamespace(monotonic=lambda: next(looks))      # a slice ends at its sixth look at the clock
    monkeypatch.setattr(work, "time", clock)
    slices = 0
    while not (ran := world.sync(deadline=next(looks) + 5)).outcomes["ada"].finished:
        slices += 1
        assert slices < 50
    assert slices > 1
    assert SyncRun.objects.count() == 1
    run = ran.outcomes["ada"].run
    run.refresh_from_db()
    assert run.state == "done"
    assert (run.counts["contacts"]["crm"]["created"], run.counts["contacts"]["microsoft"]["created"]) == (30, 30)
    assert world.crm.contacts().count() == len(world.mailbox("ada").contacts()) == 90
    assert world.sync().writes == []


@rule("SYNC-03")
def test_one_failing_record_never_stops_the_others_and_is_tried_again(world):
    world.connect("ada")
    many(world, 5)
    world.sandbox.faults.add(
        method="POST", path="contacts$", inner=True, status=400, code="ErrorInvalidRequest", times=1)
    ran = world.sync()

    assert len(world.mailbox("ada").contacts()) == 4
    assert ran.outcomes["ada"].run.state == "partly"
    problem = SyncProblem.objects.get()
    assert problem.code == "microsoft_refused" and problem.object_id and problem.next_try_at is not None
    assert problem.resolved_at is None
    world.sync()
    assert len(world.mailbox("ada").contacts()) == 4  # not yet
    problem.refresh_from_db()
    assert problem.resolved_at is None
    RecordMapping.objects.update(next_try_at=None)
    world.sync()
    assert len(world.mailbox("ada").contacts()) == 5
    problem.refresh_from_db()
    assert problem.resolved_at is not None


@rule("SYNC-03")
def test_a_change_that_microsoft_goes_on_refusing_waits_longer_each_time(world):
    world.connect("ada")
    contact = world.crm.contact()
    world.settle()
    contact.job_title = "Officer"
    contact.save()
    world.sandbox.faults.add(method="PATCH", path="/contacts/", inner=True, status=400, times=3)
    waits = []
    for _ in range(3):
        world.sync()
        problem = SyncProblem.objects.get()  # one and the same
        assert problem.resolved_at is None
        waits.append((problem.next_try_at - problem.last_at).total_seconds())
        RecordMapping.objects.update(next_try_at=problem.first_at)
    assert waits == sorted(set(waits)) and problem.times == 3

    world.sync()
    problem.refresh_from_db()
    assert problem.resolved_at is not None
    assert world.mailbox("ada").contacts()[0]["jobTitle"] == "Officer"
    mapping = RecordMapping.objects.get()
    assert (mapping.attempts, mapping.next_try_at, mapping.failure) == (0, None, "")


@rule("SYNC-03")
def test_a_record_that_the_crm_refuses_is_reported_and_the_others_arrive(world, monkeypatch):
    from demo_crm.crm.models import Contact

    world.connect("ada")
    box = world.mailbox("ada")
    box.add_contact(givenName="Bad", surname="One")
    box.add_contact(givenName="Good", surname="One")
    save = Contact.save

    def refusing(self, *args, **kwargs):
        if self.first_name == "Bad":
            raise RuntimeError("secret contents")
        return save(self, *args, **kwargs)

    monkeypatch.setattr(Contact, "save", refusing)
    world.sync()
    assert [contact.first_name for contact in world.crm.contacts()] == ["Good"]
    problem = SyncProblem.objects.get()
    assert problem.code == "crm_refused" and "secret" not in problem.reason

    monkeypatch.undo()
    InboxItem.objects.update(next_try_at="2020-01-01T00:00:00Z")
    world.sync()
    assert world.crm.contacts().count() == 2


@rule("SYNC-04")
@pytest.mark.parametrize("cut", ["before", "after"])
def test_a_lost_answer_to_a_batch_doubles_nothing(world, cut):
    world.connect("ada")
    world.sync()
    many(world, 12)
    world.sandbox.faults.add(method="POST", path=r"\$batch", inner=False, cut=cut, times=1, skip=1)
    try:
        world.sync()
    except Unavailable:
        pass
    world.settle()

    names = sorted(item["surname"] for item in world.mailbox("ada").contacts())
    assert names == sorted(f"Number {number}" for number in range(12))
    assert world.crm.contacts().count() == 12


@rule("SYNC-04")
def test_a_creation_that_shows_up_late_leaves_no_twin(world):
    world.connect("ada")
    world.sync()
    many(world, 1)
    world.sandbox.options.filter_delay_s = 60.0
    world.sandbox.options.delta_delay_s = 60.0
    world.sandbox.faults.add(method="POST", path=r"\$batch", inner=False, cut="after", times=1, skip=1)
    try:
        world.sync()
    except Unavailable:
        pass
    world.sync()
    world.sandbox.clock.advance(120)
    world.sandbox.options.filter_delay_s = world.sandbox.options.delta_delay_s = 0.0
    world.settle()

    assert len(world.mailbox("ada").contacts()) == world.crm.contacts().count() == 1


def test_throttling_stops_the_link_without_harm(world):
    world.connect("ada")
    many(world, 5)
    world.sandbox.faults.add(path=r"/v1\.0/", status=429, retry_after=300, times=None)
    with pytest.raises(Throttled) as caught:
        world.sync()
    assert caught.value.retry_after_s == pytest.approx(300, abs=1)
    world.sandbox.faults.clear()
    world.settle()
    assert len(world.mailbox("ada").contacts()) == 5


def test_a_write_that_is_throttled_inside_a_batch_is_made_later(world):
    world.connect("ada")
    world.sync()
    many(world, 30)
    world.sandbox.faults.add(method="POST", path="contacts$", inner=True, status=429, retry_after=600, times=3)
    with pytest.raises(Throttled):
        world.sync()
    world.settle()
    assert len(world.mailbox("ada").contacts()) == 30
    assert world.crm.contacts().count() == 30


@rule("SYNC-08")
def test_a_pull_that_breaks_off_deletes_nothing_and_goes_on_where_it_was(world):
    world.connect("ada")
    world.mailbox("ada").add_contacts({"givenName": "Bob", "surname": f"Number {number}"} for number in range(450))
    world.sandbox.faults.add(method="GET", path="skiptoken", status=503, retry_after=600, times=1, skip=1)
    with pytest.raises((Throttled, Unavailable)):
        world.sync()
    world.settle()
    assert world.crm.contacts().count() == 450


@rule("USER-06")
def test_a_revoked_sign_in_stops_this_user_only_and_loses_nothing(world):
    world.crm.team("Sales", "ada", "ben")
    world.connect("ada")
    world.connect("ben")
    world.crm.contact(owner="ben")
    world.sync()
    world.sandbox.revoke(world.account("ada"))
    world.sandbox.expire_access_tokens(world.account("ada"))
    from opencrm_ms365.models import UserLink

    UserLink.objects.update(token_version=10)
    ran = world.sync()

    assert world.link("ada").status == "sign_in_again"
    assert world.link("ben").status == "connected"
    assert "token" not in ran.outcomes["ada"].run.message.casefold() or ran.outcomes["ada"].run.message
    many(world, 2)
    world.connect("ada")
    world.settle()
    assert len(world.mailbox("ada").contacts()) == 2


def test_a_412_is_read_again_and_merged(world):
    world.connect("ada")
    contact = world.crm.contact()
    world.sync()
    box = world.mailbox("ada")
    [item] = box.contacts()
    contact.job_title = "Commodore"
    contact.save()
    world.sandbox.faults.add(method="PATCH", path="contacts/", inner=True, status=412,
                             code="ErrorIrresolvableConflict", times=1)
    world.sync()
    assert box.contact(item["id"])["jobTitle"] == "Commodore"


def test_a_changed_address_of_graph_starts_over_without_harm(world, settings):
    world.connect("ada")
    world.crm.contact()
    world.sync()
    address = settings.OPENCRM_MS365["GRAPH_URL"]
    settings.OPENCRM_MS365 = {**settings.OPENCRM_MS365, "GRAPH_URL": address.replace("127.0.0.1", "localhost")}
    assert world.sync().writes == []
    assert world.crm.contacts().count() == len(world.mailbox("ada").contacts()) == 1


def test_changes_that_bypass_the_stamp_are_found_by_the_full_pass(world):
    from demo_crm.crm.models import Contact

    world.connect("ada")
    world.crm.contact()
    world.sync()
    Contact.objects.update(job_title="Commodore")
    world.sync(full=True)
    assert world.mailbox("ada").contacts()[0]["jobTitle"] == "Commodore"


@rule("USER-07")
def test_the_preview_says_what_the_sync_then_does_and_writes_nothing(world):
    from django.utils import timezone

    from opencrm_ms365.sync.preview import run_preview

    link = world.connect("ada")
    many(world, 3)
    world.crm.contact(first_name="Both", last_name="Sides", email="both@x.example", phone="+1 1")
    box = world.mailbox("ada")
    box.add_contact(givenName="Both", surname="Sides", emailAddresses=[{"address": "both@x.example"}], jobTitle="X")
    box.add_contact(givenName="Only", surname="Outlook")

    run = SyncRun.objects.create(link=link, trigger="preview", queued_at=timezone.now())
    before = max((entry.number for entry in world.sandbox.requests), default=0)
    run = run_preview(run.pk)
    log = world.sandbox.requests.find(path=r"^/v1\.0(/|$)", since=before)
    assert all(entry.method == "GET" or entry.path.endswith("$batch") for entry in log)
    assert world.crm.contacts().count() == 4
    assert not RecordMapping.objects.exists() and not InboxItem.objects.exists()

    counts = world.sync().counts()
    assert {**run.counts["contacts"]} == counts


@rule("SYNC-06")
def test_two_links_that_bring_in_the_same_new_contact_make_one_record(world):
    world.crm.team("Sales", "ada", "ben")
    for person in ("ada", "ben"):
        world.connect(person, only_my_items=False)
        world.mailbox(person).add_contact(givenName="Grace", surname="Hopper",
                                          emailAddresses=[{"address": "grace@x.example"}])
    world.settle()
    assert world.crm.contacts().count() == 1
    assert RecordMapping.objects.count() == 2
