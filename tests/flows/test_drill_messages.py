from collections import Counter
from datetime import timedelta

import pytest

from tests.flows import sparked
from tests.flows.drilled import Killer
from tests.flows.sparked import NOTHING_WRONG
from vaultadmin.embedded.processes import wait_until


@pytest.fixture
def world(tmp_path):
    with sparked.installation(tmp_path) as made:
        yield made


def test_messages_arrive_once_and_in_their_order_whatever_is_killed(world, goal):
    running, peer = world
    b1 = goal("B1")
    amount = b1.count(small=100, full=3_334)
    killer = Killer(running, seed=5)
    order = killer.order(
        worker=b1.count(small=2, full=30),
        redis=b1.count(small=1, full=5),
        postgres=b1.count(small=1, full=5),
        beat=b1.count(small=0, full=5),
        web=b1.count(small=0, full=10),
    )

    sparked.begin(running, amount)
    for kind in order:
        killer.kill(kind)
        killer.pause(b1.count(small=1, full=20))
    assert wait_until(running.is_ready, seconds=120), running.said()
    sparked.jump(running, timedelta(hours=1))
    at_rest = sparked.wait_for_rest(running, seconds=b1.count(small=120, full=1500))

    found = sparked.judged(running, peer, amount)
    figure = {"killed": Counter(killer.done), "messages": 3 * amount, "calls": len(peer.requests), **found}
    b1.reached(figure=figure, target=NOTHING_WRONG, ok=at_rest and found == NOTHING_WRONG)
