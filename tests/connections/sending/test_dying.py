from contextlib import suppress
from dataclasses import replace

import pytest

from connections.constants import AttemptOutcome
from connections.delivery import claiming, draining, settling
from connections.delivery.outcomes import Result
from connections.delivery.policy import POLICY
from connections.delivery.sent import Sent
from connections.models import ConnectionStats, DeliveryAttempt, MessageCopy, QueueLogEntry
from connections.services.messages import tallies
from tests.connections.sending.lane_work import DIES, copies, names, put_all, states, take
from tests.factories.spark import make_outbound
from tests.vaultadmin.outbound.peers import answer
from vaultadmin import clock

DELIVERED = Result(AttemptOutcome.DELIVERED, 200)


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
                done = [Sent(job, DELIVERED) for job in batch.jobs]
                settling.settle(batch, done, policy=POLICY, now=moment)

    for death in range(6):
        doomed(now + death * DIES)

    assert states(queue) == ["set_aside", "delivered", "delivered", "delivered"]
    assert peer.requests == []


@pytest.mark.parametrize("lane", ["in_order", "queue"])
def test_a_second_death_counts_for_few_and_only_one_is_in_hands_at_the_third(admin, lane, request):
    queue = request.getfixturevalue(lane)
    everything = put_all(queue, admin, *"ABCDEF")
    policy, now = replace(POLICY, few=2), clock.now()
    assert copies(take(now, policy=policy)) == everything
    assert copies(take(now + DIES, policy=policy)) == everything[:2]

    for copy in everything[:2]:
        [batch] = take(now + 2 * DIES, policy=policy)
        assert (copies([batch]), batch.alone) == ([copy], True)
        settling.settle(batch, [Sent(batch.jobs[0], DELIVERED)], policy=policy, now=now + 2 * DIES)

    assert copies(take(now + 2 * DIES, policy=policy)) == everything[2:4]
    assert set(states(queue)) == {"delivered", "waiting"}


def test_what_the_next_death_gives_up_is_in_hands_with_nothing_of_any_lane(admin, queue, listen, monkeypatch):
    peer = listen(answer())
    other = make_outbound(admin, queue.connections.get().connection, sequential=True)
    unharmed = make_outbound(admin, queue.connections.get().connection)
    last_chance = {*put_all(queue, admin, "A", "B"), *put_all(other, admin, "C", "D")}
    now = clock.now()
    for death in range(2):
        take(now + death * DIES)
    put_all(unharmed, admin, "E", "F")
    in_hands, together = set(), []
    real_take, real_settle = claiming.take, settling.settle_all

    def taking(**options):
        batches = real_take(**options)
        in_hands.update(copies(batches))
        together.append(set(in_hands))
        return batches

    def settling_all(done, **options):
        in_hands.difference_update(copies([batch for batch, _sent in done]))
        return real_settle(done, **options)

    monkeypatch.setattr(claiming, "take", taking)
    monkeypatch.setattr(settling, "settle_all", settling_all)
    draining.drain(now=lambda: now + 2 * DIES)

    assert sorted(names(peer)) == list("ABCDEF")
    assert all(len(held) == 1 for held in together if held & last_chance)
    assert set(MessageCopy.objects.values_list("state", flat=True)) == {"delivered"}
