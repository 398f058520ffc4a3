"""Participants per second over TLS: our engine beside a naive and a careful loop and the limit, in one run.

The other side is a lean eCOA, because somebody else's machine costs this one nothing; the same rows beside the bundled
service, which shares the machine, are for orientation.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

from bench import world
from bench.ecoa_sync import rounds
from bench.ecoa_sync.rounds import CAREFUL, LATENCY, NAIVE, OURS, Amounts, Rates
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row, drifted
from bench.stand import stand


@dataclass(frozen=True)
class Counts:
    """How much one run carries; `slow` maps calls at a time to participants."""

    rounds: int
    lean: Amounts
    bundled: Amounts
    slow: dict[int, int]


QUICK = Counts(
    rounds=3,
    lean=Amounts(bound=8000, naive=100, careful=600, ours=12_000),
    bundled=Amounts(bound=2000, naive=40, careful=200, ours=3000),
    slow={8: 3000, 32: 8000},
)
FULL = Counts(
    rounds=5,
    lean=Amounts(bound=30_000, naive=400, careful=3000, ours=50_000),
    bundled=Amounts(bound=10_000, naive=200, careful=1000, ours=20_000),
    slow={8: 8000, 32: 24_000, 128: 24_000},
)


def run(*, full: bool) -> Result:
    """The whole takes about two minutes, in full about ten."""
    return measure(FULL if full else QUICK)


def measure(counts: Counts) -> Result:
    """Measure and check everything, on a stand of its own."""
    started = time.monotonic()
    beside, beside_ours = Rates(), Rates()
    with stand() as ground:
        place = world.make()
        service = rounds.lean(place, ground)
        ground.start_sync_workers()
        rounds.warm_up(place, service, ground, mark="W")
        with Meter() as meter:
            for number in range(counts.rounds):
                rounds.measure(place, service, ground, counts.lean, beside, mark=f"R{number}")
        ground.stop("workers", "ticks", "beat", "lean_ecoa")
        slow = rounds.measure_latency(place, ground, counts.slow)
        service = rounds.bundled(ground)
        ground.start_sync_workers()
        rounds.warm_up(place, service, ground, mark="V")
        rounds.measure(place, service, ground, counts.bundled, beside_ours, mark="B")
    return _result(counts, beside, beside_ours, slow, meter, time.monotonic() - started)


def _result(
    counts: Counts, beside: Rates, beside_ours: Rates, slow: dict[int, float], meter: Meter, seconds: float
) -> Result:
    ours, limit = beside.median(OURS), statistics.median([*beside.before, *beside.after])
    ratios = {
        "naive": ours / beside.median(NAIVE),
        "careful": ours / beside.median(CAREFUL),
        "bound": ours / limit,
        **{f"latency_{c}": rate / (c / LATENCY) for c, rate in slow.items()},
        "bundled_naive": beside_ours.median(OURS) / beside_ours.median(NAIVE),
        "bundled_careful": beside_ours.median(OURS) / beside_ours.median(CAREFUL),
    }
    return Result(
        name="ecoa_sync",
        value=ours,
        unit="participants/s",
        limit=limit,
        ratio=ratios["careful"],
        ratios=ratios,
        n=counts.lean.ours * counts.rounds,
        seconds=seconds,
        machine=machine(meter.foreign),
        rows=[*_rows(beside), *_slow_rows(slow), *_bundled_rows(beside_ours)],
        goals=[
            Goal("ours ÷ naive loop", ratios["naive"], 40),
            Goal("ours ÷ careful loop", ratios["careful"], 12),
            Goal("at 20 ms, 8 calls at a time: ours ÷ c/L", ratios["latency_8"], 0.75),
        ],
        invalid=drifted(beside.before, beside.after),
        notes=[_cost(beside, "a lean eCOA"), _cost(beside_ours, "the bundled service")],
    )


def _rows(rates: Rates) -> list[Row]:
    return [
        _row("bound, before", rates.before, "same posts, same door, nothing written on our side"),
        _row("naive loop", rates.of[NAIVE], rates.words(NAIVE, "4 requests, no session, update_or_create")),
        _row("careful loop", rates.of[CAREFUL], rates.words(CAREFUL, "Session, token once, POST, update_or_create")),
        _row("ours", rates.of[OURS], rates.words(OURS, "Celery, leases, tries, audit, settle")),
        _row("bound, after", rates.after),
    ]


def _slow_rows(slow: dict[int, float]) -> list[Row]:
    return [
        _row(f"ours at 20 ms, c={c}", [rate], f"one lane; {rate / (c / LATENCY):.2f} of c/L = {c / LATENCY:,.0f}/s")
        for c, rate in slow.items()
    ]


def _bundled_rows(rates: Rates) -> list[Row]:
    return [
        _row("bundled service: bound", rates.before + rates.after, "for orientation: every row pays the service, too"),
        _row("bundled service: naive loop", rates.of[NAIVE], rates.words(NAIVE, "the same")),
        _row("bundled service: careful loop", rates.of[CAREFUL], rates.words(CAREFUL, "the same")),
        _row("bundled service: ours", rates.of[OURS], rates.words(OURS, "the same")),
    ]


def _row(name: str, values: list[float], note: str = "") -> Row:
    return Row(name, values, "participants/s", note)


def _cost(rates: Rates, other_side: str) -> str:
    """Where the processors' time goes while ours runs."""
    roles = {role: statistics.median(cost[role] for cost in rates.cost) for role in rates.cost[0]}
    parts = [f"{role} {micros:,.0f}" for role, micros in sorted(roles.items(), key=lambda pair: -pair[1])]
    return f"CPU microseconds per participant in ours beside {other_side}: {', '.join(parts)}."
