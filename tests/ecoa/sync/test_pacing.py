import asyncio
import heapq
import random

import pytest

from ecoa.sync.pacing import Gate, Lanes, Pace, Slowed
from ecoa.sync.policy import Policy
from vaultadmin.outbound import Answer


class Server:
    """A simulated eCOA on a simulated clock: `capacity` calls at a time in `latency` seconds, more wait their turn."""

    def __init__(self, *, capacity=40, latency=0.1, seed=1):
        self.capacity, self.latency, self.failing, self.limit = capacity, latency, 0.0, None
        self.chance = random.Random(seed)
        self.now, self.free_at = 0.0, []

    def call(self, under_way):
        if self.limit is not None and under_way > self.limit:
            return self.now + 0.01, 429
        begins = self.now
        if len(self.free_at) >= self.capacity:
            begins = max(begins, heapq.heappop(self.free_at))
        ends = begins + self.latency * self.chance.uniform(0.9, 1.1)
        heapq.heappush(self.free_at, ends)
        return ends, 500 if self.chance.random() < self.failing else 200


def drive(pace, server, seconds):
    """Keep as many calls under way as the pace allows; the pace each second."""
    under_way, until, seen = [], server.now + seconds, []
    while server.now < until:
        while len(under_way) < pace.limit:
            ends, status = server.call(len(under_way) + 1)
            heapq.heappush(under_way, (ends, server.now, status))
        ends, began, status = heapq.heappop(under_way)
        server.now = max(server.now, ends)
        pace.note(Answer(status=status, elapsed=ends - began), under_way=len(under_way) + 1)
        seen.append(pace.limit)
    return seen


@pytest.fixture
def pace():
    return Pace(start=32, most=128, least=2)


def test_pace_grows_while_nothing_speaks_against_it(pace):
    drive(pace, Server(capacity=500), 10)

    assert (pace.limit, pace.slowed) == (128, Slowed.NO)


def test_pace_settles_near_what_the_server_can_do_at_a_time(pace):
    seen = drive(pace, Server(capacity=20, latency=0.2), 60)

    assert 15 <= sum(seen[-500:]) / 500 <= 80


def test_outage_slows_to_the_least_and_recovery_speeds_up_again(pace):
    server = Server(capacity=500)
    drive(pace, server, 5)
    server.failing = 1.0
    drive(pace, server, 5)
    slowed = (pace.limit, pace.slowed)
    server.failing = 0.0
    drive(pace, server, 20)

    assert slowed == (2, Slowed.ERRORS)
    assert pace.limit == 128


@pytest.mark.parametrize(("share", "least", "most"), [(0.2, 10, 50), (0.02, 60, 128)])
def test_steady_share_of_errors_costs_some_of_the_pace_and_not_all(pace, share, least, most):
    server = Server(capacity=500)
    server.failing = share
    seen = drive(pace, server, 60)

    assert least <= sum(seen[-2000:]) / 2000 <= most


def test_too_many_requests_halves_the_pace_until_it_fits(pace):
    server = Server(capacity=500)
    server.limit = 10
    seen = drive(pace, server, 20)

    assert max(seen[-200:]) <= 20


def test_latency_that_grows_slows_and_comes_back_with_it(pace):
    server = Server(capacity=500)
    drive(pace, server, 10)
    server.latency = 2.0
    slow = min(drive(pace, server, 40))
    server.latency = 0.1
    drive(pace, server, 30)

    assert slow < 64
    assert pace.limit == 128


def test_longer_path_is_accepted_when_slowing_down_does_not_help(pace):
    server = Server(capacity=500)
    drive(pace, server, 10)
    server.latency = 2.0
    drive(pace, server, 120)

    assert pace.limit == 128


def test_pace_nobody_uses_does_not_grow(pace):
    for _ in range(1000):
        pace.note(Answer(status=200, elapsed=0.1), under_way=3)

    assert pace.limit == 32


def test_gate_lets_no_more_through_than_allowed_and_all_in_the_end():
    allowed, most = 3, []

    async def work(gate):
        async with gate:
            most.append(gate.under_way)
            await asyncio.sleep(0)

    async def everybody():
        gate = Gate(lambda: allowed)
        await asyncio.gather(*(work(gate) for _ in range(50)))
        return gate.under_way

    assert asyncio.run(everybody()) == 0
    assert (len(most), max(most)) == (50, 3)


def test_gate_forgets_who_was_cancelled_while_waiting():
    async def scenario():
        gate = Gate(lambda: 1)
        await gate.__aenter__()
        waiting = [asyncio.ensure_future(gate.__aenter__()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await gate.__aexit__(None, None, None)
        await asyncio.sleep(0)
        return gate.under_way, [task.done() for task in waiting]

    assert asyncio.run(scenario()) == (1, [True, True, False])


def test_region_has_no_call_before_a_share_was_granted_and_none_after_it_ran_out():
    asked = []
    lanes = Lanes(Policy(), ask=lambda: asked.append(1))
    region = lanes.of("https://us.example.test/")

    before = region.held.now()
    lanes.grant(10, {"https://us.example.test/": 4}, until=float("inf"))
    during = region.held.now()
    lanes.grant(10, {"https://us.example.test/": 4}, until=0.0)

    assert (asked, before, during, region.held.now()) == ([1], 0, 4, 0)
