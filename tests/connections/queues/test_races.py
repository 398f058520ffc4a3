from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database

from connections.constants import AttemptOutcome
from connections.delivery import claiming, settling
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.sent import Sent
from connections.models import MessageCopy, Queue, QueueConnection
from connections.services.messages import queue_ending, queue_links, queues, tallies
from connections.services.refusals import Refused
from tests.factories.connections import make_certificate, make_external
from tests.factories.spark import make_outbound, make_spark_admin, put
from vaultadmin import clock
from vaultadmin.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts):
    start = Barrier(len(acts))

    def run(act):
        start.wait(timeout=20)
        try:
            return act()
        except (Refused, IntegrityError) as refusal:
            return refusal
        finally:
            database.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, act) for act in acts]]


@pytest.fixture
def admin(transactional_db):
    make_certificate()
    return make_spark_admin()


@pytest.fixture
def queue(admin):
    return make_outbound(admin, make_external(admin), name="out__c")


def send(*, rounds):
    done = []
    for _ in range(rounds):
        for batch in claiming.take(now=clock.now() + timedelta(seconds=1), policy=POLICY, lanes=5):
            sent = [Sent(job, Result(AttemptOutcome.DELIVERED, 200, 1)) for job in batch.jobs]
            done.append(settling.settle(batch, sent, policy=POLICY, now=clock.now()))
    return done


def reset(queue, by):
    return queue_ending.reset(queue=queue, by=by, now=clock.now())


def test_resetting_while_messages_enter_and_leave_keeps_the_count_right(admin, queue):
    def fill():
        for _ in range(15):
            with transaction.atomic():
                put(queue, admin)

    at_once(fill, fill, lambda: send(rounds=10), lambda: [reset(queue, admin) for _ in range(5)])

    waiting = MessageCopy.objects.filter(due_at__isnull=False).count()
    assert tallies.waiting(queue) == waiting
    reset(queue, admin)
    assert tallies.waiting(queue) == 0
    assert MessageCopy.objects.count() == 30
    removed = sum(row.changes["Messages in queue"][0] for row in AuditEvent.objects.filter(event="queue.reset"))
    assert MessageCopy.objects.filter(state="removed").count() == removed


def test_queue_put_into_and_deleted_at_once_is_one_or_the_other(admin, queue):
    def puts():
        with transaction.atomic():
            return put(queue, admin)

    entered, deleted = at_once(puts, lambda: queue_ending.delete(queue=queue, confirmation=queue.name, by=admin))

    is_in = not isinstance(entered, IntegrityError) and entered.error is None
    assert isinstance(deleted, Refused) == Queue.objects.exists() == is_in
    assert MessageCopy.objects.count() == int(is_in)


def test_same_name_wanted_at_once_is_given_once(admin):
    def create():
        return queues.create(name="one__c", label="One", type="job", by=admin, now=clock.now())

    results = at_once(*[create] * 4)

    assert sum(isinstance(result, Refused) for result in results) == 3
    assert Queue.objects.count() == 1


def test_same_connection_added_at_once_belongs_to_the_queue_once(admin, queue):
    connection = make_external(admin)

    def add():
        return queue_links.add(queue=queue, connection=connection, by=admin, now=clock.now())

    results = at_once(*[add] * 4)

    assert sum(isinstance(result, Refused) for result in results) == 3
    assert QueueConnection.objects.filter(connection=connection).count() == 1


def test_switches_turned_at_once_are_all_recorded(admin, queue):
    def turn(enabled):
        return lambda: queues.set_delivery(queue=queue, enabled=enabled, by=admin, now=clock.now())

    at_once(
        turn(False),
        turn(True),
        turn(False),
        lambda: queues.set_active(queue=queue, active=False, by=admin, now=clock.now()),
    )

    final = Queue.objects.get()
    assert not final.is_active
    assert (final.connections.get().lane.stopped_since is None) == final.delivery_enabled
