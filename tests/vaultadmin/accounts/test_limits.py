from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from vaultadmin.accounts import limits
from vaultadmin.models import AttemptWindow

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def take(key: str, seconds: float = 0, limit: int = 3) -> limits.Attempt | None:
    return limits.take(key, limit=limit, within=MINUTE, now=NOON + timedelta(seconds=seconds))


@pytest.mark.django_db
def test_places_run_out_and_come_back_one_by_one_as_they_age() -> None:
    taken = [take("a", second) is not None for second in (0, 20, 40, 50, 59.9, 60.1, 61, 80.1)]

    assert taken == [True, True, True, False, False, True, False, True]


@pytest.mark.django_db
def test_no_stretch_of_a_minute_holds_more_than_the_limit() -> None:
    granted = [second for second in range(300) if take("a", second, limit=10)]

    assert all(sum(start <= at < start + 60 for at in granted) <= 10 for start in granted)


@pytest.mark.django_db
def test_a_place_given_back_is_free_again() -> None:
    attempts = [take("a", second) for second in range(3)]

    assert attempts[1] is not None
    limits.give_back(attempts[1])

    assert take("a", 4) is not None
    assert take("a", 5) is None


@pytest.mark.django_db
def test_keys_do_not_touch_each_other() -> None:
    assert [take(key, 0, limit=1) is not None for key in ("a", "b", "a")] == [True, True, False]


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_no_more_than_the_limit() -> None:
    def attempt(number: int) -> bool:
        try:
            return take("a", number / 1000, limit=10) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(attempt, range(60)))

    assert granted == 10


@pytest.mark.django_db
def test_windows_of_yesterday_are_forgotten() -> None:
    take("old")
    limits.take("new", limit=1, within=MINUTE, now=NOON + timedelta(days=2))

    limits.forget_old(now=NOON + timedelta(days=2))

    assert list(AttemptWindow.objects.values_list("key", flat=True)) == ["new"]


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("nonsense", "nonsense"),
    ],
)
def test_an_ipv6_caller_is_known_by_the_network_it_chooses_from(address: str, key: str) -> None:
    assert limits.address_key(address) == key
