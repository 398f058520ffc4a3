from collections import Counter

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
        sender=b1.count(small=1, full=10),
        worker=b1.count(small=1, full=20),
        redis=b1.count(small=1, full=5),
        postgres=b1.count(small=1, full=5),
        clock=b1.count(small=0, full=4),
        beat=b1.count(small=0, full=5),
        web=b1.count(small=0, full=10),
    )
    sparked.begin(running, amount)

    total, under_way = sparked.steps(amount), Counter()
    for number, kind in enumerate(order):
        sparked.wait_for_steps(running, total * number // len(order), patience=b1.count(small=2, full=8))
        under_way[kind] += not sparked.at_rest(running)
        sparked.strike(killer, kind)
    assert wait_until(running.is_ready, seconds=300, every=0.5), running.said()
    sparked.move_clock(running)
    sparked.wait_for_rest(running, patience=180)
    sent_again = sparked.send_again(running, peer)
    at_rest = sparked.wait_for_rest(running, patience=180)

    found = sparked.judged(running, peer, amount)
    figure = {
        "messages": 3 * amount,
        "killed": Counter(killer.done),
        "killed while messages were under way": under_way,
        "set aside and sent again": sent_again,
        **sparked.repeated(running, peer, amount),
        **found,
    }
    b1.reached(figure=figure, target=NOTHING_WRONG, ok=at_rest and found == NOTHING_WRONG)
