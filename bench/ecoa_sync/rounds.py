"""Measuring: each row beside the others in one round, and everything checked right after."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from bench import environment, fresh, world
from bench.ecoa_sync import bound, checks, engine, loops
from bench.lean_ecoa import starting
from bench.lean_ecoa.starting import LeanStore
from bench.meter import Meter
from bench.stand import Stand
from bench.world import World

LATENCY = 0.020
SERVICE_PROCESSES = 2
NAIVE, CAREFUL, OURS = "naive", "careful", "ours"


@dataclass(frozen=True)
class Amounts:
    """Participants a row and round."""

    bound: int
    naive: int
    careful: int
    ours: int


@dataclass
class Rates:
    """Participants per second, one value a round, and what each cost."""

    before: list[float] = field(default_factory=list)
    after: list[float] = field(default_factory=list)
    of: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    together: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cost: list[dict[str, float]] = field(default_factory=list)

    def note(self, row: str, rate: float, meter: Meter, amount: int) -> None:
        """A rate, with the CPU milliseconds a participant of all processes together."""
        self.of[row].append(rate)
        self.together[row].append(meter.ours / amount * 1000)

    def median(self, row: str) -> float:
        return statistics.median(self.of[row])

    def words(self, row: str, words: str) -> str:
        return f"{words}; {statistics.median(self.together[row]):.2f} ms CPU each, everything together"


def lean(place: World, ground: Stand) -> loops.Service:
    """The lean eCOA where the product looks for an eCOA."""
    starting.start(ground, place, settings.TLS_PORT)
    base_url, authority = f"https://localhost:{settings.TLS_PORT}", str(ground.tls.authority)
    return loops.Service(base_url, authority, LeanStore(base_url, authority))


def bundled(ground: Stand) -> loops.Service:
    """The bundled service in its place."""
    ground.start_service(processes=SERVICE_PROCESSES)
    return loops.Service(f"https://localhost:{settings.TLS_PORT}", str(ground.tls.authority), checks.BundledStore())


def warm_up(place: World, service: loops.Service, ground: Stand, *, mark: str) -> None:
    """What is loaded, connected and compiled once is in nobody's figure."""
    engine.finished(engine.plan(place, 1000, prefix=f"{mark}ours"), 1000, ground)
    loops.naive(place, service, world.identifiers(f"{mark}naive", 5))
    loops.careful(place, service, world.identifiers(f"{mark}careful", 100))
    bound.rate(place, service, world.identifiers(f"{mark}bound", 1000))


def measure(place: World, service: loops.Service, ground: Stand, amounts: Amounts, rates: Rates, *, mark: str) -> None:
    """Bound, naive, careful, ours, bound again."""
    rates.before.append(_bound(place, service, f"{mark}A", amounts.bound))
    _loop(place, service, loops.naive, NAIVE, f"{mark}naive", amounts.naive, rates)
    _loop(place, service, loops.careful, CAREFUL, f"{mark}careful", amounts.careful, rates)
    prefix = f"{mark}ours"
    with Meter(ground.roles()) as meter:
        ended = engine.finished(engine.plan(place, amounts.ours, prefix=prefix), amounts.ours, ground)
    checks.settled(place, service.store, ended, prefix, amounts.ours)
    rates.note(OURS, amounts.ours / engine.seconds_of(ended), meter, amounts.ours)
    rates.cost.append({role: seconds / amounts.ours * 1e6 for role, seconds in meter.seconds_of.items()})
    rates.after.append(_bound(place, service, f"{mark}Z", amounts.bound))


def measure_latency(place: World, ground: Stand, slow: dict[int, int]) -> dict[int, float]:
    """One lane in a fresh process, each answer 20 ms late, at several degrees of concurrency."""
    port = environment.free_ports(1)
    starting.start(ground, place, port, name="late_ecoa", milliseconds=LATENCY * 1000)
    store = LeanStore(f"https://localhost:{port}", str(ground.tls.authority))
    rates = {}
    for concurrency, amount in slow.items():
        prefix = f"L{concurrency}"
        planned = engine.plan(place, amount, prefix=prefix)
        fresh.alone("bench.ecoa_sync.engine.drain_through", planned.pk, port, concurrency, seconds=300)
        ended = engine.finished(planned, amount)
        checks.settled(place, store, ended, prefix, amount)
        rates[concurrency] = amount / engine.working_seconds_of(ended)
    ground.stop("late_ecoa")
    return rates


def _loop(
    place: World,
    service: loops.Service,
    loop: Callable[..., float],
    row: str,
    prefix: str,
    amount: int,
    rates: Rates,
) -> None:
    with Meter() as meter:
        seconds = loop(place, service, world.identifiers(prefix, amount))
    rates.note(row, amount / seconds, meter, amount)
    checks.matched(place, service.store, prefix, amount)


def _bound(place: World, service: loops.Service, prefix: str, amount: int) -> float:
    found = bound.rate(place, service, world.identifiers(prefix, amount))
    checks.arrived(service.store, prefix, amount)
    return found
