import pytest

from connections.delivery.choosing import Choice, Found, Kind, choose

BESIDE = Kind(sequential=False, probing=False, limit=10, few=2, deaths=3)
IN_ORDER = Kind(sequential=True, probing=False, limit=10, few=2, deaths=3)
PROBING = Kind(sequential=False, probing=True, limit=1, few=2, deaths=3)


def found(copy, *, is_due=True, lapsed=False, crashes=0, attempts=0, over=False):
    return Found(copy, is_due, lapsed, crashes, attempts, over)


def test_due_copies_are_sent_up_to_the_limit():
    choice = choose([found(n) for n in range(20)], BESIDE)

    assert choice == Choice(send=list(range(10)))


def test_in_order_nothing_is_sent_past_one_that_is_not_due():
    assert choose([found(1), found(2, is_due=False), found(3)], IN_ORDER).send == [1]
    assert choose([found(1, is_due=False), found(2)], IN_ORDER) == Choice()


@pytest.mark.parametrize(
    ("kind", "deaths", "sent", "alone"),
    [
        (IN_ORDER, [1, 1, 1, 1], [0, 1], False),
        (IN_ORDER, [0, 1, 1, 1], [0, 1], False),
        (IN_ORDER, [0, 0, 0, 1], [0, 1, 2], False),
        (IN_ORDER, [0, 2, 2, 2], [0], False),
        (IN_ORDER, [2, 2, 1, 0], [0], True),
        (IN_ORDER, [3, 2, 1, 0], [1], True),
        (BESIDE, [0, 1, 1, 1], [1, 2], False),
        (BESIDE, [0, 1, 2, 2], [2], True),
        (BESIDE, [3, 1, 0, 0], [1], False),
        (PROBING, [0, 1, 1, 0], [1], False),
    ],
    ids=str,
)
def test_the_more_senders_died_over_a_copy_the_fewer_go_with_it(kind, deaths, sent, alone):
    rows = [found(copy, lapsed=died > 0, crashes=max(died - 1, 0)) for copy, died in enumerate(deaths)]

    set_aside = [copy for copy, died in enumerate(deaths) if died == 3]
    lapsed = [copy for copy in sent if deaths[copy]]
    assert choose(rows, kind) == Choice(sent, alone, lapsed, set_aside)


@pytest.mark.parametrize("kind", [BESIDE, IN_ORDER])
def test_what_three_dead_senders_left_is_set_aside_and_holds_nobody_up(kind):
    choice = choose([found(1, lapsed=True, crashes=2, attempts=3), found(2)], kind)

    assert choice == Choice(send=[2], set_aside=[1])


@pytest.mark.parametrize("kind", [BESIDE, IN_ORDER])
def test_what_was_tried_and_ran_out_of_time_is_over(kind):
    choice = choose([found(1, attempts=4, over=True), found(2, over=True), found(3)], kind)

    assert choice == Choice(send=[2, 3], too_late=[1])


def test_a_silent_receiver_gets_one_call_and_what_ran_out_of_time_behind_it_is_over():
    rows = [found(1, attempts=4, over=True), found(2, over=True), found(3, over=True), found(4)]

    assert choose(rows, PROBING) == Choice(send=[2], too_late=[1, 3])
