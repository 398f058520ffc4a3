from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connections import rollover
from connections.rollover import Periods

ENDS = datetime(2029, 6, 1, tzinfo=UTC)
PERIODS = Periods(notice=timedelta(days=90), test=timedelta(days=30), rollover=timedelta(days=30))
periods = st.builds(
    Periods,
    notice=st.timedeltas(timedelta(0), timedelta(days=400)),
    test=st.timedeltas(timedelta(0), timedelta(days=400)),
    rollover=st.timedeltas(timedelta(0), timedelta(days=400)),
)
moments = st.datetimes(datetime(2027, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC))


def test_stages_count_back_from_the_end():
    plan = rollover.before_the_end(ENDS, PERIODS, now=ENDS - timedelta(days=90))

    assert rollover.publish_at(ENDS, PERIODS) == ENDS - timedelta(days=90)
    assert plan.test_at == ENDS - timedelta(days=61)
    assert plan.release_at == ENDS - timedelta(days=31)
    assert plan.final_at == ENDS - timedelta(days=1)


def test_late_start_shortens_the_test_before_the_rollover():
    plan = rollover.before_the_end(ENDS, PERIODS, now=ENDS - timedelta(days=36))

    assert plan.test_at == ENDS - timedelta(days=36)
    assert plan.release_at == ENDS - timedelta(days=31)


def test_somebody_who_wants_it_now_gets_whole_periods():
    begun = ENDS - timedelta(days=700)

    plan = rollover.from_now(ENDS, PERIODS, now=begun)

    assert (plan.test_at - begun, plan.release_at - begun) == (timedelta(0), PERIODS.test)
    assert plan.final_at - plan.release_at == PERIODS.rollover


@given(periods=periods, now=moments)
def test_stages_are_in_order_and_never_in_the_past(periods, now):
    for plan in (
        rollover.before_the_end(ENDS, periods, now=now),
        rollover.from_now(ENDS, periods, now=now),
    ):
        assert now <= plan.test_at <= plan.release_at <= plan.final_at


@given(periods=periods, now=moments)
def test_old_certificate_lives_through_the_whole_rollover(periods, now):
    for plan in (
        rollover.before_the_end(ENDS, periods, now=now),
        rollover.from_now(ENDS, periods, now=now),
    ):
        assert plan.final_at <= max(now, ENDS - rollover.SPARE)


@given(periods=periods, planned=moments, now=moments)
def test_late_release_keeps_its_rollover_while_the_old_certificate_lives(periods, planned, now):
    final = rollover.final_after_release(planned, ENDS, periods, now=now)

    assert final >= max(planned, now)
    assert final - now >= min(periods.rollover, ENDS - rollover.SPARE - now)
