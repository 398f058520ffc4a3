from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecoa.timing import Timetable, first_run, next_run

MONDAY = datetime(2026, 3, 23, 12, 0, tzinfo=UTC)
NIGHT = Timetable(minutes=60, opens=time(22), closes=time(6))
OFFICE = Timetable(minutes=30, opens=time(8), closes=time(18), days=frozenset({1, 2, 3, 4, 5}), zone="Europe/Berlin")


def at(day, hour, minute=0):
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("timetable", "after", "expected"),
    [
        (Timetable(minutes=60), at(23, 12), at(23, 13)),
        (Timetable(minutes=1440), at(23, 12), at(24, 12)),
        (OFFICE, at(23, 12), at(23, 12, 30)),
        (OFFICE, at(23, 16, 45), at(24, 7)),
        (OFFICE, at(27, 16, 45), at(30, 6)),
        (NIGHT, at(23, 12), at(23, 22)),
        (NIGHT, at(23, 23, 30), at(24, 0, 30)),
        (NIGHT, at(24, 5, 30), at(24, 22)),
        (Timetable(minutes=60, opens=time(9)), at(23, 22, 30), at(23, 23, 30)),
        (Timetable(minutes=60, closes=time(9)), at(23, 8, 30), at(24, 0)),
        (Timetable(minutes=5, days=frozenset({7})), at(23, 12), at(29, 0)),
        (Timetable(minutes=5, opens=time(22), closes=time(2), days=frozenset({1})), at(24, 1), at(24, 1, 5)),
    ],
)
def test_next_run_is_an_interval_later_within_the_window(timetable, after, expected):
    assert next_run(timetable, after=after) == expected


def test_changed_schedule_starts_at_once_inside_its_window_and_at_the_next_one_outside():
    assert first_run(OFFICE, now=at(23, 12)) == at(23, 12)
    assert first_run(OFFICE, now=at(22, 12)) == at(23, 7)


def test_window_follows_the_local_clock_through_daylight_saving():
    daily = Timetable(minutes=1440, opens=time(2, 30), closes=time(3, 30), zone="Europe/Berlin")

    before, through, later = at(28, 1, 30), at(29, 1, 30), at(30, 0, 30)

    assert next_run(daily, after=at(27, 1, 0)) == before
    assert first_run(daily, now=at(28, 3)) == at(29, 1, 30) == through
    assert first_run(daily, now=at(29, 3)) == later


@given(
    minutes=st.integers(5, 20_000),
    opens=st.times() | st.none(),
    closes=st.times() | st.none(),
    days=st.frozensets(st.integers(1, 7)),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
    after=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),
)
def test_next_run_is_never_early_and_never_more_than_a_week_late(minutes, opens, closes, days, zone, after):
    timetable = Timetable(minutes, opens, closes, days, zone)
    moment = after.replace(tzinfo=UTC)

    found = next_run(timetable, after=moment)

    interval = timedelta(minutes=minutes)
    assert interval <= found - moment <= interval + timedelta(days=8, hours=2)
