"""Who works on a link: one holder at a time, on any number of machines (SYNC-01, I-2)."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from opencrm_ms365.errors import LeaseLost
from opencrm_ms365.models import Heartbeat, UserLink
from opencrm_ms365.sync import lease as leases
from opencrm_ms365.sync import process
from tests.schedule import builders
from tests.schedule.test_process import finished_process

pytestmark = pytest.mark.django_db
OTHER_MACHINE = "elsewhere/boot/1/2/3/token"


def held(link, owner, seconds):
    UserLink.objects.filter(pk=link.pk).update(
        lease_owner=owner, lease_until=timezone.now() + timedelta(seconds=seconds))
    link.refresh_from_db()
    return link


@pytest.mark.rule("SYNC-01")
def test_only_one_gets_a_link():
    link = builders.link()
    first = leases.acquire(link.pk)
    assert first is not None
    assert leases.acquire(link.pk) is None
    assert first.release()
    assert leases.acquire(link.pk) is not None


def test_a_link_that_is_gone_cannot_be_leased():
    assert leases.acquire(123456) is None


def test_acquiring_takes_one_update_and_sets_other_values_with_it(django_assert_num_queries):
    link = builders.link()
    with django_assert_num_queries(3):      # who has it, the UPDATE, the heartbeat
        leases.acquire(link.pk, attempts=4)
    link.refresh_from_db()
    assert link.attempts == 4


def test_a_lease_ends_by_itself():
    link = builders.link()
    now = timezone.now()
    first = leases.acquire(link.pk, now)
    assert leases.acquire(link.pk, now + timedelta(seconds=119)) is None
    second = leases.acquire(link.pk, now + timedelta(seconds=121))
    assert second is not None and second.taken_over_from == first.owner
    with pytest.raises(LeaseLost):
        first.renew()
    assert not first.release(attempts=99), "the first holder must not write any more"
    link.refresh_from_db()
    assert (link.lease_owner, link.attempts) == (second.owner, 0)


def test_a_renewed_lease_lives_on():
    link = builders.link()
    now = timezone.now()
    lease = leases.acquire(link.pk, now)
    lease.renew(now + timedelta(seconds=100))
    assert leases.acquire(link.pk, now + timedelta(seconds=150)) is None


def test_ensure_renews_only_when_a_third_has_passed(django_assert_num_queries, settings):
    link = builders.link()
    lease = leases.acquire(link.pk)
    with django_assert_num_queries(0):
        lease.ensure()
    lease._renewed_at -= timedelta(seconds=41)
    with django_assert_num_queries(2):      # the lease and the heartbeat
        lease.ensure()
    with django_assert_num_queries(0):
        lease.ensure()


def test_ensure_notices_a_lost_lease():
    link = builders.link()
    lease = leases.acquire(link.pk)
    held(link, OTHER_MACHINE, 100)
    lease._renewed_at -= timedelta(seconds=41)
    with pytest.raises(LeaseLost):
        lease.ensure()


@pytest.mark.django_db(transaction=True)
def test_renewing_in_a_transaction_that_fails_changes_nothing():
    link = builders.link()
    lease = leases.acquire(link.pk)
    before = UserLink.objects.get(pk=link.pk).lease_until
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lease.renew(timezone.now() + timedelta(seconds=50))
        raise ZeroDivisionError
    assert UserLink.objects.get(pk=link.pk).lease_until == before


def test_the_lease_of_a_dead_process_of_this_machine_is_taken_over_at_once():
    child, name = finished_process()
    child.wait()
    link = held(builders.link(), name + "/token", 100)
    assert not leases.is_held(link)
    lease = leases.acquire(link.pk)
    assert lease is not None and lease.taken_over_from == name + "/token"


def test_the_lease_of_another_machine_is_waited_for():
    link = held(builders.link(), OTHER_MACHINE, 100)
    assert leases.is_held(link)
    assert leases.acquire(link.pk) is None


def test_abandoned_leases_are_those_of_the_dead_and_of_silent_strangers():
    child, dead = finished_process()
    child.wait()
    of_the_dead = held(builders.link(), dead + "/token", 100)
    silent = held(builders.link(), OTHER_MACHINE, -1)
    held(builders.link(), OTHER_MACHINE, 100)
    held(builders.link(), process.identity() + "/token", -1)        # slow, but alive
    builders.link()
    assert sorted(leases.abandoned()) == sorted([(of_the_dead.pk, dead + "/token"), (silent.pk, OTHER_MACHINE)])
    assert leases.clear(silent.pk, OTHER_MACHINE)
    assert not leases.clear(silent.pk, OTHER_MACHINE)


def test_leasing_and_renewing_are_signs_of_life():
    lease = leases.acquire(builders.link().pk)
    assert Heartbeat.objects.get().name == process.identity()
    Heartbeat.objects.update(at=timezone.now() - timedelta(hours=1))
    lease.renew()
    assert timezone.now() - Heartbeat.objects.get().at < timedelta(minutes=1)


def test_the_foreground_command_is_no_background_worker():
    leases.acquire(builders.link().pk, doing="").renew()
    assert not Heartbeat.objects.exists()
