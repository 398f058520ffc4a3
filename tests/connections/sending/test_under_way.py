import threading
from dataclasses import replace

import pytest
from django.db import DatabaseError
from django.db import connection as database

from connections import processors
from connections.delivery import claiming, draining, settling
from connections.delivery.policy import POLICY
from connections.models import DeliveryAttempt, IncomingMessage, Lane, MessageCopy
from connections.processors import Processor
from connections.services.messages import holding, tallies
from tests.factories.connections import make_external, make_local
from tests.factories.people import make_member
from tests.factories.spark import make_inbound, make_outbound, put
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock
from vaultadmin.permissions import Permission

ONE_BY_ONE = replace(POLICY, concurrency=1)


@pytest.fixture
def looking_all_the_time(monkeypatch):
    monkeypatch.setattr(draining, "_LOOK", 0.0)


@pytest.fixture
def held_at(monkeypatch, admin):
    """Hold everything, or a connection, when the sender looks for the given time."""

    def at(look, connection=None):
        noticed, looks, real = threading.Event(), [], claiming.stopped

        def stopped(lanes):
            looks.append(lanes)
            if len(looks) == look:
                operator = make_member(admin.vault, Permission.MESSAGES_OPERATE)
                holding.hold(connection=connection, reason="Moving house.", by=operator, now=clock.now())
            found = real(lanes)
            if found:
                noticed.set()
            return found

        monkeypatch.setattr(claiming, "stopped", stopped)
        return noticed

    return at


def fates(queue):
    rows = MessageCopy.objects.filter(queue=queue).order_by("pk")
    return list(rows.values_list("state", "attempts", "lease_token"))


@pytest.mark.parametrize("everywhere", [False, True], ids=["of the connection", "of everything"])
@pytest.mark.parametrize("sequential", [False, True], ids=["side by side", "in order"])
def test_a_hold_stops_what_a_sender_has_taken_already(
    admin, connection, listen, held_at, looking_all_the_time, monkeypatch, everywhere, sequential
):
    queue = make_outbound(admin, connection, sequential=sequential)
    noticed = held_at(1, None if everywhere else connection)
    stopped = threading.Event()
    monkeypatch.setattr(draining, "_stop", after(draining._stop, lambda: noticed.is_set() and stopped.set()))

    def first_waits(sock, peer):
        stopped.wait(20)
        return answer()(sock, peer)

    peer = listen(first_waits)
    for _ in range(6):
        put(queue, admin)

    draining.drain(policy=ONE_BY_ONE)

    assert len(peer.requests) == DeliveryAttempt.objects.count() == 1
    assert fates(queue) == [("delivered", 1, None)] + [("waiting", 0, None)] * 5
    assert tallies.waiting(queue) == 5
    assert Lane.objects.get().stopped_since is not None


def after(act, then):
    def both(*arguments):
        act(*arguments)
        then()

    return both


def test_a_hold_stops_what_is_handed_over_within_the_vault(admin, held_at, looking_all_the_time, monkeypatch):
    monkeypatch.setitem(processors.registered, "noted", Processor("Noted", "", lambda *_: None))
    make_inbound(admin, processor="noted", name="arrivals__c")
    local = make_local(admin, api_name="itself")
    queue = make_outbound(admin, local, deliver_to="arrivals__c")
    for _ in range(4):
        put(queue, admin)
    taken = MessageCopy.objects.filter(queue=queue)
    IncomingMessage.objects.all().delete()
    taken.update(state="waiting", due_at=clock.now(), settled_at=None, attempts=0)
    DeliveryAttempt.objects.all().delete()
    tallies.add({queue.pk: 4})
    held_at(3)

    draining.drain()

    assert fates(queue) == [("delivered", 1, None)] * 2 + [("waiting", 0, None)] * 2
    assert IncomingMessage.objects.count() == 2


def test_the_next_batch_is_taken_while_the_last_calls_of_one_are_under_way(admin, queue, listen, monkeypatch):
    batches, refilled = [], threading.Event()
    under_way, most, guard = 0, 0, threading.Lock()
    real = claiming.take

    def take(**options):
        found = real(**options)
        batches.extend(found)
        if len(batches) > 1:
            refilled.set()
        return found

    def counting(sock, peer):
        nonlocal under_way, most
        with guard:
            under_way += 1
            most = max(most, under_way)
        refilled.wait(20)
        went = answer()(sock, peer)
        with guard:
            under_way -= 1
        return went

    monkeypatch.setattr(claiming, "take", take)
    peer = listen(counting)
    for _ in range(12):
        put(queue, admin)

    draining.drain(policy=replace(POLICY, batch=4, concurrency=2))

    assert refilled.is_set()
    assert most <= 2
    assert len(peer.requests) == 12
    assert {state for state, _attempts, _token in fates(queue)} == {"delivered"}


def test_a_receiver_that_stops_answering_gets_nothing_of_the_next_batch(admin, queue, listen, monkeypatch):
    peer = listen(answer(status="503 Away"))
    for _ in range(12):
        put(queue, admin)

    draining.drain(policy=replace(POLICY, batch=8, concurrency=1))

    assert len(peer.requests) == POLICY.breaker_at
    assert Lane.objects.get().paused_until is not None
    assert sorted(attempts for _state, attempts, _token in fates(queue)) == [0] * 7 + [1] * 5


@pytest.mark.django_db(transaction=True)
def test_a_sender_waits_for_a_lane_that_another_one_looks_at(admin, queue, listen):
    listen(answer())
    put(queue, admin)
    settled, other = [], database.copy()
    ended = threading.Event()

    def sender():
        try:
            settled.append(draining.drain())
        finally:
            ended.set()
            database.close()

    thread = threading.Thread(target=sender)
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT link_id FROM connections_lane FOR NO KEY UPDATE")
            thread.start()
            assert not ended.wait(0.3)
    finally:
        other.rollback()
        other.close()
    thread.join(30)

    assert settled == [1]


def test_a_batch_that_cannot_be_written_keeps_no_other_from_being_written(admin, queue, listen, monkeypatch):
    listen(answer())
    other = make_outbound(admin, make_external(admin, url="https://rtsm.example.com/other"))
    for place in (queue, other):
        put(place, admin)
    real = settling.settle_all

    def settle_all(done, **options):
        if any(batch.queue == queue.pk for batch, _sent in done):
            raise DatabaseError("This one cannot be written.")
        return real(done, **options)

    monkeypatch.setattr(settling, "settle_all", settle_all)

    draining.drain()

    assert [state for state, _attempts, _token in fates(other)] == ["delivered"]
    [(state, attempts, token)] = fates(queue)
    assert (state, attempts) == ("waiting", 1)
    assert token is not None
