from datetime import UTC, datetime, timedelta, timezone

import pytest

from vaultadmin.templatetags import _times

NOW = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=44), "just now"),
        (timedelta(seconds=45), "1 minute ago"),
        (timedelta(minutes=3, seconds=59), "3 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=30), "14 Apr 2026"),
        (-timedelta(minutes=5), "in 5 minutes"),
        (-timedelta(days=3), "in 3 days"),
        (-timedelta(days=40), "23 Jun 2026"),
    ],
)
def test_a_distance_becomes_words(distance, words):
    assert _times.relative(NOW - distance, NOW) == words


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=-5), "for less than a minute"),
        (timedelta(seconds=44), "for less than a minute"),
        (timedelta(minutes=5), "for 5 minutes"),
        (timedelta(hours=1), "for 1 hour"),
        (timedelta(days=30), "since 14 Apr 2026"),
    ],
)
def test_what_lasts_is_told_by_how_long(distance, words):
    assert _times.lasting(NOW - distance, NOW) == words


def test_exact_times_are_utc_whatever_the_zone():
    moment = datetime(2026, 5, 14, 14, 0, 5, tzinfo=timezone(timedelta(hours=2)))

    assert _times.exact(moment) == "2026-05-14 12:00:05 UTC"
    assert _times.iso(moment) == "2026-05-14T12:00:05Z"
