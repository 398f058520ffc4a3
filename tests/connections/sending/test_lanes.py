import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction

from connections.delivery import claiming, draining, settling
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.sent import Sent
from connections.models import DeliveryAttempt, MessageCopy
from connections.services.messages import queue_links, tallies
from connections.services.refusals import Refused
from tests.connections.sending.lane_work import DIES, copies, names, put_all, states, take
from tests.factories.connections import make_external
from tests.factories.spark import make_outbound, put
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock


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

    assert claiming.renew([batch], now=now + DIES - timedelta(seconds=11), policy=POLICY) == 1
    assert take(now + DIES) == []
    assert copies(take(now + 2 * DIES)) == copies([batch])
    assert claiming.renew([batch], now=now, policy=POLICY) == 0


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


def test_calls_that_never_began_go_back_as_they_were(admin, queue):
    put_all(queue, admin, "A")
    [batch] = take()

    settling.settle(batch, [Sent(batch.jobs[0], None)], policy=POLICY, now=clock.now())

    row = MessageCopy.objects.get()
    assert (row.state, row.attempts, row.crashes, row.lease_token) == ("waiting", 0, 0, None)
    assert not DeliveryAttempt.objects.exists()


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
