import json
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction

from connections import processors
from connections.constants import ConnectionState
from connections.delivery import claiming, draining, settling
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.sent import Sent
from connections.models import Connection, ConnectionStats, DeliveryAttempt, Lane, MessageCopy, QueueLogEntry
from connections.processors import Handler
from connections.services.messages import holding, queue_links, queues, tallies
from connections.services.refusals import Refused
from connections.spark.retrying import WINDOW
from tests.connections.sending.captured import Captured
from tests.factories.connections import make_external
from tests.factories.people import make_member
from tests.factories.spark import make_outbound, put
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock, place
from vaultadmin.permissions import Permission

DIES = timedelta(seconds=61)


@pytest.fixture
def in_order(admin, connection):
    return make_outbound(admin, connection, sequential=True)


def take(now=None, **options):
    return claiming.take(now=now or clock.now(), policy=POLICY, lanes=64, **options)


def copies(batches):
    return [job.copy for batch in batches for job in batch.jobs]


def names(peer):
    return [json.loads(Captured(request).body)["message"]["items"][0] for request in peer.requests]


def put_all(queue, admin, *items):
    for item in items:
        put(queue, admin, items=[item])
    return list(MessageCopy.objects.filter(queue=queue).order_by("pk").values_list("pk", flat=True))


def states(queue):
    return list(MessageCopy.objects.filter(queue=queue).order_by("pk").values_list("state", flat=True))


def test_sequential_messages_arrive_in_the_order_they_were_put(admin, in_order, listen):
    peer = listen(answer())
    put_all(in_order, admin, *"ABCDEFGH")

    draining.drain(policy=replace(POLICY, batch=3))

    assert names(peer) == list("ABCDEFGH")


def test_a_failing_message_holds_up_those_behind_it_until_it_arrives(admin, in_order, listen):
    replies = [answer(), answer(status="500 Oh"), answer()]
    peer = listen(lambda sock, peer: (replies.pop(0) if len(replies) > 1 else replies[0])(sock, peer))
    put_all(in_order, admin, *"ABC")

    draining.drain()
    draining.drain()
    assert names(peer) == ["A", "B"]
    assert states(in_order) == ["delivered", "waiting", "waiting"]
    assert DeliveryAttempt.objects.count() == 2

    draining.drain(now=lambda: clock.now() + timedelta(minutes=2))
    assert names(peer) == ["A", "B", "B", "C"]


def test_after_a_final_failure_the_next_one_follows(admin, in_order, listen):
    replies = [answer(status="410 Gone"), answer()]
    peer = listen(lambda sock, peer: (replies.pop(0) if len(replies) > 1 else replies[0])(sock, peer))
    put_all(in_order, admin, "A", "B")

    draining.drain()

    assert names(peer) == ["A", "B"]
    assert states(in_order) == ["failed", "delivered"]


def test_without_order_a_failing_message_steps_aside(admin, queue, listen):
    replies = [answer(status="400 Bad"), answer()]
    listen(lambda sock, peer: (replies.pop(0) if len(replies) > 1 else replies[0])(sock, peer))
    put_all(queue, admin, "A", "B", "C")

    draining.drain(policy=replace(POLICY, concurrency=1))

    assert states(queue) == ["waiting", "delivered", "delivered"]


def test_a_sequential_lane_has_one_sender_at_a_time(admin, in_order):
    put_all(in_order, admin, *"ABCD")
    policy = replace(POLICY, batch=2)

    first = claiming.take(now=clock.now(), policy=policy, lanes=64)
    second = claiming.take(now=clock.now(), policy=policy, lanes=64)

    assert len(copies(first)) == 2
    assert second == []


def test_a_sequential_lane_that_cannot_move_is_leased_by_nobody(admin, in_order):
    first, _second = put_all(in_order, admin, "A", "B")
    MessageCopy.objects.filter(pk=first).update(due_at=clock.now() + timedelta(minutes=1))

    assert take() == []
    assert copies(take(clock.now() + timedelta(minutes=2)))[0] == first


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_take_different_copies(admin, queue):
    put_all(queue, admin, *"ABCDEF")
    policy, together, taken = replace(POLICY, batch=2), threading.Barrier(2), []

    def sender():
        try:
            together.wait(10)
            for _ in range(3):
                taken.extend(copies(claiming.take(now=clock.now(), policy=policy, lanes=64)))
        finally:
            database.close()

    threads = [threading.Thread(target=sender) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(taken) == len(set(taken))
    taken += copies(take())
    assert sorted(taken) == sorted(MessageCopy.objects.values_list("pk", flat=True))


def test_the_lane_taken_longest_ago_comes_first(admin):
    made = [make_outbound(admin, make_external(admin)) for _ in range(3)]
    for queue in made:
        put_all(queue, admin, "A", "B")
    policy = replace(POLICY, batch=1)

    order = [claiming.take(now=clock.now(), policy=policy, lanes=1)[0].queue for _ in range(4)]

    assert order == [made[0].pk, made[1].pk, made[2].pk, made[0].pk]


def test_a_lease_that_is_renewed_is_not_taken_over(admin, queue):
    put_all(queue, admin, "A")
    now = clock.now()
    [batch] = take(now)

    assert claiming.renew(token=batch.token, now=now + DIES - timedelta(seconds=11), policy=POLICY)
    assert take(now + DIES) == []
    assert copies(take(now + 2 * DIES)) == copies([batch])
    assert not claiming.renew(token=batch.token, now=now, policy=POLICY)


def test_a_sender_that_slept_past_its_lease_settles_nothing_but_its_evidence(admin, queue):
    put_all(queue, admin, "A")
    now = clock.now()
    [late] = take(now)
    [current] = take(now + DIES)
    delivered = Result(settling.AttemptOutcome.DELIVERED, 200)

    done = settling.settle(late, [Sent(late.jobs[0], delivered)], policy=POLICY, now=now + DIES)

    assert (done.lost, done.delivered) == (1, 0)
    assert states(queue) == ["waiting"]
    assert tallies.waiting(queue) == 1
    assert [row.outcome for row in DeliveryAttempt.objects.order_by("number")] == ["delivered", "started"]
    assert current.jobs[0].number == 2


def test_a_copy_over_which_three_senders_died_is_set_aside_and_its_attempts_are_closed(admin, queue, connection):
    [copy] = put_all(queue, admin, "A")
    now = clock.now()
    for death in range(3):
        assert copies(take(now + death * DIES)) == [copy]

    assert take(now + 3 * DIES) == []

    row = MessageCopy.objects.get()
    assert (row.state, row.due_at, row.lease_token) == ("set_aside", None, None)
    assert row.reason
    assert tallies.waiting(queue) == 0
    assert QueueLogEntry.objects.get().error == row.reason
    assert ConnectionStats.objects.get(connection=connection).fatal == 1
    assert {(row.outcome, row.ended_at is None) for row in DeliveryAttempt.objects.all()} == {("started", False)}


def test_the_innocent_of_a_batch_are_sent_though_one_of_them_kills_every_sender(admin, queue, listen):
    peer = listen(answer())
    poison, *_others = put_all(queue, admin, "poison", "B", "C", "D")
    now = clock.now()

    def doomed(moment):
        """Senders of which each dies as soon as it has the poison in hands."""
        with suppress(IndexError):
            while poison not in copies([batch := take(moment)[0]]):
                done = [Sent(job, Result(settling.AttemptOutcome.DELIVERED, 200)) for job in batch.jobs]
                settling.settle(batch, done, policy=POLICY, now=moment)

    for death in range(6):
        doomed(now + death * DIES)

    assert states(queue) == ["set_aside", "delivered", "delivered", "delivered"]
    assert peer.requests == []


def test_calls_that_never_began_go_back_as_they_were(admin, queue):
    put_all(queue, admin, "A")
    [batch] = take()

    settling.settle(batch, [Sent(batch.jobs[0], None)], policy=POLICY, now=clock.now())

    row = MessageCopy.objects.get()
    assert (row.state, row.attempts, row.crashes, row.lease_token) == ("waiting", 0, 0, None)
    assert not DeliveryAttempt.objects.exists()


def delivery_switched_off(queue, connection, admin):
    queues.set_delivery(queue=queue, enabled=False, by=admin, now=clock.now())
    return lambda: queues.set_delivery(queue=queue, enabled=True, by=admin, now=clock.now() + 2 * WINDOW)


def connection_held(queue, connection, admin):
    operator = make_member(admin.vault, Permission.MESSAGES_OPERATE)
    held = holding.hold(connection=connection, reason="Moving house.", by=operator, now=clock.now())
    return lambda: holding.release(held=held, by=operator, now=clock.now() + 2 * WINDOW)


def connection_not_active(queue, connection, admin):
    Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.INACTIVE)
    return lambda: Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.ACTIVE)


def link_switched_off(queue, connection, admin):
    link = queue.connections.get()
    queue_links.edit(link=link, label="", is_active=False, by=admin, now=clock.now())
    on = {"link": link, "label": "", "is_active": True, "by": admin}
    return lambda: queue_links.edit(**on, now=clock.now() + 2 * WINDOW)


STANDSTILLS = [delivery_switched_off, connection_held, connection_not_active, link_switched_off]


@pytest.mark.parametrize("stop", STANDSTILLS, ids=lambda stop: stop.__name__)
def test_while_a_lane_stands_still_nothing_leaves_and_no_time_is_lost(admin, queue, connection, listen, stop):
    replies = [answer(status="400 Bad"), answer()]
    peer = listen(lambda sock, peer: (replies.pop(0) if len(replies) > 1 else replies[0])(sock, peer))
    put_all(queue, admin, "A")
    draining.drain()
    go_on = stop(queue, connection, admin)
    draining.drain(now=lambda: clock.now() + timedelta(minutes=5))
    assert len(peer.requests) == 1
    go_on()

    draining.drain(now=lambda: clock.now() + 2 * WINDOW + timedelta(minutes=5))

    assert len(peer.requests) == 2
    assert states(queue) == ["delivered"]


def test_a_connection_that_stops_being_active_under_a_sender_uses_up_no_attempt(
    admin, queue, connection, listen, monkeypatch
):
    peer = listen(answer())
    put_all(queue, admin, "A")
    real = claiming.take

    def too_late(**options):
        batches = real(**options)
        Connection.objects.filter(pk=connection.pk).update(state=ConnectionState.INACTIVE)
        return batches

    monkeypatch.setattr(claiming, "take", too_late)
    draining.drain()

    copy = MessageCopy.objects.get()
    assert (copy.state, copy.attempts) == ("waiting", 0)
    assert peer.requests == []
    assert Lane.objects.get().stopped_since is not None


def test_an_installation_that_may_be_a_copy_sends_nothing(admin, queue, listen, monkeypatch):
    peer = listen(answer())
    put_all(queue, admin, "A")
    monkeypatch.setattr(place, "held", lambda: True)

    assert draining.drain() == 0
    assert peer.requests == []
    assert Lane.objects.get().stopped_since is not None


@pytest.fixture
def handled(admin, connection, monkeypatch):
    told = []
    monkeypatch.setitem(processors.handlers, "told", Handler("Told", "", lambda *call: told.append(call)))
    queue = make_outbound(admin, connection, handler="told", handler_user=admin)
    return queue, told


def test_the_handler_is_told_of_a_copy_given_up_in_the_name_of_its_user(admin, handled, listen):
    queue, told = handled
    listen(answer(status="410 Gone"))
    response = put(queue, admin)

    draining.drain()

    [(message_id, actor, _now)] = told
    assert message_id == response.copies[0].message_id
    assert actor.name == f"Java SDK Service Account on behalf of {admin}"


def test_the_handler_is_told_of_a_copy_set_aside_and_not_of_one_that_is_tried_again(admin, handled, listen):
    queue, told = handled
    listen(answer(status="500 Oh"))
    put(queue, admin)
    draining.drain()
    assert told == []
    now = clock.now() + timedelta(minutes=2)
    for death in range(4):
        take(now + death * DIES)

    assert len(told) == 1


def test_a_handler_that_fails_undoes_its_own_work_and_nothing_else(admin, connection, listen, monkeypatch):
    other = make_outbound(admin, connection)

    def half(_message_id, _actor, now):
        put(other, admin, now=now)
        raise RuntimeError("half way")

    monkeypatch.setitem(processors.handlers, "half", Handler("Half", "", half))
    queue = make_outbound(admin, connection, handler="half", handler_user=admin)
    listen(answer(status="410 Gone"))
    put(queue, admin)

    draining.drain()

    assert states(queue) == ["failed"]
    assert states(other) == []


def test_a_handler_that_puts_the_message_elsewhere_does_so_with_the_failure(admin, connection, listen, monkeypatch):
    other = make_outbound(admin, make_external(admin, url="https://away.example.com/"))
    elsewhere = Handler("Elsewhere", "", lambda message_id, _actor, now: put(other, admin, items=[str(message_id)]))
    monkeypatch.setitem(processors.handlers, "elsewhere", elsewhere)
    queue = make_outbound(admin, connection, handler="elsewhere", handler_user=admin)
    listen(answer(status="410 Gone"))
    given_up = put(queue, admin).copies[0].message_id

    draining.drain()

    assert MessageCopy.objects.get(queue=other).content.keys == [str(given_up), "study__v"]


def test_what_cannot_be_made_ready_fails_alone(admin, queue, listen):
    peer = listen(answer())
    put_all(queue, admin, "A", "B")
    broken = MessageCopy.objects.earliest("pk").content
    type(broken).objects.filter(pk=broken.pk).update(payload="{", has_tokens=True)

    draining.drain()

    assert states(queue) == ["waiting", "delivered"]
    assert names(peer) == ["B"]
    assert DeliveryAttempt.objects.get(outcome="not_sent").error


@pytest.mark.django_db(transaction=True)
def test_a_connection_is_not_taken_from_its_queue_under_a_message_that_enters(admin, queue):
    entering, removed = threading.Event(), threading.Event()

    def removal():
        try:
            entering.wait(10)
            with pytest.raises(Refused, match="still wait"):
                queue_links.remove(link=queue.connections.get(), by=admin, now=clock.now())
            removed.set()
        finally:
            database.close()

    thread = threading.Thread(target=removal)
    thread.start()
    with transaction.atomic():
        put(queue, admin)
        entering.set()
        assert not removed.wait(0.3)
    thread.join(10)

    assert removed.is_set()
