from datetime import UTC, datetime, timedelta
from statistics import median

import pytest
from django.db import connection

from ecoa.service import faults
from ecoa.service.faults import Distribution, FaultCall, FaultKind, chance
from ecoa.service.models import ServiceFault
from ecoa.services.refusals import Refused
from vaultadmin import audit, clock

BY = audit.System("test")
FIRST_DAY = datetime(2026, 11, 1, tzinfo=UTC)


def arm(kind=FaultKind.ERROR_500, call=FaultCall.POST, region="us", remaining=None, **more):
    return faults.arm(region=region, call=call, kind=kind, by=BY, remaining=remaining, **more)


def met(times, call=FaultCall.POST, region="us"):
    """Which of the next calls fail inside."""

    def once():
        try:
            return faults.carry_out(lambda: b"", region=region, call=call, armed=True) != b""
        except faults.InjectedFailure:
            return True

    return [once() for _ in range(times)]


def test_same_seed_gives_the_same_sequence(db):
    first = arm(share=30, seed=7)
    before = met(40)
    faults.disarm(first, by=BY)

    arm(share=30, seed=7)

    assert met(40) == before
    assert before == [chance.draw(7, "error_500", number) < 0.3 for number in range(1, 41)]


def test_another_seed_gives_another_sequence(db):
    first = arm(share=30, seed=7)
    before = met(40)
    faults.disarm(first, by=BY)

    arm(share=30, seed=8)

    assert met(40) != before


def test_rewound_fault_begins_its_sequence_anew(db):
    fault = arm(share=30, seed=7)
    before = met(20)

    faults.rewind(fault, by=BY)

    assert met(20) == before


def test_share_is_met_in_the_long_run(db):
    numbers = range(1, 20_001)

    assert sum(chance.draw(3, "html", number) < 0.2 for number in numbers) == pytest.approx(4000, rel=0.05)


def test_counters_say_how_many_calls_were_seen_and_met(db):
    fault = arm(share=50, seed=1)

    hits = sum(met(20))

    fault = ServiceFault.objects.get(pk=fault.pk)
    assert (fault.drawn, fault.injected) == (20, hits)
    assert 0 < hits < 20
    assert fault.injected_at is not None
    assert faults.injected() == {("us", "post", "error_500"): hits}


def test_share_of_nought_meets_nobody(db):
    arm(share=0)

    assert not any(met(10))


def test_no_fault_hides_behind_an_older_one(db):
    arm(share=20, seed=5)
    arm(FaultKind.EXPIRED_TOKEN, share=20, seed=5)

    for _ in range(60):
        met_or_instead()

    assert all(times > 2 for times in faults.injected().values())
    assert len(faults.injected()) == 2


def met_or_instead():
    try:
        faults.carry_out(
            lambda: b"", region="us", call=FaultCall.POST, armed=True, instead={FaultKind.EXPIRED_TOKEN: lambda: b"401"}
        )
    except faults.InjectedFailure:
        return


def test_fault_waits_for_its_beginning_and_stops_at_its_end(db, monkeypatch):
    now = clock.now()
    arm(starts_at=now + timedelta(minutes=1), ends_at=now + timedelta(minutes=2))
    seen = {}

    for minutes in (0, 1, 1.9, 2, 3):
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: now + timedelta(minutes=minutes))
        seen[minutes] = met(1)[0]

    assert seen == {0: False, 1: True, 1.9: True, 2: False, 3: False}


def test_pattern_holds_for_the_first_seconds_of_each_round(db, monkeypatch):
    now = clock.now()
    arm(starts_at=now, cycle_seconds=60, active_seconds=10)
    seen = {}

    for seconds in (0, 9, 10, 59, 60, 125, 131):
        monkeypatch.setattr(clock, "now", lambda seconds=seconds: now + timedelta(seconds=seconds))
        seen[seconds] = met(1)[0]

    assert seen == {0: True, 9: True, 10: False, 59: False, 60: True, 125: True, 131: False}


def test_switched_off_fault_meets_nobody_until_it_is_on_again(db):
    fault = arm()
    faults.switch(fault, on=False, by=BY)
    assert met(2) == [False, False]

    faults.switch(fault, on=True, by=BY)

    assert met(2) == [True, True]


def test_clear_switches_everything_off(db):
    faults.play("everything_at_20", seed=1, by=BY)

    assert faults.clear(by=BY) == ServiceFault.objects.count() > 50
    assert not any(met(10))


def test_database_draws_what_python_draws(db):
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT number, {chance.DRAW_SQL} FROM (SELECT -9::bigint AS seed, 'html'::varchar AS kind, number"
            " FROM generate_series(1, 200) number) armed"
        )
        drawn = cursor.fetchall()

    assert drawn == [(number, chance.draw(-9, "html", number)) for number, _ in drawn]


def waits(distribution, **values):
    given = {"value": 0.4, "least": 0.1, "most": 2.0, "spread": 0.7, "seed": 3} | values
    return [chance.delay(distribution=distribution, number=number, **given) for number in range(2000)]


def test_fixed_delay_is_always_the_same():
    assert set(waits(Distribution.FIXED)) == {0.4}


def test_uniform_delay_fills_its_bounds():
    values = waits(Distribution.UNIFORM)

    assert min(values) >= 0.1
    assert max(values) <= 2.0
    assert median(values) == pytest.approx(1.05, rel=0.1)


def test_lognormal_delay_has_its_median_and_stays_within_its_bounds():
    values = waits(Distribution.LOGNORMAL)

    assert median(values) == pytest.approx(0.4, rel=0.1)
    assert min(values) == 0.1
    assert max(values) == 2.0


def test_no_delay_is_longer_than_any_fault_may_hold_a_call():
    longest = [waits(kind, value=1e9, least=1e8, most=1e9)[0] for kind in Distribution]

    assert max(longest[0], longest[2]) <= faults.HOLD_MAX_SECONDS


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"region": "mars"}, "region"),
        ({"region": faults.GLOBAL}, "call"),
        ({"call": FaultCall.DISCOVER}, "call"),
        ({"region": faults.GLOBAL, "call": FaultCall.DISCOVER, "kind": FaultKind.EXPIRED_TOKEN}, "call"),
        ({"call": FaultCall.AUTHORIZE, "kind": FaultKind.WRONG_REGION}, "call"),
        ({"share": 101}, "share"),
        ({"share": -1}, "share"),
        ({"starts_at": FIRST_DAY, "ends_at": FIRST_DAY - timedelta(1)}, "ends_at"),
        ({"cycle_seconds": 10}, "cycle_seconds"),
        ({"cycle_seconds": 10, "active_seconds": 11}, "active_seconds"),
        ({"distribution": Distribution.UNIFORM, "least_seconds": 2, "most_seconds": 1}, "least_seconds"),
    ],
    ids=str,
)
def test_fault_that_cannot_happen_is_refused(db, wrong, field):
    with pytest.raises(Refused) as refused:
        arm(**wrong)

    assert refused.value.field == field
    assert not ServiceFault.objects.exists()


@pytest.mark.parametrize("name", faults.SCENARIOS)
def test_scenario_arms_what_it_says_with_its_seed(db, name):
    armed = faults.play(name, seed=11, by=BY)

    assert armed
    assert {(fault.seed, fault.scenario, fault.remaining) for fault in armed} == {(11, name, None)}
