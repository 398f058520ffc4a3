import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event

import pytest
from django.db import connection as database
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from connections.models import Connection, ConnectionStats
from connections.selectors import stats as selectors
from connections.services import stats
from connections.services.stats import Counts
from tests.factories.connections import make_external, make_local, make_vault_to_vault
from vaultadmin.together import answer

NOON = datetime(2026, 5, 14, 12, tzinfo=UTC)
NAMES = ("sent", "received", "failures", "retries", "timeouts", "fatal")


def row_of(connection, at=NOON):
    found = ConnectionStats.objects.filter(connection=connection, date=at.date()).values_list(*NAMES).first()
    return Counts(*found) if found else None


@pytest.mark.django_db
def test_counting_adds_to_the_row_of_the_day(admin):
    link = make_vault_to_vault(admin)

    stats.count(link.pk, at=NOON, sent=2, failures=1)
    stats.count(link.pk, at=NOON + timedelta(hours=3), sent=1, received=5, failures=2, retries=3, timeouts=2, fatal=1)

    assert row_of(link) == Counts(sent=3, received=5, failures=3, retries=3, timeouts=2, fatal=1)
    assert ConnectionStats.objects.count() == 1


@pytest.mark.django_db
def test_day_is_the_utc_day(admin):
    link = make_vault_to_vault(admin)
    in_tokyo = datetime.fromisoformat("2026-05-15T08:59:59+09:00")

    stats.count(link.pk, at=in_tokyo, sent=1)
    stats.count(link.pk, at=in_tokyo + timedelta(seconds=1), sent=1)

    assert [str(row.date) for row in ConnectionStats.objects.order_by("date")] == ["2026-05-14", "2026-05-15"]


@pytest.mark.django_db
def test_many_connections_are_counted_in_one_statement(admin, django_assert_num_queries):
    links = [make_local(admin) for _ in range(5)]

    with django_assert_num_queries(1):
        stats.count_many({link.pk: Counts(sent=number) for number, link in enumerate(links)}, at=NOON)

    assert [row_of(link) for link in links] == [None, *[Counts(sent=number) for number in range(1, 5)]]


@pytest.mark.django_db
def test_counting_nothing_asks_the_database_nothing(django_assert_num_queries):
    with django_assert_num_queries(0):
        stats.count(1, at=NOON)


@pytest.mark.django_db
def test_a_connection_that_has_gone_is_left_out(admin):
    link, gone = make_local(admin), make_local(admin)
    number = gone.pk
    gone.delete()

    stats.count_many({number: Counts(sent=1), link.pk: Counts(sent=2)}, at=NOON)

    assert row_of(link) == Counts(sent=2)
    assert ConnectionStats.objects.count() == 1


@pytest.mark.django_db
def test_counts_vanish_with_the_transaction_they_were_made_in(admin):
    link = make_local(admin)

    with transaction.atomic():
        stats.count(link.pk, at=NOON, sent=1)
        transaction.set_rollback(True)

    assert row_of(link) is None


@pytest.mark.parametrize("wrong", [{"sent": -1}, {"timeouts": 1}, {"failures": 1, "timeouts": 2}])
def test_counts_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"never taken back|is a failure too"):
        Counts(**wrong)


@pytest.mark.django_db
def test_clearing_deletes_the_rows_of_one_connection(admin):
    link, other = make_local(admin), make_local(admin)
    for day in range(3):
        stats.count_many({link.pk: Counts(sent=1), other.pk: Counts(sent=1)}, at=NOON + timedelta(days=day))

    assert stats.clear(link) == 3
    assert [row.connection_id for row in ConnectionStats.objects.all()] == [other.pk] * 3


@pytest.mark.django_db
def test_period_has_every_day_and_adds_up(admin):
    link = make_external(admin)
    stats.count(link.pk, at=NOON, sent=5, failures=1)
    stats.count(link.pk, at=NOON - timedelta(days=6), received=7)
    stats.count(link.pk, at=NOON - timedelta(days=7), received=100)

    period = answer(selectors.last_days(link, today=NOON.date(), number=7))

    assert [str(day.date) for day in period.days] == [f"2026-05-{day:02}" for day in range(8, 15)]
    assert [day.sent + day.received for day in period.days] == [7, 0, 0, 0, 0, 0, 5]
    assert period.totals == {"sent": 5, "received": 7, "failures": 1, "retries": 0, "timeouts": 0, "fatal": 0}
    assert str(period.busiest.date) == "2026-05-08"
    assert period.worst is not None
    assert str(period.worst.date) == "2026-05-14"


@pytest.mark.django_db
def test_period_without_messages_is_empty(admin):
    period = answer(selectors.last_days(make_external(admin), today=NOON.date(), number=30))

    assert period.is_empty
    assert len(period.days) == 30
    assert period.worst is None


def together(*acts):
    start = Barrier(len(acts))

    def run(act):
        start.wait(timeout=20)
        try:
            return act()
        finally:
            database.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(run, act) for act in acts]]


@pytest.mark.django_db(transaction=True)
def test_many_writers_lose_nothing_and_never_block_each_other_for_good(admin):
    links = [make_local(admin).pk for _ in range(4)]

    def writer(seed):
        def write():
            order = random.Random(seed)
            for _ in range(25):
                chosen = order.sample(links, 3)
                with transaction.atomic():
                    stats.count_many({pk: Counts(sent=1, failures=2, timeouts=1) for pk in chosen}, at=NOON)

        return write

    together(*[writer(seed) for seed in range(8)])

    rows = ConnectionStats.objects.filter(connection__in=links)
    assert sum(row.sent for row in rows) == 8 * 25 * 3
    assert all((row.failures, row.timeouts) == (2 * row.sent, row.sent) for row in rows)


@pytest.mark.django_db(transaction=True)
def test_counting_while_the_connection_is_deleted_ends_well(admin):
    link, other = make_local(admin), make_local(admin)
    counted, deleting = Event(), Event()

    def counts():
        with transaction.atomic():
            stats.count_many({link.pk: Counts(sent=1), other.pk: Counts(sent=1)}, at=NOON)
            counted.set()
            assert deleting.wait(timeout=20)

    def deletes():
        assert counted.wait(timeout=20)
        deleting.set()
        with transaction.atomic():
            Connection.objects.select_for_update().get(pk=link.pk).delete()

    together(counts, deletes)
    stats.count(link.pk, at=NOON, sent=1)

    assert not Connection.objects.filter(pk=link.pk).exists()
    assert [row.connection_id for row in ConnectionStats.objects.all()] == [other.pk]


_added = st.builds(
    lambda failures, timeouts, **rest: Counts(failures=failures + timeouts, timeouts=timeouts, **rest),
    **{name: st.integers(0, 10**6) for name in NAMES},
)


@pytest.mark.django_db(transaction=True)
def test_any_amounts_add_up(admin):
    link = make_local(admin)

    @given(st.lists(_added, max_size=6))
    def adds_up(amounts):
        stats.clear(link)
        for amount in amounts:
            stats.count_many({link.pk: amount}, at=NOON)
        wanted = [sum(getattr(amount, name) for amount in amounts) for name in NAMES]
        assert (row_of(link) or Counts()) == Counts(*wanted)

    adds_up()
