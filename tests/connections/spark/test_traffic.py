from datetime import UTC, datetime, timedelta

import pytest

from connections.models import TrafficSlot
from connections.models.traffic import LONG, SHORT
from connections.selectors import traffic as selectors
from connections.services.messages import traffic
from connections.services.messages.traffic import Passage
from connections.services.stats import Counts
from tests.factories.connections import make_external
from tests.factories.spark import make_outbound, make_spark_admin, put
from vaultadmin.together import answer

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 13, 27, 31, tzinfo=UTC)


@pytest.fixture
def admin():
    return make_spark_admin()


@pytest.fixture
def link(admin):
    connection = make_external(admin)
    return make_outbound(admin, connection).connections.get()


def carry(link, *, at=NOW, waits=(), **counts):
    traffic.count_many({(link.queue_id, link.connection_id): Passage(Counts(**counts), waits)}, at=at)


def test_what_goes_through_is_counted_by_five_minutes_and_by_the_hour(link):
    carry(link, sent=3, failures=1, retries=1, waits=[0.2, 0.3, 0.4])
    carry(link, at=NOW + timedelta(minutes=4), sent=1, waits=[5.0])

    hour = TrafficSlot.objects.get(link=link, minutes=LONG)
    short = TrafficSlot.objects.filter(link=link, minutes=SHORT).order_by("starts_at")
    assert (hour.sent, hour.failures, hour.retries, sum(hour.waits)) == (4, 1, 1, 4)
    assert hour.starts_at == datetime(2026, 5, 4, 13, tzinfo=UTC)
    assert hour.last_at == NOW + timedelta(minutes=4)
    assert [(slot.starts_at.minute, slot.sent) for slot in short] == [(25, 3), (30, 1)]


def test_nothing_that_went_through_leaves_no_row(link):
    carry(link)

    assert not TrafficSlot.objects.exists()


def test_failures_alone_keep_the_time_of_the_last_message(link):
    carry(link, sent=1, waits=[1.0])
    carry(link, at=NOW + timedelta(minutes=1), failures=1)

    assert TrafficSlot.objects.get(minutes=LONG).last_at == NOW


def test_a_connection_taken_from_its_queue_is_left_out(link):
    place = (link.queue_id, link.connection_id)
    link.delete()

    traffic.count_many({place: Passage(Counts(sent=1))}, at=NOW)

    assert not TrafficSlot.objects.exists()


def test_a_queue_shows_what_waits_and_how_long_messages_took(admin, link):
    for minutes in (9, 3):
        put(link.queue, admin, now=NOW - timedelta(minutes=minutes))
    carry(link, at=NOW - timedelta(hours=3), sent=10, failures=2, waits=[60.0] * 10)
    carry(link, at=NOW - timedelta(minutes=2), sent=4, waits=[0.5] * 4)

    found = answer(selectors.of_queue(link.queue, now=NOW))

    total, [(lane, flow)] = found.total, found.lanes
    assert (total.waiting, lane.waiting, total.oldest_at) == (2, 2, NOW - timedelta(minutes=9))
    assert total.last_hour.p95 == pytest.approx(0.5, rel=0.2)
    assert total.last_day.p95 == pytest.approx(60, rel=0.2)
    assert (total.hour["sent"], total.day["sent"], flow.day["failures"]) == (4, 14, 2)
    assert [hour.through for hour in total.hours[-4:]] == [10, 0, 0, 4]
    assert len(total.hours) == 24


def test_a_connection_shows_every_queue_it_belongs_to(admin, link):
    other = make_outbound(admin, link.connection, label="Second")
    put(other, admin, now=NOW)
    carry(link, sent=1, waits=[1.0])

    found = answer(selectors.of_connection(link.connection, now=NOW))

    assert {lane.queue for lane, _flow in found.lanes} == {link.queue_id, other.pk}
    assert (found.total.waiting, found.total.day["sent"]) == (1, 1)
    assert answer(selectors.of_vault(admin.vault, now=NOW)).total.waiting == 1


def test_a_vault_shows_nothing_of_another(link):
    stranger = make_spark_admin()
    carry(link, sent=1)

    assert not answer(selectors.of_vault(stranger.vault, now=NOW)).lanes


def test_today_begins_at_midnight_utc(link):
    carry(link, at=NOW.replace(hour=0) - timedelta(hours=1), sent=5)
    carry(link, at=NOW.replace(hour=0), sent=2)

    total = answer(selectors.of_queue(link.queue, now=NOW)).total

    assert (total.day["sent"], total.today["sent"]) == (7, 2)


def test_old_spans_are_forgotten_and_young_ones_kept(link):
    for back in (timedelta(days=33), timedelta(days=3), timedelta(hours=1)):
        carry(link, at=NOW - back, sent=1)

    traffic.forget_old(now=NOW)

    assert TrafficSlot.objects.filter(minutes=LONG).count() == 2
    assert TrafficSlot.objects.filter(minutes=SHORT).count() == 1


def test_the_questions_do_not_grow_with_queues(admin, link, django_assert_max_num_queries):
    for _ in range(3):
        make_outbound(admin, link.connection)

    with django_assert_max_num_queries(2):
        answer(selectors.of_connection(link.connection, now=NOW))
