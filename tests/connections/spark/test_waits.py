import pytest

from connections.spark import waits


def test_no_wait_has_no_percentile():
    assert waits.sort([]) == []
    assert waits.percentiles(waits.add([[], []])) is None


@pytest.mark.parametrize("seconds", [0.0, 0.004, 0.2, 3.0, 95.0, 4000.0, 21_600.0])
def test_a_percentile_is_near_the_wait_it_stands_for(seconds):
    found = waits.percentiles(waits.sort([seconds] * 100))

    assert found.p50 == pytest.approx(seconds, rel=0.2, abs=0.005)
    assert found.p50 <= found.p95 <= found.p99


def test_a_wait_beyond_every_range_is_counted_as_the_longest():
    found = waits.percentiles(waits.sort([1e9]))

    assert found.p99 == waits.BOUNDS[-1]


def test_percentiles_of_parts_are_those_of_the_whole():
    first, second = [0.1] * 90, [10.0] * 9 + [100.0]

    together = waits.percentiles(waits.add([waits.sort(first), [], waits.sort(second)]))

    assert together == waits.percentiles(waits.sort(first + second))
    assert together.p50 == pytest.approx(0.1, rel=0.2)
    assert together.p95 == pytest.approx(10, rel=0.2)
