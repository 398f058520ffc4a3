"""Participants per second over TLS: our engine beside a naive and a careful loop and the limit, in one run."""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field

from django.conf import settings

from bench import environment, fresh, world
from bench.ecoa_sync import bound, checks, engine, loops
from bench.meter import Meter, machine
from bench.report import Goal, Result, Row, drifted
from bench.stand import Stand, stand
from bench.world import World

LATENCY = 0.020
SERVICE_PROCESSES = 2


@dataclass(frozen=True)
class Counts:
    """How much one run carries."""

    rounds: int
    bound: int
    naive: int
    careful: int
    ours: int
    slow: dict[int, int]


QUICK = Counts(rounds=3, bound=2000, naive=80, careful=400, ours=4000, slow={8: 1200, 32: 2000})
FULL = Counts(rounds=5, bound=10_000, naive=400, careful=2000, ours=50_000, slow={8: 6000, 32: 12_000, 128: 12_000})


@dataclass
class _Rates:
    """Participants per second, one value a round."""

    before: list[float] = field(default_factory=list)
    naive: list[float] = field(default_factory=list)
    careful: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    slow: dict[int, float] = field(default_factory=dict)
    cost: list[dict[str, float]] = field(default_factory=list)
    together: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def spent(self, row: str, seconds: float, amount: int) -> None:
        """CPU milliseconds a participant, of client, service, database and broker together."""
        self.together[row].append(seconds / amount * 1000)

    def note(self, row: str, words: str) -> str:
        return f"{words}; {statistics.median(self.together[row]):.1f} ms CPU each, everything together"


def run(*, full: bool) -> Result:
    """The whole takes about two minutes, in full about fifteen."""
    return measure(FULL if full else QUICK)


def measure(counts: Counts) -> Result:
    """Measure and check everything, on a stand of its own."""
    started = time.monotonic()
    with stand() as ground:
        ground.start_service(processes=SERVICE_PROCESSES)
        ground.start_sync_workers()
        place = world.make()
        service = loops.Service(f"https://localhost:{settings.TLS_PORT}", str(ground.tls.authority))
        _warm_up(place, service, ground)
        rates = _Rates()
        with Meter() as meter:
            for number in range(counts.rounds):
                measure_round(place, service, ground, counts, rates, mark=f"R{number}")
        measure_latency(place, ground, counts, rates)
    return _result(counts, rates, meter, time.monotonic() - started)


def measure_round(
    place: World, service: loops.Service, ground: Stand, counts: Counts, rates: _Rates, *, mark: str
) -> None:
    """Bound, naive, careful, ours, bound again; each is checked right after."""
    rates.before.append(_bound(place, service, f"{mark}A", counts.bound))
    for loop, amount, kept in (
        (loops.naive, counts.naive, rates.naive),
        (loops.careful, counts.careful, rates.careful),
    ):
        prefix = f"{mark}{loop.__name__}"
        with Meter() as meter:
            kept.append(amount / loop(place, service, world.identifiers(prefix, amount)))
        rates.spent(loop.__name__, meter.ours, amount)
        checks.matched(place, prefix, amount)
    with Meter(ground.roles()) as meter:
        ended = engine.finished(engine.plan(place, counts.ours, prefix=f"{mark}ours"), counts.ours, ground)
    checks.settled(place, ended, f"{mark}ours", counts.ours)
    rates.ours.append(counts.ours / engine.seconds_of(ended))
    rates.spent("ours", meter.ours, counts.ours)
    rates.cost.append({role: seconds / counts.ours * 1e6 for role, seconds in meter.seconds_of.items()})
    rates.after.append(_bound(place, service, f"{mark}Z", counts.bound))


def measure_latency(place: World, ground: Stand, counts: Counts, rates: _Rates) -> None:
    """One lane in a fresh process, each answer 20 ms late, at several degrees of concurrency."""
    ground.stop("workers", "beat")
    port = environment.free_ports(1)
    relay = [str(port), str(settings.TLS_PORT), str(LATENCY * 1000)]
    ground.start("relay", [sys.executable, "-m", "bench.delay", *relay])
    ground.wait_for_port("relay", port)
    for concurrency, amount in counts.slow.items():
        prefix = f"L{concurrency}"
        planned = engine.plan(place, amount, prefix=prefix)
        fresh.alone("bench.ecoa_sync.engine.drain_through", planned.pk, port, concurrency, seconds=300)
        ended = engine.finished(planned, amount)
        checks.settled(place, ended, prefix, amount)
        rates.slow[concurrency] = amount / engine.working_seconds_of(ended)


def _warm_up(place: World, service: loops.Service, ground: Stand) -> None:
    """What is loaded, connected and compiled once is in nobody's figure."""
    engine.finished(engine.plan(place, 1000, prefix="warm"), 1000, ground)
    loops.naive(place, service, world.identifiers("warmnaive", 5))
    loops.careful(place, service, world.identifiers("warmcareful", 100))
    bound.rate(place, service, world.identifiers("warmbound", 1000))


def _bound(place: World, service: loops.Service, prefix: str, amount: int) -> float:
    found = bound.rate(place, service, world.identifiers(prefix, amount))
    checks.arrived(prefix, amount)
    return found


def _result(counts: Counts, rates: _Rates, meter: Meter, seconds: float) -> Result:
    ours, limit = statistics.median(rates.ours), statistics.median([*rates.before, *rates.after])
    ratios = {
        "naive": ours / statistics.median(rates.naive),
        "careful": ours / statistics.median(rates.careful),
        "bound": ours / limit,
        **{f"latency_{c}": rate / (c / LATENCY) for c, rate in rates.slow.items()},
    }
    return Result(
        name="ecoa_sync",
        value=ours,
        unit="participants/s",
        limit=limit,
        ratio=ratios["careful"],
        ratios=ratios,
        n=counts.ours * counts.rounds,
        seconds=seconds,
        machine=machine(meter.foreign),
        rows=_rows(rates),
        goals=[
            Goal("ours ÷ naive loop", ratios["naive"], 40),
            Goal("ours ÷ careful loop", ratios["careful"], 12),
            Goal("at 20 ms, 8 calls at a time: ours ÷ c/L", ratios["latency_8"], 0.75),
        ],
        invalid=drifted(rates.before, rates.after),
        notes=[_cost(rates)],
    )


def _rows(rates: _Rates) -> list[Row]:
    return [
        Row("bound, before", rates.before, "participants/s", "same posts, same door, nothing written on our side"),
        Row(
            "naive loop", rates.naive, "participants/s", rates.note("naive", "4 requests, no session, update_or_create")
        ),
        Row(
            "careful loop",
            rates.careful,
            "participants/s",
            rates.note("careful", "Session, token once, POST, update_or_create"),
        ),
        Row("ours", rates.ours, "participants/s", rates.note("ours", "Celery, leases, tries, audit, settle")),
        Row("bound, after", rates.after, "participants/s"),
        *(
            Row(f"ours at 20 ms, c={c}", [rate], "participants/s", f"one lane; c/L = {c / LATENCY:,.0f}/s")
            for c, rate in rates.slow.items()
        ),
    ]


def _cost(rates: _Rates) -> str:
    """Where the processors' time goes while ours runs."""
    roles = {role: statistics.median(cost[role] for cost in rates.cost) for role in rates.cost[0]}
    parts = [f"{role} {micros:,.0f}" for role, micros in sorted(roles.items(), key=lambda pair: -pair[1])]
    return f"CPU microseconds per participant in ours: {', '.join(parts)}."
