import random
from datetime import timedelta
from uuid import uuid4

import pytest

from ecoa.models import CallShare, SyncRun
from ecoa.sync import shares
from ecoa.sync.shares import Need, Pool
from tests.factories.ecoa import make_run
from vaultadmin import clock

POOL = Pool("system x", 10)


@pytest.fixture
def renew(study):
    run = make_run(study.mapping)

    def ask(holder, wanted, *, calls=0, pool=POOL, now=None):
        need = Need(pool, wanted, calls=calls)
        return shares.renew(run_id=run.pk, holder=holder, needs=[need], now=now or clock.now())[pool.name]

    return ask


def test_single_lane_gets_what_it_wants_up_to_the_cap(renew):
    assert renew(uuid4(), 6) == 6
    assert renew(uuid4(), 30, pool=Pool("other", 10)) == 10


def test_second_lane_gets_the_rest_and_then_an_equal_part(renew):
    first, second = uuid4(), uuid4()

    assert renew(first, 10) == 10
    assert renew(second, 10) == 0
    assert renew(first, 10) == 5
    assert renew(second, 10) == 5
    assert renew(first, 10) == 5


def test_calls_under_way_count_until_they_are_over(renew):
    first, second = uuid4(), uuid4()
    renew(first, 10)
    renew(second, 10)

    assert renew(first, 10, calls=8) == 5
    assert renew(second, 10) == 2


def test_share_of_a_lane_that_vanished_is_free_after_its_lease(renew):
    renew(uuid4(), 10)
    later = clock.now() + shares.LEASE + timedelta(seconds=1)

    assert renew(uuid4(), 10) == 0
    assert renew(uuid4(), 10, now=later) == 10
    assert shares.tidy(now=later) == 2


def test_released_share_is_free_at_once(renew):
    holder = uuid4()
    renew(holder, 10)
    shares.release(holder=holder)

    assert renew(uuid4(), 10) == 10


def test_sum_of_shares_never_exceeds_the_cap_whoever_asks_when(renew):
    chance, holders, held = random.Random(3), [uuid4() for _ in range(6)], {}
    for _ in range(150):
        holder = chance.choice(holders)
        before = held.get(holder, 0)
        held[holder] = max(renew(holder, chance.randint(1, 12), calls=chance.randint(0, before)), 0)
        assert sum(CallShare.objects.values_list("granted", flat=True)) <= POOL.cap


def test_study_with_a_limit_keeps_to_it(study, machine):
    study.mapping.max_calls = 2
    study.mapping.save()
    study.participants(20)
    machine.latency = 0.02

    run = study.run()

    assert (run.synced, machine.most_at_once) == (20, 2)
    assert not CallShare.objects.exists()


def test_regions_keep_to_the_installation_s_limit_each(study, machine, settings):
    settings.ECOA_REGION_CALLS = 3
    study.participants(30)
    machine.latency = 0.02

    assert study.run().synced == 30
    assert machine.most_at_once == 3


def test_lane_without_a_share_leaves_the_run_for_later(study, machine):
    study.mapping.max_calls = 1
    study.mapping.save()
    study.participants(2)
    run = make_run(study.mapping)
    other = Need(Pool(f"study {study.mapping.pk}", 1), 1)
    holder = uuid4()
    shares.renew(run_id=run.pk, holder=holder, needs=[other], now=clock.now())

    assert study.finish(run, rounds=1).state == "running"
    assert machine.calls["post"] == 0

    shares.release(holder=holder)
    assert study.finish(SyncRun.objects.get(pk=run.pk)).synced == 2
