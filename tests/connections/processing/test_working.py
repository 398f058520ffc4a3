from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection as database
from django.db.models import Sum

from connections.constants import IncomingState
from connections.models import FiledMessage, IncomingMessage, TrafficSlot
from connections.models.traffic import LONG
from connections.processing import filing, taking, working
from connections.processors import CannotProcess
from connections.services.messages import tallies
from tests.connections.handshake import fresh
from tests.factories.connections import make_local
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound
from vaultadmin import clock
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db
LATER = timedelta(hours=1)


@pytest.fixture
def owner(certificate):
    return make_member(make_vault(), *Permission)


@pytest.fixture
def link(owner):
    return make_local(owner)


@pytest.fixture
def unhurried(monkeypatch):
    monkeypatch.setattr(working, "MOMENT", float("inf"))


def work(now):
    return working.work(now=lambda: now)


def broken(*_arguments):
    raise CannotProcess("The shelf is full.")


def test_failing_message_is_tried_five_times_then_set_aside(owner, link, processor, now):
    queue = make_inbound(owner, link, processor=processor(broken))
    message = make_incoming(queue, link)
    waits, now = [], now + LATER
    for _ in range(working.TRIES):
        work(now)
        kept = fresh(message)
        if kept.due_at is not None:
            waits.append((kept.due_at - now).total_seconds())
            now = kept.due_at

    assert waits == [5, 30, 120, 600]
    assert (kept.state, kept.attempts, kept.last_error) == (IncomingState.SET_ASIDE, 5, "The shelf is full.")
    assert tallies.waiting(queue) == 0
    assert work(now + LATER) == 0


def test_effects_of_a_processor_that_breaks_off_are_undone_and_its_words_stay_in_the_log(owner, link, processor, now):
    def halfway(inbound, by, at):
        filing.file(inbound, by, at)
        raise KeyError("participant 1005-017")

    queue = make_inbound(owner, link, processor=processor(halfway))
    message = make_incoming(queue, link)

    work(now + LATER)

    assert not FiledMessage.objects.exists()
    assert fresh(message).last_error == "The processor broke off (KeyError). The log says more."


def test_failing_message_holds_up_a_sequential_queue_until_it_is_set_aside(owner, link, processor, now):
    done = []

    def run(inbound, by, at):
        if inbound.items == ["bad"]:
            raise CannotProcess("No.")
        done.append(inbound.items[0])

    queue = make_inbound(owner, link, processor=processor(run), sequential=True)
    bad, *_ = [make_incoming(queue, link, items=[item]) for item in ("bad", "2", "3")]

    work(now + LATER)
    assert done == []

    IncomingMessage.objects.filter(pk=bad.pk).update(attempts=working.TRIES - 1, due_at=now)
    work(now + LATER)
    assert done == ["2", "3"]


def test_other_queues_go_on_beside_a_failing_message(owner, link, processor, now):
    bad = make_inbound(owner, link, processor=processor(broken))
    good = make_inbound(owner, link, processor=filing.NAME)
    for queue in (bad, bad, good):
        make_incoming(queue, link)

    work(now + LATER)

    assert FiledMessage.objects.get().message.queue == good


class WorkerDied(BaseException):
    pass


def test_message_that_kills_its_worker_is_set_aside_after_three_and_the_others_arrive(owner, link, processor, now):
    deaths = []

    def run(inbound, by, at):
        if inbound.items == ["poison"]:
            deaths.append(at)
            raise WorkerDied
        filing.file(inbound, by, at)

    queue = make_inbound(owner, link, processor=processor(run))
    poison, *others = [make_incoming(queue, link, items=[item]) for item in ("poison", "b", "c", "d")]
    for _ in range(6):
        now += taking.LEASE * 2
        try:
            work(now)
        except WorkerDied:
            continue

    kept = fresh(poison)
    assert len(deaths) == taking.CRASHES
    assert (kept.state, kept.crashes) == (IncomingState.SET_ASIDE, taking.CRASHES)
    assert "died 3 times" in kept.last_error
    assert {filed.message for filed in FiledMessage.objects.all()} == set(others)
    assert tallies.waiting(queue) == 0
    counted = TrafficSlot.objects.filter(link__queue=queue, minutes=LONG).aggregate(Sum("failures"), Sum("fatal"))
    assert counted == {"failures__sum": 1, "fatal__sum": 1}


def test_a_worker_that_dies_among_messages_it_is_quick_about_leaves_none_of_them_half_done(owner, link, processor, now):
    died = []

    def run(inbound, by, at):
        filing.file(inbound, by, at)
        if inbound.items == ["c"] and not died:
            died.append(at)
            raise WorkerDied

    queue = make_inbound(owner, link, processor=processor(run))
    messages = [make_incoming(queue, link, items=[item]) for item in "abcd"]
    with pytest.raises(WorkerDied):
        work(now + LATER)

    assert not FiledMessage.objects.exists()
    assert {(fresh(message).state, fresh(message).attempts) for message in messages} == {(IncomingState.WAITING, 1)}

    work(now + LATER + taking.LEASE * 2)

    assert sorted(filed.message_id for filed in FiledMessage.objects.all()) == [message.pk for message in messages]
    assert {fresh(message).state for message in messages} == {IncomingState.PROCESSED}
    assert tallies.waiting(queue) == 0
    assert through(queue) == (len(messages), 0)


def test_of_messages_that_share_a_transaction_the_one_that_fails_fails_alone(owner, link, processor, now, unhurried):
    def run(inbound, by, at):
        filing.file(inbound, by, at)
        if inbound.items == ["c"]:
            raise CannotProcess("No.")

    queue = make_inbound(owner, link, processor=processor(run))
    messages = [make_incoming(queue, link, items=[item]) for item in "abcde"]

    assert work(now + LATER) == len(messages)

    waiting = messages.pop(2)
    assert {filed.message for filed in FiledMessage.objects.all()} == set(messages)
    assert (fresh(waiting).state, fresh(waiting).attempts, fresh(waiting).last_error) == ("waiting", 1, "No.")
    assert tallies.waiting(queue) == 1
    assert through(queue) == (len(messages), 1)


def test_messages_a_processor_is_quick_about_are_settled_together(
    owner, link, processor, now, unhurried, django_assert_max_num_queries
):
    queue = make_inbound(owner, link, processor=processor(lambda *_call: None))
    for _ in range(20):
        make_incoming(queue, link)

    with django_assert_max_num_queries(25):
        assert work(now + LATER) == 20

    assert through(queue) == (20, 0)


def through(queue):
    slots = TrafficSlot.objects.filter(link__queue=queue, minutes=LONG)
    return sum(sum(slot.waits) for slot in slots), sum(slot.failures for slot in slots)


def test_what_nobody_began_to_work_on_goes_back_as_it_was(owner, link, processor, now, monkeypatch):
    def slow(inbound, by, at):
        monkeypatch.setattr(working.time, "monotonic", lambda: float("inf"))

    queue = make_inbound(owner, link, processor=processor(slow))
    messages = [make_incoming(queue, link) for _ in range(3)]

    assert work(now + LATER) == 1

    states = [(fresh(message).state, fresh(message).attempts, fresh(message).lease_token) for message in messages]
    assert states[0][:2] == (IncomingState.PROCESSED, 1)
    assert states[1:] == [(IncomingState.WAITING, 0, None)] * 2


def test_worker_that_slept_past_its_lease_has_no_effect(owner, link, now):
    queue = make_inbound(owner, link, processor=filing.NAME)
    message = make_incoming(queue, link)
    late = taking.take(now=now + LATER)
    work(now + LATER + taking.LEASE * 2)
    assert FiledMessage.objects.count() == 1
    FiledMessage.objects.all().delete()

    working._work_on(late, clock.now, until=float("inf"))

    assert not FiledMessage.objects.exists()
    assert fresh(message).attempts == 2


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_take_no_message_twice(owner, link, now, goal):
    c4 = goal("C4")
    count = c4.count(small=200, full=10_000)
    queue = make_inbound(owner, link, processor=filing.NAME)
    for _ in range(count):
        make_incoming(queue, link)
    start = Barrier(4)

    def claim():
        start.wait(timeout=20)
        taken = []
        try:
            while batch := taking.take(now=now + LATER, limit=20):
                taken += [one.row for one in batch]
        finally:
            database.close()
        return taken

    with ThreadPoolExecutor(4) as pool:
        rows = [row for future in [pool.submit(claim) for _ in range(4)] for row in future.result(timeout=120)]

    twice = len(rows) - len(set(rows))
    c4.reached(figure={"taken": len(rows), "twice": twice}, target={"twice": 0}, ok=not twice and len(rows) <= count)
