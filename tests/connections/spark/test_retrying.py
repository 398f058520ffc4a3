from datetime import UTC, datetime, timedelta

import pytest

from connections.spark.retrying import WINDOW, Clock, next_attempt

ENTERED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MIDDLE = 0.5


def minutes(number):
    return timedelta(minutes=number)


def after(attempts, *, now=ENTERED, chance=MIDDLE, clock=None, asked=timedelta(0)):
    return next_attempt(clock or Clock(ENTERED), attempts=attempts, now=now, chance=chance, asked_to_wait=asked)


@pytest.mark.parametrize(
    ("failed", "wait"), [(1, 1), (2, 2), (3, 5), (4, 10), (5, 20), (6, 30), (7, 60), (8, 60), (9, 60), (40, 60)]
)
def test_the_wait_before_the_next_attempt_is_the_documented_one(failed, wait):
    assert after(failed) == ENTERED + minutes(wait)


@pytest.mark.parametrize(("chance", "share"), [(0.0, 0.9), (0.25, 0.95), (0.5, 1.0), (1.0, 1.1)])
def test_the_wait_is_spread_by_ten_percent_at_most(chance, share):
    assert after(5, chance=chance) == ENTERED + minutes(20) * share


def test_all_attempts_of_a_message_lie_within_six_hours():
    now, tried = ENTERED, [ENTERED]
    while (due := after(len(tried), now=now)) is not None:
        now = due
        tried.append(now)

    assert [round((moment - ENTERED) / minutes(1)) for moment in tried] == [0, 1, 3, 8, 18, 38, 68, 128, 188, 248, 308]
    assert max(tried) <= ENTERED + WINDOW == ENTERED + timedelta(hours=6)


def test_no_attempt_is_planned_past_the_window():
    late = ENTERED + WINDOW - minutes(30)

    assert after(9, now=late) is None
    assert after(5, now=late) == late + minutes(20)
    assert after(6, now=late) == ENTERED + WINDOW
    assert after(6, now=late + timedelta(microseconds=1)) is None


@pytest.mark.parametrize("passed", [WINDOW, WINDOW + minutes(1), timedelta(days=300)])
def test_a_window_that_is_over_allows_no_attempt(passed):
    assert after(1, now=ENTERED + passed) is None


def test_time_the_lane_stood_still_does_not_count():
    held = Clock(ENTERED, stood_still=timedelta(days=2))

    assert held.ends_at == ENTERED + timedelta(days=2, hours=6)
    assert after(7, now=ENTERED + timedelta(days=2, hours=4), clock=held) == ENTERED + timedelta(days=2, hours=5)


def test_being_asked_to_wait_delays():
    assert after(1, asked=minutes(7)) == ENTERED + minutes(7)


def test_being_asked_to_wait_less_than_planned_changes_nothing():
    assert after(4, asked=minutes(3)) == ENTERED + minutes(10)


@pytest.mark.parametrize("asked", [timedelta(hours=6), timedelta(days=365), timedelta(days=36500)])
def test_being_asked_to_wait_beyond_the_window_leaves_one_attempt_that_begins_within_it(asked):
    last = after(1, asked=asked)

    assert last == ENTERED + WINDOW - minutes(1)


def test_being_asked_to_wait_never_makes_an_attempt_earlier_than_planned():
    late = ENTERED + WINDOW - minutes(30)

    assert after(6, now=late, asked=timedelta(days=1)) == ENTERED + WINDOW


def test_a_message_that_was_never_tried_has_nothing_to_repeat():
    with pytest.raises(ValueError, match="nothing to repeat"):
        after(0)
