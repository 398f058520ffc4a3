import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction

from connections.constants import AttemptOutcome
from connections.delivery import claiming, draining, settling
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.sent import Sent
from connections.models import ConnectionStats, MessageCopy
from connections.services.messages import standstill, tallies
from connections.spark.message import CAPACITY, PutError
from tests.factories.spark import put
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock

HOUR = timedelta(hours=1)


def at_once(number, act):
    """What each of so many threads got, which begin together."""
    together, results = threading.Barrier(number), []

    def run():
        try:
            together.wait(20)
            results.append(act())
        finally:
            database.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.mark.django_db(transaction=True)
def test_the_last_places_of_a_queue_are_given_once(admin, queue):
    tallies.add({queue.pk: CAPACITY - 3})

    errors = at_once(8, lambda: put(queue, admin).error)

    assert sorted(map(str, errors)) == sorted(["None"] * 3 + [str(PutError.QUEUE_FULL)] * 5)
    assert tallies.waiting(queue) == CAPACITY


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_deliver_everything_once(admin, queue, listen):
    peer = listen(answer())
    for _ in range(30):
        put(queue, admin)

    settled = at_once(2, draining.drain)

    assert sum(settled) == len(peer.requests) == 30
    assert set(MessageCopy.objects.values_list("state", flat=True)) == {"delivered"}
    assert tallies.waiting(queue) == 0
    assert ConnectionStats.objects.get().sent == 30


def test_a_clock_moved_ahead_by_an_hour_lets_another_sender_repeat_what_is_under_way(admin, queue, listen):
    peer = listen(answer())
    put(queue, admin)
    now = clock.now()
    [under_way] = claiming.take(now=now, policy=POLICY, lanes=64)

    draining.drain(now=lambda: now + HOUR)
    done = Sent(under_way.jobs[0], Result(AttemptOutcome.DELIVERED, 200))
    late = settling.settle(under_way, [done], policy=POLICY, now=now + HOUR)

    assert len(peer.requests) == late.lost == 1
    assert MessageCopy.objects.get().state == "delivered"
    assert tallies.waiting(queue) == 0
    assert ConnectionStats.objects.get().sent == 1


def test_a_clock_moved_back_by_an_hour_delays_and_loses_nothing(admin, queue, listen):
    peer = listen(answer())
    now = clock.now()
    put(queue, admin, now=now + HOUR, items=["before"])
    put(queue, admin, now=now, items=["after"])

    draining.drain(now=lambda: now)
    assert len(peer.requests) == 1
    draining.drain(now=lambda: now + HOUR)

    assert set(MessageCopy.objects.values_list("state", flat=True)) == {"delivered"}
    assert len(peer.requests) == 2


@pytest.mark.django_db(transaction=True)
def test_looking_for_lanes_that_stop_waits_for_none_that_stay_as_they_are(admin, queue):
    other = database.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT link_id FROM connections_lane FOR UPDATE")
            assert cursor.fetchall()
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            assert standstill.note(now=clock.now()) == 0
    finally:
        other.rollback()
        other.close()
