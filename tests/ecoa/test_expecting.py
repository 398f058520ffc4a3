from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ecoa.silence.expecting import Due, Pause, Rhythm, due

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(hours=24)
NIGHT = (time(20), time(8))
WEEKEND = frozenset({5, 6})


def at(day, hour, minute=0, month=3):
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def rhythm(**values):
    return Rhythm(**({"interval": DAY, "grace": timedelta(hours=2), "zone": ZoneInfo("UTC")} | values))


def test_plain_interval_is_due_after_itself_and_its_grace():
    assert due(rhythm(), since=at(2, 9)) == Due(at(3, 9), at(3, 11))


def test_due_at_night_waits_for_the_morning():
    assert due(rhythm(night=NIGHT), since=at(2, 3)) == Due(at(3, 8), at(3, 10))


def test_grace_runs_in_waking_time_only():
    assert due(rhythm(night=NIGHT), since=at(2, 19)) == Due(at(3, 19), at(4, 9))


def test_night_within_one_day_is_a_break():
    assert due(rhythm(night=(time(12), time(13))), since=at(2, 11)) == Due(at(3, 11), at(3, 14))


def test_days_off_stop_the_interval():
    friday = at(6, 17)

    assert due(rhythm(days_off=WEEKEND), since=friday) == Due(at(9, 17), at(9, 19))


def test_arrival_on_a_day_off_counts_from_the_next_working_day():
    saturday = at(7, 15)

    assert due(rhythm(days_off=WEEKEND), since=saturday) == Due(at(10, 0), at(10, 2))


def test_pause_starts_everything_anew():
    paused = rhythm(pauses=(Pause(at(2, 12), at(5, 12)),))

    assert due(paused, since=at(2, 9)) == Due(at(6, 12), at(6, 14))


def test_pauses_that_follow_each_other_are_all_respected():
    paused = rhythm(pauses=(Pause(at(5, 13), at(7, 0)), Pause(at(2, 12), at(5, 12))))

    assert due(paused, since=at(2, 9)) == Due(at(8, 0), at(8, 2))


def test_pause_without_an_end_expects_nothing():
    assert due(rhythm(pauses=(Pause(at(2, 12), None),)), since=at(2, 9)) is None


def test_pause_that_is_over_changes_nothing():
    assert due(rhythm(pauses=(Pause(at(1, 0), at(1, 12)),)), since=at(2, 9)) == Due(at(3, 9), at(3, 11))


def test_nights_are_those_of_the_site_also_when_the_clocks_change():
    before_summer_time = at(28, 12)

    found = due(rhythm(zone=BERLIN, night=NIGHT, interval=timedelta(hours=10)), since=before_summer_time)

    assert found == Due(at(29, 6), at(29, 8))


def test_never_awake_expects_nothing():
    assert due(rhythm(days_off=frozenset(range(7))), since=at(2, 9)) is None
